"""Random bits are those of numpy's SFC64; draws from tables have the moments and shares that they should."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.foundation.kernels import kernel
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.chance import (
    BITS,
    Z_MAX,
    alias_table,
    at_score,
    below,
    bits,
    fill_block,
    grid,
    normal_tables,
    over_scores,
    picked,
    score,
    seeded,
    uniform,
    waiting,
    waiting_table,
)

N = 1 << 20


def state_of(seed: int) -> Any:
    record = np.zeros(1, np.dtype(BITS)).view(np.recarray)
    seeded(record, SeedTree(seed))
    return record


def words(seed: int, n: int = N) -> Any:
    block = np.zeros(n, np.uint64)
    with np.errstate(over="ignore"):
        fill_block(state_of(seed)[0], block)
    return block


@kernel
def scores(block: Any, middle: Any, tail: Any, found: Any) -> None:
    for index in range(block.shape[0]):
        found[index] = score(block[index], middle, tail)


@kernel
def picks(block: Any, odds: Any, found: Any) -> None:
    for index in range(block.shape[0]):
        found[index] = picked(block[index], odds)


@kernel
def waits(block: Any, table: Any, found: Any) -> None:
    for index in range(block.shape[0]):
        found[index] = waiting(block[index], table)


def reference(state: Any) -> np.random.SFC64:
    made = np.random.SFC64()
    inner = made.state
    inner["state"]["state"] = np.array([state.a[0], state.b[0], state.c[0], state.count[0]], dtype=np.uint64)
    made.state = inner
    return made


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_bits_are_those_of_another_sfc64(seed: int) -> None:
    state = state_of(seed)
    wanted = reference(state).random_raw(2000)
    with np.errstate(over="ignore"):
        one_by_one = [int(bits(state[0])) for _ in range(1000)]
        block = np.zeros(1000, np.uint64)
        fill_block(state[0], block)
    assert one_by_one + block.tolist() == wanted.tolist()


def test_a_seed_is_thrown_in_as_its_author_does() -> None:
    raw = np.frombuffer(SeedTree(5).entropy()[:24], dtype="<u8")
    other = np.zeros(1, np.dtype(BITS)).view(np.recarray)
    other.a[0], other.b[0], other.c[0], other.count[0] = *raw, 1
    assert reference(other).random_raw(13)[12] == words(5, 1)[0]


def test_uniform_numbers_lie_from_0_to_below_1() -> None:
    assert uniform(np.uint64(0)) == 0.0
    assert uniform(np.uint64(2**64 - 1)) == 1.0 - 2.0**-53


def test_scores_are_standard_normal() -> None:
    found = np.zeros(N)
    scores(words(1), *normal_tables(), found)
    assert abs(found.mean()) < 5 / N**0.5
    assert found.var() == pytest.approx(1.0, abs=5 * (2 / N) ** 0.5)
    assert (found**4).mean() == pytest.approx(3.0, abs=5 * (96 / N) ** 0.5)
    for z in (-4.0, -3.3, -2.0, -0.5, 0.0, 1.0, 3.0, 4.0):
        share = float(below(np.array([z]))[0])
        assert float((found < z).mean()) == pytest.approx(share, abs=5 * (share * (1 - share) / N) ** 0.5), z


def test_waits_are_exponential() -> None:
    found = np.zeros(N)
    waits(words(3), waiting_table(), found)
    assert found.min() >= 0.0
    assert found.mean() == pytest.approx(1.0, abs=5 / N**0.5)
    assert found.var() == pytest.approx(1.0, abs=5 * (8 / N) ** 0.5)
    for level in (0.001, 0.1, 1.0, 4.0, 7.5, 8.5, 10.0):
        share = float(np.exp(-level))
        assert float((found > level).mean()) == pytest.approx(share, abs=5 * (share * (1 - share) / N) ** 0.5), level


def test_a_score_rises_with_its_word_and_ends_within_reason() -> None:
    middle, tail = normal_tables()
    rising = [score(np.uint64(word), middle, tail) for word in (0, 2**30, 2**43, 2**54, 2**63, 2**64 - 2**54)]
    assert rising == sorted(rising)
    assert -5.6 < rising[0] < -5.0
    assert score(np.uint64(2**64 - 1), middle, tail) < 5.6


def test_values_over_scores_are_linear_between_points_and_bounded_beyond() -> None:
    table = over_scores(3.0 * grid() + 1.0)
    for z in (-7.0, -Z_MAX, -1.234, 0.0, 2.5, Z_MAX, 9.0):
        assert at_score(table, z) == pytest.approx(3.0 * min(Z_MAX, max(-Z_MAX, z)) + 1.0)


@pytest.mark.parametrize("weights", [[1.0], [1, 2, 3, 4], [1e-9, 1, 1e-9], list(1.0 / np.arange(1, 1001))])
def test_an_alias_table_holds_its_weights(weights: list[float]) -> None:
    odds, share = alias_table(weights), np.array(weights, dtype=float) / sum(weights)
    held = odds.own[::2].copy()
    np.add.at(held, odds.to[1::2], 1.0 - odds.own[::2])
    assert odds.to[::2].tolist() == list(range(len(weights)))
    assert held / len(weights) == pytest.approx(share, abs=1e-12)
    found = np.zeros(N, np.int64)
    picks(words(2), odds, found)
    counts = np.bincount(found, minlength=len(weights))
    assert (np.abs(counts - N * share) <= 6 * np.sqrt(N * share) + 1).all()
