"""The table of a sweep: a row for each run, a column for what was asked and for each figure; CSV and JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

from eureka_park.foundation.errors import Unavailable
from eureka_park.twin.core.metrics import flattened

if TYPE_CHECKING:
    from eureka_park.twin.sweep import Row

CSV, JSON = "runs.csv", "runs.json"
LEFT_OUT: Final = frozenset(  # of many rows each: in the run's own files
    {"tenants", "tiers", "filled", "cpu_s_by_part", "assumptions", "outages", "scaled_by"}
)

ASKED: Final = ("site", "policy", "seed", "days", "load_frac", "n_jobs", "trace")  # first in the table
SAID: Final = frozenset({"site", "policy", "seed", "days", "trace", "scenario"})  # the same in figures and request


def table_of(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each run, all with the same columns; what was not found is None."""
    found = [_row(row) for row in rows]
    names = dict.fromkeys(name for one in found for name in one)
    return [{name: one.get(name) for name in names} for one in found]


def _row(row: Row) -> dict[str, Any]:
    figures = {name: value for name, value in (row.figures or {}).items() if name not in LEFT_OUT}
    found = {name: _plain(value) for name, value in flattened(figures).items()}
    asked = {
        name: value for name, value in flattened(request_of(row)).items() if name not in found or value is not None
    }
    return {
        "run": row.wanted.name,
        "state": row.state,
        "is_kept": row.is_kept,
        "error": f"{row.error} {row.fix}".strip(),
        **{name: found.get(name) for name in ASKED},
        **asked,
        "site": row.wanted.site.name,
        "policy": row.wanted.policy,
        **{
            (name if name not in asked else f"{name}_found"): value for name, value in found.items() if name not in SAID
        },
    }


def request_of(row: Row) -> dict[str, Any]:
    """What was asked for, as plain values."""
    return {name: _plain(value) for name, value in row.wanted.request.to_json().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_tables(folder: Path, rows: Sequence[Row]) -> None:
    """Write both tables, each beside its place and then moved there. Raises Unavailable where that cannot be done."""
    table = table_of(rows)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(table[0]) if table else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in one.items()} for one in table)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / CSV, text.getvalue())
        _write(folder / JSON, json.dumps(table, ensure_ascii=False, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise Unavailable(
            f"The table cannot be written into '{folder}': {error.strerror}.",
            fix="Make room; what has finished is kept in its 'runs' and is not run again.",
        ) from None


def _write(path: Path, text: str) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        mask = os.umask(0)
        os.umask(mask)
        Path(beside).chmod(0o666 & ~mask)
        Path(beside).replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(beside).unlink()
