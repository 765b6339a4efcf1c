"""Project files: buckets, versions, markers, lists, copies, uploads in parts; who may; what they hold of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.bucket import PART_BYTES_MIN, Condition, Describe, Versioning
from eureka_park.data.files.service import NoFile
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound
from tests.helpers.data_park import DataPark


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    yield DataPark(database, tmp_path / "blobs")


def put(park: DataPark, key: str, content: bytes, **more):
    return park.data.files.put(park.ada, "plots", key, [content], **more)


def read(park: DataPark, key: str, **more) -> bytes:
    return b"".join(park.data.files.read(park.ada, "plots", key, **more))


def test_a_file_is_written_read_replaced_and_deleted(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    words = Describe("text/csv", {"who": "ada"}, {"cache-control": "no-store"}, {"kind": "raw"})
    made = put(park, "a/b.csv", b"one", describe=words)
    assert made == files.head(park.ada, "plots", "a/b.csv")
    assert (made.etag, made.version_id, made.size_bytes) == (hashlib.md5(b"one").hexdigest(), "null", 3)
    assert (made.content_type, made.metadata, made.headers, made.tags) == (
        "text/csv", {"who": "ada"}, {"cache-control": "no-store"}, {"kind": "raw"},
    )  # fmt: skip
    assert read(park, "a/b.csv") == b"one"
    large = bytes(range(256)) * 8192
    put(park, "a/b.csv", large)
    assert read(park, "a/b.csv", start=5, end=1_500_000) == large[5:1_500_000]
    assert files.bucket(park.ada, "plots").n_versions == 1
    files.delete(park.ada, "plots", "a/b.csv")
    with pytest.raises(NoFile):
        files.head(park.ada, "plots", "a/b.csv")
    files.drop_bucket(park.lea, "plots")
    assert files.buckets(park.ada) == []
    park.clock.step(200_000.0)
    park.data.collector.collect()
    assert park.objects_kept() == []
