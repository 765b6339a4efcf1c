"""Attribution, by hand: each rule of the meter on figures that a reader can check."""

from __future__ import annotations

import pytest

from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.ledger.core.metering import Allocation, attribute, site_energy

J = 1_000_000


def usage(job_id, cpu_s=0.0, gpu_j=None, attempt=1, gpu_idle_j=0.0):
    return JobUsage(job_id, attempt, 0.0, cpu_s, gpu_j, gpu_idle_j)


def reading(at_s, energy_j, *jobs, idle_w=10.0, method="measured", range_j=0.0, epoch="boot-1"):
    return MeterReading(at_s, energy_j, idle_w, method, range_j, epoch, tuple(jobs))


def whole(job_id, share_frac=0.5, start_s=0.0, end_s=100.0):
    return Allocation(job_id, share_frac, start_s, end_s)


def test_an_empty_node_is_all_idle():
    got = attribute(reading(0, 0), reading(100, 1500), [])
    assert (got.node_uj, got.idle_uj, got.jobs_uj, got.method) == (1500 * J, 1500 * J, {}, "measured")


def test_one_job_gets_its_share_of_idle_and_all_dynamic():
    got = attribute(reading(0, 0, usage("a", 5)), reading(100, 3000, usage("a", 25)), [whole("a")])
    assert got.jobs_uj == {"a": (500 + 2000) * J} and got.idle_uj == 500 * J


def test_the_systems_own_work_is_idle_where_the_nodes_seconds_are_known():
    got = attribute(reading(0, 0), reading(100, 3000, usage("a", 25)), [whole("a")], node_cpu_s=100.0)
    assert got.jobs_uj == {"a": (500 + 500) * J} and got.idle_uj == 2000 * J


def test_node_seconds_below_those_of_the_jobs_are_not_believed():
    got = attribute(reading(0, 0), reading(100, 3000, usage("a", 25)), [whole("a")], node_cpu_s=1.0)
    assert got.jobs_uj == {"a": 2500 * J}


def test_own_gpu_counters_come_first():
    after = reading(100, 3000, usage("a", 30, 600.0), usage("b", 10))
    got = attribute(reading(0, 0), after, [whole("a"), whole("b")])
    assert got.jobs_uj == {"a": (500 + 600 + 1050) * J, "b": (500 + 350) * J} and got.idle_uj == 0


def test_gpu_counters_that_claim_too_much_share_what_there_is():
    after = reading(100, 3000, usage("a", 9, 3000.0), usage("b", 1, 1000.0))
    got = attribute(reading(0, 0), after, [whole("a"), whole("b")])
    assert got.jobs_uj == {"a": (500 + 1500) * J, "b": (500 + 500) * J}


def test_what_a_gpu_draws_idle_is_not_claimed_a_second_time():
    # 100 s of a node with 10 W of idle, 4 of them the GPU's: it counted 1,400 J, a neighbour's CPUs used 300 J.
    before = reading(0, 0, usage("gpu", 1, 200.0, gpu_idle_j=50.0))
    after = reading(100, 2300, usage("gpu", 1, 1600.0, gpu_idle_j=450.0), usage("cpu", 50))
    got = attribute(before, after, [whole("gpu", 1.0)])
    assert got.jobs_uj == {"gpu": (1000 + 1000) * J, "cpu": 300 * J} and got.idle_uj == 0


def test_a_gpu_below_its_supposed_idle_power_claims_nothing():
    before = reading(0, 0, usage("gpu", 1, 0.0))
    after = reading(100, 2000, usage("gpu", 1, 300.0, gpu_idle_j=400.0), usage("cpu", 50))
    assert attribute(before, after, []).dynamic_uj == {"gpu": 0, "cpu": 1000 * J}


def test_a_job_that_began_and_ended_inside_gets_idle_for_its_time():
    got = attribute(reading(0, 0), reading(100, 1000), [whole("a", 0.5, 20, 60)])
    assert got.jobs_uj == {"a": 200 * J} and got.idle_uj == 800 * J


def test_its_last_counters_may_come_with_the_later_reading():
    got = attribute(reading(0, 0), reading(100, 2000, usage("a", 4)), [whole("a", 0.5, 20, 60)])
    assert got.jobs_uj == {"a": (200 + 1000) * J}


def test_a_job_seen_only_before_has_no_more_dynamic_energy():
    got = attribute(reading(0, 0, usage("a", 50)), reading(100, 2000, usage("b", 1)), [whole("a", 0.5, 0, 50)])
    assert got.jobs_uj == {"a": 250 * J, "b": 1000 * J}


def test_attempts_are_counted_apart_and_added():
    before = reading(0, 0, usage("a", 50, attempt=1))
    after = reading(100, 2000, usage("a", 53, attempt=1), usage("a", 2, attempt=2), usage("b", 5))
    assert attribute(before, after, []).jobs_uj == {"a": 500 * J, "b": 500 * J}


def test_allocations_for_more_than_the_node_share_it():
    got = attribute(reading(0, 0), reading(100, 1000), [whole("a", 1.0), whole("b", 3.0)])
    assert got.jobs_uj == {"a": 250 * J, "b": 750 * J} and got.idle_uj == 0


def test_a_counter_that_wraps():
    got = attribute(reading(0, 262_000, range_j=262_144), reading(100, 1856, range_j=262_144), [])
    assert got.node_uj == 2000 * J and not got.counter_restarted


@pytest.mark.parametrize("after", [reading(100, 9999, epoch="boot-2"), reading(100, 3), reading(100, 3, range_j=100.0)])
def test_a_counter_that_started_anew_is_modelled_at_the_idle_floor(after):
    got = attribute(reading(0, 5000), after, [whole("a", 0.25)])
    assert (got.node_uj, got.method, got.counter_restarted) == (1000 * J, "modelled", True)
    assert got.jobs_uj == {"a": 250 * J}


def test_the_same_reading_twice_gives_nothing():
    same = reading(100, 5000, usage("a", 7))
    got = attribute(same, same, [whole("a")])
    assert (got.node_uj, got.idle_uj, got.jobs_uj) == (0, 0, {"a": 0})


def test_less_than_idle_is_all_idle():
    got = attribute(reading(0, 0), reading(100, 300, usage("a", 7)), [whole("a")])
    assert got.jobs_uj == {"a": 150 * J} and got.idle_uj == 150 * J


def test_a_clock_that_steps_back_books_dynamic_energy_only():
    got = attribute(reading(100, 0), reading(50, 300, usage("a", 7)), [whole("a")])
    assert got.jobs_uj == {"a": 300 * J} and got.end_s == got.start_s


@pytest.mark.parametrize(("first", "second"), [("modelled", "measured"), ("measured", "modelled")])
def test_one_modelled_reading_makes_it_modelled(first, second):
    got = attribute(reading(0, 0, method=first), reading(1, 1, method=second), [])
    assert got.method == "modelled" and not got.counter_restarted


def test_site_energy_is_split_as_the_nodes():
    assert site_energy({"a": 30, "idle": 70}, 1.15) == {"a": 35, "idle": 80}
    assert site_energy({"idle": 0}, 1.15) == {"idle": 0}
    assert sum(site_energy({"a": 30, "idle": 70}, 0.5).values()) == 100
