"""Contents of confidential projects as their objects hold them: segments that each prove themselves.

An object is cut into segments of 64 KiB, each under AES-256-GCM with a key that is made of the project's key and the
object's key (HKDF-SHA256, RFC 5869), the segment's index as nonce and whether it is the last as what is proven beside
it. Any range can be read by itself; what was changed, moved, swapped or cut short is found. An object key is given once
and never again, so no nonce is ever used twice. The construction follows STREAM (https://eprint.iacr.org/2015/189).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

SEALED: Final = "sealed/"  # how keys of sealed objects begin
SEGMENT_BYTES: Final = 64 * 1024
TAG_BYTES: Final = 16
_WHOLE: Final = SEGMENT_BYTES + TAG_BYTES


def realm_of(name: str) -> str:
    """What a name begins with: '' for what all projects share, else the mark of a confidential project and a colon."""
    return name[: name.find(":") + 1]


def plain_name(name: str) -> str:
    """The hash in a name."""
    return name[name.find(":") + 1 :]


def sealed_key(realm: str, nonce: str, size_bytes: int) -> str:
    """The key of an object of a confidential project: it says nothing of the content but its size."""
    return f"{SEALED}{realm.rstrip(':')}/{nonce[:2]}/{nonce}.{size_bytes}"


def realm_of_key(object_key: str) -> str:
    """The realm of a sealed object; '' for one that lies in clear."""
    return f"{object_key.split('/')[1]}:" if object_key.startswith(SEALED) else ""


def plain_bytes(object_key: str) -> int:
    """The size of what a sealed object holds."""
    return int(object_key.rpartition(".")[2])


def sealed_bytes(size_bytes: int) -> int:
    """The size of the object that holds so many bytes."""
    return size_bytes + TAG_BYTES * _n_segments(size_bytes)


def sealed_range(size_bytes: int, start: int, end: int) -> tuple[int, int]:
    """Where in the object the segments lie that hold the bytes [start, end)."""
    first, last = start // SEGMENT_BYTES, (max(end, start + 1) - 1) // SEGMENT_BYTES
    return first * _WHOLE, min((last + 1) * _WHOLE, sealed_bytes(size_bytes))


def seal(project_key: bytes, object_key: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The segments of an object, in the memory of one and a piece. The pieces have the size that its key names."""
    cipher, last = _cipher(project_key, object_key), _n_segments(plain_bytes(object_key)) - 1
    for index, segment in enumerate(_cut(pieces)):
        yield bytes(cipher.encrypt(_nonce(index), segment, _about(index == last)))


def unseal(project_key: bytes, object_key: str, pieces: Iterable[bytes], start: int, end: int) -> Iterator[bytes]:
    """The bytes [start, end) of pieces that begin where `sealed_range` says. Raises ValueError for what was not sealed
    so, or is cut short.
    """
    from cryptography.exceptions import InvalidTag

    size_bytes = plain_bytes(object_key)
    cipher, last = _cipher(project_key, object_key), _n_segments(size_bytes) - 1
    end = min(end, size_bytes)
    at = start // SEGMENT_BYTES * SEGMENT_BYTES
    for segment in _cut(pieces, _WHOLE):
        index = at // SEGMENT_BYTES
        try:
            plain = bytes(cipher.decrypt(_nonce(index), segment, _about(index == last)))
        except InvalidTag:
            raise ValueError(f"segment {index} is not what was sealed") from None
        yield plain[max(0, start - at) : max(0, end - at)]
        at += len(plain)
    if at < end:
        raise ValueError("it is cut short")


def _cut(pieces: Iterable[bytes], size_bytes: int = SEGMENT_BYTES) -> Iterator[bytes]:
    """Pieces of one size, the last what is left; one empty one for nothing."""
    held = bytearray()
    n_cut = 0
    for piece in pieces:
        held += piece
        at = 0
        while len(held) - at > size_bytes:  # a full one may be the last: it waits
            yield bytes(held[at : at + size_bytes])
            at += size_bytes
            n_cut += 1
        del held[:at]
    if held or not n_cut:
        yield bytes(held)


def _n_segments(size_bytes: int) -> int:
    return max(1, -(-size_bytes // SEGMENT_BYTES))


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _about(is_last: bool) -> bytes:
    return b"last" if is_last else b"more"


def _cipher(project_key: bytes, object_key: str) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), 32, None, b"eureka park object\0" + object_key.encode()).derive(project_key))


__all__ = [
    "SEALED", "SEGMENT_BYTES", "plain_bytes", "plain_name", "realm_of", "realm_of_key", "seal", "sealed_bytes",
    "sealed_key", "sealed_range", "unseal",
]  # fmt: skip
