"""An hourly table on disk: CSV, Excel or Parquet by the ending of its name. Written whole, or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from eureka_park.energy.weather_file import write_whole
from eureka_park.foundation.errors import BadInput, Unavailable

Table = Mapping[str, Sequence[Any]]
_NEEDS: Final = {".xlsx": ("xlsxwriter", "server"), ".parquet": ("pyarrow", "parquet")}


def check_hourly_path(path: Path) -> None:
    """Say before the work what would be wrong with a file after it. Raises BadInput and Unavailable."""
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise BadInput(f"'{path.name}' does not say its kind.", fix=f"End it in {', '.join(_WRITERS)}.", field="hourly")
    package, extra = _NEEDS.get(ending, ("", ""))
    if package and find_spec(package) is None:
        raise Unavailable(
            f"{ending} files need the package {package}.", fix=f"Install it: pip install 'eureka-park[{extra}]'"
        )
    if not path.resolve().parent.is_dir():
        raise BadInput(f"There is no folder '{path.parent}'.", fix="Make it first.", field="hourly")


def write_hourly(path: Path, table: Table) -> None:
    """Write the table; units are in the names of its columns. Raises BadInput and Unavailable."""
    check_hourly_path(path)
    write_whole(path, _WRITERS[path.suffix.lower()](table))


def _csv(table: Table) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return buffer.getvalue().encode()


def _xlsx(table: Table) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet("hourly")
        sheet.freeze_panes(1, 1)
        for column, (name, values) in enumerate(table.items()):
            sheet.write_string(0, column, name)
            sheet.write_column(1, column, values)
            sheet.set_column(column, column, max(12, len(name) + 1))
    return buffer.getvalue()


def _parquet(table: Table) -> bytes:
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(dict(table)), sink)
    return bytes(sink.getvalue())


_WRITERS: Final[dict[str, Callable[[Table], bytes]]] = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}
