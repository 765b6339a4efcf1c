"""The audit log from the deed to the seal: `live` seals it, a check follows it, and damage is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.accounts.audit.service import Asked, asked
from eureka_park.accounts.core.audit_chain import Checked
from eureka_park.foundation.errors import Conflict
from eureka_park.live import store as live_store
from eureka_park.live.process import LEASE_TTL_S
from eureka_park.live.sealing import HEAD_FILE, SEAL_S, Sealer, read_head

TRIGGERS = ("audit_entries_stay", "audit_entries_fixed")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePark]:
    live = LivePark(tmp_path_factory.mktemp("sealing"))
    yield live
    live.park.close()


@pytest.fixture
def sealed(live: LivePark) -> LivePark:
    """Five more deeds, sealed in two batches."""
    for names in (("Ada", "Ben"), ("Cem", "Dua", "Eli")):
        for name in names:
            live.park.accounts.add_person(name)
        live.step()
    return live


class _Undone(Exception):
    """Nothing of this is to stay."""


def checked_after(live: LivePark, *statements: str) -> Checked:
    """What the check finds after somebody who may write the database did this: first the guard goes, then the rows."""
    audit, head = live.park.accounts.audit, read_head(live.park.home.read(HEAD_FILE))
    with suppress(_Undone), live.park.db.write() as conn:
        for name in TRIGGERS:
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in statements:
            assert conn.exec_driver_sql(statement).rowcount > 0
        found = audit.check_in(conn, head)
        raise _Undone
    assert audit.check().fault == ""
    return found


def test_a_deed_is_sealed_by_the_next_cycle_and_the_check_is_clean(sealed: LivePark) -> None:
    audit = sealed.park.accounts.audit
    assert not audit.is_any_open() and SEAL_S < 1.0
    assert sealed.live.wait_s() <= SEAL_S, "an idle park looks as often"
    found = audit.check()
    newest = audit.newest(limit=1)[0]
    assert (found.fault, found.n_entries) == ("", newest["seq"]) and newest["act"] == "person.added"
    assert read_head(sealed.park.home.read(HEAD_FILE)) == (found.n_entries, found.hash)
    assert sealed.live.parts.seal(sealed.live.journal.token) == 0, "nothing waits, nothing is written"


def test_entries_carry_the_request_and_nobodys_name(sealed: LivePark) -> None:
    accounts = sealed.park.accounts
    token = asked.set(Asked("request-7", "192.0.2.7"))
    try:
        person_id = accounts.people.add("Fatima El Fassi", email="fatima@example.org")
        secret, kept = accounts.tokens.new(person_id, "laptop of Fatima", scopes=["read"], ttl_s=3600)
    finally:
        asked.reset(token)
    entries = accounts.audit.newest(limit=2)
    assert [(item["act"], item["who"], item["request_id"]) for item in entries] == [
        ("token.made", person_id, "request-7"),
        ("person.added", person_id, "request-7"),
    ]
    text = json.dumps(accounts.audit.newest(limit=500))
    assert not [word for word in ("Fatima", "fatima", "@", "192.0.2.7", secret, "laptop") if word in text]
    assert entries[0]["address"] == accounts.audit.address_of("192.0.2.7") != accounts.audit.address_of("192.0.2.8")
    assert entries[0]["thing"] == kept.token_id
    sealed.step()


def test_a_stale_process_seals_nothing(sealed: LivePark) -> None:
    sealed.park.accounts.add_person("Gil")
    park, stale = sealed.park, sealed.live.journal.token
    with park.db.write() as conn:
        lease = live_store.take_lease(conn, "another", sealed.clock.real_s(), LEASE_TTL_S, may_take=True)
    sealer = Sealer(park.db, park.accounts.audit, lambda _text: None)
    with pytest.raises(Conflict):
        sealer.step(stale)
    assert park.accounts.audit.is_any_open()
    assert sealer.step(lease.token) == 1 and not park.accounts.audit.is_any_open()
    sealed.crash()  # takes the lease back
    assert park.accounts.audit.check().fault == ""


@pytest.mark.parametrize(
    ("statement", "seq", "word"),
    [
        ("UPDATE audit_entries SET who = 'person-x' WHERE seq = 3", 3, "Entry 3 was altered."),
        ("UPDATE audit_entries SET at_real_s = at_real_s + 1 WHERE seq = 4", 4, "Entry 4 was altered."),
        ("DELETE FROM audit_entries WHERE seq = 2", 2, "Entry 2 is missing."),
        ("DELETE FROM audit_entries", 1, "Entry 1 is missing."),
        ("DELETE FROM audit_seals WHERE seq = (SELECT max(seq) FROM audit_seals)", None, "no seal"),
        (
            "UPDATE audit_seals SET mac = 'x' WHERE seq = (SELECT min(seq) FROM audit_seals)",
            1,
            "seal is not this park's",
        ),
    ],
)
def test_damage_is_named(sealed: LivePark, statement: str, seq: int | None, word: str) -> None:
    found = checked_after(sealed, statement)
    assert word in found.fault and (seq is None or found.seq == seq)


def test_a_chain_that_was_cut_with_its_seals_is_seen_by_what_the_home_notes(sealed: LivePark) -> None:
    n = sealed.park.accounts.audit.check().n_entries
    last = "SELECT max(seq) FROM audit_seals WHERE seq < (SELECT max(seq) FROM audit_seals)"
    cut = f"DELETE FROM audit_entries WHERE seq > ({last})"
    found = checked_after(sealed, cut, "DELETE FROM audit_seals WHERE seq = (SELECT max(seq) FROM audit_seals)")
    assert n - 3 < found.seq <= n and found.fault == f"Entry {found.seq} is missing."
