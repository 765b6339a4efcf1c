"""Bodies of the form aws-chunked, taken apart piece by piece in constant memory. Pure.

Chunks of `SIZE[;chunk-signature=HEX]\\r\\n BYTES \\r\\n`, one of size 0 without bytes, then trailers `NAME:VALUE\\r\\n`
and `\\r\\n`. Each signature covers the one before it. Bytes are handed on before the signature of their chunk is known:
whoever takes them in must not show them to anybody before the end. Source: "Signature calculations for the
Authorization header: transferring a payload in multiple chunks" and "... including trailing headers", Amazon S3 API
Reference.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from typing import Final

from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import ALGORITHM, Proof

SIGNED: Final = f"STREAMING-{ALGORITHM}-PAYLOAD"
SIGNED_TRAILER: Final = f"{SIGNED}-TRAILER"
UNSIGNED_TRAILER: Final = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
FORMS: Final = frozenset({SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER})
LINE_BYTES_MAX: Final = 4096
TRAILERS_MAX: Final = 16
_HEAD: Final = re.compile(rb"(?P<size>[0-9A-Fa-f]{1,16})(?:;chunk-signature=(?P<signature>[0-9a-f]{64}))?")
_TRAILER: Final = re.compile(rb"(?P<name>[A-Za-z0-9\-]{1,64}):(?P<value>[\x20-\x7e\t]*)")
_SIGNATURE: Final = "x-amz-trailer-signature"


class ChunkedBody:
    """One body: iterate over `pieces_of`, then read `trailers` (small names)."""

    def __init__(self, form: str, size_bytes: int, proof: Proof | None) -> None:
        self.trailers: dict[str, str] = {}
        self._is_signed, self._has_trailer = form != UNSIGNED_TRAILER, form != SIGNED
        self._size_bytes, self._proof = size_bytes, proof
        self._before = proof.claim.signature if proof is not None else ""

    def pieces_of(self, raw: Iterable[bytes]) -> Iterator[bytes]:
        """The content. Raises Fault (`IncompleteBody`, `SignatureDoesNotMatch`, `InvalidRequest`)."""
        wire, n_bytes = _Wire(raw), 0
        while True:
            size, signature = self._head(wire.line())
            n_bytes += size
            if n_bytes > self._size_bytes:
                raise _incomplete("More bytes came than x-amz-decoded-content-length says.")
            digest = hashlib.sha256()
            for piece in wire.take(size):
                if self._is_signed:
                    digest.update(piece)
                yield piece
            self._check(signature, digest.hexdigest())
            if size == 0:
                break
            wire.expect_line_end()
        if n_bytes != self._size_bytes:
            raise _incomplete("Fewer bytes came than x-amz-decoded-content-length says.")
        self._read_trailers(wire)

    def _head(self, line: bytes) -> tuple[int, str]:
        found = _HEAD.fullmatch(line)
        if found is None or (found["signature"] is not None) != self._is_signed:
            raise Fault("InvalidRequest", "The body is not in the chunks that its headers announce.")
        return int(found["size"], 16), (found["signature"] or b"").decode()

    def _check(self, signature: str, sha256: str) -> None:
        if not self._is_signed:
            return
        if self._proof is None:
            raise Fault("AccessDenied", "A body in signed chunks needs a signed request.")
        if not hmac.compare_digest(self._proof.of_chunk(self._before, sha256), signature):
            raise Fault("SignatureDoesNotMatch", "The signature of a chunk does not match.")
        self._before = signature

    def _read_trailers(self, wire: _Wire) -> None:
        signed, signature = b"", ""
        while line := wire.line(is_last=not self._has_trailer):
            found = _TRAILER.fullmatch(line)
            name = found["name"].decode().lower() if found is not None else ""
            if found is None or not self._has_trailer or name in self.trailers or len(self.trailers) >= TRAILERS_MAX:
                raise Fault("MalformedTrailerError", "The trailing headers are not well formed.")
            value = found["value"].decode().strip()
            if name == _SIGNATURE:
                signature = value
                continue
            self.trailers[name] = value
            signed += f"{name}:{value}\n".encode()
        if self._is_signed and self._has_trailer and self._proof is not None:
            expected = self._proof.of_trailer(self._before, signed)
            if not hmac.compare_digest(expected.encode(), signature.encode()):
                raise Fault("SignatureDoesNotMatch", "The signature of the trailing headers does not match.")


class _Wire:
    """Raw pieces, read by lines and by bytes; never more than a piece and a line of it in memory."""

    def __init__(self, raw: Iterable[bytes]) -> None:
        self._raw, self._buffer, self._at = iter(raw), b"", 0

    def line(self, *, is_last: bool = False) -> bytes:
        """Up to the next line end. `is_last`: the body may just as well end here."""
        while (end := self._buffer.find(b"\r\n", self._at)) < 0:
            if len(self._buffer) - self._at > LINE_BYTES_MAX:
                raise Fault("InvalidRequest", "A line between the chunks is too long.")
            more = next(self._raw, None)
            if more is None:
                if is_last and self._at == len(self._buffer):
                    return b""
                raise _incomplete("The body ended within its chunks.")
            self._buffer, self._at = self._buffer[self._at :] + more, 0
        line = self._buffer[self._at : end]
        self._at = end + 2
        if len(line) > LINE_BYTES_MAX:
            raise Fault("InvalidRequest", "A line between the chunks is too long.")
        return line

    def take(self, size: int) -> Iterator[bytes]:
        """So many bytes, in pieces."""
        while size > 0:
            if self._at == len(self._buffer):
                more = next(self._raw, None)
                if more is None:
                    raise _incomplete("The body ended within its chunks.")
                self._buffer, self._at = more, 0
                continue
            piece = self._buffer[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece

    def expect_line_end(self) -> None:
        """The line end after a chunk's bytes."""
        if self.line() != b"":
            raise Fault("InvalidRequest", "A chunk does not end where it says.")


def _incomplete(why: str) -> Fault:
    return Fault("IncompleteBody", why)
