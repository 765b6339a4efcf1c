"""Rows of notices: what was told, to whom by which way, what people chose, their webhooks, places they came from."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from eureka_park.accounts.core.notices import EMAIL, LETTER
from eureka_park.accounts.store import group_people, metadata, people, roles
from eureka_park.foundation.store import insert_or_ignore, insert_or_replace

WAITING: Final = "waiting"
SENT: Final = "sent"
FAILED: Final = "failed"
MAIL_LANES: Final = (EMAIL, LETTER)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", String(64), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("at_s", Double, nullable=False),  # real time
    Column("thing", String(200), nullable=False),
    Column("detail", Text, nullable=False),  # JSON: ids and numbers
)
deliveries = Table(
    "notice_deliveries",
    metadata,
    Column("delivery_id", String(64), primary_key=True),
    Column("notice_id", String(64), nullable=False),  # '' for a letter
    Column("person_id", String(64), nullable=False),  # '' for a letter to somebody who has no account yet
    Column("lane", String(64), nullable=False),  # letter, email, or the id of a webhook
    Column("kind", String(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("n_tries", Integer, nullable=False),
    Column("made_at_s", Double, nullable=False),
    Column("due_at_s", Double, nullable=False),
    Column("until_s", Double),  # of no use afterwards
    Column("claimed_until_s", Double, nullable=False),
    Column("ended_at_s", Double),
    Column("answer", String(200), nullable=False),  # of the last try
    Column("sealed", Text, nullable=False),  # a letter that waits, by the park's key; '' for all else
    Index("deliveries_due", "state", "due_at_s"),
    Index("deliveries_by_person", "person_id", "made_at_s"),
    Index("deliveries_by_notice", "notice_id"),
)
endpoints = Table(
    "notice_webhooks",
    metadata,
    Column("webhook_id", String(64), primary_key=True),
    Column("person_id", String(64), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("url", String(500), nullable=False),
    Column("secret", Text, nullable=False),  # sealed by the park's key
    Column("old_secret", Text),
    Column("old_until_s", Double),
    Column("is_on", Boolean, nullable=False),
    Column("n_failures", Integer, nullable=False),  # tries in a row
    Column("failing_since_s", Double),
    Column("made_at_s", Double, nullable=False),
)
choices = Table(
    "notice_choices",
    metadata,
    Column("person_id", String(64), primary_key=True),
    Column("lane", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("is_on", Boolean, nullable=False),
)
places = Table(
    "notice_places",
    metadata,
    Column("person_id", String(64), primary_key=True),
    Column("mark", String(64), primary_key=True),  # a keyed hash
    Column("seen_at_s", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where somebody has notices sent to. Secrets are sealed."""

    webhook_id: str
    person_id: str
    name: str
    url: str
    secret: str
    old_secret: str
    old_until_s: float
    is_on: bool
    n_failures: int
    failing_since_s: float | None
    made_at_s: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message by one way to one person."""

    delivery_id: str
    notice_id: str
    person_id: str
    lane: str
    kind: str
    state: str
    n_tries: int
    made_at_s: float
    due_at_s: float
    until_s: float | None
    ended_at_s: float | None
    answer: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell."""

    notice_id: str
    kind: str
    at_s: float
    thing: str
    detail: Mapping[str, Any]


# -- what is told ------------------------------------------------------------------------------------------------------
def add_notices(conn: Connection, found: Sequence[Notice]) -> None:
    """Keep notices."""
    rows = [
        {
            "notice_id": item.notice_id, "kind": item.kind, "at_s": item.at_s, "thing": item.thing,
            "detail": json.dumps(item.detail),
        }
        for item in found
    ]  # fmt: skip
    if rows:
        conn.execute(insert(notices), rows)


def notices_of(conn: Connection, ids: Collection[str]) -> dict[str, Notice]:
    """Notices by id."""
    rows = conn.execute(select(notices).where(notices.c.notice_id.in_(sorted(ids))))
    return {
        row.notice_id: Notice(row.notice_id, row.kind, row.at_s, row.thing, dict(json.loads(row.detail)))
        for row in rows
    }


def add_deliveries(conn: Connection, found: Sequence[Delivery]) -> None:
    """Put messages into the queue."""
    rows = [{**{name: getattr(item, name) for name in Delivery.__slots__}, "claimed_until_s": 0.0} for item in found]
    if rows:
        conn.execute(insert(deliveries), rows)


def is_any_due(conn: Connection, now_s: float, lanes: Collection[str] | None) -> bool:
    """Whether a message waits that nobody has in hand."""
    return conn.execute(_due(now_s, lanes).with_only_columns(deliveries.c.delivery_id).limit(1)).first() is not None


def is_any_waiting(conn: Connection, lanes: Collection[str]) -> bool:
    """Whether a message of some lanes waits, due or not."""
    query = select(deliveries.c.delivery_id).where(deliveries.c.state == WAITING, deliveries.c.lane.in_(sorted(lanes)))
    return conn.execute(query.limit(1)).first() is not None


def due(conn: Connection, now_s: float, lanes: Collection[str] | None, limit: int, n_hooks_max: int) -> list[Delivery]:
    """Messages that are due and that nobody has in hand, letters and e-mail before calls of webhooks, of which at most
    `n_hooks_max` come; of each lane at most one, of each person's webhooks too, and none where one is under way.
    """
    by_mail = _first_due(conn, now_s, lanes, deliveries.c.lane, deliveries.c.lane.in_(MAIL_LANES), limit)
    n_hooks = min(n_hooks_max, limit - len(by_mail))
    if n_hooks <= 0:
        return by_mail
    is_hook = deliveries.c.lane.not_in(MAIL_LANES)
    return by_mail + _first_due(conn, now_s, lanes, deliveries.c.person_id, is_hook, n_hooks)


def _first_due(
    conn: Connection, now_s: float, lanes: Collection[str] | None, by: Column[str], is_kind: Any, limit: int
) -> list[Delivery]:
    """The first message that is due of each `by` that has none under way, the first due first."""
    table = deliveries.c
    busy = select(by).where(table.state == WAITING, table.claimed_until_s > now_s, is_kind)
    here = (*_is_due(now_s, lanes), is_kind)
    at_s = func.min(table.due_at_s)
    first = conn.execute(select(by).where(*here, by.not_in(busy)).group_by(by).order_by(at_s, by).limit(limit))
    order = (table.due_at_s, table.delivery_id)
    return [
        _delivery(conn.execute(select(deliveries).where(*here, by == key).order_by(*order).limit(1)).one())
        for (key,) in first.all()
    ]


def due_with(conn: Connection, item: Delivery, now_s: float, limit: int) -> list[Delivery]:
    """All that goes to the same person by the same lane, due now: one letter tells it together."""
    query = select(deliveries).where(*_is_due(now_s, [item.lane]), deliveries.c.person_id == item.person_id)
    rows = conn.execute(query.order_by(deliveries.c.made_at_s, deliveries.c.delivery_id).limit(limit))
    return [_delivery(row) for row in rows]


def claim(conn: Connection, ids: Collection[str], until_s: float) -> None:
    """Nobody else takes these messages until then."""
    conn.execute(update(deliveries).where(deliveries.c.delivery_id.in_(sorted(ids))).values(claimed_until_s=until_s))


def change_deliveries(conn: Connection, ids: Collection[str], **values: Any) -> int:
    """Set columns of messages; how many there were."""
    query = update(deliveries).where(deliveries.c.delivery_id.in_(sorted(ids)))
    return conn.execute(query.values(claimed_until_s=0.0, **values)).rowcount


def delivery(conn: Connection, delivery_id: str) -> Delivery | None:
    """A message by its id."""
    row = conn.execute(select(deliveries).where(deliveries.c.delivery_id == delivery_id)).one_or_none()
    return None if row is None else _delivery(row)


def deliveries_of(conn: Connection, person_id: str, limit: int) -> list[Delivery]:
    """A person's messages, the newest first; letters that let one in are nobody's business."""
    table = deliveries.c
    query = select(deliveries).where(table.person_id == person_id, table.lane != "letter")
    return [
        _delivery(row) for row in conn.execute(query.order_by(table.made_at_s.desc(), table.delivery_id).limit(limit))
    ]


def drop_old(conn: Connection, before_s: float, now_s: float) -> None:
    """Forget messages that ended long ago, and notices that no message tells any more."""
    table = deliveries.c
    conn.execute(delete(deliveries).where(table.state != WAITING, table.made_at_s < before_s))
    conn.execute(
        update(deliveries)
        .where(table.state == WAITING, table.until_s < now_s, table.claimed_until_s <= now_s)
        .values(state=FAILED, sealed="", ended_at_s=now_s, answer="too late")
    )
    told = select(table.notice_id).where(table.notice_id == notices.c.notice_id)
    conn.execute(delete(notices).where(notices.c.at_s < before_s, ~told.exists()))


def _is_due(now_s: float, lanes: Collection[str] | None) -> list[Any]:
    table = deliveries.c
    given = [] if lanes is None else [table.lane.in_(sorted(lanes))]
    return [table.state == WAITING, table.due_at_s <= now_s, table.claimed_until_s <= now_s, *given]


def _due(now_s: float, lanes: Collection[str] | None) -> Any:
    return select(deliveries).where(*_is_due(now_s, lanes))


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(*(getattr(row, name) for name in Delivery.__slots__))


# -- webhooks ----------------------------------------------------------------------------------------------------------
def save_webhook(conn: Connection, made: Webhook) -> None:
    """Keep a webhook."""
    insert_or_replace(conn, endpoints, [{name: getattr(made, name) for name in Webhook.__slots__}])


def change_webhook(conn: Connection, webhook_id: str, **values: Any) -> None:
    """Set columns of a webhook."""
    conn.execute(update(endpoints).where(endpoints.c.webhook_id == webhook_id).values(**values))


def webhook(conn: Connection, webhook_id: str) -> Webhook | None:
    """A webhook by its id."""
    row = conn.execute(select(endpoints).where(endpoints.c.webhook_id == webhook_id)).one_or_none()
    return None if row is None else _webhook(row)


def webhooks_of(conn: Connection, ids: Collection[str], *, only_on: bool = False) -> list[Webhook]:
    """The webhooks of some people, the oldest first."""
    query = select(endpoints).where(endpoints.c.person_id.in_(sorted(ids)))
    if only_on:
        query = query.where(endpoints.c.is_on)
    return [_webhook(row) for row in conn.execute(query.order_by(endpoints.c.made_at_s, endpoints.c.webhook_id))]


def drop_webhook(conn: Connection, webhook_id: str) -> None:
    """Forget a webhook, what was chosen for it, and what waits for it."""
    conn.execute(delete(deliveries).where(deliveries.c.lane == webhook_id))
    conn.execute(delete(choices).where(choices.c.lane == webhook_id))
    conn.execute(delete(endpoints).where(endpoints.c.webhook_id == webhook_id))


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        row.webhook_id, row.person_id, row.name, row.url, row.secret, row.old_secret or "", row.old_until_s or 0.0,
        row.is_on, row.n_failures, row.failing_since_s, row.made_at_s,
    )  # fmt: skip


def wake_lane(conn: Connection, lane: str, now_s: float) -> None:
    """What waits in a lane is due now."""
    conn.execute(
        update(deliveries).where(deliveries.c.lane == lane, deliveries.c.state == WAITING).values(due_at_s=now_s)
    )


# -- choices, places, forgetting ---------------------------------------------------------------------------------------
def choose(conn: Connection, person_id: str, wanted: Mapping[tuple[str, str], bool]) -> None:
    """Keep what somebody chose, by (lane, kind)."""
    rows = [
        {"person_id": person_id, "lane": lane, "kind": kind, "is_on": is_on}
        for (lane, kind), is_on in sorted(wanted.items())
    ]
    insert_or_replace(conn, choices, rows)


def choices_of(conn: Connection, ids: Collection[str], kinds: Collection[str]) -> dict[tuple[str, str, str], bool]:
    """What some people chose, by (person, lane, kind)."""
    table = choices.c
    query = select(choices).where(table.person_id.in_(sorted(ids)), table.kind.in_(sorted(kinds)))
    return {(row.person_id, row.lane, row.kind): row.is_on for row in conn.execute(query)}


def is_new_place(conn: Connection, person_id: str, mark: str, now_s: float) -> bool:
    """Note a place; whether somebody who came from elsewhere before was never seen there."""
    table = places.c
    known = {row.mark for row in conn.execute(select(table.mark).where(table.person_id == person_id))}
    if mark in known:
        conn.execute(update(places).where(table.person_id == person_id, table.mark == mark).values(seen_at_s=now_s))
        return False
    insert_or_ignore(conn, places, [{"person_id": person_id, "mark": mark, "seen_at_s": now_s}])
    return bool(known)


def people_in(conn: Connection, holder_id: str) -> list[str]:
    """The people of a group; a person alone."""
    table = group_people.c
    found = conn.execute(select(table.person_id).where(table.group_id == holder_id).order_by(table.person_id))
    return [row.person_id for row in found] or ([holder_id] if holder_id.startswith("person-") else [])


def with_address(conn: Connection, ids: Collection[str]) -> set[str]:
    """Those of some people to whom a letter can be written."""
    table = people.c
    found = conn.execute(select(table.person_id).where(table.person_id.in_(sorted(ids)), table.email.is_not(None)))
    return {row.person_id for row in found}


def is_own_doing(conn: Connection, holder_id: str, role: str, scope: str) -> bool:
    """Whether somebody gave themselves a role, as whoever begins a project does."""
    table = roles.c
    here = (table.holder_id == holder_id) & (table.role == role) & (table.scope == scope)
    return conn.execute(select(table.given_by).where(here)).scalar() == holder_id


def forget(conn: Connection, person_id: str) -> None:
    """Drop all that stands here of a person, what waits to be sent too."""
    for table in (deliveries, choices, endpoints, places):
        conn.execute(delete(table).where(table.c.person_id == person_id))
