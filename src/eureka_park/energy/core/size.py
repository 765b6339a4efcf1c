"""The answer to "what must be built": cheapest additions for a clean share, checked on whole years, and told.

The search (`sizing`) sees every hour in weeks of their own. Its sizes are then tried on the whole year of every
weather, as `park energy year` would: where a year falls short of the share, what it asks of the weeks rises by as much,
and the search goes on. So the sizes told reach the share in every year that was tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from eureka_park.energy.core.candidates import (
    Candidate,
    Outputs,
    Size,
    candidates_of,
    outputs_of,
    ratios_of,
    site_with,
    sizes_of,
)
from eureka_park.energy.core.costs import Costs
from eureka_park.energy.core.sized import (
    Addition,
    additions_of,
    plants_toml,
    supply_with,
    values_of,
    yearly_mad_per_unit,
)
from eureka_park.energy.core.sizing import Found, OutOfReach, Search, YearWeeks, load_gwh
from eureka_park.energy.core.sizing_weeks import weeks_of
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.year import YearResult, solve_year, year_problem, year_result
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_file import Site

Least = Literal["additions", "all"]
SHARE_TOLERANCE_FRAC: Final = 1e-4
TRIM_FRAC: Final = 2e-4  # a share that is passed by more is brought back
TRIALS_MAX: Final = 8
GROWTH: Final = 1.01
SHARE_MOST: Final = 0.9999
Progress = Callable[[str, int], None]
_YEAR_KEYS: Final = (
    "cfe_frac", "volume_frac", "hours_fully_clean_frac", "import_gwh", "export_gwh", "curtailed_gwh", "unserved_gwh",
    "import_peak_mw", "gco2_per_kwh", "mad_per_kwh", "water_m3",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Year:
    """A year of weather: its name, the plants as they stand, and the candidates in the same weather."""

    name: str
    supply: Supply
    modelled: Supply


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What sizes are asked for: a load, years of weather, what may be built. Its planes serve every question."""

    site: Site
    load_mw: Floats
    flex_frac: float
    years: tuple[Year, ...]
    candidates: tuple[Candidate, ...]
    sizes: tuple[Size, ...]
    outputs: tuple[Outputs, ...]
    search: Search
    least: Least
    before: tuple[YearResult, ...]  # the years as they are, nothing added

    @property
    def load_gwh(self) -> float:
        """Energy of the load in a year."""
        return load_gwh(self.load_mw)


@dataclass(frozen=True, slots=True, eq=False)
class SizeAnswer:
    """What must be built for a share. Without `is_reached` nothing does: `most_frac` is as far as it goes."""

    share_frac: float
    is_reached: bool
    most_frac: float | None
    additions: tuple[Addition, ...]
    found: Found | None
    years: tuple[YearResult, ...]
    before: tuple[YearResult, ...]
    n_trials: int


def basis_for(
    site: Site,
    years: Mapping[str, Supply],
    models: Callable[[Site, str], Supply],
    load_mw: Floats,
    costs: Costs,
    *,
    flex_frac: float = 0.0,
    most_mw: Mapping[str, float] | None = None,
    least: Least = "additions",
) -> Basis:
    """Lay the weeks out. `models(site, name)` gives the supply of another site in the weather of the year `name`."""
    if not years:
        raise BadInput("No year of weather was given.", fix="Give at least one seed or weather file.", field="seeds")
    first = next(iter(years.values()))
    candidates = candidates_of(site, first, costs)
    sizes = sizes_of(candidates, float(load_mw.max(initial=0.0)), most_mw or {})
    own = site_with(site, candidates)
    laid_out = tuple(Year(name, supply, models(own, name)) for name, supply in years.items())
    outputs = tuple(outputs_of(candidates, year.modelled) for year in laid_out)
    counts = least == "all"
    weeks = []
    for year, output in zip(laid_out, outputs, strict=True):
        problem = year_problem(year.supply, load_mw, flex_frac=flex_frac)
        paid = weeks_of(problem, candidates, output, sizes, "cost") if counts else []
        weeks.append(YearWeeks(load_gwh(load_mw), weeks_of(problem, candidates, output, sizes), paid))
    search = Search(sizes, weeks, counts_bought=counts, ratios=ratios_of(candidates))
    before = tuple(year_result(solve_year(year.supply, load_mw, flex_frac=flex_frac)) for year in laid_out)
    return Basis(site, load_mw, flex_frac, laid_out, candidates, sizes, outputs, search, least, before)


def size_for(basis: Basis, share_frac: float, costs: Costs, progress: Progress | None = None) -> SizeAnswer:
    """The cheapest additions with which every year reaches a share of the load from clean power in its own hour."""
    before = basis.before
    transport = basis.site.grid.transport_mad_per_mwh
    unit = yearly_mad_per_unit(basis.candidates, basis.sizes, basis.outputs, costs, transport)
    if basis.least == "additions" and _short(before, share_frac).max() <= SHARE_TOLERANCE_FRAC:
        return SizeAnswer(share_frac, True, None, (), None, before, before, 0)
    asked = np.full(len(basis.years), min(share_frac, SHARE_MOST))
    best: SizeAnswer | None = None
    for trial in range(1, TRIALS_MAX + 1):
        try:
            found = basis.search.cheapest(unit, tuple(asked), progress)
        except OutOfReach as error:
            return best or SizeAnswer(share_frac, False, error.most_frac, (), None, before, before, trial)
        additions = additions_of(basis.candidates, basis.sizes, found.sizes, basis.outputs, costs, transport)
        after = _years(basis, additions, progress)
        short = _short(after, share_frac)
        answer = SizeAnswer(
            share_frac, bool(short.max() <= SHARE_TOLERANCE_FRAC), None, additions, found, after, before, trial
        )
        if answer.is_reached and (best is None or _yearly_mad(answer) < _yearly_mad(best)):
            best = answer
        is_close = answer.is_reached and short.max() >= -TRIM_FRAC
        if best is not None and (basis.least == "all" or is_close or trial >= TRIALS_MAX // 2):
            return best
        change = np.maximum(short, 0.0) if short.max() > 0 else short.max()
        asked = np.clip(asked + change + SHARE_TOLERANCE_FRAC / 4, 0.0, SHARE_MOST)
    return best or _grown(basis, share_frac, costs, answer)


def _yearly_mad(answer: SizeAnswer) -> float:
    return sum(item.yearly_mad + item.transport_mad for item in answer.additions)


def _grown(basis: Basis, share_frac: float, costs: Costs, answer: SizeAnswer) -> SizeAnswer:
    """All sizes a little larger, again and again: the last resort when the search's own correction did not end."""
    transport = basis.site.grid.transport_mad_per_mwh
    values = values_of(answer.additions, basis.candidates, basis.sizes)
    for _ in range(4 * TRIALS_MAX):
        values = values * GROWTH
        additions = additions_of(basis.candidates, basis.sizes, values, basis.outputs, costs, transport)
        after = _years(basis, additions, None)
        answer = replace(answer, additions=additions, years=after, n_trials=answer.n_trials + 1)
        if _short(after, share_frac).max() <= SHARE_TOLERANCE_FRAC:
            return replace(answer, is_reached=True)
    return replace(answer, most_frac=min(year.cfe_frac for year in answer.years))


def _years(basis: Basis, additions: Sequence[Addition], progress: Progress | None) -> tuple[YearResult, ...]:
    results = []
    for number, year in enumerate(basis.years, start=1):
        if progress is not None:
            progress("year", number)
        supply = supply_with(year.supply, year.modelled, basis.candidates, additions)
        results.append(year_result(solve_year(supply, basis.load_mw, flex_frac=basis.flex_frac)))
    return tuple(results)


def _short(years: Sequence[YearResult], share_frac: float) -> Floats:
    return np.array([share_frac - year.cfe_frac for year in years])


def told(basis: Basis, answer: SizeAnswer, costs: Costs) -> dict[str, Any]:
    """The answer as a JSON value. Scalars of the year are medians over the years, `_p10` and `_p90` beside."""
    capital = sum(item.capital_usd for item in answer.additions)
    yearly = sum(item.yearly_mad for item in answer.additions)
    transport = sum(item.transport_mad for item in answer.additions)
    figures = _spread({key: [getattr(year, key) for year in answer.years] for key in _YEAR_KEYS})
    old = _spread({key: [getattr(year, key) for year in answer.before] for key in _YEAR_KEYS})
    return {
        "load_mw": float(basis.load_mw.max(initial=0.0)),
        "load_gwh": basis.load_gwh,
        "cfe_target_frac": answer.share_frac,
        "is_reached": answer.is_reached,
        "cfe_most_frac": answer.most_frac,
        "least": basis.least,
        "flex_frac": basis.flex_frac,
        "additions": [item.to_json() for item in answer.additions],
        "capital_musd": capital / 1e6,
        "capital_mmad": capital * costs.mad_per_usd / 1e6,
        "yearly_mmad": yearly / 1e6,
        **_per_kwh(basis, answer, yearly, transport),
        **figures,
        "before": old,
        "by_year": [_by_year(basis, answer, index) for index in range(len(basis.years))],
        "error_frac": _error(answer),
        "n_trials": answer.n_trials,
        "n_looks": basis.search.n_looks,
        "land_ha": sum(item.land_ha for item in answer.additions),
        "site_toml": plants_toml(answer.additions),
    }


def _per_kwh(basis: Basis, answer: SizeAnswer, yearly: float, transport: float) -> dict[str, float | None]:
    """Costs of a kWh: of new plants, of a further clean kWh at the site, and of all that the load draws."""
    load_kwh = basis.load_gwh * 1e6
    further = float(
        np.mean([now.cfe_frac - was.cfe_frac for now, was in zip(answer.years, answer.before, strict=True)])
    )
    given_kwh = sum(item.year_gwh for item in answer.additions) * 1e6
    lost_frac = _curtailed_frac(answer, given_kwh)
    rest = float(np.mean([year.mad_per_kwh for year in answer.years]))
    return {
        "lcoe_new_mad_per_kwh": yearly / (given_kwh * (1.0 - lost_frac)) if given_kwh > 0 else None,
        "further_clean_mad_per_kwh": (yearly + transport) / (further * load_kwh) if further > 1e-6 else None,
        "all_mad_per_kwh": rest + yearly / load_kwh,
        "all_before_mad_per_kwh": float(np.mean([year.mad_per_kwh for year in answer.before])),
    }


def _curtailed_frac(answer: SizeAnswer, given_kwh: float) -> float:
    """Share of what new plants could give that nobody takes: what is curtailed more than before."""
    if given_kwh <= 0:
        return 0.0
    more = [now.curtailed_gwh - was.curtailed_gwh for now, was in zip(answer.years, answer.before, strict=True)]
    return float(np.clip(np.mean(more) * 1e6 / given_kwh, 0.0, 0.99))


def _by_year(basis: Basis, answer: SizeAnswer, index: int) -> dict[str, Any]:
    year = answer.years[index]
    searched = answer.found.share_by_year[index] if answer.found is not None else None
    return {
        "year": basis.years[index].name,
        "weather": basis.years[index].supply.weather_label,
        "cfe_before_frac": answer.before[index].cfe_frac,
        "cfe_searched_frac": searched,
        **{key: getattr(year, key) for key in _YEAR_KEYS},
        "gwh_by_source": dict(year.gwh_by_source),
    }


def _error(answer: SizeAnswer) -> float | None:
    """What the weeks promise more than the whole year gives, in the year where it is most; a share of the load."""
    if answer.found is None:
        return None
    pairs = zip(answer.found.share_by_year, answer.years, strict=True)
    return max((searched - year.cfe_frac for searched, year in pairs), key=abs)


def _spread(series: Mapping[str, Sequence[float]]) -> dict[str, float]:
    spread: dict[str, float] = {}
    for key, values in series.items():
        low, middle, high = np.quantile(np.asarray(values, dtype=np.float64), [0.1, 0.5, 0.9])
        spread |= {key: float(middle), f"{key}_p10": float(low), f"{key}_p90": float(high)}
    return spread
