"""The study behind the verdict: three scenarios, six ways to draw power, new supply for each, one year by hours.

Everything is computed by the same code as `park energy year`, `max-load` and `size`, and every cell names the command
that computes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import numpy as np

from eureka_park import __version__
from eureka_park.energy.core.footprint import price_mad_per_mwh, water_m3_per_mwh
from eureka_park.energy.core.forecast import forecast_of
from eureka_park.energy.core.rolling import roll_year
from eureka_park.energy.core.scenarios import SCENARIOS as KNOWN_SCENARIOS
from eureka_park.energy.core.supply import delivered_frac, supply_of
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.energy.core.year import solve_year, year_result
from eureka_park.energy.studies import largest_load, run_years
from eureka_park.energy.studies_size import PARETO_SHARES
from eureka_park.energy.verdict_assumptions import Assumptions, shipped
from eureka_park.energy.verdict_schema import (
    SCENARIOS,
    SCHEMA,
    SOURCES,
    TARGETS,
    Additions,
    Cell,
    Evening,
    Hours,
    Operated,
    PlantRow,
    Point,
    Span,
    Study,
)
from eureka_park.energy.verdict_sizes import Asked, additions_from, point_from, sizes_of
from eureka_park.foundation.site_file import Site

Step = Callable[[int, int, str], None]  # done, of, what comes next
TARGET_FRAC: Final = 0.90  # of the new supply in the cells
SHARES: Final = {"cfe-99": 0.99, "cfe-90": 0.90, "cfe-75": 0.75}
_N_MARKS: Final = 101
_EVENING_H: Final = 21
_SUMMER: Final = (6, 7, 8)


def study(
    site: Site,
    seeds: Sequence[int],
    *,
    date: str,
    assumptions: Assumptions | None = None,
    n_workers: int | None = None,
    progress: Step | None = None,
) -> Study:
    """The whole study. `date` (YYYY-MM-DD) is told as its day. Raises BadInput.

    Sizes are found for the first seed and hold for it; cells are medians over all seeds.
    """
    values = (assumptions or shipped()).worked_out()
    loads = {"constant": site.site_mw_max, "fleet-low": values["fleet_mw_low"], "fleet-high": values["fleet_mw_high"]}
    steps = _Steps(progress, len(SCENARIOS) * (len(loads) + 1) + 3)
    basis = _Basis(site, tuple(seeds), n_workers)
    answers: dict[tuple[str, str], dict[str, Any]] = {}
    largest: dict[str, dict[str, Any]] = {}
    for scenario in SCENARIOS:
        for row, load_mw in loads.items():
            answers[row, scenario] = steps.next(f"{scenario}, {row}", partial(basis.year, scenario, load_mw))
        largest[scenario] = steps.next(f"{scenario}: largest loads", partial(basis.largest, scenario))
    constant = {scenario: answers["constant", scenario] for scenario in SCENARIOS}
    headline = constant["all-plants"]
    supply = steps.next("new supply", partial(_new_supply, basis, loads, steps))
    cells = list(_cells(basis, loads, answers, largest, supply.cells))
    honest_mw = float(largest["all-plants"]["loads"][list(SHARES).index("cfe-90")]["load_mw"])
    operated = [
        steps.next(f"{load_mw:.0f} MW operated day by day", partial(_operated, site, basis.seeds[0], load_mw))
        for load_mw in (loads["constant"], honest_mw)
    ]
    return {
        "schema": SCHEMA,
        "version": __version__,
        "date": date,
        "site": site.name,
        "site_title": site.title,
        "site_mw": site.site_mw_max,
        "timezone": site.timezone,
        "seeds": list(seeds),
        "weather": _weather(headline),
        "scenarios": {scenario.name: scenario.text for scenario in KNOWN_SCENARIOS},
        "cells": cells,
        "plants": list(_plants(site, constant)),
        "sizes": supply.sizes,
        "pareto": supply.points,
        "hours": _hours(site, headline["hourly"], basis.seeds[0]),
        "duration_mw": {name: _falling(answer["hourly"]) for name, answer in constant.items()},
        "evening": _evening(headline["hourly"]),
        "operated": operated,
        "inputs": _inputs(site),
        "commands": _commands(basis),
    }


class _Steps:
    """Calls one after another, telling what comes next."""

    def __init__(self, progress: Step | None, n: int) -> None:
        self._progress, self._done, self._n, self._told = progress, 0, n, ""

    def tell(self, what: str) -> None:
        """Say what is being done, once."""
        if self._progress is not None and what != self._told:
            self._progress(self._done, self._n, what)
        self._told = what

    def next(self, what: str, call: Callable[[], Any]) -> Any:
        """Tell, call, count."""
        self.tell(what)
        value = call()
        self._done += 1
        return value


class _Basis:
    """A site under seeds of weather: its years, its largest loads, its new supply, and the commands for them."""

    def __init__(self, site: Site, seeds: tuple[int, ...], n_workers: int | None) -> None:
        self.site, self.seeds, self.n_workers = site, seeds, n_workers
        first, last = min(seeds), max(seeds)
        is_range = sorted(seeds) == list(range(first, last + 1))
        self.seed_text = str(first) if first == last else f"{first}-{last}" if is_range else ",".join(map(str, seeds))

    def year(self, scenario: str, load_mw: float) -> dict[str, Any]:
        """The years of a constant load, the first by hours too."""
        return run_years(self.site, load_mw, seeds=self.seeds, scenario=scenario, hourly=True, n_workers=self.n_workers)

    def largest(self, scenario: str) -> dict[str, Any]:
        """The largest loads for all shares."""
        shares = list(SHARES.values())
        return largest_load(self.site, shares, seeds=self.seeds, scenario=scenario, n_workers=self.n_workers)

    def command(self, name: str, scenario: str, load_mw: float) -> str:
        """The command that computes a row of a scenario."""
        return f"park energy {name} --load-mw {load_mw:.6g} --scenario {scenario} --seeds {self.seed_text}"


@dataclass(frozen=True, slots=True)
class _Supply:
    """New supply for the cells, for the targets, and along the trade-off."""

    cells: dict[tuple[str, str], Additions]
    sizes: list[Additions]
    points: list[Point]


def _new_supply(basis: _Basis, loads: Mapping[str, float], steps: _Steps) -> _Supply:
    """All sizes at once, so that every core is busy; the constant load's shares follow each other in one process."""
    seed = basis.seeds[0]
    places = [(row, scenario) for scenario in SCENARIOS for row in loads]
    asked = [Asked(scenario, loads[row], (TARGET_FRAC,)) for row, scenario in places]
    whole = Asked("all-plants", loads["constant"], tuple(sorted({*TARGETS, *PARETO_SHARES})))
    *found, curve = sizes_of(
        basis.site, [*asked, whole], seed, basis.n_workers, lambda done, of: steps.tell(f"new supply: {done} of {of}")
    )
    by_share = dict(zip(whole.shares, curve, strict=True))
    return _Supply(
        {place: additions_from(sizes[0], item, seed) for place, item, sizes in zip(places, asked, found, strict=True)},
        [additions_from(by_share[share], whole, seed) for share in TARGETS],
        [point_from(by_share[share]) for share in PARETO_SHARES],
    )


def _cells(
    basis: _Basis,
    loads: Mapping[str, float],
    answers: Mapping[tuple[str, str], Mapping[str, Any]],
    largest: Mapping[str, Mapping[str, Any]],
    added: Mapping[tuple[str, str], Additions],
) -> Iterator[Cell]:
    for scenario in SCENARIOS:
        for row, load_mw in loads.items():
            command = basis.command("year", scenario, load_mw)
            yield _cell(row, scenario, answers[row, scenario], command, added[row, scenario])
        for (row, share), entry in zip(SHARES.items(), largest[scenario]["loads"], strict=True):
            command = f"park energy max-load --cfe {share:g} --scenario {scenario} --seeds {basis.seed_text}"
            yield _cell(row, scenario, entry, command, None)


def _weather(answer: Mapping[str, Any]) -> str:
    return "; ".join(sorted({f"{place['label']}, {place['origin']}" for place in answer["weather"].values()}))


def _cell(row: str, scenario: str, answer: Mapping[str, Any], command: str, added: Additions | None) -> Cell:
    return {
        "row": row,
        "scenario": scenario,
        "load_mw": _span(answer, "load_mw"),
        "cfe_frac": _span(answer, "cfe_frac"),
        "volume_frac": _span(answer, "volume_frac"),
        "import_gwh": _span(answer, "import_gwh"),
        "export_gwh": _span(answer, "export_gwh"),
        "unserved_gwh": _span(answer, "unserved_gwh"),
        "mad_per_kwh": _span(answer, "mad_per_kwh"),
        "gco2_per_kwh": _span(answer, "gco2_per_kwh"),
        "hours_clean_frac": _span(answer, "hours_fully_clean_frac"),
        "water_m3": _span(answer, "water_m3"),
        "additions": added,
        "command": command,
    }


def _span(answer: Mapping[str, Any], key: str) -> Span:
    middle = float(answer[key])
    low, high = (float(answer.get(f"{key}{ending}", middle)) for ending in ("_p10", "_p90"))
    return {"p50": middle, "p10": low, "p90": high}


# -- one year by hours ----------------------------------------------------------------------------------------------
def _clean_mw(hourly: Mapping[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    load, bought, missing = (np.asarray(hourly[f"{name}_mw"], np.float64) for name in ("load", "import", "unserved"))
    return np.maximum(0.0, load - bought - missing)


def _falling(hourly: Mapping[str, Any]) -> list[float]:
    """Clean power that serves the load, at equal steps of the year from the most to the least."""
    return [round(float(mw), 1) for mw in np.quantile(_clean_mw(hourly), np.linspace(1.0, 0.0, _N_MARKS))]


def _hours(site: Site, hourly: Mapping[str, Any], seed: int) -> Hours:
    """The year by kind of source, in whole tenths of a MW."""
    sums = {name: np.zeros(len(hourly["load_mw"])) for name in SOURCES}
    for plant in site.plants:
        kind = "csp" if plant.type.startswith("csp") else plant.type
        for column, css in ((f"{plant.id}_mw", kind), (f"{plant.id}_salt_mw", "salt")):
            if column in hourly:
                sums[css] = sums[css] + np.asarray(hourly[column])
    sums["grid"] = np.asarray(hourly["grid_mw"], dtype=np.float64)
    return {
        "start_s": int(datetime.fromisoformat(hourly["time_utc"][0]).timestamp()),
        "seed": seed,
        "load_mw": float(hourly["load_mw"][0]),
        "by_source": {name: _tenths(series) for name, series in sums.items()},
        "export": _tenths(np.asarray(hourly["export_mw"])),
    }


def _operated(site: Site, seed: int, load_mw: float) -> Operated:
    """One year operated: known as a whole, two days ahead, and by forecasts with errors."""
    supply = supply_of(site, seed)
    bound = year_result(solve_year(supply, np.full(HOURS_PER_YEAR, load_mw)))
    return {
        "load_mw": load_mw,
        "bound_frac": round(bound.cfe_frac, 4),
        "perfect_frac": round(roll_year(supply, load_mw).cfe_frac, 4),
        "forecast_frac": round(roll_year(supply, load_mw, forecast_of(supply, seed)).cfe_frac, 4),
    }


def _tenths(series: Any) -> list[int]:
    return [int(value) for value in np.rint(10.0 * np.maximum(0.0, series))]


def _evening(hourly: Mapping[str, Any]) -> Evening:
    """What happens at the hour of the country's peak in summer."""
    local = [datetime.fromisoformat(text) for text in hourly["time_local"]]
    at = np.array([time.hour == _EVENING_H and time.month in _SUMMER for time in local])
    bought = np.asarray(hourly["import_mw"])[at]
    return {
        "import_mw_mean": round(float(bought.mean()), 1),
        "import_mw_max": round(float(bought.max()), 1),
        "clean_mw_mean": round(float(_clean_mw(hourly)[at].mean()), 1),
    }


# -- what it rests on -------------------------------------------------------------------------------------------------
def _plants(site: Site, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[PlantRow]:
    headline = answers["all-plants"]
    for plant in site.plants:
        told = headline["plants"][plant.id]
        given_gwh = sum(headline[name].get(plant.id, 0.0) for name in ("gwh_by_source", "export_gwh_by_source"))
        yield {
            "id": plant.id,
            "title": plant.title or plant.id,
            "kind": plant.type,
            "gross_mw": plant.gross_mw,
            "raw_gwh": told["raw_gwh"],
            "calibration_factor": told["calibration_factor"],
            "calibrated_gwh": told["calibrated_gwh"],
            "price_mad_per_mwh": price_mad_per_mwh(plant) or 0.0,
            "water_m3": round(1000.0 * given_gwh / delivered_frac(site, plant) * water_m3_per_mwh(plant)),
            "availability_frac": {
                name: float(answer["plants"].get(plant.id, {}).get("availability_frac", 1.0))
                for name, answer in answers.items()
            },
            "source": plant.source,
        }


def _inputs(site: Site) -> dict[str, str]:
    grid = site.grid
    surplus = f"{grid.surplus_peak_mad_per_mwh:g} and {grid.surplus_off_peak_mad_per_mwh:g}"
    return {
        "price_peak": f"{grid.price_peak_mad_per_mwh:g} MAD/MWh; {grid.price_source}",
        "price_full": f"{grid.price_full_mad_per_mwh:g} MAD/MWh; {grid.price_source}",
        "price_off_peak": f"{grid.price_off_peak_mad_per_mwh:g} MAD/MWh; {grid.price_source}",
        "transport": f"{grid.transport_mad_per_mwh:g} MAD/MWh; {grid.transport_source}",
        "surplus": f"{surplus} MAD/MWh; {grid.surplus_source}",
        "line_loss": f"{grid.line_loss_frac:.0%}; assumption",
        "grid_carbon": f"{grid.gco2_per_kwh:g} g/kWh; {grid.gco2_source}",
        "import_max": f"{grid.import_mw_max:g} MW; assumption: the tie carries the whole site",
    }


def _commands(basis: _Basis) -> dict[str, str]:
    load, first = f"--load-mw {basis.site.site_mw_max:g}", f"--seeds {basis.seeds[0]}"
    year = f"park energy year {load}"
    simple = "park energy report --assumptions assumptions.toml --out verdict.html"
    return {
        "table": f"park energy report --study verdict.json.gz --seeds {basis.seed_text} --out verdict.html",
        "fleet": simple,
        "money": simple,
        "country": simple,
        "assumptions": "park energy report --write-assumptions assumptions.toml",
        "hours": f"{year} {first} --hourly hours.csv",
        "week": f"{year} {first} --hourly hours.xlsx",
        "months": f"{year} {first} --json",
        "duration": f"{year} {first} --scenario noor-iii-out --hourly hours.csv",
        "pareto": f"park energy size {load} --pareto {first}",
        "water": f"{year} --seeds {basis.seed_text} --json",
        "plants": f"{year} --scenario historical-availability --seeds {basis.seed_text} --json",
    }
