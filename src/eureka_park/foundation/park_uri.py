"""Addresses of data inside a park, as people write them for the inputs and outputs of jobs.

`park://datasets/PROJECT/NAME@REVISION/PATH:MOUNT` for an input, `models/PROJECT/NAME:FOLDER` for an output; `park://`
may be left out. A revision with a slash, and a path with a colon, are written with %2F and %3A.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from eureka_park.foundation.errors import BadInput

SCHEME: Final = "park://"
URI_CHARS_MAX: Final = 2000
MOUNT_CHARS_MAX: Final = 64
INPUT_FORM: Final = "park://datasets/PROJECT/NAME@REVISION[/PATH][:MOUNT]"
OUTPUT_FORM: Final = "models/PROJECT/NAME[:FOLDER]"
_KINDS: Final = {"datasets": "dataset", "models": "model"}
_MOUNT: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_FOREIGN: Final = re.compile(r"[^A-Z0-9]")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InputUri:
    """What a job is to read: a folder or a file (`path`) of a version, and the name under which it finds it."""

    kind: str
    project: str
    name: str
    revision: str
    path: str
    mount: str


@dataclass(frozen=True, slots=True)
class OutputUri:
    """What becomes of a job's files: a folder of its working folder ('': its output folders), committed to there."""

    kind: str
    project: str
    name: str
    folder: str


def read_input(text: str) -> InputUri:
    """Read an input's address. Raises BadInput."""
    kind, project, rest = _parts(text, INPUT_FORM)
    before, colon, after = rest.rpartition(":")
    rest, mount = (before, after) if colon and "/" not in after else (rest, "")
    place, _, path = rest.partition("/")
    name, at, revision = place.partition("@")
    path = unquote(path).strip("/")
    mount = mount or unquote(name)
    is_plain = ".." not in path.split("/") and _MOUNT.fullmatch(mount) and len(mount) <= MOUNT_CHARS_MAX
    if not name or (at and not revision) or (colon and not after) or not is_plain or "\0" in path:
        raise _wrong(text, INPUT_FORM)
    return InputUri(kind, project, unquote(name), unquote(revision) or "main", path, mount)


def read_output(text: str) -> OutputUri:
    """Read an output's address. Raises BadInput."""
    kind, project, rest = _parts(text, OUTPUT_FORM)
    name, colon, folder = rest.partition(":")
    folder = folder.removeprefix("./").rstrip("/")
    is_inside = not folder.startswith("/") and ".." not in folder.split("/") and "\0" not in folder
    if not name or "/" in name or "@" in name or (colon and not folder) or not is_inside:
        raise _wrong(text, OUTPUT_FORM)
    return OutputUri(kind, project, unquote(name), folder)


def input_text(kind: str, project: str, name: str, revision: str, path: str, mount: str) -> str:
    """The address of an input, as `read_input` reads it."""
    tail = f"/{quote(path, safe='/')}" if path else ""
    return f"{SCHEME}{kind}s/{project}/{name}@{quote(revision, safe='')}{tail}:{mount}"


def output_text(kind: str, project: str, name: str, folder: str) -> str:
    """The address of an output, as `read_output` reads it."""
    return f"{SCHEME}{kind}s/{project}/{name}{f':{folder}' if folder else ''}"


def variable_of(mount: str) -> str:
    """The environment variable that names an input's folder."""
    return f"PARK_INPUT_{_FOREIGN.sub('_', mount.upper())}"


def read_inputs(texts: Iterable[str]) -> list[InputUri]:
    """Several inputs of one job. Raises BadInput also where two would have one name, or one variable."""
    found = _all(texts, read_input, "inputs")
    seen: set[str] = set()
    for index, one in enumerate(found):
        seen.add(variable_of(one.mount))
        if len(seen) != index + 1:
            raise BadInput(
                f"Two inputs would have the name '{one.mount}'.",
                fix="Give one of them another: ...:OTHER",
                field=f"inputs[{index}]",
                code="input_name_taken",
            )
    return found


def read_outputs(texts: Iterable[str]) -> list[OutputUri]:
    """Several outputs of one job. Raises BadInput also where two would go to one repository."""
    found = _all(texts, read_output, "outputs")
    if len({(one.kind, one.project, one.name) for one in found}) != len(found):
        raise BadInput(
            "Two outputs would go to one repository.",
            fix="Name each once.",
            field="outputs",
            code="output_taken",
        )
    return found


def _all(texts: Iterable[str], read: Callable[[str], T], field: str) -> list[T]:
    found = []
    for index, text in enumerate(texts):
        try:
            found.append(read(text))
        except BadInput as error:
            error.field = f"{field}[{index}]"
            raise
    return found


def _parts(text: str, form: str) -> tuple[str, str, str]:
    if not isinstance(text, str) or len(text) > URI_CHARS_MAX:
        raise _wrong(text, form)
    words = text.strip().removeprefix(SCHEME).split("/", 2)
    if len(words) != 3 or words[0] not in _KINDS or not words[1] or not words[2]:
        raise _wrong(text, form)
    return _KINDS[words[0]], unquote(words[1]), words[2]


def _wrong(text: object, form: str) -> BadInput:
    return BadInput(f"{str(text)[:120]!a} is no address of data.", fix=f"Write it as {form}.", code="bad_address")
