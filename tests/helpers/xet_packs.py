"""Packs and shards as clients of the hub door make them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import lz4.frame

from eureka_park.data.core.shard import TAG
from eureka_park.data.core.xet import chunk_hash, file_hash, hash_bytes, hash_text, range_hash, tree_hash


def header(packed_size: int, kind: int, size: int) -> bytes:
    """What stands before a packed chunk."""
    return b"\0" + packed_size.to_bytes(3, "little") + bytes([kind]) + size.to_bytes(3, "little")


def packed(content: bytes, kind: int) -> bytes:
    """A chunk in a pack: plain (0), LZ4 (1) or LZ4 by place in groups of four (2)."""
    body = content
    if kind == 2:
        body = b"".join(content[place::4] for place in range(4))
    body = lz4.frame.compress(body) if kind else body
    return header(len(body), kind, len(content)) + body


def pack_of(chunks: Sequence[bytes]) -> tuple[str, bytes]:
    """A pack's name and content."""
    digest = tree_hash([(chunk_hash(chunk), len(chunk)) for chunk in chunks])
    return hash_text(digest), b"".join(packed(chunk, number % 3) for number, chunk in enumerate(chunks))


def shard_of(ranges: Sequence[tuple[str, Sequence[bytes], int, int]], sha256: str, *, proof: bytes = b"") -> bytes:
    """A shard of one file: (pack, all its chunks, first, end) for each range."""
    chunks = [chunk for _, of, first, end in ranges for chunk in of[first:end]]
    digest = file_hash([(chunk_hash(chunk), len(chunk)) for chunk in chunks])
    parts = [struct.pack("<32sQQ", TAG, 2, 0), struct.pack("<32sII8x", digest, 3 << 30, len(ranges))]
    for name, of, first, end in ranges:
        size = sum(map(len, of[first:end]))
        parts.append(struct.pack("<32sIIII", hash_bytes(name), 0, size, first, end))
    for _, of, first, end in ranges:
        parts.append(struct.pack("<32s16x", proof or range_hash([chunk_hash(chunk) for chunk in of[first:end]])))
    words = struct.pack("<4Q", *(int(sha256[at : at + 16], 16) for at in range(0, 64, 16)))
    return b"".join([*parts, struct.pack("<32s16x", words), b"\xff" * 32 + bytes(16), b"\xff" * 32 + bytes(16)])
