"""Bank accounts of people: sealed in their rows, told of when they change, and paid to after three days."""

from __future__ import annotations

import os
from typing import Any

import pytest
from sqlalchemy import select, update

from eureka_park.accounts.events import PayeeChanged
from eureka_park.accounts.payees.service import FRESH_S, Payees
from eureka_park.accounts.payees.store import payees
from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.foundation.clock import SteppedClock

IBAN = "MA64011519000001205000534921"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(1_000_000.0)


def test_an_iban_is_sealed_for_its_person_and_waits_three_days(database: Any, clock: SteppedClock) -> None:
    accounts, told = AccountsService(database, clock, os.urandom, key=b"the park's"), []
    accounts.ground.bus.on(PayeeChanged, lambda _conn, event: told.append(event))
    one, other = (accounts.people.add(name) for name in ("one", "other"))
    found = Payees(accounts.ground, accounts.key)
    found.set(Principal(one, "one", False, frozenset()), IBAN, "One")
    assert [(item.person_id, item.shown) for item in told] == [(one, "MA64 … 4921")]
    with database.write() as conn:
        row = conn.execute(select(payees)).one()
        assert row.iban.startswith("sealed:") and "0115190000" not in row.iban
        assert found.of(conn, [one])[one] == {"name": "One", "iban": IBAN} and found.fresh(conn, [one, other]) == {one}
        assert Payees(accounts.ground, b"another").of(conn, [one]) == {}, "as if they had not said it"
        conn.execute(update(payees).values(person_id=other))
        assert found.of(conn, [other]) == {}, "a seal moved to somebody else's row is no account of theirs"
        conn.execute(update(payees).values(iban=IBAN))
        assert found.of(conn, [other])[other]["iban"] == IBAN, "rows of old are in clear"
    clock.step(FRESH_S)
    with database.read() as conn:
        assert found.fresh(conn, [other]) == set()
