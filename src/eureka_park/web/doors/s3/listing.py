"""Lists of files, of versions and of uploads, page by page."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from eureka_park.data.core.bucket import FileVersion
from eureka_park.web.doors.s3 import answers, buckets, documents
from eureka_park.web.doors.s3.asking import Asked
from eureka_park.web.doors.s3.documents import Value
from eureka_park.web.doors.s3.faults import Fault

KEYS_MAX: Final = 1_000
COUNT_MAX: Final = 2**31 - 1  # what clients may ask for; they get a page


class Shown:
    """Parameters that all lists have in common, and texts as the client wants them."""

    def __init__(self, asked: Asked, count: str = "max-keys") -> None:
        self.encoding = asked.query.get("encoding-type", "")
        if self.encoding not in ("", "url"):
            raise Fault("InvalidArgument", "Invalid Encoding Method specified in Request")
        self.prefix, self.delimiter = asked.query.get("prefix", ""), asked.query.get("delimiter", "")
        self.most = min(KEYS_MAX, asked.number(count, KEYS_MAX, 0, COUNT_MAX))

    def text(self, given: str) -> str:
        """A key in the list."""
        return documents.url_encoded(given, self.encoding)

    def head(self, asked: Asked) -> dict[str, Value]:
        """What all lists begin with."""
        return {
            "Name": asked.bucket,
            "Prefix": self.text(self.prefix),
            "Delimiter": self.text(self.delimiter) or None,
            "MaxKeys": self.most,
            "EncodingType": self.encoding or None,
        }

    def folders(self, prefixes: tuple[str, ...]) -> Value:
        """Common prefixes."""
        return [{"Prefix": self.text(prefix)} for prefix in prefixes]

    def file(self, file: FileVersion, owner: Mapping[str, Value] | None) -> dict[str, Value]:
        """One file of a list."""
        kept = answers.checksums_of(file.checksums)
        algorithm = [name.removeprefix("Checksum") for name in kept if name != "ChecksumType"]
        return {
            "Key": self.text(file.key),
            "LastModified": documents.at(file.made_at_s),
            "ETag": answers.quoted(file.etag),
            "ChecksumAlgorithm": list[Value](algorithm),
            "ChecksumType": kept.get("ChecksumType"),
            "Size": file.size_bytes,
            "StorageClass": "STANDARD",
            "Owner": owner,
        }


def files(asked: Asked) -> Response:
    """ListObjects and ListObjectsV2."""
    return _second(asked) if asked.query.get("list-type") == "2" else _first(asked)


def _second(asked: Asked) -> Response:
    shown = Shown(asked)
    token, start = asked.query.get("continuation-token"), asked.query.get("start-after", "")
    after = start if token is None else _read(token)
    bucket = buckets.found(asked)
    page = asked.files.list(
        asked.who, asked.bucket, shown.prefix, delimiter=shown.delimiter, after=after, most=shown.most
    )
    owner = buckets.owner(bucket.project_id) if asked.query.get("fetch-owner") == "true" else None
    return answers.document(
        "ListBucketResult",
        {
            **shown.head(asked),
            "KeyCount": len(page.files) + len(page.prefixes),
            "IsTruncated": page.next is not None,
            "ContinuationToken": token,
            "NextContinuationToken": _token(page.next) if page.next is not None else None,
            "StartAfter": shown.text(start) or None,
            "Contents": [shown.file(one, owner) for one in page.files],
            "CommonPrefixes": shown.folders(page.prefixes),
        },
    )


def _first(asked: Asked) -> Response:
    shown = Shown(asked)
    after = asked.query.get("marker", "")
    bucket = buckets.found(asked)
    page = asked.files.list(
        asked.who, asked.bucket, shown.prefix, delimiter=shown.delimiter, after=after, most=shown.most
    )
    return answers.document(
        "ListBucketResult",
        {
            **shown.head(asked),
            "Marker": shown.text(after),
            "NextMarker": shown.text(page.next) if page.next is not None else None,
            "IsTruncated": page.next is not None,
            "Contents": [shown.file(one, buckets.owner(bucket.project_id)) for one in page.files],
            "CommonPrefixes": shown.folders(page.prefixes),
        },
    )


def versions(asked: Asked) -> Response:
    """ListObjectVersions."""
    shown = Shown(asked)
    key, version = asked.query.get("key-marker", ""), asked.query.get("version-id-marker", "")
    if version and not key:
        raise Fault("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    bucket = buckets.found(asked)
    page = asked.files.list_versions(
        asked.who,
        asked.bucket,
        shown.prefix,
        delimiter=shown.delimiter,
        after=(key, version) if key else None,
        most=shown.most,
    )
    owner = buckets.owner(bucket.project_id)
    return answers.document(
        "ListVersionsResult",
        {
            **shown.head(asked),
            "KeyMarker": shown.text(key),
            "VersionIdMarker": version,
            "NextKeyMarker": shown.text(page.next[0]) if page.next else None,
            "NextVersionIdMarker": page.next[1] or None if page.next else None,
            "IsTruncated": page.next is not None,
            "Version": [_version(shown, one, owner) for one in page.versions if not one.is_delete_marker],
            "DeleteMarker": [_marker(shown, one, owner) for one in page.versions if one.is_delete_marker],
            "CommonPrefixes": shown.folders(page.prefixes),
        },
    )


def _version(shown: Shown, one: FileVersion, owner: Mapping[str, Value]) -> Value:
    return {**shown.file(one, owner), "VersionId": one.version_id, "IsLatest": one.is_latest}


def _marker(shown: Shown, one: FileVersion, owner: Mapping[str, Value]) -> Value:
    return {
        "Key": shown.text(one.key), "VersionId": one.version_id, "IsLatest": one.is_latest,
        "LastModified": documents.at(one.made_at_s), "Owner": owner,
    }  # fmt: skip


def _token(after: str) -> str:
    return base64.urlsafe_b64encode(after.encode("utf-8", "surrogatepass")).decode()


def _read(token: str) -> str:
    try:
        found = base64.b64decode(token.encode("ascii"), b"-_", validate=True).decode("utf-8", "surrogatepass")
    except (ValueError, binascii.Error):
        found = ""
    if not found:
        raise Fault("InvalidArgument", "The continuation token provided is incorrect.")
    return found
