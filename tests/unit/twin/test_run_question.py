"""What the pages may ask of the twin, what it costs, and the model that is played."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.bootstrap import machine_of
from eureka_park.energy.verdict_schema import scenarios_of
from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.foundation.site_reading import load_site, new_site_text, parse_site
from eureka_park.twin.run import PolicyName
from eureka_park.twin.run_question import (
    CPU_S_MAX,
    EXAMPLE,
    MEMORY_MIB_MAX,
    POLICIES,
    Question,
    checked,
    cost_of,
    full_site,
    model_of,
    sizes_of,
)

PARK = load_site("eureka-park")
SCENARIOS = ("all-plants", "noor-iii-out")


def test_policies_are_those_of_runs() -> None:
    assert get_args(PolicyName) == POLICIES


def test_a_run_begins_on_the_first_monday_of_its_month() -> None:
    for month in range(1, 13):
        begin = datetime.fromtimestamp(Question(month=month).start_s, UTC)
        assert (begin.month, begin.weekday(), begin.hour) == (month, 0, 0) and begin.day <= 7


def test_ids_tell_questions_apart_and_work_from_policies() -> None:
    other = replace(EXAMPLE, policy="fcfs-easy")
    assert other.run_id != EXAMPLE.run_id and other.work_id == EXAMPLE.work_id
    assert replace(EXAMPLE, seed=2).work_id != EXAMPLE.work_id
    assert Question.from_json(EXAMPLE.to_json()) == EXAMPLE
    with pytest.raises(BadInput, match="another version"):
        Question.from_json({"nights": 3})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"one_in": 3}, "one_in"), ({"days": 0}, "days"), ({"days": 367}, "days"), ({"month": 13}, "month"),
        ({"load_frac": 0.0}, "load_frac"), ({"load_frac": float("nan")}, "load_frac"), ({"policy": "luck"}, "policy"),
        ({"scenario": "rain"}, "scenario"), ({"wind_mw": -1.0}, "wind_mw"), ({"pv_mw": 2e4}, "pv_mw"),
        ({"seed": -1}, "seed"), ({"demand_of_supply": 9.0}, "demand_of_supply"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused_with_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as found:
        checked(replace(EXAMPLE, **change), PARK, SCENARIOS)
    assert found.value.field == field and found.value.fix


def test_what_is_too_large_for_a_page_is_said_before_it_is_played() -> None:
    with pytest.raises(TooLarge) as found:
        checked(Question(one_in=1, days=366), PARK, SCENARIOS)
    assert found.value.code == "run_too_large" and "jobs" in found.value.message
    assert checked(EXAMPLE, PARK, SCENARIOS) == EXAMPLE


@given(
    st.sampled_from(sizes_of(PARK)), st.integers(1, 366), st.floats(0.1, 1.2), st.sampled_from(POLICIES),
)  # fmt: skip
def test_no_question_that_passes_is_beyond_the_bounds(one_in: int, days: int, load: float, policy: str) -> None:
    asked = Question(one_in=one_in, days=days, load_frac=load, policy=policy)
    cost = cost_of(PARK, asked)
    try:
        found = checked(asked, PARK, SCENARIOS)
    except TooLarge:
        assert cost.memory_mib > 0.99 * MEMORY_MIB_MAX or cost.cpu_s > 0.99 * CPU_S_MAX
    else:
        assert cost_of(PARK, found).memory_mib <= MEMORY_MIB_MAX and cost_of(PARK, found).cpu_s <= CPU_S_MAX


def test_a_model_has_its_part_of_machines_overhead_and_sky() -> None:
    model = model_of(PARK, 128)
    assert model.factor == pytest.approx(1 / 128)
    assert model.it_kw_rated == pytest.approx(PARK.it_kw_rated / 128)
    assert model.pue.it_mw_rated == pytest.approx(PARK.it_kw_rated / 128_000)
    assert model.plants == PARK.plants and model_of(PARK, 1) is PARK


def test_a_scale_model_stands_for_its_full_site_with_its_own_plants() -> None:
    bench = load_site("bench", machine_of(is_story=True)).model_copy(update={"plants": PARK.plants[:2]})
    full = full_site(bench)
    assert full.scale is None and full.nodes == PARK.nodes and full.plants == PARK.plants[:2]
    assert full_site(PARK) is PARK


def test_a_small_site_is_played_whole_and_has_its_own_scenarios() -> None:
    uni = parse_site(new_site_text("uni"), "uni.toml")
    assert full_site(uni) is uni and sizes_of(uni) == (1,) and "noor-iii-out" not in scenarios_of(uni)
    assert checked(Question(one_in=1), uni, scenarios_of(uni)).days == EXAMPLE.days
    assert sizes_of(PARK) == (1, 8, 32, 128, 512)
