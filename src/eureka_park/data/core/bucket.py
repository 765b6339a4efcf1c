"""What buckets of files are: names, keys, versions, conditions, rules of their lifecycle. The words are those of S3."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.units import DAY_S, MIB

KEY_BYTES_MAX: Final = 1024
METADATA_BYTES_MAX: Final = 2048
CONTENT_TYPE_CHARS_MAX: Final = 255
HEADER_CHARS_MAX: Final = 1024
TAGS_MAX: Final = 10
RULES_MAX: Final = 100
DAYS_MAX: Final = 36_500
PART_BYTES_MIN: Final = 5 * MIB  # of all parts but the last, looked at when they are put together
PARTS_MAX: Final = 10_000
PAGE_MAX: Final = 1_000
NULL_VERSION: Final = "null"  # of what is written while versions are not kept
CONTENT_TYPE_DEFAULT: Final = "application/octet-stream"
HEADERS: Final = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_TAKEN_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_TAKEN_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


class Versioning(StrEnum):
    """Whether a bucket keeps former versions: never did, does, does no more (those that there are stay)."""

    OFF = "off"
    ON = "on"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """What is to go by itself, below a prefix. Days are real days; 0 newer ones: none is kept for its being new.

    `current_days`: a file, so long after it was written. `noncurrent_days`: a former version, so long after it was
    replaced, except the newest `n_newer_kept` of its file. `upload_days`: an upload in parts that was not ended.
    `markers`: delete markers of files of which nothing else is left.
    """

    rule_id: str
    prefix: str = ""
    is_on: bool = True
    current_days: int | None = None
    noncurrent_days: int | None = None
    n_newer_kept: int = 0
    upload_days: int | None = None
    markers: bool = False

    def to_json(self) -> dict[str, Any]:
        """As a row and the API hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> LifecycleRule:
        """Read what `to_json` wrote."""
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder of files of a project. `n_versions` and `size_bytes` count all versions, former ones too."""

    bucket_id: str
    name: str
    project_id: str
    versioning: Versioning
    rules: tuple[LifecycleRule, ...]
    tags: Mapping[str, str]
    made_at_s: float
    n_versions: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of a file, or a delete marker. `etag` has no quotes; `n_parts` is 0 for what came as one.

    `version_id` is `null` for what was written while the bucket kept no versions. `headers`: those of HEADERS that came
    with it. `checksums`: by algorithm, as the door that took them wrote them. `sha256`: '' for files of several parts.
    """

    bucket: str
    key: str
    version_id: str
    etag: str
    size_bytes: int
    content_type: str
    metadata: Mapping[str, str]
    checksums: Mapping[str, str]
    made_at_s: float
    is_latest: bool
    is_delete_marker: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    n_parts: int = 0
    sha256: str = ""
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. `next`: what to give as `after` for the page that follows; None for the last.

    `files` and `prefixes` are each in the order of their bytes.
    """

    files: tuple[FileVersion, ...]
    prefixes: tuple[str, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A page of versions, the newest of each file first. `next`: key and version after which to go on; None: the end.

    The version is '' after a common prefix.
    """

    versions: tuple[FileVersion, ...]
    prefixes: tuple[str, ...]
    next: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Describe:
    """What comes with the bytes of a file. `headers`: of HEADERS, names in small letters."""

    content_type: str = CONTENT_TYPE_DEFAULT
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Condition:
    """On what a write depends. `if_none_match`: there must be no such file; `if_match`: the ETag it must have."""

    if_none_match: bool = False
    if_match: str = ""

    def check(self, etag: str | None) -> None:
        """Raise Conflict (`precondition_failed`) or NotFound where the ETag that is there (None: none) does not fit."""
        if self.if_none_match and etag is not None:
            raise Conflict("There is such a file already.", fix="Choose another key.", code="precondition_failed")
        if self.if_match and etag is None:
            raise NotFound("There is no such file.", fix="Look at what is there.", code="no_such_file")
        if self.if_match and etag not in (self.if_match.strip('"'), None) and self.if_match != "*":
            raise Conflict("The file has changed.", fix="Read it again.", code="precondition_failed")


@dataclass(frozen=True, slots=True)
class PartOf:
    """A part of an upload: what it weighs and how it is named."""

    part_number: int
    etag: str
    size_bytes: int
    made_at_s: float
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FilePart:
    """A part of a file that was put together from parts, and where in the file it lies."""

    part_number: int
    start_bytes: int
    size_bytes: int
    etag: str
    checksums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in parts that has not ended."""

    upload_id: str
    bucket: str
    key: str
    described: Describe
    person_id: str
    begun_at_s: float
    checksums: Mapping[str, str] = field(default_factory=dict)  # what its door wrote down when it began


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion did. `version_id`: of the marker that was made, or of the version that went ('': nothing).

    `is_delete_marker`: a marker was made, or the version that went was one.
    """

    key: str
    version_id: str = ""
    is_delete_marker: bool = False


# -- checks ------------------------------------------------------------------------------------------------------------
def check_bucket_name(name: str) -> None:
    """Raise BadInput unless the text can name a bucket, here and on S3."""
    is_sound = (
        _BUCKET.fullmatch(name) is not None
        and not any(pair in name for pair in ("..", ".-", "-."))
        and not _ADDRESS.fullmatch(name)
        and not name.startswith(_TAKEN_PREFIXES)
        and not name.endswith(_TAKEN_SUFFIXES)
    )
    if not is_sound:
        raise BadInput(
            f"{name[:80]!a} cannot name a bucket.",
            fix="Use 3 to 63 small letters, digits, dots and dashes, with a letter or digit at both ends.",
            code="bad_bucket",
            field="bucket",
        )


def key_bytes(key: str) -> bytes:
    """A key as it is kept. Raises BadInput for an empty one, one of more than 1,024 bytes, and what is no Unicode."""
    try:
        raw = key.encode()
    except UnicodeEncodeError:
        raw = b""
    if not 0 < len(raw) <= KEY_BYTES_MAX:
        what = "is empty, or not valid Unicode" if not raw else f"is longer than {KEY_BYTES_MAX:,} bytes"
        raise BadInput(f"The key {what}.", fix="Choose another key.", code="bad_key", field="key")
    return raw


def text_bytes(given: str) -> bytes:
    """A prefix, a delimiter or a cursor as keys are kept. Raises BadInput for what is no Unicode."""
    try:
        return given.encode()
    except UnicodeEncodeError:
        raise BadInput("This is not valid Unicode.", fix="Check it.", code="bad_key") from None


def check_described(given: Describe) -> None:
    """Raise BadInput (`bad_metadata`, `bad_tags`) for what a file cannot be described by."""
    texts = [given.content_type, *given.headers.values(), *given.metadata, *given.metadata.values()]
    if any(char < " " or char == "\x7f" or "\ud800" <= char <= "\udfff" for text in texts for char in text):
        raise _bad_metadata("It holds a control character.")
    if sum(len(name.encode()) + len(text.encode()) for name, text in given.metadata.items()) > METADATA_BYTES_MAX:
        raise _bad_metadata(f"It takes more than {METADATA_BYTES_MAX:,} bytes.")
    if len(given.content_type) > CONTENT_TYPE_CHARS_MAX:
        raise _bad_metadata("The content type is too long.")
    if set(given.headers) - set(HEADERS) or any(len(text) > HEADER_CHARS_MAX for text in given.headers.values()):
        raise _bad_metadata(f"Headers that are kept: {', '.join(HEADERS)}, of at most {HEADER_CHARS_MAX:,} characters.")
    check_tags(given.tags)


def check_tags(tags: Mapping[str, str], most: int = TAGS_MAX) -> None:
    """Raise BadInput (`bad_tags`) for more than ten tags, names above 128 and values above 256 characters."""
    is_sound = all(0 < len(name) <= 128 and len(text) <= 256 and "\0" not in name + text for name, text in tags.items())
    if len(tags) > most or not is_sound:
        raise BadInput("These tags cannot be kept.", fix=f"Give at most {most} short ones.", code="bad_tags")


def _bad_metadata(why: str) -> BadInput:
    return BadInput(f"The metadata cannot be kept. {why}", fix="Give less of it.", code="bad_metadata")


def check_rules(rules: Sequence[LifecycleRule]) -> None:
    """Raise BadInput (`bad_lifecycle`) for rules that say nothing, name each other's name, or count wrongly."""
    if len(rules) > RULES_MAX:
        raise _bad_rule(f"A bucket has at most {RULES_MAX} rules.")
    if len({rule.rule_id for rule in rules}) < len(rules):
        raise _bad_rule("Two rules have one name.")
    for rule in rules:
        days = [count for count in (rule.current_days, rule.noncurrent_days, rule.upload_days) if count is not None]
        if not days and not rule.markers:
            raise _bad_rule(f"The rule {rule.rule_id[:80]!a} takes nothing away.")
        if any(not 1 <= count <= DAYS_MAX for count in days) or not 0 <= rule.n_newer_kept <= 1000:
            raise _bad_rule(f"Days are 1 to {DAYS_MAX:,}; newer versions that are kept, up to 1,000.")
        if not 0 < len(rule.rule_id) <= 255 or "\0" in rule.rule_id + rule.prefix:
            raise _bad_rule("A rule has a name of 1 to 255 characters.")
        if rule.n_newer_kept and rule.noncurrent_days is None:
            raise _bad_rule("Newer versions are kept of those that go after some days: say how many days.")
        if rule.prefix:
            key_bytes(rule.prefix)


def _bad_rule(why: str) -> BadInput:
    return BadInput(f"The lifecycle cannot be kept. {why}", fix="Change the rule.", code="bad_lifecycle")


# -- order and time ----------------------------------------------------------------------------------------------------
def end_of_prefix(prefix: bytes) -> bytes | None:
    """The first text after all that begin with `prefix`; None where nothing comes after them.

    UTF-8 has no byte of 255, so the last byte can be raised; an empty prefix has no end.
    """
    return prefix[:-1] + bytes((prefix[-1] + 1,)) if prefix else None


def before_s(now_s: float, n_days: int) -> float:
    """What came before this instant is older than so many days."""
    return now_s - n_days * DAY_S


# -- etags -------------------------------------------------------------------------------------------------------------
def etag_of_parts(etags: Iterable[str]) -> str:
    """The ETag of a file of several parts: the MD5 of their MD5s, and how many there are."""
    digests = [bytes.fromhex(etag) for etag in etags]
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def check_parts(chosen: Sequence[tuple[int, str]], there: Mapping[int, PartOf]) -> list[PartOf]:
    """The parts that make up a file, in their order. Raises BadInput (`bad_part`, `bad_part_order`, `small_part`)."""
    numbers = [number for number, _ in chosen]
    if not chosen or len(chosen) > PARTS_MAX:
        raise BadInput(f"A file is made of 1 to {PARTS_MAX:,} parts.", fix="Name its parts.", code="bad_part")
    if any(second <= first for first, second in pairwise(numbers)):
        raise BadInput("The parts are not in order.", fix="Name them by number.", code="bad_part_order")
    found = []
    for number, etag in chosen:
        part = there.get(number)
        if part is None or part.etag != etag.strip('"'):
            raise BadInput(f"There is no part {number} of that ETag.", fix="Send it again.", code="bad_part")
        found.append(part)
    if any(part.size_bytes < PART_BYTES_MIN for part in found[:-1]):
        raise BadInput(
            f"All parts but the last have at least {PART_BYTES_MIN // MIB} MiB.", fix="Send larger parts.",
            code="small_part",
        )  # fmt: skip
    return found


def check_part_number(number: int) -> None:
    """Raise BadInput (`bad_part`) unless parts may be numbered so."""
    if not 1 <= number <= PARTS_MAX:
        raise BadInput(f"Parts are numbered 1 to {PARTS_MAX:,}.", fix="Send larger parts.", code="bad_part")
