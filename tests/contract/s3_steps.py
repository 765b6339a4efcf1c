"""What S3 clients do at the door, each a process of its own that is told by variables alone; here: boto3.

Each step is one operation of the table in docs/results/s3-clients.md; its name is printed once it has done what it
should. AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION say where; WORK is an empty folder.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

WORK = Path(os.environ.get("WORK", "."))
ENDPOINT, REGION = (os.environ.get(name, "") for name in ("AWS_ENDPOINT_URL", "AWS_REGION"))
KEY, SECRET = (os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
LARGE = bytes(range(256)) * 48 * 1024 + b"the end"  # 12 MiB and a little: three parts of 5 MiB
ODD_KEYS = ["../up", "a b+c%2F&=é日", "dir//two", "q?x#y"]


@contextmanager
def step(name: str) -> Iterator[None]:
    """One operation: printed when it has done what it should."""
    yield
    print(f"{name}", flush=True)


def refused(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], object]) -> BaseException:
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"nothing of {kind} was raised")


def fetch(url: str, content: bytes | None = None, method: str = "GET") -> bytes:
    """What somebody else gets by an address; names below localhost are this machine, also where nobody tells it so."""
    parts = urlsplit(url)
    here = urlunsplit(parts._replace(netloc=f"127.0.0.1:{parts.port}"))
    asked = urllib.request.Request(here, content, {"Host": parts.netloc}, method=method)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return answer.read()


def code(call: Callable[[], object]) -> str:
    """The code of the error that a call ends with."""
    from botocore.exceptions import ClientError

    return refused(ClientError, call).response["Error"]["Code"]


def boto3_steps() -> None:
    import boto3

    s3, bucket = boto3.client("s3"), "lab-boto3"
    for steps in (files_step_by_step, lists_and_copies, parts, checksums, conditions, versions_and_rules, ends):
        steps(s3, bucket)


def files_step_by_step(s3: Any, bucket: str) -> None:
    """What one file is: put, read in parts, described, named oddly, not there."""
    with step("make bucket"):
        s3.create_bucket(Bucket=bucket)
        assert code(lambda: s3.create_bucket(Bucket=bucket)) == "BucketAlreadyOwnedByYou"
        s3.head_bucket(Bucket=bucket)
        assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
    with step("list buckets"):
        assert bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    with step("put"):
        made = s3.put_object(Bucket=bucket, Key="a.txt", Body=b"hello world", ContentType="text/plain")
        assert made["ETag"] == f'"{hashlib.md5(b"hello world").hexdigest()}"'
        s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    with step("get"):
        found = s3.get_object(Bucket=bucket, Key="a.txt", ResponseContentType="text/x")
        assert found["Body"].read() == b"hello world"
        assert found["ContentType"] == "text/x"
        assert s3.get_object(Bucket=bucket, Key="empty")["Body"].read() == b""
    with step("get range"):
        for text, part in (("bytes=6-", b"world"), ("bytes=-3", b"rld"), ("bytes=0-0", b"h"), ("bytes=6-99", b"world")):
            assert s3.get_object(Bucket=bucket, Key="a.txt", Range=text)["Body"].read() == part
        assert code(lambda: s3.get_object(Bucket=bucket, Key="a.txt", Range="bytes=11-")) == "InvalidRange"
    with step("head"):
        assert s3.head_object(Bucket=bucket, Key="a.txt")["ContentLength"] == 11
        assert code(lambda: s3.head_object(Bucket=bucket, Key="none")) == "404"
    with step("metadata"):
        s3.put_object(
            Bucket=bucket, Key="meta", Body=b"x", Metadata={"one": "1  1"}, CacheControl="no-cache",
            ContentEncoding="gzip", ContentDisposition='attachment; filename="x"',
        )  # fmt: skip
        found = s3.head_object(Bucket=bucket, Key="meta")
        assert (found["Metadata"], found["CacheControl"], found["ContentEncoding"]) == (
            {"one": "1  1"},
            "no-cache",
            "gzip",
        )
    with step("odd keys"):
        for key in ODD_KEYS:
            s3.put_object(Bucket=bucket, Key=f"odd/{key}", Body=key.encode())
            assert s3.get_object(Bucket=bucket, Key=f"odd/{key}")["Body"].read() == key.encode()
        found = s3.list_objects_v2(Bucket=bucket, Prefix="odd/")["Contents"]
        assert sorted(one["Key"] for one in found) == sorted(f"odd/{key}" for key in ODD_KEYS)
        assert code(lambda: s3.put_object(Bucket=bucket, Key="k" * 1025, Body=b"")) == "KeyTooLongError"
    with step("missing key"):
        assert code(lambda: s3.get_object(Bucket=bucket, Key="none")) == "NoSuchKey"
        assert code(lambda: s3.list_objects_v2(Bucket="lab-none")) == "NoSuchBucket"


def lists_and_copies(s3: Any, bucket: str) -> None:
    """Lists by prefix, folder and page; copies."""
    with step("list"):
        assert [one["Key"] for one in s3.list_objects(Bucket=bucket, Prefix="a")["Contents"]] == ["a.txt"]
    with step("list by folder"):
        found = s3.list_objects_v2(Bucket=bucket, Delimiter="/", FetchOwner=True)
        assert [one["Prefix"] for one in found["CommonPrefixes"]] == ["odd/"]
        assert [one["Key"] for one in found["Contents"]] == ["a.txt", "empty", "meta"]
        assert found["Contents"][0]["Owner"]["ID"] == "lab"
    with step("list pages"):
        for kind in ("list_objects_v2", "list_objects", "list_object_versions"):
            pages = s3.get_paginator(kind).paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
            found = [one["Key"] for page in pages for one in page.get("Contents", page.get("Versions", []))]
            assert len(found) == len(set(found)) == 3 + len(ODD_KEYS), kind
    with step("copy"):
        s3.copy_object(Bucket=bucket, Key="b.txt", CopySource={"Bucket": bucket, "Key": "a.txt"})
        kept = {"Bucket": bucket, "Key": "a.txt"}
        s3.copy_object(Bucket=bucket, Key="a.txt", CopySource=kept, Metadata={"n": "2"}, MetadataDirective="REPLACE")
        assert s3.head_object(Bucket=bucket, Key="a.txt")["Metadata"] == {"n": "2"}
        assert code(lambda: s3.copy_object(Bucket=bucket, Key="a.txt", CopySource=kept)) == "InvalidRequest"


def parts(s3: Any, bucket: str) -> None:
    """Large ones in parts, and uploads that were begun."""
    from boto3.s3.transfer import TransferConfig

    in_parts = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20)
    with step("put in parts"):
        s3.upload_fileobj(io.BytesIO(LARGE), bucket, "large", Config=in_parts)
        assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    with step("get large"):
        target = io.BytesIO()
        s3.download_fileobj(bucket, "large", target, Config=in_parts)
        assert target.getvalue() == LARGE
    with step("copy in parts"):
        s3.copy({"Bucket": bucket, "Key": "large"}, bucket, "large2", Config=in_parts)
        assert s3.get_object(Bucket=bucket, Key="large2")["Body"].read() == LARGE
    with step("list uploads"):
        begun = s3.create_multipart_upload(Bucket=bucket, Key="up")
        given = {"Bucket": bucket, "Key": "up", "UploadId": begun["UploadId"]}
        part = s3.upload_part(**given, PartNumber=1, Body=b"small")
        s3.upload_part(**given, PartNumber=2, Body=b"last")
        assert [one["Size"] for one in s3.list_parts(**given)["Parts"]] == [5, 4]
        assert [one["Key"] for one in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == ["up"]
        wrong = (
            [{"PartNumber": 1, "ETag": '"0"'}],
            [{"PartNumber": 1, "ETag": part["ETag"]}, {"PartNumber": 2, "ETag": "x"}],
        )
        for parts in wrong:
            assert (
                code(lambda: s3.complete_multipart_upload(**given, MultipartUpload={"Parts": parts})) == "InvalidPart"  # noqa: B023
            )
        found = [{"PartNumber": one["PartNumber"], "ETag": one["ETag"]} for one in s3.list_parts(**given)["Parts"]]
        assert code(lambda: s3.complete_multipart_upload(**given, MultipartUpload={"Parts": found})) == "EntityTooSmall"
        s3.abort_multipart_upload(**given)
        assert code(lambda: s3.list_parts(**given)) == "NoSuchUpload"


def checksums(s3: Any, bucket: str) -> None:
    """Checksums of the client's own, kept, told and compared."""
    import boto3
    from botocore.config import Config

    with step("checksums"):
        for algorithm, digest in (
            ("SHA256", hashlib.sha256(b"sum").digest()), ("SHA1", hashlib.sha1(b"sum").digest()),
            ("CRC32", zlib.crc32(b"sum").to_bytes(4, "big")),
        ):  # fmt: skip
            text = base64.b64encode(digest).decode()
            s3.put_object(Bucket=bucket, Key="sum", Body=b"sum", ChecksumAlgorithm=algorithm)
            found = s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")
            assert found[f"Checksum{algorithm}"] == text
        for algorithm, text in (("CRC32C", "4FaX0w=="), ("CRC64NVME", "mOgpnYxZbjc=")):  # without a library of its own
            s3.put_object(Bucket=bucket, Key="sum", Body=b"sum", **{f"Checksum{algorithm}": text})
            assert s3.head_object(Bucket=bucket, Key="sum", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == text
        whole = base64.b64encode(zlib.crc32(LARGE).to_bytes(4, "big")).decode()
        begun = s3.create_multipart_upload(
            Bucket=bucket, Key="sum", ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
        )
        given = {"Bucket": bucket, "Key": "sum", "UploadId": begun["UploadId"]}
        parts = []
        for number, at in enumerate((0, 6 * 2**20), 1):
            made = s3.upload_part(**given, PartNumber=number, Body=LARGE[at : (at + 6 * 2**20) if at == 0 else None])
            parts.append({"PartNumber": number, "ETag": made["ETag"], "ChecksumCRC32": made["ChecksumCRC32"]})
        done = s3.complete_multipart_upload(**given, MultipartUpload={"Parts": parts}, ChecksumCRC32=whole)
        assert done["ChecksumCRC32"] == whole
    with step("wrong checksum"):
        once = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))  # it would try again, more slowly
        for wrong in ({"ChecksumCRC32": "AAAAAA=="}, {"ContentMD5": base64.b64encode(b"0" * 16).decode()}):
            assert code(lambda: once.put_object(Bucket=bucket, Key="wrong", Body=b"x", **wrong)) == "BadDigest"  # noqa: B023
        assert code(lambda: s3.head_object(Bucket=bucket, Key="wrong")) == "404"


def conditions(s3: Any, bucket: str) -> None:
    """What is done only if, and addresses that are signed."""
    import boto3
    from botocore.config import Config

    with step("get if changed"):
        etag = s3.head_object(Bucket=bucket, Key="b.txt")["ETag"]
        assert code(lambda: s3.get_object(Bucket=bucket, Key="b.txt", IfNoneMatch=etag)) == "304"
        assert code(lambda: s3.get_object(Bucket=bucket, Key="b.txt", IfMatch='"x"')) == "PreconditionFailed"
    with step("put if absent"):
        s3.put_object(Bucket=bucket, Key="once", Body=b"1", IfNoneMatch="*")
        assert (
            code(lambda: s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfNoneMatch="*")) == "PreconditionFailed"
        )
        begun = {"Bucket": bucket, "Key": "once"}
        begun["UploadId"] = s3.create_multipart_upload(**begun)["UploadId"]
        parts = [{"PartNumber": 1, "ETag": s3.upload_part(**begun, PartNumber=1, Body=b"3")["ETag"]}]
        ended = {**begun, "MultipartUpload": {"Parts": parts}}
        assert code(lambda: s3.complete_multipart_upload(**ended, IfNoneMatch="*")) == "PreconditionFailed"
        s3.abort_multipart_upload(**begun)
    with step("put if unchanged"):
        assert code(lambda: s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfMatch='"x"')) == "PreconditionFailed"
        s3.put_object(Bucket=bucket, Key="once", Body=b"2", IfMatch=s3.head_object(Bucket=bucket, Key="once")["ETag"])
    with step("presigned get"):
        for config in (
            Config(signature_version="s3v4"),
            Config(signature_version="s3v4", s3={"addressing_style": "virtual"}),
        ):
            signer = boto3.client("s3", config=config)
            url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": f"odd/{ODD_KEYS[1]}"})
            assert fetch(url) == ODD_KEYS[1].encode()
        assert refused(urllib.error.HTTPError, lambda: fetch(url[:-1] + "z")).code in (400, 403)
    with step("presigned put"):
        url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed"}, ExpiresIn=60)
        fetch(url, b"by address", "PUT")
        assert s3.get_object(Bucket=bucket, Key="signed")["Body"].read() == b"by address"


def versions_and_rules(s3: Any, bucket: str) -> None:
    """Versions, rules and tags."""
    with step("versions"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        first, second = (s3.put_object(Bucket=bucket, Key="v", Body=text)["VersionId"] for text in (b"1", b"2"))
        marker = s3.delete_object(Bucket=bucket, Key="v")
        assert marker["DeleteMarker"]
        assert code(lambda: s3.get_object(Bucket=bucket, Key="v")) == "NoSuchKey"
        assert s3.get_object(Bucket=bucket, Key="v", VersionId=first)["Body"].read() == b"1"
        gone = {"Bucket": bucket, "Key": "v", "VersionId": marker["VersionId"]}
        assert code(lambda: s3.get_object(**gone)) == "MethodNotAllowed"
        found = s3.list_object_versions(Bucket=bucket, Prefix="v")
        assert [one["VersionId"] for one in found["Versions"]] == [second, first]
        assert found["DeleteMarkers"][0]["IsLatest"]
        s3.delete_object(**gone)
        assert s3.get_object(Bucket=bucket, Key="v")["Body"].read() == b"2"
    with step("lifecycle"):
        rule = {
            "ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 2},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }  # fmt: skip
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
        s3.delete_bucket_lifecycle(Bucket=bucket)
        assert code(lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)) == "NoSuchLifecycleConfiguration"
    with step("tags"):
        tags = {"TagSet": [{"Key": "k e", "Value": "v+"}]}
        s3.put_object(Bucket=bucket, Key="tagged", Body=b"", Tagging="k%20e=v%2B")
        assert s3.get_object_tagging(Bucket=bucket, Key="tagged")["TagSet"] == tags["TagSet"]
        s3.delete_object_tagging(Bucket=bucket, Key="tagged")
        s3.put_object_tagging(Bucket=bucket, Key="tagged", Tagging=tags)
        assert s3.head_object(Bucket=bucket, Key="tagged")["TagCount"] == 1
        s3.put_bucket_tagging(Bucket=bucket, Tagging=tags)
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags["TagSet"]
        assert s3.get_bucket_acl(Bucket=bucket)["Owner"]["ID"] == "lab"
        assert code(lambda: s3.get_bucket_policy(Bucket=bucket)) == "NotImplemented"


def ends(s3: Any, bucket: str) -> None:
    """Taking away, and who may not."""
    import boto3

    with step("delete"):
        s3.delete_object(Bucket=bucket, Key="b.txt")
        s3.delete_object(Bucket=bucket, Key="never there")
    with step("delete many"):
        pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
        shown = [one for page in pages for kind in ("Versions", "DeleteMarkers") for one in page.get(kind, [])]
        assert code(lambda: s3.delete_bucket(Bucket=bucket)) == "BucketNotEmpty"
        named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in shown]
        done = s3.delete_objects(Bucket=bucket, Delete={"Objects": named})
        assert len(done["Deleted"]) == len(named)
        assert "Errors" not in done
    with step("drop bucket"):
        s3.delete_bucket(Bucket=bucket)
    with step("wrong key"):
        for key, secret, why in ((KEY, "x", "SignatureDoesNotMatch"), ("PARKNONE", SECRET, "InvalidAccessKeyId")):
            other = boto3.client("s3", aws_access_key_id=key, aws_secret_access_key=secret)
            assert code(other.list_buckets) == why
    with step("others' bucket"):
        for call in (s3.list_objects_v2, s3.delete_bucket):
            assert code(lambda: call(Bucket="desk-theirs")) == "NoSuchBucket"  # noqa: B023
        assert code(lambda: s3.create_bucket(Bucket="desk-theirs")) == "BucketAlreadyExists"


if __name__ == "__main__":
    boto3_steps()
