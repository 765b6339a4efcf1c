"""An hourly table on disk: CSV, Excel or Parquet by the ending of its name. Written whole, or not at all.

What the table rests on goes along: in a CSV as lines `# key: value` before the header (as in weather files), in Excel
as the sheet `about`, in Parquet as metadata of the file.
"""

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
About = Mapping[str, str]
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


def about_hours(found: Mapping[str, Any]) -> dict[str, str]:
    """What an answer of `studies.run_years` rests on, as short texts by name: the first year's, which is written."""
    told = {name: str(found[name]) for name in ("site", "version", "scenario", "load", "load_mw", "flex_frac")}
    told["without"] = ", ".join(found["without"])
    told["seed"] = str(found["seeds"][0]) if found["seeds"] else ""
    for place, weather in found["weather"].items():
        parts = (weather["label"], weather["origin"], weather["licence"], f"content id {weather['content_ids'][0]}")
        told[f"weather {place}"] = "; ".join(parts)
    for name, plant in found["plants"].items():
        if "raw_gwh" in plant:
            told[f"plant {name}"] = (
                f"model {plant['raw_gwh']:.6g} GWh, factor {plant['calibration_factor']:.4g}; {plant['contract']}"
            )
    for name in ("foresight", "supply", "grid_gco2", "plant_gco2", "tariff"):
        told[name] = str(found.get(name, ""))
    return {name: " ".join(text.split()) for name, text in told.items() if text}


def write_hourly(path: Path, table: Table, about: About | None = None) -> None:
    """Write the table and what it rests on; units are in the names of its columns. Raises BadInput and Unavailable."""
    check_hourly_path(path)
    write_whole(path, _WRITERS[path.suffix.lower()](table, about or {}))


def _csv(table: Table, about: About) -> bytes:
    buffer = io.StringIO(newline="")
    buffer.writelines(f"# {name}: {text}\n" for name, text in about.items())
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return buffer.getvalue().encode()


def _xlsx(table: Table, about: About) -> bytes:
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
        if about:
            notes = book.add_worksheet("about")
            notes.set_column(0, 1, 28)
            for row, (name, text) in enumerate(about.items()):
                notes.write_string(row, 0, name)
                notes.write_string(row, 1, text)
    return buffer.getvalue()


def _parquet(table: Table, about: About) -> bytes:
    import pyarrow
    import pyarrow.parquet

    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(dict(table), metadata=dict(about)), sink)
    return bytes(sink.getvalue())


_WRITERS: Final[dict[str, Callable[[Table, About], bytes]]] = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}
