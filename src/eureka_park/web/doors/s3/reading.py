"""Files on their way out: whole, in part, or only what they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from starlette.responses import Response, StreamingResponse

from eureka_park.data.core.bucket import FileVersion
from eureka_park.data.files.service import NoFile
from eureka_park.web.doors.s3 import answers, buckets
from eureka_park.web.doors.s3.asking import Asked, http_date, seconds_of
from eureka_park.web.doors.s3.faults import Fault

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
_OVERRIDES: Final = {
    "response-content-type": "Content-Type", "response-content-language": "Content-Language",
    "response-expires": "Expires", "response-cache-control": "Cache-Control",
    "response-content-disposition": "Content-Disposition", "response-content-encoding": "Content-Encoding",
}  # fmt: skip


def get(asked: Asked) -> Response:
    """GetObject, and HeadObject, which leaves the bytes out."""
    file, read = _looked_up(asked)
    headers = answers.about(file)
    if is_unchanged(asked, file):
        kept = {name: headers[name] for name in ("ETag", "Last-Modified", "Accept-Ranges")}
        return answers.nothing(304, {**kept, **answers.version_of(file)})
    start, end, status = _part(asked, file)
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size_bytes}"
    elif asked.header("x-amz-checksum-mode").upper() == "ENABLED":
        headers |= answers.checksum_headers(file.checksums)
    headers |= _overrides(asked)
    headers["Content-Length"] = str(end - start)
    if asked.sent.method == "HEAD":
        return Response(status_code=status, headers=headers)
    pieces = read(start, end)
    first = next(pieces, b"")  # what cannot be read is told while it can be
    return StreamingResponse(chain((first,), pieces), status, headers)


def _looked_up(asked: Asked) -> tuple[FileVersion, Callable[[int, int], Iterator[bytes]]]:
    """A file and its bytes on demand. Raises Fault for a delete marker too."""
    version_id = asked.version_id
    try:
        opened = asked.files.open(asked.who, asked.bucket, asked.key, version_id)
    except NoFile as error:
        if version_id is not None and error.marker is not None:
            marker = error.marker
            headers = {"x-amz-delete-marker": "true", "Allow": "DELETE", "Last-Modified": http_date(marker.made_at_s)}
            headers |= answers.version_of(marker)
            raise Fault("MethodNotAllowed", "It is a delete marker.", headers=headers) from None
        raise _missing(error) from None
    return opened.file, opened.read


def _missing(error: NoFile) -> Fault:
    fault = answers.fault_of(error)
    if error.marker is not None:
        fault.headers |= {"x-amz-delete-marker": "true", **answers.version_of(error.marker)}
    return fault


def _overrides(asked: Asked) -> dict[str, str]:
    """Headers as the address wants them; an answer is a text of one line."""
    found = {header: asked.query[name] for name, header in _OVERRIDES.items() if name in asked.query}
    if any(not text.isprintable() or not text.isascii() for text in found.values()):
        raise Fault("InvalidArgument", "Header value cannot be represented.")
    return found


# -- conditions --------------------------------------------------------------------------------------------------------
def is_unchanged(asked: Asked, file: FileVersion, prefix: str = "") -> bool:
    """Whether the client has it already. Raises Fault (`PreconditionFailed`). `prefix`: that of a copy's source."""
    match, none_match = asked.header(f"{prefix}if-match"), asked.header(f"{prefix}if-none-match")
    since = seconds_of(asked.header(f"{prefix}if-modified-since"))
    until = seconds_of(asked.header(f"{prefix}if-unmodified-since"))
    made_s = int(file.made_at_s)
    if match and not _names(match, file.etag):
        raise precondition_failed(f"{prefix}If-Match")
    if not match and until is not None and made_s > until:
        raise precondition_failed(f"{prefix}If-Unmodified-Since")
    if none_match:
        return _names(none_match, file.etag)
    return since is not None and made_s <= since


def precondition_failed(condition: str) -> Fault:
    """A condition did not hold."""
    message = f"At least one of the pre-conditions you specified did not hold: {condition}"
    return Fault("PreconditionFailed", message, told={"Condition": condition})


def _names(header: str, etag: str) -> bool:
    named = {one.strip().removeprefix("W/").strip('"') for one in header.split(",")}
    return etag in named or "*" in named


# -- parts -------------------------------------------------------------------------------------------------------------
def _part(asked: Asked, file: FileVersion) -> tuple[int, int, int]:
    """The bytes [start, end) that are wanted, and the status that says so. Raises Fault (`InvalidRange`)."""
    number = asked.query.get("partNumber")
    given = asked.header("range")
    if number is not None:
        if given:
            raise Fault("InvalidRequest", "Cannot specify both Range header and partNumber query parameter.")
        if file.n_parts:
            raise Fault("NotImplemented", "Parts of a file are read by their bytes (Range).")
        if asked.number("partNumber", 1, 1, 10_000) != 1:
            raise Fault("InvalidPartNumber", "The requested partnumber is not satisfiable.")
        return 0, file.size_bytes, 206 if file.size_bytes else 200
    found = range_of(given, file.size_bytes)
    return (0, file.size_bytes, 200) if found is None else (*found, 206)


def range_of(given: str, size_bytes: int) -> tuple[int, int] | None:
    """The bytes that a Range header names; None for all of them, as for several at once."""
    match = _RANGE.fullmatch(given.strip()) if given else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start, end = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
        if last and int(last) < int(first):
            return None
    if start >= end:
        headers = {"Content-Range": f"bytes */{size_bytes}"}
        raise Fault("InvalidRange", "The requested range is not satisfiable.", headers=headers)
    return start, end


# -- what else is known of a file --------------------------------------------------------------------------------------
def tags(asked: Asked) -> Response:
    """GetObjectTagging."""
    file = asked.files.head(asked.who, asked.bucket, asked.key, asked.version_id)
    return buckets.tag_document(file.tags, answers.version_of(file))


def attributes(asked: Asked) -> Response:
    """GetObjectAttributes, of a file as a whole."""
    file = asked.files.head(asked.who, asked.bucket, asked.key, asked.version_id)
    if file.is_delete_marker:
        raise Fault("MethodNotAllowed", "It is a delete marker.")
    wanted = {name.strip() for name in asked.header("x-amz-object-attributes").split(",")}
    if not wanted <= {"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"}:
        raise Fault("InvalidArgument", "Invalid attribute name specified.")
    return answers.document(
        "GetObjectAttributesResponse",
        {
            "ETag": file.etag if "ETag" in wanted else None,
            "Checksum": answers.checksums_of(file.checksums) or None if "Checksum" in wanted else None,
            "ObjectParts": {"TotalPartsCount": file.n_parts} if "ObjectParts" in wanted and file.n_parts else None,
            "StorageClass": "STANDARD" if "StorageClass" in wanted else None,
            "ObjectSize": file.size_bytes if "ObjectSize" in wanted else None,
        },
        {"Last-Modified": http_date(file.made_at_s), **answers.version_of(file)},
    )
