"""Forecasts scored: of synthetic years on seeds that tuned nothing, of real series on weeks held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.climate import climate_of
from eureka_park.energy.core.forecast import ErrorModel, Kind, Outlook, noise_of
from eureka_park.energy.core.scores import LEVELS, Scores, scores_of, skill_frac
from eureka_park.energy.core.statistical import N_FOLDS, Fitted, climatology, fitted, forecasts, persisted, persistence
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_file import WeatherSite

INTRA_DAY_H: Final = (0, 1, 3, 6)
DAY_AHEAD_H: Final = (24, 36, 48)
TRAINING_SEEDS: Final = (1, 2, 3, 4, 5)
SUN_SKILL_FRAC: Final = 0.25  # of the beam's RMSE against yesterday's, a day ahead: the middle of 12 to 38 %
LOW_SUN_COS: Final = 0.05
_SERIES: Final = (("dni_w_per_m2", True), ("ghi_w_per_m2", True), ("wind_m_per_s", False))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a series, a way to forecast it, the lead, its scores and skills (None: no reference)."""

    series: str
    method: str
    lead_h: int
    scores: Scores
    rmse_skill_frac: float | None = None
    crps_skill_frac: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; skills against persistence (RMSE) and against climatology (CRPS)."""
        skills = {"rmse_skill_frac": self.rmse_skill_frac, "crps_skill_frac": self.crps_skill_frac}
        rounded = {name: None if value is None else round(value, 4) for name, value in skills.items()}
        head = {"series": self.series, "method": self.method, "lead_h": self.lead_h}
        return {**head, **self.scores.to_json(), **rounded}


def score_seeds(
    place: WeatherSite, seeds: Sequence[int], leads_h: Iterable[int] = (*INTRA_DAY_H, *DAY_AHEAD_H)
) -> list[Row]:
    """The generator's forecasts of a place's synthetic years against persistence and what is usual."""
    leads = tuple(leads_h)
    years = [(seed, typical_year(place, seed)) for seed in seeds]
    rows: list[Row] = []
    for name, is_solar in _SERIES:
        if any(float(getattr(year, name).max()) > 0 for _, year in years):
            rows += _score_series(place.id, name, is_solar, years, leads)
    return rows


def _score_series(
    place: str, name: str, is_solar: bool, years: Sequence[tuple[int, WeatherYear]], leads: Sequence[int]
) -> list[Row]:
    kind: Kind = "sun" if is_solar else "wind"
    truths, usual = [], []
    made: dict[int, list[Mapping[float, Floats]]] = {lead: [] for lead in leads}
    seen: dict[int, list[Mapping[float, Floats]]] = {lead: [] for lead in leads}
    for seed, year in years:
        series = getattr(year, name)
        lit = year.sun.cos_zenith > LOW_SUN_COS if is_solar else np.ones(len(series), dtype=np.bool_)
        climate = climate_of(series, is_solar=is_solar)
        outlook = Outlook(climate, climate.scores(series), noise_of(SeedTree(seed), place, kind))
        truths.append(series[lit])
        usual.append({level: values[lit] for level, values in climatology(climate).items()})
        for lead in leads:
            issue = outlook.at_lead(lead)
            made[lead].append({level: issue.quantile(level)[lit] for level in LEVELS})
            seen[lead].append(dict.fromkeys(LEVELS, persisted(series, climate, lit, lead)[lit]))
    truth = np.concatenate(truths)
    of_usual = scores_of(truth, _joined(usual))
    rows = []
    for lead in leads:
        of_seen = scores_of(truth, _joined(seen[lead]))
        rows.append(_row(name, "forecast", lead, scores_of(truth, _joined(made[lead])), of_seen, of_usual))
        rows.append(Row(name, "persistence", lead, of_seen))
    return [*rows, Row(name, "climatology", leads[-1], of_usual)]


def score_year(year: WeatherYear, leads_h: Iterable[int] = (*INTRA_DAY_H, *DAY_AHEAD_H)) -> list[Row]:
    """The statistical forecast of a year's own series, each week forecast while it was held out."""
    leads = tuple(leads_h)
    rows: list[Row] = []
    for name, is_solar in _SERIES:
        series = getattr(year, name)
        if float(series.max()) > 0:
            folds = [fitted(series, is_solar=is_solar, fold=fold) for fold in range(N_FOLDS)]
            for lead in leads:
                found, usual = _rows_at(name, folds, lead)
                rows += found
            rows.append(Row(name, "climatology", leads[-1], usual))
    return rows


def _rows_at(name: str, folds: Sequence[Fitted], lead: int) -> tuple[list[Row], Scores]:
    """The rows of one lead, and the scores of what is usual, which knows no lead."""
    truth = np.concatenate([data.series[data.split.scored] for data in folds])

    def scored(each: Callable[[Fitted], Mapping[float, Floats]]) -> Scores:
        parts = [{level: values[data.split.scored] for level, values in each(data).items()} for data in folds]
        return scores_of(truth, _joined(parts))

    made = scored(lambda data: forecasts(data, lead))
    seen = scored(lambda data: dict.fromkeys(LEVELS, persistence(data, lead)))
    usual = scored(lambda data: climatology(data.climate))
    return [
        _row(name, "statistical", lead, made, seen, usual),
        Row(name, "persistence", lead, seen),
    ], usual


def tuned_sun(place: WeatherSite, seeds: Sequence[int] = TRAINING_SEEDS, skill: float = SUN_SKILL_FRAC) -> float:
    """The error a day ahead at which the beam's RMSE beats persistence by `skill` on these seeds."""
    low, high = 0.3, 0.97
    years = [(seed, typical_year(place, seed)) for seed in seeds]
    for _ in range(8):
        middle = (low + high) / 2
        low, high = (middle, high) if _skill(place, years, middle) > skill else (low, middle)
    return (low + high) / 2


def _skill(place: WeatherSite, years: Sequence[tuple[int, WeatherYear]], day_error: float) -> float:
    made, seen = [], []
    for seed, year in years:
        series, lit = year.dni_w_per_m2, year.sun.cos_zenith > LOW_SUN_COS
        climate = climate_of(series, is_solar=True)
        noise = noise_of(SeedTree(seed), place.id, "sun", ErrorModel(day_error, 0.75))
        middle = Outlook(climate, climate.scores(series), noise).at_lead(24).quantile(0.5)
        made.append(((middle - series)[lit]) ** 2)
        seen.append(((np.roll(series, 24) - series)[lit]) ** 2)
    return skill_frac(float(np.sqrt(np.mean(np.concatenate(made)))), float(np.sqrt(np.mean(np.concatenate(seen)))))


def _joined(parts: Sequence[Mapping[float, Floats]]) -> dict[float, Floats]:
    return {level: np.concatenate([part[level] for part in parts]) for level in LEVELS}


def _row(name: str, method: str, lead: int, made: Scores, seen: Scores, usual: Scores) -> Row:
    return Row(name, method, lead, made, skill_frac(made.rmse, seen.rmse), skill_frac(made.crps, usual.crps))
