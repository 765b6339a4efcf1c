"""Reading trace files: CSV, Parquet, SWF and sacct's output, by the ending of their name; columns: `core.traces`."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable
from eureka_park.twin.core.traces import SWF_FIELDS, Table
from eureka_park.twin.foresight import ARRAY_CELL_BYTES, check_rows
from eureka_park.twin.slurm_trace import sacct_table

BYTES_MAX: Final = 2 * 1024**3
SAMPLE_BYTES: Final = 1 << 18
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
    if name.endswith(".parquet"):
        return _parquet(path, _read(path))
    text = _text(path, is_packed=name.endswith(".gz"))
    return _swf(path, text) if ".swf" in name else _csv(path, text)


def _text(path: Path, *, is_packed: bool) -> str:
    """The text of a file whose jobs memory will hold. Raises TooLarge, and BadInput where it is no text."""
    size = _size(path)
    try:
        with path.open("rb") as stream:
            return (_unpacked(path, stream, size) if is_packed else _plain(path, stream, size)).decode("utf-8-sig")
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error):
        raise BadInput(f"{path.name} is no readable text.", fix="Save it as UTF-8.", field="trace") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _plain(path: Path, stream: IO[bytes], size: int) -> bytes:
    first = stream.read(SAMPLE_BYTES)
    _check_rows(path, first, size)
    return first + stream.read(BYTES_MAX)


def _unpacked(path: Path, stream: IO[bytes], size: int) -> bytes:
    """What was packed; refused as soon as it shows that it is too large. Raises what gzip raises."""
    with gzip.GzipFile(fileobj=stream) as packed:
        first = packed.read(SAMPLE_BYTES)
        if len(first) < SAMPLE_BYTES:
            return first
        used = max(1, min(size, stream.tell()))  # a little ahead
        _check_rows(path, first, round(len(first) * size / used))
        rest = packed.read(BYTES_MAX + 1 - len(first))
    if len(first) + len(rest) > BYTES_MAX:
        raise _too_large(path)
    return first + rest


def _check_rows(path: Path, first: bytes, n_bytes: int) -> None:
    """Refuse by the first lines of a text of so many bytes what memory would not hold."""
    lines = first.splitlines()
    if n_bytes > len(first) and len(lines) > 2:
        widest = max(lines[:10], key=len)
        n_columns = max(1, *(len(widest.split(sign)) for sign in (b",", b";", None)))
        n_rows = round(n_bytes * len(lines) / len(first))
        check_rows(path.name, n_rows, n_columns, n_bytes=2 * n_bytes)


def _read(path: Path) -> bytes:
    _size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _size(path: Path) -> int:
    """Bytes of a file. Raises NotFound, TooLarge, Unavailable."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise NotFound(f"There is no file '{path}'.", fix="Check the path.", code="no_such_file") from None
    except OSError as error:
        raise _unreadable(path, error) from None
    if size > BYTES_MAX:
        raise _too_large(path)
    return size


def _unreadable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(f"'{path}' cannot be read: {error.strerror}.", fix="Check the path.")


def _too_large(path: Path) -> TooLarge:
    return TooLarge(f"{path.name} has more than {BYTES_MAX // 1024**3} GiB.", fix="Cut it.", field="trace")


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
        told = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(raw)).metadata
        check_rows(path.name, told.num_rows, told.num_columns, cell_bytes=ARRAY_CELL_BYTES)
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(raw))
    except (pyarrow.ArrowException, OSError):
        raise BadInput(f"{path.name} is no Parquet file.", fix=_FIX, field="trace", code="bad_trace") from None
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = table.column(name)
        if pyarrow.types.is_dictionary(column.type) or pyarrow.types.is_boolean(column.type) or column.null_count:
            columns[name] = ["" if value is None else value for value in column.to_pylist()]
        elif pyarrow.types.is_timestamp(column.type) and column.type.tz is not None:
            columns[name] = (
                column.cast(pyarrow.timestamp("us", "UTC")).to_numpy().astype("datetime64[us]").astype("f8") / 1e6
            )
        else:
            columns[name] = column.to_numpy()
    return Table(path.name, columns, range(1, table.num_rows + 1))


def _bad(path: Path, line: int, what: str) -> BadInput:
    return BadInput(f"{path.name}, line {line}: {what}.", fix=_FIX, field="trace", code="bad_trace")
