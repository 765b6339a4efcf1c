"""Each day's storage is booked once by who decides, whatever ends in between; upkeep runs in its thread until told."""

from __future__ import annotations

import threading

import pytest
from tests.unit.ledger.test_money import START_S, clock, ledger, step  # noqa: F401 (fixtures)
from tests.unit.ledger.test_rules_at_work import priced  # noqa: F401

from eureka_park.data.objects import store as objects
from eureka_park.data.upkeep import store as rounds
from eureka_park.foundation.errors import Conflict, Unavailable
from eureka_park.foundation.units import DAY_S, GIB
from eureka_park.live import storage as live_storage
from eureka_park.live import store
from eureka_park.live.storage import StorageBooking, StorageKeeper


class Crash(BaseException):
    """The process ends here."""


def test_a_day_is_booked_once_whatever_ends_in_between(priced, monkeypatch) -> None:  # noqa: F811
    db = priced.ground.db
    names = [f"p{n:02d}" for n in range(45)]
    with db.write() as conn:
        lease = store.take_lease(conn, "one", START_S, 60.0, may_take=True)
        for name in names:
            objects.hold(conn, name, "blob", {name: 31 * GIB})
    book_day, left = priced.storage.book_day, 31

    def dying(*words):
        nonlocal left
        left -= 1
        if not left:
            raise Crash
        return book_day(*words)

    monkeypatch.setattr(priced.storage, "book_day", dying)
    booking = StorageBooking(db, priced)
    assert booking.step(lease.token, START_S) == 20
    with pytest.raises(Crash):
        booking.step(lease.token, START_S + 1.0)
    booking = StorageBooking(db, priced)  # the next process
    assert [booking.step(lease.token, START_S + 60.0) for _ in range(4)] == [20, 20, 5, 0]
    assert booking.step(lease.token, START_S + 60.0) == 0
    booking = StorageBooking(db, priced)
    assert booking.step(lease.token, START_S + 100.0) == 0, "the day is done"
    with db.read() as conn:
        sums = [priced.storage.used(conn, name, 0, 99_999) for name in names]
    assert len(set(sums)) == 1 and sums[0][2] == 1
    assert booking.step(lease.token, START_S + 3 * DAY_S) == 20
    while booking.step(lease.token, START_S + 3 * DAY_S):
        pass
    with db.read() as conn:
        assert [priced.storage.used(conn, name, 0, 99_999)[2] for name in names] == [4] * 45, "two days are made up for"
        place = rounds.round_of(conn, "booking").place
    assert int(place) == priced.ground.day_of(START_S + 3 * DAY_S)
    with db.write() as conn:
        store.take_lease(conn, "two", START_S, 60.0, may_take=True)
    with pytest.raises(Conflict):
        booking.step(lease.token, START_S + 4 * DAY_S)
    assert priced.verify() == []


def test_days_follow_the_calendar(priced) -> None:  # noqa: F811
    storage, day_of = priced.storage, priced.ground.day_of
    today = day_of(START_S)
    assert storage.days_since(None, START_S) == [(today, START_S)] and storage.days_since(today, START_S) == []
    for ago in range(400):  # over a year, whatever the clocks are set to
        now_s = START_S + ago * DAY_S + 300.0
        found = storage.days_since(day_of(now_s) - 3, now_s)
        assert (
            [day for day, _ in found] == [day_of(at_s) for _, at_s in found] == [day_of(now_s) - n for n in (2, 1, 0)]
        )
        assert day_of(storage.next_day_s(now_s)) == day_of(now_s) + 1 == day_of(storage.next_day_s(now_s) - 1.0) + 1
    assert len(storage.days_since(0, START_S)) == 32


def test_upkeep_goes_on_after_a_fault_and_ends_with_the_lease(monkeypatch) -> None:
    monkeypatch.setattr(live_storage, "AGAIN_S", 0.0)
    seen, over = list[str](), threading.Event()
    faults = [
        None,
        Unavailable("The disk is full.", fix="-"),
        Conflict("x", code="parent_changed"),
        KeyError("y"),
        None,
    ]

    def turn(_fence) -> float:
        if len(seen) < len(faults):
            fault = faults[len(seen)]
            seen.append(repr(fault))
            if fault is not None:
                raise fault
            return 0.0
        seen.append("lost")
        over.set()
        raise Conflict("The lease has gone.", code="lease_lost")

    keeper = StorageKeeper(turn, 1)
    keeper.start()
    assert over.wait(10.0)
    keeper.stop()
    assert len(seen) == 6 and not keeper._thread.is_alive()
