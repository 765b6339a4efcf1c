"""A linear program put together from named blocks of columns and rows, and solved by HiGHS.

    lp = LinearProgram(unit=4.0)
    bought = lp.add_columns("import", 48, upper=386.0, cost=price)
    balance = lp.add_rows("balance", 48, lower=load, upper=load)
    lp.add_entries(balance, bought, 1.0)
    answer = lp.solve()
    answer.values["import"], answer.duals["balance"]

A block is `n` columns (or rows) under one name; who holds the program may add columns to rows that others made:
`lp.add_entries(lp.rows("balance"), more, 1.0)`. Least cost is sought. A dual is the change of the cost for a unit more
on the right-hand side of its row. `unit` is the size of a typical value: continuous columns and rows are divided by it
inside the solver, so that a roof and a park are solved to the same relative precision.

The same program gives the same answer bit by bit: one thread, one seed. Only a time limit can break that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import highspy
import numpy as np
import numpy.typing as npt

from eureka_park.energy.core.sparse import Entries, Indices, Values
from eureka_park.foundation.errors import Internal

Status = Literal["optimal", "infeasible", "unbounded", "limit", "failed"]
Where = npt.ArrayLike | slice | None
_STATUS: Final[dict[str, Status]] = {
    "Optimal": "optimal",
    "Empty": "optimal",
    "Infeasible": "infeasible",
    "Unbounded": "unbounded",
    "Primal infeasible or unbounded": "infeasible",
    "Time limit reached": "limit",
    "Iteration limit reached": "limit",
}


@dataclass(frozen=True, slots=True)
class Options:
    """How to solve. `ipm` is the interior point method followed by crossover to a vertex.

    `time_limit_s` is in real seconds of the solver and makes the answer depend on the machine; none: no limit.
    `gap_frac` is the relative gap at which a program with integers may stop. `more` are options of HiGHS by name.
    """

    method: Literal["simplex", "ipm"] = "simplex"
    time_limit_s: float | None = None
    gap_frac: float = 1e-4
    more: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """`n` columns or rows that begin at `start`."""

    name: str
    start: int
    n: int

    @property
    def slice(self) -> slice:
        """Where the block lies among all columns or rows."""
        return slice(self.start, self.start + self.n)

    def at(self, where: Where = None) -> npt.NDArray[np.int64]:
        """Numbers of the whole block, or of some places in it (indices, a slice; -1 is the last)."""
        whole = np.arange(self.start, self.start + self.n, dtype=np.int64)
        if where is None:
            return whole
        return np.atleast_1d(whole[where if isinstance(where, slice) else np.asarray(where, dtype=np.int64)])


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Values and reduced costs by block of columns, duals by block of rows (none where integers were asked for).

    Where `status` is not `optimal` the figures are the best that the solver had, or empty of meaning.
    """

    status: Status
    message: str
    objective: float
    values: dict[str, Values]
    reduced_costs: dict[str, Values]
    duals: dict[str, Values]
    iterations: int

    def value(self, name: str) -> float:
        """The value of a block of one column."""
        return float(self.values[name][0])

    def checked(self, what: str = "The linear program") -> Solution:
        """Itself. Raises Internal when no optimum was found."""
        if self.status != "optimal":
            raise Internal(f"{what} found no optimum: {self.message}.", code="dispatch_failed")
        return self


@dataclass(slots=True)
class _Side:
    """The columns or the rows so far: names, and lower and upper bounds block by block."""

    blocks: dict[str, Block] = field(default_factory=dict)
    lower: list[Values] = field(default_factory=list)
    upper: list[Values] = field(default_factory=list)
    n: int = 0

    def add(self, name: str, n: int, lower: npt.ArrayLike, upper: npt.ArrayLike) -> Block:
        if name in self.blocks:
            raise Internal(f"There is a block '{name}' already.", code="linear_program")
        block = Block(name, self.n, n)
        self.lower.append(_spread(lower, n))
        self.upper.append(_spread(upper, n))
        self.blocks[name] = block
        self.n += n
        return block


class LinearProgram:
    """The builder; see the module's text. Bounds and costs are numbers or arrays of the block's length."""

    def __init__(self, unit: float = 1.0) -> None:
        self.unit = unit
        self._columns, self._rows = _Side(), _Side()
        self._cost: list[Values] = []
        self._is_integer: list[npt.NDArray[np.bool_]] = []
        self._entries = Entries()

    def add_columns(
        self,
        name: str,
        n: int = 1,
        *,
        lower: npt.ArrayLike = 0.0,
        upper: npt.ArrayLike = np.inf,
        cost: npt.ArrayLike = 0.0,
        is_integer: bool = False,
    ) -> Block:
        """Add `n` columns. Raises Internal when the name is taken."""
        block = self._columns.add(name, n, lower, upper)
        self._cost.append(_spread(cost, n))
        self._is_integer.append(np.full(n, is_integer))
        return block

    def add_rows(self, name: str, n: int = 1, *, lower: npt.ArrayLike, upper: npt.ArrayLike) -> Block:
        """Add `n` rows `lower <= row <= upper`; equal bounds make equations. Raises Internal when the name is taken."""
        return self._rows.add(name, n, lower, upper)

    def add_entries(self, rows: Block | npt.ArrayLike, columns: Block | npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Entries of the matrix, broadcast to one length; entries at the same place add up.

        A block stands for all of its numbers, `block.at(where)` for some: a block of one column meets every row.
        """
        row = rows.at() if isinstance(rows, Block) else rows
        column = columns.at() if isinstance(columns, Block) else columns
        self._entries.add(row, column, values)

    def columns(self, name: str) -> Block:
        """A block of columns by name. Raises KeyError."""
        return self._columns.blocks[name]

    def rows(self, name: str) -> Block:
        """A block of rows by name. Raises KeyError."""
        return self._rows.blocks[name]

    @property
    def size(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return self._rows.n, self._columns.n

    @property
    def column_blocks(self) -> tuple[Block, ...]:
        """All blocks of columns in their order."""
        return tuple(self._columns.blocks.values())

    @property
    def row_blocks(self) -> tuple[Block, ...]:
        """All blocks of rows in their order."""
        return tuple(self._rows.blocks.values())

    def solver(self, options: Options = Options()) -> Solver:
        """The program handed to HiGHS, to be solved, changed in its bounds and solved again from where it stood."""
        return Solver(self, options)

    def solve(self, options: Options = Options()) -> Solution:
        """Solve once; `checked()` of the answer insists on an optimum."""
        return self.solver(options).solve()

    def compiled(self) -> highspy.HighsLp:
        """The program in the form of HiGHS, in solver units."""
        n_rows, n_columns = self.size
        is_integer = np.concatenate(self._is_integer) if self._is_integer else np.zeros(0, dtype=bool)
        scale = np.where(is_integer, 1.0, self.unit)
        matrix = self._entries.by_column(n_rows, n_columns)
        per_column = np.repeat(scale / self.unit, np.diff(matrix.start))
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = n_columns, n_rows
        lp.col_cost_ = _joined(self._cost) * scale / self.unit
        lp.col_lower_ = _joined(self._columns.lower) / scale
        lp.col_upper_ = _joined(self._columns.upper) / scale
        lp.row_lower_ = _joined(self._rows.lower) / self.unit
        lp.row_upper_ = _joined(self._rows.upper) / self.unit
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.num_col_, lp.a_matrix_.num_row_ = n_columns, n_rows
        lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.start, matrix.index
        lp.a_matrix_.value_ = matrix.value * per_column
        if is_integer.any():
            kinds = highspy.HighsVarType
            lp.integrality_ = [kinds.kInteger if whole else kinds.kContinuous for whole in is_integer]
        return lp

    def bounds(self) -> tuple[tuple[Values, Values, Values], tuple[Values, Values]]:
        """Lower and upper bounds and costs of all columns, lower and upper bounds of all rows."""
        columns, rows = self._columns, self._rows
        return (_joined(columns.lower), _joined(columns.upper), _joined(self._cost)), (
            _joined(rows.lower),
            _joined(rows.upper),
        )

    def is_integer(self, name: str) -> bool:
        """Whether the columns of a block must be whole numbers."""
        return bool(self._is_integer[list(self._columns.blocks).index(name)].any())

    @property
    def has_integers(self) -> bool:
        """Whether any column must be a whole number."""
        return any(bool(part.any()) for part in self._is_integer)


class Outline(LinearProgram):
    """Bounds and costs of a program whose matrix a solver has already; see `Solver.renew`."""

    def add_entries(self, rows: Block | npt.ArrayLike, columns: Block | npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Nothing: the matrix is known."""


class Solver:
    """A program inside HiGHS. After `solve`, change bounds or costs and solve again: it starts from the last basis."""

    def __init__(self, program: LinearProgram, options: Options) -> None:
        self._program, self._unit = program, program.unit
        self._first = 0  # where in its ring each block begins; see `renew`
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        fixed = (("output_flag", False), ("threads", 1), ("random_seed", 0), ("solver", options.method))
        limits = (("mip_rel_gap", options.gap_frac), ("time_limit", options.time_limit_s or float("inf")))
        for option, value in (*fixed, *limits, *options.more):
            self._highs.setOptionValue(option, value)
        self._highs.passModel(program.compiled())

    def renew(self, outline: Outline, moved: int, chains: Sequence[tuple[Block, Block, float]] = ()) -> bool:
        """Take over the bounds and costs of a program of the same blocks, unit and matrix; False where blocks differ.

        All blocks must be of one length, as of a horizon that has moved on by so many places. They lie in a ring inside
        the solver, so that what stays within the horizon stays where it is, and the next `solve` begins from there. A
        chain is rows whose entries hold the column before their own, at this value; their first has none.
        """
        blocks = (self._program.column_blocks, self._program.row_blocks)
        lengths = {block.n for part in blocks for block in part}
        if blocks != (outline.column_blocks, outline.row_blocks) or len(lengths) != 1:
            return False
        length, before = lengths.pop(), self._first
        self._first = first = (before + moved) % length
        if first != before:
            for rows, columns, value in chains:
                self._highs.changeCoeff(rows.start + before, columns.start + (before - 1) % length, value)
                self._highs.changeCoeff(rows.start + first, columns.start + (first - 1) % length, 0.0)
        (lower, upper, cost), (low, high) = outline.bounds()
        n_rows, n_columns = outline.size
        at = np.arange(max(n_rows, n_columns), dtype=np.int32)
        lower, upper, low, high = (_turned(part, length, first) / self._unit for part in (lower, upper, low, high))
        self._highs.changeColsBounds(n_columns, at[:n_columns], lower, upper)
        self._highs.changeColsCost(n_columns, at[:n_columns], _turned(cost, length, first))
        self._highs.changeRowsBounds(n_rows, at[:n_rows], low, high)
        return True

    def set_columns(self, block: Block | str, lower: npt.ArrayLike, upper: npt.ArrayLike, where: Where = None) -> None:
        """New bounds of a block of columns, or of some places in it."""
        at, scale = self._columns(block, where)
        self._highs.changeColsBounds(at.size, at, _spread(lower, at.size) / scale, _spread(upper, at.size) / scale)

    def set_costs(self, block: Block | str, cost: npt.ArrayLike, where: Where = None) -> None:
        """New costs of a block of columns, or of some places in it."""
        at, scale = self._columns(block, where)
        self._highs.changeColsCost(at.size, at, _spread(cost, at.size) * scale / self._unit)

    def set_rows(self, block: Block | str, lower: npt.ArrayLike, upper: npt.ArrayLike, where: Where = None) -> None:
        """New bounds of a block of rows, or of some places in it."""
        found = self._program.rows(block) if isinstance(block, str) else block
        at = found.at(where).astype(np.int32)
        low, high = _spread(lower, at.size) / self._unit, _spread(upper, at.size) / self._unit
        self._highs.changeRowsBounds(at.size, at, low, high)

    def set_entry(self, row: int, column: int, value: float) -> None:
        """A new value at one place of the matrix, by the numbers of its row and its (continuous) column."""
        self._highs.changeCoeff(row, column, value)

    def solve(self) -> Solution:
        """Solve from the last basis where there is one."""
        self._highs.run()
        message = str(self._highs.modelStatusToString(self._highs.getModelStatus()))
        info, solution = self._highs.getInfo(), self._highs.getSolution()
        values, reduced = np.asarray(solution.col_value), np.asarray(solution.col_dual)
        duals = np.asarray(solution.row_dual)
        blocks, rows = self._program.column_blocks, self._program.row_blocks
        if self._first:
            values, reduced, duals = (_turned(part, blocks[0].n, -self._first) for part in (values, reduced, duals))
        scales = {block.name: self._scale(block.name) for block in blocks}
        return Solution(
            _STATUS.get(message, "failed"),
            message,
            float(info.objective_function_value) * self._unit,
            {block.name: values[block.slice] * scales[block.name] for block in blocks},
            {block.name: reduced[block.slice] * self._unit / scales[block.name] for block in blocks},
            {block.name: duals[block.slice] for block in rows},
            max(int(info.simplex_iteration_count), int(info.ipm_iteration_count), 0),
        )

    def _columns(self, block: Block | str, where: Where) -> tuple[Indices, float]:
        found = self._program.columns(block) if isinstance(block, str) else block
        return found.at(where).astype(np.int32), self._scale(found.name)

    def _scale(self, name: str) -> float:
        return 1.0 if self._program.is_integer(name) else self._unit


def _turned(values: Values, length: int, by: int) -> Values:
    """Blocks of one length, each turned in its ring."""
    return np.roll(values.reshape(-1, length), by, axis=1).ravel() if by else values


def _spread(value: npt.ArrayLike, n: int) -> Values:
    found = np.asarray(value, dtype=np.float64)
    return found if found.shape == (n,) else np.full(n, found)  # much quicker than to broadcast


def _joined(parts: list[Values]) -> Values:
    return np.concatenate(parts) if parts else np.zeros(0)
