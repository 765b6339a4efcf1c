"""The park's own weather file: what is written comes back; what is wrong is told with its line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from eureka_park.energy import weather_file
from eureka_park.energy.core.readers.reading import COLUMNS
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.weather_file import read_bytes, read_weather, read_weather_file, write_weather, write_whole
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable
from eureka_park.foundation.site_reading import load_site

PLACE = {place.id: place for place in load_site("eureka-park").weather_sites}["ouarzazate"]
YEAR = typical_year(PLACE, 3)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "o.csv"
    write_weather(path, YEAR, PLACE, {"filled_values": "0"})
    return path


def changed(path: Path, old: str, new: str, *, keeps_sum: bool = False) -> Path:
    lines = path.read_text().split("\n")
    if not keeps_sum:
        lines = [line for line in lines if not line.startswith("# body_sha256")]
    text = "\n".join(lines)
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_what_is_written_is_read_again(written: Path) -> None:
    back = read_weather_file(written)
    assert (back.latitude_deg, back.longitude_deg, back.altitude_m) == (31.049, -6.869, 1260)
    assert back.year.provenance == YEAR.provenance and back.year.weather_site == "ouarzazate"
    assert back.extra == {"filled_values": "0"}
    for name in COLUMNS:
        assert np.allclose(getattr(back.year, name), getattr(YEAR, name), rtol=1e-8, atol=1e-8), name
    assert np.array_equal(back.year.sun.cos_zenith, YEAR.sun.cos_zenith)
    assert read_weather(written).wind_height_m is YEAR.wind_height_m
    text = written.read_text()
    write_weather(written, back.year, back, back.extra)
    assert written.read_text() == text  # and again the same bytes
    assert [path.name for path in written.parent.iterdir()] == ["o.csv"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# label: synthetic", "# label: guessed", "label = 'guessed' is none of synthetic"),
        ("# licence", "# license", "The header has no line '# licence: ...'."),
        ("# latitude_deg: 31.049", "# latitude_deg: north", "'latitude_deg: north' in the header is not a number."),
        ("2025-01-02T00:00Z,", "2025-01-02T01:00Z,", "'2025-01-02T01:00Z' is not the hour 01-02T00:00"),
        ("2025-01-02T00:00Z,0", "2025-01-02T00:00Z,x", "column 'dni_w_per_m2': 'x' is not a number."),
        ("2025-01-02T00:00Z,0", "2025-01-02T00:00Z,", "column 'dni_w_per_m2': the value is missing."),
        ("2025-01-02T00:00Z,", "2025-01-02T00:00Z,0,", "has 9 cells, not 8."),
        ("# eureka-park weather: 1", "# eureka-park weather: 9", "Line 1 must read"),
        ("# place", "# where", "The header has no line '# place: ...'."),
        ("# place: ouarzazate", "# place is ouarzazate", "Line 2: '# place is ouarzazate' is not of the form"),
        ("time_utc,dni", "time,dni", "must read 'time_utc,dni_w_per_m2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_in_one_line(written: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_weather(changed(written, old, new))
    assert message in caught.value.line() and "\n" not in caught.value.line()
    assert caught.value.message.startswith("o.csv: ") and caught.value.fix


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("# latitude_deg: 31.049", "# latitude_deg: nan", "'latitude_deg: nan' in the header is outside -90 to 90"),
        ("# longitude_deg: -6.869", "# longitude_deg: 1e9", "outside -180 to 180"),
        ("# altitude_m: 1260", "# altitude_m: inf", "outside -500 to 9000"),
        ("# seed: 3", f"# seed: {'9' * 5000}", "is not a whole number"),
        ("2025-01-02T00:00Z,0,", "2025-01-02T00:00Z,-5,", "outside 0 to 3000, the first -5: 2 Jan 00:00"),
        ("2025-01-02T00:00Z,0,", "2025-01-02T00:00Z,1e30,", "the first 1e+30"),
    ],
)
def test_what_cannot_be_on_earth_is_refused(written: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_weather(changed(written, old, new))
    assert message in caught.value.line()


def test_a_file_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weather_file, "FILE_BYTES_MAX", 1000)
    with pytest.raises(TooLarge):
        read_bytes(Path("/dev/zero"))


def test_what_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "o.csv").write_text("before")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "o.csv", b"half")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_links_are_replaced_and_pipes_are_filled(tmp_path: Path) -> None:
    other, link, pipe = tmp_path / "other", tmp_path / "link", tmp_path / "pipe"
    other.write_text("other")
    link.symlink_to(other)
    write_whole(link, b"mine")
    assert other.read_text() == "other" and link.read_text() == "mine" and not link.is_symlink()
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, b"mine")
    assert os.read(reader, 10) == b"mine" and pipe.is_fifo()
    os.close(reader)
    write_whole(tmp_path / ("n" * 250), b"long")
    assert len(list(tmp_path.iterdir())) == 4


def test_a_wrong_value_is_told_with_its_line(written: Path) -> None:
    lines = changed(written, "2025-01-02T00:00Z,0", "2025-01-02T00:00Z,x").read_text().split("\n")
    line = 1 + next(index for index, text in enumerate(lines) if text.startswith("2025-01-02T00:00Z,x"))
    with pytest.raises(BadInput, match=f"Line {line}, column 'dni_w_per_m2': 'x'"):
        read_weather(written)


def test_rows_changed_by_hand_are_seen(written: Path) -> None:
    with pytest.raises(BadInput, match="changed after it was written"):
        read_weather(changed(written, "2025-01-02T00:00Z,0", "2025-01-02T00:00Z,1", keeps_sum=True))


def test_rows_that_are_missing_are_counted(written: Path) -> None:
    lines = [line for line in written.read_text().split("\n") if "body_sha256" not in line]
    written.write_text("\n".join(lines[:-25]))
    with pytest.raises(BadInput, match="8,736 rows of values, not 8,760"):
        read_weather(written)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="There is no file"):
        read_weather(tmp_path / "none.csv")
    other = tmp_path / "other.csv"
    other.write_bytes("LOCATION,Fès,\xe9".encode("latin-1", "replace"))
    with pytest.raises(BadInput, match="is not a park weather file") as caught:
        read_weather(other)
    assert "park weather import" in caught.value.fix
    with pytest.raises(Unavailable, match="cannot be written"):
        write_weather(tmp_path / "no" / "folder.csv", YEAR, PLACE)
    assert [path.name for path in tmp_path.iterdir()] == ["other.csv"]
