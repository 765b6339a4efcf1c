"""Bodies on their way in: taken out of their chunks, counted, and compared with all that was promised of them."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool

from eureka_park.web.doors.s3 import checksums, documents
from eureka_park.web.doors.s3.asking import Asked
from eureka_park.web.doors.s3.chunked import FORMS, ChunkedBody
from eureka_park.web.doors.s3.documents import Node
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import UNSIGNED
from eureka_park.web.doors.streams import body_of, take_in

T = TypeVar("T")
_HEX_64: Final = re.compile(r"[0-9a-f]{64}")
_SIZE: Final = re.compile(r"[0-9]{1,15}")
SIZE_HEADER: Final = "x-amz-decoded-content-length"


class Incoming:
    """One body. Iterate over `pieces_of`, then `ended`: nothing that was promised of it is left unlooked at.

    `algorithm`: a checksum to be counted also where the client sends none; `of_body`: whether the one in the headers is
    of this body. Raises Fault, at once where it can be known.
    """

    def __init__(self, asked: Asked, algorithm: str = "", *, of_body: bool = True) -> None:
        self._asked = asked
        claimed = asked.proof.claim.payload_hash
        self._sha256 = claimed if _HEX_64.fullmatch(claimed) else ""
        if not self._sha256 and claimed != UNSIGNED and claimed not in FORMS:
            raise Fault(
                "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING form or a SHA-256."
            )
        self.size_bytes = _size(asked, claimed in FORMS)
        self._chunked = ChunkedBody(claimed, self.size_bytes, asked.proof) if claimed in FORMS else None
        self._md5 = _md5(asked)
        self._promised, self._text = checksums.given_in(dict(asked.sent.headers)) if of_body else ("", "")
        self._in_trailer = self._announced()
        if self._text:
            name = f"{checksums.PREFIX}{self._promised}"
            checksums.decoded(self._text, checksums.N_BYTES[self._promised], name)
        named = asked.header("x-amz-sdk-checksum-algorithm")
        self.algorithm = self._promised or self._in_trailer or (checksums.algorithm_of(named) if named else algorithm)
        self._sum = checksums.running(self.algorithm) if self.algorithm else None
        self._hash = hashlib.sha256() if self._sha256 else None

    def _announced(self) -> str:
        """The checksum that is to come after the body."""
        names = [name.strip().lower() for name in self._asked.header("x-amz-trailer").split(",") if name.strip()]
        found = [name.removeprefix(checksums.PREFIX) for name in names if name.startswith(checksums.PREFIX)]
        if len(found) > 1 or (found and (self._promised or self._chunked is None)):
            raise Fault("InvalidRequest", "Expecting a single checksum, in a header or in a trailer.")
        return checksums.algorithm_of(found[0]) if found else ""

    def pieces_of(self, raw: Iterable[bytes]) -> Iterator[bytes]:
        """The content, in the pieces in which it comes."""
        pieces = iter(raw) if self._chunked is None else self._chunked.pieces_of(raw)
        return checksums.counted(pieces, *(one for one in (self._sum, self._hash) if one is not None))

    def ended(self, md5: str) -> dict[str, str]:
        """Compare all of it with what was promised; the checksum to be kept. Raises Fault."""
        if self._md5 and not hmac.compare_digest(self._md5, md5):
            raise Fault("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if self._hash is not None and not hmac.compare_digest(self._hash.hexdigest(), self._sha256):
            raise Fault(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )
        if self._sum is None:
            return {}
        found = checksums.text_of(self._sum.digest())
        promised = self._text
        if self._in_trailer and self._chunked is not None:
            promised = self._chunked.trailers.get(f"{checksums.PREFIX}{self._in_trailer}", "")
            if not promised:
                raise Fault("MalformedTrailerError", "The checksum that was announced did not come.")
        if promised and promised != found:
            raise Fault(
                "BadDigest", f"The {self.algorithm.upper()} you specified did not match the calculated checksum."
            )
        return {self.algorithm: found}


def _size(asked: Asked, is_chunked: bool) -> int:
    text = asked.header(SIZE_HEADER if is_chunked else "content-length")
    if not text and not is_chunked and "transfer-encoding" not in dict(asked.sent.headers):
        return 0
    if not _SIZE.fullmatch(text):
        raise Fault("MissingContentLength", "You must provide the Content-Length HTTP header.")
    return int(text)


def _md5(asked: Asked) -> str:
    text = asked.header("content-md5")
    return checksums.decoded(text, 16, "content-md5").hex() if text else ""


async def streamed(asked: Asked, work: Callable[[Iterator[bytes]], T]) -> T:
    """Give a body to a call in a thread, piece by piece, once there is a place for its sender."""
    return await take_in(asked.request, work, by=asked.who.person_id or asked.key_id)


async def document(asked: Asked, root: str, work: Callable[[Node], T], *, of_body: bool = True) -> T:
    """Read a document that came as the body, and do something with it in a thread. Raises Fault."""
    incoming = Incoming(asked, of_body=of_body)
    if incoming.size_bytes > documents.BYTES_MAX:
        raise documents.malformed()
    raw = await body_of(asked.request, 2 * documents.BYTES_MAX)

    def read() -> T:
        content = b"".join(incoming.pieces_of([raw]))
        if len(content) != incoming.size_bytes:
            raise Fault("IncompleteBody", "You did not provide the number of bytes specified by the Content-Length.")
        incoming.ended(hashlib.md5(content, usedforsecurity=False).hexdigest())
        return work(documents.read(content, root))

    return await run_in_threadpool(read)
