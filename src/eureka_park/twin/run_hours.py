"""The hours of a kept run as pages draw them: power of the machines at the full site's scale, and jobs by hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from eureka_park.twin.run_record import Floats, RunRecord

DIGITS: Final = 1  # of MW; a park has hundreds
DAY_H: Final = 24
_JOBS: Final = ("waiting_jobs", "running_jobs", "paused_jobs")


# From the ground up: kind of source, the column of what it had, and the column that this is a part of.
_PARTS: Final = (("wind", "wind_kwh"), ("pv", "pv_kwh"), ("csp", "csp_kwh"))


@dataclass(frozen=True, slots=True, eq=False)
class RunHours:
    """Values by hour. MW of the machines: what they drew, what served that by kind of source from the ground up (`grid`
    last), clean power that found no work, and the clean power that the newest plan had expected, where it is known.
    `jobs`: counts by hour, by `waiting_jobs`, `running_jobs`, `paused_jobs`, where they are known.
    """

    start_s: float
    load_mw: Floats
    by_kind_mw: dict[str, Floats]
    unused_mw: Floats
    planned_mw: Floats | None
    jobs: dict[str, Floats]

    @property
    def n(self) -> int:
        """Hours there are."""
        return len(self.load_mw)

    def clean_fracs(self) -> list[float]:
        """Share of each hour's energy that was not bought; 1 where nothing was drawn."""
        grid = self.by_kind_mw["grid"]
        return [1.0 if load <= 0.0 else 1.0 - float(part / load) for load, part in zip(self.load_mw, grid, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """Columns in plain JSON, powers to a tenth of a MW."""
        found: dict[str, Any] = {"load_mw": _rounded(self.load_mw, DIGITS)}
        found |= {f"{kind}_mw": _rounded(series, DIGITS) for kind, series in self.by_kind_mw.items()}
        found["unused_mw"] = _rounded(self.unused_mw, DIGITS)
        if self.planned_mw is not None:
            found["planned_mw"] = _rounded(self.planned_mw, DIGITS)
        return {
            "start_s": self.start_s,
            "n_hours": self.n,
            **found,
            **{k: _rounded(v, 0) for k, v in self.jobs.items()},
        }


def hours_of(record: RunRecord) -> RunHours:
    """The hours of a run until its last day; what came later only ended what still ran."""
    figures, hours = record.figures, record.hours
    days = float(figures.get("days_played") or figures.get("days") or 0.0)
    n = min(record.n_hours, max(1, round(days * DAY_H))) if days else record.n_hours
    mw = 1e-3 / float(figures.get("factor") or 1.0)
    load, clean = _column(hours, "load_kwh", n) * mw, _column(hours, "clean_kwh", n) * mw
    by_kind, left, told = dict[str, "Floats"](), load, np.zeros(n)
    for kind, column in _PARTS:
        given = _column(hours, column, n) * mw
        by_kind[kind], told = np.minimum(left, given), told + given
        left = left - by_kind[kind]
    # What no kind accounts for came out of tanks and batteries; a record without kinds counts all as that.
    by_kind["salt"] = np.minimum(left, np.maximum(0.0, clean - told))
    by_kind["grid"] = left - by_kind["salt"]
    planned = _column(hours, "planned_clean_kwh", n) * mw if "planned_clean_kwh" in hours else None
    return RunHours(
        start_s=float(hours["hour_s"][0]) if n and "hour_s" in hours else 0.0,
        load_mw=load,
        by_kind_mw=by_kind,
        unused_mw=np.maximum(0.0, clean - (load - by_kind["grid"])),
        planned_mw=planned,
        jobs={name: _column(hours, name, n) for name in _JOBS if name in hours},
    )


def _column(hours: dict[str, Floats], name: str, n: int) -> Floats:
    """A column, nothing where it is absent or says no number."""
    return np.nan_to_num(hours[name][:n]) if name in hours else np.zeros(n)


def _rounded(values: Sequence[float] | Floats, digits: int) -> list[float] | list[int]:
    rounded = np.round(np.asarray(values, dtype=np.float64), digits) + 0.0
    return [int(value) for value in rounded] if digits == 0 else [float(value) for value in rounded]
