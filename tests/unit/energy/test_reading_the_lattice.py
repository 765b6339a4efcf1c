"""Reading between the points of a lattice: exact on them, smooth and monotone between, ends beyond them."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.energy.core.lattice import AXES, QUANTITIES, Lattice, figures_of
from eureka_park.energy.lattice_file import key_of, lattice_for, shipped_lattice
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site

LEVELS = {
    "load_mw": [50.0, 200.0, 400.0], "flex_frac": [0.0, 0.4], "wind_mw": [0.0, 300.0], "pv_mw": [0.0, 100.0, 500.0],
    "battery_mw": [0.0],
}  # fmt: skip


def linear(point: dict[str, float]) -> float:
    return 3.0 * point["load_mw"] - 100.0 * point["flex_frac"] - 0.5 * point["wind_mw"] - 0.2 * point["pv_mw"] + 500.0


def value() -> dict[str, Any]:
    points = [dict(zip(AXES, values, strict=True)) for values in product(*(LEVELS[name] for name in AXES))]
    series = [linear(point) for point in points]
    return {"axes": LEVELS, "values": {"all-plants": dict.fromkeys(QUANTITIES, series)}}


LATTICE = Lattice.from_json(value())
POINTS = st.fixed_dictionaries(
    {
        "load_mw": st.floats(50, 400), "flex_frac": st.floats(0, 0.4), "wind_mw": st.floats(0, 300),
        "pv_mw": st.floats(0, 500), "battery_mw": st.just(0.0),
    }
)  # fmt: skip


@given(POINTS)
def test_what_is_straight_is_read_exactly(point: dict[str, float]) -> None:
    assert LATTICE.at("all-plants", point)["import_gwh"] == pytest.approx(linear(point), abs=1e-6)


def test_beyond_an_axis_its_end_counts() -> None:
    at_end = LATTICE.at("all-plants", {"load_mw": 400.0, "wind_mw": 300.0})
    assert LATTICE.at("all-plants", {"load_mw": 900.0, "wind_mw": 1e9, "battery_mw": 50.0}) == at_end
    assert LATTICE.at("all-plants", {"load_mw": 1.0}) == LATTICE.at("all-plants", {"load_mw": 50.0})


def test_an_unknown_scenario_is_named() -> None:
    with pytest.raises(BadInput, match="no scenario 'rain'"):
        LATTICE.at("rain", {"load_mw": 100.0})


@pytest.mark.parametrize("change", ["short", "axis"])
def test_a_damaged_lattice_is_refused(change: str) -> None:
    broken = value()
    if change == "short":
        broken["values"]["all-plants"] = {**broken["values"]["all-plants"], "import_gwh": [1.0]}
    else:
        broken["axes"] = {**LEVELS, "load_mw": [400.0, 200.0, 50.0]}
    with pytest.raises(BadInput, match="damaged"):
        Lattice.from_json(broken)


def test_shares_are_made_of_sums() -> None:
    quantities = dict.fromkeys(QUANTITIES, 0.0) | {"not_clean_gwh": 87.6, "carbon_t": 876.0, "fully_clean_h": 4380.0}
    found = figures_of(quantities, 100.0)
    assert found["cfe_frac"] == pytest.approx(0.9) and found["gco2_per_kwh"] == pytest.approx(1.0)
    assert found["hours_fully_clean_frac"] == 0.5 and found["load_gwh"] == 876.0
    assert figures_of(quantities, 0.0)["cfe_frac"] == 1.0


def test_the_lattice_holds_for_its_site_and_its_scale_model_alone() -> None:
    park, roof = load_site("eureka-park"), parse_site(new_site_text("uni"), "uni.toml")
    assert key_of(park) == key_of(load_site("bench", MachineFacts(8, 2**34)))
    assert key_of(park) != key_of(roof) and lattice_for(roof) is None
    assert (lattice_for(park) is None) == (shipped_lattice() is None)
