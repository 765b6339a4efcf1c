"""Scores against hand-made cases, and against each other."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.scores import LEVELS, crps_of_ensemble, crps_of_quantiles, pinball, scores_of, skill_frac
from eureka_park.foundation.seeds import SeedTree


def test_pinball_by_hand() -> None:
    assert pinball(np.array([10.0, 0.0]), np.array([4.0, 4.0]), 0.9).tolist() == pytest.approx([5.4, 0.4])


def test_crps_of_one_member_is_the_absolute_error_and_of_two_by_hand() -> None:
    assert crps_of_ensemble(np.array([3.0]), np.array([[1.0]]))[0] == 2.0
    # |x - y| mean = 1, less half of the fair mean distance |0 - 2| = 2: 1 - 1 = 0
    assert crps_of_ensemble(np.array([1.0]), np.array([[0.0], [2.0]]))[0] == pytest.approx(0.0)


def test_both_ways_to_crps_agree_for_a_normal_forecast() -> None:
    """The CRPS of a standard normal forecast at truth 0 is 2 phi(0) - 1/sqrt(pi) = 0.2337."""
    members = SeedTree(1).child("crps").generator().standard_normal((4000, 3))
    truth = np.zeros(3)
    by_members = crps_of_ensemble(truth, members).mean()
    levels = [round(0.01 * step - 0.005, 4) for step in range(1, 101)]
    by_levels = crps_of_quantiles(truth, {level: np.quantile(members, level, axis=0) for level in levels}).mean()
    assert by_members == pytest.approx(0.2337, abs=0.006) and by_levels == pytest.approx(0.2337, abs=0.008)


def test_scores_of_a_sharp_and_of_a_calibrated_forecast() -> None:
    truth = SeedTree(2).child("t").generator().uniform(0, 1, 20000)
    exact = scores_of(truth, dict.fromkeys(LEVELS, truth))
    assert exact.crps == exact.mae == exact.rmse == 0 and exact.coverage_frac == 1
    uniform = scores_of(truth, {level: np.full(len(truth), level) for level in LEVELS})
    assert uniform.coverage_frac == pytest.approx(0.8, abs=0.01) and uniform.width == pytest.approx(0.8)
    assert uniform.mae == pytest.approx(0.25, abs=0.01) and abs(uniform.bias) < 0.01
    narrow = scores_of(truth, {level: np.full(len(truth), 0.5 + 0.1 * (level - 0.5)) for level in LEVELS})
    assert narrow.coverage_frac < 0.1 and narrow.crps > uniform.crps
    assert skill_frac(uniform.crps, narrow.crps) > 0 > skill_frac(narrow.crps, uniform.crps)
