"""AWS Signature Version 4 as a server checks it: of headers, of a query, of chunks and trailers. Pure.

Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference. Paths are encoded once and never
normalised; a plus sign in a query is a space, in a path a plus sign.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from eureka_park.web.doors.s3.faults import Fault

ALGORITHM: Final = "AWS4-HMAC-SHA256"
UNSIGNED: Final = "UNSIGNED-PAYLOAD"
SKEW_S: Final = 900.0
EXPIRES_S_MAX: Final = 7 * 86400
EMPTY_SHA256: Final = hashlib.sha256(b"").hexdigest()
_SAFE: Final = "-._~"  # beside letters and digits: what is never encoded
_DATE: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_HEX_64: Final = re.compile(r"[0-9a-f]{64}")
_SCOPE: Final = re.compile(
    r"(?P<key>[A-Za-z0-9_\-]{1,128})/(?P<day>\d{8})/(?P<region>[a-z0-9\-]{1,64})/s3/aws4_request", re.ASCII
)
_FIELDS: Final = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
_SIGNED_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it came over the wire. `path` and `query` raw, `headers` with small names, in order."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    def header(self, name: str, otherwise: str = "") -> str:
        """A header's value, several of one name with commas between."""
        found = [value for key, value in self.headers if key == name]
        return ",".join(found) if found else otherwise


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request claims of its signature; nothing of it is proven yet."""

    key_id: str
    day: str
    region: str
    signed_at: str
    signed_headers: tuple[str, ...]
    signature: str = field(repr=False)
    payload_hash: str
    is_presigned: bool

    @property
    def scope(self) -> str:
        """Day, region and service: what the signing key is good for."""
        return f"{self.day}/{self.region}/s3/aws4_request"


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim that held: what chunks and trailers are signed on with."""

    claim: Claim
    signing_key: bytes = field(repr=False)

    def of_chunk(self, before: str, sha256: str) -> str:
        """The signature of a chunk with this hash, after the one before it."""
        return self._next("PAYLOAD", before, f"{EMPTY_SHA256}\n{sha256}")

    def of_trailer(self, before: str, trailer: bytes) -> str:
        """The signature of the trailing headers, each as `name:value` and a line feed."""
        return self._next("TRAILER", before, hashlib.sha256(trailer).hexdigest())

    def _next(self, what: str, before: str, words: str) -> str:
        text = f"{ALGORITHM}-{what}\n{self.claim.signed_at}\n{self.claim.scope}\n{before}\n{words}"
        return _hmac(self.signing_key, text).hex()


# -- what a request claims ---------------------------------------------------------------------------------------------
def claim_of(sent: Sent, now_s: float) -> Claim | None:
    """What a request claims, its time checked; None for one without any signature. Raises Fault."""
    header = sent.header("authorization")
    fields = {name: value for name, value in pairs_of(sent.query) if name.startswith("X-Amz-")}
    if header and "X-Amz-Signature" in fields:
        raise Fault("InvalidArgument", "Only one auth mechanism allowed.")
    if header:
        return _header_claim(sent, header, now_s)
    if "X-Amz-Signature" in fields or "X-Amz-Algorithm" in fields:
        return _query_claim(sent, fields, now_s)
    if any(name == "AWSAccessKeyId" for name, _ in pairs_of(sent.query)):
        raise _other_mechanism()
    return None


def _header_claim(sent: Sent, header: str, now_s: float) -> Claim:
    kind, _, rest = header.partition(" ")
    if kind != ALGORITHM:
        raise _other_mechanism()
    parts = dict[str, str]()
    for part in rest.split(","):
        name, is_there, value = part.strip().partition("=")
        if not is_there or name in parts:
            raise _malformed("The authorization header that you provided is not valid.")
        parts[name] = value
    if set(parts) != {"Credential", "SignedHeaders", "Signature"}:
        raise _malformed("It needs Credential, SignedHeaders and Signature, each once.")
    signed_at = sent.header("x-amz-date") or _from_date(sent.header("date"))
    payload_hash = sent.header("x-amz-content-sha256")
    if not payload_hash:
        raise Fault("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    claim = _claim(parts["Credential"], signed_at, parts["SignedHeaders"], parts["Signature"], payload_hash, False)
    if abs(_seconds_of(signed_at) - now_s) > SKEW_S:
        raise Fault(
            "RequestTimeTooSkewed", "The difference between the request time and the server's time is too large."
        )
    return claim


def _query_claim(sent: Sent, fields: Mapping[str, str], now_s: float) -> Claim:
    if fields.get("X-Amz-Algorithm") != ALGORITHM:
        raise _other_mechanism()
    missing = [name for name in (*_FIELDS, "X-Amz-Expires") if name not in fields]
    names = [name for name, _ in pairs_of(sent.query) if name.startswith("X-Amz-")]
    if missing or len(names) != len(set(names)):
        raise _bad_query("Query-string authentication requires each of its parameters once.")
    expires = fields["X-Amz-Expires"]
    if not (expires.isascii() and expires.isdigit() and 1 <= int(expires[:7]) <= EXPIRES_S_MAX and len(expires) <= 6):
        raise _bad_query(f"X-Amz-Expires must be between 1 and {EXPIRES_S_MAX} seconds.")
    payload_hash = fields.get("X-Amz-Content-Sha256", "") or sent.header("x-amz-content-sha256") or UNSIGNED
    _, credential, signed_at, signed_headers, signature = (fields[name] for name in _FIELDS)
    claim = _claim(credential, signed_at, signed_headers, signature, payload_hash, True)
    began_s = _seconds_of(signed_at)
    if began_s > now_s + SKEW_S:
        raise Fault("AccessDenied", "Request is not valid yet.")
    if now_s > began_s + int(expires):
        raise Fault("AccessDenied", "Request has expired.")
    return claim


def _claim(
    credential: str, signed_at: str, signed_headers: str, signature: str, payload_hash: str, is_presigned: bool
) -> Claim:
    scope = _SCOPE.fullmatch(credential)
    names = tuple(signed_headers.split(";"))
    if scope is None:
        raise _malformed("The Credential is not ACCESS-KEY/YYYYMMDD/REGION/s3/aws4_request.")
    if not _DATE.fullmatch(signed_at) or signed_at[:8] != scope["day"]:
        raise _malformed("The date is missing, or is not that of the credential's scope.")
    if not _HEX_64.fullmatch(signature):
        raise _malformed("The signature is not 64 hexadecimal digits.")
    if len(names) > _SIGNED_MAX or list(names) != sorted(set(names)) or "host" not in names:
        raise _malformed("SignedHeaders must be sorted names, host among them.")
    return Claim(scope["key"], scope["day"], scope["region"], signed_at, names, signature, payload_hash, is_presigned)


def _from_date(text: str) -> str:
    """A Date header as the form of x-amz-date; empty for none."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (TypeError, ValueError, OverflowError):
        return ""


def _seconds_of(signed_at: str) -> float:
    try:
        return datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise _malformed("There is no such date.") from None


# -- whether it holds --------------------------------------------------------------------------------------------------
def prove(sent: Sent, claim: Claim, secret: str) -> Proof:
    """Compare a claim with the secret. Raises Fault: headers that ought to be signed, or another signature."""
    left_out = sorted({name for name, _ in sent.headers if name.startswith("x-amz-")} - set(claim.signed_headers))
    if left_out:
        raise Fault("AccessDenied", f"There were headers present in the request which were not signed: {left_out[0]}")
    key = signing_key(secret, claim)
    holds = False
    for path in dict.fromkeys((canonical_path(sent.path), sent.path or "/")):
        text = string_to_sign(sent, claim, path)
        holds |= hmac.compare_digest(_hmac(key, text).hex(), claim.signature)
    if not holds:
        raise Fault(
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and "
            "signing method, and that a proxy passes Host and path on unchanged.",
        )
    return Proof(claim, key)


def signing_key(secret: str, claim: Claim) -> bytes:
    """The key of a day, a region and this service."""
    key = f"AWS4{secret}".encode()
    for word in (claim.day, claim.region, "s3", "aws4_request"):
        key = _hmac(key, word)
    return key


def string_to_sign(sent: Sent, claim: Claim, path: str) -> str:
    """What the signature is of: time, scope and hash of the request in its canonical form."""
    text = canonical_request(sent, claim, path)
    hashed = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{ALGORITHM}\n{claim.signed_at}\n{claim.scope}\n{hashed}"


def canonical_request(sent: Sent, claim: Claim, path: str) -> str:
    """A request in its canonical form."""
    lines = [f"{name}:{_value(sent, name)}\n" for name in claim.signed_headers]
    query = canonical_query(sent.query, is_presigned=claim.is_presigned)
    return "\n".join((sent.method, path, query, "".join(lines), ";".join(claim.signed_headers), claim.payload_hash))


def _value(sent: Sent, name: str) -> str:
    return ",".join(" ".join(value.split()) for key, value in sent.headers if key == name)


def canonical_path(raw: str) -> str:
    """A path encoded once, as S3 has it: neither dots nor double slashes are touched."""
    return encoded(unquote_to_bytes(raw), keep_slash=True) or "/"


def canonical_query(raw: str, *, is_presigned: bool) -> str:
    """A query encoded anew and sorted; a presigned one without its signature."""
    pairs = [(encoded(name), encoded(value)) for name, value in raw_pairs(raw)]
    return "&".join(
        f"{name}={value}" for name, value in sorted(pairs) if not (is_presigned and name == "X-Amz-Signature")
    )


def raw_pairs(query: str) -> list[tuple[bytes, bytes]]:
    """The names and values of a query, decoded."""
    pairs = list[tuple[bytes, bytes]]()
    for part in query.split("&"):
        if part:
            name, _, value = part.replace("+", " ").partition("=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def pairs_of(query: str) -> list[tuple[str, str]]:
    """The names and values of a query as texts."""
    return [(name.decode("utf-8", "replace"), value.decode("utf-8", "replace")) for name, value in raw_pairs(query)]


def encoded(content: bytes, *, keep_slash: bool = False) -> str:
    """Bytes as a URI has them: letters, digits and -._~ as they are, all else in hexadecimal."""
    return quote_from_bytes(content, safe=_SAFE + ("/" if keep_slash else ""))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256")


def _malformed(why: str) -> Fault:
    return Fault("AuthorizationHeaderMalformed", f"The authorization header is malformed. {why}")


def _bad_query(why: str) -> Fault:
    return Fault("AuthorizationQueryParametersError", why)


def _other_mechanism() -> Fault:
    return Fault(
        "InvalidRequest",
        f"The authorization mechanism you have provided is not supported. Please use {ALGORITHM} (Signature "
        "Version 4).",
    )
