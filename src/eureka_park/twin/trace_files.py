"""Reading trace files: CSV, Parquet, SWF and sacct's output, by the ending of their name; columns: `core.traces`."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable
from eureka_park.twin.core.traces import SWF_FIELDS, Table
from eureka_park.twin.slurm_trace import sacct_table

BYTES_MAX: Final = 2 * 1024**3
ENDINGS: Final = (".csv", ".parquet", ".swf", ".sacct", ".csv.gz", ".swf.gz", ".sacct.gz")
_FIX: Final = "The columns of a trace are described in docs/guide/twin.md."


def read_trace(path: str | Path) -> Table:
    """The columns of a trace file. Raises NotFound, TooLarge, Unavailable, and BadInput with the line."""
    path = Path(path)
    name = path.name.lower()
    if not name.endswith(ENDINGS):
        raise BadInput(f"'{path.name}' does not say its kind.", fix=f"End it in {', '.join(ENDINGS)}.", field="trace")
    if ".sacct" in name:
        return sacct_table(path)
    raw = _read(path)
    if name.endswith(".parquet"):
        return _parquet(path, raw)
    try:
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error):
        raise BadInput(f"{path.name} is no readable text.", fix="Save it as UTF-8.", field="trace") from None
    return _swf(path, text) if ".swf" in name else _csv(path, text)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > BYTES_MAX:
            raise TooLarge(f"{path.name} has more than {BYTES_MAX // 1024**3} GiB.", fix="Cut it.", field="trace")
        return path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"There is no file '{path}'.", fix="Check the path.", code="no_such_file") from None
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be read: {error.strerror}.", fix="Check the path.") from None


def _csv(path: Path, text: str) -> Table:
    """A table with a header; lines that begin with # and empty ones are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in text[:200].split("\n")[0] else ",")
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for row in reader:
            if not row or row[0].lstrip().startswith("#") or (len(row) == 1 and not row[0].strip()):
                continue
            if header is None:
                header = [name.strip() for name in row]
            elif len(row) != len(header):
                raise _bad(path, reader.line_num, f"there are {len(row)} values, not {len(header)}")
            else:
                rows.append(row)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise _bad(path, reader.line_num, str(error)) from None
    if header is None:
        raise BadInput(f"{path.name} is empty.", fix=_FIX, field="trace", code="bad_trace")
    if len(set(header)) != len(header):
        raise BadInput(f"{path.name} names a column twice.", fix=_FIX, field="trace", code="bad_trace")
    values = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return Table(path.name, dict(zip(header, values, strict=True)), lines)


def _swf(path: Path, text: str) -> Table:
    """Eighteen numbers a line; lines that begin with ; are comments. Fields that are missing at the end count as -1."""
    rows: list[list[str]] = []
    lines: list[int] = []
    for number, line in enumerate(text.splitlines(), start=1):
        values = line.split()
        if not values or values[0].startswith(";"):
            continue
        if not 5 <= len(values) <= len(SWF_FIELDS):
            raise _bad(path, number, f"there are {len(values)} values, not {len(SWF_FIELDS)}")
        rows.append(values + ["-1"] * (len(SWF_FIELDS) - len(values)))
        lines.append(number)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SWF_FIELDS)
    return Table(path.name, dict(zip(SWF_FIELDS, columns, strict=True)), lines, is_swf=True)


def _parquet(path: Path, raw: bytes) -> Table:
    if find_spec("pyarrow") is None:
        raise Unavailable(
            ".parquet files need the package pyarrow.", fix="Install it: pip install 'eureka-park[parquet]'"
        )
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(raw))
    except (pyarrow.ArrowException, OSError):
        raise BadInput(f"{path.name} is no Parquet file.", fix=_FIX, field="trace", code="bad_trace") from None
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if pyarrow.types.is_dictionary(column.type) or pyarrow.types.is_boolean(column.type) or column.null_count:
            columns[name] = ["" if value is None else value for value in column.to_pylist()]
        else:
            columns[name] = column.to_numpy()
    return Table(path.name, columns, range(1, table.num_rows + 1))


def _bad(path: Path, line: int, what: str) -> BadInput:
    return BadInput(f"{path.name}, line {line}: {what}.", fix=_FIX, field="trace", code="bad_trace")
