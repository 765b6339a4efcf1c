"""Checksums and documents of the S3 door."""

from __future__ import annotations

import base64
import hashlib
import zlib

import pytest

from eureka_park.web.doors.s3 import crc, documents
from eureka_park.web.doors.s3.checksums import COMPOSITE, FULL_OBJECT, algorithm_of, decoded, of_parts, running, text_of
from eureka_park.web.doors.s3.faults import Fault

CONTENT = b"".join(
    hashlib.sha256(bytes((at % 256, at // 256))).digest() for at in range(5_000)
)  # 160 kB, as if by chance


def bit_by_bit(content: bytes, polynomial: int, width: int) -> int:
    """A CRC as its definition has it."""
    state = ones = (1 << width) - 1
    for byte in content:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (polynomial if state & 1 else 0)
    return state ^ ones


def test_crcs_of_the_catalogue() -> None:
    assert crc.CRC32C.update(0, b"123456789") == 0xE3069283
    assert crc.CRC64NVME.update(0, b"123456789") == 0xAE8B14860A799888


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 4_097])
def test_lanes_change_no_crc(size: int) -> None:
    content = CONTENT[:size]
    assert crc.CRC32C.update(0, content) == bit_by_bit(content, 0x82F63B78, 32)
    assert crc.CRC64NVME.update(0, content) == bit_by_bit(content, 0x9A6C9329AC4BC9B5, 64)
    assert crc.CRC32.update(0, CONTENT[size:]) == zlib.crc32(CONTENT[size:])


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"])
def test_checksums_of_pieces_and_of_parts(algorithm: str) -> None:
    whole = running(algorithm)
    whole.update(CONTENT)
    in_pieces = running(algorithm)
    parts = []
    for start, end in ((0, 100_000), (100_000, 100_003), (100_003, len(CONTENT))):
        in_pieces.update(CONTENT[start:end])
        part = running(algorithm)
        part.update(CONTENT[start:end])
        parts.append((text_of(part.digest()), end - start))
    assert in_pieces.digest() == whole.digest()
    above = running(algorithm)
    above.update(b"".join(base64.b64decode(text) for text, _ in parts))
    assert of_parts(algorithm, COMPOSITE, parts) == f"{text_of(above.digest())}-3"
    if algorithm.startswith("crc"):
        assert of_parts(algorithm, FULL_OBJECT, parts) == text_of(whole.digest())
    else:
        with pytest.raises(Fault, match="FULL_OBJECT"):
            of_parts(algorithm, FULL_OBJECT, parts)


def test_what_is_no_checksum() -> None:
    for text in ("", "AAAA", "!!!!", "é"):
        with pytest.raises(Fault):
            decoded(text, 4, "x-amz-checksum-crc32")
    with pytest.raises(Fault):
        algorithm_of("crc16")


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbb"><!ENTITY c "&b;&b;">]><Delete><Key>&c;</Key></Delete>"""
OUTSIDE = b"""<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Delete><Key>&b;</Key></Delete>"""


@pytest.mark.parametrize(
    "content",
    [
        b"", b"<", b"{}", b"<Other/>", b"<Delete>", BOMB, OUTSIDE, b"<Delete>&b;</Delete>", b"<?x y?><Delete/>",
        b"<!DOCTYPE Delete><Delete/>", b"<Delete>" + b"<a>" * 20 + b"</a>" * 20 + b"</Delete>",
        b"<Delete>" + b"<a/>" * 200_000 + b"</Delete>", b"<Delete>" + b" " * 3_000_000 + b"</Delete>",
        b"<Delete>\xff</Delete>", b"<Delete>\x01</Delete>", b'<?xml version="1.0" encoding="x-none"?><Delete/>',
    ],
)  # fmt: skip
def test_documents_that_are_refused(content: bytes) -> None:
    with pytest.raises(Fault) as refused:
        documents.read(content, "Delete")
    assert refused.value.code == "MalformedXML"


def test_documents_come_back_as_they_were_written() -> None:
    value = {
        "Quiet": True,
        "Object": [{"Key": "a<b>&\"'é\U0001f41a", "n": 3}, {"Key": " two "}],
        "None": None,
        "Empty": {},
    }
    found = documents.read(documents.write("Delete", value), "Delete")
    assert found.text_of("Quiet") == "true"
    first, second = found.all("Object")
    assert first.get("Key").text == "a<b>&\"'é\U0001f41a"
    assert second.get("Key").text == " two "
    assert found.get("None") is None
    assert found.get("Empty").children == []
    assert documents.write("A", {"Key": "\x01\r"}).endswith(b"<Key>&#x1;&#xD;</Key></A>")
    assert documents.url_encoded("a b/\x01é+", "url") == "a%20b/%01%C3%A9%2B"
