"""One file of a version, for looking at: text, card, table, picture, sound, film, weights; else as a download."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.data.core.entry import Entry
from eureka_park.data.objects.reading import Blob
from eureka_park.foundation.errors import NotFound, ParkError
from eureka_park.web.auth import Anyone
from eureka_park.web.charts.spread import spread_bars
from eureka_park.web.pages.data_card import card_of
from eureka_park.web.pages.data_frame import Here, repository_page, shown
from eureka_park.web.pages.data_tree import crumbs_of, is_branch, refs_of
from eureka_park.web.pages.words import N_, Words, isolated
from eureka_park.web.preview import parquet, rows, tensors
from eureka_park.web.preview.columns import Column, Table
from eureka_park.web.preview.kinds import HEAD_BYTES, kind_of
from eureka_park.web.preview.markdown import CARD_BYTES_MAX
from eureka_park.web.preview.rows import NoTable
from eureka_park.web.preview.texts import TEXT_BYTES, decoded, read_text
from eureka_park.web.preview.texts import shown as readable

PICTURE_BYTES_MAX: Final = 32 * 1024**2
EDIT_BYTES_MAX: Final = 60 * 1024
TABLES_KEPT: Final = 48
VALUE_KINDS: Final[Mapping[str, str]] = {
    "whole": N_("whole number"),
    "number": N_("number"),
    "truth": N_("yes or no"),
    "date": N_("date"),
    "text": N_("text"),
    "list": N_("list"),
    "group": N_("group"),
    "bytes": N_("bytes"),
}
_TABLES: Final = ("csv", "jsonl", "json", "parquet")
_NOTES: Final[Mapping[str, str]] = {
    "none": N_("This file is neither a text, a table nor a picture, so it is not shown here."),
    "no_pyarrow": N_(
        'Tables in Parquet are shown once the park has the extra “parquet”: pip install "eureka-park[parquet]".'
    ),
    "hard": N_("This table is too dense or too broken for a look here."),
    "busy": N_("Others look at tables just now. Try again in a few seconds."),
    "large_picture": N_("This picture is too large for a look here."),
    "empty": N_("This file is empty."),
}
_kept: OrderedDict[tuple[str, str, int, int], Table | None] = OrderedDict()  # None: it was too hard
_lock = threading.Lock()


def file_page(request: Request, who: Anyone) -> Response:
    """A file of a data set or a model."""
    return repository_page(file_view)(request, who)


def file_view(here: Here, error: ParkError | None = None, typed: str = "") -> Response:
    """A file; `error`: what went wrong when its text was to be `typed`."""
    version = here.version()
    try:
        entry = here.versions.entry(version, here.path)
    except NotFound:
        if here.versions.tree(version).has_folder(here.path):
            return RedirectResponse(here.link("tree", here.revision, here.path), 303)
        raise
    change = here.versions.last_changes(here.repository, version, [entry.path]).get(entry.path)
    by = here.names(change).get(change.person_id, "") if change else ""
    look = look_at(here, entry)
    return shown(
        here, "data_file.html", "files", error, typed=typed, at=version, entry=entry,
        crumbs=crumbs_of(here, entry.path, is_file=True),
        name=entry.path.rpartition("/")[2], size=here.words.size(entry.size_bytes), change=change, by=by,
        when=here.words.when(change.made_at_s, here.park.clock.real_s()) if change else "", look=look,
        refs=refs_of(here, "file", entry.path), is_branch=is_branch(here), kinds=VALUE_KINDS,
    )  # fmt: skip


def look_at(here: Here, entry: Entry) -> dict[str, Any]:
    """What of a file is shown, and how: `as` says which part of the page shows it."""
    blob = here.park.data.objects.open(here.repository.project_id, entry.sha256)
    if not blob.size_bytes:
        return {"as": "note", "note": _NOTES["empty"], "other": "", "edit": ""}
    kind = kind_of(entry.path, b"".join(blob.read(0, min(HEAD_BYTES, blob.size_bytes))))
    wants_text = here.query("as", 10) == "text"
    found: dict[str, Any] | None = None
    if kind.name in ("picture", "sound", "film"):
        is_large = kind.name == "picture" and blob.size_bytes > PICTURE_BYTES_MAX
        found = _note("large_picture") if is_large else {"as": kind.name, "raw": here.raw(entry.path)}
    elif kind.name in _TABLES and not wants_text:
        found = _table(here, entry, blob, kind.name)
    elif kind.name == "markdown" and not wants_text:
        found = {"as": "card", "card": card_of(here, entry), "is_cut": blob.size_bytes > CARD_BYTES_MAX}
    elif kind.name == "safetensors":
        found = _weights(here.words, blob)
    elif kind.name in ("", "gguf"):
        found = _note("none")
    is_text = kind.name in ("markdown", "csv", "jsonl", "json")
    found = found if found is not None else _text(blob)
    same = {"at": here.query("at", 20), "row": here.query("row", 20)} if is_text else {}
    found["other"] = (
        here.link("file", here.revision, entry.path, **({} if wants_text else {**same, "as": "text"}))
        if is_text
        else ""
    )
    found["edit"] = _editable(blob) if found["as"] in ("text", "card") else None
    return found


def _note(code: str) -> dict[str, Any]:
    return {"as": "note", "note": _NOTES[code]}


def _text(blob: Blob) -> dict[str, Any]:
    content = b"".join(blob.read(0, min(TEXT_BYTES, blob.size_bytes)))
    return {"as": "text", "text": read_text(content, is_cut=blob.size_bytes > len(content))}


def _editable(blob: Blob) -> str | None:
    """A text that a form can change: small, and of one encoding."""
    if blob.size_bytes > EDIT_BYTES_MAX:
        return None
    content = blob.content()
    text, encoding = decoded(content)
    # What a form would send back otherwise (line ends, signs that are not to be seen) is left to those who know.
    is_plain = encoding == "UTF-8" and not content.startswith(b"\xef\xbb\xbf") and readable(text) == text
    return text if is_plain else None


# -- tables ------------------------------------------------------------------------------------------------------------
def _table(here: Here, entry: Entry, blob: Blob, kind: str) -> dict[str, Any] | None:
    """A table, or why there is none; None where the text says more."""
    at, first = _number(here.query("at", 20)), _number(here.query("row", 20))
    try:
        table = table_of(blob, entry.path, kind, at, first)
    except NoTable:
        return None if kind != "parquet" else _note("hard")
    except parquet.TooHard:
        return _note("hard")
    except parquet.Busy:
        return _note("busy")
    if table is None:
        return _note("no_pyarrow")
    words = here.words
    following = ""
    if table.next_at:
        step = (
            {"row": table.next_at}
            if kind in ("parquet", "json")
            else {"at": table.next_at, "row": table.first + len(table.rows)}
        )
        following = here.link("file", here.revision, entry.path, **step)
    return {
        "as": "table", "columns": [_column(words, column) for column in table.columns], "rows": table.rows,
        "first": table.first, "next": following, "is_later": bool(at or first), "n_rows": table.n_rows,
        "n_looked": table.n_looked, "n_left_out": table.n_left_out,
        "told": _told(words, table), "back": here.link("file", here.revision, entry.path),
    }  # fmt: skip


def table_of(blob: Blob, path: str, kind: str, at: int, first: int) -> Table | None:
    """Rows of a file from a place on; None where nothing here reads it. Raises NoTable, TooHard, Busy."""
    key = (blob.sha256, f"{kind}{path[-4:].lower()}", at, first)
    with _lock:
        is_known, found = key in _kept, _kept.get(key)
    if is_known and found is None:
        raise parquet.TooHard
    if found is not None or (kind == "parquet" and not parquet.can_read()):
        return found
    try:
        found = _read(blob, path, kind, at, first)
    except parquet.TooHard:
        _keep(key, None)
        raise
    _keep(key, found)
    return found


def _keep(key: tuple[str, str, int, int], found: Table | None) -> None:
    with _lock:
        _kept[key] = found
        while len(_kept) > TABLES_KEPT:
            _kept.popitem(last=False)


def _read(blob: Blob, path: str, kind: str, at: int, first: int) -> Table | None:
    def read(start: int, end: int) -> bytes:
        return b"".join(blob.read(start, end))

    if at > blob.size_bytes:
        raise NoTable
    if kind == "parquet":
        return parquet.parquet_table(read, blob.size_bytes, first) if parquet.can_read() else None
    if kind == "csv":
        is_tab = not path.lower().endswith(".csv")
        return rows.csv_table(read, blob.size_bytes, at, first, is_tab=is_tab)
    if kind == "jsonl":
        return rows.lines_table(read, blob.size_bytes, at, first)
    if blob.size_bytes > rows.JSON_BYTES_MAX:
        raise NoTable
    return rows.json_table(read(0, blob.size_bytes), first)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0


def _told(words: Words, table: Table) -> str:
    """Which rows are shown, of how many, and what the columns rest on."""
    span = words.say(
        "Rows {first} to {last}", first=words.number(table.first + 1), last=words.number(table.first + len(table.rows))
    )
    if not table.rows:
        span = words.say("No rows")
    parts = [
        words.say("{rows} of {all}", rows=span, all=words.number(table.n_rows)) if table.n_rows is not None else span
    ]
    if table.n_looked > len(table.rows):
        parts.append(words.say("columns: of {n} rows from here on", n=words.number(table.n_looked)))
    return " · ".join(parts)


def _column(words: Words, column: Column) -> dict[str, Any]:
    n_there = column.n_values - column.n_missing
    facts, picture = [], None
    if column.kind in ("whole", "number") and column.bars:
        low, high = words.number(float(column.low)), words.number(float(column.high))
        facts.append(words.say("{low} to {high}", low=low, high=high))
        if column.mean is not None and column.n_distinct > 1:
            facts.append(words.say("mean {n}", n=words.number(column.mean)))
        picture = spread_bars(column.bars, words.say("How the values of {name} are spread", name=isolated(column.name)))
    elif column.low:
        facts.append(words.say("{low} to {high}", low=_day(column.low), high=_day(column.high)))
    elif not column.top and column.n_distinct > 1:
        facts.append(words.count("{n} value", "{n} different values", column.n_distinct))
    if column.n_missing:
        facts.append(words.say("{share} missing", share=words.percent(column.n_missing / column.n_values)))
    top = [
        {"name": name, "share": words.percent(number / n_there), "frac": number / n_there}
        for name, number in column.top[:3]
        if n_there
    ]
    return {
        "name": column.name, "kind": VALUE_KINDS[column.kind], "is_number": column.kind in ("whole", "number"),
        "facts": facts, "picture": picture, "top": top, "is_ltr": column.kind in ("date", "group", "list"),
    }  # fmt: skip


def _day(text: str) -> str:
    return f"\u2066{text[:10]}\u2069"


# -- weights -----------------------------------------------------------------------------------------------------------
def _weights(words: Words, blob: Blob) -> dict[str, Any]:
    read: Callable[[int, int], bytes] = lambda start, end: b"".join(blob.read(start, end))  # noqa: E731
    found = tensors.safetensors_head(read, blob.size_bytes)
    if found is None:
        return _note("hard")
    kinds = [(kind, words.number(number)) for kind, number in found.by_kind]
    listed = [
        {
            "name": one.name,
            "kind": one.kind,
            "shape": " × ".join(map(str, one.shape)),
            "size": words.size(one.size_bytes),
        }
        for one in found.tensors
    ]
    told = [
        words.count("{n} tensor", "{n} tensors", found.n_tensors),
        words.count("{n} parameter", "{n} parameters", found.n_parameters),
    ]
    n_more = found.n_tensors - len(listed)
    return {
        "as": "weights",
        "told": " · ".join(told),
        "kinds": kinds,
        "tensors": listed,
        "notes": found.notes,
        "n_more": n_more,
    }
