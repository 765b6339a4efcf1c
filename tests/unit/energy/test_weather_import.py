"""Importing a year: clocks, steps, leap days, gaps, odd values; nothing is repaired unless somebody asks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.helpers import weather_forms as forms
from tests.helpers.shared_data import DAGGETT, TETOUAN

from eureka_park.energy.core.readers.plain_csv import Mapped, mapped_column
from eureka_park.energy.core.readers.reading import PlaceFacts, Reading, Stamps
from eureka_park.energy.core.readers.recognise import read
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_fill import FillRule
from eureka_park.energy.core.weather_hours import hours_text
from eureka_park.energy.core.weather_import import Imported, Place, Wish, import_year
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.zones import ZoneInfo

SITE = {place.id: place for place in load_site("eureka-park").weather_sites}["ouarzazate"]
PLACE = Place("ouarzazate", SITE.latitude_deg, SITE.longitude_deg, SITE.altitude_m)
TRUTH = typical_year(SITE, 1)
EPOCH_2021_S = int(datetime(2021, 1, 1, tzinfo=UTC).timestamp())
STRICT, FILL = Wish("id"), Wish("id", fill=FillRule())
COLUMNS = ("ghi_w_per_m2", "dni_w_per_m2", "dhi_w_per_m2", "temp_c", "humidity_frac")


def series(wall_s: np.ndarray | None = None, **stamps) -> Reading:
    """The truth as a logger with a UTC clock would have it, hour by hour."""
    hours = EPOCH_2021_S + 3600 * np.arange(8760) if wall_s is None else wall_s
    columns = {name: np.array(getattr(TRUTH, name)) for name in COLUMNS}
    return Reading(
        "test", PlaceFacts(), Stamps(hours, **{"step_s": 3600, **stamps}), columns, np.arange(2, 2 + len(hours)),
        "measured", "a logger", "CC0",
    )  # fmt: skip


def only(reading: Reading, kept: np.ndarray) -> Reading:
    columns = {name: values[kept] for name, values in reading.columns.items()}
    stamps = replace(reading.stamps, wall_s=reading.stamps.wall_s[kept])
    return replace(reading, stamps=stamps, columns=columns, lines=reading.lines[kept])


def changed(reading: Reading, name: str, hours: slice | list[int] | int, value: float) -> Reading:
    values = np.array(reading.columns[name])
    values[hours] = value
    return replace(reading, columns={**reading.columns, name: values})


def close(imported: Imported, *, but: int = 0, at_most: float = 1e-9) -> None:
    for name in COLUMNS:
        off = np.abs(getattr(imported.year, name) - getattr(TRUTH, name))
        assert (off > at_most).sum() <= but, name


def refused(reading: Reading, wish: Wish = STRICT, place: Place = PLACE) -> str:
    with pytest.raises(BadInput) as caught:
        import_year(reading, place, wish)
    assert "\n" not in caught.value.line() and caught.value.fix
    return caught.value.line()


def test_a_sound_year_comes_through_unchanged() -> None:
    found = import_year(series(), PLACE, STRICT)
    close(found)
    assert found.n_filled == 0 and not found.warnings
    assert found.year.provenance.label == "measured" and found.year.provenance.content_id == "id"
    assert "no wind in the file: 0 m/s" in found.year.provenance.origin
    assert found.extra["filled_values"] == "0"


@pytest.mark.parametrize("offset_h", [1.0, -8.0, 5.5])
@pytest.mark.parametrize("at", ["start", "middle", "end"])
def test_offsets_and_labels(offset_h: float, at: str) -> None:
    shift_s = {"start": 0, "middle": 1800, "end": 3600}[at]
    first_s = EPOCH_2021_S - round(offset_h % 1 * 3600)  # rows lie on the local hour
    wall_s = first_s + 3600 * np.arange(8760) + round(offset_h * 3600) + shift_s
    found = import_year(series(wall_s, utc_offset_h=offset_h, at=at), PLACE, replace(STRICT, accept=True))
    if offset_h % 1 == 0:
        close(found)
    else:  # an hour of ours lies in two rows
        mixed = (TRUTH.ghi_w_per_m2 + np.roll(TRUTH.ghi_w_per_m2, -1)) / 2
        assert np.allclose(found.year.ghi_w_per_m2, mixed)


def casablanca(year: int) -> tuple[np.ndarray, np.ndarray]:
    """Hours of a UTC year and what the clocks of Casablanca showed at their start."""
    zone = ZoneInfo("Africa/Casablanca")
    utc_s = int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) + 3600 * np.arange(8760)
    offsets = [datetime.fromtimestamp(int(s), UTC).astimezone(zone).utcoffset() for s in utc_s]
    return utc_s, utc_s + np.array([int(offset.total_seconds()) for offset in offsets if offset is not None])


def test_the_ramadan_clock_is_followed_by_name() -> None:
    _, wall_s = casablanca(2021)
    assert len(np.unique(wall_s)) == 8759 and (np.diff(wall_s) == 7200).sum() == 1  # an hour twice, an hour never
    close(import_year(series(wall_s, zone="Africa/Casablanca", utc_offset_h=None), PLACE, STRICT))


def test_the_ramadan_clock_is_seen_where_no_zone_is_named() -> None:
    _, wall_s = casablanca(2021)
    line = refused(series(wall_s, utc_offset_h=1.0))
    assert "1 rows have a time that came before" in line and "(2021-04-11 02:00)" in line
    line = refused(series(wall_s, utc_offset_h=1.0), FILL)
    assert "minutes early between" in line and "only: stamps look like a wall clock" in line
    assert "Apr" in line and "May" in line and "--timezone" in line


def test_one_clock_all_year_is_not_taken_for_a_zone_that_changes() -> None:
    wall_s = EPOCH_2021_S + 3600 * np.arange(8760) + 3600
    line = refused(series(wall_s, zone="Africa/Casablanca", utc_offset_h=None))
    assert "2021-05-16 02:00 never was in Africa/Casablanca" in line and "--timezone +01:00" in line


def test_a_clock_that_is_an_hour_off_is_seen() -> None:
    line = refused(series(EPOCH_2021_S + 3600 * np.arange(8760) + 3600))
    assert "minutes late" in line and "--timezone" in line
    taken = import_year(series(EPOCH_2021_S + 3600 * np.arange(8760) + 3600), PLACE, replace(STRICT, accept=True))
    assert any("minutes late" in text for text in taken.warnings)
    assert "taken although" in taken.year.provenance.origin


@pytest.mark.parametrize("n_parts", [2, 4, 6])
def test_finer_rows_become_means(n_parts: int) -> None:
    step_s = 3600 // n_parts
    wall_s = EPOCH_2021_S + step_s * np.arange(8760 * n_parts)
    wave = np.tile(np.linspace(-1, 1, n_parts), 8760)  # of mean 0
    reading = series(wall_s, step_s=step_s)
    columns = {name: np.repeat(values, n_parts) for name, values in reading.columns.items()}
    columns["temp_c"] = columns["temp_c"] + wave
    close(import_year(replace(reading, columns=columns), PLACE, STRICT), at_most=1e-6)


def test_29_february_is_refused_or_left_out() -> None:
    first_s = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
    reading = series()
    again = np.concatenate([np.arange(60 * 24 - 24), np.arange(59 * 24 - 24, 8760)])
    columns = {name: values[again] for name, values in reading.columns.items()}
    leap = Reading(
        "test", reading.place, Stamps(first_s + 3600 * np.arange(8784), 3600), columns, np.arange(2, 8786), "measured"
    )
    assert "29 February (24 rows from line 1418 on): 8,784 rows" in refused(leap)
    found = import_year(leap, PLACE, FILL)
    close(found)
    assert "29 February left out (24 rows)" in found.year.provenance.origin and found.n_filled == 0


def test_typical_years_of_mixed_months_close() -> None:
    reading = series(utc_offset_h=-8.0, is_typical=True)
    wall_s = reading.stamps.wall_s - 8 * 3600
    months = wall_s.astype("datetime64[s]").astype("datetime64[M]").astype(int) % 12
    years = np.array([2008, 1999, 2012, 2005, 2003, 2016, 2001, 1998, 2010, 2004, 2007, 2000])
    as_dates = (wall_s.astype("datetime64[s]")).astype(object)
    moved = [moment.replace(year=int(years[month])) for moment, month in zip(as_dates, months, strict=True)]
    mixed = np.array([int(moment.replace(tzinfo=UTC).timestamp()) for moment in moved])
    close(import_year(series(mixed, utc_offset_h=-8.0, is_typical=True), PLACE, STRICT))


def test_gaps_are_told_with_their_hours_and_filled_on_request() -> None:
    kept = np.ones(8760, dtype=bool)
    kept[[100, 101]] = False
    kept[8736:] = False
    reading = only(series(), kept)
    line = refused(reading)
    assert "8,734 of the year's 8,760 hours whole; 26 are missing" in line
    assert "5 Jan 04:00 to 5 Jan 05:00 UTC (2 h), 31 Dec 00:00 to 31 Dec 23:00 UTC (24 h)" in line
    found = import_year(reading, PLACE, FILL)
    assert found.filled_hours == dict.fromkeys(COLUMNS, 26)
    close(found, but=26)
    assert "130 hourly values filled" in found.year.provenance.origin
    assert found.extra["filled_values"].startswith("ghi_w_per_m2 26, ")
    day, last = found.year.ghi_w_per_m2[8736:], TRUTH.ghi_w_per_m2[8712:8736]
    assert day.max() > 0.3 * last.max() and day[:6].max() == 0  # the same hours of the days before and after
    assert np.all(found.year.dni_w_per_m2 >= 0) and np.isfinite(found.year.temp_c).all()


def test_a_short_gap_is_bridged_by_a_line() -> None:
    found = import_year(changed(series(), "temp_c", [500, 501], np.nan), PLACE, FILL)
    before, after = TRUTH.temp_c[499], TRUTH.temp_c[502]
    assert found.year.temp_c[500:502] == pytest.approx([(2 * before + after) / 3, (before + 2 * after) / 3])
    assert found.filled_hours == {"temp_c": 2}


def test_a_gap_beyond_the_limit_is_refused_even_then() -> None:
    line = refused(changed(series(), "temp_c", slice(1000, 1200), np.nan), FILL)
    assert "temp_c: a gap of 200 hours is too long to fill (at most 168): 11 Feb 16:00 to 19 Feb 23:00" in line
    longer = replace(FILL, fill=FillRule(long_h=200))
    assert import_year(changed(series(), "temp_c", slice(1000, 1200), np.nan), PLACE, longer).filled_hours == {
        "temp_c": 200
    }


def test_a_column_with_holes_is_told() -> None:
    line = refused(changed(series(), "humidity_frac", [10, 20, 21, 40, 60], np.nan))
    assert "humidity_frac: 5 hours have no value: 1 Jan 10:00 to 1 Jan 10:00 UTC (1 h), " in line
    assert line.count("UTC") == 3 and "and 1 more gaps" in line


def test_values_below_zero() -> None:
    reading = changed(changed(series(), "dni_w_per_m2", [3, 4], -2.0), "dni_w_per_m2", 12, -300.0)
    line = refused(reading)
    assert "dni_w_per_m2: 3 hours are below zero, the lowest -300: 1 Jan 03:00 to 1 Jan 04:00 UTC (2 h)" in line
    found = import_year(reading, PLACE, FILL)
    assert found.filled_hours == {"dni_w_per_m2": 3} and found.year.dni_w_per_m2.min() == 0
    assert found.year.dni_w_per_m2[12] > 0 or TRUTH.dni_w_per_m2[11] == TRUTH.dni_w_per_m2[13] == 0


@pytest.mark.parametrize(
    ("name", "turn", "unit"),
    [
        ("ghi_w_per_m2", lambda v: v / 1000, "kW/m2"),
        ("ghi_w_per_m2", lambda v: v * 3.6, "kJ/m2"),
        ("temp_c", lambda v: v + 273.15, "kelvin"),
        ("temp_c", lambda v: v * 1.8 + 32, "Fahrenheit"),
        ("humidity_frac", lambda v: v * 100, "percent"),
    ],
)
def test_units_that_look_like_others_are_told_and_never_guessed(name: str, turn, unit: str) -> None:
    reading = series()
    wrong = replace(reading, columns={**reading.columns, name: turn(reading.columns[name])})
    for wish in (STRICT, FILL):
        line = refused(wrong, wish)
        assert name in line and unit in line and "--column COLUMN=NAME:UNIT" in line


def test_what_cannot_be_on_earth_is_not_accepted_either() -> None:
    told = refused(changed(series(), "temp_c", 30, 300.0), Wish("id", accept=True))
    assert "temp_c: 1 hours are outside -100 to 80, the first 300: 2 Jan 06:00" in told


def test_a_file_without_values_or_clock_is_refused() -> None:
    nothing = replace(series(), columns={"temp_c": np.full(8760, np.nan)})
    assert "no values of weather" in refused(nothing)
    for offset_h in (float("nan"), 99.0):
        stamps = replace(series().stamps, utc_offset_h=offset_h)
        assert "hours from UTC" in refused(replace(series(), stamps=stamps))


def test_doubled_rows_are_told() -> None:
    reading = series()
    wall_s = np.array(reading.stamps.wall_s)
    wall_s[51] = wall_s[50]
    line = refused(replace(reading, stamps=replace(reading.stamps, wall_s=wall_s)))
    assert "1 rows have a time that came before; the first: line 53 (2021-01-03 02:00) repeats line 52" in line


def test_several_years_need_a_name() -> None:
    reading = series()
    wall_s = np.concatenate([reading.stamps.wall_s, reading.stamps.wall_s + 365 * 86400])
    columns = {name: np.tile(values, 2) for name, values in reading.columns.items()}
    both = Reading("test", reading.place, Stamps(wall_s, 3600), columns, np.arange(2, 2 + len(wall_s)))
    assert "The file has 2 years, 2021 to 2022. Name one with --year" in refused(both)
    close(import_year(both, PLACE, replace(STRICT, year=2022)))
    assert "no rows of 2019" in refused(both, replace(STRICT, year=2019))


def test_parts_that_a_file_lacks_are_worked_out_and_said() -> None:
    reading = series()
    without = {
        name: values for name, values in reading.columns.items() if name not in ("dni_w_per_m2", "humidity_frac")
    }
    found = import_year(replace(reading, columns=without), PLACE, STRICT)
    assert found.year.dni_w_per_m2.sum() == pytest.approx(TRUTH.dni_w_per_m2.sum(), rel=0.03)
    for text in ("no DNI in the file", "no humidity in the file: 50%", "no pressure in the file: that of 1260 m"):
        assert text in found.year.provenance.origin
    assert found.year.pressure_pa[0] == pytest.approx(101325 * np.exp(-1260 / 8434))
    alone = replace(reading, columns={"ghi_w_per_m2": reading.columns["ghi_w_per_m2"]})
    erbs = import_year(alone, PLACE, STRICT)
    assert "DHI by Erbs 1982" in erbs.year.provenance.origin
    assert erbs.year.dni_w_per_m2.sum() == pytest.approx(TRUTH.dni_w_per_m2.sum(), rel=0.2)
    dew = replace(reading, columns={**reading.columns, "dew_c": reading.columns["temp_c"]})
    dew.columns.pop("humidity_frac")  # type: ignore[attr-defined]
    assert import_year(dew, PLACE, STRICT).year.humidity_frac == pytest.approx(1.0)


def test_a_far_place_is_said() -> None:
    wish = replace(STRICT, of_site_deg=(PLACE.latitude_deg + 1, PLACE.longitude_deg))
    assert import_year(series(), PLACE, wish).warnings == (
        "The weather's place lies 111 km from where the site has ouarzazate.",
    )
    assert not import_year(series(), PLACE, replace(STRICT, of_site_deg=(31.0, -6.9))).warnings


def test_steps_that_do_not_divide_the_hour_are_refused() -> None:
    reading = series()
    three = only(reading, np.arange(8760) % 3 == 0)
    assert "180 minutes apart" in refused(replace(three, stamps=replace(three.stamps, step_s=10800)))


def test_hours_in_words() -> None:
    mask = np.zeros(8760, dtype=bool)
    mask[[0, 5, 6, 8759]] = True
    assert hours_text(mask) == (
        "1 Jan 00:00 to 1 Jan 00:00 UTC (1 h), 1 Jan 05:00 to 1 Jan 06:00 UTC (2 h), "
        "31 Dec 23:00 to 31 Dec 23:00 UTC (1 h)"
    )


def test_a_logger_with_every_form_gives_one_year() -> None:
    """The same sky through all writers: the same hours, within what each form rounds."""
    rows = list(forms.sky(datetime(2021, 1, 1, tzinfo=UTC), 8760))
    place = Place("test", 34.5, -5.0, 300.0)
    utc = [import_year(read(text), place, replace(STRICT, accept=True)).year.ghi_w_per_m2
           for text in (forms.pvgis_tmy_json(rows), forms.pvgis_tmy_csv(rows), forms.ninja(rows))]  # fmt: skip
    local = [import_year(read(text), place, replace(STRICT, accept=True)).year.ghi_w_per_m2
             for text in (forms.epw(rows), forms.sam_csv(rows), forms.tmy3(rows))]  # fmt: skip
    for other in utc[1:]:
        assert np.allclose(utc[0], other)
    for other in local:
        assert np.allclose(np.roll(utc[0], -1), other)  # their clock is UTC+1


@pytest.mark.skipif(not TETOUAN.is_file(), reason="the real Tetouan year is not on this machine")
def test_the_real_tetouan_year() -> None:
    words = ("ghi_w_per_m2=general diffuse flows", "dhi_w_per_m2=diffuse flows", "temp_c=Temperature")
    how = Mapped(dict(map(mapped_column, (*words, "humidity_frac=Humidity:%"))), "Date", "+01:00")
    reading, place = read(TETOUAN.read_text(), how=how), Place("tetouan", 35.57, -5.37, 90)
    assert "31 Dec" in refused(reading, replace(STRICT, accept=True)) and len(reading.lines) == 52416
    found = import_year(reading, place, replace(FILL, accept=True))
    assert found.filled_hours == dict.fromkeys(("ghi_w_per_m2", "dhi_w_per_m2", "temp_c", "humidity_frac"), 24)
    assert found.year.ghi_w_per_m2.sum() / 1000 == pytest.approx(1599, abs=2)
    assert found.year.temp_c.mean() == pytest.approx(18.8, abs=0.1)
    wrong = read(TETOUAN.read_text(), how=replace(how, timezone="UTC"))
    assert "53 minutes late: stamps look like UTC+1" in refused(wrong, FILL, place)


@pytest.mark.skipif(not DAGGETT.is_file(), reason="the real Daggett year is not here")
def test_the_real_daggett_year_needs_no_repair() -> None:
    reading = read(DAGGETT.read_text())
    found = import_year(reading, Place("daggett", 34.85, -116.78, 561), STRICT)
    assert found.n_filled == 0 and not found.warnings
    assert found.year.dni_w_per_m2.sum() / 1000 == pytest.approx(2798.6, abs=0.1)
    assert "humidity from the dew point" in found.year.provenance.origin
