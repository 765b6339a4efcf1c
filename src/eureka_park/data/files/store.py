"""Rows of buckets and versions of files. Each function is a part of its caller's transaction.

Keys are kept as bytes, so that both databases order them by these. The versions of a file lie beside each other, the
newest first: `age_rank` falls with each write to the bucket. An index by state and key has the files of now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    String,
    Table,
    Text,
    delete,
    insert,
    or_,
    select,
    text,
    update,
)

from eureka_park.data.core.bucket import (
    NULL_VERSION,
    Bucket,
    Describe,
    FileVersion,
    LifecycleRule,
    Versioning,
    end_of_prefix,
)
from eureka_park.data.store import metadata

# States of a version: a former one (also a marker), the file as it is, a marker as last.
FORMER, CURRENT, MARKER = 0, 1, 2
BEFORE_RANKS: Final = -(2**62)
_BLOCK: Final = 500

file_buckets = Table(
    "file_buckets",
    metadata,
    Column("bucket_id", String(40), primary_key=True),
    Column("name", String(63), nullable=False),
    Column("project_id", String(80), nullable=False),
    Column("versioning", String(16), nullable=False),
    Column("lifecycle", Text, nullable=False),  # JSON
    Column("tags", Text, nullable=False),  # JSON
    Column("last_rank", BigInteger, nullable=False),  # of the newest version that was written; it falls
    Column("n_versions", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("made_at_s", Double, nullable=False),
    Index("file_buckets_by_name", "name", unique=True),
    Index("file_buckets_of_project", "project_id", "name"),
)
file_versions = Table(
    "file_versions",
    metadata,
    Column("bucket_id", String(40), primary_key=True),
    Column("file_key", LargeBinary, primary_key=True),
    Column("age_rank", BigInteger, primary_key=True, autoincrement=False),
    Column("version_id", String(40), nullable=False),
    Column("state", Integer, nullable=False),
    Column("is_marker", Integer, nullable=False),
    Column("since_s", Double, nullable=False),  # when it was written or, of a former one, replaced
    Column("sha256", String(64)),  # null: a marker, or several parts
    Column("layout_id", String(40)),  # its parts
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", String(48), nullable=False),
    Column("described", Text, nullable=False),  # JSON: content type, metadata, headers, tags
    Column("checksums", Text, nullable=False),  # JSON
    Column("n_parts", Integer, nullable=False),
    Column("person_id", String(80), nullable=False),
    Column("made_at_s", Double, nullable=False),
    Index("file_versions_by_state", "bucket_id", "state", "file_key"),
    Index("file_versions_by_age", "bucket_id", "state", "since_s"),
)


@dataclass(frozen=True, slots=True)
class Content:
    """What a version's bytes are: one blob, or a layout of several."""

    sha256: str | None
    layout_id: str | None
    size_bytes: int
    etag: str
    n_parts: int = 0


NOTHING: Final = Content(None, None, 0, "")


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version with what only the store needs."""

    rank: int
    state: int
    content: Content
    since_s: float
    file: FileVersion

    @property
    def key(self) -> bytes:
        """The key as it is kept."""
        return self.file.key.encode()


# -- buckets -----------------------------------------------------------------------------------------------------------
def add_bucket(conn: Connection, made: Bucket, person_id: str) -> None:
    """Keep a new bucket."""
    row = {
        "bucket_id": made.bucket_id, "name": made.name, "project_id": made.project_id,
        "versioning": str(made.versioning), "lifecycle": "[]", "tags": "{}", "last_rank": 0, "n_versions": 0,
        "size_bytes": 0, "made_by": person_id, "made_at_s": made.made_at_s,
    }  # fmt: skip
    conn.execute(insert(file_buckets), row)


def bucket_named(conn: Connection, name: str) -> Bucket | None:
    """A bucket by its name."""
    row = conn.execute(select(file_buckets).where(file_buckets.c.name == name)).one_or_none()
    return None if row is None else _bucket(row)


def buckets_of(conn: Connection, project_ids: Iterable[str]) -> list[Bucket]:
    """The buckets of projects, by name."""
    found, names = list[Bucket](), list(project_ids)
    for at in range(0, len(names), _BLOCK):
        query = select(file_buckets).where(file_buckets.c.project_id.in_(names[at : at + _BLOCK]))
        found += [_bucket(row) for row in conn.execute(query)]
    return sorted(found, key=lambda one: one.name)


def buckets_with_rules(conn: Connection) -> list[Bucket]:
    """The buckets of which something goes by itself, by id."""
    query = select(file_buckets).where(file_buckets.c.lifecycle != "[]").order_by(file_buckets.c.bucket_id)
    return [_bucket(row) for row in conn.execute(query)]


def change_bucket(conn: Connection, bucket_id: str, **values: Any) -> None:
    """Set columns of a bucket."""
    conn.execute(update(file_buckets).where(file_buckets.c.bucket_id == bucket_id).values(**values))


def drop_bucket(conn: Connection, bucket_id: str) -> None:
    """Forget an empty bucket."""
    conn.execute(delete(file_buckets).where(file_buckets.c.bucket_id == bucket_id))


def has_versions(conn: Connection, bucket_id: str) -> bool:
    """Whether anything lies in a bucket, former versions and markers too."""
    query = select(file_versions.c.age_rank).where(file_versions.c.bucket_id == bucket_id).limit(1)
    return conn.execute(query).scalar() is not None


def next_rank(conn: Connection, bucket_id: str, n_versions: int, size_bytes: int) -> int:
    """Count what comes and goes; the rank of the next version to be written."""
    of = file_buckets.c
    query = update(file_buckets).where(of.bucket_id == bucket_id)
    query = query.values(
        last_rank=of.last_rank - 1, n_versions=of.n_versions + n_versions, size_bytes=of.size_bytes + size_bytes
    )
    return int(conn.execute(query.returning(of.last_rank)).scalar_one())


def _bucket(row: Row[Any]) -> Bucket:
    rules = tuple(LifecycleRule.from_json(one) for one in json.loads(row.lifecycle))
    return Bucket(
        row.bucket_id, row.name, row.project_id, Versioning(row.versioning), rules, json.loads(row.tags),
        row.made_at_s, row.n_versions, row.size_bytes,
    )  # fmt: skip


# -- versions ----------------------------------------------------------------------------------------------------------
def add_version(conn: Connection, bucket_id: str, row: VersionRow) -> None:
    """Keep a version."""
    file, content = row.file, row.content
    conn.execute(
        insert(file_versions),
        {
            "bucket_id": bucket_id, "file_key": row.key, "age_rank": row.rank, "version_id": file.version_id,
            "state": row.state, "is_marker": int(file.is_delete_marker), "since_s": row.since_s,
            "sha256": content.sha256, "layout_id": content.layout_id, "size_bytes": content.size_bytes,
            "etag": content.etag, "described": described_json(file), "checksums": _json(file.checksums),
            "n_parts": content.n_parts, "person_id": file.person_id, "made_at_s": file.made_at_s,
        },
    )  # fmt: skip


def described_json(given: FileVersion | Describe) -> str:
    """What describes a file, as a row holds it; what is not said takes no room."""
    words = {"type": given.content_type, "meta": given.metadata, "headers": given.headers, "tags": given.tags}
    return _json({name: dict(word) if isinstance(word, Mapping) else word for name, word in words.items() if word})


@lru_cache(maxsize=1024)
def described(content: str) -> Describe:
    """Read what `described_json` wrote; many files of a bucket are described alike."""
    found = json.loads(content)
    return Describe(found.get("type", ""), found.get("meta", {}), found.get("headers", {}), found.get("tags", {}))


def latest(conn: Connection, bucket: Bucket, key: bytes) -> VersionRow | None:
    """The newest version of a key, which may be a marker."""
    return next(iter(versions_of(conn, bucket, key, 1)), None)


def versions_of(conn: Connection, bucket: Bucket, key: bytes, most: int) -> list[VersionRow]:
    """The versions of one key, the newest first."""
    query = _of_key(bucket, key).order_by(file_versions.c.age_rank).limit(most)
    return [_version(bucket, row) for row in conn.execute(query)]


def version(conn: Connection, bucket: Bucket, key: bytes, version_id: str) -> VersionRow | None:
    """A version by its id, which tells its rank; that of `null` is looked for among those of the key."""
    query = _of_key(bucket, key).where(file_versions.c.version_id == version_id)
    if version_id != NULL_VERSION:
        rank = rank_of(version_id)
        if rank is None:
            return None
        query = query.where(file_versions.c.age_rank == rank)
    row = conn.execute(query.limit(1)).one_or_none()
    return None if row is None else _version(bucket, row)


def id_of(rank: int, nonce: bytes) -> str:
    """The id of a version: its rank, and something that nobody guesses."""
    return f"{-rank:012x}{nonce.hex()}"


def rank_of(version_id: str) -> int | None:
    """The rank in an id; None for what is none."""
    try:
        return -int(version_id[:12], 16) if version_id.isalnum() else None
    except ValueError:
        return None


def set_state(conn: Connection, bucket_id: str, row: VersionRow, state: int, since_s: float) -> None:
    """Make a version a former one, or the newest again."""
    conn.execute(_at(update(file_versions), bucket_id, row).values(state=state, since_s=since_s))


def set_described(conn: Connection, bucket_id: str, row: VersionRow, content: str) -> None:
    """Describe a version anew."""
    conn.execute(_at(update(file_versions), bucket_id, row).values(described=content))


def drop_version(conn: Connection, bucket_id: str, row: VersionRow) -> None:
    """Forget a version."""
    conn.execute(_at(delete(file_versions), bucket_id, row))


def _at(query: Any, bucket_id: str, row: VersionRow) -> Any:
    of = file_versions.c
    return query.where(of.bucket_id == bucket_id, of.file_key == row.key, of.age_rank == row.rank)


def _of_key(bucket: Bucket, key: bytes) -> Select[Any]:
    of = file_versions.c
    return select(file_versions).where(of.bucket_id == bucket.bucket_id, of.file_key == key)


def _version(bucket: Bucket, row: Row[Any]) -> VersionRow:
    words = described(row.described)
    checksums = json.loads(row.checksums) if row.checksums != "{}" else {}
    file = FileVersion(
        bucket.name, bytes(row.file_key).decode(), row.version_id, row.etag, row.size_bytes, words.content_type,
        words.metadata, checksums, row.made_at_s, row.state != FORMER, bool(row.is_marker), words.headers, words.tags,
        row.n_parts, row.sha256 or "", row.person_id,
    )  # fmt: skip
    content = Content(row.sha256, row.layout_id, row.size_bytes, row.etag, row.n_parts)
    return VersionRow(row.age_rank, row.state, content, row.since_s, file)


# -- lists -------------------------------------------------------------------------------------------------------------
def current_files(conn: Connection, bucket: Bucket, start: bytes, end: bytes | None, most: int) -> list[VersionRow]:
    """The files that are there now, of keys in [start, end), in order."""
    query = _current(bucket).where(file_versions.c.file_key >= start)
    if end is not None:
        query = query.where(file_versions.c.file_key < end)
    return [_version(bucket, row) for row in conn.execute(query.order_by(file_versions.c.file_key).limit(most))]


def current_files_of(conn: Connection, bucket: Bucket, keys: Sequence[bytes]) -> list[VersionRow]:
    """The files that are there now, of these keys, in order."""
    found = list[VersionRow]()
    for at in range(0, len(keys), _BLOCK):
        query = _current(bucket).where(file_versions.c.file_key.in_(keys[at : at + _BLOCK]))
        found += [_version(bucket, row) for row in conn.execute(query.order_by(file_versions.c.file_key))]
    return found


def _current(bucket: Bucket) -> Select[Any]:
    of = file_versions.c
    return select(file_versions).where(of.bucket_id == bucket.bucket_id, of.state == CURRENT)


def all_versions(
    conn: Connection, bucket: Bucket, start: tuple[bytes, int], end: bytes | None, most: int
) -> list[VersionRow]:
    """Versions of keys before `end`, from a key and rank on, by key and the newest first."""
    of, (key, rank) = file_versions.c, start
    mine = of.bucket_id == bucket.bucket_id
    first = select(file_versions).where(mine, of.file_key == key, of.age_rank >= rank)
    found = [_version(bucket, row) for row in conn.execute(first.order_by(of.age_rank).limit(most))]
    if len(found) < most:
        rest = select(file_versions).where(mine, of.file_key > key)
        if end is not None:
            rest = rest.where(of.file_key < end)
        rest = rest.order_by(of.file_key, of.age_rank).limit(most - len(found))
        found += [_version(bucket, row) for row in conn.execute(rest)]
    return found


# One look into the index for each key and each folder, however much lies in it: the next look begins after the folder.
_STEPS: Final = """
WITH RECURSIVE step(file_key) AS (
  SELECT {first} UNION ALL
  SELECT (SELECT v.file_key FROM file_versions v WHERE v.bucket_id = :bucket {state} AND v.file_key < :end
          AND v.file_key >= {following} ORDER BY v.file_key LIMIT 1)
  FROM step WHERE step.file_key IS NOT NULL
)
SELECT file_key FROM step WHERE file_key IS NOT NULL LIMIT :most
"""
_FIRST: Final = """(SELECT v.file_key FROM file_versions v WHERE v.bucket_id = :bucket {state} AND v.file_key < :end
  AND v.file_key >= :start ORDER BY v.file_key LIMIT 1)"""
_REST: Final = "substr(step.file_key, :n_prefix + 1)"
_FOLDER: Final = "substr(step.file_key, 1, :n_prefix + {at} + :n_delimiter - 2) || :raised"
_FOLLOWING: Final = """CASE WHEN {at} > 0 THEN {folder} ELSE {key_after} END"""
_LAST: Final = b"\xff"  # after every key


def steps(
    conn: Connection, bucket_id: str, prefix: bytes, delimiter: bytes, start: bytes, most: int, *, is_current: bool
) -> list[bytes]:
    """The first key of each folder, and each key that lies in none, from `start` on: what a list by folders shows.

    A folder is what ends with the first delimiter after the prefix.
    """
    is_sqlite = conn.dialect.name == "sqlite"
    at = f"instr({_REST}, :delimiter)" if is_sqlite else f"position(CAST(:delimiter AS bytea) IN {_REST})"
    folder = _FOLDER.format(at=at)
    after = "step.file_key || :zero"
    if is_sqlite:  # joined bytes are a text there
        folder, after = f"CAST({folder} AS BLOB)", f"CAST({after} AS BLOB)"
    else:
        folder = folder.replace(":raised", "CAST(:raised AS bytea)")
        after = after.replace(":zero", "CAST(:zero AS bytea)")
    state = f"AND v.state = {CURRENT}" if is_current else ""
    query = _STEPS.format(
        first=_FIRST.format(state=state),
        state=state,
        following=_FOLLOWING.format(at=at, folder=folder, key_after=after),
    )
    given = {
        "bucket": bucket_id, "start": start, "end": end_of_prefix(prefix) or _LAST, "n_prefix": len(prefix),
        "delimiter": delimiter, "n_delimiter": len(delimiter), "zero": b"\0", "most": most,
        "raised": bytes((delimiter[-1] + 1,)),
    }  # fmt: skip
    return [bytes(row.file_key) for row in conn.execute(text(query), given)]


def versions_with(
    conn: Connection, bucket: Bucket, hashes: Collection[str], layout_ids: Collection[str], most: int
) -> list[VersionRow]:
    """Versions of a bucket that have one of these blobs or layouts; all of its rows are looked at."""
    of = file_versions.c
    query = select(file_versions).where(of.bucket_id == bucket.bucket_id)
    query = query.where(or_(of.sha256.in_(hashes), of.layout_id.in_(layout_ids))).limit(most)
    return [_version(bucket, row) for row in conn.execute(query)]


# -- what is to go -----------------------------------------------------------------------------------------------------
def older(
    conn: Connection, bucket: Bucket, state: int, before_s: float, after: tuple[float, int], most: int
) -> list[VersionRow]:
    """Versions that have been in a state since before an instant, the oldest first, after (since, rank)."""
    of, (since_s, rank) = file_versions.c, after
    query = select(file_versions).where(of.bucket_id == bucket.bucket_id, of.state == state, of.since_s < before_s)
    query = query.where(of.since_s >= since_s, (of.since_s > since_s) | (of.age_rank > rank))
    return [_version(bucket, row) for row in conn.execute(query.order_by(of.since_s, of.age_rank).limit(most))]


def n_newer(conn: Connection, bucket: Bucket, row: VersionRow, most: int) -> int:
    """How many former versions of a file are newer than one of them, counted up to `most`."""
    of = file_versions.c
    query = select(of.age_rank).where(of.bucket_id == bucket.bucket_id, of.file_key == row.key)
    query = query.where(of.age_rank < row.rank, of.state == FORMER).limit(most)
    return len(conn.execute(query).all())


def _json(given: Any) -> str:
    return json.dumps(given, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
