"""Signatures of the S3 door against those that botocore makes, over odd paths, queries, headers and chunks."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.web.doors.s3.chunked import SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER, ChunkedBody
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import Claim, Proof, Sent, claim_of, prove, signing_key

KEY, SECRET = "PARKEXAMPLE123456789", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW_S = 1_795_000_000.0
ODD = st.text(st.sampled_from("ab/ +%&=?#~.-_*()'!@:;,$é日\U0001f41a\\\"<>|^`{}[]"), min_size=1, max_size=20)
METHODS = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"])


def now_text(at_s: float = NOW_S) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y%m%dT%H%M%SZ")


def signed(method: str, url: str, headers: dict[str, str], *, presigned_s: int | None = None) -> Sent:
    """A request as botocore signs it (its clock set to ours), as it goes over the wire."""
    credentials = Credentials(KEY, SECRET)
    request = AWSRequest(method=method, url=url, headers={"Host": urlsplit(url).netloc, **headers})
    request.context["timestamp"] = now_text()
    kind = S3SigV4Auth if presigned_s is None else S3SigV4QueryAuth
    more = {} if presigned_s is None else {"expires": presigned_s}
    auth = kind(credentials, "s3", "eu-west-3", **more)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(NOW_S, UTC))
        auth.add_auth(request)
    parts = urlsplit(request.url)
    return Sent(method, parts.path, parts.query, [(name.lower(), value) for name, value in request.headers.items()])


def accept(sent: Sent, secret: str = SECRET, now_s: float = NOW_S) -> Proof:
    claim = claim_of(sent, now_s)
    assert claim is not None
    return prove(sent, claim, secret)


def url_of(key: str, query: dict[str, str]) -> str:
    words = "&".join(f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in query.items())
    return f"http://localhost:8387/bucket/{quote(key, safe='/~')}" + (f"?{words}" if words else "")


@given(METHODS, ODD, st.dictionaries(ODD, ODD | st.just(""), max_size=3), ODD)
def test_what_botocore_signs_holds_and_nothing_else(method: str, key: str, query: dict[str, str], word: str) -> None:
    meta = quote(f"  {word}  two   spaces ", safe=" ")
    sent = signed(method, url_of(key, query), {"x-amz-meta-word": meta, "Content-Type": "text/plain"})
    assert accept(sent).claim.key_id == KEY
    for other in (
        Sent("PATCH", sent.path, sent.query, sent.headers),
        Sent(sent.method, sent.path + "x", sent.query, sent.headers),
        Sent(sent.method, sent.path, sent.query + "&more=1", sent.headers),
        Sent(sent.method, sent.path, sent.query, [(n, v + "x" if n == "host" else v) for n, v in sent.headers]),
        Sent(sent.method, sent.path, sent.query, [*sent.headers, ("x-amz-acl", "public-read")]),
    ):
        with pytest.raises(Fault, match=r"signature|not signed"):
            accept(other)
    with pytest.raises(Fault, match="signature"):
        accept(sent, SECRET + "x")


@given(METHODS, ODD, st.dictionaries(ODD, ODD, max_size=2), st.integers(1, 604_800))
def test_presigned_addresses_hold_until_they_expire(method: str, key: str, query: dict[str, str], good_s: int) -> None:
    sent = signed(method, url_of(key, query), {}, presigned_s=good_s)
    assert accept(sent, now_s=NOW_S + good_s).claim.is_presigned
    assert accept(sent, now_s=NOW_S - 900)
    for at_s, why in ((NOW_S + good_s + 1, "expired"), (NOW_S - 901, "not valid yet")):
        with pytest.raises(Fault, match=why):
            accept(sent, now_s=at_s)
    with pytest.raises(Fault, match="signature"):
        accept(Sent(sent.method, sent.path, sent.query.replace(f"Expires={good_s}", "Expires=604799"), sent.headers)
               if good_s != 604_799 else Sent("PATCH", sent.path, sent.query, sent.headers))  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authorization": "AWS KEY:signature="}, "InvalidRequest"),
        ({"authorization": "AWS4-ECDSA-P256-SHA256 Credential=x"}, "InvalidRequest"),
        ({"authorization": "AWS4-HMAC-SHA256 Credential=x"}, "AuthorizationHeaderMalformed"),
        ({"authorization": "AWS4-HMAC-SHA256 " + "Credential=a," * 9_000}, "AuthorizationHeaderMalformed"),
        ({"x-amz-date": now_text(NOW_S - 901)}, "RequestTimeTooSkewed"),
        ({"x-amz-date": now_text(NOW_S + 901)}, "RequestTimeTooSkewed"),
        ({"x-amz-date": "20261301T000000Z"}, "AuthorizationHeaderMalformed"),
        ({"x-amz-date": "٢٠٢٦1126T000000Z"}, "AuthorizationHeaderMalformed"),
        ({"x-amz-content-sha256": ""}, "InvalidRequest"),
    ],
)
def test_wrong_claims_are_refused_by_name(change: dict[str, str], code: str) -> None:
    sent = signed("GET", url_of("a", {}), {})
    headers = [(name, change.get(name, value)) for name, value in sent.headers]
    with pytest.raises(Fault) as refused:
        accept(Sent(sent.method, sent.path, sent.query, headers))
    assert refused.value.code == code


def test_a_slash_may_come_encoded_and_a_plus_in_a_path_is_a_plus() -> None:
    assert accept(signed("GET", "http://localhost/b/a%2Fb+c", {}))
    assert accept(signed("GET", "http://localhost/b/..%2F../x//y/.", {}))
    assert claim_of(Sent("GET", "/b", "prefix=a", [("host", "localhost")]), NOW_S) is None
    with pytest.raises(Fault, match="not supported"):
        claim_of(Sent("GET", "/b", "AWSAccessKeyId=A&Expires=1&Signature=b", []), NOW_S)


# -- bodies in chunks --------------------------------------------------------------------------------------------------
def a_proof() -> Proof:
    claim = Claim(KEY, now_text()[:8], "eu-west-3", now_text(), ("host",), "0" * 64, SIGNED, False)
    return Proof(claim, signing_key(SECRET, claim))


def in_chunks(form: str, parts: list[bytes], trailers: dict[str, str], proof: Proof) -> bytes:
    """A body as a client sends it."""
    before, wire = proof.claim.signature, b""
    for part in [*parts, b""]:
        if form == UNSIGNED_TRAILER:
            wire += b"%x\r\n" % len(part)
        else:
            before = proof.of_chunk(before, hashlib.sha256(part).hexdigest())
            wire += b"%x;chunk-signature=%s\r\n" % (len(part), before.encode())
        wire += part + (b"\r\n" if part else b"")
    lines = "".join(f"{name}:{text}\r\n" for name, text in trailers.items())
    if form == SIGNED_TRAILER:
        text = "".join(f"{name}:{text}\n" for name, text in trailers.items()).encode()
        lines += f"x-amz-trailer-signature:{proof.of_trailer(before, text)}\r\n"
    return wire + lines.encode() + b"\r\n"


@given(
    st.sampled_from([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]),
    st.lists(st.binary(min_size=1, max_size=40), max_size=4),
    st.integers(1, 50),
    st.data(),
)
def test_chunks_come_out_whole_however_they_are_cut(
    form: str, parts: list[bytes], cut: int, draw: st.DataObject
) -> None:
    proof, content = a_proof(), b"".join(parts)
    trailers = {} if form == SIGNED else {"x-amz-checksum-crc32": "AAAAAA=="}
    wire = in_chunks(form, parts, trailers, proof)
    pieces = [wire[at : at + cut] for at in range(0, len(wire), cut)]
    body = ChunkedBody(form, len(content), proof)
    assert b"".join(body.pieces_of(pieces)) == content
    assert body.trailers == trailers
    end = draw.draw(st.integers(0, len(wire) - 3))
    with pytest.raises(Fault):  # cut short
        list(ChunkedBody(form, len(content), proof).pieces_of([wire[:end]]))
    for size in (len(content) + 1, len(content) - 1):
        with pytest.raises(Fault):
            list(ChunkedBody(form, size, proof).pieces_of(pieces))
    if form != UNSIGNED_TRAILER:
        at = draw.draw(st.integers(0, len(wire) - 3))
        changed = wire[:at] + bytes((wire[at] ^ 1,)) + wire[at + 1 :]
        with pytest.raises(Fault):  # any bit
            list(ChunkedBody(form, len(content), proof).pieces_of([changed]))


@given(st.binary(max_size=200), st.sampled_from([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]))
def test_rubbish_is_refused_by_a_fault(wire: bytes, form: str) -> None:
    body = ChunkedBody(form, 10, a_proof())
    with pytest.raises(Fault):
        list(body.pieces_of([wire]))
    with pytest.raises(Fault, match="too long"):
        list(ChunkedBody(form, 10, a_proof()).pieces_of([b"0" * 5000, b"0" * 5000]))
