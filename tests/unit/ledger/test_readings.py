"""Power readings, today and the flows: what charts ask the ledger for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from eureka_park.ledger import service, store
from eureka_park.ledger.core.readings import clean_frac, thinned
from eureka_park.ledger.service import EnergyBooking, EnergyLine, LedgerService

KWH = 3_600_000_000_000
CLEAN, MIXED = {"koudia": 1.0}, {"koudia": 0.5, "grid": 0.5}
NOON_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z


@pytest.fixture
def db(database):
    return database


def booking(start_s, end_s, *lines, method="measured"):
    made = tuple(
        EnergyLine(name, round(kwh * KWH), round(kwh * KWH), shares, tier) for name, kwh, shares, tier in lines
    )
    total = sum(line.it_uj for line in made)
    rates = {"koudia": 11.0, "grid": 600.0}
    return EnergyBooking(start_s, end_s, made, rates, {"koudia": 0.4, "grid": 1.2}, total, total, method)


def book(ledger, db, *bookings):
    with db.write() as conn:
        for one in bookings:
            ledger.book_energy(conn, one)


def test_flows_go_from_source_to_tier(db):
    ledger = LedgerService(db)
    book(
        ledger,
        db,
        booking(0, 3600, ("job-a", 2.0, CLEAN, "green"), ("job-b", 4.0, MIXED, "firm"), ("idle", 1.0, MIXED, "idle")),
        booking(3600, 7200, ("job-b", 4.0, CLEAN, "firm")),
    )
    assert ledger.flows(0, 3600) == [
        {"source": "grid", "target": "firm", "kwh": 2.0},
        {"source": "koudia", "target": "firm", "kwh": 2.0},
        {"source": "koudia", "target": "green", "kwh": 2.0},
        {"source": "grid", "target": "idle", "kwh": 0.5},
        {"source": "koudia", "target": "idle", "kwh": 0.5},
    ]
    assert ledger.flows(0, 7200)[0] == {"source": "koudia", "target": "firm", "kwh": 6.0}
    assert ledger.flows(7200, 9000) == [] and ledger.verify() == []
    assert [row["kwh"] for row in ledger.hours_of("job-b")] == [4.0, 4.0] and ledger.hours_of("job-x") == []


def test_verify_compares_tiers_with_the_meter(db):
    ledger = LedgerService(db)
    book(ledger, db, booking(0, 3600, ("job-a", 2.0, CLEAN, "green")))
    with db.write() as conn:
        conn.execute(store.tier_hours.update().values(site_uj=1))
    assert any("tiers have" in problem for problem in ledger.verify())


def test_today_begins_at_local_midnight(db):
    ledger = LedgerService(db, "Africa/Lagos")  # one hour before UTC's, all of that winter
    midnight_s = NOON_S - 13 * 3600
    book(
        ledger,
        db,
        booking(midnight_s - 3600, midnight_s, ("idle", 9.0, CLEAN, "idle")),
        booking(midnight_s, midnight_s + 3600, ("idle", 1.0, CLEAN, "idle")),
        booking(midnight_s + 3600, midnight_s + 7200, ("job-a", 3.0, MIXED, "firm")),
    )
    found = ledger.today(NOON_S)
    assert (found["kwh"], found["by_source_kwh"]) == (4.0, {"koudia": 2.5, "grid": 1.5})
    assert (found["covered_hours"], found["n_hours"]) == (1, 2) and found["clean_frac"] == pytest.approx(0.625)
    assert [hour["clean_frac"] for hour in found["hours"]] == [1.0, 0.5]
    assert found["gco2"] == pytest.approx(2.5 * 11 + 1.5 * 600) and found["method"] == "measured"
    empty = ledger.today(NOON_S + 86400)
    assert (empty["kwh"], empty["clean_frac"], empty["hours"], empty["n_hours"]) == (0, None, [], 0)


@pytest.mark.parametrize(("grid", "is_covered"), [(0.049, True), (0.051, False)])
def test_an_hour_is_covered_from_95_per_cent_on(db, grid, is_covered):
    ledger = LedgerService(db)
    book(ledger, db, booking(NOON_S, NOON_S + 60, ("idle", 1.0, {"koudia": 1 - grid, "grid": grid}, "idle")))
    assert ledger.today(NOON_S + 60)["covered_hours"] == is_covered


def note(ledger, db, at_s, watts=100.0, pace=1.0, step_s=10.0):
    kwh = watts * step_s / pace / 3.6e6
    idle = ("idle", kwh / 4, CLEAN, "idle")
    with db.write() as conn:
        made = booking(at_s - step_s, at_s, ("job-a", kwh * 3 / 4, CLEAN, "firm"), idle)
        ledger.note_power(conn, [made], at_s / pace, pace)


def test_readings_are_real_watts_whatever_the_pace(db):
    ledger = LedgerService(db)
    note(ledger, db, NOON_S, 200.0)
    note(ledger, db, NOON_S + 600, 200.0, pace=60.0, step_s=600.0)
    found = ledger.readings(NOON_S - 1, NOON_S + 1e4)
    assert [round(row["site_w"], 3) for row in found] == [200.0, 200.0]
    assert [round(row["idle_w"], 3) for row in found] == [50.0, 50.0]
    assert found[0]["at"] == "2026-11-22T12:00:00.000Z" and found[0]["method"] == "measured"


def test_old_readings_go_and_never_more_than_a_bound(db, monkeypatch):
    ledger = LedgerService(db)
    monkeypatch.setattr(service, "READINGS_MAX", 5)
    for step in range(12):
        note(ledger, db, NOON_S + 10 * step)
    assert [row["at_s"] for row in ledger.readings(0, 1e12)] == [NOON_S + 10 * step for step in range(7, 12)]
    note(ledger, db, NOON_S + 3 * 86400)
    with db.read() as conn:
        assert conn.execute(select(func.count()).select_from(store.power_readings)).scalar() == 1


@given(st.lists(st.tuples(st.floats(1, 600), st.floats(0, 1e6)), min_size=1, max_size=80), st.integers(1, 30))
def test_thinning_keeps_energy_and_bounds(steps, n_max):
    rows, at_s = [], 0.0
    for span_s, site_w in steps:
        powers = {"site_w": site_w, "it_w": site_w / 2, "idle_w": 0.0}
        rows.append({"from_s": at_s, "at_s": at_s + span_s, **powers, "method": "modelled"})
        at_s += span_s
    fewer = thinned(rows, n_max)
    assert 1 <= len(fewer) <= n_max and (fewer[0]["from_s"], fewer[-1]["at_s"]) == (0.0, at_s)
    energy_j = [sum(row["site_w"] * (row["at_s"] - row["from_s"]) for row in some) for some in (rows, fewer)]
    assert energy_j[0] == pytest.approx(energy_j[1])
    assert thinned([], n_max) == []


def test_clean_share():
    assert clean_frac({}) is None and clean_frac({"grid": 2.0}) == 0.0 and clean_frac({"grid": 1.0, "x": 3.0}) == 0.75


def test_a_reading_grows_until_the_next_begins(db):
    ledger = LedgerService(db)
    assert ledger.metered_s() is None
    last = None
    for step in range(1, 4):
        at_s = NOON_S + step
        idle = ("idle", 100.0 * step / 3.6e6, CLEAN, "idle")
        with db.write() as conn:
            last = ledger.note_power(conn, [booking(at_s - 1, at_s, idle)], at_s, 1.0, last)
    found = ledger.readings(0, 1e12)
    assert len(found) == 1 and (found[0]["from_s"], found[0]["at_s"]) == (NOON_S, NOON_S + 3)
    assert found[0]["site_w"] == pytest.approx(200.0) and ledger.metered_s() == NOON_S + 3
