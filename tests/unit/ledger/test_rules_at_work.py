"""Halves by report, under-use, bridges, budgets by the hour, storage: by what was really spent; on both databases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.random_books import OPERATOR, PRICES
from tests.unit.ledger.test_money import START_S, clock, ledger, spend, step  # noqa: F401 (fixtures)

from eureka_park.foundation.errors import BadInput, Conflict
from eureka_park.foundation.units import DAY_S, GIB, HOUR_S
from eureka_park.ledger.billing.charging import Running
from eureka_park.ledger.billing.service import LOST_NODE, Bill
from eureka_park.ledger.core.days import days_of
from eureka_park.ledger.core.pricing import read_price_list
from eureka_park.ledger.core.storing import gib_month_micro


@pytest.fixture
def priced(ledger):  # noqa: F811
    ledger.billing.set_price_list(OPERATOR, PRICES)
    return ledger


def hold(ledger, project, name, credits, hours=1.0, n_gpus=1):  # noqa: F811
    """A job that holds so much and runs."""
    at_s = ledger.ground.clock.park_s()
    rates = ledger.billing.price_list(at_s).rates("", "batch", "flex")
    bill = Bill(rates, "flex", "", "batch", hours * HOUR_S, round(credits * 1e6), 0)
    with ledger.ground.db.write() as conn:
        ledger.billing.hold(conn, name, [name], "person-b", project, bill, at_s)


def test_the_second_half_comes_by_a_report_of_what_was_really_spent(priced, clock):  # noqa: F811
    made = priced.grants.give(OPERATOR, "solar", 200, in_halves=True, title="Award")
    hold(priced, "solar", "job-h", 60)
    step(priced)
    assert priced.grants.grant(OPERATOR, made.grant_id)["second_half"] == "open"  # held is not spent
    priced.grants.move(OPERATOR, "solar", "wind", 30)
    step(priced)
    shown = priced.grants.grant(OPERATOR, made.grant_id)
    assert shown["second_half"] == "open" and shown["used_credits"] == 0  # nor is what was moved
    with priced.ground.db.write() as conn:
        priced.billing.settle_hours(conn, [Running("job-h", 1, 0.0, 2.5 * HOUR_S)], int(START_S), START_S)
    step(priced)
    shown, told = priced.grants.grant(OPERATOR, made.grant_id), priced.grants.report(OPERATOR, made.grant_id)
    assert shown["second_half"] == "given" and shown["used_credits"] == 50
    assert told["spent_credits"] == 50 and told["moved_credits"] == 30 and told["n_jobs"] == 1
    assert [(row["person_id"], row["credits"]) for row in told["people"]] == [("person-b", 50.0)]
    assert [(row["tier"], row["class"], row["n_jobs"]) for row in told["work"]] == [("flex", "batch", 1)]
    assert told["months"][0]["month"] == "2027-02" and told["released_by"]["spent_credits"] == 50
    assert told["released_by"]["given_credits"] == 100 and told["given_credits"] == 200 and priced.verify() == []


def test_what_jobs_only_hold_or_was_moved_is_under_use(priced, clock):  # noqa: F811
    idle = priced.grants.give(OPERATOR, "wind", 1000, valid_until_s=START_S + 100 * DAY_S)
    priced.grants.move(OPERATOR, "wind", "solar", 600)
    hold(priced, "wind", "job-w", 100)
    clock.step(50 * DAY_S)
    step(priced)
    noticed = priced.grants.grant(OPERATOR, idle.grant_id)["reclaim"]
    assert (noticed["credits"], noticed["state"]) == (200.0, "noticed")  # half of the 400 that stayed
    spend(priced, "wind", 130, "job-x")
    step(priced)
    assert priced.grants.grant(OPERATOR, idle.grant_id)["reclaim"]["state"] == "undone" and priced.verify() == []


def test_a_notice_that_was_undone_stops_no_later_one(priced, clock):  # noqa: F811
    made = priced.grants.give(OPERATOR, "wind", 1000, in_halves=True, valid_until_s=START_S + 100 * DAY_S)
    clock.step(50 * DAY_S)
    seen = []
    for credits, name in ((0, ""), (160, "job-a"), (110, "job-b")):  # low; not low; low again, of both halves
        if credits:
            spend(priced, "wind", credits, name)
        clock.step(HOUR_S)
        step(priced)
        step(priced)
        seen.append(priced.grants.grant(OPERATOR, made.grant_id)["reclaim"]["state"])
    assert seen == ["noticed", "undone", "noticed"] and priced.verify() == []


def test_a_bridge_ends_when_what_it_reaches_to_has_come(priced, clock):  # noqa: F811
    soon = START_S + 30 * DAY_S
    for more in (
        {"awaits": ""},
        {"valid_until_s": None},
        {"valid_until_s": START_S + 200 * DAY_S},
        {"in_halves": True},
    ):
        asked = {"kind": "bridge", "awaits": "award of March", "valid_until_s": soon, **more}
        with pytest.raises(BadInput):
            priced.grants.give(OPERATOR, "solar", 50, **asked)
    bridge = priced.grants.give(OPERATOR, "solar", 50, kind="bridge", awaits="award of March", valid_until_s=soon)
    with pytest.raises(Conflict, match="has a bridge already"):
        priced.grants.give(OPERATOR, "solar", 5, kind="bridge", awaits="more", valid_until_s=soon)
    spend(priced, "solar", 20, "job-a")
    later = START_S + 5 * DAY_S
    priced.grants.give(OPERATOR, "solar", 500, valid_from_s=later)  # given, not valid yet
    step(priced)
    assert priced.grants.grant(OPERATOR, bridge.grant_id)["state"] == "open"
    clock.step(5 * DAY_S)
    step(priced)
    shown = priced.grants.grant(OPERATOR, bridge.grant_id)
    assert (shown["state"], shown["left_credits"], shown["used_credits"]) == ("ended", 0.0, 20.0)
    assert shown["awaits"] == "award of March" and priced.grants.usable("solar", later) == 500
    again = priced.grants.give(OPERATOR, "solar", 50, kind="bridge", awaits="more", valid_until_s=later + DAY_S)
    priced.grants.give(OPERATOR, "solar", 100)  # ends it at once
    assert priced.grants.grant(OPERATOR, again.grant_id)["state"] == "ended" and priced.verify() == []


def test_a_project_is_told_once_a_week_before_a_grant_ends(priced, clock):  # noqa: F811
    priced.grants.give(OPERATOR, "solar", 50, valid_until_s=START_S + 30 * DAY_S)
    for _ in range(31):
        clock.step(DAY_S)
        step(priced)
    told = [event for event in priced.ground.bus if type(event).__name__ == "GrantEnding"]
    assert [(event.is_over, event.left_micro) for event in told] == [(False, 50_000_000), (True, 25_000_000)]


def test_budgets_hear_of_each_hour_while_a_job_runs(priced):
    priced.grants.give(OPERATOR, "solar", 500)
    priced.grants.set_budget(OPERATOR, "solar", "month", 100, action="hold")
    hold(priced, "solar", "job-a", 200, hours=10)
    reached = []
    for hour in range(1, 6):
        with priced.ground.db.write() as conn:
            running = Running("job-a", 1, 0.0, hour * HOUR_S)
            priced.billing.settle_hours(conn, [running], int(START_S) + hour * HOUR_S, START_S + hour * HOUR_S)
        reached = [(e.threshold_pct, e.is_held) for e in priced.ground.bus if type(e).__name__ == "BudgetReached"]
        assert len(reached) == (0, 0, 1, 2, 3)[hour - 1]
    assert reached == [(50, False), (80, False), (100, True)]
    with pytest.raises(Conflict, match="holds new jobs"):
        hold(priced, "solar", "job-b", 1)
    assert priced.verify() == []


def test_refunds_extend_the_time_and_not_the_ceiling(priced):
    priced.grants.give(OPERATOR, "solar", 45)
    hold(priced, "solar", "job-a", 40, hours=2)
    with priced.ground.db.write() as conn:
        priced.billing.settle_hours(conn, [Running("job-a", 1, 0.0, HOUR_S)], int(START_S), START_S)
        lost = Running("job-a", 1, 0.0, 1.5 * HOUR_S)
        assert priced.billing.excuse(conn, lost, LOST_NODE, START_S, is_all=True) == 30_000_000
        assert priced.billing.renew(conn, [Running("job-a", 1, 0.0, 3.5 * HOUR_S)], START_S) == {}
        over = priced.billing.renew(conn, [Running("job-a", 1, 0.0, 3.6 * HOUR_S)], START_S)
    held = priced.billing.held("job-a")
    assert (held.ceiling_micro, held.n_renewals, held.excused_s) == (40_000_000, 0, 1.5 * HOUR_S)
    assert (over["job-a"].need_micro, over["job-a"].left_micro) == (20_000_000, 5_000_000)
    assert [row["node_h"] for row in priced.billing.refunds(OPERATOR, "solar")] == [1.5]
    assert priced.verify() == []


def test_storage_is_booked_once_a_day_and_owed_where_there_is_no_credit(priced):
    soon = priced.grants.give(OPERATOR, "solar", 1, valid_until_s=START_S + 60 * DAY_S)
    tib = 1024 * GIB
    with priced.ground.db.write() as conn:
        costs = [priced.storage.book_day(conn, "solar", START_S + day * DAY_S, tib) for day in range(28)]
        assert [priced.storage.book_day(conn, "solar", START_S + day * DAY_S, 9 * tib) for day in range(28)] == [0] * 28
    month = priced.storage.month(OPERATOR, "solar", "2027-02")
    assert month["gib_months"] == pytest.approx(1024, abs=1e-4) and month["n_days"] == 28
    assert month["credits"] == pytest.approx(102.4, abs=1e-3) == pytest.approx(sum(costs) / 1e6)
    assert priced.grants.grant(OPERATOR, soon.grant_id)["used_credits"] == 1
    assert priced.balance("solar") == pytest.approx(1 - 102.4, abs=1e-3)
    with pytest.raises(BadInput), priced.ground.db.write() as conn:
        priced.storage.book_day(conn, "solar", START_S, -1)
    with pytest.raises(BadInput, match="mad_per_gib_month"):
        read_price_list({**PRICES, "mad_per_gib_month": -1}, 0.0)
    assert priced.verify() == []


@given(st.integers(0, 2**60), st.integers(1970, 2999), st.integers(1, 12))
def test_a_month_of_one_size_is_that_size(n_bytes: int, year: int, month: int) -> None:
    first, past = days_of(f"{year}-{month:02d}")
    total = sum(gib_month_micro(n_bytes, day) for day in range(first, past))
    assert abs(total - n_bytes * 1_000_000 / GIB) <= (past - first) / 2 + 1e-6 * total
