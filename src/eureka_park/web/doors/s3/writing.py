"""Files on their way in, copied, deleted. Nothing is seen of a body before all that was promised of it holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.responses import Response

from eureka_park.data.core.bucket import HEADERS, KEY_BYTES_MAX, Condition, Deleted, Describe, FileVersion
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import GIB
from eureka_park.web.doors.s3 import answers, bodies, buckets, documents, reading
from eureka_park.web.doors.s3.asking import Asked, version_in
from eureka_park.web.doors.s3.documents import Node, Value
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import raw_pairs

BODY_BYTES_MAX: Final = 5 * GIB  # as S3 has it; larger files come in parts
DELETED_MAX: Final = 1_000
_SOURCE: Final = "x-amz-copy-source"
_CHUNKED: Final = "aws-chunked"
_ABSENT: Final = (
    "x-amz-server-side-encryption", "x-amz-object-lock-", "x-amz-website-redirect-location", "x-amz-write-offset-bytes",
)  # fmt: skip


# -- what comes with a file --------------------------------------------------------------------------------------------
def described(asked: Asked) -> Describe:
    """What the headers tell of the file. Raises Fault for what would be forgotten if it were let pass."""
    for name, _ in asked.sent.headers:
        if name.startswith(_ABSENT):
            raise Fault("NotImplemented", f"A header you provided implies functionality that is not there: {name[:80]}")
    if asked.header("x-amz-storage-class") not in ("", "STANDARD"):
        raise Fault("InvalidStorageClass", "There is one storage class here: STANDARD.")
    buckets.check_acl(asked)
    headers = {name: asked.header(name) for name in HEADERS if asked.header(name)}
    if "content-encoding" in headers:
        kept = [one.strip() for one in headers["content-encoding"].split(",")]
        headers["content-encoding"] = ",".join(one for one in kept if one and one != _CHUNKED)
        if not headers["content-encoding"]:
            del headers["content-encoding"]
    content_type = asked.header("content-type") or "binary/octet-stream"
    return Describe(content_type, asked.metadata(), headers, tags_of(asked.header("x-amz-tagging")))


def tags_of(header: str) -> dict[str, str]:
    """Tags of a header, written as a query. Raises Fault."""
    try:
        return {name.decode(): text.decode() for name, text in raw_pairs(header)}
    except UnicodeDecodeError:
        raise Fault("InvalidTag", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded.") from None


def condition_of(asked: Asked) -> Condition:
    """On what a write depends. Raises Fault."""
    none_match = asked.header("if-none-match")
    if none_match not in ("", "*"):
        raise Fault("NotImplemented", "If-None-Match of a write takes * alone.")
    return Condition(bool(none_match), asked.header("if-match"))


# -- a file ------------------------------------------------------------------------------------------------------------
async def put(asked: Asked) -> Response:
    """PutObject."""
    incoming, words, condition = bodies.Incoming(asked), described(asked), condition_of(asked)
    if incoming.size_bytes > BODY_BYTES_MAX:
        raise Fault("EntityTooLarge", f"One body takes {BODY_BYTES_MAX // GIB} GiB: send the file in parts.")

    def take(raw: Iterator[bytes]) -> FileVersion:
        return asked.files.put(
            asked.who,
            asked.bucket,
            asked.key,
            incoming.pieces_of(raw),
            describe=words,
            condition=condition,
            size_bytes=incoming.size_bytes,
            ended=incoming.ended,
        )

    made = await bodies.streamed(asked, take)
    headers = {"ETag": answers.quoted(made.etag), **answers.version_of(made)}
    return answers.nothing(200, {**headers, **answers.checksum_headers(made.checksums)})


def copy(asked: Asked) -> Response:
    """CopyObject: no bytes move."""
    source, condition = source_of(asked), condition_of(asked)
    found = asked.files.head(asked.who, *source)
    check_source(asked, found)
    new_words = _directive(asked, "x-amz-metadata-directive")
    new_tags = _directive(asked, "x-amz-tagging-directive")
    given = described(asked)
    if source == (asked.bucket, asked.key, None) and not new_words:
        raise Fault(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata.",
        )
    kept = given if new_words else Describe(found.content_type, found.metadata, found.headers)
    words = Describe(kept.content_type, kept.metadata, kept.headers, given.tags if new_tags else found.tags)
    made = asked.files.copy(
        asked.who, source, asked.bucket, asked.key, describe=words, condition=condition, source_etag=found.etag
    )
    headers = {"x-amz-copy-source-version-id": source[2]} if source[2] is not None else {}
    return answers.document(
        "CopyObjectResult",
        {
            "LastModified": documents.at(made.made_at_s), "ETag": answers.quoted(made.etag),
            **answers.checksums_of(made.checksums),
        },
        {**headers, **answers.version_of(made)},
    )  # fmt: skip


def _directive(asked: Asked, name: str) -> bool:
    word = asked.header(name) or "COPY"
    if word not in ("COPY", "REPLACE"):
        raise Fault("InvalidArgument", f"Unknown directive in {name}.")
    return word == "REPLACE"


def source_of(asked: Asked) -> tuple[str, str, str | None]:
    """What is to be copied: bucket, key, version or None. Raises Fault."""
    path, _, query = asked.header(_SOURCE).partition("?")
    try:
        bucket, _, key = unquote_to_bytes(path).decode().removeprefix("/").partition("/")
        pairs = {name.decode(): text.decode() for name, text in raw_pairs(query)}
    except UnicodeDecodeError:
        bucket, key, pairs = "", "", {}
    if not bucket or not key:
        raise Fault("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return bucket, key, version_in(pairs)


def check_source(asked: Asked, found: FileVersion) -> None:
    """Raise Fault where the source is a delete marker, or is not what the client wants to copy."""
    if found.is_delete_marker:
        raise Fault("InvalidRequest", "The source of a copy request may not specifically refer to a delete marker.")
    if reading.is_unchanged(asked, found, "x-amz-copy-source-"):
        raise reading.precondition_failed("x-amz-copy-source-If-None-Match or -If-Modified-Since")


def delete(asked: Asked) -> Response:
    """DeleteObject."""
    condition = Condition(if_match=asked.header("if-match"))
    done = asked.files.delete(asked.who, asked.bucket, asked.key, asked.version_id, condition=condition)
    headers = {"x-amz-version-id": done.version_id} if done.version_id not in ("", "null") else {}
    return answers.nothing(204, {**headers, **({"x-amz-delete-marker": "true"} if done.is_delete_marker else {})})


async def delete_many(asked: Asked) -> Response:
    """DeleteObjects."""

    def work(node: Node) -> Response:
        wanted = list(node.all("Object"))
        if not 0 < len(wanted) <= DELETED_MAX:
            raise documents.malformed()
        for one in wanted:
            if any(child.name not in ("Key", "VersionId") for child in one.children):
                raise Fault("NotImplemented", "Conditions of a deletion of many are not there.")
        keys = [_named(one) for one in wanted]
        done = asked.files.delete_many(asked.who, asked.bucket, keys)
        is_quiet = node.text_of("Quiet") == "true"
        pairs = list(zip(keys, done, strict=True))
        return answers.document(
            "DeleteResult",
            {
                "Deleted": [_done(key, one) for key, one in pairs if isinstance(one, Deleted) and not is_quiet],
                "Error": [_failed(key, one) for key, one in pairs if isinstance(one, ParkError)],
            },
        )

    return await bodies.document(asked, "Delete", work)


def _named(node: Node) -> tuple[str, str | None]:
    key = node.get("Key")
    if key is None or len(key.text) > KEY_BYTES_MAX:  # what is longer names nothing, and would be echoed
        raise documents.malformed()
    return key.text, node.text_of("VersionId") or None


def _done(key: tuple[str, str | None], done: Deleted) -> Value:
    """What was done with one. The version of a marker that was made has a name of its own."""
    version_id = None if done.version_id in ("", "null") and key[1] is None else done.version_id
    is_marker = done.is_delete_marker
    return {
        "Key": key[0], "VersionId": key[1], "DeleteMarker": is_marker or None,
        "DeleteMarkerVersionId": version_id if is_marker else None,
    }  # fmt: skip


def _failed(key: tuple[str, str | None], error: ParkError) -> Value:
    fault = answers.fault_of(error)
    return {"Key": key[0], "VersionId": key[1], "Code": fault.code, "Message": fault.message}


# -- tags --------------------------------------------------------------------------------------------------------------
async def set_tags(asked: Asked) -> Response:
    """PutObjectTagging."""

    def change(node: Node) -> Response:
        return _tagged(asked, buckets.tags_of(node), 200)

    return await bodies.document(asked, "Tagging", change)


def drop_tags(asked: Asked) -> Response:
    """DeleteObjectTagging."""
    return _tagged(asked, {}, 204)


def _tagged(asked: Asked, tags: dict[str, str], status: int) -> Response:
    file = asked.files.set_tags(asked.who, asked.bucket, asked.key, tags, asked.version_id)
    return answers.nothing(status, answers.version_of(file))
