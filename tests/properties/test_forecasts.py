"""For any series: quantiles rise with their level, stay within what was ever seen, and scores keep their order."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.energy.core.climate import climate_of
from eureka_park.energy.core.forecast import MODELS, noise_of, outlook_of
from eureka_park.energy.core.scores import crps_of_ensemble, pinball
from eureka_park.foundation.seeds import SeedTree

HOURS = np.arange(8760)
NOISES = {kind: noise_of(SeedTree(1), "anywhere", kind) for kind in MODELS}
kinds = st.sampled_from(sorted(MODELS))


@st.composite
def series(draw: st.DrawFn) -> np.ndarray:
    """Day and season, chance, calms, ceilings and dead stretches in any mixture; never below zero."""
    rng = SeedTree(draw(st.integers(0, 10_000))).generator()
    day = draw(st.floats(0, 1)) * np.maximum(0.0, np.sin(2 * np.pi * (HOURS % 24 - 6) / 24))
    season = 1 + draw(st.floats(0, 1)) * np.cos(2 * np.pi * HOURS / 8760)
    values = 100 * season * day * rng.uniform(0, 1, 8760) + draw(st.floats(0, 50)) * rng.weibull(1.9, 8760)
    values = np.minimum(values, draw(st.floats(1, 300)))
    if draw(st.booleans()):
        first = draw(st.integers(0, 8000))
        values[first : first + draw(st.integers(1, 700))] = 0.0
    return values


@settings(max_examples=30, deadline=None)
@given(series(), kinds, st.integers(0, 8759), st.integers(1, 96))
def test_quantiles_rise_and_stay_within_what_was_seen(values: np.ndarray, kind: str, hour: int, n_hours: int) -> None:
    made = outlook_of(values, NOISES[kind], is_solar=kind == "sun")
    issue = made.issued(hour, n_hours)
    found = np.array([issue.quantile(level) for level in (0.05, 0.1, 0.5, 0.9, 0.95)])
    assert found.shape == (5, n_hours) and np.isfinite(found).all()
    assert np.diff(found, axis=0).min() >= -1e-9
    assert found.min() >= 0 and found.max() <= values.max() + 1e-9
    mean = issue.mean()
    assert np.all(mean >= issue.quantile(0.02) - 1e-9) and np.all(mean <= issue.quantile(0.98) + 1e-9)
    some = outlook_of(
        values, NOISES[kind], is_solar=kind == "sun", wanted_days=(hour + np.arange(n_hours)) % 8760 // 24
    ).issued(hour, n_hours)
    assert np.allclose(some.quantile(0.1), found[1])


@settings(max_examples=20, deadline=None)
@given(series(), kinds)
def test_scores_keep_the_order_of_values_and_bring_them_back(values: np.ndarray, kind: str) -> None:
    climate = climate_of(values, is_solar=kind == "sun")
    assert np.all(climate.scores(values + 1.0) >= climate.scores(values) - 1e-12)
    back = climate.values(climate.scores(values))
    low, high = climate.ratios[0] * climate.bright, climate.ratios[-1] * climate.bright
    inside = (values >= low) & (values <= high)
    assert np.allclose(back[inside], values[inside], atol=1e-6 * max(1.0, values.max()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-100, 100), min_size=2, max_size=30), st.floats(-100, 100), st.floats(0.01, 0.99))
def test_no_score_is_below_that_of_the_truth_itself(members: list[float], truth: float, level: float) -> None:
    array = np.array(members)[:, None]
    assert pinball(np.array([truth]), array[0], level)[0] >= 0
    n = len(members)
    biased = crps_of_ensemble(np.array([truth]), array)[0] + np.abs(array - array.T).sum() / (2 * n * n * (n - 1))
    assert biased >= -1e-9
