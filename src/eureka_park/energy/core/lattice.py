"""What-if answers at once: figures of years solved beforehand on a lattice, and what lies between them.

The lattice is `energy/data/lattice.json`, made by `python -m eureka_park.energy.lattice make`. Its axes, in this order:
`load_mw, flex_frac, wind_mw, pv_mw, battery_mwh` (the last three are additions to the site's plants). `quantities`
holds, by scenario, one flat list of whole numbers for each quantity, the last axis running fastest; times `scale` they
are

    import_gwh    energy bought (or missing) in the year
    carbon_kt     carbon of the load, thousand t
    rest_mmad     cost of the load's energy without the additions, million MAD

Between the points each axis in turn is interpolated by a monotone cubic (Fritsch and Carlson 1980,
doi:10.1137/0717021), the last axis first: nothing falls where its neighbours rise. Plain arithmetic, so that a page can
do the same. `error` tells how far such answers were from exact years at random points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
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
        corners = [_between(self.axes[name], float(point.get(name, 0.0))) for name in AXES]
        found = dict.fromkeys(QUANTITIES, 0.0)
        for corner in product(*corners):
            index, weight = 0, 1.0
            for (at, share), name in zip(corner, AXES, strict=True):
                index, weight = index * len(self.axes[name]) + at, weight * share
            if weight > 0:
                for name in QUANTITIES:
                    found[name] += weight * self.values[scenario][name][index]
        return found

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


def _between(axis: Sequence[float], value: float) -> list[tuple[int, float]]:
    """The points of an axis around a value, with their shares."""
    if value <= axis[0] or len(axis) == 1:
        return [(0, 1.0)]
    if value >= axis[-1]:
        return [(len(axis) - 1, 1.0)]
    above = next(index for index, mark in enumerate(axis) if mark > value)
    part = (value - axis[above - 1]) / (axis[above] - axis[above - 1])
    return [(above - 1, 1.0 - part), (above, part)]
