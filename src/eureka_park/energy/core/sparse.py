"""A sparse matrix put together block by block and handed over by columns; numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ByColumn:
    """Compressed sparse columns: column `j` has rows `index[start[j]:start[j+1]]`, rising, without repeats."""

    n_rows: int
    n_columns: int
    start: Indices
    index: Indices
    value: Values


@dataclass(slots=True)
class Entries:
    """Entries gathered as (row, column, value); those at the same place add up."""

    _rows: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _columns: list[npt.NDArray[np.int64]] = field(default_factory=list)
    _values: list[Values] = field(default_factory=list)

    def add(self, rows: npt.ArrayLike, columns: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Add entries; the three arguments are broadcast to one length."""
        row, column, value = np.broadcast_arrays(np.atleast_1d(rows), columns, values)
        self._rows.append(row.astype(np.int64))
        self._columns.append(column.astype(np.int64))
        self._values.append(value.astype(np.float64))

    def by_column(self, n_rows: int, n_columns: int) -> ByColumn:
        """The matrix in compressed columns. Raises ValueError when an entry lies outside."""
        empty = np.empty(0, dtype=np.int64)
        rows = np.concatenate(self._rows or [empty])
        columns = np.concatenate(self._columns or [empty])
        values = np.concatenate(self._values or [np.empty(0)])
        if rows.size and (min(rows.min(), columns.min()) < 0 or rows.max() >= n_rows or columns.max() >= n_columns):
            raise ValueError(f"an entry lies outside {n_rows} x {n_columns}")
        places, where = np.unique(columns * n_rows + rows, return_inverse=True)
        start = np.searchsorted(places, np.arange(n_columns + 1) * n_rows)
        summed = np.bincount(where, weights=values, minlength=places.size).astype(np.float64)
        return ByColumn(n_rows, n_columns, start.astype(np.int32), (places % n_rows).astype(np.int32), summed)
