"""A journal played again: figures of the record and of other policies, counted alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, JobState, Tier
from eureka_park.control.policy import Policy
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import supply_of
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import GIB
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.slurm_power import PowerModel
from eureka_park.twin.journal_replay import JournalPolicy, JournalRequest, planned_again, replay_journal
from eureka_park.twin.journal_week import RecordedWeek, read_week
from eureka_park.twin.rehearsal import AFTER_H, Recorded, Side, hours_without_plan, recorded_sky

T0 = 1_795_348_800.0
HOUR = 3600.0
SITE: Site = load_site("eureka-park")
POWER = PowerModel(pue=1.2, gco2_per_kwh=500.0, gco2_source="given")
CPUS = tuple(ev.Node(f"n{at}", "local", 8.0, 32 * GIB, 0, "", 0.4, 0.1) for at in range(2))
GPUS = (ev.Node("g0", "local", 8.0, 32 * GIB, 4, "h100", 4.0, 1.0, 0.7),)


def ran(name: str, at_h: float, begin_h: float | None, end_h: float | None, node: str, **spec: Any) -> list[ev.Event]:
    """A job that came, began and ended at these hours; None: not yet."""
    job_id, asked = JobId(name), {"n_cpus": 8.0, "tier": Tier.FIRM, "time_s": 4 * HOUR, **spec}
    told: list[ev.Event] = [ev.JobSubmitted(job_id, T0 + at_h * HOUR, JobSpec("a", name, ("true",), **asked), None)]
    if begin_h is not None:
        begin_s = T0 + begin_h * HOUR
        told += [ev.JobStarting(job_id, begin_s, 1, node), ev.JobStarted(job_id, begin_s)]
    if end_h is not None:
        told.append(ev.JobEnded(job_id, T0 + end_h * HOUR, JobState.FINISHED))
    return told


def week(jobs: list[list[ev.Event]], nodes: tuple[ev.Node, ...] = CPUS, hours: float = 6.0) -> RecordedWeek:
    told = [ev.NodesDeclared(T0 - HOUR, nodes), *(event for job in jobs for event in job)]
    return read_week(sorted(told, key=lambda event: event.at_s), T0, T0 + hours * HOUR)


class AtOnce:
    """Plays every job `late_s` after it comes; keeps what it was given. Half of the pauses come in the hours after."""

    def __init__(self, late_s: float = 0.0) -> None:
        self.asked: list[tuple[str, Policy, Any]] = []
        self.tails_h: list[float] = []
        self.late_s = late_s

    def __call__(self, _opening: Any, work: Any, *more: Any, tail_h: float, **_named: Any) -> Played:
        _sky, _failures, policy, _tick_s, name = more
        self.tails_h.append(tail_h)
        if tail_h == AFTER_H:
            self.asked.append((name, policy, work))
        start_s, n_pauses = work.submit_s + self.late_s, 2 if tail_h == AFTER_H else 1
        return Played(
            start_s, start_s + work.run_s, np.full(work.n_jobs, n_pauses, np.int32), work.run_s.copy(), 72 * HOUR, 0,
            0.0, "abc",
        )  # fmt: skip


def asked(found: RecordedWeek, plans: list[PowerPlan] | None = None, **more: Any) -> JournalRequest:
    side = Side(SITE, Policy(tick_s=10.0))
    policies = (JournalPolicy("hard-cut", "hard-cut", side), JournalPolicy("park", "park", side))
    return JournalRequest(Recorded(found, plans or []), side, policies, POWER, **more)


def test_the_record_and_other_policies_are_counted_alike() -> None:
    jobs = [ran("one", 0, 0, 2, "n0"), ran("two", 0, 0, 2, "n1"), ran("three", 0, 2, 4, "n0")]
    play = AtOnce()
    found = replay_journal(asked(week(jobs)), play)
    assert [name for name, *_rest in play.asked] == ["hard-cut", "park"]
    assert list(found["sides"]) == ["recorded", "hard-cut", "park"]
    was, park = found["sides"]["recorded"], found["sides"]["park"]
    assert (was["wait_s"]["mean"], park["wait_s"]["mean"]) == (pytest.approx(2 * HOUR / 3), 0.0)
    assert found["change"]["wait_mean_s"] == pytest.approx(-2 * HOUR / 3)
    assert was["kwh"] == pytest.approx(3 * 2 * 0.4 * 1.2), "three jobs of two hours on a full node, at the site meter"
    assert park["kwh"] == pytest.approx(was["kwh"])
    assert was["gco2_kg"] == pytest.approx(0.5 * was["kwh"]), "no plan is kept: the grid alone"
    assert (was["n_pauses"], park["n_pauses"]) == (0, 3), "those of the hours after are nobody's"
    assert play.tails_h == [AFTER_H, 6.0, AFTER_H, 6.0]
    assert found["match"] == {"n_jobs": 3, "mean_abs_s": 2 * HOUR / 3, "p50_abs_s": 0.0,
                              "p90_abs_s": pytest.approx(0.8 * 2 * HOUR)}  # fmt: skip


def test_a_park_without_gpus_counts_idle_cpus_and_one_with_them_gpus() -> None:
    jobs = [ran("one", 0, 0, 1, "n0"), ran("two", 0, 2, 3, "n1")]  # 16 CPUs: 8 free, then 16, while 8 were wanted
    was = replay_journal(asked(week(jobs)), AtOnce())["sides"]["recorded"]
    assert was["idle_while_waiting_cpu_h"] == pytest.approx(2 * 8.0)
    gpus = [ran("one", 0, 0, 1, "g0", n_gpus=4), ran("two", 0, 2, 3, "g0", n_gpus=3)]
    was = replay_journal(asked(week(gpus, GPUS)), AtOnce())["sides"]["recorded"]
    assert "idle_while_waiting_cpu_h" not in was
    assert was["idle_while_waiting_gpu_h"] == pytest.approx(3.0), "in the second hour four were free, three wanted"


def test_who_waited_still_has_waited_until_the_end_in_every_column_and_draws_nothing() -> None:
    jobs = [ran("one", 0, 0, 2, "n0"), ran("open", 1, None, None, "")]
    found = replay_journal(asked(week(jobs)), AtOnce())
    was, park = found["sides"]["recorded"], found["sides"]["park"]
    assert found["left_out"] == {"still_waiting": 1}
    assert was["wait_s"]["mean"] == pytest.approx(5 * HOUR / 2)
    assert (was["n_never_started"], park["n_never_started"]) == (1, 0)
    assert was["kwh"] == park["kwh"] == pytest.approx(2 * 0.4 * 1.2)
    late = replay_journal(asked(week(jobs)), AtOnce(late_s=5.5 * HOUR))["sides"]["park"]
    assert late["n_never_started"] == 1, "the second would have begun after the last hour of the record"


def test_who_runs_still_is_played_with_the_time_so_far() -> None:
    play = AtOnce()
    found = replay_journal(asked(week([ran("one", 0, 3, None, "n0")])), play)
    assert found["left_out"] == {"still_running": 1}
    assert play.asked[0][2].run_s.tolist() == [3 * HOUR]
    assert found["sides"]["recorded"]["kwh"] == pytest.approx(3 * 0.4 * 1.2)


def test_who_was_there_before_stands_in_the_way_and_does_not_count() -> None:
    found = replay_journal(asked(week([ran("old", -2, -1, 1, "n0"), ran("new", 0, 1, 2, "n0")])), AtOnce())
    assert (found["n_jobs"], found["n_jobs_before"]) == (1, 1)
    assert found["sides"]["recorded"]["wait_s"]["mean"] == pytest.approx(HOUR)


def test_an_empty_stretch_says_where_jobs_are() -> None:
    with pytest.raises(NotFound, match="No job was submitted from 2026-11-22T12:00:00") as caught:
        replay_journal(asked(week([ran("old", -5, -4, -3, "n0")])), AtOnce())
    assert "the last was submitted at 2026-11-22T07:00:00" in str(caught.value.fix)


def test_plans_that_are_no_longer_kept_are_made_again() -> None:
    supply = supply_of(SITE, 3)
    requests = [PlanRequest(T0 + hour * HOUR, SITE.site_mw_max, seed=3) for hour in (0, 6, 12, 18)]
    kept = [make_plan(SITE, request, supply, forecast_of(supply, 3), prices_stores=False) for request in requests]
    found = Recorded(week([ran("one", 0, 0, 2, "n0")], hours=24.0), kept[2:])
    again, n_hours = planned_again(found, SITE, 3)
    assert (n_hours, hours_without_plan(again.plans, T0, T0 + 24 * HOUR)) == (12, [])
    assert [plan.issued_at_s for plan in again.plans] == [plan.issued_at_s for plan in kept]
    was, is_ = (recorded_sky(SITE, plans, T0, T0 + 24 * HOUR).true_clean_kw for plans in (kept, again.plans))
    assert is_[:24] == pytest.approx(was[:24], rel=0.02), "the same weather gives the same clean power"
    whole = replace(found, plans=kept)
    same, n_hours = planned_again(whole, SITE, 3)
    assert same is whole and n_hours == 0


def test_machines_of_another_site_have_the_same_sky_in_proportion() -> None:
    plans = [make_plan(SITE, PlanRequest(T0, SITE.site_mw_max), prices_stores=False)]
    found = week([ran("one", 0, 0, 2, "n0")])
    other = SITE.model_copy(update={"nodes": (SITE.nodes[0].model_copy(update={"n_nodes": 3}),)})
    own = Recorded(found, plans).sky_of(SITE)
    there = Recorded(found, plans, scale=0.5, site=SITE).sky_of(other)
    assert there.true_clean_kw.tolist() == (own.true_clean_kw * 0.5).tolist() and own.true_clean_kw.max() > 0.0
    request = asked(found, plans)
    told = replay_journal(replace(request, recorded=replace(request.recorded, scale=0.5, site=SITE)), AtOnce())
    assert told["match"] is None, "on other machines there is nothing to meet"
