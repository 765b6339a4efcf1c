"""What-if answers at once: quantities of years solved beforehand on a lattice, and what lies between its points.

A point is a scenario and a value on each axis (`AXES`, the last three being additions to the site's plants). Quantities
are sums of the year; shares are made from them. Between the points each axis in turn is led by a monotone cubic
(Fritsch and Carlson 1980, doi:10.1137/0717021; slopes by Fritsch and Butland 1984), the last axis first: nothing falls
where its neighbours rise. Plain Python: the pages read it without arrays, and the island in the browser does the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from eureka_park.foundation.errors import BadInput

HOURS: Final = 8760.0
AXES: Final = ("load_mw", "flex_frac", "wind_mw", "pv_mw", "battery_mw")
QUANTITIES: Final = (
    "not_clean_gwh", "import_gwh", "export_gwh", "curtailed_gwh", "fully_clean_h", "carbon_t", "cost_mmad",
    "import_peak_mw",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lattice:
    """Values of each axis, and each quantity by scenario in the order of the axes, the last axis running fastest."""

    axes: Mapping[str, tuple[float, ...]]
    values: Mapping[str, Mapping[str, tuple[float, ...]]]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Lattice:
        """Read the `axes` and `values` of a lattice file. Raises BadInput where they do not fit each other."""
        axes = {name: tuple(map(float, value["axes"][name])) for name in AXES}
        n_points = prod(len(axis) for axis in axes.values())
        values = {
            scenario: {name: tuple(map(float, quantities[name])) for name in QUANTITIES}
            for scenario, quantities in value["values"].items()
        }
        sizes = {len(series) for quantities in values.values() for series in quantities.values()}
        if sizes != {n_points} or any(sorted(set(axis)) != list(axis) for axis in axes.values()):
            raise BadInput("The lattice is damaged.", fix="Make it anew: python -m eureka_park.energy.make_lattice")
        return cls(axes, values)

    def at(self, scenario: str, point: Mapping[str, float]) -> dict[str, float]:
        """The quantities at a point; outside an axis its end counts. Raises BadInput for an unknown scenario."""
        if scenario not in self.values:
            raise BadInput(
                f"There is no scenario '{scenario}'.", fix=f"Scenarios: {', '.join(self.values)}.", field="scenario"
            )
        values = {name: list(self.values[scenario][name]) for name in QUANTITIES}
        for axis in reversed(AXES):
            marks = self.axes[axis]
            weights = weights_at(marks, float(point.get(axis, 0.0)))
            values = {name: _led(series, marks, weights) for name, series in values.items()}
        return {name: series[0] for name, series in values.items()}

    def figures(self, scenario: str, point: Mapping[str, float]) -> dict[str, float]:
        """Shares and figures of a kWh at a point, with its quantities."""
        return figures_of(self.at(scenario, point), float(point["load_mw"]))


def figures_of(quantities: Mapping[str, float], load_mw: float) -> dict[str, float]:
    """What people ask for: `cfe_frac`, `hours_fully_clean_frac`, `gco2_per_kwh`, `mad_per_kwh` and the GWh."""
    load_gwh = load_mw * HOURS / 1000.0
    share = 1.0 - quantities["not_clean_gwh"] / load_gwh if load_gwh > 0 else 1.0
    return {
        "load_gwh": load_gwh,
        "cfe_frac": min(1.0, max(0.0, share)),
        "hours_fully_clean_frac": min(1.0, max(0.0, quantities["fully_clean_h"] / HOURS)),
        "import_gwh": quantities["import_gwh"],
        "export_gwh": quantities["export_gwh"],
        "curtailed_gwh": quantities["curtailed_gwh"],
        "import_peak_mw": quantities["import_peak_mw"],
        "gco2_per_kwh": quantities["carbon_t"] / load_gwh if load_gwh > 0 else 0.0,
        "mad_per_kwh": quantities["cost_mmad"] / load_gwh if load_gwh > 0 else 0.0,
    }


def quantities_of(year: Mapping[str, Any]) -> dict[str, float]:
    """The quantities of an exact year (`YearResult.to_json`)."""
    load = year["load_gwh"]
    return {
        "not_clean_gwh": load * (1.0 - year["cfe_frac"]),
        "import_gwh": year["import_gwh"],
        "export_gwh": year["export_gwh"],
        "curtailed_gwh": year["curtailed_gwh"],
        "fully_clean_h": year["hours_fully_clean_frac"] * HOURS,
        "carbon_t": year["gco2_per_kwh"] * load,
        "cost_mmad": year["mad_per_kwh"] * load,
        "import_peak_mw": year["import_peak_mw"],
    }


@dataclass(frozen=True, slots=True)
class Between:
    """Where a value lies on an axis: the index of the mark before it, and its share of the way to the next."""

    index: int
    part: float


def weights_at(marks: Sequence[float], value: float) -> Between:
    """The place of a value among rising marks; outside them it is moved to the nearest end."""
    if value <= marks[0] or len(marks) == 1:
        return Between(0, 0.0)
    if value >= marks[-1]:
        return Between(len(marks) - 2, 1.0)
    index = next(at for at, mark in enumerate(marks) if mark > value) - 1
    return Between(index, (value - marks[index]) / (marks[index + 1] - marks[index]))


def monotone(marks: Sequence[float], values: Sequence[float], at: Between) -> float:
    """The monotone cubic through some values at a place; straight between two."""
    if len(marks) == 1:
        return values[0]
    width, part = marks[at.index + 1] - marks[at.index], at.part
    low, high = values[at.index], values[at.index + 1]
    first, second = _slope(marks, values, at.index), _slope(marks, values, at.index + 1)
    back = 1.0 - part
    return (
        (1.0 + 2.0 * part) * back**2 * low
        + part**2 * (3.0 - 2.0 * part) * high
        + width * part * back * (back * first - part * second)
    )


def _led(series: list[float], marks: Sequence[float], at: Between) -> list[float]:
    """The last axis of a flat list taken out."""
    n = len(marks)
    return [monotone(marks, series[start : start + n], at) for start in range(0, len(series), n)]


def _slope(marks: Sequence[float], values: Sequence[float], at: int) -> float:
    """The slope at a mark: 0 at a turn, else the harmonic mean of the slopes beside it; at an end from three marks."""
    last = len(marks) - 1
    if last == 1:
        return (values[1] - values[0]) / (marks[1] - marks[0])
    if at in (0, last):
        here, beside = (0, 1) if at == 0 else (last - 1, last - 2)
        near, far = marks[here + 1] - marks[here], marks[beside + 1] - marks[beside]
        one, two = (values[here + 1] - values[here]) / near, (values[beside + 1] - values[beside]) / far
        slope = ((2.0 * near + far) * one - near * two) / (near + far)
        if slope * one <= 0:
            return 0.0
        return 3.0 * one if one * two < 0 and abs(slope) > 3.0 * abs(one) else slope
    before, after = marks[at] - marks[at - 1], marks[at + 1] - marks[at]
    one, two = (values[at] - values[at - 1]) / before, (values[at + 1] - values[at]) / after
    if one * two <= 0:
        return 0.0
    heavy, light = 2.0 * after + before, after + 2.0 * before
    return (heavy + light) / (heavy / one + light / two)
