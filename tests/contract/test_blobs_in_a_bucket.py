"""The store in a bucket (PARK_BLOBS=s3://...): on moto's server, and on another park's own S3 door."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.data_park import DataPark
from tests.helpers.moto_server import MotoServer, moto_server
from tests.helpers.s3_door import S3Scene

from eureka_park.adapters.blobs import Blobs
from eureka_park.adapters.bucket_blobs import BucketBlobs, make_blobs
from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.bucket import PART_BYTES_MIN
from eureka_park.data.scrubbing import OutOfReach
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, Unavailable
from eureka_park.foundation.units import DAY_S

MIB = 1024**2


@dataclass
class There:
    """A server: its client here, a bucket, and how objects in it are reached."""

    client: Any
    bucket: str
    blobs: BucketBlobs


@pytest.fixture(scope="module")
def moto() -> Iterator[MotoServer]:
    with moto_server() as server:
        yield server


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Scene]:
    scene = S3Scene(tmp_path_factory.mktemp("door"))
    yield scene
    scene.stop()


@pytest.fixture
def rows(_migrated_file: Path, tmp_path: Path) -> Iterator[SqlDatabase]:
    shutil.copy(_migrated_file, tmp_path / "park.sqlite3")
    made = SqlDatabase(f"sqlite:///{tmp_path / 'park.sqlite3'}")
    yield made
    made.close()


@pytest.fixture(params=("moto", "door"))
def there(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    if request.param == "moto":
        server: MotoServer = request.getfixturevalue("moto")
        client, bucket, env = server.client(), server.bucket(), server.env()
    else:
        scene: S3Scene = request.getfixturevalue("door")
        client, bucket, env = scene.client(), f"lab-{os.urandom(4).hex()}", scene.env()
        client.create_bucket(Bucket=bucket)
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, text in env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, text)
    blobs = make_blobs(tmp_path / "blobs", f"s3://{bucket}/the/folder")
    assert isinstance(blobs, BucketBlobs)
    return There(client, bucket, blobs)


def test_objects_are_put_once_read_in_parts_listed_and_dropped(there: There) -> None:
    blobs, large = there.blobs, os.urandom(20 * MIB + 3)
    blobs.put("ab/cd/small.1", b"small")
    with pytest.raises(Conflict):
        blobs.put("ab/cd/small.1", b"other")
    with blobs.staged() as file:
        file.write_bytes(large)
        blobs.keep(file, "packs/large.2")
        assert not file.exists()
    with blobs.staged() as file, pytest.raises(Conflict):
        file.write_bytes(b"again")
        blobs.keep(file, "ab/cd/small.1")
    for start, end in ((0, len(large)), (5, 9), (MIB - 1, 3 * MIB + 7), (len(large) - 1, len(large)), (4, 4)):
        assert b"".join(blobs.read("packs/large.2", start, end)) == large[start:end]
    found = {one.key: one for one in blobs.listed()}
    assert {key: one.size_bytes for key, one in found.items()} == {"ab/cd/small.1": 5, "packs/large.2": len(large)}
    assert abs(found["packs/large.2"].changed_at_s - time.time()) < 120
    keys = [one["Key"] for one in there.client.list_objects_v2(Bucket=there.bucket)["Contents"]]
    assert keys == ["the/folder/ab/cd/small.1", "the/folder/packs/large.2"]
    for _ in range(2):
        blobs.drop("packs/large.2")
    with pytest.raises(NotFound):
        list(blobs.read("packs/large.2", 0, 5))
    assert [one.key for one in blobs.listed()] == ["ab/cd/small.1"]


def test_a_park_lives_in_a_bucket(there: There, rows: SqlDatabase, tmp_path: Path) -> None:
    park = DataPark(rows, tmp_path / "blobs", there.blobs)
    park.clock.step(time.time() - park.clock.real_s())
    files, large = park.data.files, os.urandom(9 * MIB)
    version = park.commit(park.repository(), {"a.txt": b"one", "b/c.txt": b"two"})
    files.make_bucket(park.ada, "lab", "plots")
    files.put(park.ada, "plots", "large", [large])
    made = files.begin_upload(park.ada, "plots", "parts")
    bodies = [large[:PART_BYTES_MIN], b"end"]
    etags = [
        files.put_part(park.ada, "plots", "parts", made.upload_id, n, [body]).etag for n, body in enumerate(bodies, 1)
    ]
    files.complete(park.ada, "plots", "parts", made.upload_id, list(enumerate(etags, 1)))
    assert park.files(version) == {"a.txt": b"one", "b/c.txt": b"two"}
    assert b"".join(files.read(park.ada, "plots", "large")) == large
    edge = PART_BYTES_MIN - 2
    assert b"".join(files.read(park.ada, "plots", "parts", edge)) == large[edge:PART_BYTES_MIN] + b"end"
    assert not park.data.collector.scrub().findings
    there.blobs.put("ff/ff/litter.1", b"an upload that broke off")
    largest = max(there.blobs.listed(), key=lambda one: one.size_bytes).key
    for key, body in ((largest, b"cut"), (park.objects_kept()[0], b"other")):
        there.client.put_object(Bucket=there.bucket, Key=f"the/folder/{key}", Body=body)
    assert len(park.data.collector.scrub().findings) == len({largest, park.objects_kept()[0]})
    files.delete(park.ada, "plots", "parts")
    park.clock.step(3 * DAY_S)
    done = park.data.collector.collect()
    assert (done.n_blobs, done.n_objects) == (2, 3) and "ff/ff/litter.1" not in park.objects_kept()
    assert list((tmp_path / "blobs").rglob("*")) == [tmp_path / "blobs" / "incoming"], "nothing else is on the disk"


@pytest.mark.parametrize("there", ["moto"], indirect=True)
def test_a_bucket_that_does_not_answer_is_said_to_be_silent(
    there: There, rows: SqlDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    park = DataPark(rows, tmp_path / "blobs", there.blobs)
    version = park.commit(park.repository(), {"a.txt": b"one"})
    for url, address in ((f"s3://{there.bucket}-not/f", ""), (f"s3://{there.bucket}/f", "http://127.0.0.1:9")):
        with monkeypatch.context() as patch:
            patch.setattr("eureka_park.adapters.bucket_blobs._RETRY", {"max_retries": 0})
            if address:
                patch.setenv("AWS_ENDPOINT_URL", address)
            park.blobs._bucket = BucketBlobs(tmp_path, url)._bucket
        with pytest.raises(Unavailable) as caught:
            park.files(version)
        assert caught.value.code == "store_silent" and "debug" not in caught.value.message.lower()
        with pytest.raises(Unavailable):
            park.commit(park.repository("other" + str(len(address))), {"b.txt": b"two"})
        with pytest.raises((OutOfReach, Unavailable)):
            park.data.collector.scrub()
        assert park.data.upkeep.status(park.owner).n_damaged == 0
    for url in ("gs://bucket", "s3://", "bucket", "memory://"):
        with pytest.raises(BadInput):
            make_blobs(tmp_path, url)
    assert type(make_blobs(tmp_path, "")) is Blobs
