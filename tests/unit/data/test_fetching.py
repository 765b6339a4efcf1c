"""Files as clients put them together themselves from packs, and packs of which they are told."""

from __future__ import annotations

import hashlib
import itertools
import struct
from pathlib import Path

import pytest
from tests.helpers.data_park import DataPark
from tests.helpers.xet_packs import pack_of, shard_of

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.xet import chunk_hash, chunks_of, hash_bytes, hash_text
from eureka_park.data.objects import rebuilding
from eureka_park.data.objects.rebuilding import Plan

PACKS = [[bytes([pack, n]) * (500 + 7 * n) for n in range(12)] for pack in range(5)]


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> DataPark:
    return DataPark(database, tmp_path / "blobs")


def sent(park: DataPark, project: str, ranges: list[tuple[int, int, int]]) -> tuple[str, bytes]:
    """A file of ranges (pack, first, end), sent to a project with its packs: its hash and content."""
    for number in {number for number, _, _ in ranges}:
        name, packed = pack_of(PACKS[number])
        park.objects.put_pack(project, name, [packed])
    content = b"".join(b"".join(PACKS[number][first:end]) for number, first, end in ranges)
    sha256 = hashlib.sha256(content).hexdigest()
    of = [(pack_of(PACKS[number])[0], PACKS[number], first, end) for number, first, end in ranges]
    park.objects.put_shard(project, shard_of(of, sha256))
    return sha256, content


def put_together(park: DataPark, plan: Plan) -> bytes:
    """As a client does it."""
    chunks: dict[tuple[str, int], bytes] = {}
    for name, spans in plan.fetched.items():
        for before, after in itertools.pairwise(spans):
            assert after.end_chunk <= before.first_chunk  # the last first, no chunk twice
        for span in spans:
            content = b"".join(park.objects.packs.pack(name).read(span.packed_start, span.packed_end))
            unpacked = list(chunks_of(content))
            assert len(unpacked) == span.end_chunk - span.first_chunk and sum(map(len, unpacked)) == span.size_bytes
            chunks |= {(name, span.first_chunk + at): bytes(chunk) for at, chunk in enumerate(unpacked)}
    made = []
    for term in plan.terms:
        made.append(b"".join(chunks[term.pack_name, at] for at in range(term.first_chunk, term.end_chunk)))
        assert len(made[-1]) == term.size_bytes
    return b"".join(made)[plan.skipped_bytes :]


@pytest.mark.parametrize("span_bytes", [rebuilding.SPAN_BYTES, 1_500])
def test_any_range_of_a_file_is_put_together_from_what_is_told(
    park: DataPark, span_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "SPAN_BYTES", span_bytes)
    sha256, content = sent(park, "lab", [(0, 0, 4), (1, 2, 9), (0, 4, 6), (0, 9, 12), (1, 2, 3)])
    packs, n = park.objects.packs, len(content)
    for start, end in ((0, n), (0, 1), (999, 1001), (3_000, n - 5), (n - 1, n), (n - 3, n + 500), (5_000, 5_001)):
        plan = packs.plan("lab", sha256, start, end)
        assert plan is not None and put_together(park, plan)[: end - start] == content[start:end]
    assert packs.plan("lab", sha256, n, n + 1) is None
    assert packs.file_hash("lab", sha256) and not packs.file_hash("lab", "0" * 64)
    plain = park.objects.put("lab", [b"x" * 1000]).sha256
    assert packs.file_hash("lab", plain) == "" and packs.plan("lab", plain, 0, 10) is None


def told(shard: bytes | None) -> list[str]:
    """The packs that a shard lists."""
    names, at = [], 48 + 48
    while shard is not None and shard[at : at + 32] != b"\xff" * 32:
        name, _, n_chunks = struct.unpack_from("<32sII", shard, at)
        names.append(hash_text(name))
        at += 48 * (1 + n_chunks)
    return names


def test_who_has_one_chunk_is_told_of_all_packs_in_which_their_own_files_go_on(park: DataPark) -> None:
    names = [pack_of(chunks)[0] for chunks in PACKS]
    sent(park, "lab", [(0, 0, 12), (1, 0, 12), (2, 0, 12), (1, 0, 3)])
    sent(park, "other", [(0, 0, 12), (3, 0, 12)])
    first, middle = (hash_text(chunk_hash(PACKS[number][0])) for number in (0, 1))
    assert told(park.objects.find_chunk("lab", first)) == names[:3]
    assert told(park.objects.find_chunk("lab", middle)) == []  # no file begins there, and clients do not ask for it
    assert told(park.objects.find_chunk("other", first)) == [names[0], names[3]]
    sent(park, "lab", [(1, 0, 12), (4, 0, 12)])
    assert told(park.objects.find_chunk("lab", middle)) == [names[1], names[2], names[4]]
    assert hash_bytes(first) == chunk_hash(PACKS[0][0])
