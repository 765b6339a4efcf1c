"""Where each key of a TOML text stands: tomllib reads values but forgets lines, and a wrong value deserves its line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_STRINGS: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*$")


def toml_lines(text: str) -> dict[Place, int]:
    """Line (from 1) of every table header and key: `("plants", 2, "eta_frac") -> 57`. The text must be valid TOML."""
    lines: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    prefix: Place = ()
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        inside = depth > 0 or quote != ""
        rest, quote = _without_multiline(line, quote)
        if not inside:
            header = _HEADER.match(line)
            key = _KEY.match(line)
            if header:
                prefix = _table(header[2], header[1] == "[[", counts)
                if isinstance(prefix[-1], int):
                    lines.setdefault(prefix[:-1], number)
                lines.setdefault(prefix, number)
                continue
            if key:
                lines.setdefault((*prefix, *_parts(key[1])), number)
        bare = _STRINGS.sub("", rest)
        depth = max(0, depth + bare.count("[") + bare.count("{") - bare.count("]") - bare.count("}"))
    return lines


def line_of(place: Sequence[str | int], lines: Mapping[Place, int]) -> int | None:
    """The line of a place, or of the nearest thing around it; None when the text holds nothing of it."""
    for length in range(len(place), 0, -1):
        found = lines.get(tuple(place[:length]))
        if found is not None:
            return found
    return None


def place_text(place: Sequence[str | int]) -> str:
    """A place as people write it: `plants[2].eta_frac`."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _table(dotted: str, is_array: bool, counts: dict[Place, int]) -> Place:
    """The place of a header; a part that names an array of tables stands for its newest element."""
    place: Place = ()
    parts = _parts(dotted)
    for index, part in enumerate(parts):
        place = (*place, part)
        if is_array and index == len(parts) - 1:
            counts[place] = counts.get(place, -1) + 1
        if place in counts:
            place = (*place, counts[place])
    return place


def _without_multiline(line: str, quote: str) -> tuple[str, str]:
    """The line with its multi-line strings cut out, and the quote that is still open at its end."""
    kept = ""
    while line:
        if quote:
            end = line.find(quote)
            if end < 0:
                return kept, quote
            line, quote = line[end + 3 :], ""
            continue
        opening = re.search(r"\"\"\"|'''", line)
        if not opening:
            return kept + line, ""
        kept += line[: opening.start()]
        quote, line = opening[0], line[opening.end() :]
    return kept, quote
