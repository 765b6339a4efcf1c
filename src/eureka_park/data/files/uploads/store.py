"""Rows of uploads in parts, and of the layouts of files that were put together from parts.

A part is a blob of its own. When a file is put together no bytes move: its layout names the blobs, one after the other,
and takes over their references. Versions of files share a layout and count in it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from eureka_park.data.core.bucket import Bucket, FilePart, FileVersion, PartOf, Upload, end_of_prefix
from eureka_park.data.files.store import buckets_of, described, described_json, versions_with
from eureka_park.data.store import metadata

file_uploads = Table(
    "file_uploads",
    metadata,
    Column("upload_id", String(40), primary_key=True),
    Column("bucket_id", String(40), nullable=False),
    Column("file_key", LargeBinary, nullable=False),
    Column("described", Text, nullable=False),
    Column("checksums", Text, nullable=False),
    Column("person_id", String(80), nullable=False),
    Column("begun_at_s", Double, nullable=False),
    Index("file_uploads_by_key", "bucket_id", "file_key", "upload_id"),
    Index("file_uploads_by_age", "bucket_id", "begun_at_s"),
)
file_parts = Table(
    "file_parts",
    metadata,
    Column("upload_id", String(40), primary_key=True),
    Column("part_number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("etag", String(48), nullable=False),
    Column("checksums", Text, nullable=False),
    Column("made_at_s", Double, nullable=False),
)
file_layouts = Table(
    "file_layouts",
    metadata,
    Column("layout_id", String(40), primary_key=True),
    Column("n_refs", Integer, nullable=False),  # versions of files that have it
)
layout_parts = Table(
    "layout_parts",
    metadata,
    Column("layout_id", String(40), primary_key=True),
    Column("part_number", Integer, primary_key=True, autoincrement=False),
    Column("start_bytes", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("etag", String(48), nullable=False),
    Column("checksums", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part with the blob that it is."""

    sha256: str
    part: PartOf


@dataclass(frozen=True, slots=True)
class LayoutPart:
    """A part of a file with the blob that it is."""

    sha256: str
    part: FilePart


# -- uploads -----------------------------------------------------------------------------------------------------------
def add_upload(conn: Connection, bucket_id: str, made: Upload) -> None:
    """Keep an upload that begins."""
    row = {
        "upload_id": made.upload_id, "bucket_id": bucket_id, "file_key": made.key.encode(),
        "described": described_json(made.described), "checksums": json.dumps(dict(made.checksums)),
        "person_id": made.person_id, "begun_at_s": made.begun_at_s,
    }  # fmt: skip
    conn.execute(insert(file_uploads), row)


def upload(conn: Connection, bucket: Bucket, key: bytes, upload_id: str) -> Upload | None:
    """An upload of a bucket and key."""
    of = file_uploads.c
    query = select(file_uploads).where(of.upload_id == upload_id, of.bucket_id == bucket.bucket_id, of.file_key == key)
    row = conn.execute(query).one_or_none()
    return None if row is None else _upload(bucket, row)


def uploads(conn: Connection, bucket: Bucket, prefix: bytes, after: tuple[bytes, str], most: int) -> list[Upload]:
    """Uploads below a prefix by key, after a key and an id."""
    of, (key, upload_id) = file_uploads.c, after
    query = select(file_uploads).where(of.bucket_id == bucket.bucket_id, of.file_key >= max(prefix, key))
    if (end := end_of_prefix(prefix)) is not None:
        query = query.where(of.file_key < end)
    if key:
        query = query.where(or_(of.file_key > key, and_(of.file_key == key, of.upload_id > upload_id)))
    rows = conn.execute(query.order_by(of.file_key, of.upload_id).limit(most))
    return [_upload(bucket, row) for row in rows]


def uploads_before(
    conn: Connection, bucket: Bucket, before_s: float, after: tuple[float, str], most: int
) -> list[Upload]:
    """Uploads that began before an instant, the oldest first, after (instant, id)."""
    of, (begun_s, upload_id) = file_uploads.c, after
    query = select(file_uploads).where(of.bucket_id == bucket.bucket_id, of.begun_at_s < before_s)
    query = query.where(of.begun_at_s >= begun_s, or_(of.begun_at_s > begun_s, of.upload_id > upload_id))
    rows = conn.execute(query.order_by(of.begun_at_s, of.upload_id).limit(most))
    return [_upload(bucket, row) for row in rows]


def drop_upload(conn: Connection, upload_id: str) -> list[str]:
    """Forget an upload and its parts; the blobs that they named, once for each."""
    named = select(file_parts.c.sha256).where(file_parts.c.upload_id == upload_id)
    found = list(conn.execute(named).scalars())
    for table in (file_parts, file_uploads):
        conn.execute(delete(table).where(table.c.upload_id == upload_id))
    return found


def _upload(bucket: Bucket, row: Row[Any]) -> Upload:
    return Upload(
        row.upload_id, bucket.name, bytes(row.file_key).decode(), described(row.described), row.person_id,
        row.begun_at_s, json.loads(row.checksums),
    )  # fmt: skip


# -- parts -------------------------------------------------------------------------------------------------------------
def put_part(conn: Connection, upload_id: str, row: PartRow) -> str | None:
    """Keep a part; the blob of the one whose place it takes."""
    of, part = file_parts.c, row.part
    at = and_(of.upload_id == upload_id, of.part_number == part.part_number)
    former = conn.execute(select(of.sha256).where(at)).scalar()
    conn.execute(delete(file_parts).where(at))
    given = {
        "upload_id": upload_id, "part_number": part.part_number, "sha256": row.sha256, "size_bytes": part.size_bytes,
        "etag": part.etag, "checksums": json.dumps(dict(part.checksums)), "made_at_s": part.made_at_s,
    }  # fmt: skip
    conn.execute(insert(file_parts), given)
    return former


def parts(conn: Connection, upload_id: str, after: int, most: int) -> list[PartRow]:
    """The parts of an upload by number."""
    of = file_parts.c
    query = select(file_parts).where(of.upload_id == upload_id, of.part_number > after)
    return [
        PartRow(
            row.sha256,
            PartOf(row.part_number, row.etag, row.size_bytes, row.made_at_s, json.loads(row.checksums)),
        )
        for row in conn.execute(query.order_by(of.part_number).limit(most))
    ]


# -- layouts -----------------------------------------------------------------------------------------------------------
def add_layout(conn: Connection, layout_id: str, given: Sequence[PartRow]) -> int:
    """Keep the layout of a file, which nothing has yet; how many bytes it makes up."""
    rows, at = list[dict[str, Any]](), 0
    for one in given:
        rows.append(
            {
                "layout_id": layout_id, "part_number": one.part.part_number, "start_bytes": at,
                "size_bytes": one.part.size_bytes, "sha256": one.sha256, "etag": one.part.etag,
                "checksums": json.dumps(dict(one.part.checksums)),
            }
        )  # fmt: skip
        at += one.part.size_bytes
    conn.execute(insert(file_layouts), {"layout_id": layout_id, "n_refs": 0})
    conn.execute(insert(layout_parts), rows)
    return at


def count_layout(conn: Connection, layout_id: str, by: int) -> list[str]:
    """Count who has a layout; the blobs of one that nobody has any more, which is gone then."""
    of = file_layouts.c
    query = update(file_layouts).where(of.layout_id == layout_id).values(n_refs=of.n_refs + by)
    if conn.execute(query.returning(of.n_refs)).scalar_one() > 0:
        return []
    named = list(conn.execute(select(layout_parts.c.sha256).where(layout_parts.c.layout_id == layout_id)).scalars())
    for table in (layout_parts, file_layouts):
        conn.execute(delete(table).where(table.c.layout_id == layout_id))
    return named


def layout(conn: Connection, layout_id: str, start: int, end: int) -> list[LayoutPart]:
    """The blobs of a file that overlap [start, end), in order."""
    of = layout_parts.c
    query = select(layout_parts).where(of.layout_id == layout_id, of.start_bytes < end)
    query = query.where(of.start_bytes + of.size_bytes > start).order_by(of.part_number)
    return [_layout_part(row) for row in conn.execute(query)]


def layout_parts_of(conn: Connection, layout_id: str, after: int, most: int) -> list[LayoutPart]:
    """The blobs of a file by number."""
    of = layout_parts.c
    query = select(layout_parts).where(of.layout_id == layout_id, of.part_number > after)
    return [_layout_part(row) for row in conn.execute(query.order_by(of.part_number).limit(most))]


def blobs_of(conn: Connection, layout_ids: Iterable[str]) -> list[tuple[str, int]]:
    """The blobs of layouts, with their sizes, each once."""
    found = dict[str, int]()
    for layout_id in layout_ids:
        query = select(layout_parts.c.sha256, layout_parts.c.size_bytes)
        found.update(
            (row.sha256, row.size_bytes) for row in conn.execute(query.where(layout_parts.c.layout_id == layout_id))
        )
    return list(found.items())


def lying_in(
    conn: Connection, hashes: Collection[str], project_ids: Collection[str], most: int
) -> list[tuple[str, str, FileVersion]]:
    """Files of some projects in which blobs lie, also as a part: blob, project, version. No index helps: for the rare
    case of a damaged content.
    """
    of = layout_parts.c
    parts = conn.execute(select(of.layout_id, of.sha256).where(of.sha256.in_(hashes)).limit(most)).all()
    found = list[tuple[str, str, FileVersion]]()
    for bucket in buckets_of(conn, project_ids):
        for row in versions_with(conn, bucket, hashes, {part.layout_id for part in parts}, most):
            content = row.content
            lies = (
                [content.sha256]
                if content.sha256
                else [one.sha256 for one in parts if one.layout_id == content.layout_id]
            )
            found += [(name, bucket.project_id, row.file) for name in lies]
    return found


def _layout_part(row: Row[Any]) -> LayoutPart:
    part = FilePart(row.part_number, row.start_bytes, row.size_bytes, row.etag, json.loads(row.checksums))
    return LayoutPart(row.sha256, part)
