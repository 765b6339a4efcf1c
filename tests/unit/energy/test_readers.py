"""Readers of weather files: each form agrees with pvlib's reader of it; what is wrong is told with line and value."""

from __future__ import annotations

import importlib
import io
import json
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.helpers import weather_forms as forms
from tests.helpers.shared_data import DAGGETT

from eureka_park.energy.core.readers.plain_csv import Mapped, mapped_column, read_timezone
from eureka_park.energy.core.readers.reading import Reading
from eureka_park.energy.core.readers.recognise import read, recognised
from eureka_park.foundation.errors import BadInput

pytestmark = pytest.mark.skipif(
    find_spec("pvlib") is None, reason="pvlib is not installed: the reference of the readers"
)


def iotools() -> Any:
    """pvlib's own readers; imported where they are used, as that takes seconds."""
    return importlib.import_module("pvlib.iotools")


ROWS = list(forms.sky(datetime(2021, 6, 1, tzinfo=UTC), 72))
NAMES = {
    "ghi_w_per_m2": ("ghi", 1), "dni_w_per_m2": ("dni", 1), "dhi_w_per_m2": ("dhi", 1), "temp_c": ("temp_air", 1),
    "humidity_frac": ("relative_humidity", 0.01), "wind_m_per_s": ("wind_speed", 1),
}  # fmt: skip


def same(reading: Reading, frame, pressure: float) -> None:
    """The columns and the UTC starts of a reading against those of pvlib's frame."""
    assert set(reading.columns) <= {*NAMES, "pressure_pa", "dew_c"}
    for ours, (theirs, factor) in NAMES.items():
        if theirs in frame:
            assert np.allclose(reading.columns[ours], frame[theirs] * factor), ours
    if "pressure" in frame:
        assert np.allclose(reading.columns["pressure_pa"], frame["pressure"] * pressure)
    offset_s = round(3600 * (reading.stamps.utc_offset_h or 0))
    theirs_s = frame.index.tz_convert("UTC").as_unit("s").asi8
    assert np.array_equal(reading.stamps.wall_s - offset_s, theirs_s)


def values(reading: Reading) -> None:
    """The columns of a reading against the sky it was written from."""
    assert reading.stamps.starts_s.tolist() == [row[0].timestamp() for row in ROWS]
    if "temp_c" in reading.columns:
        assert np.allclose(reading.columns["temp_c"], [row[4] for row in ROWS])
    if "ghi_w_per_m2" in reading.columns:
        assert np.allclose(reading.columns["ghi_w_per_m2"], [row[1] for row in ROWS])


def test_epw() -> None:
    text = forms.epw(ROWS)
    reading = read(text)
    assert reading.format == recognised(text) == "epw" and reading.stamps.at == "end"
    frame, meta = iotools().read_epw(io.StringIO(text))
    # pvlib names EPW hours by their start, the file by their end.
    shifted = frame.set_axis(frame.index.shift(1, freq="h"))
    same(reading, shifted, 1)
    values(reading)
    assert (reading.place.latitude_deg, reading.place.altitude_m) == (meta["latitude"], meta["altitude"])
    assert "Testville" in reading.origin


def test_sam_csv() -> None:
    reading = read(forms.sam_csv(ROWS))
    assert reading.format == "sam-csv" and reading.stamps.at == "middle" and reading.stamps.utc_offset_h == 1
    values(reading)
    assert (
        reading.columns["pressure_pa"][0] == ROWS[0][6] * 100
        and reading.columns["humidity_frac"][0] == ROWS[0][5] / 100
    )


def test_tmy3(tmp_path: Path) -> None:
    text = forms.tmy3(ROWS)
    reading = read(text)
    assert reading.format == "tmy3"
    path = tmp_path / "tmy3.csv"
    path.write_text(text)
    frame, _ = iotools().read_tmy3(path, map_variables=True)
    same(reading, frame, 100)  # pvlib leaves mbar
    values(reading)


@pytest.mark.parametrize(("text", "form"), [(forms.pvgis_tmy_json(ROWS), "json"), (forms.pvgis_tmy_csv(ROWS), "csv")])
def test_pvgis_typical_year(text: str, form: str) -> None:
    reading = read(text)
    assert reading.format == f"pvgis-{form}" and reading.stamps.is_typical and reading.label == "reanalysis"
    values(reading)
    assert reading.columns["dni_w_per_m2"][12] == ROWS[12][2]
    if form == "json":
        frame, _ = iotools().read_pvgis_tmy(io.StringIO(text), pvgis_format="json", map_variables=True)
        same(reading, frame, 1)
        assert "PVGIS-SARAH2" in reading.origin and "ERA5" in reading.origin


@pytest.mark.parametrize(
    ("text", "form"), [(forms.pvgis_hourly_json(ROWS), "json"), (forms.pvgis_hourly_csv(ROWS), "csv")]
)
def test_pvgis_hours_of_a_level_plane(text: str, form: str) -> None:
    reading = read(text)
    values(reading)
    assert not reading.stamps.is_typical and "dni_w_per_m2" not in reading.columns
    frame, _ = iotools().read_pvgis_hourly(io.StringIO(text), pvgis_format=form, map_variables=True)
    assert np.allclose(reading.columns["dhi_w_per_m2"], frame["poa_sky_diffuse"])
    assert np.allclose(reading.columns["ghi_w_per_m2"], frame["poa_direct"] + frame["poa_sky_diffuse"])
    assert np.array_equal(reading.stamps.wall_s, frame.index.as_unit("s").asi8)


@pytest.mark.parametrize("text", [forms.pvgis_hourly_json(ROWS, 30), forms.pvgis_hourly_csv(ROWS, "30 deg. (optimum)")])
def test_a_tilted_plane_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="plane with slope 30"):
        read(text)


@pytest.mark.parametrize("unit", ["kW/m2", "W/m2"])
def test_ninja(unit: str) -> None:
    reading = read(forms.ninja(ROWS, unit))
    assert reading.format == "ninja" and "NC" in reading.licence
    values(reading)
    assert (reading.place.latitude_deg, reading.place.longitude_deg) == (34.5, -5.0)


def test_ninja_without_weather_is_refused() -> None:
    text = "\n".join(",".join(line.split(",")[:3]) if "irradiance" not in line[:3] and line[0] != "#" else line
                     for line in forms.ninja(ROWS).splitlines())  # fmt: skip
    with pytest.raises(BadInput, match="only local_time, electricity, no weather"):
        read(text)


HOW = Mapped(dict(map(mapped_column, ("ghi_w_per_m2=GHI", "temp_c='T [K]':K", "humidity_frac=RH:%"))), "When", "+01:00")


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:00", "%d.%m.%Y %H:%M"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_plain_csv(form: str, mark: str) -> None:
    from dataclasses import replace

    reading = read(forms.plain(ROWS, form, mark), how=replace(HOW, time_format=form if "." in form else ""))
    values(reading)
    assert np.allclose(reading.columns["humidity_frac"], [row[5] / 100 for row in ROWS])
    assert reading.stamps.utc_offset_h == 1 and reading.stamps.step_s == 3600


def test_stamps_that_name_their_offset_are_believed() -> None:
    reading = read(forms.plain(ROWS, "%Y-%m-%dT%H:%M+01:00"), how=HOW)
    assert reading.stamps.utc_offset_h == 0
    assert reading.stamps.wall_s[0] == ROWS[0][0].timestamp() - 3600


@pytest.mark.parametrize("form", ["%m/%d/%y %H:%M", "%d/%m/%Y %H:%M", "%Y/%m/%d %H:%M"])
def test_dates_with_slashes_are_read_where_they_leave_no_doubt(form: str) -> None:
    rows = list(forms.sky(datetime(2021, 6, 1, tzinfo=UTC), 24 * 20))
    reading = read(forms.plain(rows, form), how=HOW)
    assert reading.stamps.wall_s[-1] == rows[-1][0].timestamp()


def test_dates_that_leave_doubt_are_refused() -> None:
    with pytest.raises(BadInput, match="Say its form with --time-format"):
        raise_line(forms.plain(ROWS, "%d/%m/%Y %H:%M"))


def raise_line(text: str) -> None:
    """Raise the error with its fix in the message, so that both can be matched."""
    try:
        read(text, how=HOW)
    except BadInput as error:
        raise BadInput(error.line()) from None


@pytest.mark.parametrize(
    ("text", "unit", "in_w"),
    [("10", "Wh/m2", 60.0), ("0.01", "kWh/m2", 60.0), ("6", "kJ/m2", 10.0), ("0.006", "MJ/m2", 10.0),
     ("0.6", "J/cm2", 10.0), ("0.5", "kW/m2", 500.0), ("500", "W/m2", 500.0)],
)  # fmt: skip
def test_sums_over_ten_minutes_become_means(text: str, unit: str, in_w: float) -> None:
    rows = "\n".join(f"2021-06-01 {hour:02d}:{minute:02d},{text}" for hour in range(3) for minute in range(0, 60, 10))
    how = Mapped(dict([mapped_column(f"ghi_w_per_m2=G:{unit}")]), "t")
    assert read(f"t,G\n{rows}\n", how=how).columns["ghi_w_per_m2"][0] == pytest.approx(in_w)


def test_mappings_and_zones() -> None:
    assert mapped_column("temp_c='T [K]:K'") == ("temp_c", ("T [K]:K", ""))  # quoted as a whole: a name with a colon
    assert mapped_column("temp_c=T [K]:K") == ("temp_c", ("T [K]", "K"))
    assert mapped_column("dew_c=Td: dew") == ("dew_c", ("Td: dew", ""))
    assert read_timezone("UTC") == (0.0, None) and read_timezone("-03:30") == (-3.5, None)
    assert read_timezone("Africa/Casablanca") == (None, "Africa/Casablanca")
    for wrong in ("temp=T", "temp_c", "temp_c="):
        with pytest.raises(BadInput, match="is not COLUMN=NAME"):
            mapped_column(wrong)
    for wrong in ("Mars", "../etc/passwd", "+1:0:0"):
        with pytest.raises(BadInput, match="is no time zone"):
            read_timezone(wrong)


@pytest.mark.skipif(not DAGGETT.is_file(), reason="the real Daggett year is not on this machine")
def test_the_real_daggett_year() -> None:
    text = DAGGETT.read_text()
    reading = read(text)
    assert recognised(text) == "sam-csv" and reading.stamps.is_typical and reading.label == "reanalysis"
    frame, _ = iotools().read_nsrdb_psm4(io.StringIO(text), map_variables=True)
    same(reading, frame, 100)
    assert reading.columns["dni_w_per_m2"].sum() / 1000 == pytest.approx(2799, abs=1)
    assert reading.place.longitude_deg == -116.78 and reading.stamps.utc_offset_h == -8


def broken(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


EPW, SAM, TMY3 = forms.epw(ROWS), forms.sam_csv(ROWS), forms.tmy3(ROWS)
JSON, CSV, PLAIN = forms.pvgis_tmy_json(ROWS), forms.pvgis_tmy_csv(ROWS), forms.plain(ROWS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (broken(EPW, "2021,6,1,13,0,?,", "2021,6,1,13,0,?,warm"), "Line 21, column 'dry bulb': 'warm"),
        (broken(EPW, "2021,6,1,13,0", "2021,6,31,13,0"), "Line 21: 2021-6-31 hour 13 is no time."),
        (broken(EPW, "2021,6,1,13,0", "2021,6,1,1.5,0"), "Line 21, column 'hour': '1.5' is not a whole number."),
        (EPW[: EPW.rindex(",300,")], "Line 80 has 12 cells, not at least 22."),
        ("LOCATION,x\n", "must begin with LOCATION and have ten cells"),
        (broken(SAM, "2021,6,1,12,30,", "2021,6,1,12,30,n/k"), "Line 16, column 'DNI': 'n/k"),
        (broken(SAM, "Time Zone", "Zone"), "no weather"),
        (broken(SAM, "Month", "Moon"), "Line 3 has no column 'Month'."),
        (broken(SAM, "34.5", "north"), "Line 2, column 'latitude': 'north' is not a number."),
        (broken(TMY3, "06/01/2021,13:00", "06/01/21,13:00"), "Line 15: '06/01/21,13:00' is not a date MM/DD/YYYY"),
        (broken(JSON, '"tmy_hourly"', '"yearly"'), "no PVGIS answer with hours: 'hourly' is missing"),
        (JSON[:200], "The file is not JSON"),
        ('{"outputs": {"hourly": []}, "inputs": {}}', "no PVGIS answer with hours"),
        (broken(CSV, "20210601:1200,", "20210601:1200,mild"), "Line 30, column 'T2m': 'mild"),
        (broken(CSV, "Elevation", "Height"), "does not say 'elevation (m)'"),
        (broken(PLAIN, "2021-06-01 12:00,", "2021-06-01 12:00,=A1"), "Line 14, column 'GHI': '=A1"),
        (broken(PLAIN, "2021-06-01 12:00,", "noon,"), "Line 14, column 'When': 'noon' is not a time"),
        (broken(PLAIN, "T [K]", "T"), "no column ''T [K]''"),
        ("When,GHI\n", "The file has no column"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_line_column_and_value(text: str, message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text, how=None if not text.startswith("When") else HOW)
    line = caught.value.line()
    if message == "no weather":  # without its mark the form is no longer known
        assert "none of the forms" in line
    elif "T [K]" in message:
        assert "no column 'T [K]'" in line and "When, GHI, DNI, DHI, T, RH" in line
    else:
        assert message in line
    assert "\n" not in line and caught.value.fix


NINJA = forms.ninja(ROWS)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("\n\n".join(TMY3.split("\n", 1)), "tmy3"),
        (broken(NINJA, "2021-06-01 00:00", "9" * 5000), "ninja"),
        (broken(NINJA, "2021-06-01 00:00", "5"), "ninja"),
        (NINJA.replace("# {", '# {"a": ' + "9" * 5000 + ", ", 1), "ninja"),
        ('{"a": ' * 100_000, "pvgis-json"),
        ('{"a": ' + "9" * 5000 + "}", "pvgis-json"),
    ],
)
def test_damage_of_any_kind_is_told_in_one_line(text: str, form: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(text, form)
    assert len(caught.value.line()) < 400 and "\n" not in caught.value.line()


def test_facts_of_another_form_than_expected_are_left_out() -> None:
    value = json.loads(forms.pvgis_hourly_json(ROWS))
    value["inputs"] |= {"mounting_system": [], "meteo_data": 3}
    assert read(json.dumps(value)).origin.startswith("PVGIS hourly series (")
    assert read(broken(NINJA, '"units": {', '"units": [], "u": {')).format == "ninja"


def test_missing_values_are_nan() -> None:
    epw = read(broken(EPW, ",9.9,60,", ",9.9,999,"))
    assert np.isnan(epw.columns["humidity_frac"]).nonzero()[0].tolist() == [0]
    plain = read("t,G\n2021-06-01 00:00,\n2021-06-01 01:00,NaN\n2021-06-01 02:00,-1\n", how=Mapped(
        {"ghi_w_per_m2": ("G", "")}, "t"
    ))  # fmt: skip
    assert np.isnan(plain.columns["ghi_w_per_m2"]).tolist() == [True, True, False]
    sam = read(SAM.replace(",60,", ",-9999,", 1))
    assert np.isnan(sam.columns["humidity_frac"]).sum() == 1


@pytest.mark.parametrize(
    "form", [forms.epw, forms.sam_csv, forms.tmy3, forms.pvgis_tmy_csv, forms.pvgis_hourly_csv, forms.ninja]
)
def test_windows_line_ends_and_marks_of_byte_order_do_not_matter(form) -> None:
    text = form(ROWS)
    windows = "\ufeff" + text.replace("\r\n", "\n").replace("\n", "\r\n")
    one, other = read(text), read(windows)
    assert one.format == other.format and np.array_equal(one.lines, other.lines)
    assert all(np.array_equal(values, other.columns[name]) for name, values in one.columns.items())
