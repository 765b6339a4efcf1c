"""Which reader a file is for, told by how it begins."""

from __future__ import annotations

from typing import Final

from eureka_park.energy.core.readers.epw import read_epw
from eureka_park.energy.core.readers.ninja import read_ninja
from eureka_park.energy.core.readers.park_csv import is_park_csv
from eureka_park.energy.core.readers.plain_csv import Mapped, read_plain_csv
from eureka_park.energy.core.readers.pvgis import read_pvgis_csv, read_pvgis_json
from eureka_park.energy.core.readers.reading import Reading, fail
from eureka_park.energy.core.readers.sam_csv import read_sam_csv
from eureka_park.energy.core.readers.tmy3 import read_tmy3

_READERS: Final = {
    "epw": read_epw, "sam-csv": read_sam_csv, "tmy3": read_tmy3, "pvgis-json": read_pvgis_json,
    "pvgis-csv": read_pvgis_csv, "ninja": read_ninja,
}  # fmt: skip
FORMATS: Final = (*_READERS, "plain-csv", "park-csv")


def recognised(text: str) -> str:
    """The name of a file's form; `plain-csv` for what has no marks of its own."""
    lines = text.lstrip("\ufeff").lstrip().splitlines()[:3]
    first, second = ([*lines, "", ""])[:2]
    if is_park_csv(text):
        return "park-csv"
    if first.upper().startswith("LOCATION,"):
        return "epw"
    if first.startswith("{"):
        return "pvgis-json"
    if first.lower().startswith("latitude (decimal degrees):"):
        return "pvgis-csv"
    if "renewables.ninja" in first.lower():
        return "ninja"
    if second.lower().startswith("date (mm/dd/yyyy)"):
        return "tmy3"
    names = {name.strip().lower() for name in first.split(",")}
    return "sam-csv" if names & {"latitude", "lat"} and names & {"time zone", "tz"} else "plain-csv"


def read(text: str, form: str = "", how: Mapped | None = None) -> Reading:
    """Read a file in the form named, or in the one it has. Raises BadInput."""
    form = form or ("plain-csv" if how is not None and how.columns else recognised(text))
    if form in _READERS:
        return _READERS[form](text)
    if form != "plain-csv":
        fail("This is a park weather file already.", "Use it as it is: park energy year --weather FILE.")
    if how is None or not how.columns or not how.time_column:
        fail(
            "The file has none of the forms that are known by themselves.",
            "Say its columns: --time-column NAME --column dni_w_per_m2=NAME (and so on), or its form with --format.",
        )
    return read_plain_csv(text, how)
