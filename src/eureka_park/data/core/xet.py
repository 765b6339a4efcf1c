"""Packs of chunks as clients of the hub door send large files: hashes, packs (xorbs) and lists of files (shards).

After the published specification of the protocol (huggingface/xet-core, folder `spec`, version 1.1). Hashes are BLAKE3
with a key for each purpose; as text, each of their four 64-bit words is turned round.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import lz4.frame
import numpy as np
from blake3 import blake3

from eureka_park.foundation.errors import BadInput

_HASH: Final = re.compile(r"[0-9a-fA-F]{64}")
CHUNK_KEY: Final = bytes(
    [102, 151, 245, 119, 91, 149, 80, 222, 49, 53, 203, 172, 165, 151, 24, 28,
     157, 228, 33, 16, 155, 235, 43, 88, 180, 208, 176, 75, 147, 173, 242, 41]
)  # fmt: skip
NODE_KEY: Final = bytes(
    [1, 126, 197, 199, 165, 71, 41, 150, 253, 148, 102, 102, 180, 138, 2, 230,
     93, 221, 83, 111, 55, 199, 109, 210, 248, 99, 82, 230, 74, 83, 113, 63]
)  # fmt: skip
RANGE_KEY: Final = bytes(
    [127, 24, 87, 214, 206, 86, 237, 102, 18, 127, 249, 19, 231, 165, 195, 243,
     164, 205, 38, 213, 181, 219, 73, 230, 65, 36, 152, 127, 40, 251, 148, 195]
)  # fmt: skip
FILE_KEY: Final = bytes(32)
BRANCHES_MEAN: Final = 4
BRANCHES_MAX: Final = 2 * BRANCHES_MEAN + 1
CHUNK_BYTES_MAX: Final = 256 * 1024  # clients cut at 128 KiB
XORB_BYTES_MAX: Final = 72 * 1024**2  # clients stop at 64 MiB
XORB_CHUNKS_MAX: Final = 8 * 1024  # as clients; some stop at 64 MiB as sent and may have packed far more ...
XORB_CONTENT_BYTES_MAX: Final = XORB_CHUNKS_MAX * 128 * 1024  # ... but no more than chunks of the largest size
ASKED_EVERY: Final = 1024  # of so many chunks clients ask whether one is known already
_HEADER: Final = struct.Struct("<B3sB3s")
_FOOTER_MARK: Final = b"XETBLOB"
_PLAIN, _LZ4, _GROUPED_LZ4 = 0, 1, 2


def hash_text(digest: bytes) -> str:
    """A hash as it stands in addresses."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", digest))


def hash_bytes(text: str) -> bytes:
    """A hash from its text. Raises BadInput."""
    if _HASH.fullmatch(text) is None:
        raise _bad("That is no hash of a pack.", "bad_hash")
    return struct.pack("<4Q", *(int(text[at : at + 16], 16) for at in range(0, 64, 16)))


def chunk_hash(content: bytes | memoryview) -> bytes:
    """The hash of a chunk."""
    return blake3(content, key=CHUNK_KEY).digest()


def tree_hash(chunks: Sequence[tuple[bytes, int]]) -> bytes:
    """The hash of a pack: chunks by (hash, size), joined in groups until one is left."""
    level = list(chunks)
    if not level:
        return bytes(32)
    while len(level) > 1:
        joined, at = [], 0
        while at < len(level):
            end = at + _group_size(level, at)
            joined.append(_joined(level[at:end]))
            at = end
        level = joined
    return level[0][0]


def file_hash(chunks: Sequence[tuple[bytes, int]]) -> bytes:
    """The hash of a file by its chunks."""
    return blake3(tree_hash(chunks), key=FILE_KEY).digest() if chunks else bytes(32)


def range_hash(hashes: Sequence[bytes]) -> bytes:
    """What shows that somebody knows the chunks of a range."""
    return blake3(b"".join(hashes), key=RANGE_KEY).digest()


def is_asked_for(digest: bytes) -> bool:
    """Whether clients ask about a chunk of this hash wherever it lies."""
    return int.from_bytes(digest[24:], "little") % ASKED_EVERY == 0


def _group_size(level: Sequence[tuple[bytes, int]], at: int) -> int:
    left = len(level) - at
    if left <= 2:
        return left
    end = min(BRANCHES_MAX, left)
    for index in range(2, end):
        if level[at + index][0][24] % BRANCHES_MEAN == 0:
            return index + 1
    return end


def _joined(group: Sequence[tuple[bytes, int]]) -> tuple[bytes, int]:
    lines = "".join(f"{hash_text(digest)} : {size}\n" for digest, size in group)
    return blake3(lines.encode(), key=NODE_KEY).digest(), sum(size for _, size in group)


@dataclass(slots=True)
class PackReader:
    """Reads a pack as it comes, in the memory of one chunk: checks each and notes where it lies."""

    n_packed: int = 0  # bytes of whole chunks so far
    chunks: list[tuple[bytes, int]] = field(default_factory=list)  # (hash, size)
    ends: list[int] = field(default_factory=list)  # where each packed chunk ends
    _waiting: bytearray = field(default_factory=bytearray)
    _n_content: int = 0  # bytes of all chunks, unpacked
    _is_over: bool = False

    def feed(self, piece: bytes) -> None:
        """Take in what came; only a chunk that goes on in the next piece is copied. Raises BadInput for no pack."""
        content, at = memoryview(piece), 0
        if self._waiting:
            at = self._go_on(content)
        while not self._is_over and not self._waiting and at < len(content):
            end = self._end_of(content, at)
            if end > len(content):
                self._waiting += content[at:]
                return
            self._note(content, at, end)
            at = end

    def _go_on(self, content: memoryview) -> int:
        """Complete the chunk that had begun before; how many bytes of what came that took."""
        used = 0
        while not self._is_over and used < len(content):
            missing = self._end_of(self._waiting, 0) - len(self._waiting)
            self._waiting += content[used : used + missing]
            used = min(len(content), used + missing)
            if len(self._waiting) > _HEADER.size and self._end_of(self._waiting, 0) == len(self._waiting):
                self._note(self._waiting, 0, len(self._waiting))
                self._waiting = bytearray()
                break
        return used

    def _end_of(self, content: bytearray | memoryview, at: int) -> int:
        """Where the chunk at a place ends, as far as its header has come."""
        if len(content) - at < _HEADER.size:
            return at + _HEADER.size
        if content[at] != 0:
            self._is_over = bytes(content[at : at + len(_FOOTER_MARK)]) == _FOOTER_MARK
            if not self._is_over:
                raise _bad("The pack holds a chunk of an unknown form.", "bad_pack")
            return len(content) + 1
        return at + _HEADER.size + _header(content, at)[0]

    def finish(self) -> bytes:
        """The hash of the whole pack. Raises BadInput for one that is cut off."""
        if (self._waiting and not self._is_over) or not self.chunks:
            raise _bad("The pack is cut off.", "bad_pack")
        return tree_hash(self.chunks)

    def _note(self, content: bytearray | memoryview, at: int, end: int) -> None:
        _, kind, size = _header(content, at)
        self._n_content += size
        if len(self.chunks) >= XORB_CHUNKS_MAX or self._n_content > XORB_CONTENT_BYTES_MAX:
            raise _bad("The pack has too many chunks.", "bad_pack")
        with memoryview(content) as view, view[at + _HEADER.size : end] as packed:
            self.chunks.append((chunk_hash(unpacked(packed, kind, size)), size))
        self.n_packed += end - at
        self.ends.append(self.n_packed)


def _header(content: bytes | bytearray | memoryview, at: int) -> tuple[int, int, int]:
    _, packed, kind, size = _HEADER.unpack_from(content, at)
    sizes = int.from_bytes(packed, "little"), int.from_bytes(size, "little")
    if not 0 < sizes[1] <= CHUNK_BYTES_MAX or not 0 < sizes[0] <= 2 * CHUNK_BYTES_MAX:
        raise _bad("The pack holds a chunk of an impossible size.", "bad_pack")
    return sizes[0], kind, sizes[1]


def unpacked(packed: bytes | memoryview, kind: int, size: int) -> bytes | memoryview:
    """A chunk's content. Raises BadInput for anything that is not exactly of this size."""
    content = packed
    if kind == _PLAIN:
        pass
    elif kind in (_LZ4, _GROUPED_LZ4):
        try:
            content = lz4.frame.LZ4FrameDecompressor().decompress(packed, max_length=size + 1)
        except RuntimeError:
            raise _bad("A chunk of the pack cannot be unpacked.", "bad_pack") from None
        content = _ungrouped(content) if kind == _GROUPED_LZ4 else content
    else:
        raise _bad("The pack holds a chunk of an unknown form.", "bad_pack")
    if len(content) != size:
        raise _bad("A chunk of the pack is not of the size that it says.", "bad_pack")
    return content


def _ungrouped(content: bytes) -> bytes:
    """Bytes that were sorted by their place in groups of four, back in their order."""
    given = np.frombuffer(content, dtype=np.uint8)
    result, at = np.empty_like(given), 0
    for place in range(4):
        lane = result[place::4]
        lane[:] = given[at : at + len(lane)]
        at += len(lane)
    return result.tobytes()


def chunks_of(content: bytes) -> Iterator[bytes | memoryview]:
    """The chunks of a run of whole packed chunks."""
    view, at = memoryview(content), 0
    while at < len(content):
        packed_size, kind, size = _header(content, at)
        at += _HEADER.size + packed_size
        yield unpacked(view[at - packed_size : at], kind, size)


def _bad(message: str, code: str) -> BadInput:
    return BadInput(message, fix="Send it again with a client of a version that the docs name.", code=code)
