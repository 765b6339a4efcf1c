"""Sizing studies as JSON: one share and many, what changes them, requests read, wrong ones refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.helpers.small_sizing import WINDY

from eureka_park.energy.size_tasks import case, dullest, read, size
from eureka_park.energy.studies_size import (
    PARETO_SHARES,
    _cases,
    _compared,
    _parts,
    assumptions,
    by_type_mw,
    sizing_study,
)
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import site_to_json
from eureka_park.foundation.site_reading import load_site, parse_site

SITE = parse_site(WINDY, "windy.toml")
REQUEST: dict[str, Any] = {
    "site": site_to_json(SITE), "scenario": "all-plants", "without": [], "flex_frac": 0.0, "seeds": [1],
    "load_mw": 10.0, "shares": [0.5],
}  # fmt: skip


def test_shares_spread_over_processes_give_what_one_gives_to_the_tolerance() -> None:
    many = sizing_study(SITE, 10.0, (0.45, 0.5, 0.55), n_workers=2)  # one has two
    assert [entry["cfe_target_frac"] for entry in many["sizes"]] == [0.45, 0.5, 0.55]
    costs = [entry["yearly_mmad"] for entry in many["sizes"]]
    assert costs == sorted(costs)
    one = sizing_study(SITE, 10.0, 0.5)
    assert one["yearly_mmad"] == pytest.approx(costs[1], rel=5e-3)
    assert one["what"] == many["what"] == "size"
    assert one["weather"]["here"]["label"] == "synthetic"
    assert one["plants"]["old-wind"]["raw_gwh"] > 0
    json.dumps(many)


def test_every_assumption_stands_in_the_answer() -> None:
    rows = assumptions(20.0)
    assert {"name", "value", "unit", "label", "source", "date"} <= set(rows[0])
    assert rows[-1] == {"name": "life_years", "value": 20.0, "unit": "year", "label": "asked", "source": "", "date": ""}
    assert any(row["label"] == "assumption" for row in rows)


def test_cases_share_their_planes_and_change_costs_alone() -> None:
    names = [
        {"name": "as in the table"},
        {"name": "wind +20 %", "scale": {"wind": 1.2}},
        {"name": "interest", "set": {"money.discount_frac": 0.12}},
    ]
    rows = case({**REQUEST, "cases": names})["cases"]
    assert [row["name"] for row in rows] == ["as in the table", "wind +20 %", "interest"]
    base, dear, interest = (row["size"]["yearly_mmad"] for row in rows)
    assert base < dear < 1.25 * base
    assert base < interest
    told = list(_compared(rows))
    assert told[0]["yearly_change_mmad"] == 0.0
    assert told[1]["yearly_change_mmad"] == pytest.approx(dear - base)


def test_the_dullest_year_is_one_of_those_asked() -> None:
    found = dullest({**REQUEST, "seeds": [1, 2, 3]})
    assert found["seed"] in (1, 2, 3)
    assert found["gwh"] >= 0.0


def test_a_request_may_change_prices_and_policy() -> None:
    asked = read({**REQUEST, "grid": {"surplus_peak_mad_per_mwh": 7.0}, "policy": {"carbon_weight_mad_per_kg": 1.5}})
    assert asked.site.grid.surplus_peak_mad_per_mwh == 7.0
    assert asked.site.policy.carbon_weight_mad_per_kg == 1.5
    assert SITE.grid.surplus_peak_mad_per_mwh != 7.0


def test_progress_tells_what_is_being_done() -> None:
    said: list[str] = []
    size({**REQUEST, "shares": [0.4]}, lambda what, _number: said.append(what))
    assert {"share", "search", "year"} <= set(said)


def test_cases_cover_costs_plants_weather_load_and_prices() -> None:
    park = load_site("eureka-park")
    request = {**REQUEST, "site": site_to_json(park), "task": "size-cases"}
    cases = list(_cases(request, park, {"ouarzazate": None}))  # type: ignore[dict-item]
    names = [item["name"] for entry in cases for item in entry["cases"]]
    for word in ("wind -20", "CSP +20", "battery", "interest", "Noor III", "20 % of the load", "surplus", "carbon"):
        assert any(word in name for name in names), word
    assert any(entry["without"] == [plant.id for plant in park.plants] for entry in cases)


def test_shares_are_dealt_out_wholly() -> None:
    for n_workers in (1, 2, 3, 8):
        parts = _parts(PARETO_SHARES, n_workers)
        assert sorted(share for part in parts for share in part) == sorted(PARETO_SHARES)
        assert all(list(part) == sorted(part) for part in parts)


def test_powers_are_summed_by_type() -> None:
    items = [
        {"type": "wind", "power_mw": 2.0, "energy_mwh": None},
        {"type": "wind", "power_mw": 3.0, "energy_mwh": None},
        {"type": "battery", "power_mw": 1.0, "energy_mwh": 4.0},
    ]
    assert by_type_mw({"additions": items}) == {"wind": 5.0, "battery": 1.0, "battery_mwh": 4.0}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"shares": 1.5}, "outside 0 to 1"),
        ({"shares": ()}, "No share"),
        ({"least": "nothing"}, "is not known"),
        ({"life_years": 0.0}, "no life of a plant"),
        ({"without": ("noor-v",)}, "no plant 'noor-v'"),
        ({"load_mw": 0.0}, "no load to size for"),
        ({"load_mw": [1.0, 2.0]}, "has 2 hours, a year 8760"),
    ],
)
def test_wrong_questions_are_refused(change: dict[str, Any], says: str) -> None:
    asked = {"load_mw": 10.0, "shares": 0.5, **change}
    with pytest.raises(BadInput, match=says):
        sizing_study(SITE, **asked)
