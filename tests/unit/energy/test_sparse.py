"""Columns of a sparse matrix against a dense one."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.sparse import Entries


def test_blocks_add_up_to_the_dense_matrix() -> None:
    generator = np.random.default_rng(5)
    rows, columns = generator.integers(0, 7, 60), generator.integers(0, 5, 60)
    values = generator.normal(size=60)
    dense = np.zeros((7, 5))
    np.add.at(dense, (rows, columns), values)
    entries = Entries()
    entries.add(rows[:20], columns[:20], values[:20])
    entries.add(rows[20:], columns[20:], values[20:])
    matrix = entries.by_column(7, 5)
    again = np.zeros((7, 5))
    for column in range(5):
        part = slice(matrix.start[column], matrix.start[column + 1])
        assert np.all(np.diff(matrix.index[part]) > 0)
        again[matrix.index[part], column] = matrix.value[part]
    assert np.allclose(dense, again)


def test_empty_columns_and_outside_entries() -> None:
    entries = Entries()
    entries.add(1, 2, 3.0)
    assert entries.by_column(2, 4).start.tolist() == [0, 0, 0, 1, 1]
    assert Entries().by_column(2, 2).start.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="outside"):
        entries.by_column(1, 4)
