"""Scripts: the PEP 723 header that names what they need, and how each kind is started.

Header: `# /// script` ... `# ///`, https://packaging.python.org/en/latest/specifications/inline-script-metadata/
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, NotFound

_OPEN: Final = re.compile(r"^# /// (?P<kind>[a-zA-Z0-9-]+)\s*$")
_LINE_OF_TOML: Final = re.compile(r"\(at line (\d+), column \d+\)")
# The beginning of a PEP 508 requirement: a name, then a version, extra, marker or address.
_REQUIREMENT: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\s*(?:$|[\[(<>=!~;@].*)", re.DOTALL)
_PYTHON_RANGE: Final = re.compile(r"\s*(?:(?:~=|===?|!=|<=|>=|<|>)\s*[0-9][\w.*+!-]*\s*(?:,\s*|$))+")


@dataclass(frozen=True, slots=True)
class ScriptHeader:
    """What a script asks for: PEP 508 requirements and the Python versions it runs on (empty: any)."""

    dependencies: tuple[str, ...] = ()
    requires_python: str = ""


def read_header(script: Path) -> ScriptHeader:
    """The PEP 723 header of a Python script; an empty one where it has none.

    Raises NotFound for a missing script and BadInput, with file and line, for a malformed header.
    """
    return parse_header(_text_of(script), script.name)


def parse_header(text: str, name: str = "script") -> ScriptHeader:
    """As `read_header`, from the text of the script; `name` is used in messages."""
    blocks = [(number, lines) for kind, number, lines in _blocks(text.splitlines(), name) if kind == "script"]
    if not blocks:
        return ScriptHeader()
    if len(blocks) > 1:
        raise _bad(name, blocks[1][0], "a second '# /// script' header.", "Keep one header.")
    number, lines = blocks[0]
    return _header(_toml(name, number, lines), name, number, lines)


def kind_of(script: Path) -> str:
    """How a script is started: `python`, `sh` or `executable`. Raises NotFound or BadInput in one line."""
    if not script.exists():
        fix = (
            f"Check the path; to run a command write: park submit -- {script}"
            if script.parent == Path()
            else "Check the path."
        )
        raise NotFound(f"There is no script '{script}'.", fix=fix, code="no_script")
    if not script.is_file():
        raise BadInput(f"'{script}' is not a file.", fix="Name a script, and its folder with --dir.", code="bad_script")
    suffix = script.suffix.lower()
    if suffix == ".py":
        return "python"
    if suffix == ".sh":
        return "sh"
    if sys.platform != "win32" and os.access(script, os.X_OK):
        return "executable"
    raise BadInput(
        f"'{script}' is neither a .py nor a .sh file and is not executable.",
        fix=f"Make it executable (chmod +x), or write: park submit --dir . -- COMMAND {script.name}",
        code="bad_script",
    )


def _text_of(script: Path) -> str:
    try:
        return script.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"There is no script '{script}'.", fix="Check the path.", code="no_script") from None
    except UnicodeDecodeError:
        raise BadInput(f"'{script}' is not UTF-8 text.", fix="Save the script as UTF-8.", code="bad_script") from None
    except OSError as error:
        raise BadInput(
            f"'{script}' cannot be read: {error.strerror}.", fix="Check the path.", code="bad_script"
        ) from None


def _blocks(lines: list[str], name: str) -> Iterator[tuple[str, int, list[str]]]:
    index = 0
    while index < len(lines):
        opening = _OPEN.match(lines[index])
        if not opening:
            index += 1
            continue
        stop = index + 1
        while stop < len(lines) and (lines[stop] == "#" or lines[stop].startswith("# ")):
            stop += 1
        # The last `# ///` of the run of comments closes the block, as the specification says.
        closing = next((at for at in range(stop - 1, index, -1) if lines[at].rstrip() == "# ///"), None)
        if closing is None:
            if opening["kind"] == "script":
                raise _bad(
                    name,
                    index + 1,
                    "the header '# /// script' is never closed.",
                    "End it with a line '# ///'; each line begins with '# '.",
                )
            index += 1
            continue
        yield opening["kind"], index + 1, [line[2:] for line in lines[index + 1 : closing]]
        index = closing + 1


def _toml(name: str, number: int, lines: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        text = str(error)
        found = _LINE_OF_TOML.search(text)
        line = number + (int(found[1]) if found else len(lines))
        raise _bad(
            name, line, f"the header is not TOML: {_LINE_OF_TOML.sub('', text).strip()}.", "Correct the line."
        ) from None


def _header(value: dict[str, Any], name: str, number: int, lines: list[str]) -> ScriptHeader:
    dependencies = value.get("dependencies", [])
    at = number + _line_with(lines, "dependencies")
    if not isinstance(dependencies, list) or not all(isinstance(item, str) for item in dependencies):
        raise _bad(name, at, "'dependencies' is not a list of texts.", 'Write dependencies = ["numpy>=2"].')
    for item in dependencies:
        if not is_requirement(item):
            raise _bad(
                name, number + _line_with(lines, item), f"'{item}' is not a requirement.", 'Write it as "numpy>=2".'
            )
    requires = value.get("requires-python", "")
    if not isinstance(requires, str) or (requires and not is_python_range(requires)):
        raise _bad(
            name,
            number + _line_with(lines, "requires-python"),
            "'requires-python' is not a range of versions.",
            'Write requires-python = ">=3.11".',
        )
    return ScriptHeader(tuple(dependencies), requires)


def is_requirement(text: str) -> bool:
    """Whether a text looks like a PEP 508 requirement (the resolver has the last word)."""
    return bool(_REQUIREMENT.fullmatch(text.strip())) and "\n" not in text


def is_python_range(text: str) -> bool:
    """Whether a text looks like a range of Python versions, such as `>=3.11,<3.14`."""
    return bool(_PYTHON_RANGE.fullmatch(text))


def _line_with(lines: list[str], word: str) -> int:
    return next((index for index, line in enumerate(lines, 1) if word in line), 1)


def _bad(name: str, line: int, what: str, fix: str) -> BadInput:
    return BadInput(f"{name}, line {line}: {what}", fix=fix, code="bad_script_header", field=f"{name}:{line}")
