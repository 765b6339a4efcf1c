"""Job files: a job written down in TOML, for `park submit job.toml`.

    script = "train.py"        # or command = ["python", "-m", "mine"]; paths are relative to this file
    args = ["--epochs", "40"]
    dir = "."                  # send this folder along
    tier = "green"             # and any other field of a job: cpus gpus memory time by class array after env ...

Every mistake is told with file, line, field and the nearest field that exists.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eureka_park.client.fields import FIELDS, checked, nearest
from eureka_park.foundation.errors import BadInput, NotFound

_TABLE: Final = re.compile(r"^\s*\[+\s*[\"']?([A-Za-z0-9_-]+)")
_KEY: Final = re.compile(r"^\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*[.=]")
_PLACE: Final = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)")
_LOCAL: Final = frozenset({"script", "command", "args", "dir"})
# Words that people know from elsewhere and that no likeness of letters would find.
_SYNONYMS: Final[Mapping[str, str]] = {
    "deadline": "by", "queue": "tier", "walltime": "time", "time_limit": "time", "timeout": "time",
    "mem": "memory", "ram": "memory",
    "cores": "cpus", "depends_on": "after", "environment": "env", "folder": "dir",
    "workdir": "dir", "requirements": "dependencies",
    "arguments": "args", "cmd": "command", "job_class": "class", "python": "requires_python", "tasks": "array",
    "data": "inputs", "input": "inputs", "output": "outputs", "datasets": "inputs",
    "power": "kw", "n_nodes": "nodes", "n_gpus": "gpus", "gpu": "gpus",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobFile:
    """What a job file says: a script or a command, its arguments, the folder to send, and its fields."""

    path: Path
    script: Path | None
    command: tuple[str, ...]
    args: tuple[str, ...]
    folder: Path | None
    fields: dict[str, Any] = field(default_factory=dict)


def read_job_file(path: Path) -> JobFile:
    """Read a job file. Raises NotFound, or BadInput naming file, line and field."""
    return parse_job_file(text_of(path), path)


def parse_job_file(text: str, path: Path) -> JobFile:
    """As `read_job_file`, from its text; `path` places what the file names and is used in messages."""
    return job_of_table(toml_of(text, path), lines_of_keys(text), path)


def job_of_table(value: Mapping[str, Any], lines: Mapping[str, int], path: Path) -> JobFile:
    """The job that a table of a file says; `lines` places its keys in messages."""
    for key in value:
        if key not in FIELDS:
            raise bad_job_file(path, lines.get(key, 1), key, f"unknown field '{key}'.", _fix_for_unknown(key))
    read = {key: _checked(path, lines, key, item) for key, item in value.items()}
    if ("script" in read) == ("command" in read):
        what = "both 'script' and 'command'" if "script" in read else "neither 'script' nor 'command'"
        raise bad_job_file(
            path, lines.get("command", 1), "script", f"the file has {what}.", "Keep exactly one of them."
        )
    if "args" in read and "script" not in read:
        raise bad_job_file(
            path, lines["args"], "args", "'args' goes with 'script'.", "Put the arguments into 'command'."
        )
    if not read.get("script", True) or read.get("command") == []:
        key = "script" if "script" in read else "command"
        raise bad_job_file(path, lines[key], key, f"'{key}' is empty.", "Name what is to run.")
    base = path.parent
    return JobFile(
        path=path,
        script=base / read["script"] if "script" in read else None,
        command=tuple(read.get("command", ())),
        args=tuple(read.get("args", ())),
        folder=base / read["dir"] if "dir" in read else None,
        fields={key: item for key, item in read.items() if key not in _LOCAL},
    )


def text_of(path: Path) -> str:
    """The text of a job file. Raises NotFound and BadInput."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no job file '{path}'.", fix="Check the path.", code="no_job_file") from None
    except UnicodeDecodeError:
        raise BadInput(f"'{path}' is not UTF-8 text.", fix="Save the job file as UTF-8.", code="bad_job_file") from None
    except OSError as error:
        raise BadInput(
            f"'{path}' cannot be read: {error.strerror}.", fix="Check the path.", code="bad_job_file"
        ) from None


def toml_of(text: str, path: Path) -> dict[str, Any]:
    """The file as plain data. Raises BadInput with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else max(1, len(text.splitlines()))
        raise bad_job_file(path, line, None, f"not TOML: {_PLACE.sub('', str(error))}.", "Correct the line.") from None


def _checked(path: Path, lines: Mapping[str, int], key: str, value: Any) -> Any:
    try:
        return checked(key, value)
    except BadInput as error:
        raise bad_job_file(path, lines.get(key, 1), key, error.message, error.fix) from None


def lines_of_keys(text: str) -> dict[str, int]:
    """The line on which each key of the top level first appears (as a key, a dotted key or a table)."""
    lines: dict[str, int] = {}
    in_table = False
    for number, line in enumerate(text.splitlines(), 1):
        table = _TABLE.match(line)
        if table and "=" not in line.split("]", 1)[0]:
            in_table = True
            lines.setdefault(table[1], number)
        elif not in_table and (key := _KEY.match(line)):
            lines.setdefault(key[1], number)
    return lines


def _fix_for_unknown(key: str) -> str:
    near = _SYNONYMS.get(key.lower().replace("-", "_")) or nearest(key.replace("-", "_"), FIELDS)
    return f"Did you mean '{near}'?" if near else f"Known fields: {', '.join(FIELDS)}."


def bad_job_file(path: Path, line: int, key: str | None, what: str, fix: str) -> BadInput:
    """What is wrong in a job file, with its place."""
    return BadInput(f"{path}, line {line}: {what}", fix=fix, code="bad_job_file", field=key)
