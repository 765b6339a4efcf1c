"""Weather files on disk: read and written whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from eureka_park.energy.core.readers.park_csv import ParkWeather, is_park_csv, park_csv_text, read_park_csv
from eureka_park.energy.core.readers.reading import COLUMNS
from eureka_park.energy.core.weather_checks import Location
from eureka_park.energy.core.weather_hours import refuse_impossible
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable

FILE_BYTES_MAX = 256 * 1024 * 1024


def read_weather(path: str | Path) -> WeatherYear:
    """The year in a park weather file, fit for models. Raises NotFound and BadInput, in one line with what is wrong."""
    year = read_weather_file(path).year
    with named(Path(path)):
        refuse_impossible(
            {name: getattr(year, name) for name in COLUMNS}, f"See what it is: park weather describe {Path(path).name}"
        )
    return year


def read_weather_file(path: str | Path) -> ParkWeather:
    """Like `read_weather`, with the place's position and the rest of the header."""
    path = Path(path)
    text = read_text(path)
    if not is_park_csv(text):
        raise BadInput(
            f"{path.name} is not a park weather file.",
            fix=f"Make one from it: park weather import {path.name} --place ID --out FILE",
            code="not_a_weather_file",
        )
    with named(path):
        return read_park_csv(text)


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """What is wrong in a file is told with the file's name."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{path.name}: {error.message}", fix=error.fix, code=error.code, field=error.field) from None


def write_weather(path: str | Path, year: WeatherYear, place: Location, extra: Mapping[str, str] | None = None) -> None:
    """Write a park weather file; a file of that name is replaced in one step. Raises Unavailable."""
    weather = ParkWeather(year, place.latitude_deg, place.longitude_deg, place.altitude_m, dict(extra or {}))
    write_whole(Path(path), park_csv_text(weather).encode())


def read_text(path: Path) -> str:
    """The text of a file: UTF-8, or Latin-1 as old weather files have it. Raises NotFound, TooLarge, Unavailable."""
    return decoded(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file. Raises NotFound, TooLarge, Unavailable."""
    try:
        is_large = path.stat().st_size > FILE_BYTES_MAX
        with path.open("rb") as stream:  # a pipe or a device has no size, and may have no end
            raw = b"" if is_large else stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file '{path}'.", fix="Check the path.", code="no_such_file") from None
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be read: {error.strerror}.", fix="Check the path.") from None
    if is_large or len(raw) > FILE_BYTES_MAX:
        raise TooLarge(f"{path.name} has more than {FILE_BYTES_MAX // 2**20} MiB.", fix="Cut one year out of it.")
    return raw


def decoded(raw: bytes) -> str:
    """Bytes as text: UTF-8, or Latin-1."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the target and move it there: nobody ever sees half a file, not even after Ctrl-C.

    A symbolic link is replaced, never followed; into a device or a pipe the bytes go as they are. Raises Unavailable.
    """
    name = ""
    try:
        if _takes_bytes(path):
            path.write_bytes(content)
            return
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
        name = ""
    except OSError as error:
        raise Unavailable(f"'{path}' cannot be written: {error.strerror}.", fix="Choose another file.") from None
    finally:
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()


def _takes_bytes(path: Path) -> bool:
    """Whether a path is no place for a file: /dev/stdout, a pipe."""
    folder = path.parent.resolve()
    return (path.exists() and not path.is_file()) or folder == Path("/dev") or Path("/proc") in folder.parents
