"""Forecasts: calibrated on seeds that tuned nothing, better the nearer, at one with each other, blind to the truth."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from tests.helpers.shared_data import DAGGETT

from eureka_park.energy.core.climate import climate_of, normal_cdf, normal_score
from eureka_park.energy.core.forecast import MODELS, Outlook, forecast_of, noise_of, outlook_of
from eureka_park.energy.core.forecast_scoring import (
    TRAINING_SEEDS,
    Row,
    score_seeds,
    score_year,
    tuned_sun,
)  # fmt: skip
from eureka_park.energy.core.readers.recognise import read
from eureka_park.energy.core.statistical import fitted, forecasts, split_of
from eureka_park.energy.core.supply import supply_of
from eureka_park.energy.core.weather import typical_year
from eureka_park.energy.core.weather_import import Place, Wish, import_year
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site

SITE = load_site("eureka-park")
PLACES = {place.id: place for place in SITE.weather_sites}
HELD_OUT = (21, 22)
YEAR = typical_year(PLACES["ouarzazate"], 21)
LEADS = {"dni_w_per_m2": (0, 3, 24, 48), "ghi_w_per_m2": (0, 3, 24, 48), "wind_m_per_s": (0, 3, 24)}


def outlook(seed: int = 21) -> Outlook:
    return outlook_of(YEAR.dni_w_per_m2, noise_of(SeedTree(seed), "ouarzazate", "sun"), is_solar=True)


def rows(found: list[Row]) -> dict[tuple[str, str, int], Row]:
    return {(row.series, row.method, row.lead_h): row for row in found}


@pytest.fixture(scope="module")
def scored() -> dict[tuple[str, str, int], Row]:
    return rows(
        score_seeds(PLACES["ouarzazate"], HELD_OUT, (0, 3, 24, 48))
        + score_seeds(PLACES["koudia"], HELD_OUT, (0, 3, 24))
    )


def test_the_error_is_the_one_that_the_training_seeds_give() -> None:
    assert not set(HELD_OUT) & set(TRAINING_SEEDS)
    assert MODELS["sun"].day_error == pytest.approx(tuned_sun(PLACES["ouarzazate"]), abs=0.01)


def test_bands_hold_four_fifths_on_held_out_seeds(scored: dict[tuple[str, str, int], Row]) -> None:
    made = [row for (_, method, _), row in scored.items() if method == "forecast"]
    assert len(made) == 2 * 4 + 3
    for row in made:
        assert 0.74 < row.scores.coverage_frac < 0.86, row


def test_nearer_forecasts_are_better_and_all_beat_persistence_and_what_is_usual(scored) -> None:
    for name, leads in (
        ("dni_w_per_m2", (0, 3, 24, 48)),
        ("ghi_w_per_m2", (0, 3, 24, 48)),
        ("wind_m_per_s", (0, 3, 24)),
    ):
        made = [scored[name, "forecast", lead] for lead in leads]
        for near, far in itertools.pairwise(made):
            assert near.scores.rmse < far.scores.rmse and near.scores.crps < far.scores.crps
        assert all(row.crps_skill_frac > -0.01 and row.rmse_skill_frac > 0.1 for row in made)
        assert made[0].scores.mae < 0.2 * scored[name, "climatology", leads[-1]].scores.mae  # the hour of now


def test_the_beam_a_day_ahead_errs_as_published(scored) -> None:
    ahead, seen = (scored["dni_w_per_m2", method, 24] for method in ("forecast", "persistence"))
    assert (
        ahead.rmse_skill_frac is not None and 0.2 < ahead.rmse_skill_frac < 0.4
    )  # of two days before: 24 h and the hour
    assert 150 < ahead.scores.rmse < 310 and seen.scores.rmse > ahead.scores.rmse


def test_wind_a_day_ahead_errs_as_assumed() -> None:
    year = supply_of(SITE, 21).years["koudia"]
    made = outlook_of(year.series_mw, noise_of(SeedTree(21), "koudia", "wind"), is_solar=False).at_lead(24)
    rmse = float(np.sqrt(np.mean((made.quantile(0.5) - year.series_mw) ** 2)))
    assert rmse / year.plant.gross_mw == pytest.approx(0.18, abs=0.02)


def test_issues_hang_together() -> None:
    """What was said of an hour two days before changes little by little, and never jumps when it begins."""
    made = outlook()
    hour = 24 * 171 + 12
    middles = np.array([made.issued(hour - lead, lead + 1).middle[-1] for lead in range(49)])
    assert np.abs(np.diff(middles)).max() < 0.9 and abs(middles[0] - made.scores[hour]) < 0.35
    assert made.issued(hour, 5).middle.tolist() == pytest.approx(made.issued(hour, 48).middle[:5].tolist())
    assert np.array_equal(made.issued(8750, 48).hours, (8750 + np.arange(48)) % 8760)
    errors = made.noise.errors
    steps = errors[30] - errors[20]
    assert abs(np.corrcoef(steps, errors[20])[0, 1]) < 0.05  # later news is news
    assert np.corrcoef(errors[24][:-1], errors[24][1:])[0, 1] == pytest.approx(0.75, abs=0.05)


def test_a_seed_gives_its_errors_and_places_have_their_own() -> None:
    first, again, other = outlook(3), outlook(3), outlook(4)
    assert np.array_equal(first.noise.errors, again.noise.errors)
    assert not np.array_equal(first.noise.errors, other.noise.errors)
    there = noise_of(SeedTree(3), "koudia", "sun")
    assert abs(np.corrcoef(first.noise.errors[24], there.errors[24])[0, 1]) < 0.06


def test_a_forecast_far_ahead_knows_nothing_of_the_day_itself() -> None:
    """Another truth on one day moves what was said of it two days before by little, and what is said then by all."""
    day = slice(24 * 100, 24 * 101)
    other = np.array(YEAR.dni_w_per_m2)
    other[day] = 0.0
    noise = noise_of(SeedTree(21), "ouarzazate", "sun")
    said = outlook_of(YEAR.dni_w_per_m2, noise, is_solar=True).at_lead(48).quantile(0.5)[day]
    said_else = outlook_of(other, noise, is_solar=True).at_lead(48).quantile(0.5)[day]
    now_else = outlook_of(other, noise, is_solar=True).at_lead(0).quantile(0.5)[day]
    assert np.abs(said - said_else).max() < 0.15 * YEAR.dni_w_per_m2[day].max()
    assert now_else.max() < 0.2 * YEAR.dni_w_per_m2[day].max()


def test_scores_and_values_are_each_others_inverse() -> None:
    climate = climate_of(YEAR.dni_w_per_m2, is_solar=True)
    lit = YEAR.dni_w_per_m2 > 1
    back = climate.values(climate.scores(YEAR.dni_w_per_m2))
    assert np.quantile(np.abs(back - YEAR.dni_w_per_m2)[lit], 0.9) < 1e-6
    assert back[YEAR.sun.cos_zenith < -0.1].max() == 0
    assert normal_score(normal_cdf(np.array([-2.0, 0.0, 1.3]))).tolist() == pytest.approx([-2.0, 0.0, 1.3], abs=1e-3)


def test_members_come_as_the_bands_say_and_last() -> None:
    issue = outlook().issued(24 * 171, 48)
    members = issue.members(SeedTree(1), 600)
    assert members.shape == (600, 48)
    noon = [hour for hour in range(48) if issue.quantile(0.9)[hour] > 400]
    for level in (0.1, 0.5, 0.9):
        off = np.quantile(members[:, noon], level, axis=0) - issue.quantile(level)[noon]
        assert np.abs(off).mean() < 25
    assert np.corrcoef(members[:, noon[3]], members[:, noon[4]])[0, 1] > 0.4


def test_a_supply_as_it_looked_at_an_hour() -> None:
    supply = supply_of(SITE, 21)
    seen = forecast_of(supply, 5)
    assert seen.groups == {
        "noor-i": "ouarzazate/sun", "noor-ii": "ouarzazate/sun", "noor-iii": "ouarzazate/sun",
        "noor-iv": "ouarzazate/sun", "koudia": "koudia/wind",
    }  # fmt: skip
    known = seen.known_at(100, 72)
    for name, year in known.years.items():
        truth = supply.years[name].series_mw
        assert year.series_mw[100:172].max() <= truth.max() * 1.05
        assert np.all(year.series_mw[172:] == 0) and np.all(year.series_mw[:100] == 0)
        assert not np.array_equal(year.series_mw[100:172], truth[100:172]) and year.plant is supply.years[name].plant
        assert abs(year.series_mw[100] - truth[100]) <= 0.15 * truth.max()


# ---- real series


def test_held_out_weeks_are_not_looked_at() -> None:
    series = np.array(YEAR.ghi_w_per_m2)
    split = split_of(series, is_solar=True, fold=1)
    held = np.repeat(~split.training, 24)
    assert 0.3 < held.mean() < 0.36 and not (split.scored & ~held).any()
    changed = np.where(held, 0.0, series)
    first, second = fitted(series, is_solar=True, fold=1), fitted(changed, is_solar=True, fold=1)
    assert np.array_equal(first.climate.ratios, second.climate.ratios)
    assert np.array_equal(first.climate.bright, second.climate.bright)
    # A week that follows a training week: its first day's forecast rests on what was seen, which is the same in both.
    week = int(np.flatnonzero(np.diff(split.training.astype(int)) == -1)[1]) + 1
    day = slice(24 * week, 24 * week + 24)
    ahead = {lead: forecasts(first, lead)[0.5][day] for lead in (24,)}
    assert np.allclose(ahead[24][:1], forecasts(second, 24)[0.5][day][:1])


@pytest.mark.skipif(not DAGGETT.is_file(), reason="the real Daggett year is not on this machine")
def test_the_real_daggett_year_is_forecast_better_than_by_persistence_and_by_what_is_usual() -> None:
    found = import_year(read(DAGGETT.read_text()), Place("daggett", 34.85, -116.78, 561), Wish("id"))
    year = replace(found.year, dni_w_per_m2=np.zeros(8760), wind_m_per_s=np.zeros(8760))
    table = rows(score_year(year, (1, 24)))
    for lead in (1, 24):
        row = table["ghi_w_per_m2", "statistical", lead]
        assert row.rmse_skill_frac > 0.1 and row.crps_skill_frac > 0.0
        assert 0.76 < row.scores.coverage_frac < 0.88
        assert row.scores.n > 4000
    assert set(table["ghi_w_per_m2", "statistical", 1].to_json()) >= {"crps", "pinball", "coverage_frac", "mae", "rmse"}
