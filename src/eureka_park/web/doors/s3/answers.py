"""What the door answers: documents, headers of a file, and errors in the words of S3."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from eureka_park.data.core.bucket import FileVersion
from eureka_park.foundation.errors import (
    Conflict,
    Forbidden,
    Internal,
    NotFound,
    ParkError,
    RateLimited,
    TooLarge,
    Unauthorised,
    Unavailable,
)
from eureka_park.web.doors.s3 import documents
from eureka_park.web.doors.s3.asking import http_date
from eureka_park.web.doors.s3.checksums import COMPOSITE, FULL_OBJECT, N_BYTES, PREFIX
from eureka_park.web.doors.s3.documents import Value
from eureka_park.web.doors.s3.faults import Fault

XML: Final = "application/xml"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # other names came by the park's API; headers cannot say them
TYPE: Final = "type"  # beside a checksum that is kept: of all the content, or of the checksums of its parts
_CODES: Final = {
    "no_such_bucket": "NoSuchBucket", "no_such_file": "NoSuchKey", "no_such_version": "NoSuchVersion",
    "no_such_upload": "NoSuchUpload", "no_such_key": "InvalidAccessKeyId", "bad_bucket": "InvalidBucketName",
    "bucket_taken": "BucketAlreadyExists", "bucket_yours": "BucketAlreadyOwnedByYou",
    "bucket_not_empty": "BucketNotEmpty", "too_many_buckets": "TooManyBuckets",
    "precondition_failed": "PreconditionFailed", "bad_key": "InvalidArgument", "bad_metadata": "InvalidArgument",
    "bad_tags": "InvalidTag", "bad_lifecycle": "InvalidArgument", "bad_versioning": "InvalidArgument",
    "bad_part": "InvalidPart", "bad_part_order": "InvalidPartOrder", "small_part": "EntityTooSmall",
    "size_mismatch": "IncompleteBody", "upload_broken": "RequestTimeout", "quota": "QuotaExceeded",
    "disk_full": "InsufficientStorage", "maintenance": "ServiceUnavailable",
}  # fmt: skip
_KINDS: Final[tuple[tuple[type[ParkError], str], ...]] = (
    (TooLarge, "EntityTooLarge"),
    (Unauthorised, "InvalidAccessKeyId"),
    (Forbidden, "AccessDenied"),
    (NotFound, "NoSuchKey"),
    (Conflict, "OperationAborted"),
    (RateLimited, "SlowDown"),
    (Unavailable, "ServiceUnavailable"),
    (Internal, "InternalError"),
)


def document(root: str, value: Mapping[str, Value], headers: Mapping[str, str] | None = None) -> Response:
    """A document as an answer."""
    return Response(documents.write(root, value), headers=dict(headers or {}), media_type=XML)


def nothing(status: int = 204, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body."""
    return Response(status_code=status, headers=dict(headers or {}))


def fault_of(error: ParkError) -> Fault:
    """An error of the park in the words of S3."""
    if isinstance(error, Fault):
        return error
    code = _CODES.get(error.code) or next((name for kind, name in _KINDS if isinstance(error, kind)), "InvalidRequest")
    headers = {}
    if isinstance(error, RateLimited | Unavailable) and error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    return Fault(code, error.line() or code, headers=headers)


def refusal(fault: Fault, resource: str, request_id: str, *, has_body: bool) -> Response:
    """An error as an answer; without words for HEAD, where clients read the status alone."""
    value = {
        "Code": fault.code, "Message": fault.message, **fault.told, "Resource": resource, "RequestId": request_id,
    }  # fmt: skip
    content = documents.write("Error", value, namespace="") if has_body else b""
    return Response(content, fault.status, fault.headers, XML)


def quoted(etag: str) -> str:
    """An ETag as headers and documents have it."""
    return f'"{etag}"'


def about(file: FileVersion) -> dict[str, str]:
    """The headers that tell of a file, but for its length."""
    headers = {
        "Content-Type": file.content_type or "binary/octet-stream",
        "ETag": quoted(file.etag),
        "Last-Modified": http_date(file.made_at_s),
        "Accept-Ranges": "bytes",
        # What lies here is foreign: a browser that is led to it must not run it.
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
        **{name.title(): _plain(text) for name, text in file.headers.items()},
        **{f"x-amz-meta-{name}": _plain(text) for name, text in file.metadata.items() if _NAME.fullmatch(name)},
        **version_of(file),
    }
    headers["Content-Type"] = _plain(headers["Content-Type"])
    if file.tags:
        headers["x-amz-tagging-count"] = str(len(file.tags))
    return headers


def version_of(file: FileVersion) -> dict[str, str]:
    """The header that names a version, where the bucket keeps them."""
    return {"x-amz-version-id": file.version_id} if file.version_id != "null" else {}


def checksums_of(kept: Mapping[str, str]) -> dict[str, str]:
    """A checksum that is kept, as elements of a document."""
    found = {f"Checksum{name.upper()}": kept[name] for name in N_BYTES if name in kept}
    return {**found, "ChecksumType": type_of(kept)} if found else {}


def checksum_headers(kept: Mapping[str, str]) -> dict[str, str]:
    """A checksum that is kept, as headers."""
    found = {f"{PREFIX}{name}": kept[name] for name in N_BYTES if name in kept}
    return {**found, f"{PREFIX}type": type_of(kept)} if found else {}


def type_of(kept: Mapping[str, str]) -> str:
    """Whether a checksum is of the content or of the checksums of parts."""
    return COMPOSITE if kept.get(TYPE) == COMPOSITE else FULL_OBJECT


def _plain(text: str) -> str:
    """A text for a header: in ASCII as it is, else as mail has it (RFC 2047), as S3 does."""
    return text if text.isascii() else f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="
