"""A year operated without knowing it: plans of two days, made anew again and again, each carried out for some hours.

A plan is the same linear program as the year's. With a perfect forecast inside its window the plan is what happens;
with a real one, what happens is settled against the truth: each plant draws the heat that was planned, as far as its
tank has it; where sun and wind give more than was planned, salt is kept back before anything is thrown away; what is
then missing is bought, up to the tie's limit, and what is over is sold or curtailed. The hour that begins is planned
with the forecast of that hour, which is nearly the truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, DispatchProblem, dispatch
from eureka_park.energy.core.forecast import SupplyForecast
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, half_tanks, problem_from
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import HOUR_S

WINDOW_H: Final = 48
STEP_H: Final = 24
PERFECT: Final = "perfect inside the window"


@dataclass(frozen=True, slots=True, eq=False)
class RolledYear:
    """What happened, hour by hour; MW at the site meter, MWh of heat in the tanks at each hour's end."""

    load_mw: Floats
    import_mw: Floats
    export_mw: Floats
    unserved_mw: Floats
    curtailed_mw: Floats
    power_mw: Mapping[str, Floats]
    spill_mw_th: Mapping[str, Floats]
    tes_mwh_th: Mapping[str, Floats]
    forecast: str
    n_plans: int

    @property
    def cfe_frac(self) -> float:
        """Share of the load that clean power served in its own hour."""
        load_mwh = float(self.load_mw.sum())
        return 1.0 - float(self.import_mw.sum() + self.unserved_mw.sum()) / load_mwh if load_mwh > 0 else 1.0

    @property
    def residual_mw(self) -> Floats:
        """What the balance of each hour lacks; 0 but for rounding."""
        given = sum(self.power_mw.values(), np.zeros_like(self.load_mw)) + self.import_mw + self.unserved_mw
        return given - self.load_mw - self.export_mw


@dataclass(slots=True, eq=False)
class _Book:
    """The hours as they are written down."""

    n_hours: int
    series: dict[str, Floats] = field(default_factory=dict)

    def write(self, name: str, hour: int, value: float) -> None:
        if name not in self.series:
            self.series[name] = np.zeros(self.n_hours)
        self.series[name][hour] = value

    def named(self, prefix: str, names: Mapping[str, object]) -> dict[str, Floats]:
        return {name: self.series.get(f"{prefix}/{name}", np.zeros(self.n_hours)) for name in names}


def roll_year(
    supply: Supply,
    load_mw: Floats | float,
    forecast: SupplyForecast | None = None,
    *,
    window_h: int = WINDOW_H,
    step_h: int | None = None,
    first_hour: int = 0,
    n_hours: int = HOURS_PER_YEAR,
) -> RolledYear:
    """Operate a supply for `n_hours` of the reference year under a load (one value, or one for each of those hours).

    Without a forecast every window is known perfectly, and a plan is carried out for `step_h` = 24 hours; with one, a
    plan is made anew every hour. Tanks begin half full. Raises BadInput for batteries: they are not settled here.
    """
    if any(year.is_battery for year in supply.years.values()):
        raise BadInput("A year with batteries is not rolled here.", fix="Leave them out: --without.", field="without")
    step = step_h or (1 if forecast is not None else STEP_H)
    load = np.broadcast_to(np.asarray(load_mw, dtype=np.float64), n_hours)
    tes, book = half_tanks(supply), _Book(n_hours)
    n_plans = 0
    for begin in range(0, n_hours, step):
        hour = first_hour + begin
        known = supply if forecast is None else forecast.known_at(hour % HOURS_PER_YEAR, window_h)
        window = load[(begin + np.arange(window_h)) % n_hours]
        start_s = REFERENCE_YEAR_S + hour * HOUR_S
        plan = dispatch(problem_from(known, start_s, window, tes))
        n_plans += 1
        n_done = min(step, n_hours - begin)
        truth = problem_from(supply, start_s, window[:n_done], tes)
        for ahead in range(n_done):
            tes = _settle(truth, plan, ahead, tes, book, begin + ahead)
    series = {name: book.series.get(name, np.zeros(n_hours)) for name in ("import", "export", "unserved", "curtailed")}
    plants = {name: year for name, year in supply.years.items() if year.is_csp}
    return RolledYear(
        np.array(load), series["import"], series["export"], series["unserved"], series["curtailed"],
        book.named("power", supply.years), book.named("spill", plants), book.named("tes", plants),
        PERFECT if forecast is None else "with the errors of forecast", n_plans,
    )  # fmt: skip


def _settle(
    truth: DispatchProblem, plan: Dispatch, ahead: int, tes: Mapping[str, float], book: _Book, hour: int
) -> dict[str, float]:
    """Carry out one hour of a plan against what really comes; the salt after it."""
    load = float(truth.load_mw[ahead])
    direct = {name: float(series[ahead]) for name, series in truth.direct_mw.items()}
    there = {
        name: (1.0 - plant.loss_frac) * min(tes.get(name, 0.0), plant.tes_mwh_th_max) + float(plant.heat_mw_th[ahead])
        for name, plant in truth.salt.items()
    }
    drawn = {
        name: min(float(plan.power_mw[name][ahead]) / max(plant.per_heat, 1e-12), plant.power_block_mw_th, there[name])
        for name, plant in truth.salt.items()
    }
    over = _salted(truth, drawn) + sum(direct.values()) - load - float(plan.export_mw[ahead])
    if over > 0:  # sun and wind give more than was planned: salt is kept back
        _keep_back(truth, drawn, there, over)
    left = {}
    for name, plant in truth.salt.items():
        rest = there[name] - drawn[name]
        left[name] = min(rest, plant.tes_mwh_th_max)
        book.write(f"spill/{name}", hour, rest - left[name])
        book.write(f"tes/{name}", hour, left[name])
        book.write(f"power/{name}", hour, drawn[name] * plant.per_heat)
    _balance(truth, direct, _salted(truth, drawn), load, book, hour)
    return left


def _salted(truth: DispatchProblem, drawn: Mapping[str, float]) -> float:
    return sum(drawn[name] * plant.per_heat for name, plant in truth.salt.items())


def _keep_back(truth: DispatchProblem, drawn: dict[str, float], there: Mapping[str, float], over_mw: float) -> None:
    """Draw less by `over_mw` in all, plants with most room in the tank first, never so that a tank runs over."""
    for name in sorted(drawn, key=lambda one: there[one] - truth.salt[one].tes_mwh_th_max):
        plant = truth.salt[name]
        room = max(0.0, plant.tes_mwh_th_max - (there[name] - drawn[name]))
        less = min(drawn[name], room, over_mw / max(plant.per_heat, 1e-12))
        drawn[name] -= less
        over_mw -= less * plant.per_heat
        if over_mw <= 0:
            return


def _balance(
    truth: DispatchProblem, direct: Mapping[str, float], salted_mw: float, load: float, book: _Book, hour: int
) -> None:
    """Buy what is missing; sell what is over, and give up of PV and wind what the tie does not take."""
    lacking = load - salted_mw - sum(direct.values())
    bought = min(max(0.0, lacking), truth.import_mw_max)
    sold = min(max(0.0, -lacking), truth.export_mw_max)
    curtailed = min(max(0.0, -lacking - sold), sum(direct.values()))
    kept = 1.0 - curtailed / max(sum(direct.values()), 1e-12)
    for name, power in direct.items():
        book.write(f"power/{name}", hour, power * kept)
    book.write("import", hour, bought)
    book.write("export", hour, sold)
    book.write("curtailed", hour, curtailed)
    book.write("unserved", hour, max(0.0, lacking - bought))
