"""Rows of damaged contents and of rounds. Each function is a part of its caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Connection, Double, String, Table, Text, delete, func, select, update

from eureka_park.data.objects import store as objects
from eureka_park.data.objects.store import BlobRow, PackRow
from eureka_park.data.store import metadata
from eureka_park.foundation.canonical import canonical_json
from eureka_park.foundation.store import insert_or_ignore, insert_or_replace

SCRUB, BOOKING, LITTER = "scrub", "booking", "litter"
_BLOCK: Final = 500

damaged_contents = Table(
    "damaged_contents",
    metadata,
    Column("kind", String(8), primary_key=True),  # blob, pack
    Column("content_hash", String(120), primary_key=True),  # as the store names it, of a realm too
    Column("object_key", String(120), nullable=False),
    Column("reason", Text, nullable=False),
    Column("found_at_s", Double, nullable=False),
    Column("places", Text, nullable=False),  # canonical JSON: files in which it lies; '': nobody has looked yet
)
store_rounds = Table(
    "store_rounds",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("place", Text, nullable=False),  # where the round goes on
    Column("n_contents", BigInteger, nullable=False),
    Column("n_bytes", BigInteger, nullable=False),
    Column("begun_at_s", Double, nullable=False),
    Column("ended_at_s", Double),  # when the last whole round ended
)


@dataclass(frozen=True, slots=True)
class Place:
    """A file of a version in which a content lies. `revision`: a branch, a tag, or a version's id."""

    project_id: str
    kind: str
    name: str
    revision: str
    path: str


@dataclass(frozen=True, slots=True)
class Damage:
    """A content that is not what it was."""

    kind: str
    content_hash: str
    object_key: str
    reason: str
    found_at_s: float
    places: tuple[Place, ...] | None = None  # None: nobody has looked yet


@dataclass(frozen=True, slots=True)
class Round:
    """How far a round has come that goes on over days."""

    name: str
    place: str = ""
    n_contents: int = 0
    n_bytes: int = 0
    begun_at_s: float = 0.0
    ended_at_s: float | None = None


def note_damage(conn: Connection, found: Damage) -> None:
    """Keep what a scrub has found, unless it was known."""
    row = {
        "kind": found.kind,
        "content_hash": found.content_hash,
        "object_key": found.object_key,
        "reason": found.reason,
        "found_at_s": found.found_at_s,
        "places": "",
    }
    insert_or_ignore(conn, damaged_contents, [row])


def is_damaged(conn: Connection, kind: str, content_hash: str) -> bool:
    """Whether a content is known to be damaged."""
    return bool(damaged(conn, kind, [content_hash]))


def damaged(conn: Connection, kind: str, hashes: Iterable[str]) -> dict[str, str]:
    """Which of these contents are known to be damaged, with the keys of their objects."""
    of, given, found = damaged_contents.c, list(hashes), dict[str, str]()
    for at in range(0, len(given), _BLOCK):
        query = select(of.content_hash, of.object_key).where(of.kind == kind)
        rows = conn.execute(query.where(of.content_hash.in_(given[at : at + _BLOCK])))
        found.update({row.content_hash: row.object_key for row in rows})
    return found


def is_any_damaged(conn: Connection) -> bool:
    """Whether anything is known to be damaged."""
    return conn.execute(select(damaged_contents.c.kind).limit(1)).first() is not None


def damage(conn: Connection, most: int, *, is_without_places: bool = False) -> list[Damage]:
    """What is damaged, the newest finding first; only what nobody has looked for yet, where asked so."""
    of = damaged_contents.c
    query = select(damaged_contents).order_by(of.found_at_s.desc(), of.content_hash).limit(most)
    if is_without_places:
        query = query.where(of.places == "")
    return [_damage(row) for row in conn.execute(query)]


def set_places(conn: Connection, kind: str, content_hash: str, places: Sequence[Place]) -> None:
    """Keep in which files a damaged content lies."""
    of = damaged_contents.c
    text = canonical_json([asdict(place) for place in places]).decode()
    chosen = (of.kind == kind) & (of.content_hash == content_hash)
    conn.execute(update(damaged_contents).where(chosen).values(places=text))


def _damage(row: Any) -> Damage:
    places = tuple(Place(**item) for item in json.loads(row.places)) if row.places else None
    return Damage(row.kind, row.content_hash, row.object_key, row.reason, row.found_at_s, places)


def n_damaged(conn: Connection) -> int:
    """How many contents are damaged."""
    return int(conn.execute(select(func.count()).select_from(damaged_contents)).scalar() or 0)


def mended(conn: Connection, kind: str, hashes: Sequence[str]) -> None:
    """These are whole again, or no more."""
    of = damaged_contents.c
    for at in range(0, len(hashes), _BLOCK):
        chosen = (of.kind == kind) & of.content_hash.in_(hashes[at : at + _BLOCK])
        conn.execute(delete(damaged_contents).where(chosen))


def forget_gone(conn: Connection) -> None:
    """What was collected is not damaged any more."""
    if is_any_damaged(conn):
        of = damaged_contents.c
        for kind, key in ((objects.BLOB, objects.blobs.c.sha256), (objects.PACK, objects.packs.c.pack_hash)):
            gone = of.content_hash.not_in(select(key).where(key == of.content_hash).correlate(damaged_contents))
            conn.execute(delete(damaged_contents).where(of.kind == kind, gone))


# -- mending -----------------------------------------------------------------------------------------------------------
def broken_blobs(conn: Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these blobs cannot be read: damaged themselves, or put together from packs that are."""
    if not is_any_damaged(conn):
        return set()
    given, of, part = list(hashes), damaged_contents.c, objects.recipe_parts.c
    found = set(damaged(conn, objects.BLOB, given))
    lies_in = (of.kind == objects.PACK) & (of.content_hash == part.pack_hash)
    for at in range(0, len(given), _BLOCK):
        query = select(part.sha256).distinct().join(damaged_contents, lies_in)
        found.update(conn.execute(query.where(part.sha256.in_(given[at : at + _BLOCK]))).scalars())
    return found


def blobs_in_packs(conn: Connection, pack_hashes: Sequence[str]) -> dict[str, list[str]]:
    """Blobs that are put together from each of some packs."""
    part, found = objects.recipe_parts.c, dict[str, list[str]]()
    for at in range(0, len(pack_hashes), _BLOCK):
        query = select(part.pack_hash, part.sha256).distinct()
        for row in conn.execute(query.where(part.pack_hash.in_(pack_hashes[at : at + _BLOCK]))):
            found.setdefault(row.pack_hash, []).append(row.sha256)
    return found


def mend_blobs(conn: Connection, fresh: Sequence[BlobRow], now_s: float) -> set[str]:
    """Let blobs that cannot be read take the objects (or, without a key, the recipes to be added) that were sent again;
    which. What they were before goes.
    """
    broken = broken_blobs(conn, [row.sha256 for row in fresh])
    for row in fresh:
        if row.sha256 in broken:
            old = objects.blob(conn, row.sha256)
            objects.drop_parts(conn, [row.sha256], now_s)
            objects.set_object(conn, row)
            objects.doom(conn, [old.object_key] if old is not None and old.object_key else [], now_s)
    mended(conn, objects.BLOB, sorted(broken))
    return broken


def mend_pack(conn: Connection, fresh: PackRow, now_s: float) -> bool:
    """Let a damaged pack take the object that was sent again; whether it was one."""
    key = damaged(conn, objects.PACK, [fresh.pack_hash]).get(fresh.pack_hash)
    if key is None:
        return False
    objects.set_pack_object(conn, fresh)
    objects.doom(conn, [key], now_s)
    mended(conn, objects.PACK, [fresh.pack_hash])
    return True


# -- rounds ------------------------------------------------------------------------------------------------------------
def round_of(conn: Connection, name: str) -> Round:
    """How far a round has come; an empty one before the first."""
    row: Any = conn.execute(select(store_rounds).where(store_rounds.c.name == name)).one_or_none()
    if row is None:
        return Round(name)
    return Round(name, row.place, row.n_contents, row.n_bytes, row.begun_at_s, row.ended_at_s)


def save_round(conn: Connection, now: Round) -> None:
    """Keep how far a round has come."""
    row = {
        "name": now.name,
        "place": now.place,
        "n_contents": now.n_contents,
        "n_bytes": now.n_bytes,
        "begun_at_s": now.begun_at_s,
        "ended_at_s": now.ended_at_s,
    }
    insert_or_replace(conn, store_rounds, [row])


__all__ = ["BOOKING", "LITTER", "SCRUB", "Damage", "Place", "Round"]
