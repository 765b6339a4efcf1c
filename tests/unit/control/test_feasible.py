"""The earliest end of a job: against a walk second by second, and in words at submission."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.world import HOUR, node, spec, supply_of

from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.core.placement import job_kw, rated_kw
from eureka_park.control.feasible import (
    Closed,
    DeadlineInfeasible,
    Span,
    check_deadline,
    closed_spans,
    earliest_end_s,
)
from eureka_park.control.policy import Sky
from eureka_park.control.supply import Interval, Step, Supply
from eureka_park.foundation.units import parse_instant_s

GRID = 20.0  # seconds of the walk's step


def supply(*kw: float, clean: float = 0.0, p10: float = 0.0) -> Supply:
    """Intervals of a minute with so much from the grid."""
    return Supply(tuple(Interval(60.0 * n, 60.0 * (n + 1), clean, p10, each, ()) for n, each in enumerate(kw)))


def walk(job: JobSpec, need_kw: float, plan: Supply, now_s: float, closed: Sequence[Span]) -> float:
    """The slow and obvious way: try to run, step by step; beyond the plan and outside `closed` one always can."""
    ran_s, at_s = 0.0, now_s
    while ran_s < job.time_s:
        dark = any(item.start_s <= at_s < item.end_s and item.grid_kw < need_kw for item in plan.intervals)
        if dark or any(a <= at_s < b for a, b in closed):
            ran_s = ran_s if job.checkpoint and job.tier is not Tier.FIRM else 0.0
        else:
            ran_s += GRID
        at_s += GRID
    return at_s


SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 15)).map(lambda at: (at[0] * GRID, (at[0] + at[1]) * GRID)), max_size=3
)


@given(
    kw=st.lists(st.sampled_from([1.0, 3.0]), min_size=1, max_size=8),
    now=st.integers(0, 2),
    n_steps=st.integers(1, 20),
    tier=st.sampled_from([Tier.FIRM, Tier.FLEX]),
    checkpoint=st.booleans(),
    closed=SPANS,
)
def test_it_agrees_with_a_walk(
    kw: list[float], now: int, n_steps: int, tier: Tier, checkpoint: bool, closed: list[Span]
) -> None:
    job = spec(tier=tier, checkpoint=checkpoint, time_s=n_steps * GRID)
    found = earliest_end_s(job, 2.0, plan := supply(*kw), now * GRID, closed=closed)
    if max(kw) < 2.0:
        assert found is None
    else:
        assert found == walk(job, 2.0, plan, now * GRID, closed)


def test_firm_counts_on_what_is_nearly_sure_and_flex_on_what_is_expected() -> None:
    plan = supply(1.0, 1.0, clean=5.0, p10=2.0)
    firm, flex = spec(tier=Tier.FIRM, time_s=60.0), spec(tier=Tier.FLEX, time_s=60.0)
    assert earliest_end_s(firm, 3.0, plan, 0.0) == earliest_end_s(flex, 6.0, plan, 0.0) == 60.0
    assert earliest_end_s(firm, 3.1, plan, 0.0) is None and earliest_end_s(flex, 6.1, plan, 0.0) is None
    assert earliest_end_s(spec(tier=Tier.GREEN, time_s=60.0), 99.0, plan, 0.0) == 60.0, "green has no promise"


def test_salt_that_is_kept_counts_for_flex() -> None:
    item = Interval(0.0, 60.0, 1.0, 1.0, 0.0, (Step(1.0, 1.0, "koudia"), Step(4.0, 2.0, "noor-iii")))
    assert earliest_end_s(spec(time_s=60.0), 4.0, Supply((item,)), 0.0) == 60.0


def test_closed_machines() -> None:
    nodes = [node("a"), node("b"), node("c", n_cpus=2)]
    gang = spec(n_nodes=2, n_cpus=8)
    closings = [Closed({"a"}, 10.0, 20.0), Closed({"c"}, 0.0, 90.0), Closed({"b", "a"}, 15.0, 30.0)]
    assert closed_spans(gang, nodes, closings) == [(10.0, 15.0), (15.0, 20.0), (20.0, 30.0)]
    assert closed_spans(spec(n_nodes=2, n_nodes_min=1, n_cpus=8), nodes, closings) == [(15.0, 20.0), (20.0, 30.0)]
    assert closed_spans(spec(n_cpus=1), nodes, closings) == [(15.0, 20.0), (20.0, 30.0)]
    assert closed_spans(gang, nodes, []) == [] == closed_spans(gang, nodes, [Closed({"a"}, 20.0, 20.0)])


def test_a_job_as_a_whole() -> None:
    one = rated_kw(spec(n_cpus=8), node())
    assert job_kw(spec(n_cpus=8, n_nodes=3), node()) == pytest.approx([3 * kw for kw in one])
    assert job_kw(spec(n_cpus=8, n_nodes=3, declared_kw=2.0), node()) == pytest.approx((2.0, 2.0 - 3 * 0.2))
    assert job_kw(spec(n_cpus=8, declared_kw=0.1), node()) == pytest.approx((0.2, 0.0)), "idle is drawn anyway"
    assert job_kw(spec(n_cpus=8, declared_kw=5.0), node()) == pytest.approx(one), "a node draws no more than it can"


NODES = (node("a"), node("b"))


def refusal(job: JobSpec, plan: Supply, **more: object) -> DeadlineInfeasible:
    with pytest.raises(DeadlineInfeasible) as caught:
        check_deadline(job, NODES, plan, Sky.BINDING, 0.0, **more)  # type: ignore[arg-type]
    assert (caught.value.code, caught.value.field) == ("deadline_infeasible", "by")
    return caught.value


def night_until(hour: int) -> Supply:
    return supply_of(lambda start_s: 4.0 if start_s >= hour * HOUR else 0.0, 0.0, grid_kw=0.5)


def test_a_deadline_before_there_is_power_is_refused_and_the_advice_is_let_in() -> None:
    job = spec(tier=Tier.FIRM, n_cpus=8, time_s=2 * HOUR + 1, deadline_s=6 * HOUR)
    error = refusal(job, night_until(5))
    assert error.earliest_end_s == 7 * HOUR + 60
    assert "1.00 kW of firm power" in error.message or "1 kW of firm power" in error.message, error.message
    advised = re.search(r"\S+Z", error.fix)
    assert advised is not None and parse_instant_s(advised[0]) == error.earliest_end_s
    check_deadline(spec(tier=Tier.FIRM, n_cpus=8, time_s=2 * HOUR + 1, deadline_s=parse_instant_s(advised[0])), NODES,
                   night_until(5), Sky.BINDING, 0.0)  # fmt: skip


def test_what_no_power_holds_is_let_in() -> None:
    job = spec(tier=Tier.FIRM, n_cpus=8, time_s=HOUR, deadline_s=2 * HOUR)
    refusal(job, night_until(5))
    check_deadline(job, NODES, night_until(5), Sky.OBSERVED, 0.0)
    check_deadline(job, NODES, night_until(5), Sky.BINDING, 0.0, is_first=True)
    check_deadline(spec(tier=Tier.FIRM, n_cpus=8, time_s=HOUR), NODES, night_until(5), Sky.BINDING, 0.0)
    check_deadline(spec(tier=Tier.FIRM, n_cpus=2, time_s=HOUR, deadline_s=HOUR), NODES, night_until(5), Sky.GREEN, 0.0)


def test_power_that_the_plan_never_has() -> None:
    gang = spec(tier=Tier.FIRM, n_cpus=8, n_nodes=2, time_s=HOUR, deadline_s=40 * HOUR)
    error = refusal(gang, night_until(99))
    assert error.earliest_end_s is None and "at most 500 W" in error.message, error.message
    beyond = spec(tier=Tier.FIRM, n_cpus=8, n_nodes=2, time_s=HOUR, deadline_s=49 * HOUR)
    check_deadline(beyond, NODES, night_until(99), Sky.BINDING, 0.0)  # nobody knows what comes after the plan


def test_what_is_declared_counts_for_flex_and_the_least_nodes_of_an_elastic_gang() -> None:
    whole = {"n_cpus": 8, "n_nodes": 2, "time_s": HOUR, "deadline_s": 3 * HOUR, "checkpoint": True}
    assert "declare its power (kw)" in refusal(spec(**whole), night_until(5)).fix  # type: ignore[arg-type]
    check_deadline(spec(**whole, declared_kw=0.5), NODES, night_until(5), Sky.BINDING, 0.0)  # type: ignore[arg-type]
    firm = {**whole, "tier": Tier.FIRM, "declared_kw": 0.5}
    assert "declare" not in refusal(spec(**firm), night_until(5)).fix  # type: ignore[arg-type]
    grid = supply_of(lambda start_s: 0.0, 0.0, grid_kw=1.5)
    refusal(spec(**firm), grid)  # type: ignore[arg-type]
    check_deadline(spec(**firm, n_nodes_min=1), NODES, grid, Sky.BINDING, 0.0)  # type: ignore[arg-type]


def test_maintenance_that_lasts_too_long() -> None:
    job = spec(tier=Tier.GREEN, n_cpus=8, n_nodes=2, time_s=HOUR, deadline_s=4 * HOUR)
    error = refusal(job, night_until(0), closings=[Closed({"b"}, 0.5 * HOUR, 6 * HOUR)])
    assert error.earliest_end_s == 7 * HOUR and "closed" in error.message
    check_deadline(job, NODES, night_until(0), Sky.BINDING, 0.0, closings=[Closed({"b"}, 2 * HOUR, 6 * HOUR)])
