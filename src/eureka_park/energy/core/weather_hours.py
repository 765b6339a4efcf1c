"""From rows with stamps to the 8,760 UTC hours of a year: clocks, leap days, finer steps, rows that come twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.readers.reading import POSSIBLE, Reading, Seconds, Stamps, fail
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S, hour_of_year
from eureka_park.foundation.zones import ZoneInfo

Mask = npt.NDArray[np.bool_]
YEAR_S: Final = HOURS_PER_YEAR * 3600
OFFSET_H_MAX: Final = 14.0
HALF: Final = 0.5  # an hour with at least this share of its samples can stand on them
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 (wall clocks have no zone)
_RUNS_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, eq=False)
class Hours:
    """Hourly means by column, NaN where nothing holds; `covered_frac` says how much of each hour the rows hold."""

    columns: Mapping[str, Floats]
    covered_frac: Mapping[str, Floats]
    n_leap_rows: int
    n_doubled_rows: int
    notes: tuple[str, ...] = ()


def one_year(reading: Reading, year: int | None) -> Reading:
    """The rows of one calendar year. Raises BadInput where a file has several and none is named."""
    if reading.stamps.is_typical:
        return reading
    years = reading.stamps.starts_s.astype("datetime64[s]").astype("datetime64[Y]").astype("int64") + 1970
    found, counts = np.unique(years, return_counts=True)
    n_year = YEAR_S // reading.stamps.step_s
    if year is None:
        if counts.sum() <= 1.02 * n_year or (counts >= HALF * n_year).sum() < 2:
            return reading
        fail(
            f"The file has {len(found)} years, {found[0]} to {found[-1]}.",
            f"Name one with --year, such as --year {found[np.argmax(counts)]}.",
            name="year",
        )
    chosen = years == year
    if not chosen.any():
        fail(f"The file has no rows of {year}.", f"It has {found[0]} to {found[-1]}.", name="year")
    stamps = replace(reading.stamps, wall_s=reading.stamps.wall_s[chosen])
    columns = {name: values[chosen] for name, values in reading.columns.items()}
    return replace(reading, stamps=stamps, columns=columns, lines=reading.lines[chosen])


def hours_of(reading: Reading, *, may_drop: bool) -> Hours:
    """Hourly means of a reading of at most a year.

    `may_drop`: rows of 29 February and the second of two rows with one stamp are left out; else both are refused.
    Raises BadInput, saying which rows.
    """
    stamps = reading.stamps
    if stamps.step_s > 3600 or 3600 % stamps.step_s:
        fail(
            f"The rows lie {stamps.step_s / 60:g} minutes apart.",
            "Hourly rows or finer ones that divide the hour are needed.",
        )
    if stamps.zone is None and not abs(stamps.utc_offset_h or 0.0) <= OFFSET_H_MAX:
        fail(
            f"The file says a time zone of {stamps.utc_offset_h:g} hours from UTC.",
            f"Correct it in the head of the file: a number from -{OFFSET_H_MAX:g} to {OFFSET_H_MAX:g}.",
        )
    position_s, is_leap = _positions(reading)
    if is_leap.any() and not may_drop:
        n = int(is_leap.sum())
        fail(
            f"The file has 29 February ({n:,} rows from line {reading.lines[np.argmax(is_leap)]} on): "
            f"{len(is_leap):,} rows where a year of 365 days has {YEAR_S // stamps.step_s:,}.",
            "Leave the day out with --fill.",
        )
    is_double = _doubled(position_s, is_leap, reading, may_drop)
    kept = ~is_leap & ~is_double
    columns, covered = {}, {}
    for name, values in reading.columns.items():
        columns[name], covered[name] = _binned(position_s[kept], values[kept], stamps.step_s)
    return Hours(columns, covered, int(is_leap.sum()), int(is_double.sum()))


def _binned(position_s: Seconds, values: Floats, step_s: int) -> tuple[Floats, Floats]:
    """Means over hours, each row weighing by the seconds it lies in the hour."""
    sums, seconds = np.zeros(HOURS_PER_YEAR), np.zeros(HOURS_PER_YEAR)
    good = np.isfinite(values)
    start_s, values = position_s[good], values[good]
    for part in (0, 1):
        hour = start_s // 3600 + part
        inside_s = np.minimum(start_s + step_s, (hour + 1) * 3600) - np.maximum(start_s, hour * 3600)
        weight = np.maximum(0, inside_s).astype(np.float64)
        np.add.at(sums, hour % HOURS_PER_YEAR, weight * values)
        np.add.at(seconds, hour % HOURS_PER_YEAR, weight)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = sums / seconds
    return np.where(seconds > 0, means, np.nan), seconds / 3600.0


def _positions(reading: Reading) -> tuple[Seconds, Mask]:
    """Start of each row as a second of a year of 365 days, UTC, and which rows are those of 29 February."""
    stamps = reading.stamps
    if stamps.zone is not None:
        starts_s = zone_utc_s(stamps, reading.lines) + (stamps.starts_s - stamps.wall_s)
        shift_s = 0
    else:
        starts_s, shift_s = stamps.starts_s, round(3600 * float(stamps.utc_offset_h or 0.0))
    whole = hour_of_year(starts_s.astype(np.float64)) * 3600 + starts_s % 3600
    dates = starts_s.astype("datetime64[s]").astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    is_leap = (months.astype("int64") % 12 == 1) & ((dates - months.astype("datetime64[D]")).astype("int64") == 28)
    return np.asarray((whole - shift_s) % YEAR_S, dtype=np.int64), np.asarray(is_leap)


def zone_utc_s(stamps: Stamps, lines: Seconds) -> Seconds:
    """UTC seconds of a named zone's wall clock.

    Of an hour that the clock shows twice, rows that come again are those after the change. Raises BadInput for a time
    that the clock never showed: then the stamps do not follow this clock.
    """
    zone = ZoneInfo(str(stamps.zone))
    found = np.empty(len(stamps.wall_s), dtype=np.int64)
    seen: set[int] = set()
    never: list[int] = []
    for row, wall_s in enumerate(stamps.wall_s.tolist()):
        wall = _EPOCH + timedelta(seconds=wall_s)
        first, second = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
        if first.utcoffset() == second.utcoffset():
            found[row] = wall_s - _offset_s(first)
            continue
        utc_s = wall_s - _offset_s(second if wall_s in seen else first)
        if datetime.fromtimestamp(utc_s, UTC).astimezone(zone).replace(tzinfo=None) != wall:
            never.append(row)
        seen.add(wall_s)
        found[row] = utc_s
    if never:
        wall = _EPOCH + timedelta(seconds=int(stamps.wall_s[never[0]]))
        fail(
            f"Line {lines[never[0]]}: {wall:%Y-%m-%d %H:%M} never was in {stamps.zone} ({len(never)} such rows): "
            "its clock was set forward then.",
            "The stamps seem to keep one clock all year: say it as an offset, such as --timezone +01:00.",
            name="timezone",
        )
    return found


def _offset_s(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _doubled(position_s: Seconds, is_leap: Mask, reading: Reading, may_drop: bool) -> Mask:
    """Rows whose interval an earlier row has already."""
    order = np.argsort(position_s, kind="stable")
    ordered = order[~is_leap[order]]
    again = np.zeros(len(position_s), dtype=np.bool_)
    again[ordered[1:][np.diff(position_s[ordered]) == 0]] = True
    if again.any() and not may_drop:
        row = int(np.argmax(again))
        first = int(np.argmax((position_s == position_s[row]) & ~is_leap))
        wall = _EPOCH + timedelta(seconds=int(reading.stamps.wall_s[row]))
        fail(
            f"{int(again.sum()):,} rows have a time that came before; the first: line {reading.lines[row]} "
            f"({wall:%Y-%m-%d %H:%M}) repeats line {reading.lines[first]}.",
            "If a clock was set back then, name its zone with --timezone; else leave them out with --fill.",
        )
    return again


def refuse_impossible(columns: Mapping[str, Floats], fix: str) -> None:
    """Refuse values that no hour on Earth reaches, since a model would answer nonsense. Raises BadInput."""
    for name, (low, high) in POSSIBLE.items():
        is_wrong = ~((low <= columns[name]) & (columns[name] <= high))
        if is_wrong.any():
            first = columns[name][int(np.argmax(is_wrong))]
            fail(
                f"{name}: {int(is_wrong.sum()):,} hours are outside {low:g} to {high:g}, the first {first:.4g}: "
                f"{hours_text(is_wrong)}.",
                fix,
                name=name,
            )


def runs_of(is_missing: Mask) -> list[tuple[int, int]]:
    """Runs of true values as (first, one past the last), in order; none goes over the year's end."""
    edges = np.diff(np.concatenate([[0], is_missing.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def hours_text(is_missing: Mask) -> str:
    """Which hours: `31 Dec 00:00 to 31 Dec 23:00 UTC (24 h)`, the first three runs and how many more."""
    runs = runs_of(is_missing)
    told = [f"{hour_text(first)} to {hour_text(last - 1)} UTC ({last - first} h)" for first, last in runs[:_RUNS_SHOWN]]
    more = f" and {len(runs) - _RUNS_SHOWN} more gaps" if len(runs) > _RUNS_SHOWN else ""
    return ", ".join(told) + more


def hour_text(hour: int) -> str:
    """An hour of the year as people write it: `3 Mar 05:00`."""
    moment = datetime.fromtimestamp(REFERENCE_YEAR_S + hour * 3600, UTC)
    return f"{moment.day} {moment:%b %H:%M}"
