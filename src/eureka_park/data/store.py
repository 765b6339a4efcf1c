"""Rows of data. A blob's row is its file: the folder of blobs is the only truth about them; snapshots are rows."""

from __future__ import annotations

import json

from sqlalchemy import BigInteger, Column, Connection, Double, Integer, MetaData, String, Table, Text, select

from eureka_park.data.core.snapshot import SnapshotFile, ordered, snapshot_id, total_bytes
from eureka_park.foundation.canonical import canonical_json
from eureka_park.foundation.ids import SnapshotId
from eureka_park.foundation.store import insert_or_ignore

metadata = MetaData()

snapshots = Table(
    "snapshots",
    metadata,
    Column("snapshot_id", String(80), primary_key=True),
    Column("n_files", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("manifest", Text, nullable=False),  # canonical JSON: [{mode, path, sha256, size_bytes}] by path
    Column("created_at_s", Double, nullable=False),
)


def add_snapshot(conn: Connection, files: tuple[SnapshotFile, ...], now_s: float) -> SnapshotId:
    """Keep a snapshot; one that is there already stays as it is."""
    made_id = snapshot_id(files)
    manifest = canonical_json([file.to_json() for file in ordered(files)]).decode()
    row = {
        "snapshot_id": made_id,
        "n_files": len(files),
        "size_bytes": total_bytes(files),
        "manifest": manifest,
        "created_at_s": now_s,
    }
    insert_or_ignore(conn, snapshots, [row])
    return made_id


def snapshot(conn: Connection, asked_id: str) -> tuple[SnapshotFile, ...] | None:
    """The files of a snapshot by path."""
    manifest = conn.execute(select(snapshots.c.manifest).where(snapshots.c.snapshot_id == asked_id)).scalar()
    return None if manifest is None else tuple(SnapshotFile.from_json(item) for item in json.loads(manifest))
