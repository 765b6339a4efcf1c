"""The clairvoyant bound: never below what any policy reached, and just what counting by hand gives where one can."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.control.policy import Policy, Sky
from eureka_park.foundation.cap_curve import CAP_CURVE, power_frac, speed_frac
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.arrivals import Arrivals, make_workload
from eureka_park.twin.core.baselines import CODES
from eureka_park.twin.core.bound import Bound, cfe_bound, least_power
from eureka_park.twin.core.bound_work import Served, served_of, sums_of
from eureka_park.twin.core.failures import Failures, failures_of, no_failures
from eureka_park.twin.core.opening import opening_on
from eureka_park.twin.core.play import play
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries, Tanks, day_sun_sky, flat_sky, known_sky
from eureka_park.twin.core.workload import NodeShape, Workload, workload_of

KIND = ClassRow(2, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 1.0)  # 8 kW above idle, all of it of the GPUs: 1 kW each
LEAVES = ("a/b", "a/c")


def played_of(end_h: list[float], work: Workload, until_h: float, it_kwh: float, clean_kwh: float) -> Played:
    end_s = 3600.0 * np.array(end_h)
    totals = {"it_kwh": it_kwh, "clean_kwh": clean_kwh}
    none = np.zeros(work.n_jobs, np.int32)
    return Played(work.submit_s, end_s, none, work.run_s.copy(), 3600.0 * until_h, 0, 0.0, "", totals)


def served_by(
    work: Workload, end_h: list[float], until_h: float, it_kwh: float, failures: Failures | None = None
) -> Served:
    played = played_of(end_h, work, until_h, it_kwh, 0.0)
    return served_of(work, played, (KIND,), ("any",), failures or no_failures(), tick_s=0.0, learns=False)


def jobs_of(submit_h: list[float], run_h: list[float], gpus: list[int], **more: Any) -> Workload:
    columns = {"submit_s": 3600.0 * np.array(submit_h), "run_s": 3600.0 * np.array(run_h), "gpus": gpus}
    return workload_of(LEAVES, {**columns, "power_frac": 1.0, "mcpu": 1000, **more})


# -- sums ------------------------------------------------------------------------------------------------------------


def test_a_job_climbs_from_its_submission_and_up_to_its_deadline() -> None:
    work = jobs_of([0.5], [2.0], [4], tier=1, deadline_s=3600.0 * 5.25)
    served = served_by(work, [4.0], 6, 100.0)
    assert served.earliest.sum(axis=0).tolist() == pytest.approx([0, 2, 6, 8, 8, 8, 8])
    assert served.latest.sum(axis=0).tolist() == pytest.approx([0, 0, 0, 0, 3, 7, 8])
    assert served.base_kwh.tolist() == [4.0] * 6
    assert served.gpus_kw == 16.0


@pytest.mark.parametrize(
    ("tier", "deadline_h", "due_h"),
    [(0, 9.0, 4.0), (1, 9.0, 9.0), (1, 3.0, 4.0), (1, np.inf, 10.0), (2, np.inf, 10.0), (1, 30.0, 10.0)],
    ids=[
        "firm when it ended",
        "deadline",
        "late when it ended",
        "flex at the end",
        "green at the end",
        "after the end",
    ],
)
def test_when_work_is_due(tier: int, deadline_h: float, due_h: float) -> None:
    work = jobs_of([0.0], [2.0], [1], tier=tier, deadline_s=3600.0 * deadline_h)
    latest = served_by(work, [4.0], 10, 100.0).latest.sum(axis=0)
    hours = np.arange(11.0)
    assert latest.tolist() == pytest.approx(np.clip(hours - (due_h - 2.0), 0.0, 2.0).tolist())


def test_a_node_that_is_down_draws_nothing() -> None:
    work = jobs_of([0.0], [1.0], [1])
    down = Failures(np.array([1800.0]), np.array([1], np.int32), np.array([2.5 * 3600.0]))
    assert served_by(work, [1.0], 4, 1.0, down).base_kwh.tolist() == pytest.approx([3.0, 2.0, 3.0, 4.0])


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 9), st.floats(0.01, 9), st.floats(0.1, 50)), min_size=1, max_size=8))
def test_sums_are_those_of_single_jobs(jobs: list[tuple[float, float, float]]) -> None:
    from eureka_park.twin.core.bound_work import note_job

    early, late, hours = np.zeros((1, 11, 2)), np.zeros((1, 11, 2)), np.arange(11.0)
    told = np.zeros((2, 11))
    for submit_h, span_h, kw in jobs:
        due_h = min(10.0, submit_h + span_h)
        work_h = (due_h - submit_h) / 2
        note_job(early, late, 0, submit_h, due_h, work_h, kw)
        told[0] += kw * np.clip(hours - submit_h, 0.0, work_h)
        told[1] += kw * np.clip(hours - (due_h - work_h), 0.0, work_h)
    assert np.allclose(sums_of(early)[0], told[0], atol=1e-9)
    assert np.allclose(sums_of(late)[0], told[1], atol=1e-9)


# -- the program -----------------------------------------------------------------------------------------------------


@st.composite
def tiny_cases(draw: st.DrawFn) -> tuple[Workload, list[int], list[float]]:
    """Up to three jobs of whole hours within five hours, with deadlines, and clean power by hour."""
    n = draw(st.integers(1, 3))
    submit = sorted(draw(st.integers(0, 3)) for _ in range(n))
    run = [draw(st.integers(1, 5 - at)) for at in submit]
    due = [draw(st.integers(at + hours, 5)) for at, hours in zip(submit, run, strict=True)]
    gpus = [draw(st.integers(1, 5)) for _ in range(n)]
    clean = [float(draw(st.integers(0, 18))) for _ in range(5)]
    work = jobs_of([float(x) for x in submit], [float(x) for x in run], gpus, tier=1,
                   deadline_s=3600.0 * np.array(due, np.float64))  # fmt: skip
    return work, due, clean


def by_hand(work: Workload, due: list[int], clean: list[float]) -> float:
    """Least kWh beyond clean power of all ways to run the jobs in whole hours."""
    ways = []
    for row in range(work.n_jobs):
        first, hours = round(work.submit_s[row] / 3600), round(work.run_s[row] / 3600)
        ways.append(list(itertools.combinations(range(first, due[row]), hours)))
    least = np.inf
    for chosen in itertools.product(*ways):
        load = np.full(5, 4.0)
        for row, hours_on in enumerate(chosen):
            load[list(hours_on)] += float(work.gpus[row])
        least = min(least, float(np.maximum(0.0, load - clean).sum()))
    return least


def sky_from(clean: list[float]) -> SkySeries:
    return known_sky(np.array([*clean, *[clean[-1]] * 48]), 100.0)


@given(tiny_cases())
@settings(max_examples=150, deadline=None)
def test_no_way_to_run_tiny_work_is_better(case: tuple[Workload, list[int], list[float]]) -> None:
    work, due, clean = case
    it_kwh = 20.0 + float((work.gpu_s / 3600.0).sum())
    found = cfe_bound(served_by(work, [float(hour) for hour in due], 5, it_kwh), sky_from(clean))
    least = by_hand(work, due, clean)
    assert found.cfe_bound_frac >= 1.0 - least / it_kwh
    assert 0.0 <= found.cfe_bound_frac <= 1.0


@given(st.integers(0, 3), st.integers(1, 4), st.integers(1, 5), st.lists(st.integers(0, 12), min_size=5, max_size=5))
@settings(max_examples=100, deadline=None)
def test_an_hour_of_work_fills_what_clean_power_is_left_before_its_deadline(
    submit: int, span: int, gpus: int, clean: list[int]
) -> None:
    due = min(5, submit + span)
    work = jobs_of([float(submit)], [1.0], [gpus], tier=1, deadline_s=3600.0 * due)
    found = cfe_bound(served_by(work, [float(due)], 5, 100.0), sky_from([float(kw) for kw in clean]))
    left_over = sum(max(0, kw - 4) for kw in clean[submit:due])
    least = sum(max(0, 4 - kw) for kw in clean) + max(0, gpus - left_over)
    least = max(least, 100 - sum(clean))  # who drew more than the job needs drew it somewhere
    assert found.unclean_bound_kwh == pytest.approx(least, abs=1e-3)


def test_work_that_no_sky_moves_leaves_no_choice() -> None:
    work = jobs_of([0.0, 1.0], [2.0, 1.0], [4, 2], tier=0)
    found = cfe_bound(served_by(work, [2.0, 2.0], 3, 22.0), sky_from([6.0, 8.0, 4.0]))
    assert found.unclean_bound_kwh == pytest.approx(4.0, abs=1e-3)
    assert found.cfe_bound_frac == pytest.approx(18 / 22, abs=1e-4)


def test_caps_save_what_the_curve_saves_and_only_of_work_that_may_be_capped() -> None:
    work = jobs_of([0.0, 0.0], [1.0, 1.0], [4, 4], tier=[0, 1], deadline_s=[np.inf, 3600.0])
    served, sky = served_by(work, [1.0, 1.0], 1, 12.0), sky_from([4.0])
    assert cfe_bound(served, sky).unclean_bound_kwh == pytest.approx(8.0, abs=1e-3)
    assert cfe_bound(served, replace(sky, true_clean_kw=np.full(49, 11.0)), CAP_CURVE).unclean_bound_kwh == (
        pytest.approx(max(1.0, 4.0 * 0.53 / 0.73 - 3.0), abs=1e-3)
    )


@given(st.floats(0.01, 1.0))
def test_no_cap_draws_less_for_its_work_than_the_line_says(cap: float) -> None:
    assert power_frac(cap) >= least_power(CAP_CURVE) * speed_frac(cap) - 1e-12
    assert least_power(()) == 1.0


def test_salt_may_be_drawn_when_it_suits_but_must_be_there_at_the_end() -> None:
    """Nothing but salt: 12 MWh of heat at first, half of it as power; the run drew 4 of it in each of two hours."""
    work = jobs_of([0.0], [1.0], [1], tier=0)
    tanks = Tanks(
        np.full(51, 2.0), np.array([0.5]), np.zeros((1, 51)), np.full((1, 51), 8.0),
        np.array([[12.0, 8.0, 4.0, *[4.0] * 49]]), np.array([20.0]), np.array([0.0]),
    )  # fmt: skip
    sky = replace(known_sky(np.array([4.0, 4.0, *[2.0] * 49]), 0.0), tanks=tanks)
    served = served_by(work, [1.0], 3, 13.0)  # 5 + 4 + 4 kWh wanted; 6 without salt, 4 of it
    assert cfe_bound(served, sky).unclean_bound_kwh == pytest.approx(3.0, abs=1e-3)
    assert cfe_bound(served, sky, salt=False).unclean_bound_kwh == pytest.approx(3.0, abs=1e-3)
    free = replace(sky, tanks=replace(tanks, level_mwh_th=np.array([[12.0, 8.0, 4.0, 0.0, *[0.0] * 48]])))
    assert cfe_bound(served, free).unclean_bound_kwh == pytest.approx(1.0, abs=1e-3)
    assert cfe_bound(served, free, salt=False).unclean_bound_kwh == pytest.approx(3.0, abs=1e-3)


def test_what_the_site_itself_lacks_is_taken_of_salt() -> None:
    """As above with the tank free at the end; where the site lacks 2 kW, 8 kW of salt feed machines with 6."""
    work = jobs_of([0.0], [1.0], [1], tier=0)
    tanks = Tanks(
        np.full(51, 2.0), np.array([0.5]), np.zeros((1, 51)), np.full((1, 51), 16.0),
        np.array([[12.0, 8.0, 4.0, *[0.0] * 49]]), np.array([20.0]), np.array([0.0]), None, np.full(51, 2.0),
    )  # fmt: skip
    sky = replace(known_sky(np.array([4.0, 4.0, *[2.0] * 49]), 0.0), tanks=tanks)
    served = served_by(work, [1.0], 3, 13.0)  # 5 + 4 + 4 kWh wanted; 6 without salt, three quarters of 6 with it
    assert cfe_bound(served, sky).unclean_bound_kwh == pytest.approx(13.0 - 6.0 - 4.5, abs=1e-3)


# -- policies --------------------------------------------------------------------------------------------------------


def bounds_of(name: str, work: Workload, sky: SkySeries, seed: int, *, learns: bool = True) -> Bound:
    shares = [(leaf, 1.0, 0.0) for leaf in work.leaves]
    kind = ClassRow(4, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 0.7)
    failures = failures_of(4, 3.0, SeedTree(seed), mtbf_s=4 * 86_400.0)
    policy = Policy(sky=Sky.BINDING, lead_s=120.0)
    opening = opening_on((kind,), ("any",), work, shares)
    played = play(opening, work, sky, failures, policy, policy.tick_s, name, learns=learns, tail_h=20.0)
    served = served_of(work, played, (kind,), ("any",), failures, tick_s=policy.tick_s, learns=learns)
    return cfe_bound(served, sky, policy.cap_curve)


def skies(seed: int) -> list[SkySeries]:
    rng = np.random.default_rng(seed)
    drawn = known_sky(rng.uniform(0.0, 40.0, 3 * 24 + 48), 60.0)
    return [day_sun_sky(45.0, 3.0, 4.0, 60.0), flat_sky(18.0, 3.0, 60.0), drawn]


@pytest.mark.parametrize("name", CODES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_policy_is_better_than_the_bound(name: str, seed: int) -> None:
    work = make_workload(Arrivals(300, 2.0, LEAVES, (NodeShape(4, 8, 64_000, 1 << 19),), 0.8), SeedTree(seed))
    for at, sky in enumerate(skies(seed)):
        found = bounds_of(name, work, sky, seed)
        assert 0.0 < found.cfe_frac <= found.cfe_bound_frac <= 1.0, f"sky {at}"


@st.composite
def small_work(draw: st.DrawFn) -> Workload:
    n = draw(st.integers(1, 6))
    submit = sorted(draw(st.floats(0.0, 20.0)) for _ in range(n))
    run = [draw(st.floats(0.05, 12.0)) for _ in range(n)]
    slack = [draw(st.sampled_from([0.5, 6.0, 12.0, np.inf])) for _ in range(n)]
    due_s = 3600.0 * (np.array(submit) + 2.0 * np.array(run) + np.array(slack))
    return jobs_of(
        submit, run, [draw(st.integers(1, 8)) for _ in range(n)], tier=[draw(st.integers(0, 2)) for _ in range(n)],
        deadline_s=due_s, time_s=3600.0 * 1.5 * np.array(run),
        checkpoint=[draw(st.booleans()) for _ in range(n)],
    )  # fmt: skip


@given(small_work(), st.sampled_from(sorted(CODES)), st.integers(0, 10_000), st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_policy_is_better_with_little_work(work: Workload, name: str, seed: int, learns: bool) -> None:
    for sky in skies(seed):
        found = bounds_of(name, work, sky, seed, learns=learns)
        assert found.cfe_frac <= found.cfe_bound_frac <= 1.0
