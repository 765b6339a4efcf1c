"""Rows of the ways to sign in. What can sign somebody in is kept hashed, or sealed with a key that is elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.secrets.store import hashed
from eureka_park.accounts.store import metadata, roles

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
    Column("n_wrong", Integer, nullable=False, server_default="0"),  # codes in a row
    Column("locked_until_s", Double),
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
invitations = Table(
    "invitations",
    metadata,
    Column("invitation_id", String(64), primary_key=True),
    Column("code_sha256", String(64), nullable=False),
    Column("email", String(254), nullable=False),
    Column("email_key", String(254), nullable=False),
    Column("name", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("role", String(16), nullable=False),
    Column("scope", String(80), nullable=False),
    Column("invited_by", ForeignKey("people.person_id"), nullable=False, index=True),
    Column("created_at_s", Double, nullable=False),
    Column("expires_at_s", Double, nullable=False),
    Index("invitations_by_code", "code_sha256", unique=True),
    Index("invitations_by_scope", "scope", "email_key", unique=True),
)
OF_ONE_PERSON: Final = ("recover", "link", "totp", "address")  # flows that a change of the ways in makes void
_OF_PEOPLE: Final = (passwords, totp, recovery_codes, passkeys, identities, flows, devices)


def forget(conn: Connection, person_id: str, email_key: str) -> None:
    """Forget all ways in which a person signs in, and the invitations that they sent or that lie at their address."""
    for table in _OF_PEOPLE:
        conn.execute(delete(table).where(table.c.person_id == person_id))
    theirs = or_(invitations.c.invited_by == person_id, invitations.c.email_key == email_key)
    conn.execute(delete(invitations).where(theirs))


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


# -- passwords ---------------------------------------------------------------------------------------------------------
def password(conn: Connection, person_id: str) -> Row[Any] | None:
    """A person's password as it is kept: phc, n_wrong, locked_until_s, changed_at_s."""
    return conn.execute(select(passwords).where(passwords.c.person_id == person_id)).one_or_none()


def set_password(conn: Connection, person_id: str, phc: str, now_s: float) -> None:
    """Keep a new password; earlier wrong ones are forgotten."""
    conn.execute(delete(passwords).where(passwords.c.person_id == person_id))
    row = {"person_id": person_id, "phc": phc, "changed_at_s": now_s, "n_wrong": 0, "locked_until_s": None}
    conn.execute(insert(passwords), row)


def drop_password(conn: Connection, person_id: str) -> bool:
    """Forget a person's password; whether there was one."""
    return conn.execute(delete(passwords).where(passwords.c.person_id == person_id)).rowcount == 1


def set_guesses(
    conn: Connection, person_id: str, n_wrong: int, locked_until_s: float | None, phc: str | None = None
) -> None:
    """Note how many wrong passwords came in a row, and until when none is looked at; `phc`: hashed anew."""
    values: dict[str, Any] = {"n_wrong": n_wrong, "locked_until_s": locked_until_s}
    if phc is not None:
        values["phc"] = phc
    conn.execute(update(passwords).where(passwords.c.person_id == person_id).values(**values))


# -- flows: what was begun in one request and is ended in another ------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Flow:
    """Something that was begun, by whom (if that is known), and what it needs to be ended."""

    kind: str
    person_id: str | None
    payload: Mapping[str, Any]


def add_flow(conn: Connection, secret: str, flow: Flow, now_s: float, expires_at_s: float) -> None:
    """Keep the hash of a flow's secret, and forget flows that have expired."""
    conn.execute(delete(flows).where(flows.c.expires_at_s <= now_s))
    row = {
        "flow_sha256": hashed(secret), "kind": flow.kind, "person_id": flow.person_id,
        "payload": json.dumps(flow.payload), "expires_at_s": expires_at_s,
    }  # fmt: skip
    conn.execute(insert(flows), row)


def flow_of(conn: Connection, secret: str, kinds: Iterable[str], now_s: float) -> Flow | None:
    """The flow of this secret, while it lasts; it stays."""
    query = select(flows).where(flows.c.flow_sha256 == hashed(secret), flows.c.expires_at_s > now_s)
    row = conn.execute(query.where(flows.c.kind.in_(list(kinds)))).one_or_none()
    return None if row is None else Flow(row.kind, row.person_id, json.loads(row.payload))


def take_flow(conn: Connection, secret: str, kinds: Iterable[str], now_s: float) -> Flow | None:
    """The flow of this secret, which is gone afterwards: of two who end it at once, one finds it gone."""
    found = flow_of(conn, secret, kinds, now_s)
    if found is None:
        return None
    gone = conn.execute(delete(flows).where(flows.c.flow_sha256 == hashed(secret))).rowcount
    return found if gone == 1 else None


def change_flow(conn: Connection, secret: str, payload: Mapping[str, Any]) -> None:
    """Keep something else with a flow."""
    conn.execute(update(flows).where(flows.c.flow_sha256 == hashed(secret)).values(payload=json.dumps(payload)))


def drop_flows(conn: Connection, person_id: str, kinds: Iterable[str]) -> None:
    """Forget what was begun for a person."""
    conn.execute(delete(flows).where(flows.c.person_id == person_id, flows.c.kind.in_(list(kinds))))


# -- second step -------------------------------------------------------------------------------------------------------
def second_step(conn: Connection, person_id: str) -> Row[Any] | None:
    """A person's secret for codes: secret (sealed), confirmed_at_s, last_step."""
    return conn.execute(select(totp).where(totp.c.person_id == person_id)).one_or_none()


def has_second_step(conn: Connection, person_id: str) -> bool:
    """Whether a person signs in with a code besides the password."""
    query = select(1).where(totp.c.person_id == person_id, totp.c.confirmed_at_s.is_not(None))
    return conn.execute(query).scalar() is not None


def set_second_step(conn: Connection, person_id: str, sealed: bytes) -> None:
    """Keep a secret for codes that is not confirmed yet."""
    conn.execute(delete(totp).where(totp.c.person_id == person_id))
    conn.execute(insert(totp), {"person_id": person_id, "secret": sealed, "confirmed_at_s": None, "last_step": -1})


def use_step(conn: Connection, person_id: str, step: int, confirmed_at_s: float | None = None) -> bool:
    """Note that the code of a step was used; False where it, or a later one, was used before."""
    values: dict[str, Any] = {"last_step": step}
    if confirmed_at_s is not None:
        values["confirmed_at_s"] = confirmed_at_s
    query = update(totp).where(totp.c.person_id == person_id, totp.c.last_step < step)
    return conn.execute(query.values(**values)).rowcount == 1


def drop_second_step(conn: Connection, person_id: str) -> bool:
    """Forget the secret for codes and the recovery codes; whether there was one."""
    conn.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    return conn.execute(delete(totp).where(totp.c.person_id == person_id)).rowcount == 1


def set_code_guesses(conn: Connection, person_id: str, n_wrong: int, locked_until_s: float | None) -> None:
    """Note how many wrong codes came in a row, and until when none is looked at."""
    values = {"n_wrong": n_wrong, "locked_until_s": locked_until_s}
    conn.execute(update(totp).where(totp.c.person_id == person_id).values(**values))


def set_recovery_codes(conn: Connection, person_id: str, codes: Iterable[str]) -> None:
    """Keep fresh recovery codes in the place of the earlier ones."""
    conn.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    rows = [{"code_sha256": hashed(code), "person_id": person_id, "used_at_s": None} for code in codes]
    conn.execute(insert(recovery_codes), rows)


def use_recovery_code(conn: Connection, person_id: str, code: str, now_s: float) -> bool:
    """Spend a recovery code; False for one that is another's, or spent."""
    table = recovery_codes.c
    mine = (table.code_sha256 == hashed(code)) & (table.person_id == person_id) & table.used_at_s.is_(None)
    return conn.execute(update(recovery_codes).where(mine).values(used_at_s=now_s)).rowcount == 1


def n_recovery_codes(conn: Connection, person_id: str) -> int:
    """How many recovery codes are left."""
    mine = (recovery_codes.c.person_id == person_id) & recovery_codes.c.used_at_s.is_(None)
    return int(conn.execute(select(func.count()).select_from(recovery_codes).where(mine)).scalar() or 0)


# -- invitations -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody was asked to hold a role somewhere, under an address that may be nobody's yet."""

    invitation_id: str
    email: str
    name: str
    language: str
    role: Role
    scope: str
    invited_by: str
    created_at_s: float
    expires_at_s: float


def add_invitation(conn: Connection, code: str, made: Invitation, email_key: str, now_s: float) -> None:
    """Keep an invitation in the place of an earlier one of this address to this place; old ones are forgotten."""
    table = invitations.c
    earlier = (table.scope == made.scope) & (table.email_key == email_key)
    conn.execute(delete(invitations).where(or_(table.expires_at_s <= now_s, earlier)))
    row = {
        "invitation_id": made.invitation_id, "code_sha256": hashed(code), "email": made.email, "email_key": email_key,
        "name": made.name, "language": made.language, "role": str(made.role), "scope": made.scope,
        "invited_by": made.invited_by, "created_at_s": made.created_at_s, "expires_at_s": made.expires_at_s,
    }  # fmt: skip
    conn.execute(insert(invitations), row)


def invitation_of(conn: Connection, code: str, now_s: float) -> Invitation | None:
    """The invitation of a letter's code, while it lasts; it stays."""
    table = invitations.c
    row = conn.execute(
        select(invitations).where(table.code_sha256 == hashed(code), table.expires_at_s > now_s)
    ).one_or_none()
    return None if row is None else _invitation(row)


def invitations_at(conn: Connection, scope: str, now_s: float) -> list[Invitation]:
    """The open invitations to a place, the newest first."""
    query = select(invitations).where(invitations.c.scope == scope, invitations.c.expires_at_s > now_s)
    rows = conn.execute(query.order_by(invitations.c.created_at_s.desc(), invitations.c.invitation_id))
    return [_invitation(row) for row in rows]


def invitations_by(conn: Connection, person_id: str) -> list[Invitation]:
    """The invitations that a person sent and that nobody has answered."""
    query = select(invitations).where(invitations.c.invited_by == person_id)
    return [_invitation(row) for row in conn.execute(query.order_by(invitations.c.created_at_s))]


def drop_invitation(conn: Connection, invitation_id: str, scope: str) -> bool:
    """Forget an invitation to a place; whether there was one."""
    one = (invitations.c.invitation_id == invitation_id) & (invitations.c.scope == scope)
    return conn.execute(delete(invitations).where(one)).rowcount == 1


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(
        row.invitation_id, row.email, row.name, row.language, Role(row.role), row.scope, row.invited_by,
        row.created_at_s, row.expires_at_s,
    )  # fmt: skip


# -- passkeys ----------------------------------------------------------------------------------------------------------
def add_passkey(conn: Connection, row: Mapping[str, Any]) -> None:
    """Keep a passkey: the columns of its table."""
    conn.execute(insert(passkeys), dict(row))


def passkey(conn: Connection, credential_id: str) -> Row[Any] | None:
    """A passkey by its id."""
    return conn.execute(select(passkeys).where(passkeys.c.credential_id == credential_id)).one_or_none()


def passkeys_of(conn: Connection, person_id: str) -> list[Row[Any]]:
    """A person's passkeys, the oldest first."""
    query = select(passkeys).where(passkeys.c.person_id == person_id)
    return list(conn.execute(query.order_by(passkeys.c.created_at_s, passkeys.c.credential_id)))


def use_passkey(conn: Connection, credential_id: str, sign_count: int, now_s: float) -> None:
    """Note the count that a passkey showed, and when."""
    query = update(passkeys).where(passkeys.c.credential_id == credential_id)
    conn.execute(query.values(sign_count=sign_count, last_used_at_s=now_s))


def drop_passkey(conn: Connection, person_id: str, credential_id: str) -> bool:
    """Forget a passkey of a person; whether there was one."""
    mine = (passkeys.c.person_id == person_id) & (passkeys.c.credential_id == credential_id)
    return conn.execute(delete(passkeys).where(mine)).rowcount == 1


# -- identities elsewhere ----------------------------------------------------------------------------------------------
def identity(conn: Connection, provider: str, subject: str) -> str | None:
    """Whose identity at a provider this is."""
    table = identities.c
    query = select(table.person_id).where(table.provider == provider, table.subject == subject)
    found: str | None = conn.execute(query).scalar()
    return found


def identities_of(conn: Connection, person_id: str) -> list[Row[Any]]:
    """A person's identities elsewhere."""
    query = select(identities).where(identities.c.person_id == person_id)
    return list(conn.execute(query.order_by(identities.c.provider, identities.c.subject)))


def see_identity(
    conn: Connection, provider: str, subject: str, person_id: str, email: str, groups: Iterable[str], now_s: float
) -> None:
    """Note that a person was seen at a provider, with which address and groups."""
    seen = {"email": email, "groups_seen": json.dumps(sorted(groups)), "last_seen_at_s": now_s}
    one = (identities.c.provider == provider) & (identities.c.subject == subject)
    if conn.execute(update(identities).where(one, identities.c.person_id == person_id).values(**seen)).rowcount == 0:
        whose = {"provider": provider, "subject": subject, "person_id": person_id, "created_at_s": now_s}
        conn.execute(insert(identities), {**whose, **seen})


def drop_identity(conn: Connection, person_id: str, provider: str) -> bool:
    """Forget who a person is at a provider; whether that was known."""
    mine = (identities.c.person_id == person_id) & (identities.c.provider == provider)
    return conn.execute(delete(identities).where(mine)).rowcount > 0


def roles_given_by(conn: Connection, person_id: str, given_by: str) -> set[tuple[str, str]]:
    """The roles (role, scope) that a person holds because a provider said so."""
    query = select(roles.c.role, roles.c.scope).where(roles.c.holder_id == person_id, roles.c.given_by == given_by)
    return {(row.role, row.scope) for row in conn.execute(query)}


# -- devices -----------------------------------------------------------------------------------------------------------
def add_device(conn: Connection, secret: str, user_code: str, row: Mapping[str, Any], now_s: float) -> None:
    """Keep that a terminal asks to be let in, and forget those whose time is over."""
    conn.execute(delete(devices).where(devices.c.expires_at_s <= now_s))
    made = {"device_sha256": hashed(secret), "user_code_sha256": hashed(user_code), "state": "asked", **row}
    conn.execute(insert(devices), made)


def n_devices(conn: Connection, now_s: float) -> int:
    """How many terminals wait for an answer."""
    waiting = select(func.count()).select_from(devices).where(devices.c.expires_at_s > now_s)
    return int(conn.execute(waiting).scalar() or 0)


def device_asking(conn: Connection, user_code: str, now_s: float) -> Row[Any] | None:
    """The terminal that shows this code and waits for an answer."""
    table = devices.c
    query = select(devices).where(table.user_code_sha256 == hashed(user_code), table.expires_at_s > now_s)
    return conn.execute(query.where(table.state == "asked")).one_or_none()


def device(conn: Connection, secret: str, now_s: float) -> Row[Any] | None:
    """The terminal that holds this secret."""
    query = select(devices).where(devices.c.device_sha256 == hashed(secret), devices.c.expires_at_s > now_s)
    return conn.execute(query).one_or_none()


def decide_device(conn: Connection, user_code: str, person_id: str, state: str) -> bool:
    """Note a person's answer; False where somebody gave one before."""
    one = (devices.c.user_code_sha256 == hashed(user_code)) & (devices.c.state == "asked")
    return conn.execute(update(devices).where(one).values(person_id=person_id, state=state)).rowcount == 1


def poll_device(conn: Connection, secret: str, now_s: float) -> None:
    """Note when a terminal asked last."""
    conn.execute(update(devices).where(devices.c.device_sha256 == hashed(secret)).values(polled_at_s=now_s))


def drop_device(conn: Connection, secret: str) -> bool:
    """Forget a terminal's question; whether it was still there."""
    return conn.execute(delete(devices).where(devices.c.device_sha256 == hashed(secret))).rowcount == 1
