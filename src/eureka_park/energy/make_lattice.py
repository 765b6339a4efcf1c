"""Makes the lattice of what-if answers, and says how far reading between its points is from exact years.

    python -m eureka_park.energy.make_lattice [--out FILE] [--points N] [--workers N]

It solves the years of the axes below for every scenario, each from where the last one stood: without flexible load hour
by hour, with it in steps of two hours, where the load's own freedom hides them. Then it solves exact years at random
points between, N for each scenario, and writes the errors it found into the file. About ten minutes on two idle cores;
to be run again when models or the site change (`tests/contract/test_lattice.py` tells).
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park import __version__
from eureka_park.energy.core.candidates import candidates_of, outputs_of, site_with
from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.dispatch import Dispatch, Dispatcher
from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem
from eureka_park.energy.core.flows import flows_of
from eureka_park.energy.core.footprint import price_mad_per_mwh
from eureka_park.energy.core.lattice import AXES, QUANTITIES, Lattice, figures_of
from eureka_park.energy.core.new_supply import BATTERY_H
from eureka_park.energy.core.scenarios import SCENARIOS
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, delivered_frac, supply_of
from eureka_park.energy.core.tariff import plant_transport_mad_per_mwh
from eureka_park.energy.core.year import CLEAN_HOUR_FRAC, year_problem
from eureka_park.energy.crew import run_all
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site, site_from_json, site_to_json
from eureka_park.foundation.site_reading import load_site

FORM: Final = 1
SITE: Final = "eureka-park"
SEED: Final = 1
POINTS: Final[dict[str, tuple[float, ...]]] = {
    "load_mw": (25.0, 100.0, 175.0, 250.0, 320.0, 386.0),
    "flex_frac": (0.0, 0.4),
    "wind_mw": (0.0, 200.0, 600.0),
    "pv_mw": (0.0, 300.0, 900.0),
    "battery_mw": (0.0, 300.0),
}
STEP_H: Final = 2  # of years with flexible load
NEW_WIND, NEW_PV, NEW_BATTERY = "new-wind", "new-pv", "new-battery"
DEFAULT_OUT: Final = Path(__file__).parent / "data" / "lattice.json"
DIGITS: Final = 6
LEFT_OUT_FRAC: Final = 0.4
ERRORS: Final = ("cfe_frac", "import_gwh", "gco2_per_kwh", "mad_per_kwh")


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """A year without additions, and what a MW of new wind and PV gives in each hour (MW at the site meter)."""

    supply: Supply
    wind_pu: Floats
    pv_pu: Floats


class Points:
    """Years of one scenario, solved one after the other, each from where the last one stood."""

    def __init__(self, ground: Ground, step_h: int, flex_frac: float) -> None:
        load = np.full(ground.wind_pu.size, POINTS["load_mw"][-1])
        problem = year_problem(ground.supply, load, flex_frac=flex_frac, batteries={NEW_BATTERY: Battery(1.0, 1.0)})
        self._ground, self._step_h = ground, step_h
        self._base = _coarse(problem, step_h)
        self._wind, self._pv = _mean(ground.wind_pu, step_h), _mean(ground.pv_pu, step_h)
        self._kept = Dispatcher(self._base)

    def at(self, load_mw: float, wind_mw: float, pv_mw: float, battery_mw: float) -> dict[str, float]:
        """The quantities of a year under a constant load with these additions."""
        new = {NEW_WIND: wind_mw * self._wind, NEW_PV: pv_mw * self._pv}
        content = BATTERY_H * battery_mw / self._step_h
        kept, handles = self._kept, self._kept.handles
        kept.problem = replace(
            self._base, direct_mw={**self._base.direct_mw, **new}, batteries={NEW_BATTERY: Battery(battery_mw, content)}
        )
        direct = kept.problem.direct_sum_mw
        kept.set_load(np.full(self._base.n_hours, load_mw))
        if handles.load is not None:
            kept.solver.set_rows(handles.balance, -direct, -direct)
        kept.solver.set_columns(handles.curtailed, 0.0, direct)
        battery = handles.batteries[NEW_BATTERY]
        for block, most in ((battery.level, content), (battery.charge, battery_mw), (battery.discharge, battery_mw)):
            kept.solver.set_columns(block, 0.0, most)
        return quantities_of(self._ground.supply, kept.problem, kept.solve(), float(self._step_h))


def quantities_of(supply: Supply, problem: DispatchProblem, answer: Dispatch, step_h: float) -> dict[str, float]:
    """The quantities of `core.lattice` for a year in steps of `step_h` hours, as `core.year` tells them by the hour."""
    site = supply.site
    flows = flows_of(problem, answer)
    charged, given = (
        sum(float(series.sum()) for series in part.values()) for part in (answer.charge_mw, answer.discharge_mw)
    )
    lost = max(1.0, charged / given) if given > 0 else 1.0
    carbon, price = _carbon(site), _price(site)
    transport = {plant.id: plant_transport_mad_per_mwh(site.grid, plant) for plant in site.plants}
    kg = mad = 0.0
    for name in flows.origins:
        later_mwh = step_h * float(flows.through_battery_mw.get(name, np.zeros(1)).sum())
        drawn_mwh = step_h * float(flows.to_load_mw(name).sum())
        kg += (drawn_mwh + (lost - 1.0) * later_mwh) * carbon[name]
        if name != GRID_SOURCE_ID:
            mad += drawn_mwh * (price.get(name, 0.0) + transport.get(name, 0.0))
    bought_price = problem.import_cost_mad_per_mwh - site.policy.carbon_weight_mad_per_kg * site.grid.gco2_per_kwh
    not_clean = answer.import_mw + answer.unserved_mw
    gwh = step_h / 1000.0
    return {
        "not_clean_gwh": gwh * float(not_clean.sum()),
        "import_gwh": gwh * float(answer.import_mw.sum()),
        "export_gwh": gwh * float(answer.export_mw.sum()),
        "curtailed_gwh": gwh * float(answer.curtailed_mw.sum()),
        "fully_clean_h": step_h * float((not_clean <= CLEAN_HOUR_FRAC * answer.load_mw).sum()),
        "carbon_t": kg / 1000.0,
        "cost_mmad": (mad + step_h * float((answer.import_mw * bought_price).sum())) / 1e6,
        "import_peak_mw": float(answer.import_mw.max(initial=0.0)),
    }


def _carbon(site: Site) -> dict[str, float]:
    """Carbon by origin, g/kWh; new plants have that of their kind."""
    new = {NEW_WIND: "wind", NEW_PV: "pv"}
    by_kind = {str(plant.type): plant.life_cycle_gco2_per_kwh for plant in site.plants}
    return {**site.gco2_per_kwh_by_source, **{name: by_kind[kind] for name, kind in new.items()}}


def _price(site: Site) -> dict[str, float]:
    """Price of a MWh at the site meter, by plant; new plants are told as additions."""
    return {plant.id: (price_mad_per_mwh(plant) or 0.0) / delivered_frac(site, plant) for plant in site.plants}


def ground_of(site: Site, seed: int, scenario: str) -> Ground:
    """The site's year under a scenario, and new wind and PV at the first places that can have them."""
    supply = supply_of(site, seed, scenario)
    costs = Costs.of_table()
    found = candidates_of(site, supply, costs)
    outputs = outputs_of(found, supply_of(site_with(site, found), seed, scenario)).per_unit
    first = {kind: next(item.plant.id for item in found if item.plant.type == kind) for kind in ("wind", "pv")}
    return Ground(supply, outputs[first["wind"]], outputs[first["pv"]])


def chunk(request: Mapping[str, Any]) -> list[dict[str, float]]:
    """One scenario, flexible share and battery: the quantities over load, wind and PV, PV running fastest."""
    ground = ground_of(site_from_json(request["site"]), int(request["seed"]), str(request["scenario"]))
    flex_frac = float(request["flex_frac"])
    points = Points(ground, STEP_H if flex_frac > 0 else 1, flex_frac)
    found: dict[tuple[float, ...], dict[str, float]] = {}
    for wind, pv, load in _snake([POINTS["wind_mw"], POINTS["pv_mw"], POINTS["load_mw"]]):
        found[load, wind, pv] = points.at(load, wind, pv, float(request["battery_mw"]))
    return [found[key] for key in itertools.product(POINTS["load_mw"], POINTS["wind_mw"], POINTS["pv_mw"])]


def exact(request: Mapping[str, Any]) -> list[dict[str, float]]:
    """The quantities of exact years, hour by hour, at some points of one scenario (in the order of the axes)."""
    ground = ground_of(site_from_json(request["site"]), int(request["seed"]), str(request["scenario"]))
    return [Points(ground, 1, flex).at(load, wind, pv, power) for load, flex, wind, pv, power in request["points"]]


def made(n_points: int, n_workers: int | None) -> dict[str, Any]:
    """The whole file as a plain value."""
    site = load_site(SITE)
    scenarios = [scenario.name for scenario in SCENARIOS]
    base = {"task": "lattice", "site": site_to_json(site), "seed": SEED}
    requests = [
        {**base, "scenario": name, "flex_frac": flex, "battery_mw": battery}
        for name in scenarios
        for flex in POINTS["flex_frac"]
        for battery in POINTS["battery_mw"]
    ]
    value = {**_head(site), "values": _quantities(scenarios, run_all(requests, n_workers, _progress))}
    return {**value, "error": _errors(Lattice.from_json(value), site, n_points, n_workers)}


def _errors(lattice: Lattice, site: Site, n_points: int, n_workers: int | None) -> dict[str, float]:
    """Of each figure, how far it is from exact years at random points: the middle, 19 of 20, the farthest."""
    base: dict[str, Any] = {"task": "lattice-check", "site": site_to_json(site), "seed": SEED}
    asked: list[dict[str, Any]] = [
        {**base, "scenario": name, "points": [point]}
        for name in lattice.values
        for point in random_points(name, n_points)
    ]
    answers = run_all(asked, n_workers, _progress)
    rows = [
        _misses(lattice, str(request["scenario"]), request["points"][0], answer[0])
        for request, answer in zip(asked, answers, strict=True)
    ]
    error: dict[str, float] = {"n_points": len(rows)}
    for name in ERRORS:
        misses = [abs(row[name]) for row in rows]
        for word, percent in (("p50", 50), ("p95", 95), ("max", 100)):
            error[f"{name}_{word}"] = float(f"{np.percentile(misses, percent):.3g}")
    return error


def _misses(lattice: Lattice, scenario: str, point: Sequence[float], exactly: Mapping[str, float]) -> dict[str, float]:
    """Told less exact, for each figure."""
    named = dict(zip(AXES, point, strict=True))
    told, true = lattice.figures(scenario, named), figures_of(exactly, named["load_mw"])
    return {name: told[name] - true[name] for name in ERRORS}


def _head(site: Site) -> dict[str, Any]:
    supply = supply_of(site, SEED)
    return {
        "form": FORM,
        "site": site.name,
        "version": __version__,
        "seed": SEED,
        "weather": supply.weather_label,
        "weather_content_ids": {place: year.provenance.content_id for place, year in supply.weather.items()},
        "axes": {name: list(marks) for name, marks in POINTS.items()},
        "battery_h": BATTERY_H,
    }


def _quantities(scenarios: Sequence[str], parts: Sequence[Any]) -> dict[str, dict[str, list[float]]]:
    """Parts (scenario, flex, battery; each over load, wind, PV) as flat lists in the order of the axes."""
    sizes = {name: len(POINTS[name]) for name in AXES}
    shape = (len(scenarios), *(sizes[name] for name in ("flex_frac", "battery_mw", "load_mw", "wind_mw", "pv_mw")))
    told: dict[str, dict[str, list[float]]] = {scenario: {} for scenario in scenarios}
    for name in QUANTITIES:
        values = np.asarray([[point[name] for point in part] for part in parts], dtype=np.float64)
        ordered = values.reshape(shape).transpose(0, 3, 1, 4, 5, 2)
        for scenario, series in zip(scenarios, ordered, strict=True):
            told[scenario][name] = [_short(value) for value in series.ravel().tolist()]
    return told


def _short(value: float) -> float:
    """Six digits, and none behind the second of the point: the file is small, the error elsewhere."""
    kept = round(float(f"{value:.{DIGITS}g}"), 2)
    return int(kept) if kept == int(kept) else kept


def _snake(axes: Sequence[Sequence[float]]) -> Iterator[tuple[float, ...]]:
    """All combinations, each one step from the one before it: the last axis goes to and fro."""
    if not axes:
        yield ()
        return
    for number, rest in enumerate(_snake(axes[:-1])):
        yield from ((*rest, value) for value in (axes[-1] if number % 2 == 0 else reversed(axes[-1])))


def _coarse(problem: DispatchProblem, step_h: int) -> DispatchProblem:
    """The same year in longer steps: powers are means, contents count in steps."""
    if step_h == 1:
        return problem
    salt = {
        name: replace(
            plant,
            heat_mw_th=_mean(plant.heat_mw_th, step_h),
            tes_mwh_th_max=plant.tes_mwh_th_max / step_h,
            loss_frac=1.0 - (1.0 - plant.loss_frac) ** step_h,
        )
        for name, plant in problem.salt.items()
    }
    return replace(
        problem,
        load_mw=_mean(problem.load_mw, step_h),
        salt=salt,
        direct_mw={name: _mean(series, step_h) for name, series in problem.direct_mw.items()},
        import_cost_mad_per_mwh=_mean(problem.import_cost_mad_per_mwh, step_h),
        surplus_mad_per_mwh=_mean(problem.surplus_mad_per_mwh, step_h),
        day_of_hour=problem.days[step_h // 2 :: step_h],
    )


def _mean(series: Floats, step_h: int) -> Floats:
    return np.asarray(series.reshape(-1, step_h).mean(axis=1))


def random_points(scenario: str, n_points: int) -> list[list[float]]:
    """Points between those of the lattice, drawn evenly; every other coordinate beside the load is often left at 0."""
    draw = SeedTree(SEED).child("lattice").child(scenario).generator()
    low, high = (np.array([POINTS[name][end] for name in AXES]) for end in (0, -1))
    found = []
    for _ in range(n_points):
        point = low + draw.random(len(AXES)) * (high - low)
        is_left_out = np.append(False, draw.random(len(AXES) - 1) < LEFT_OUT_FRAC)
        found.append([0.0 if out else float(value) for out, value in zip(is_left_out, point, strict=True)])
    return found


def _progress(done: int, of: int) -> None:
    sys.stderr.write(f"\r{done} of {of} ")
    sys.stderr.flush()


def main(words: Sequence[str] | None = None) -> int:
    """The command line above."""
    parser = argparse.ArgumentParser(prog="python -m eureka_park.energy.make_lattice")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args(words)
    value = made(asked.points, asked.workers)
    asked.out.write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n", "utf-8")
    sys.stderr.write(f"\n{asked.out}: {json.dumps(value['error'])}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
