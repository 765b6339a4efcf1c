"""The files of a run in one folder: run.json, hours.csv, tenants.csv, sample.csv. Written all together, or not at all.

`run.json` comes last and holds the digests of the others, so that what does not belong together is found out. Values
that are no numbers (nan, inf) are null there and empty cells in tables.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np

from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.twin.core.workload import TIER_NAMES
from eureka_park.twin.run_record import TEXTS, Floats, RunRecord

FORM: Final = 1
RUN, HOURS, TENANTS, SAMPLE = "run.json", "hours.csv", "tenants.csv", "sample.csv"
REPORT: Final = "report.html"  # may stand beside them; it tells of that run alone
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_AGAIN: Final = "Make it again: park twin run --out DIR"
_CELL_CHARS_MAX: Final = 100_000


# Writing --------------------------------------------------------------------------------------------------------------


def check_run_folder(folder: Path) -> None:
    """Say before a run what would be wrong with its folder after it. Makes nothing. Raises BadInput."""
    at = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not at.is_dir():
        raise BadInput(f"'{at}' is a file, no folder.", fix="Give a folder: --out DIR", field="out")
    if not os.access(at, os.W_OK | os.X_OK):
        raise BadInput(f"Nothing can be written into '{at}'.", fix="Give another folder: --out DIR", field="out")


def write_run(folder: Path, record: RunRecord) -> list[Path]:
    """Write a run's files, and say which; the folder is made where it is not there, and files of another run in it are
    replaced, its report goes. Raises BadInput for a path that is no folder, Unavailable where they cannot be written:
    then the folder is as it was before.
    """
    check_run_folder(folder)
    tables = {
        HOURS: _csv(record.hours),
        TENANTS: _csv(_tenant_columns(record.figures.get("tenants") or {})),
        SAMPLE: _csv(_named_tiers(record.sample)),
    }
    told = {
        "form": FORM,
        "request": _plain(record.request),
        "figures": _plain({name: value for name, value in record.figures.items() if name != "tenants"}),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()},
    }
    text = json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _write_together(folder, {**tables, RUN: text.encode()})
    except OSError as error:
        for one in made:
            with contextlib.suppress(OSError):
                one.rmdir()
        raise Unavailable(
            f"The run cannot be written into '{folder}': {error.strerror}.",
            fix="Make room, or give another folder: --out DIR",
        ) from None


def _write_together(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write all beside their places, then move them there: what fills a disk does so before the first is moved."""
    waiting: dict[str, Path] = {}
    try:
        mask = os.umask(0)
        os.umask(mask)
        for name, content in contents.items():
            handle, beside = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
            waiting[name] = Path(beside)
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            waiting[name].chmod(0o666 & ~mask)
        for name in contents:
            waiting[name].replace(folder / name)
            del waiting[name]
        with contextlib.suppress(OSError):
            (folder / REPORT).unlink()
    finally:
        for one in waiting.values():
            with contextlib.suppress(OSError):
                one.unlink()
    return [folder / name for name in contents]


def _csv(columns: Mapping[str, Iterable[Any]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*(map(_cell, values) for values in columns.values()), strict=True))
    return buffer.getvalue().encode()


def _cell(value: Any) -> Any:
    value = _plain(value)
    if isinstance(value, str):  # no reader of tables agrees with another on a carriage return
        return "".join("\ufffd" if unicodedata.category(sign) == "Cc" else sign for sign in value)
    return "" if value is None else repr(value) if isinstance(value, float) else value


def _plain(value: Any) -> Any:
    """A value as JSON has it; what is no number is None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _named_tiers(sample: Mapping[str, Sequence[Any] | Any]) -> dict[str, Any]:
    """The columns of a sample, tiers by their names."""
    found = dict(sample)
    if "tier" in found:
        found["tier"] = [one if isinstance(one, str) else TIER_NAMES[int(one)] for one in found["tier"]]
    return found


def _tenant_columns(tenants: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Any]]:
    """A row for each tenant; figures with parts have a column for each part, `wait_s.p50`."""
    rows = [_flat(one) for one in tenants.values()]
    names = dict.fromkeys(name for row in rows for name in row)
    return {"leaf": list(tenants), **{name: [row.get(name) for row in rows] for name in names}}


def _flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in figures.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


# Reading --------------------------------------------------------------------------------------------------------------


def read_run(folder: Path) -> RunRecord:
    """The run in a folder. Raises BadInput, in one line, where there is none or where its files are damaged."""
    told = _told(folder)
    tables = {name: _table(folder, name, str(told["files"].get(name))) for name in (HOURS, TENANTS, SAMPLE)}
    figures = dict(told["figures"])
    figures["tenants"] = _tenants(folder, tables[TENANTS])
    hours = {name: _numbers(folder, HOURS, name, cells) for name, cells in tables[HOURS].items()}
    sample: dict[str, Any] = {
        name: cells if name in TEXTS else _numbers(folder, SAMPLE, name, cells)
        for name, cells in tables[SAMPLE].items()
    }
    return RunRecord(figures, hours, sample, dict(told["request"]))


def _told(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        is_file = folder.exists()
        said = f"'{folder}' is a file, no folder of a run." if is_file else f"There is no folder '{folder}'."
        raise BadInput(said, fix="Give a folder that park twin run --out DIR has written.", field="dir")
    if not (folder / RUN).exists():
        raise BadInput(f"There is no run in '{folder}'.", fix="Write one: park twin run --out DIR", field="dir")
    try:
        found = json.loads(_bytes(folder, RUN), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise _damaged(folder, RUN, "it is no JSON") from None
    if not isinstance(found, dict) or found.get("form") != FORM:
        raise BadInput(f"'{folder / RUN}' has the form of another version.", fix=_AGAIN, field="dir")
    for name in ("figures", "request", "files"):
        if not isinstance(found.get(name), dict):
            raise _damaged(folder, RUN, f"it has no '{name}'")
    return found


def _bytes(folder: Path, name: str) -> bytes:
    try:
        with (folder / name).open("rb") as stream:
            content = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise BadInput(f"'{folder}' holds a part of a run: there is no {name}.", fix=_AGAIN, field="dir") from None
    except OSError as error:
        raise BadInput(f"'{folder / name}' cannot be read: {error.strerror}.", fix="Check it.", field="dir") from None
    if len(content) > FILE_BYTES_MAX:
        raise _damaged(folder, name, f"it has more than {FILE_BYTES_MAX // 2**20} MiB")
    return content


def _table(folder: Path, name: str, digest: str) -> dict[str, list[str]]:
    """The columns of a table, as texts."""
    content = _bytes(folder, name)
    if hashlib.sha256(content).hexdigest() != digest:
        raise _damaged(folder, name, "it is not the one that was written with the run")
    rows = list(csv.reader(io.StringIO(content.decode(), newline="")))
    head = rows[0] if rows else []
    if len(set(head)) < len(head) or any(len(row) != len(head) for row in rows[1:]):
        raise _damaged(folder, name, "its columns do not fit")
    return {column: [row[at] for row in rows[1:]] for at, column in enumerate(head)}


def _numbers(folder: Path, name: str, column: str, cells: Sequence[str]) -> Floats:
    try:
        return np.array([float(one) if one else math.nan for one in cells], dtype=np.float64)
    except ValueError:
        raise _damaged(folder, name, f"column {column} holds what is no number") from None


def _tenants(folder: Path, columns: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {leaf: {} for leaf in columns.get("leaf", ())}
    for column, cells in columns.items():
        *groups, last = column.split(".")
        for one, cell in zip(found.values(), cells if column != "leaf" else (), strict=column != "leaf"):
            for group in groups:
                one = one.setdefault(group, {})
            one[last] = _number(folder, column, cell)
    return found


def _number(folder: Path, column: str, cell: str) -> int | float | None:
    if not cell:
        return None
    try:
        return int(cell) if cell.lstrip("-").isdigit() else float(cell)
    except ValueError:
        raise _damaged(folder, TENANTS, f"column {column} holds what is no number") from None


def _no_number(text: str) -> float:
    raise ValueError(text)


def _damaged(folder: Path, name: str, why: str) -> BadInput:
    return BadInput(f"'{folder / name}' is damaged: {why}.", fix=_AGAIN, field="dir")
