"""Rows of bank accounts to which people are paid. They stand here alone: the ledger knows ids, never an IBAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Double, ForeignKey, String, Table, delete, select

from eureka_park.accounts.store import metadata, people
from eureka_park.foundation.store import insert_or_replace

payees = Table(
    "payees",
    metadata,
    Column("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("holder", String(70), nullable=False),  # as the bank knows them
    Column("iban", String(200), nullable=False),  # sealed by the park's key; of old in clear
    Column("changed_at_s", Double, nullable=False),
)
_IDS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Payee:
    """To whom and whereto somebody's pay goes. In rows the IBAN is sealed."""

    person_id: str
    holder: str
    iban: str
    changed_at_s: float


def save(conn: Connection, payee: Payee) -> None:
    """Keep somebody's bank account, new or changed."""
    insert_or_replace(conn, payees, [{name: getattr(payee, name) for name in Payee.__slots__}])


def drop(conn: Connection, person_id: str) -> bool:
    """Forget somebody's bank account; whether there was one."""
    return bool(conn.execute(delete(payees).where(payees.c.person_id == person_id)).rowcount)


def of(conn: Connection, ids: Sequence[str]) -> dict[str, Payee]:
    """The bank accounts of these people who have not been erased, by id; those without one are left out."""
    found: dict[str, Payee] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        wanted = payees.c.person_id.in_(ids[start : start + _IDS_PER_QUERY])
        query = select(payees).select_from(payees.join(people)).where(wanted, people.c.erased_at_s.is_(None))
        found.update((row.person_id, Payee(**row._mapping)) for row in conn.execute(query))
    return found
