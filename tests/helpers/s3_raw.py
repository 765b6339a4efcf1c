"""Requests to the S3 door as no client would make them, soundly signed; and a sweep of many.

python -m tests.helpers.s3_raw [SEED N]
"""

from __future__ import annotations

import hmac
import http.client
import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from eureka_park.web.doors.s3 import documents
from eureka_park.web.doors.s3.signing import UNSIGNED, Claim, Sent, canonical_path, signing_key, string_to_sign
from tests.helpers.s3_door import REGION, S3Scene

TEXTS: Final = (
    "", "0", "1", "-1", "9" * 20, "k", "lab-desk", "\u00e9\U0001f41a", "\x01", "a" * 2000, "%00", "null",
    "true", "bytes=0-",
    "bytes=5-1", "bytes=-0", "bytes=0-0,2-3", "*", '"x"', "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 99 Foo 99999 00:00:00 GMT",
    "REPLACE", "COPY", "lab-desk/k", "lab-desk/k?versionId=zz", "CRC32", "FULL_OBJECT", "AAAAAA==", "../..",
    "/", "url", "2",
    "=", "&&", "ETag,Checksum", "a\r\nx: 1",
)  # fmt: skip
HEADERS: Final = (
    "range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "x-amz-copy-source",
    "x-amz-copy-source-range", "x-amz-copy-source-if-match", "x-amz-metadata-directive", "x-amz-tagging-directive",
    "x-amz-tagging", "x-amz-checksum-crc32", "x-amz-checksum-type", "x-amz-checksum-algorithm", "x-amz-trailer",
    "x-amz-sdk-checksum-algorithm", "content-md5", "content-encoding", "content-type", "cache-control", "x-amz-meta-a",
    "x-amz-object-attributes", "x-amz-mp-object-size", "x-amz-expected-bucket-owner", "x-amz-checksum-mode", "expires",
    "x-amz-decoded-content-length",
)  # fmt: skip
PARTS: Final = (
    "uploadId", "uploads", "acl", "delete", "lifecycle", "location", "tagging", "versioning", "versions",
    "attributes", "policy",
)  # fmt: skip
NAMES: Final = (
    "list-type", "prefix", "delimiter", "marker", "max-keys", "continuation-token", "start-after", "encoding-type",
    "key-marker", "version-id-marker", "upload-id-marker", "versionId", "partNumber", "max-parts", "part-number-marker",
    "response-content-type", "response-expires", "fetch-owner", "max-uploads",
)  # fmt: skip
BODIES: Final = (
    b"", b"x" * 100, b"<Delete><Object><Key>k2</Key></Object></Delete>", b"5\r\nhello\r\n0\r\n\r\n",
    b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>",
    b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
    b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>999999999</Days></Expiration></Rule>"
    b"</LifecycleConfiguration>",
    b"<Delete><Object><Key></Key></Object></Delete>",
    b"<Tagging><TagSet><Tag><Key>&#xFFFE;</Key></Tag></TagSet></Tagging>",
    b"<Delete><Object><Key>a</Key><VersionId>zz</VersionId></Object></Delete>",
)  # fmt: skip
PAYLOADS: Final = (
    *[UNSIGNED] * 6, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "0" * 64,
)  # fmt: skip


def signed(
    scene: S3Scene, method: str, path: str, payload: str = UNSIGNED, *, key: str = "lab", **headers: str
) -> dict[str, str]:
    """Headers with a signature over all of them; `payload`: what they say of the body."""
    key_id, secret = scene.keys[key]
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    named |= {"host": urlsplit(scene.served.s3_url).netloc, "x-amz-content-sha256": payload, "x-amz-date": now}
    names = tuple(sorted(named))
    claim = Claim(key_id, now[:8], REGION, now, names, "", payload, False)
    at, _, query = path.partition("?")
    text = string_to_sign(Sent(method, at, query, list(named.items())), claim, canonical_path(at))
    signature = hmac.digest(signing_key(secret, claim), text.encode(), "sha256").hex()
    about = f"Credential={key_id}/{claim.scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**named, "authorization": f"AWS4-HMAC-SHA256 {about}"}


def ask(scene: S3Scene, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, str, bytes]:
    """Status, S3's code, body."""
    parts = urlsplit(scene.served.s3_url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        is_error = answer.status >= 400 and content
        return answer.status, documents.read(content, "Error").text_of("Code") if is_error else "", content
    finally:
        connection.close()


def sweep(scene: S3Scene, seed: int, n_requests: int) -> list[str]:
    """Requests put together by chance; those to which the door had no answer of its own."""
    chance, client, wrong = random.Random(seed), scene.client(), []
    for number in range(n_requests):
        if number % 40 == 0:  # some of what is sent deletes
            if not any(one.name == "lab-desk" for one in scene.files.buckets(scene.lea)):
                scene.files.make_bucket(scene.lea, "lab", "lab-desk")
            client.put_object(Bucket="lab-desk", Key="k", Body=b"hello")
            upload = client.create_multipart_upload(Bucket="lab-desk", Key="k")["UploadId"]
        method = chance.choice(("GET", "GET", "PUT", "PUT", "POST", "DELETE", "HEAD"))
        path = f"/{chance.choice((*['lab-desk'] * 12, '', 'desk-theirs', 'LAB'))}"
        path += chance.choice(("", "/", "/k", "/k", f"/{quote(chance.choice(TEXTS))}", "//", "/%2e%2e/k"))
        words = [*chance.sample(PARTS, chance.choice((0, 1))), *chance.sample(NAMES, chance.choice((0, 0, 1, 2, 3)))]
        values = [chance.choice(("", f"={quote(chance.choice((*TEXTS, upload)))}")) for _ in words]
        path += "?" + "&".join(name + text for name, text in zip(words, values, strict=True)) if words else ""
        chosen = {name: chance.choice(TEXTS) for name in chance.sample(HEADERS, chance.choice((0, 0, 1, 2, 3)))}
        headers = {name: text for name, text in chosen.items() if text.isascii() and text.isprintable()}
        body, payload = chance.choice(BODIES), chance.choice(PAYLOADS)
        try:
            status, code, _ = ask(
                scene, method, path, signed(scene, method, path, payload, **headers), body if method[0] == "P" else None
            )
        except Exception as error:  # an answer that is none: the connection ended, or the document cannot be read
            status, code = 0, repr(error)
        if status != 501 and not 200 <= status < 500:
            wrong.append(f"{status} {code}: {method} {path} {headers} {payload} {body[:60]!r}")
    return wrong


def main() -> None:
    """Print what was wrong."""
    seed, n_requests = (int(word) for word in (sys.argv[1:3] if len(sys.argv) > 2 else ("1", "3000")))
    scene = S3Scene(Path(tempfile.mkdtemp()))
    print("\n".join(sweep(scene, seed, n_requests)) or "nothing")
    scene.stop()


if __name__ == "__main__":
    main()
