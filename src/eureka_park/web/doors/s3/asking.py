"""What every operation of the door knows of a request: whose key signed it, the bucket, the key, the parameters."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import Request

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.bucket import KEY_BYTES_MAX
from eureka_park.data.files.service import FilesService
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import Proof, Sent, pairs_of
from eureka_park.web.hosts import host_name, is_loopback_name

HOSTS_VARIABLE: Final = "PARK_S3_HOSTS"
HEADERS_MAX: Final = 200
_META: Final = "x-amz-meta-"
_VERSION: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRUE: Final = frozenset({"true", "True", "TRUE"})


@dataclass(frozen=True, slots=True)
class Target:
    """What an address names: nothing, a bucket, or a file in it. Keys are texts without meaning: `../x` is one."""

    bucket: str
    key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was signed, or its address was."""

    request: Request
    park: Park
    sent: Sent
    target: Target
    query: Mapping[str, str]
    who: Principal
    project_id: str  # that of the key
    key_id: str
    proof: Proof

    @property
    def files(self) -> FilesService:
        """Buckets and what lies in them."""
        return self.park.data.files

    @property
    def bucket(self) -> str:
        """The bucket that the address names."""
        return self.target.bucket

    @property
    def key(self) -> str:
        """The key that the address names."""
        return self.target.key

    def header(self, name: str) -> str:
        """A header, by its small name; empty where it is not there."""
        return self.sent.header(name)

    @property
    def version_id(self) -> str | None:
        """The version that the address names; None for the newest. Raises Fault."""
        return version_in(self.query)

    def number(self, name: str, otherwise: int, least: int, most: int) -> int:
        """A number among the parameters. Raises Fault."""
        text = self.query.get(name, "")
        if text == "":
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
            raise Fault("InvalidArgument", f"Argument {name} must be an integer between {least} and {most}.")
        return int(text)

    def is_set(self, name: str) -> bool:
        """Whether a header says true."""
        return self.header(name) in _TRUE

    def metadata(self) -> dict[str, str]:
        """What the client wants to be kept beside the bytes: names without their prefix."""
        found = dict[str, str]()
        for name, value in self.sent.headers:
            if name.startswith(_META):
                short = name.removeprefix(_META)
                found[short] = f"{found[short]},{value}" if short in found else value
        return found


def sent_of(request: Request) -> Sent:
    """A request as it came. Raises Fault for more headers than anybody sends."""
    raw = request.scope["headers"]
    if len(raw) > HEADERS_MAX:
        raise Fault("InvalidRequest", f"There are more than {HEADERS_MAX} headers.")
    headers = [(name.decode("latin-1").lower(), _text(value)) for name, value in raw]
    path = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).partition(b"?")[0]
    query = bytes(request.scope.get("query_string", b""))
    return Sent(
        request.method, path.decode("utf-8", "surrogateescape"), query.decode("utf-8", "surrogateescape"), headers
    )


def _text(value: bytes) -> str:
    """A header's value: UTF-8 as most clients send it, else Latin-1 as the standard has it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def query_of(sent: Sent) -> dict[str, str]:
    """The parameters; the first of several of one name counts."""
    found = dict[str, str]()
    for name, value in pairs_of(sent.query):
        found.setdefault(name, value)
    return found


def target_of(sent: Sent, hosts: tuple[str, ...]) -> Target:
    """Bucket and key, from the path or from the host name. Raises Fault for what is no UTF-8."""
    try:
        path = unquote_to_bytes(sent.path).decode()
    except UnicodeDecodeError:
        raise Fault("InvalidURI", "Couldn't parse the specified URI.") from None
    name = host_name(sent.header("host"))
    host = next((one for one in hosts if name.endswith(f".{one}")), "")
    bucket, key = name.removesuffix(f".{host}"), path.removeprefix("/")
    if not host:
        bucket, _, key = key.partition("/")
    if len(key.encode()) > KEY_BYTES_MAX:
        raise Fault("KeyTooLongError", "Your key is too long.")
    return Target(bucket, key)


def door_hosts() -> tuple[str, ...]:
    """Host names below which buckets are host names too; the door's port on this machine is always one of them."""
    return ("localhost", *sorted(_named_hosts()))


def _named_hosts() -> list[str]:
    return [name.strip().lower() for name in os.environ.get(HOSTS_VARIABLE, "").split(",") if name.strip()]


def version_in(query: Mapping[str, str]) -> str | None:
    """The version that an address names; None for the newest. Raises Fault for what names none here."""
    found = query.get("versionId")
    if found is not None and not _VERSION.fullmatch(found):
        raise Fault("InvalidArgument", "Invalid version id specified.")
    return found


def door_url(request: Request) -> str | None:
    """Where S3 clients find the door, told to who came by the park's pages or API; None where there is none.

    Behind a proxy it is the first of PARK_S3_HOSTS, through TLS.
    """
    port: int | None = getattr(request.app.state, "s3_port", None)
    if port is None:
        return None
    if is_loopback_name(request.headers.get("host", "")):
        return f"http://localhost:{port}"
    return next((f"https://{name}" for name in _named_hosts()), None)


# -- instants of headers -----------------------------------------------------------------------------------------------
def http_date(at_s: float) -> str:
    """An instant as headers have it, in whole seconds."""
    return formatdate(int(at_s), usegmt=True)


def seconds_of(date: str) -> float | None:
    """An instant from a header; None for what is none, which then counts for nothing."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
