"""A rehearsal: two plays of one recorded stretch, what differs between them, and how well the first meets the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, JobState, Tier
from eureka_park.control.policy import Policy
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.policy_tables import Share
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import GIB
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import it_kw_of
from eureka_park.twin.journal_week import RecordedWeek, read_week
from eureka_park.twin.rehearsal import Recorded, Side, recorded_sky, rehearse, scaled

T0 = 1_795_348_800.0
HOUR = 3600.0
SITE: Site = load_site("eureka-park")
NODES = tuple(ev.Node(f"n{at}", "local", 8.0, 32 * GIB, 0, "", 0.4, 0.1) for at in range(2))


def plan_at(hour: float, seed: int = 1) -> PowerPlan:
    return make_plan(SITE, PlanRequest(T0 + hour * HOUR, 100.0, seed=seed))


@pytest.fixture(scope="module")
def plans() -> list[PowerPlan]:
    return [plan_at(hour) for hour in (0.0, 6.0, 12.0, 18.0)]


def week(n_jobs: int = 6, deadline_h: float | None = 2.5, **spec: Any) -> RecordedWeek:
    """Jobs of two projects that fill a node each, all sent at once, run one after the other on two nodes."""
    told: list[ev.Event] = [ev.NodesDeclared(T0 - HOUR, NODES)]
    by_s = None if deadline_h is None else T0 + deadline_h * HOUR
    asked: dict[str, Any] = {"n_cpus": 8.0, "tier": Tier.FIRM, **spec}
    for at in range(n_jobs):
        project, job_id = ("a", "b")[at % 2], JobId(f"j{at}")
        begin_s = T0 + at // 2 * HOUR
        told += [
            ev.JobSubmitted(job_id, T0, JobSpec(project, f"job{at}", ("true",), **asked), by_s),
            ev.JobStarting(job_id, begin_s, 1, f"n{at % 2}"), ev.JobStarted(job_id, begin_s),
            ev.JobEnded(job_id, begin_s + HOUR, JobState.FINISHED),
        ]  # fmt: skip
    return read_week(sorted(told, key=lambda event: event.at_s), T0, T0 + 24 * HOUR)


def side(policy: Policy | None = None, **site: Any) -> Side:
    return Side(SITE.model_copy(update=site), policy or Policy(tick_s=10.0))


def starts(*hours: tuple[float, ...], pauses: tuple[int, ...] = (0, 0)) -> Callable[..., Played]:
    """A loop for tests: the first play has the first starts, the second the second."""
    left = list(zip(hours, pauses, strict=True))

    def play(_opening: Any, work: Any, _sky: Any, *_rest: Any, **_more: Any) -> Played:
        told, n = left.pop(0)
        start_s = np.array(told) * HOUR
        kwh = np.array([2.0, 1.0])[: len(work.leaves)]
        return Played(start_s, start_s + work.run_s, np.full(work.n_jobs, n, np.int32), work.run_s, 72 * HOUR, 0, 0.0,
                      "none", {}, kwh, kwh * (0.5 + 0.25 * n))  # fmt: skip

    return play


def test_what_differs_is_told_by_project_and_job(plans: list[PowerPlan]) -> None:
    play = starts((0, 0, 1, 1, 2, 2), (0, 2, 0, 3, 1, 3), pauses=(0, 1))
    found = rehearse(Recorded(week(), plans), side(), side(), play=play)
    assert found["n_jobs"] == 6 and found["match"] == {
        "n_jobs": 6,
        "mean_abs_s": 0.0,
        "p50_abs_s": 0.0,
        "p90_abs_s": 0.0,
    }
    b, a = found["projects"]
    assert (a["project"], b["project"]) == ("a", "b"), "most changed first"
    assert (a["n_jobs"], a["n_longer"], a["n_shorter"]) == (3, 0, 2)
    assert (b["n_longer"], b["n_shorter"]) == (3, 0)
    assert a["now"]["wait_mean_s"] == HOUR and a["then"]["wait_mean_s"] == pytest.approx(HOUR / 3)
    assert (a["now"]["n_deadlines_missed"], b["then"]["n_deadlines_missed"]) == (1, 3)
    assert (a["now"]["n_pauses"], a["then"]["n_pauses"], a["then"]["clean_frac"]) == (0, 3, 0.75)
    total = found["total"]
    assert (total["n_jobs"], total["n_longer"], total["n_shorter"], total["now"]["kwh"]) == (6, 3, 2, 3.0)
    changed = found["most_changed"]
    assert len(changed) == 5 and {row["job_id"] for row in changed[:2]} == {"j1", "j3"}
    assert changed[0]["wait_then_s"] - changed[0]["wait_now_s"] == 2 * HOUR
    assert changed[0]["start_now_at"] == "2026-11-22T12:00:00.000Z"


def test_the_match_is_the_distance_from_the_truth(plans: list[PowerPlan]) -> None:
    play = starts((0, 0, 1, 1, 2, 3), (0,) * 6)
    match = rehearse(Recorded(week(), plans), side(), side(), play=play)["match"]
    assert match["mean_abs_s"] == HOUR / 6 and match["p50_abs_s"] == 0.0


def test_an_empty_stretch_says_where_jobs_are(plans: list[PowerPlan]) -> None:
    empty = read_week([ev.NodesDeclared(T0, NODES)], T0, T0 + HOUR)
    with pytest.raises(NotFound, match="No job was submitted from 2026-11-22T12:00:00"):
        rehearse(Recorded(empty, plans), side(), side())
    events: list[ev.Event] = [
        ev.NodesDeclared(T0, NODES),
        ev.JobSubmitted(JobId("j"), T0, JobSpec("a", "x", ("true",))),
    ]
    with pytest.raises(NotFound) as caught:
        rehearse(Recorded(read_week(events, T0 + HOUR, T0 + 2 * HOUR), plans), side(), side())
    assert "the last was submitted at 2026-11-22T12:00:00" in str(caught.value.fix)


def test_deadlines_that_the_policy_gives_change_with_it(plans: list[PowerPlan]) -> None:
    seen: list[Any] = []

    def play(_opening: Any, work: Any, *_rest: Any, **_more: Any) -> Played:
        seen.append(work.deadline_s)
        return starts((0.0,) * 2, pauses=(0,))(None, work, None)

    other = replace(side(), flex_default_s=10 * HOUR)
    rehearse(Recorded(week(2, tier=Tier.FLEX), plans), side(), other, play=play)
    assert seen[0].tolist() == [2.5 * HOUR] * 2 and seen[1].tolist() == [10 * HOUR] * 2


def test_truth_is_the_newest_plan_and_plans_are_seen_as_they_were_issued(plans: list[PowerPlan]) -> None:
    sky = recorded_sky(SITE, plans, T0 + 600.0, T0 + 24 * HOUR)
    assert sky.hour0_s == T0 and sky.n_hours == 24 + 48
    for hour in range(24):
        plan = plans[hour // 6]
        assert sky.true_clean_kw[hour] == it_kw_of(SITE, np.array([plan.clean_available_mw_p50[hour % 6]]))[0]
    assert sky.plan_issued_s[:4].tolist() == [T0 + hour * HOUR for hour in (0, 6, 12, 18)]
    assert (np.diff(sky.plan_issued_s) >= 0).all() and (sky.plan_first_hour[0], sky.plan_first_hour[-1]) == (0, 66)
    assert np.array_equal(sky.true_clean_kw[66:72], sky.true_clean_kw[42:48]), "beyond the plans the last day repeats"
    assert np.array_equal(scaled(sky, 2.0).plan_grid_kw, 2.0 * sky.plan_grid_kw)


def test_hours_without_a_plan_are_the_grids_alone(plans: list[PowerPlan]) -> None:
    sky = recorded_sky(SITE, [plans[3]], T0, T0 + 24 * HOUR)
    gaps = np.flatnonzero(sky.plan_clean_kw.max(axis=1) == 0.0)
    assert len(gaps) == 18 and sky.plan_first_hour[gaps].tolist() == list(range(18))
    assert (sky.plan_grid_kw[gaps] > 0).all() and not sky.true_clean_kw[:18].any()
    nothing = recorded_sky(SITE, [], T0, T0 + 2 * HOUR)
    assert not nothing.true_clean_kw.any() and nothing.n_plans == 2
    found = rehearse(Recorded(week(2), [plans[3]]), side(), side(), play=starts((0.0,) * 2, (0.0,) * 2))
    assert found["n_hours_without_plan"] == 18


def test_the_kernels_play_what_was_and_what_other_shares_would_have_made_of_it(plans: list[PowerPlan]) -> None:
    heavy = side(shares=(Share(path="a", weight=100.0), Share(path="b", weight=1.0)))
    found = rehearse(Recorded(week(12, deadline_h=None), plans), side(), heavy)
    assert found["match"]["n_jobs"] == 12 and found["match"]["mean_abs_s"] <= 120.0
    by_name = {row["project"]: row for row in found["projects"]}
    assert by_name["a"]["then"]["wait_mean_s"] < by_name["a"]["now"]["wait_mean_s"] - HOUR / 2
    assert by_name["b"]["then"]["wait_mean_s"] > by_name["b"]["now"]["wait_mean_s"] + HOUR / 2
    assert found["total"]["now"]["kwh"] == pytest.approx(12 * 0.4, rel=0.02)
    assert rehearse(Recorded(week(12, deadline_h=None), plans), side(), heavy) == found
