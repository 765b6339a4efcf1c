"""Packs of chunks: made as clients make them, taken in and put together; whatever is wrong with one leaves nothing."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path

import lz4.frame
import pytest
from blake3 import blake3
from tests.helpers.data_park import DataPark
from tests.helpers.xet_packs import header, pack_of, packed, shard_of

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.shard import TAG, read_files
from eureka_park.data.core.xet import (
    CHUNK_BYTES_MAX,
    PackReader,
    chunk_hash,
    chunks_of,
    file_hash,
    hash_bytes,
    hash_text,
    range_hash,
    tree_hash,
)
from eureka_park.foundation.errors import BadInput, ParkError

CHUNKS = [bytes([n]) * (9_000 + n) for n in range(40)]


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


def refused(code: str, call: object, *words: object) -> None:
    with pytest.raises(ParkError) as caught:
        call(*words)  # type: ignore[operator]
    assert caught.value.code == code, caught.value


def test_hashes_are_those_of_the_protocol() -> None:
    assert hash_text(bytes(range(32))) == "07060504030201000f0e0d0c0b0a090817161514131211101f1e1d1c1b1a1918"
    assert hash_bytes(hash_text(bytes(range(32)))) == bytes(range(32))
    one = chunk_hash(b"x")
    assert tree_hash([(one, 1)]) == one and file_hash([(one, 1)]) == blake3(one, key=bytes(32)).digest()
    with pytest.raises(BadInput):
        hash_bytes("x" * 64)


def test_a_pack_is_read_in_any_pieces() -> None:
    name, content = pack_of(CHUNKS)
    for size in (1, 7, 4096, len(content)):
        reader = PackReader()
        for at in range(0, len(content) if size > 1 else 3000, size):
            reader.feed(content[at : at + size])
        if size > 1:
            assert hash_text(reader.finish()) == name
    assert list(chunks_of(content)) == CHUNKS


@pytest.mark.parametrize("fault", ["cut", "flipped", "version", "kind", "size", "bomb", "empty", "huge"])
def test_what_is_no_pack_is_refused(fault: str) -> None:
    name, content = pack_of(CHUNKS[:3])
    wrong = {
        "cut": content[:-1],
        "flipped": content[:-1] + bytes([content[-1] ^ 1]),
        "version": b"\7" + content[1:],
        "kind": content[:4] + b"\7" + content[5:],
        "size": content[:5] + b"\1\0\0" + content[8:],
        "bomb": header(len(body := lz4.frame.compress(bytes(10_000_000))), 1, 1000) + body,
        "empty": b"",
        "huge": header(10, 0, CHUNK_BYTES_MAX + 1) + bytes(10),
    }[fault]
    reader = PackReader()
    with pytest.raises(BadInput):
        reader.feed(wrong)
        if hash_text(reader.finish()) != name:
            raise BadInput("another pack")


def test_files_are_put_together_from_ranges_and_each_chunk_is_kept_once(park: DataPark) -> None:
    name, content = pack_of(CHUNKS)
    assert park.objects.put_pack("lab", name, [content[:5000], content[5000:]]) is True
    assert park.objects.put_pack("lab", name, [content]) is False
    whole, mixed = b"".join(CHUNKS), b"".join([*CHUNKS[5:9], *CHUNKS[0:2], *CHUNKS[5:6]])
    park.objects.put_shard("lab", shard_of([(name, CHUNKS, 0, 40)], hashlib.sha256(whole).hexdigest()))
    ranges = [(name, CHUNKS, 5, 9), (name, CHUNKS, 0, 2), (name, CHUNKS, 5, 6)]
    park.objects.put_shard("lab", shard_of(ranges, hashlib.sha256(mixed).hexdigest()))
    for expected in (whole, mixed):
        blob = park.objects.open("lab", hashlib.sha256(expected).hexdigest())
        assert blob.size_bytes == len(expected) and blob.content() == expected
        for start, end in ((0, 1), (8_999, 9_002), (20_000, 50_000), (len(expected) - 3, len(expected))):
            assert b"".join(blob.read(start, end)) == expected[start:end]
    assert len(park.objects_kept()) == 1 and park.objects.use("lab")[0] < len(content) + 1
    first = hash_text(chunk_hash(CHUNKS[0]))
    assert park.objects.find_chunk("lab", first) and park.objects.find_chunk("other", first) is None
    assert read_files(park.objects.find_chunk("lab", first) or b"") == []
    assert park.data.collector.scrub().findings == []
    made = park.repository()
    for _ in range(2):  # the files, then the pack in which they lay
        park.clock.step(3 * 86400.0)
        park.data.collector.collect()
    assert park.objects_kept() == [] and made, "nothing named it"


def test_a_shard_that_lies_makes_nothing(park: DataPark) -> None:
    name, content = pack_of(CHUNKS)
    sha256 = hashlib.sha256(b"".join(CHUNKS)).hexdigest()
    good = shard_of([(name, CHUNKS, 0, 40)], sha256)
    refused("unknown_pack", park.objects.put_shard, "lab", good)
    park.objects.put_pack("lab", name, [content])
    refused("unknown_pack", park.objects.put_shard, "other", good)  # another project's packs are none of theirs
    refused("hash_mismatch", park.objects.put_shard, "lab", shard_of([(name, CHUNKS, 0, 40)], "0" * 64))
    refused("hash_mismatch", park.objects.put_shard, "lab", shard_of([(name, CHUNKS, 0, 40)], sha256, proof=b"x" * 32))
    refused("hash_mismatch", park.objects.put_shard, "lab", shard_of([(name, [*CHUNKS, b"x"], 0, 41)], sha256))
    refused("bad_shard", park.objects.put_shard, "lab", good[:100])
    refused("bad_shard", park.objects.put_shard, "lab", b"x" * 200)
    refused("hash_mismatch", park.objects.put_pack, "lab", "0" * 64, [content])
    refused("bad_pack", park.objects.put_pack, "lab", name, [content[:-5]])
    assert park.objects.sizes("lab", [sha256]) == {} and len(park.objects_kept()) == 1
    assert list((park.folder / "incoming").iterdir()) == []


def test_a_project_learns_nothing_of_what_others_have_sent(park: DataPark) -> None:
    """Content is shared beneath, and nobody can tell (decision 0047): neither by the answer nor by keeping it alive."""
    name, content = pack_of(CHUNKS)
    assert park.objects.put_pack("lab", name, [content]) is True
    assert park.objects.put_pack("other", name, [content]) is True, "new to that project"
    assert park.objects.put_pack("other", name, [content]) is False and len(park.objects_kept()) == 1
    park.clock.step(20 * 3600.0)
    foreign, _ = pack_of(CHUNKS[1:])
    park.objects.put_pack("lab", foreign, [pack_of(CHUNKS[1:])[1]])
    park.clock.step(20 * 3600.0)
    shard = shard_of([(foreign, CHUNKS[1:], 0, 39)], "0" * 64)
    refused("unknown_pack", park.objects.put_shard, "other", shard)
    park.clock.step(5 * 3600.0)
    park.data.collector.collect()
    assert park.objects_kept() == [], "a shard of a project that was not sent a pack does not keep it"


def test_a_small_pack_makes_no_file_without_end(park: DataPark, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shard claims is looked at before any of it is read: bytes, chunks, the project's second limit, turns."""
    zeros = [bytes(CHUNK_BYTES_MAX)] * 64  # 16 MiB in some 70 kB
    chunks = [(chunk_hash(zeros[0]), CHUNK_BYTES_MAX)] * 64
    name, content = hash_text(tree_hash(chunks)), packed(zeros[0], 1) * 64
    park.objects.put_pack("lab", name, [content])
    monkeypatch.setattr(park.objects.reader, "parts", lambda *_: pytest.fail("it was read"))
    refused("too_large", park.objects.put_shard, "lab", shard_of_times(name, chunks, 9_000))  # 140 GiB
    park.objects.set_limit("lab", 2 * 16 * 1024**2)
    refused("quota", park.objects.put_shard, "lab", shard_of_times(name, chunks, 17))  # eight times the limit and more
    monkeypatch.undo()
    small = hashlib.sha256(bytes(CHUNK_BYTES_MAX)).hexdigest()
    shard = shard_of([(name, zeros, 0, 1)], small)
    taken = park.objects._shards.taken  # as while other shards of the project are being read
    with taken("lab"), taken("lab"):
        refused("busy", park.objects.put_shard, "lab", shard)
    park.objects.put_shard("lab", shard)
    park.objects.set_limit("lab", len(content) + 10)
    refused("quota", park.objects.put_shard, "lab", shard_of_times(name, chunks, 1))
    assert park.objects.sizes("lab", [small]) == {small: CHUNK_BYTES_MAX}


def shard_of_times(name: str, chunks: list[tuple[bytes, int]], n_times: int) -> bytes:
    """A shard of one file: a whole pack so many times."""
    proof, size = range_hash([digest for digest, _ in chunks]), sum(n_bytes for _, n_bytes in chunks)
    head = struct.pack("<32sQQ", TAG, 2, 0) + struct.pack("<32sII8x", bytes(32), 1 << 31, n_times)
    terms = struct.pack("<32sIIII", hash_bytes(name), 0, size, 0, len(chunks)) * n_times
    return head + terms + struct.pack("<32s16x", proof) * n_times + b"\xff" * 32 + bytes(16)


def test_a_pack_has_no_more_chunks_than_clients_make() -> None:
    reader = PackReader()
    with pytest.raises(BadInput):
        reader.feed(packed(b"x", 0) * 8193)
    reader = PackReader()
    with pytest.raises(BadInput):
        for _ in range(4097):
            reader.feed(packed(bytes(CHUNK_BYTES_MAX), 1))
