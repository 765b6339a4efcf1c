"""Tanks of a run: nothing comes from nothing, nothing is lost but by losses and full tanks, all of it may be had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.twin.core import salt as module
from eureka_park.twin.core.salt import Salt, no_salt

TURNS = 4  # an hour


def python(name: str) -> Any:
    """A kernel as the Python that it is written in."""
    kernel = getattr(module, name)
    return getattr(kernel, "py_func", kernel)


@pytest.fixture(autouse=True)
def _as_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("begin_hour", "most_kw", "offered_kw", "clean_most_kw", "give"):
        monkeypatch.setattr(module, name, python(name))


def case_of(k: int, seed: int) -> tuple[Salt, list[float]]:
    """So many tanks over six hours, and a load for each turn; some are dry, small or out of order."""
    draw, n = np.random.default_rng(seed), 6

    def rows() -> np.ndarray:
        return draw.uniform(0.0, 50.0, (k, n)) * (draw.random((k, n)) < 0.7)

    size = draw.uniform(1.0, 100.0, k)
    level, kept = size * draw.choice([0.0, 0.3, 1.0], k), 1.0 - draw.choice([0.0, 0.1], k)
    direct = draw.uniform(-10.0, 60.0, n)
    salt = Salt(direct, rows(), rows(), size, kept, level, np.zeros((k, n + 1)), *np.zeros((3, n)))
    return salt, (draw.uniform(0.0, 120.0, n * TURNS) * draw.choice([0.0, 1.0], n * TURNS)).tolist()


cases = st.builds(case_of, st.integers(0, 3), st.integers(0, 1 << 30))


def played(salt: Salt, load: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Clean power of each turn, and what was offered at its begin if all salt had been planned."""
    clean, offered = [], []
    for turn, drawn_kw in enumerate(load):
        hour, at = divmod(turn, TURNS)
        if at == 0:
            module.begin_hour(salt, hour)
        offered.append(module.offered_kw(salt, hour, np.inf, 1.0 - at / TURNS))
        assert module.clean_most_kw(salt, hour, 1.0 / TURNS) >= offered[-1] - 1e-9
        clean.append(module.give(salt, hour, drawn_kw, 1.0 / TURNS))
    salt.levels_kwh[:, len(load) // TURNS] = salt.level_kwh
    return np.array(clean), np.array(offered)


@given(cases)
@settings(max_examples=100, deadline=None)
def test_what_comes_in_is_given_spilt_lost_or_there(case: tuple[Salt, list[float]]) -> None:
    salt, load = case
    before = salt.level_kwh.sum()
    clean, _ = played(salt, load)
    lost = (salt.levels_kwh[:, :-1] * (1.0 - salt.kept_frac[:, None])).sum()
    gone = salt.given_kwh.sum() + salt.spilt_kwh.sum() + lost + salt.level_kwh.sum()
    assert gone == pytest.approx(before + salt.heat_kw.sum(), abs=1e-6)
    assert (salt.level_kwh >= 0.0).all()
    assert (salt.level_kwh <= salt.size_kwh + 1e-9).all()
    direct = np.repeat(salt.direct_kw, TURNS)
    assert salt.clean_kwh.sum() == pytest.approx(clean.sum() / TURNS)
    assert (clean <= np.maximum(0.0, np.maximum(direct, load)) + 1e-9).all(), "no more than is needed is drawn"


@given(cases)
@settings(max_examples=100, deadline=None)
def test_an_hour_of_it_keeps_the_rows_of_the_bound(case: tuple[Salt, list[float]]) -> None:
    """Pooled, with the least loss: held <= kept of what was held + heat - drawn, and drawn <= all power blocks."""
    salt, load = case
    played(salt, load)
    held = salt.levels_kwh.sum(axis=0)
    kept = float(salt.kept_frac.max(initial=0.0))
    room = kept * held[:-1] + salt.heat_kw.sum(axis=0) - salt.given_kwh
    assert (held[1:] <= room + 1e-9).all()
    assert (salt.given_kwh <= salt.block_kw.sum(axis=0) + 1e-9).all()


@given(cases)
@settings(max_examples=100, deadline=None)
def test_what_is_offered_is_there_for_the_rest_of_the_hour(case: tuple[Salt, list[float]]) -> None:
    salt, load = case
    module.begin_hour(salt, 0)
    offered = module.offered_kw(salt, 0, 7.0, 1.0)
    assert max(0.0, salt.direct_kw[0]) <= offered <= max(0.0, salt.direct_kw[0] + 7.0)
    for at in range(TURNS):  # as long as no more is drawn
        assert module.give(salt, 0, min(load[at], offered), 1.0 / TURNS) >= min(load[at], offered) - 1e-9


def test_tanks_that_could_give_for_longest_give_first() -> None:
    two = np.ones((2, 1))
    salt = Salt(np.zeros(1), 0.0 * two, 10.0 * two, np.array([40.0, 40.0]), np.ones(2), np.array([30.0, 20.0]),
                np.zeros((2, 2)), np.zeros(1), np.zeros(1), np.zeros(1))  # fmt: skip
    assert module.give(salt, 0, 12.0, 1.0) == 12.0
    assert salt.level_kwh.tolist() == [20.0, 18.0]


def test_without_tanks_clean_power_is_what_it_is() -> None:
    salt = no_salt(np.array([5.0, 0.0]))
    module.begin_hour(salt, 0)
    assert module.offered_kw(salt, 0, 3.0, 1.0) == module.clean_most_kw(salt, 0, 1.0) == 5.0
    assert module.give(salt, 0, 9.0, 1.0) == 5.0
    assert module.give(salt, 1, 9.0, 1.0) == 0.0
