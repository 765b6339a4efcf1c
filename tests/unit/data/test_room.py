"""Uploads end where their project's room or the disk's ends: while they come, not when all of it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.data_park import DataPark
from tests.unit.data.test_xet import pack_of

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.objects.service import Batch
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import GIB, MIB

KIB = 1024


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> DataPark:
    made = DataPark(database, tmp_path / "blobs")
    made.objects.set_limit("lab", 100 * KIB)
    return made


class Sender:
    """Sends kibibytes and counts those that were taken."""

    def __init__(self, n_pieces: int) -> None:
        self.n_pieces, self.n_taken = n_pieces, 0

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.n_pieces):
            self.n_taken += 1
            yield bytes([number % 251]) * KIB


def refused(code: str, call: object, *words: object, **more: object) -> None:
    with pytest.raises(ParkError) as caught:
        call(*words, **more)  # type: ignore[operator]
    assert caught.value.code == code, caught.value


def waiting(park: DataPark) -> list[Path]:
    return list((park.folder / "incoming").iterdir())


def test_an_upload_of_no_stated_size_ends_where_the_projects_room_ends(park: DataPark) -> None:
    sender = Sender(1000)
    refused("quota", park.objects.put, "lab", sender)
    assert sender.n_taken == 101 and waiting(park) == park.objects_kept() == []

    def two_at_once() -> Iterator[bytes]:
        yield from Sender(60)
        refused("quota", park.objects.put, "lab", other)

    other = Sender(1000)
    park.objects.put("lab", two_at_once())
    assert other.n_taken == 41, "both count while they come"
    name, content = pack_of([bytes([n]) * 9_000 for n in range(40)][::3] * 20)
    park.objects.set_limit("lab", 61 * KIB)
    refused("quota", park.objects.put_pack, "lab", name, [content[:KIB], content[KIB:]])
    park.objects.put("other", Sender(200))  # another project has its own room


def test_parts_that_wait_take_room(park: DataPark) -> None:
    part = b"".join(Sender(40))
    park.objects.put_part("lab", "a", 0, len(part), [part])
    park.objects.put_part("lab", "b", len(part), len(part), [part])  # with a hole before it, which takes none
    sender = Sender(40)
    refused("quota", park.objects.put_part, "lab", "c", 0, 40 * KIB, sender)
    assert sender.n_taken == 21
    sender = Sender(40)
    refused("quota", park.objects.put, "lab", sender)
    assert sender.n_taken < 40
    park.objects.check_room("lab", 90 * KIB)  # it may be the upload that has begun
    refused("quota", park.objects.check_room, "lab", 101 * KIB)
    park.objects.put_part("other", "a", 0, len(part), [part])
    sha256 = hashlib.sha256(part).hexdigest()
    assert park.objects.end_parts("lab", "a", sha256=sha256, size_bytes=len(part)).size_bytes == len(part)
    assert park.objects.use("lab")[0] == len(part) and len(waiting(park)) == 3


def test_a_disk_keeps_some_of_its_bytes_free(park: DataPark, monkeypatch: pytest.MonkeyPatch) -> None:
    park.objects.set_limit("lab", None)
    free = [GIB + 10 * KIB, 1000 * GIB]
    monkeypatch.setattr(park.blobs, "space", lambda: tuple(free))
    refused("disk_full", park.objects.put, "lab", Sender(20), size_bytes=20 * KIB)
    park.objects.put("lab", Sender(10), size_bytes=10 * KIB)
    free[0] = GIB
    for call in (
        lambda: park.objects.put("lab", Sender(1)),
        lambda: park.objects.put_part("lab", "a", 0, KIB, Sender(1)),
        lambda: park.objects.put_small("lab", Batch(), b"x"),
        lambda: park.objects.put_pack("lab", *(lambda name, content: (name, [content]))(*pack_of([b"x" * 9000]))),
    ):
        refused("disk_full", call)
    free[:] = [3 * MIB, 100 * MIB]  # a small disk: a fiftieth of it
    park.objects.put("lab", Sender(2))
    assert len(park.objects_kept()) == 2
