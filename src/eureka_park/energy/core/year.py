"""A year of a site with perfect foresight: solved as one linear program, and told in the figures that people ask for.

Three accounts are kept apart and never mixed. *Hour-matched*: the load's energy that came from the site's plants in
its own hour, salt and batteries counted where the plants filled them; it says nothing of contracts. *Contracted*: the
part of it from plants whose power is contracted to the park. *Physical grid*: what flows in the wire, whoever paid: the
grid's mix, and plants beside the site whose power is not sold to others. A fourth figure adds the grid's clean share to
the hour-matched one, as some companies count; it counts the site's plants twice where they are part of the grid's mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch, dispatch
from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem, Objective, for_a_year
from eureka_park.energy.core.flows import Flows, flows_of
from eureka_park.energy.core.footprint import (
    ALREADY_SOLD,
    FOR_THE_PARK,
    contract_of,
    price_mad_per_mwh,
    water_m3_per_mwh,
)
from eureka_park.energy.core.local_hours import LocalHours, Numbers, local_hours
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply, delivered_frac, problem_from
from eureka_park.energy.core.tariff import (
    import_cost_mad_per_mwh,
    plant_transport_mad_per_mwh,
    stands_beside,
    surplus_mad_per_mwh,
)
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR, REFERENCE_YEAR_S
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import HOUR_S, MWH_PER_GWH

CLEAN_HOUR_FRAC: Final = 0.001  # an hour of which less than this is bought or missing counts as fully clean


@dataclass(frozen=True, slots=True, eq=False)
class SolvedYear:
    """A year's problem with its dispatch and the clocks of its hours."""

    supply: Supply
    problem: DispatchProblem
    answer: Dispatch
    starts_s: Floats
    local: LocalHours

    @property
    def load_mw(self) -> Floats:
        """What the load drew, moved within the day where it is flexible; MW, what was not served included."""
        return self.answer.load_mw


@dataclass(frozen=True, slots=True)
class YearResult:
    """The figures of a year. Names and units as in docs/nomenclature.md; parts of the year sum to the whole."""

    load_gwh: float
    cfe_frac: float
    volume_frac: float
    hours_fully_clean_frac: float
    import_gwh: float
    export_gwh: float
    curtailed_gwh: float
    unserved_gwh: float
    import_peak_mw: float
    gco2_per_kwh: float
    mad_per_kwh: float
    water_m3: float
    contracted_frac: float
    physical_grid_frac: float
    with_grid_clean_frac: float
    gwh_by_source: Mapping[str, float]
    salt_gwh_by_source: Mapping[str, float]
    battery_gwh_by_source: Mapping[str, float]
    export_gwh_by_source: Mapping[str, float]
    mad_by_part: Mapping[str, float]
    by_month: tuple[Mapping[str, Any], ...] = field(repr=False)
    by_hour: tuple[Mapping[str, Any], ...] = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value, in the order above."""
        return {name: _plain(getattr(self, name)) for name in self.__dataclass_fields__}


def year_starts_s() -> Floats:
    """The instants at which the hours of the reference year begin; UTC epoch seconds."""
    return REFERENCE_YEAR_S + HOUR_S * np.arange(HOURS_PER_YEAR, dtype=np.float64)


def year_problem(
    supply: Supply,
    load_mw: Floats,
    *,
    flex_frac: float = 0.0,
    batteries: Mapping[str, Battery] | None = None,
    objective: Objective = "cost",
) -> DispatchProblem:
    """The dispatch problem of the whole reference year; load of each hour in MW. Raises BadInput for a wrong load."""
    _check(load_mw, flex_frac)
    days = local_hours(supply.site.timezone, year_starts_s()).day
    problem = problem_from(supply, REFERENCE_YEAR_S, load_mw, {})
    more = {"batteries": {**problem.batteries, **(batteries or {})}, "flex_frac": flex_frac, "objective": objective}
    return for_a_year(problem, day_of_hour=days, **more)


def solve_year(
    supply: Supply, load_mw: Floats, *, flex_frac: float = 0.0, batteries: Mapping[str, Battery] | None = None
) -> SolvedYear:
    """The cheapest dispatch of the reference year, known in advance. Raises BadInput for a wrong load."""
    problem = year_problem(supply, load_mw, flex_frac=flex_frac, batteries=batteries)
    return solved(supply, problem, dispatch(problem))


def solved(supply: Supply, problem: DispatchProblem, answer: Dispatch) -> SolvedYear:
    """A year that somebody else has solved."""
    starts_s = year_starts_s()
    return SolvedYear(supply, problem, answer, starts_s, local_hours(supply.site.timezone, starts_s))


def year_result(year: SolvedYear) -> YearResult:
    """The figures of a solved year."""
    flows = flows_of(year.problem, year.answer)
    to_load = {name: flows.to_load_mw(name) for name in flows.origins}
    answer, load_mwh = year.answer, float(year.load_mw.sum())
    not_clean = answer.import_mw + answer.unserved_mw
    costs = _mad_by_part(year, to_load)
    sums = _sums(year, to_load)
    grid_clean_frac = year.supply.site.grid.clean_frac or 0.0
    cfe_frac = _share(load_mwh - float(not_clean.sum()), load_mwh)
    served_mwh = load_mwh - float(answer.unserved_mw.sum())
    bought_frac = _share(float(to_load[GRID_SOURCE_ID].sum()), load_mwh)
    return YearResult(
        load_gwh=load_mwh / MWH_PER_GWH,
        cfe_frac=cfe_frac,
        volume_frac=_share(_mwh(answer.power_mw), load_mwh),
        hours_fully_clean_frac=float(np.mean(not_clean <= CLEAN_HOUR_FRAC * year.load_mw)),
        import_gwh=_gwh(answer.import_mw),
        export_gwh=_gwh(answer.export_mw),
        curtailed_gwh=_gwh(answer.curtailed_mw),
        unserved_gwh=_gwh(answer.unserved_mw),
        import_peak_mw=float(answer.import_mw.max(initial=0.0)),
        gco2_per_kwh=_over(float(emitted_kg_per_h(year, flows).sum()), served_mwh),
        mad_per_kwh=_over(costs["bought"] + costs["plants"] + costs["transport"], served_mwh * 1000.0),
        water_m3=_water_m3(year),
        contracted_frac=_contracted_frac(year, to_load, load_mwh),
        physical_grid_frac=_physical_frac(year, to_load, load_mwh),
        with_grid_clean_frac=min(1.0, cfe_frac + grid_clean_frac * bought_frac),
        gwh_by_source={name: _gwh(series) for name, series in to_load.items()},
        salt_gwh_by_source={name: _gwh(series) for name, series in flows.through_salt_mw.items()},
        battery_gwh_by_source={name: _gwh(series) for name, series in flows.through_battery_mw.items()},
        export_gwh_by_source={name: _gwh(series) for name, series in flows.sold_mw.items()},
        mad_by_part=costs,
        by_month=tuple(_by(year.local.month - 1, 12, "month", 1, sums)),
        by_hour=tuple(_by(year.local.hour, 24, "hour", 0, sums)),
    )


def emitted_kg_per_h(year: SolvedYear, flows: Flows) -> Floats:
    """Carbon behind the load of each hour: life cycle of the plants, the grid's intensity for what is bought. kg.

    What went through a battery carries the carbon of what the battery lost. Sold energy takes its own carbon along.
    """
    carbon = year.supply.site.gco2_per_kwh_by_source
    charged, given = _mwh(year.answer.charge_mw), _mwh(year.answer.discharge_mw)
    lost = max(1.0, charged / given) if given > 0 else 1.0
    total = np.zeros(year.problem.n_hours)
    for name in flows.origins:
        drawn = flows.at_once_mw[name] + flows.through_salt_mw.get(name, 0.0)
        total += (drawn + lost * flows.through_battery_mw.get(name, np.zeros(1))) * carbon[name]
    return total


def _mwh(series_mw: Mapping[str, Floats]) -> float:
    return sum(float(series.sum()) for series in series_mw.values())


def _sums(year: SolvedYear, to_load: Mapping[str, Floats]) -> dict[str, Any]:
    answer = year.answer
    return {
        "load_gwh": year.load_mw,
        "import_gwh": answer.import_mw,
        "export_gwh": answer.export_mw,
        "curtailed_gwh": answer.curtailed_mw,
        "unserved_gwh": answer.unserved_mw,
        "gwh_by_source": to_load,
    }


def _by(bins: Numbers, n_bins: int, name: str, first: int, sums: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sums in each bin, with the hour-matched share of each."""

    def binned(series: Floats) -> list[float]:
        return [float(value) for value in np.bincount(bins, weights=series, minlength=n_bins) / MWH_PER_GWH]

    flat = {key: binned(series) for key, series in sums.items() if not isinstance(series, Mapping)}
    by_source = {key: binned(series) for key, series in sums["gwh_by_source"].items()}
    rows = []
    for index in range(n_bins):
        row: dict[str, Any] = {name: first + index, **{key: values[index] for key, values in flat.items()}}
        row["cfe_frac"] = _share(row["load_gwh"] - row["import_gwh"] - row["unserved_gwh"], row["load_gwh"])
        row["gwh_by_source"] = {key: values[index] for key, values in by_source.items()}
        rows.append(row)
    return rows


def _mad_by_part(year: SolvedYear, to_load: Mapping[str, Floats]) -> dict[str, float]:
    """What the load's energy costs, in MAD: bought with its transport, plants at their price, their transport.

    Plants without a price count as nothing here; their transport counts, unless they stand beside the site. Surplus
    stays with those who own the plants: it is neither paid nor credited, only told as `surplus`. What batteries lose is
    not paid either.
    """
    site, answer = year.supply.site, year.answer
    bought = import_cost_mad_per_mwh(site.grid, site.timezone, year.starts_s)
    sold = surplus_mad_per_mwh(site.grid, site.timezone, year.starts_s)
    drawn = [(plant, float(to_load[plant.id].sum())) for plant in site.plants if plant.id in to_load]
    paid = (mwh / delivered_frac(site, plant) * (price_mad_per_mwh(plant) or 0.0) for plant, mwh in drawn)
    return {
        "bought": float((answer.import_mw * bought).sum()),
        "plants": sum(paid),
        "transport": sum(mwh * plant_transport_mad_per_mwh(site.grid, plant) for plant, mwh in drawn),
        "surplus": float((answer.export_mw * sold).sum()),
    }


def _water_m3(year: SolvedYear) -> float:
    site = year.supply.site
    given = {plant.id: water_m3_per_mwh(plant) / delivered_frac(site, plant) for plant in site.plants}
    return sum(given.get(name, 0.0) * float(series.sum()) for name, series in year.answer.power_mw.items())


def _contracted_frac(year: SolvedYear, to_load: Mapping[str, Floats], load_mwh: float) -> float:
    ours = [plant.id for plant in year.supply.site.plants if contract_of(plant) == FOR_THE_PARK]
    ours_mwh = sum(float(to_load[name].sum()) for name in ours if name in to_load)
    return min(1.0, _over(ours_mwh, load_mwh))


def _physical_frac(year: SolvedYear, to_load: Mapping[str, Floats], load_mwh: float) -> float:
    """Clean share of what arrives in the wire: own plants beside the site, the grid's mix for all else."""
    site = year.supply.site
    own = [plant.id for plant in site.plants if stands_beside(site.grid, plant) and contract_of(plant) != ALREADY_SOLD]
    own_frac = min(1.0, _over(sum(float(to_load[name].sum()) for name in own if name in to_load), load_mwh))
    unserved_frac = _over(float(year.answer.unserved_mw.sum()), load_mwh)
    return own_frac + (site.grid.clean_frac or 0.0) * max(0.0, 1.0 - own_frac - unserved_frac)


def _check(load_mw: Floats, flex_frac: float) -> None:
    if load_mw.shape != (HOURS_PER_YEAR,):
        raise BadInput(
            f"The load has {load_mw.size} hours, a year {HOURS_PER_YEAR}.", fix="Give one value for each.", field="load"
        )
    wrong = np.flatnonzero(~(np.isfinite(load_mw) & (load_mw >= 0)))
    if wrong.size:
        hour = int(wrong[0])
        raise BadInput(
            f"The load of hour {hour} is {load_mw[hour]:g} MW.", fix="Give finite powers of at least 0.", field="load"
        )
    if not 0.0 <= flex_frac <= 1.0:
        raise BadInput(f"flex_frac = {flex_frac:g} is outside 0 to 1.", fix="Give a share such as 0.2.", field="flex")


def _gwh(series_mw: Floats) -> float:
    return float(series_mw.sum()) / MWH_PER_GWH


def _share(part: float, whole: float) -> float:
    """A share from 0 to 1; of nothing at all, everything."""
    return min(1.0, max(0.0, part / whole)) if whole > 0 else 1.0


def _over(amount: float, per: float) -> float:
    return amount / per if per > 0 else 0.0


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
