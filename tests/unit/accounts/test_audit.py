"""The audit log on both databases: only added to, sealed in the order in which it is seen, nothing lost."""

from __future__ import annotations

import os

import pytest
from sqlalchemy.exc import DatabaseError

from eureka_park.accounts.audit import store
from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation.clock import SteppedClock


@pytest.fixture
def accounts(database: SqlDatabase) -> AccountsService:
    return AccountsService(database, SteppedClock(1_000_000.0), os.urandom, key=b"key")


def test_entries_are_sealed_once_and_neither_changed_nor_taken_out(
    accounts: AccountsService, database: SqlDatabase
) -> None:
    audit = accounts.audit
    for name in ("Ada", "Ben"):
        accounts.add_person(name)
    assert audit.is_any_open() and audit.check().n_entries == 0
    with database.write() as conn:
        seal = audit.seal(conn)
        assert seal is not None and (seal.seq, seal.n) == (2, 2) and audit.seal(conn) is None
    accounts.add_person("Cem")
    with database.write() as conn:
        assert (again := audit.seal(conn)) is not None and (again.seq, again.n) == (3, 1)
    found = audit.check()
    assert (found.fault, found.n_entries, found.hash) == ("", 3, again.hash)
    for statement in ("DELETE FROM audit_entries", "UPDATE audit_entries SET who = 'x' WHERE seq = 1"):
        with pytest.raises(DatabaseError, match="only added to"), database.write() as conn:
            conn.exec_driver_sql(statement)
    assert audit.check() == found
    assert [item["seq"] for item in audit.newest(limit=2)] == [3, 2]
    assert [item["seq"] for item in audit.newest(before=audit.newest(limit=2)[-1]["entry_id"])] == [1]


def test_a_deed_that_is_undone_leaves_no_entry_and_a_late_one_is_sealed_late(
    accounts: AccountsService, database: SqlDatabase
) -> None:
    audit = accounts.audit
    with pytest.raises(RuntimeError), database.write() as conn:
        audit.note(conn, "undone.deed")
        raise RuntimeError
    accounts.add_person("Ada")
    with database.write() as conn:
        audit.seal(conn)
    late = {"at_real_s": 1.0, "who": "", "act": "late.deed", "thing": "", "outcome": "done", "request_id": "",
            "address": "", "detail": "{}", "hash": "", "entry_id": 0}  # fmt: skip
    with database.write() as conn:  # it drew its number before, and was committed after
        conn.execute(store.entries.insert(), late)
        seal = audit.seal(conn)
    assert seal is not None and seal.seq == 2
    found = audit.check()
    assert (found.fault, found.n_entries) == ("", 2)
    assert {item["act"] for item in audit.newest()} == {"person.added", "late.deed"}
