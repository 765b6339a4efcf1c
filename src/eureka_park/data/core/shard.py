"""Shards: which ranges of which packs make up the files that a client has sent, and which packs hold a chunk.

After the published specification of the protocol (huggingface/xet-core, `spec/shard.md`):
rows of 48 bytes, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eureka_park.data.core.xet import range_hash
from eureka_park.foundation.errors import BadInput

TAG: Final = b"HFRepoMetaData\x00\x55\x69\x67\x45\x6a\x7b\x81\x57\x83\xa5\xbd\xd9\x5c\xcd\xd1\x4a\xa9"
VERSION: Final = 2
FOOTER_VERSION: Final = 1
SHARD_BYTES_MAX: Final = 64 * 1024**2
_ROW: Final = 48
_HEADER: Final = struct.Struct("<32sQQ")
_FILE: Final = struct.Struct("<32sII8x")
_TERM: Final = struct.Struct("<32sIIII")
_HASH: Final = struct.Struct("<32s16x")
_CHUNK: Final = struct.Struct("<32sII8x")
_PACK: Final = struct.Struct("<32sIIII")
_FOOTER: Final = struct.Struct("<9Q32sQQ72xQ")
_END: Final = b"\xff" * 32 + bytes(16)
_WITH_PROOF, _WITH_SHA256 = 1 << 31, 1 << 30
_TERMS_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Term:
    """A range of chunks of one pack; `proof` shows that the sender knows them."""

    xorb_hash: bytes
    size_bytes: int
    first_chunk: int
    end_chunk: int
    proof: bytes = b""

    def is_proven(self, hashes: Sequence[bytes]) -> bool:
        """Whether the sender knows the chunks of this range; `hashes` are those of the whole pack."""
        return self.proof == range_hash(hashes[self.first_chunk : self.end_chunk])


@dataclass(frozen=True, slots=True)
class ShardFile:
    """A file as a list of ranges; `sha256` '' where the client did not say it."""

    file_hash: bytes
    terms: tuple[Term, ...]
    sha256: str


def read_files(content: bytes) -> list[ShardFile]:
    """The files that a shard lists. Raises BadInput for what is no shard."""
    try:
        tag, version, _ = _HEADER.unpack_from(content)
        if version != VERSION or tag[:14] != TAG[:14]:
            raise _bad()
        files, at = [], _HEADER.size
        while content[at : at + _ROW] != _END:
            file, at = _read_file(content, at)
            files.append(file)
        return files
    except struct.error:
        raise _bad() from None


def _read_file(content: bytes, at: int) -> tuple[ShardFile, int]:
    digest, flags, n_terms = _FILE.unpack_from(content, at)
    at += _ROW
    if n_terms > _TERMS_MAX:
        raise _bad()
    rows = [_TERM.unpack_from(content, at + _ROW * index) for index in range(n_terms)]
    at += _ROW * n_terms
    proofs = [b""] * n_terms
    if flags & _WITH_PROOF:
        proofs = [_HASH.unpack_from(content, at + _ROW * index)[0] for index in range(n_terms)]
        at += _ROW * n_terms
    sha256 = ""
    if flags & _WITH_SHA256:
        words = struct.unpack("<4Q", _HASH.unpack_from(content, at)[0])
        sha256 = "".join(f"{word:016x}" for word in words)
        at += _ROW
    terms = tuple(
        Term(xorb, size, first, end, proof) for (xorb, _, size, first, end), proof in zip(rows, proofs, strict=True)
    )
    return ShardFile(digest, terms, sha256), at


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as a shard lists it: its chunks by (hash, size)."""

    xorb_hash: bytes
    chunks: tuple[tuple[bytes, int], ...]
    n_packed: int


def packs_shard(packs: Sequence[Pack], now_s: float, until_s: float) -> bytes:
    """A shard without files that lists packs: what a client learns to send less, and until when it may rely on it."""
    parts = [_HEADER.pack(TAG, VERSION, _FOOTER.size), _END]
    for pack in packs:
        parts.append(
            _PACK.pack(pack.xorb_hash, 0, len(pack.chunks), sum(size for _, size in pack.chunks), pack.n_packed)
        )
        start = 0
        for digest, size in pack.chunks:
            parts.append(_CHUNK.pack(digest, start, size))
            start += size
    content = b"".join([*parts, _END])
    end = len(content)
    places = (_HEADER.size, _HEADER.size + _ROW, end, 0, end, 0, end, 0)  # sections, then tables for looking up: empty
    return content + _FOOTER.pack(FOOTER_VERSION, *places, bytes(32), int(now_s), int(until_s), end)


def _bad() -> BadInput:
    return BadInput("That is no shard.", fix="Use a client of a version that the docs name.", code="bad_shard")
