"""Rows of the ways to sign in. What can sign somebody in is kept hashed, or sealed with a key that is elsewhere."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    select,
)

from eureka_park.accounts.store import metadata

passwords = Table(
    "passwords",
    metadata,
    Column("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("phc", String(500), nullable=False),  # Argon2id with its parameters and salt
    Column("changed_at_s", Double, nullable=False),
    Column("n_wrong", Integer, nullable=False),
    Column("locked_until_s", Double),
)
totp = Table(
    "totp",
    metadata,
    Column("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("secret", LargeBinary, nullable=False),  # sealed with the key of the home
    Column("confirmed_at_s", Double),
    Column("last_step", BigInteger, nullable=False),  # a code is good once
)
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_sha256", String(64), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("used_at_s", Double),
)
passkeys = Table(
    "passkeys",
    metadata,
    Column("credential_id", String(1400), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("transports", String(200), nullable=False),
    Column("label", String(200), nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("last_used_at_s", Double),
)
identities = Table(
    "identities",
    metadata,
    Column("provider", String(63), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("email", String(254), nullable=False),
    Column("groups_seen", Text, nullable=False),  # JSON
    Column("created_at_s", Double, nullable=False),
    Column("last_seen_at_s", Double, nullable=False),
)
flows = Table(
    "flows",
    metadata,
    Column("flow_sha256", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person_id", ForeignKey("people.person_id"), index=True),
    Column("payload", Text, nullable=False),  # JSON
    Column("expires_at_s", Double, nullable=False),
)
devices = Table(
    "devices",
    metadata,
    Column("device_sha256", String(64), primary_key=True),
    Column("user_code_sha256", String(64), nullable=False),
    Column("person_id", ForeignKey("people.person_id"), index=True),
    Column("label", String(200), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("expires_at_s", Double, nullable=False),
    Column("polled_at_s", Double),
    Index("devices_by_user_code", "user_code_sha256", unique=True),
)
_OF_PEOPLE: Final = (passwords, totp, recovery_codes, passkeys, identities, flows, devices)


def forget(conn: Connection, person_id: str) -> None:
    """Forget all ways in which a person signs in."""
    for table in _OF_PEOPLE:
        conn.execute(delete(table).where(table.c.person_id == person_id))


def told(conn: Connection, person_id: str) -> dict[str, Any]:
    """In which ways a person can sign in; nothing that would let one do so."""
    one = passkeys.c.person_id == person_id
    keys = conn.execute(select(passkeys.c.label, passkeys.c.created_at_s, passkeys.c.last_used_at_s).where(one))
    table = identities.c
    elsewhere = conn.execute(
        select(table.provider, table.subject, table.email, table.created_at_s, table.last_seen_at_s).where(
            table.person_id == person_id
        )
    )
    return {
        "password": conn.execute(select(1).where(passwords.c.person_id == person_id)).scalar() is not None,
        "totp": conn.execute(select(1).where(totp.c.person_id == person_id)).scalar() is not None,
        "passkeys": [dict(row._mapping) for row in keys],
        "identities": [dict(row._mapping) for row in elsewhere],
    }
