"""Uploads in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from eureka_park.data.core.bucket import PARTS_MAX, PartOf, Upload
from eureka_park.web.doors.s3 import answers, bodies, buckets, checksums, documents, reading, writing
from eureka_park.web.doors.s3.asking import Asked
from eureka_park.web.doors.s3.checksums import COMPOSITE, FULL_OBJECT, N_BYTES
from eureka_park.web.doors.s3.documents import Node, Value
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.listing import COUNT_MAX, KEYS_MAX, Shown

ALGORITHM: Final = "algorithm"  # what an upload remembers of the checksums of its parts, beside their type
_KINDS: Final = {
    "crc32": (COMPOSITE, FULL_OBJECT), "crc32c": (COMPOSITE, FULL_OBJECT), "crc64nvme": (FULL_OBJECT,),
    "sha1": (COMPOSITE,), "sha256": (COMPOSITE,),
}  # fmt: skip


# -- one upload --------------------------------------------------------------------------------------------------------
def create(asked: Asked) -> Response:
    """CreateMultipartUpload."""
    words = writing.described(asked)
    named, kind = asked.header("x-amz-checksum-algorithm"), asked.header("x-amz-checksum-type").upper()
    kept, headers = {}, {}
    if named:
        algorithm = checksums.algorithm_of(named)
        kind = kind or (FULL_OBJECT if algorithm == "crc64nvme" else COMPOSITE)
        if kind not in _KINDS[algorithm]:
            raise Fault("InvalidRequest", f"The {kind[:20]} checksum type cannot be used with {algorithm}.")
        kept = {ALGORITHM: algorithm, answers.TYPE: kind}
        headers = {"x-amz-checksum-algorithm": algorithm.upper(), "x-amz-checksum-type": kind}
    elif kind:
        raise Fault("InvalidRequest", "The x-amz-checksum-type header can only be used with x-amz-checksum-algorithm.")
    made = asked.files.begin_upload(asked.who, asked.bucket, asked.key, describe=words, checksums=kept)
    value = {"Bucket": asked.bucket, "Key": asked.key, "UploadId": made.upload_id}
    return answers.document("InitiateMultipartUploadResult", value, headers)


async def put_part(asked: Asked) -> Response:
    """UploadPart."""
    upload, number = await run_in_threadpool(_upload, asked), _part_number(asked)
    incoming = bodies.Incoming(asked, upload.checksums.get(ALGORITHM, ""))
    _check_algorithm(upload, incoming.algorithm)
    if incoming.size_bytes > writing.BODY_BYTES_MAX:
        raise Fault("EntityTooLarge", "A part takes 5 GiB.")

    def take(raw: Iterator[bytes]) -> PartOf:
        return asked.files.put_part(
            asked.who,
            asked.bucket,
            asked.key,
            upload.upload_id,
            number,
            incoming.pieces_of(raw),
            size_bytes=incoming.size_bytes,
            ended=incoming.ended,
        )

    part = await bodies.streamed(asked, take)
    return answers.nothing(200, {"ETag": answers.quoted(part.etag), **_headers(part.checksums)})


def copy_part(asked: Asked) -> Response:
    """UploadPartCopy."""
    upload, number, source = _upload(asked), _part_number(asked), writing.source_of(asked)
    opened = asked.files.open(asked.who, *source)
    writing.check_source(asked, opened.file)
    size_bytes, given = opened.file.size_bytes, asked.header("x-amz-copy-source-range")
    found = reading.range_of(given, size_bytes)
    if given and (found is None or not given.split("-")[-1].isdigit() or int(given.split("-")[-1]) >= size_bytes):
        raise Fault(
            "InvalidArgument", f"The x-amz-copy-source-range does not lie in the {size_bytes} bytes of the source."
        )
    start, end = found or (0, size_bytes)
    algorithm = upload.checksums.get(ALGORITHM, "")
    sums = [checksums.running(algorithm)] if algorithm else []

    def ended(_md5: str) -> Mapping[str, str]:
        return {algorithm: checksums.text_of(sums[0].digest())} if sums else {}

    part = asked.files.put_part(
        asked.who,
        asked.bucket,
        asked.key,
        upload.upload_id,
        number,
        checksums.counted(opened.read(start, end), *sums),
        size_bytes=end - start,
        ended=ended,
    )
    value = {
        "LastModified": documents.at(part.made_at_s),
        "ETag": answers.quoted(part.etag),
        **_elements(part.checksums),
    }
    return answers.document("CopyPartResult", value)


async def complete(asked: Asked) -> Response:
    """CompleteMultipartUpload."""
    condition = writing.condition_of(asked)

    def work(node: Node) -> Response:
        upload = _upload(asked)
        wanted = list(node.all("Part"))
        if not 0 < len(wanted) <= PARTS_MAX or len(wanted) < len(node.children):
            raise documents.malformed()
        there = {part.part_number: part for part in _all_parts(asked)}
        chosen = [_chosen(one, there) for one in wanted]
        kept = _whole(asked, upload, [there[number] for number, _ in chosen if number in there])
        made = asked.files.complete(
            asked.who,
            asked.bucket,
            asked.key,
            upload.upload_id,
            chosen,
            condition=condition,
            checksums=kept,
        )
        value = {
            "Location": f"/{asked.bucket}/{asked.key}", "Bucket": asked.bucket, "Key": asked.key,
            "ETag": answers.quoted(made.etag), **answers.checksums_of(made.checksums),
        }  # fmt: skip
        return answers.document("CompleteMultipartUploadResult", value, answers.version_of(made))

    return await bodies.document(asked, "CompleteMultipartUpload", work, of_body=False)


def _chosen(node: Node, there: Mapping[int, PartOf]) -> tuple[int, str]:
    """A part that the client names; where it names a checksum too, that must be the part's. Raises Fault."""
    text = node.text_of("PartNumber")
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise documents.malformed()
    part = there.get(int(text))
    for name in N_BYTES:
        claimed = node.text_of(f"Checksum{name.upper()}")
        if claimed and (part is None or part.checksums.get(name) != claimed):
            raise Fault(
                "InvalidPart", "One or more of the specified parts could not be found, or has another checksum."
            )
    return int(text), node.text_of("ETag").strip('"')


def _whole(asked: Asked, upload: Upload, parts: Iterable[PartOf]) -> dict[str, str]:
    """The checksum of the file, from those of its parts; compared with what the client says of it. Raises Fault."""
    algorithm, kind = upload.checksums.get(ALGORITHM, ""), upload.checksums.get(answers.TYPE, "")
    claimed, promised = checksums.given_in(dict(asked.sent.headers))
    size = asked.header("x-amz-mp-object-size")
    parts = list(parts)
    if size and size != str(sum(part.size_bytes for part in parts)):
        raise Fault("InvalidRequest", "The size of the parts is not that of x-amz-mp-object-size.")
    if not algorithm:
        if claimed:
            raise Fault("InvalidRequest", "The upload was begun without a checksum algorithm.")
        return {}
    found = checksums.of_parts(algorithm, kind, [(part.checksums[algorithm], part.size_bytes) for part in parts])
    if claimed and (claimed != algorithm or promised not in (found, found.rpartition("-")[0])):
        raise Fault("BadDigest", f"The {claimed.upper()} you specified did not match the calculated checksum.")
    return {algorithm: found, answers.TYPE: kind}


def abort(asked: Asked) -> Response:
    """AbortMultipartUpload."""
    asked.files.abort(asked.who, asked.bucket, asked.key, asked.query["uploadId"])
    return answers.nothing()


def _upload(asked: Asked) -> Upload:
    return asked.files.upload(asked.who, asked.bucket, asked.key, asked.query["uploadId"])


def _part_number(asked: Asked) -> int:
    if not asked.query.get("partNumber"):
        raise Fault("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive.")
    return asked.number("partNumber", 1, 1, PARTS_MAX)


def _check_algorithm(upload: Upload, algorithm: str) -> None:
    wanted = upload.checksums.get(ALGORITHM, "")
    if wanted and algorithm != wanted:
        raise Fault(
            "InvalidRequest", f"Checksum Type mismatch occurred, expected checksum Type: {wanted}, actual: {algorithm}"
        )


def _all_parts(asked: Asked) -> Iterator[PartOf]:
    after = 0
    while page := asked.files.parts_of(
        asked.who, asked.bucket, asked.key, asked.query["uploadId"], after=after, most=KEYS_MAX
    ):
        yield from page
        after = page[-1].part_number


# -- lists -------------------------------------------------------------------------------------------------------------
def parts(asked: Asked) -> Response:
    """ListParts."""
    upload = _upload(asked)
    after, most = asked.number("part-number-marker", 0, 0, COUNT_MAX), asked.number("max-parts", KEYS_MAX, 0, COUNT_MAX)
    most = min(most, KEYS_MAX)
    found = asked.files.parts_of(asked.who, asked.bucket, asked.key, upload.upload_id, after=after, most=most + 1)
    shown, owner = found[:most], buckets.owner(buckets.found(asked).project_id)
    algorithm = upload.checksums.get(ALGORITHM, "")
    return answers.document(
        "ListPartsResult",
        {
            "Bucket": asked.bucket,
            "Key": asked.key,
            "UploadId": upload.upload_id,
            "Initiator": owner,
            "Owner": owner,
            "StorageClass": "STANDARD",
            "ChecksumAlgorithm": algorithm.upper() or None,
            "ChecksumType": upload.checksums.get(answers.TYPE) or None,
            "PartNumberMarker": after,
            "NextPartNumberMarker": shown[-1].part_number if shown else after,
            "MaxParts": most,
            "IsTruncated": len(found) > most,
            "Part": [_part(one) for one in shown],
        },
    )


def _part(one: PartOf) -> Value:
    return {
        "PartNumber": one.part_number, "LastModified": documents.at(one.made_at_s), "ETag": answers.quoted(one.etag),
        "Size": one.size_bytes, **_elements(one.checksums),
    }  # fmt: skip


def uploads(asked: Asked) -> Response:
    """ListMultipartUploads."""
    shown = Shown(asked, "max-uploads")
    key, upload_id = asked.query.get("key-marker", ""), asked.query.get("upload-id-marker", "")
    found = asked.files.uploads_of(
        asked.who, asked.bucket, shown.prefix, after=(key, upload_id if key else ""), most=shown.most + 1
    )
    page, is_more = found[: shown.most], len(found) > shown.most
    owner = buckets.owner(buckets.found(asked).project_id)
    folders = tuple(dict.fromkeys(name for one in page if (name := _folder(shown, one.key))))
    head = shown.head(asked)
    return answers.document(
        "ListMultipartUploadsResult",
        {
            "Bucket": head.pop("Name"),
            "MaxUploads": head.pop("MaxKeys"),
            **head,
            "KeyMarker": shown.text(key),
            "UploadIdMarker": upload_id,
            "NextKeyMarker": shown.text(page[-1].key) if is_more and page else None,
            "NextUploadIdMarker": page[-1].upload_id if is_more and page else None,
            "IsTruncated": is_more and bool(page),
            "Upload": [
                {
                    "Key": shown.text(one.key), "UploadId": one.upload_id, "Initiator": owner, "Owner": owner,
                    "StorageClass": "STANDARD", "Initiated": documents.at(one.begun_at_s),
                    "ChecksumAlgorithm": one.checksums.get(ALGORITHM, "").upper() or None,
                    "ChecksumType": one.checksums.get(answers.TYPE) or None,
                }
                for one in page
                if not _folder(shown, one.key)
            ],
            "CommonPrefixes": shown.folders(folders),
        },
    )  # fmt: skip


def _folder(shown: Shown, key: str) -> str:
    """The common prefix that stands for a key; empty for none."""
    at = key.find(shown.delimiter, len(shown.prefix)) if shown.delimiter else -1
    return key[: at + len(shown.delimiter)] if at >= 0 else ""


def _elements(kept: Mapping[str, str]) -> dict[str, str]:
    """The checksum of a part, as elements; a part has no type."""
    return {name: text for name, text in answers.checksums_of(kept).items() if name != "ChecksumType"}


def _headers(kept: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in answers.checksum_headers(kept).items() if not name.endswith("-type")}


__all__ = ["abort", "complete", "copy_part", "create", "parts", "put_part", "uploads"]
