"""Rows of blobs and packs. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from eureka_park.data.store import metadata
from eureka_park.foundation.store import insert_or_add, insert_or_ignore

BLOCK: Final = 500
BLOB, PACK = "blob", "pack"
_FILES_LOOKED_AT, _PARTS_LOOKED_AT = 4, 10_000  # for what lies in packs beside each other
NAME_CHARS: Final = 80  # a hash, and in a confidential project the mark of its realm before it

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(NAME_CHARS), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("object_key", String(120)),  # null: a recipe, whose parts lie in packs
    Column("n_refs", Integer, nullable=False),  # nodes of trees that mention it
    Column("idle_since_s", Double),  # since when nothing mentions it
    Column("made_at_s", Double, nullable=False),
    Column("file_hash", String(64)),  # of a recipe: what clients that fetch packs call it
    Index("blobs_idle", "idle_since_s"),
)
recipe_parts = Table(
    "recipe_parts",
    metadata,
    Column("sha256", String(NAME_CHARS), primary_key=True),
    Column("part_index", Integer, primary_key=True, autoincrement=False),
    Column("start_bytes", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("pack_hash", String(NAME_CHARS), nullable=False),
    Column("first_chunk", Integer, nullable=False),
    Column("end_chunk", Integer, nullable=False),
    Index("recipe_parts_of_pack", "pack_hash"),
)
packs = Table(
    "packs",
    metadata,
    Column("pack_hash", String(NAME_CHARS), primary_key=True),
    Column("object_key", String(120), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("chunks", LargeBinary, nullable=False),  # for each: hash, where it ends packed, where it ends unpacked
    Column("n_refs", Integer, nullable=False),  # parts of recipes that lie in it
    Column("idle_since_s", Double),
    Column("made_at_s", Double, nullable=False),
    Index("packs_idle", "idle_since_s"),
)
holdings = Table(
    "holdings",
    metadata,
    Column("project_id", String(80), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("content_hash", String(NAME_CHARS), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Index("holdings_of_content", "kind", "content_hash"),
)
known_chunks = Table(
    "known_chunks",
    metadata,
    Column("project_id", String(80), primary_key=True),
    Column("chunk_hash", String(64), primary_key=True),
    Column("pack_hash", String(NAME_CHARS), nullable=False),
    Index("known_chunks_of_pack", "pack_hash"),
)
storage_use = Table(
    "storage_use",
    metadata,
    Column("project_id", String(80), primary_key=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("limit_bytes", BigInteger),
)
doomed_objects = Table(
    "doomed_objects",
    metadata,
    Column("object_key", String(120), primary_key=True),
    Column("doomed_at_s", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A range of chunks of a pack, and where it lies in the blob."""

    start_bytes: int
    size_bytes: int
    pack_hash: str
    first_chunk: int
    end_chunk: int


@dataclass(frozen=True, slots=True)
class PackRow:
    """A pack: where it lies, and its chunks in packed form."""

    pack_hash: str
    object_key: str
    size_bytes: int
    chunks: bytes


@dataclass(frozen=True, slots=True)
class BlobRow:
    """A blob: one object, or a recipe where `object_key` is ''; `file_hash` only of a recipe."""

    sha256: str
    size_bytes: int
    object_key: str
    file_hash: str = ""


# -- blobs -------------------------------------------------------------------------------------------------------------
def blob(conn: Connection, sha256: str) -> BlobRow | None:
    """A blob by its hash."""
    row = conn.execute(select(blobs).where(blobs.c.sha256 == sha256)).one_or_none()
    return None if row is None else BlobRow(row.sha256, row.size_bytes, row.object_key or "", row.file_hash or "")


def present(conn: Connection, hashes: Iterable[str], now_s: float) -> set[str]:
    """Which of these blobs are here; those that nothing mentions get their grace anew."""
    found: set[str] = set()
    for block in _blocks(hashes):
        found.update(conn.execute(select(blobs.c.sha256).where(blobs.c.sha256.in_(block))).scalars())
        idle = blobs.c.idle_since_s.is_not(None)
        conn.execute(update(blobs).where(blobs.c.sha256.in_(block), idle).values(idle_since_s=now_s))
    return found


def sizes(conn: Connection, hashes: Iterable[str]) -> dict[str, int]:
    """The sizes of those of these blobs that are here."""
    found: dict[str, int] = {}
    for block in _blocks(hashes):
        rows = conn.execute(select(blobs.c.sha256, blobs.c.size_bytes).where(blobs.c.sha256.in_(block)))
        found.update({row.sha256: row.size_bytes for row in rows})
    return found


def add_blobs(conn: Connection, rows: Sequence[BlobRow], now_s: float) -> None:
    """Keep blobs that are new; nothing mentions them yet."""
    given = [
        {
            "sha256": row.sha256,
            "size_bytes": row.size_bytes,
            "object_key": row.object_key or None,
            "n_refs": 0,
            "idle_since_s": now_s,
            "made_at_s": now_s,
            "file_hash": row.file_hash or None,
        }
        for row in rows
    ]
    insert_or_ignore(conn, blobs, given)


def add_parts(conn: Connection, recipes: Mapping[str, Sequence[Part]]) -> None:
    """Keep recipes by the hashes of their blobs, and count what they lie in."""
    rows = [
        {
            "sha256": sha256,
            "part_index": index,
            "start_bytes": part.start_bytes,
            "size_bytes": part.size_bytes,
            "pack_hash": part.pack_hash,
            "first_chunk": part.first_chunk,
            "end_chunk": part.end_chunk,
        }
        for sha256, parts in recipes.items()
        for index, part in enumerate(parts)
    ]
    if rows:
        conn.execute(insert(recipe_parts), rows)
        named = [part.pack_hash for parts in recipes.values() for part in parts]
        count(conn, packs, packs.c.pack_hash, named, 1, None)


def parts(conn: Connection, sha256: str, start: int, end: int) -> list[Part]:
    """The parts of a recipe that overlap [start, end), in order."""
    of = recipe_parts.c
    query = select(recipe_parts).where(of.sha256 == sha256, of.start_bytes < end)
    rows = conn.execute(query.where(of.start_bytes + of.size_bytes > start).order_by(of.part_index))
    return [Part(row.start_bytes, row.size_bytes, row.pack_hash, row.first_chunk, row.end_chunk) for row in rows]


def count(conn: Connection, table: Table, key: Any, names: Sequence[str], by: int, now_s: float | None) -> None:
    """Raise or lower the references of rows, for each time that they are named. `now_s`: since when they idle at 0."""
    times: dict[str, int] = {}
    for name in names:
        times[name] = times.get(name, 0) + by
    if not times:
        return
    changed = update(table).where(key == bindparam("b_key"))
    conn.execute(
        changed.values(n_refs=table.c.n_refs + bindparam("b_by")),
        [{"b_key": name, "b_by": n} for name, n in times.items()],
    )
    for block in _blocks(times):
        query = update(table).where(key.in_(block))
        if by > 0:
            conn.execute(query.values(idle_since_s=None))
        else:
            conn.execute(query.where(table.c.n_refs <= 0).values(idle_since_s=now_s))


# -- packs -------------------------------------------------------------------------------------------------------------
def pack(conn: Connection, pack_hash: str) -> PackRow | None:
    """A pack by its hash."""
    return next(iter(packs_of(conn, [pack_hash]).values()), None)


def packs_of(conn: Connection, hashes: Iterable[str]) -> dict[str, PackRow]:
    """Packs by their hashes; those that are not here are left out."""
    found = {}
    for block in _blocks(hashes):
        for row in conn.execute(select(packs).where(packs.c.pack_hash.in_(block))):
            found[row.pack_hash] = PackRow(row.pack_hash, row.object_key, row.size_bytes, bytes(row.chunks))
    return found


def pack_place(conn: Connection, pack_hash: str) -> tuple[str, int] | None:
    """Under which key a pack lies, and its size."""
    query = select(packs.c.object_key, packs.c.size_bytes).where(packs.c.pack_hash == pack_hash)
    row = conn.execute(query).one_or_none()
    return None if row is None else (row.object_key, row.size_bytes)


def packs_after(conn: Connection, project_id: str, pack_hash: str, most: int) -> list[str]:
    """The packs in which the project's largest files that lie in a pack go on from there."""
    of, file = holdings.c, recipe_parts.alias()
    here = file.c.pack_hash == pack_hash
    is_held = (of.project_id == project_id) & (of.kind == BLOB) & (of.content_hash == file.c.sha256)
    query = (
        select(file.c.sha256, func.min(file.c.part_index))
        .join(holdings, is_held)
        .join(blobs, blobs.c.sha256 == file.c.sha256)
    )
    query = query.where(here).group_by(file.c.sha256).order_by(func.max(blobs.c.size_bytes).desc(), file.c.sha256)
    found: dict[str, None] = {}
    for sha256, first in conn.execute(query.limit(_FILES_LOOKED_AT)).all():
        part = recipe_parts.c
        later = select(part.pack_hash).where(part.sha256 == sha256, part.part_index > first)
        for name in conn.execute(later.order_by(part.part_index).limit(_PARTS_LOOKED_AT)).scalars():
            if len(found) >= most:
                return list(found)
            found[name] = None
    return list(found)


def renew_packs(conn: Connection, hashes: Iterable[str], now_s: float) -> None:
    """Give packs that nothing lies in their grace anew: somebody is about to use them."""
    for block in _blocks(hashes):
        idle = packs.c.idle_since_s.is_not(None)
        conn.execute(update(packs).where(packs.c.pack_hash.in_(block), idle).values(idle_since_s=now_s))


def add_pack(conn: Connection, row: PackRow, now_s: float) -> None:
    """Keep a pack that is new."""
    given = {
        "pack_hash": row.pack_hash,
        "object_key": row.object_key,
        "size_bytes": row.size_bytes,
        "chunks": row.chunks,
        "n_refs": 0,
        "idle_since_s": now_s,
        "made_at_s": now_s,
    }
    insert_or_ignore(conn, packs, [given])


def know_chunks(conn: Connection, project_id: str, pack_hash: str, chunk_hashes: Iterable[str]) -> None:
    """Remember in which pack of a project chunks lie."""
    rows = [{"project_id": project_id, "chunk_hash": name, "pack_hash": pack_hash} for name in chunk_hashes]
    insert_or_ignore(conn, known_chunks, rows)


def pack_with_chunk(conn: Connection, project_id: str, chunk_hash: str) -> PackRow | None:
    """A pack of a project in which a chunk lies."""
    of = known_chunks.c
    query = select(of.pack_hash).where(of.project_id == project_id, of.chunk_hash == chunk_hash)
    found = conn.execute(query).scalar()
    return None if found is None else pack(conn, found)


# -- who holds what ----------------------------------------------------------------------------------------------------
def hold(conn: Connection, project_id: str, kind: str, sizes: dict[str, int]) -> None:
    """Let a project hold contents, and count those that are new to it."""
    known = held(conn, project_id, kind, sizes)
    fresh = {name: size for name, size in sizes.items() if name not in known}
    rows = [
        {"project_id": project_id, "kind": kind, "content_hash": name, "size_bytes": size}
        for name, size in fresh.items()
    ]
    insert_or_ignore(conn, holdings, rows)
    total = sum(fresh.values())
    if total:
        insert_or_add(conn, storage_use, [{"project_id": project_id, "size_bytes": total}], ["size_bytes"])


def held(conn: Connection, project_id: str, kind: str, hashes: Iterable[str]) -> set[str]:
    """Which of these contents a project holds."""
    found: set[str] = set()
    of = holdings.c
    for block in _blocks(hashes):
        query = select(of.content_hash).where(of.project_id == project_id, of.kind == kind)
        found.update(conn.execute(query.where(of.content_hash.in_(block))).scalars())
    return found


def is_any_held(conn: Connection, project_id: str) -> bool:
    """Whether a project holds anything."""
    query = select(holdings.c.kind).where(holdings.c.project_id == project_id).limit(1)
    return conn.execute(query).first() is not None


def let_go(conn: Connection, kind: str, hashes: Iterable[str]) -> None:
    """Nobody holds these contents any more."""
    of = holdings.c
    for block in _blocks(hashes):
        chosen = (of.kind == kind) & of.content_hash.in_(block)
        sums = select(of.project_id, func.sum(of.size_bytes)).where(chosen).group_by(of.project_id)
        for project_id, total in conn.execute(sums).all():
            lower = update(storage_use).where(storage_use.c.project_id == project_id)
            conn.execute(lower.values(size_bytes=storage_use.c.size_bytes - int(total)))
        conn.execute(delete(holdings).where(chosen))


def use_of(conn: Connection, project_id: str) -> tuple[int, int | None]:
    """Bytes that a project holds, and how many it may; None where nobody has set that."""
    row = conn.execute(select(storage_use).where(storage_use.c.project_id == project_id)).one_or_none()
    return (0, None) if row is None else (row.size_bytes, row.limit_bytes)


def uses_after(conn: Connection, after: str, most: int) -> list[tuple[str, int]]:
    """Projects that hold anything, by name after one, with their bytes."""
    of = storage_use.c
    query = select(of.project_id, of.size_bytes).where(of.project_id > after, of.size_bytes > 0)
    return [(row.project_id, row.size_bytes) for row in conn.execute(query.order_by(of.project_id).limit(most))]


def packed_bytes(conn: Connection, project_id: str) -> int:
    """The sizes of all blobs that a project holds for nothing, as it holds the packs in which they lie."""
    of = holdings.c
    chosen = (of.project_id == project_id) & (of.kind == BLOB) & (of.size_bytes == 0)
    query = select(func.sum(blobs.c.size_bytes)).join(holdings, of.content_hash == blobs.c.sha256).where(chosen)
    return int(conn.execute(query).scalar() or 0)


def total_bytes(conn: Connection) -> int:
    """Bytes of all objects."""
    alone = select(func.sum(blobs.c.size_bytes)).where(blobs.c.object_key.is_not(None))
    return sum(int(conn.execute(query).scalar() or 0) for query in (alone, select(func.sum(packs.c.size_bytes))))


def holders(conn: Connection, contents: Sequence[tuple[str, str]]) -> list[str]:
    """Projects that hold any of these contents, given by kind and name."""
    of, found = holdings.c, set[str]()
    for kind in (BLOB, PACK):
        for block in _blocks(name for of_kind, name in contents if of_kind == kind):
            query = select(of.project_id).distinct().where(of.kind == kind, of.content_hash.in_(block))
            found.update(conn.execute(query).scalars())
    return sorted(found)


def idle_bytes(conn: Connection, project_id: str) -> int:
    """Bytes that a project holds and nothing mentions: they go when their grace is over."""
    of, total = holdings.c, 0
    for kind, table, key in ((BLOB, blobs, blobs.c.sha256), (PACK, packs, packs.c.pack_hash)):
        mine = (of.kind == kind) & (of.content_hash == key) & (of.project_id == project_id)
        query = select(func.sum(of.size_bytes)).select_from(table).join(holdings, mine)
        total += int(conn.execute(query.where(table.c.idle_since_s.is_not(None))).scalar() or 0)
    return total


def set_limit(conn: Connection, project_id: str, limit_bytes: int | None) -> None:
    """How many bytes a project may hold."""
    insert_or_ignore(conn, storage_use, [{"project_id": project_id, "size_bytes": 0, "limit_bytes": None}])
    conn.execute(update(storage_use).where(storage_use.c.project_id == project_id).values(limit_bytes=limit_bytes))


# -- collecting --------------------------------------------------------------------------------------------------------
def doom_blobs(conn: Connection, before_s: float, now_s: float, most: int) -> int:
    """Take away rows of blobs that nothing has mentioned since; their objects are to go. How many there were."""
    query = select(blobs.c.sha256, blobs.c.object_key).where(blobs.c.idle_since_s < before_s, blobs.c.n_refs <= 0)
    rows = conn.execute(query.order_by(blobs.c.idle_since_s).limit(most)).all()
    names = [row.sha256 for row in rows]
    drop_parts(conn, [row.sha256 for row in rows if row.object_key is None], now_s)
    for block in _blocks(names):
        conn.execute(delete(blobs).where(blobs.c.sha256.in_(block)))
    let_go(conn, BLOB, names)
    doom(conn, [row.object_key for row in rows if row.object_key is not None], now_s)
    return len(rows)


def doom_packs(conn: Connection, before_s: float, now_s: float, most: int) -> int:
    """The same of packs in which nothing lies."""
    query = select(packs.c.pack_hash, packs.c.object_key).where(packs.c.idle_since_s < before_s, packs.c.n_refs <= 0)
    rows = conn.execute(query.order_by(packs.c.idle_since_s).limit(most)).all()
    names = [row.pack_hash for row in rows]
    for block in _blocks(names):
        conn.execute(delete(known_chunks).where(known_chunks.c.pack_hash.in_(block)))
        conn.execute(delete(packs).where(packs.c.pack_hash.in_(block)))
    let_go(conn, PACK, names)
    doom(conn, [row.object_key for row in rows], now_s)
    return len(rows)


def drop_parts(conn: Connection, hashes: Sequence[str], now_s: float) -> None:
    """Take recipes away, and count down the packs in which they lay."""
    for block in _blocks(hashes):
        chosen = recipe_parts.c.sha256.in_(block)
        lain_in = list(conn.execute(select(recipe_parts.c.pack_hash).where(chosen)).scalars())
        count(conn, packs, packs.c.pack_hash, lain_in, -1, now_s)
        conn.execute(delete(recipe_parts).where(chosen))


def set_object(conn: Connection, row: BlobRow) -> None:
    """Let a blob be another object, or with '' a recipe."""
    conn.execute(update(blobs).where(blobs.c.sha256 == row.sha256).values(object_key=row.object_key or None))


def set_pack_object(conn: Connection, row: PackRow) -> None:
    """Let a pack be another object of the same chunks."""
    values = {"object_key": row.object_key, "size_bytes": row.size_bytes, "chunks": row.chunks}
    conn.execute(update(packs).where(packs.c.pack_hash == row.pack_hash).values(**values))


def doom(conn: Connection, keys: Sequence[str], now_s: float) -> None:
    """These objects are to go."""
    insert_or_ignore(conn, doomed_objects, [{"object_key": key, "doomed_at_s": now_s} for key in keys])


def doomed(conn: Connection, most: int) -> list[str]:
    """Keys of objects that are to go."""
    return list(conn.execute(select(doomed_objects.c.object_key).limit(most)).scalars())


def forget_doomed(conn: Connection, keys: Sequence[str]) -> None:
    """These objects are gone."""
    for block in _blocks(keys):
        conn.execute(delete(doomed_objects).where(doomed_objects.c.object_key.in_(block)))


def known_keys(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Which of these objects have a row, if only to be taken away."""
    found: set[str] = set()
    for block in _blocks(keys):
        for table in (blobs, packs, doomed_objects):
            found.update(conn.execute(select(table.c.object_key).where(table.c.object_key.in_(block))).scalars())
    return found


def rows_after(conn: Connection, kind: str, after: str, most: int) -> list[tuple[str, str, int]]:
    """Blobs that are objects, or packs, by hash: (hash, key, size)."""
    table, key = (blobs, blobs.c.sha256) if kind == BLOB else (packs, packs.c.pack_hash)
    query = select(key, table.c.object_key, table.c.size_bytes).where(key > after, table.c.object_key.is_not(None))
    return [(row[0], row[1], row[2]) for row in conn.execute(query.order_by(key).limit(most))]


def _blocks(names: Iterable[str]) -> Iterable[list[str]]:
    given = list(names)
    return (given[at : at + BLOCK] for at in range(0, len(given), BLOCK))
