"""Checksums that clients send beside a body and want to hear again. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from eureka_park.web.doors.s3 import crc
from eureka_park.web.doors.s3.faults import Fault

PREFIX: Final = "x-amz-checksum-"
N_BYTES: Final[Mapping[str, int]] = {"crc32": 4, "crc32c": 4, "crc64nvme": 8, "sha1": 20, "sha256": 32}
_CRCS: Final[Mapping[str, crc.Crc]] = {"crc32": crc.CRC32, "crc32c": crc.CRC32C, "crc64nvme": crc.CRC64NVME}
COMPOSITE, FULL_OBJECT = "COMPOSITE", "FULL_OBJECT"


class Running(Protocol):
    """A checksum while the body comes."""

    def update(self, piece: bytes, /) -> None:
        """Take in the next piece."""

    def digest(self) -> bytes:
        """The checksum of all that came."""


class _Crc:
    def __init__(self, algorithm: str) -> None:
        self._algorithm, self._value = algorithm, 0

    def update(self, piece: bytes) -> None:
        if self._algorithm == "crc32":
            self._value = zlib.crc32(piece, self._value)
        else:
            self._value = _CRCS[self._algorithm].update(self._value, piece)

    def digest(self) -> bytes:
        return self._value.to_bytes(N_BYTES[self._algorithm], "big")


def running(algorithm: str) -> Running:
    """A checksum to be counted; `algorithm` in small letters, of `N_BYTES` or `md5`."""
    if algorithm in _CRCS:
        return _Crc(algorithm)
    return hashlib.new(algorithm, usedforsecurity=False)


def text_of(digest: bytes) -> str:
    """A checksum as headers and documents have it."""
    return base64.b64encode(digest).decode()


def decoded(text: str, n_bytes: int, name: str) -> bytes:
    """A checksum from a header. Raises Fault for what is none."""
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != n_bytes:
        code = "InvalidDigest" if name == "content-md5" else "InvalidRequest"
        raise Fault(code, f"Value for {name} header is invalid.")
    return digest


def algorithm_of(word: str) -> str:
    """The algorithm that a client names, in small letters. Raises Fault."""
    name = word.strip().lower()
    if name not in N_BYTES:
        raise Fault(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported: use CRC32, CRC32C, CRC64NVME, SHA1 or SHA256.",
        )
    return name


def given_in(headers: Mapping[str, str]) -> tuple[str, str]:
    """The one checksum that headers carry: its algorithm and text; empty ones for none. Raises Fault for several."""
    found = [(name.removeprefix(PREFIX), value) for name, value in headers.items() if name.startswith(PREFIX)]
    found = [(name, value) for name, value in found if name in N_BYTES]
    if len(found) > 1:
        raise Fault("InvalidRequest", "Expecting a single x-amz-checksum- header.")
    return found[0] if found else ("", "")


def counted(pieces: Iterable[bytes], *sums: Running) -> Iterator[bytes]:
    """The same pieces, while checksums count them."""
    for piece in pieces:
        for one in sums:
            one.update(piece)
        yield piece


def of_parts(algorithm: str, kind: str, parts: Sequence[tuple[str, int]]) -> str:
    """The checksum of an object put together of parts (checksum, bytes): of their checksums, or of all its content.

    Raises Fault for a full one of a hash, which cannot be had from those of parts.
    """
    digests = [base64.b64decode(text) for text, _ in parts]
    if kind == FULL_OBJECT:
        if algorithm not in _CRCS:
            raise Fault(
                "InvalidRequest",
                f"The FULL_OBJECT checksum type cannot be used with the {algorithm} checksum algorithm.",
            )
        value = 0
        for digest, (_, n_bytes) in zip(digests, parts, strict=True):
            value = _CRCS[algorithm].joined(value, int.from_bytes(digest, "big"), n_bytes)
        return text_of(value.to_bytes(N_BYTES[algorithm], "big"))
    whole = running(algorithm)
    whole.update(b"".join(digests))
    return f"{text_of(whole.digest())}-{len(parts)}"
