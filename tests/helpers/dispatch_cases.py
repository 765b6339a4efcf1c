"""Dispatch problems with invented weather of the right shape: three salt plants, PV, wind, a tariff of three posts."""

from __future__ import annotations

from typing import Any

import numpy as np

from eureka_park.energy.core.dispatch import DispatchProblem, SaltPlant, for_a_year


def weeks(n_hours: int = 14 * 24, load_mw: float = 386.0, seed: int = 1, **changes: Any) -> DispatchProblem:
    """A problem of so many hours, cyclic and without spreading blocks unless `changes` say otherwise."""
    generator = np.random.default_rng(seed)
    hour = np.arange(n_hours)
    clear = np.repeat(np.clip(generator.beta(3, 1, n_hours // 24 + 1), 0, 1), 24)[:n_hours]
    sun = np.maximum(0.0, np.sin((hour % 24 - 6) / 12 * np.pi)) ** 0.5 * clear
    gust = np.convolve(generator.normal(size=n_hours + 23), np.ones(24) / 4.9, mode="valid")
    post = hour % 24
    price = np.where((post >= 17) & (post < 22), 1000.0, np.where((post >= 7) & (post < 22), 750.0, 550.0)) + 229.2
    sold = np.where((post >= 17) & (post < 22), 210.0, 180.0)
    salt = {
        "noor-i": SaltPlant(430 * sun, 402.8, 0.36, 0.96, 1208.0, 300.0, 0.0004),
        "noor-ii": SaltPlant(620 * sun, 528.6, 0.35, 0.96, 3700.0, 300.0, 0.0004),
        "noor-iii": SaltPlant(600 * sun, 350.0, 0.40, 0.96, 2625.0, 300.0, 0.0004),
    }
    direct = {"noor-iv": 69 * sun, "koudia": 100 / (1 + np.exp(-1.5 * gust))}
    problem = DispatchProblem(np.full(n_hours, load_mw), salt, direct, price, sold, 386.0, 386.0, 0.0)
    return for_a_year(problem, **changes)
