"""How lists of jobs are ordered, and cursors that go on where a page ended, whatever came or went since."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any, Final

from eureka_park.foundation.errors import BadInput

NAME_KEY_CHARS: Final = 128
_ORDINAL_MAX: Final = 2**63 - 1
_KEY_MAX: Final = 1e15


class Sort(StrEnum):
    """The order of a list. Equal ones stand newest first; what has no such figure yet stands last."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    STATE = "state"  # what runs, then what waits, then what is over
    TIER = "tier"
    STARTED = "started"  # the latest start first
    ENDED = "ended"  # the latest end first
    ENERGY = "energy"  # the most kWh on a receipt first
    LONGEST = "longest"  # the longest run first, stints that are over


STATE_ORDER: Final = (
    "running", "starting", "pausing", "frozen", "paused", "queued", "finished", "failed", "cancelled", "lost",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last job of a page: its place in the order. By age the ordinal alone says it."""

    key: Any
    ordinal: int


def read_sort(text: str) -> Sort:
    """The order of that name. Raises BadInput."""
    try:
        return Sort(text)
    except ValueError:
        near = get_close_matches(text, list(Sort), 1)
        fix = f"Did you mean '{near[0]}'?" if near else f"Choose among {', '.join(Sort)}."
        raise BadInput(f"{text[:40]!r} is not an order of jobs.", fix=fix, field="sort") from None


def name_key(name: str) -> str:
    """A name as it is searched and sorted: small letters, cut to an index's width."""
    return name.casefold()[:NAME_KEY_CHARS]


def cursor_text(sort: Sort, cursor: Cursor) -> str:
    """A cursor for the outside: opaque, made of letters and digits."""
    if sort in (Sort.NEWEST, Sort.OLDEST):
        return str(cursor.ordinal)
    text = json.dumps([str(sort), cursor.key, cursor.ordinal], ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(sort: Sort, text: str | None) -> Cursor | None:
    """Read what `cursor_text` wrote; None for nothing. Raises BadInput for what it did not write for this order."""
    if not text:
        return None
    found = _by_age(text) if sort in (Sort.NEWEST, Sort.OLDEST) else _by_key(sort, text)
    if found is None or type(found.ordinal) is not int or not 0 <= found.ordinal <= _ORDINAL_MAX:
        raise BadInput(
            "That is no cursor of this list.",
            fix="Give back `next` of the page before.",
            field="after",
            code="bad_cursor",
        )
    return found


def _by_age(text: str) -> Cursor | None:
    return Cursor(None, int(text)) if len(text) < 20 and text.isascii() and text.isdigit() else None


def _by_key(sort: Sort, text: str) -> Cursor | None:
    try:
        named, key, ordinal = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        str(key).encode()  # half a surrogate pair is no text
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None
    if sort in (Sort.NAME, Sort.TIER):
        is_key = isinstance(key, str)
    else:
        is_key = type(key) in (int, float) and abs(key) <= _KEY_MAX  # false for NaN too
    return Cursor(key, ordinal) if named == str(sort) and is_key else None
