"""What the S3 door refuses, and that nothing of it is left; what it tells a stranger; bodies in constant memory."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from botocore.exceptions import ClientError
from tests.helpers.s3_door import REGION, S3Scene
from tests.helpers.s3_raw import ask, signed, sweep

from eureka_park.web.doors.s3.app import ON_BUCKET, ON_FILE
from eureka_park.web.doors.s3.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER
from eureka_park.web.doors.s3.signing import (
    UNSIGNED,
    Claim,
    Proof,
    signing_key,
)

MIB = 1024**2


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Scene]:
    scene = S3Scene(tmp_path_factory.mktemp("s3"))
    yield scene
    assert scene.served.live.park.data.collector.scrub().findings == []
    scene.stop()


def proof_of(scene: S3Scene, headers: dict[str, str]) -> Proof:
    """What chunks of this request are signed on with."""
    signature = headers["authorization"].rpartition("Signature=")[2]
    signed_at = headers["x-amz-date"]
    key_id, secret = scene.keys["lab"]
    claim = Claim(key_id, signed_at[:8], REGION, signed_at, ("host",), signature, SIGNED, False)
    return Proof(claim, signing_key(secret, claim))


def in_chunks(
    scene: S3Scene, form: str, headers: dict[str, str], parts: list[bytes], trailers: dict[str, str]
) -> bytes:
    """A body as clients send it in chunks."""
    proof = proof_of(scene, headers)
    before, wire = proof.claim.signature, b""
    for part in [*parts, b""]:
        line = b"%x" % len(part)
        if form != UNSIGNED_TRAILER:
            before = proof.of_chunk(before, hashlib.sha256(part).hexdigest())
            line += b";chunk-signature=" + before.encode()
        wire += line + b"\r\n" + part + (b"\r\n" if part else b"")
    lines = "".join(f"{name}:{text}\n" for name, text in trailers.items())
    if form == SIGNED_TRAILER:
        trailers = {**trailers, "x-amz-trailer-signature": proof.of_trailer(before, lines.encode())}
    return wire + "".join(f"{name}:{text}\r\n" for name, text in trailers.items()).encode() + b"\r\n"


def is_there(scene: S3Scene, key: str) -> bool:
    return any(one.key == key for one in scene.files.list(scene.lea, "lab-desk", key).files)


def test_a_body_comes_in_signed_chunks_with_a_signed_checksum(scene: S3Scene) -> None:
    content = b"a" * 70_000
    for form in (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER):
        more = {} if form == SIGNED else {"x_amz_trailer": "x-amz-checksum-crc32"}
        trailers = (
            {}
            if form == SIGNED
            else {"x-amz-checksum-crc32": base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()}
        )
        more |= {"x_amz_decoded_content_length": "70000", "content_encoding": "aws-chunked"}
        headers = signed(scene, "PUT", "/lab-desk/chunked", form, **more)
        wire = in_chunks(scene, form, headers, [content[:65_536], content[65_536:]], trailers)
        assert ask(scene, "PUT", "/lab-desk/chunked", headers, wire)[0] == 200, form
        kept = scene.files.head(scene.lea, "lab-desk", "chunked")
        assert (kept.size_bytes, kept.headers) == (70_000, {})
        changed = wire.replace(b"aaaa", b"aaba", 1)
        refused = ask(scene, "PUT", "/lab-desk/chunked", headers, changed)[1]
        assert refused == ("BadDigest" if form == UNSIGNED_TRAILER else "SignatureDoesNotMatch")
        assert scene.files.head(scene.lea, "lab-desk", "chunked").sha256 == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("payload", "more", "body", "code"),
    [
        ("0" * 64, {}, b"other", "XAmzContentSHA256Mismatch"),
        ("nonsense", {}, b"x", "InvalidArgument"),
        (UNSIGNED, {"content_md5": "AAAA"}, b"x", "InvalidDigest"),
        (UNSIGNED, {"x_amz_checksum_crc32c": "AAAAAA=="}, b"x", "BadDigest"),
        (UNSIGNED, {"x_amz_checksum_crc32": "AAAAAA==", "x_amz_checksum_sha1": "AAAAAA=="}, b"x", "InvalidRequest"),
        (UNSIGNED, {"x_amz_checksum_crc32": "no base64"}, b"x", "InvalidRequest"),
        (UNSIGNED, {"x_amz_sdk_checksum_algorithm": "CRC16"}, b"x", "InvalidRequest"),
        (UNSIGNED, {"x_amz_trailer": "x-amz-checksum-crc32"}, b"x", "InvalidRequest"),
        (UNSIGNED_TRAILER, {}, b"1\r\nx\r\n0\r\n\r\n", "MissingContentLength"),
        (UNSIGNED_TRAILER, {"x_amz_decoded_content_length": "5"}, b"1\r\nx\r\n0\r\n\r\n", "IncompleteBody"),
        (UNSIGNED_TRAILER, {"x_amz_decoded_content_length": "1"}, b"ffffffffffffffff\r\nx", "IncompleteBody"),
        (UNSIGNED_TRAILER, {"x_amz_decoded_content_length": "1"}, b"<html>", "IncompleteBody"),
        (UNSIGNED_TRAILER, {"x_amz_decoded_content_length": "1"}, b"z" * 9_000, "InvalidRequest"),
        (SIGNED, {"x_amz_decoded_content_length": "1"}, b"1\r\nx\r\n0\r\n\r\n", "InvalidRequest"),
        (UNSIGNED, {"content_length": "6000000000"}, None, "EntityTooLarge"),
        (UNSIGNED, {"transfer_encoding": "chunked"}, iter([b"x"]), "MissingContentLength"),
        (UNSIGNED, {"x_amz_meta_big": "m" * 3_000}, b"x", "InvalidArgument"),
        (UNSIGNED, {"x_amz_tagging": "&".join(f"t{n}=1" for n in range(20))}, b"x", "InvalidTag"),
        (UNSIGNED, {"x_amz_acl": "public-read"}, b"x", "AccessControlListNotSupported"),
        (UNSIGNED, {"x_amz_server_side_encryption": "AES256"}, b"x", "NotImplemented"),
        (UNSIGNED, {"x_amz_storage_class": "GLACIER"}, b"x", "InvalidStorageClass"),
        (UNSIGNED, {"x_amz_security_token": "t"}, b"x", "InvalidToken"),
        (UNSIGNED, {"if_none_match": '"etag"'}, b"x", "NotImplemented"),
        (UNSIGNED, {"x_amz_copy_source": "lab-desk"}, b"", "InvalidArgument"),
        (UNSIGNED, {"x_amz_copy_source": "desk-theirs/a"}, b"", "NoSuchBucket"),
        (UNSIGNED, {"x_amz_expected_bucket_owner": "desk"}, b"x", "AccessDenied"),
    ],
)
def test_a_wrong_put_leaves_nothing(scene: S3Scene, payload: str, more: dict[str, str], body: Any, code: str) -> None:
    headers = signed(scene, "PUT", "/lab-desk/wrong", payload, **more)
    assert ask(scene, "PUT", "/lab-desk/wrong", headers, body)[1] == code
    assert not is_there(scene, "wrong")


def test_requests_that_nobody_signed_or_that_make_no_sense(scene: S3Scene) -> None:
    def code(method: str, path: str, body: Any = None, **more: str) -> str:
        return ask(scene, method, path, signed(scene, method, path, **more), body)[1]

    assert ask(scene, "GET", "/lab-desk/a", {})[:2] == (403, "AccessDenied")
    assert ask(scene, "GET", "/lab-none", {})[:2] == (403, "AccessDenied")  # the same: nothing is told
    assert ask(scene, "GET", "/lab-desk?AWSAccessKeyId=a&Signature=b&Expires=1", {})[1] == "InvalidRequest"
    assert ask(scene, "GET", "/", {"Authorization": "Bearer park_x"})[1] == "InvalidRequest"
    assert code("GET", "/lab-desk?policy") == "NotImplemented"
    assert code("POST", "/lab-desk") == "NotImplemented"
    assert code("GET", "/lab-desk/a%FF") == "InvalidURI"
    assert code("GET", "/lab-desk/%01") == "NoSuchKey"
    assert code("GET", "/lab-desk?max-keys=-1") == "InvalidArgument"
    assert code("GET", "/lab-desk?list-type=2&continuation-token=%21") == "InvalidArgument"
    assert code("GET", "/lab-desk/a?versionId=00000000002aff") == "NoSuchVersion"
    for method in ("GET", "DELETE"):
        assert code(method, "/lab-desk/a?versionId=a%0D%0Ax%3A1") == "InvalidArgument"  # it would stand in a header
    assert code("PUT", "/lab-desk/a?uploadId=x&partNumber=1", b"x") == "NoSuchUpload"
    assert code("PUT", "/Bad_Name") == "InvalidBucketName"
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>'
    for body in (bomb, b"<Delete/>", b"<Delete><Object/></Delete>", b"\0", b"<Delete>" + b"<Object>" * 3_000):
        assert code("POST", "/lab-desk?delete", body) == "MalformedXML"
    assert code("POST", "/lab-desk?delete", b" " * (3 * MIB)) == "MalformedXML"
    assert (
        code("PUT", "/lab-desk?lifecycle", b"<LifecycleConfiguration><Rule/></LifecycleConfiguration>")
        == "MalformedXML"
    )
    many = {f"x-none-{n}": "1" for n in range(95)} | {f"y-none-{n}": "1" for n in range(95)}
    headers = signed(scene, "GET", "/lab-desk")
    parts = urlsplit(scene.served.s3_url)
    with socket.create_connection(("127.0.0.1", parts.port)) as line:  # more headers than anybody sends
        words = "".join(f"{name}: {text}\r\n" for name, text in (headers | many).items()) + "z: 1\r\n" * 30
        line.sendall(f"GET /lab-desk HTTP/1.1\r\n{words}\r\n".encode())
        with line.makefile("rb") as answer:
            assert b" 400 " in answer.readline()


def test_the_door_has_an_answer_to_whatever_comes(scene: S3Scene) -> None:
    assert sweep(scene, 7, 160) == []


def test_keys_are_texts_and_never_touch_a_path(scene: S3Scene) -> None:
    before = sorted(str(path) for path in scene.folder.rglob("*") if "blobs" not in str(path))
    keys = ["../../../escape", "/etc/escape", "..%2Fescape", "C:\\escape", "escape\0", "./escape/.", "é" * 512]
    for key in keys:
        scene.client().put_object(Bucket="lab-desk", Key=f"{key}", Body=b"x")
        assert scene.client().get_object(Bucket="lab-desk", Key=key)["Body"].read() == b"x"
        assert is_there(scene, key)
    assert sorted(str(path) for path in scene.folder.rglob("*") if "blobs" not in str(path)) == before
    assert not [path for path in scene.folder.rglob("*") if "escape" in path.name]


def test_an_upload_that_breaks_off_leaves_nothing(scene: S3Scene) -> None:
    headers = signed(scene, "PUT", "/lab-desk/broken", content_length=str(8 * MIB))
    words = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    with socket.create_connection(("127.0.0.1", urlsplit(scene.served.s3_url).port)) as line:
        line.sendall(f"PUT /lab-desk/broken HTTP/1.1\r\n{words}\r\n".encode() + b"x" * 3 * MIB)
    assert not is_there(scene, "broken")


def test_a_full_project_is_refused_while_the_body_comes(scene: S3Scene) -> None:
    objects, client = scene.served.live.park.data.objects, scene.client()
    begun = client.create_multipart_upload(Bucket="lab-desk", Key="full")
    given = {"Bucket": "lab-desk", "Key": "full", "UploadId": begun["UploadId"], "PartNumber": 1}
    objects.set_limit("lab", objects.use("lab")[0] + 2 * MIB)
    try:
        for call in (lambda: client.put_object(Bucket="lab-desk", Key="full", Body=b"y" * 3 * MIB),
                     lambda: client.upload_part(**given, Body=b"z" * 3 * MIB)):  # fmt: skip
            with pytest.raises(ClientError) as refused:
                call()
            assert refused.value.response["Error"]["Code"] == "QuotaExceeded"
    finally:
        objects.set_limit("lab", None)
    assert not is_there(scene, "full")
    assert client.list_parts(**{key: text for key, text in given.items() if key != "PartNumber"}).get("Parts") is None


def test_what_a_key_may_not_do(scene: S3Scene) -> None:
    made, secret = scene.files.keys.new(scene.lea, "lab", scope="read")
    scene.keys["readers"] = (made.access_key_id, secret)
    reader, stranger = scene.client("readers"), scene.client("desk")
    scene.client().put_object(Bucket="lab-desk", Key="shared", Body=b"x")
    assert reader.get_object(Bucket="lab-desk", Key="shared")["Body"].read() == b"x"
    for call in (
        lambda: reader.put_object(Bucket="lab-desk", Key="a", Body=b""),
        lambda: reader.create_bucket(Bucket="lab-r"),
        lambda: reader.delete_object(Bucket="lab-desk", Key="shared"),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
    with pytest.raises(ClientError) as refused:
        stranger.get_object(Bucket="lab-desk", Key="shared")
    assert refused.value.response["Error"]["Code"] == "NoSuchBucket"
    assert [one["Name"] for one in stranger.list_buckets()["Buckets"]] == ["desk-theirs"]
    scene.files.keys.end(scene.lea, made.access_key_id)
    with pytest.raises(ClientError) as refused:
        reader.get_object(Bucket="lab-desk", Key="shared")
    assert refused.value.response["Error"]["Code"] == "InvalidAccessKeyId"


READING = ("GET", "HEAD")
DOCUMENTS = {
    "versioning": b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
    "lifecycle": b"<LifecycleConfiguration><Rule><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
    b"</LifecycleConfiguration>",
    "tagging": b"<Tagging><TagSet/></Tagging>",
    "delete": b"<Delete><Object><Key>theirs</Key></Object></Delete>",
}
COMPLETE = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"


@pytest.mark.parametrize(("kind", "operations"), [("bucket", ON_BUCKET), ("file", ON_FILE)])
def test_every_operation_asks_whose_key_it_is(scene: S3Scene, kind: str, operations: Mapping[Any, Any]) -> None:
    """Not one that was forgotten: another project's key finds no bucket, a key for reading changes nothing."""
    scene.client("desk").put_object(Bucket="desk-theirs", Key="theirs", Body=b"x")
    upload = scene.client("desk").create_multipart_upload(Bucket="desk-theirs", Key="theirs")["UploadId"]
    made, secret = scene.files.keys.new(scene.lea, "desk", scope="read")
    scene.keys["desk readers"] = (made.access_key_id, secret)
    for method, part in operations:
        words = part.replace(" copy", "").replace("copy", "")
        query = f"?{words}" + (f"={upload}&partNumber=1" if words == "uploadId" else "") if words else ""
        path = "/desk-theirs" + ("/theirs" if kind == "file" else "") + query
        copied = {"x_amz_copy_source": "desk-theirs/theirs", "x_amz_metadata_directive": "REPLACE"}
        more = copied if "copy" in part else {}
        more |= {"x_amz_object_attributes": "ETag"} if part == "attributes" else {}
        body = COMPLETE if (method, words) == ("POST", "uploadId") else DOCUMENTS.get(words, b"")
        for key in ("lab", "desk readers"):
            headers = signed(scene, method, path, key=key, content_length=str(len(body)), **more)
            status, code, _ = ask(scene, method, path, headers, body or None)
            if key == "lab":
                taken = (method, part, kind) == ("PUT", "", "bucket")
                assert (status, code) == ((409, "BucketAlreadyExists") if taken else (404, code)), (method, part)
                assert code == "NoSuchBucket" or taken or method == "HEAD", (method, part, code)
            elif method not in READING or words in ("uploadId", "uploads"):
                assert (status, code) == (403, "AccessDenied") or (method, words) == ("GET", "uploads"), (method, part)
            else:
                assert status == 200 or code.startswith("NoSuch"), (method, part, status, code)
    assert [one.key for one in scene.files.list(scene.lea, "desk-theirs").files] == ["theirs"]
    assert scene.files.bucket(scene.lea, "desk-theirs").rules == ()


def test_a_locked_project_is_read_by_nobody(scene: S3Scene) -> None:
    data, client, customers = scene.served.live.park.data, scene.client("clinic"), b"k" * 32
    data.keys.begin(scene.lea, "clinic", "customer", customers)
    data.keys.unlock(scene.lea, "clinic", customers, 3600.0)
    client.create_bucket(Bucket="clinic-scans")
    client.put_object(Bucket="clinic-scans", Key="one", Body=b"a patient's name")
    begun = {"Bucket": "clinic-scans", "Key": "parts"}
    begun["UploadId"] = client.create_multipart_upload(**begun)["UploadId"]
    part = client.upload_part(**begun, PartNumber=1, Body=b"another name")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    client.complete_multipart_upload(**begun, MultipartUpload={"Parts": parts})
    assert client.get_object(Bucket="clinic-scans", Key="parts")["Body"].read() == b"another name"
    data.keys.lock(scene.lea, "clinic")
    for call in (
        lambda: client.get_object(Bucket="clinic-scans", Key="one"),
        lambda: client.get_object(Bucket="clinic-scans", Key="parts"),
        lambda: client.put_object(Bucket="clinic-scans", Key="two", Body=b"x"),
    ):
        with pytest.raises(ClientError) as refused:
            call()
        assert refused.value.response["Error"]["Code"] == "AccessDenied"
    assert [one["Key"] for one in client.list_objects_v2(Bucket="clinic-scans")["Contents"]] == ["one", "parts"]
    data.keys.unlock(scene.lea, "clinic", customers, 3600.0)  # so that the end of the tests can look at all of it
    assert client.get_object(Bucket="clinic-scans", Key="one")["Body"].read() == b"a patient's name"


def test_a_page_elsewhere_may_use_a_signed_address(scene: S3Scene) -> None:
    client = scene.client()
    client.put_object(Bucket="lab-desk", Key="page.html", Body=b"<script>", ContentType="text/html")
    url = urlsplit(client.generate_presigned_url("get_object", Params={"Bucket": "lab-desk", "Key": "page.html"}))
    connection = http.client.HTTPConnection("127.0.0.1", url.port or 0)
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Headers": "content-type"}
    connection.request("OPTIONS", url.path, headers=asked)
    answer = connection.getresponse()
    assert (answer.read(), answer.headers["Access-Control-Allow-Headers"]) == (b"", "content-type")
    connection.request(
        "GET", f"{url.path}?{url.query}", headers={"Origin": "https://elsewhere.example", "Host": url.netloc}
    )
    answer = connection.getresponse()
    assert answer.read() == b"<script>"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Content-Security-Policy"] == "sandbox"  # it runs nothing, though it lies on this host
    connection.close()


def test_large_bodies_take_no_memory(scene: S3Scene, tmp_path: Path) -> None:
    client, size = scene.client(), 192 * MIB
    file = tmp_path / "large"
    with file.open("wb") as content:
        content.truncate(size)
    before = psutil.Process().memory_info().rss
    with file.open("rb") as content:
        client.put_object(Bucket="lab-desk", Key="large", Body=content, ContentLength=size)
    body = client.get_object(Bucket="lab-desk", Key="large")["Body"]
    assert sum(len(piece) for piece in body.iter_chunks(MIB)) == size
    assert psutil.Process().memory_info().rss - before < 64 * MIB


def test_a_client_that_waits_to_send_its_body_is_told_no_and_let_go(scene: S3Scene) -> None:
    head = {**signed(scene, "PUT", "/lab-desk/k?uploadId=upload-a&partNumber=1"), "content-length": "30000"}
    lines = "".join(f"{name}: {text}\r\n" for name, text in head.items())
    with socket.create_connection(("127.0.0.1", urlsplit(scene.served.s3_url).port or 0), timeout=20) as own:
        own.sendall(
            f"PUT /lab-desk/k?uploadId=upload-a&partNumber=1 HTTP/1.1\r\n{lines}expect: 100-continue\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: own.recv(65_536), b""))  # to its end: what came next would be taken for the body
    assert answer.startswith(b"HTTP/1.1 404") and b"connection: close" in answer.lower()
