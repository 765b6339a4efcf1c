"""Forecasts that a park could have had: seeded, better the nearer they are, with bands that are as wide as they err.

In normal scores (see `climate`) the truth of an hour is u. A forecast at lead h has seen u with an error whose variance
grows with h, and knows what is usual; its median and bands are what follows from both (Bayes for two normals): median
score (1 - e^2) (u + error), spread e. Nearer forecasts of the same hour have seen the same error less its farthest
steps: they are never at odds with, and never worse than, the earlier ones. Errors are AR(1) from hour to hour and one
for all plants that a place's sun, or its wind, drives.

How large e is, at a day ahead, is set on seeds 1 to 5 and scored on others (`forecast_scoring`): the beam 25 % better
than persistence, the middle of the published range, which leaves an RMSE of 176 W/m2 at Ouarzazate; Koudia 18 % of its
rated power (assumption).

| what | published a day ahead | source |
| --- | --- | --- |
| beam | RMSE 177 to 310 W/m2, 12 to 38 % better than persistence at 23 places | Nonnenmacher, Kaur and Coimbra 2016, Renewable Energy 86, 866-876 (doi:10.1016/j.renene.2015.08.068) |
| growth | RMSE of the beam 45 % larger on the third day than on the first | Lopes et al. 2020 (doi:10.3390/forecast2020007), Evora |
| PV | RMSE 10.3 to 14.0 % of rated power, 13 to 23 % better than persistence | Larson, Nonnenmacher and Coimbra 2016, Renewable Energy 91, 11-20 |
| wind | an hour ahead 10 to 15 % of rated power for one farm | Energies 2018, 11(4), 824 |

The shape within the first day (a root of the lead) and the memory of errors are assumptions.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import numpy as np

from eureka_park.energy.core.climate import Climate, Index, climate_of, normal_score
from eureka_park.energy.core.plants import PlantYear
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.weather_year import HOURS_PER_YEAR
from eureka_park.foundation.seeds import SeedTree

Kind = Literal["sun", "wind"]
N_STEPS: Final = 20
LEADS_H: Final = 73  # leads 0 to 72 h: the farthest a plan looks
DAY_H: Final = 24.0
GROWTH_PER_DAY: Final = 0.45 / 2  # of the error beyond the first day
NOW_FRAC: Final = 0.08  # of the error a day ahead that is left in the hour of now
MOST_ERROR: Final = 0.98
FORECAST_LABEL: Final = (
    "made from the weather itself with errors of published size (beam: Nonnenmacher 2016, growth: Lopes 2020; wind: "
    "assumption); medians lean to what is usual, bands hold 80 %"
)


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """Spread of the score a day ahead, and the memory of errors from hour to hour."""

    day_error: float
    memory: float

    def error(self, leads_h: Floats | Index) -> Floats:
        """Spread e of the score at each lead; h."""
        ahead = np.asarray(leads_h, dtype=np.float64) / DAY_H
        shape = NOW_FRAC + (1.0 - NOW_FRAC) * np.sqrt(np.minimum(ahead, 1.0))
        shape = shape + GROWTH_PER_DAY * np.maximum(ahead - 1.0, 0.0)
        return np.asarray(np.minimum(MOST_ERROR, self.day_error * shape), dtype=np.float64)


MODELS: Final[Mapping[Kind, ErrorModel]] = {"sun": ErrorModel(0.84, 0.75), "wind": ErrorModel(0.45, 0.93)}


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """What stands between truth and forecast at one place, for one kind: an error per lead (rows) and hour."""

    model: ErrorModel
    steps: Floats  # (leads, hours), each row an AR(1) series of variance 1
    errors: Floats = field(init=False)

    def __post_init__(self) -> None:
        error = self.model.error(np.arange(len(self.steps)))
        variance = error**2 / (1.0 - error**2)
        parts = np.sqrt(np.diff(variance, prepend=0.0))[:, None] * self.steps
        object.__setattr__(self, "errors", np.cumsum(parts, axis=0))


def noise_of(tree: SeedTree, place: str, kind: Kind, model: ErrorModel | None = None) -> Noise:
    """The errors of a place, by the seed alone: forecasts of one hour at all leads hang together."""
    found = model or MODELS[kind]
    white = tree.child("forecast").child(place).child(kind).generator().standard_normal((LEADS_H, HOURS_PER_YEAR))
    turns = np.exp(-2j * np.pi * np.arange(HOURS_PER_YEAR // 2 + 1) / HOURS_PER_YEAR)
    series = np.fft.irfft(np.fft.rfft(white, axis=1) / (1.0 - found.memory * turns), HOURS_PER_YEAR, axis=1)
    return Noise(found, series * np.sqrt(1.0 - found.memory**2))


@dataclass(frozen=True, slots=True, eq=False)
class Issue:
    """A forecast as it is given out: the score of the median and its spread for each hour ahead."""

    hours: Index
    middle: Floats
    spread: Floats
    climate: Climate
    memory: float

    def quantile(self, level: float) -> Floats:
        """The value that the truth stays under with this probability, hour by hour."""
        return self.climate.values(self.middle + self.spread * normal_score(level), self.hours)

    def mean(self) -> Floats:
        """The value expected, hour by hour."""
        levels = normal_score((np.arange(N_STEPS) + 0.5) / N_STEPS)
        values = self.climate.values(self.middle + self.spread * levels[:, None], self.hours)
        return np.asarray(values.mean(axis=0))

    def members(self, tree: SeedTree, n: int) -> Floats:
        """Ways in which it may come, with errors that last: shape (n, hours)."""
        path = self.paths(tree, n, len(self.hours))
        return self.climate.values(self.middle + self.spread * path, self.hours)

    def paths(self, tree: SeedTree, n: int, n_hours: int) -> Floats:
        """Errors of that many ways over the hours, as scores of spread 1: the same whenever it is issued."""
        white = tree.generator().standard_normal((n, n_hours))
        path, fresh = np.array(white), np.sqrt(1.0 - self.memory**2)
        for hour in range(1, path.shape[1]):
            path[:, hour] = self.memory * path[:, hour - 1] + fresh * white[:, hour]
        return path


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """Forecasts of one hourly series of a year, issued at any hour of it."""

    climate: Climate
    scores: Floats
    noise: Noise
    is_forecast: bool = False  # the series is one already: its bands are as wide, its middle is not touched

    def issued(self, hour: int, n_hours: int, first_lead_h: int = 0) -> Issue:
        """What is known at the start of an hour of the year about `n_hours` from it on; the year is a ring."""
        leads = np.minimum(np.arange(first_lead_h, first_lead_h + n_hours), LEADS_H - 1)
        hours = np.asarray((hour + np.arange(n_hours)) % len(self.scores), dtype=np.int64)
        return self.issued_at(hours, leads)

    def issued_at(self, hours: Index, leads: Index) -> Issue:
        """What is known of hours of the year (many issues: a row each) at leads of up to `LEADS_H` - 1."""
        spread = self.noise.model.error(leads)
        return Issue(hours, self._middle(hours, leads, spread), spread, self.climate, self.noise.model.memory)

    def at_lead(self, lead_h: int) -> Issue:
        """The forecasts of all hours of the year that were issued `lead_h` before each."""
        hours = np.arange(len(self.scores), dtype=np.int64)
        leads = np.full(len(hours), min(lead_h, LEADS_H - 1), dtype=np.int64)
        spread = self.noise.model.error(leads)
        return Issue(hours, self._middle(hours, leads, spread), spread, self.climate, self.noise.model.memory)

    def _middle(self, hours: Index, leads: Index, spread: Floats) -> Floats:
        if self.is_forecast:
            return self.scores[hours]
        return np.asarray((1.0 - spread**2) * (self.scores[hours] + self.noise.errors[leads, hours]))


def outlook_of(
    series: Floats, noise: Noise, *, is_solar: bool, wanted_days: Index | None = None, is_forecast: bool = False
) -> Outlook:
    """Forecasts of a series; what is usual comes from the same year, a day never from itself."""
    climate = climate_of(series, is_solar=is_solar, wanted=wanted_days)
    return Outlook(climate, climate.scores(series), noise, is_forecast)


@dataclass(frozen=True, slots=True, eq=False)
class SupplyForecast:
    """Forecasts of all plants of a supply: heat of the fields, PV and wind, by the seed of their errors."""

    supply: Supply
    outlooks: Mapping[str, Outlook]
    groups: Mapping[str, str]  # plants of one group err together: place and kind
    seed: int

    def known_at(self, hour: int, n_hours: int) -> Supply:
        """The supply as it looks at the start of an hour of the year, for the hours ahead; the rest is unknown.

        PV and wind are medians. Heat that goes into salt is what is expected: what a plant can send rests on a sum of
        hours, whose median lies near the sum of the expected values, well below that of the medians.
        """
        years = dict(self.supply.years)
        for name, outlook in self.outlooks.items():
            issue = outlook.issued(hour, n_hours)
            series = np.zeros(HOURS_PER_YEAR)
            series[issue.hours] = issue.mean() if years[name].is_csp else issue.quantile(0.5)
            years[name] = replace(years[name], series_mw=series)
        return replace(self.supply, years=years)


def forecast_of(supply: Supply, seed: int, hour: int | None = None, n_hours: int = 0) -> SupplyForecast:
    """Forecasts of a supply; the same seed gives the same errors whatever is asked first.

    `hour`, `n_hours`: the only hours that will be asked about, which is quicker. Weather that is a forecast itself
    stays as it is and gets bands alone.
    """
    tree = SeedTree(seed)
    wanted = None if hour is None else (hour + np.arange(max(1, n_hours))) % HOURS_PER_YEAR // 24
    noises: dict[str, Noise] = {}
    outlooks, groups = {}, {}
    for name, year in supply.years.items():
        if year.is_battery:
            continue
        kind = kind_of(year)
        group = f"{year.plant.weather_site}/{kind}"
        if group not in noises:
            noises[group] = noise_of(tree, year.plant.weather_site, kind)
        groups[name] = group
        is_forecast = supply.weather[year.plant.weather_site].provenance.label == "forecast"
        outlooks[name] = outlook_of(
            year.series_mw, noises[group], is_solar=kind == "sun", wanted_days=wanted, is_forecast=is_forecast
        )
    return SupplyForecast(supply, outlooks, groups, seed)


def forecast_label(supply: Supply) -> str:
    """What a plan says of its forecasts."""
    given = [name for name, year in supply.weather.items() if year.provenance.label == "forecast"]
    if not given:
        return FORECAST_LABEL
    rest = f"; elsewhere {FORECAST_LABEL}" if len(given) < len(supply.weather) else ""
    return f"the weather's own at {', '.join(given)}, with bands of published size{rest}"


def kind_of(year: PlantYear) -> Kind:
    """What drives a plant."""
    return "wind" if year.plant.type == "wind" else "sun"
