"""Properties of the ledger: whatever happens, nothing is lost, nothing is found."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation.wire.engine import JobUsage, MeterReading
from eureka_park.ledger import store
from eureka_park.ledger.core.exact import micro, split, split_hours
from eureka_park.ledger.core.metering import Allocation, attribute
from eureka_park.ledger.service import EnergyBooking, LedgerService, Settlement

SOURCES = ("noor-i", "noor-ii", "noor-iii", "noor-iv", "koudia", "grid")
PRICES = {"mad_per_gpu_h": {"flex": 17.3}, "mad_per_cpu_h": {"flex": 0.37}}
amounts = st.floats(0, 1e6, allow_nan=False)
job_ids = st.sampled_from(["job-a", "job-b", "job-c", "job-d"])


@given(st.integers(0, 10**24), st.lists(st.floats(0, 1e300) | st.integers(0, 10**30), min_size=1, max_size=12))
def test_a_split_adds_up_and_is_off_by_less_than_one_unit(total, weights):
    if not any(weight > 0 for weight in weights):
        total = 0
    parts = split(total, weights)
    assert sum(parts) == total and all(part >= 0 for part in parts)
    whole = math.fsum(weights)
    for part, weight in zip(parts, weights, strict=True):
        share = total * (weight / whole) if whole else 0
        assert abs(part - share) <= 1 + total * 1e-12
        assert part == 0 or weight > 0


@given(st.floats(-1e10, 1e10), st.floats(0, 1e6), st.integers(0, 10**20))
def test_hours_add_up_and_follow_each_other(start_s, length_s, energy_uj):
    end_s = start_s + length_s
    hours = split_hours(start_s, end_s, energy_uj)
    assert sum(part for _, part in hours) == energy_uj
    starts = [hour_s for hour_s, _ in hours]
    assert starts == list(range(starts[0], starts[-1] + 1, 3600)) and all(hour_s % 3600 == 0 for hour_s in starts)
    assert starts[0] <= start_s < starts[0] + 3600 and (end_s == start_s or starts[-1] < end_s <= starts[-1] + 3600)


readings = st.builds(
    MeterReading,
    at_s=amounts,
    energy_j=amounts,
    idle_w=st.floats(-10, 1e4),
    method=st.sampled_from(["measured", "modelled"]),
    range_j=st.sampled_from([0.0, 262_144.0]),
    epoch=st.sampled_from(["boot-1", "boot-2"]),
    jobs=st.lists(
        st.builds(JobUsage, job_ids, st.integers(1, 2), amounts, amounts, st.none() | amounts), max_size=6
    ).map(tuple),
)
allocations = st.lists(st.builds(Allocation, job_ids, st.floats(0, 2), amounts, amounts), max_size=6)


@given(readings, readings, allocations, st.none() | amounts)
@settings(max_examples=300)
def test_jobs_and_idle_are_the_meter_for_any_two_readings(before, after, given_allocations, node_cpu_s):
    got = attribute(before, after, given_allocations, node_cpu_s=node_cpu_s)
    assert sum(got.jobs_uj.values()) + got.idle_uj == got.node_uj >= 0
    assert got.idle_uj >= 0 and all(energy_uj >= 0 for energy_uj in got.jobs_uj.values())
    again = attribute(before, after, given_allocations[::-1], node_cpu_s=node_cpu_s)
    assert all(abs(again.jobs_uj[job_id] - got.jobs_uj[job_id]) <= 3 for job_id in got.jobs_uj)


@dataclass
class Node:
    """A node that really uses energy: the truth that the meter knows without knowing of jobs."""

    range_j: float
    at_s: float = 0.0
    true_j: float = 0.0
    base_j: float = 0.0
    n_boots: int = 0
    cpu_s: dict[str, float] = field(default_factory=dict)

    def reading(self, idle_w: float) -> MeterReading:
        shown_j = self.true_j - self.base_j
        jobs = tuple(JobUsage(job_id, 1, self.at_s, cpu_s) for job_id, cpu_s in sorted(self.cpu_s.items()))
        shown_j = shown_j % self.range_j if self.range_j else shown_j
        return MeterReading(self.at_s, shown_j, idle_w, "measured", self.range_j, f"boot-{self.n_boots}", jobs)


WRAPS_AT_J, LONGEST_STEP_S, POWER_W_MAX = 262_144.0, 2000.0, 100.0
steps = st.tuples(
    st.floats(0, LONGEST_STEP_S),  # length, s
    st.floats(0, 60),  # power above idle, W
    st.sampled_from(["run", "run", "run", "gap", "reboot"]),
    st.dictionaries(job_ids, st.floats(0, 100), max_size=4),  # CPU seconds by job
)


@given(st.lists(steps, max_size=25), st.sampled_from([0.0, WRAPS_AT_J]))
@settings(max_examples=150)
def test_a_recorded_counter_with_wraps_gaps_restarts_and_overlapping_jobs(story, range_j):
    """What is attributed is the energy the node really used; across a reboot, where nobody knows, the idle floor."""
    node, idle_w = Node(range_j), 40.0
    last, last_true_j, booked_uj, expected_j = node.reading(idle_w), 0.0, 0, 0.0
    for length_s, above_w, what, cpu_s in story:
        node.at_s += length_s
        node.true_j += (idle_w + above_w) * length_s
        for job_id, seconds in cpu_s.items():
            node.cpu_s[job_id] = node.cpu_s.get(job_id, 0.0) + seconds
        elapsed_s = node.at_s - last.at_s
        if what == "gap" and (elapsed_s + LONGEST_STEP_S) * POWER_W_MAX < WRAPS_AT_J:  # nobody reads
            continue
        if what == "reboot":
            node.base_j, node.n_boots, node.cpu_s = node.true_j, node.n_boots + 1, {}
        expected_j += idle_w * elapsed_s if what == "reboot" else node.true_j - last_true_j
        after = node.reading(idle_w)
        running = [Allocation(job_id, 0.3, last.at_s, after.at_s) for job_id in cpu_s]
        got = attribute(last, after, running)
        booked_uj += sum(got.by_account().values())
        assert abs(booked_uj / 1e6 - expected_j) < 1e-3
        assert got.counter_restarted == (what == "reboot")
        assert attribute(after, after, running).node_uj == 0  # a reader that starts again with its last reading
        last, last_true_j = after, node.true_j


@given(st.lists(st.tuples(amounts, st.floats(0, 1e5)), min_size=2, max_size=30))
def test_reading_more_often_changes_nothing_in_the_sum(story):
    at_s = energy_j = 0.0
    taken = []
    for length_s, used_j in story:
        at_s, energy_j = at_s + length_s, energy_j + used_j
        taken.append(MeterReading(at_s, energy_j, 10.0, "measured"))
    often = sum(attribute(a, b, []).node_uj for a, b in pairwise(taken))
    assert often == attribute(taken[0], taken[-1], []).node_uj == micro(taken[-1].energy_j) - micro(taken[0].energy_j)


shares = st.lists(st.floats(0, 1), min_size=len(SOURCES), max_size=len(SOURCES)).map(
    lambda weights: (
        {source: weight / sum(weights) for source, weight in zip(SOURCES, weights, strict=True)}
        if sum(weights) > 1e-3
        else {"grid": 1.0}
    )
)
bookings = st.tuples(
    st.floats(0, 1e5), st.floats(0, 20_000), readings, readings, allocations, st.floats(1, 2), shares, shares
)


@given(st.lists(bookings | job_ids, max_size=10))
@settings(max_examples=40, deadline=None)
def test_random_bookings_and_settlements_leave_clean_books(story):
    with tempfile.TemporaryDirectory() as folder:
        db = SqlDatabase(f"sqlite:///{Path(folder) / 'park.sqlite3'}")
        ledger = LedgerService(db)
        node_uj, site_uj = 0, 0
        with db.write() as conn:
            store.metadata.create_all(conn)
            for step in story:
                if isinstance(step, str):
                    ledger.settle(conn, _settlement(step))
                    continue
                booking = _booking(*step)
                ledger.book_energy(conn, booking)
                node_uj, site_uj = node_uj + booking.node_it_uj, site_uj + booking.node_site_uj
        assert ledger.verify() == []
        with db.read() as conn:
            meter = store.meter_by_hour(conn).values()
            accounts = store.energy_by_account(conn).values()
            receipts = {job_id: (it, site, shown) for job_id, _, it, site, shown in store.all_receipts(conn)}
        for books in (meter, accounts):
            assert (sum(it for it, _ in books), sum(site for _, site in books)) == (node_uj, site_uj)
        for _, receipt_site_uj, shown in receipts.values():
            _check_receipt(shown, receipt_site_uj)
        db.close()


def _booking(start_s, length_s, before, after, given_allocations, pue, first, second):
    found = attribute(before, after, given_allocations)
    return EnergyBooking.of(
        found,
        start_s=start_s,
        end_s=start_s + length_s,
        pue=pue,
        shares={account: first if account == "job-a" else second for account in found.by_account()},
        gco2_per_kwh=dict.fromkeys(SOURCES, 612.5),
        mad_per_kwh=dict.fromkeys(SOURCES, 0.83),
    )


def _settlement(job_id):
    return Settlement(job_id, "welcome", "flex", 1, 2.5, 1234.5, 5000.0, "measured", True, PRICES)


def _check_receipt(shown, site_uj):
    """Totals are the sums of their hours to the last unit, and the receipt is the energy booked."""
    for key, unit in (("kwh", 1e9), ("it_kwh", 1e9), ("gco2", 1e6), ("credits", 1e6)):
        assert round(shown[key] * unit) == sum(round(hour[key] * unit) for hour in shown["hours"])
    for hour in shown["hours"]:
        assert round(hour["kwh"] * 1e9) == sum(round(kwh * 1e9) for kwh in hour["kwh_by_source"].values())
    for source, kwh in shown["kwh_by_source"].items():
        assert round(kwh * 1e9) == sum(round(hour["kwh_by_source"].get(source, 0) * 1e9) for hour in shown["hours"])
    assert round(shown["kwh"] * 1e9) == sum(round(kwh * 1e9) for kwh in shown["kwh_by_source"].values())
    assert abs(shown["kwh"] * 3.6e12 - site_uj) <= 1800 + site_uj * 1e-12
