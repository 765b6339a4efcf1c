"""The builder of linear programs: blocks, duals, changes, what has no answer."""

from __future__ import annotations

import numpy as np
import pytest

from eureka_park.energy.core.linear_program import LinearProgram, Options
from eureka_park.foundation.errors import Internal


def bought(unit: float = 1.0, load: tuple[float, ...] = (3.0, 8.0)) -> LinearProgram:
    """Two hours of load from a cheap source of 5 and a dear one without limit."""
    lp = LinearProgram(unit)
    cheap = lp.add_columns("cheap", 2, upper=5.0, cost=[10.0, 20.0])
    dear = lp.add_columns("dear", 2, cost=100.0)
    balance = lp.add_rows("balance", 2, lower=load, upper=load)
    lp.add_entries(balance, cheap, 1.0)
    lp.add_entries(balance, dear, 1.0)
    return lp


@pytest.mark.parametrize("unit", [1.0, 0.01, 250.0])
@pytest.mark.parametrize("method", ["simplex", "ipm"])
def test_values_and_duals_come_back_by_name_whatever_the_unit(unit: float, method: str) -> None:
    answer = bought(unit).solve(Options(method=method)).checked()  # type: ignore[arg-type]
    assert answer.values["cheap"] == pytest.approx([3, 5])
    assert answer.values["dear"] == pytest.approx([0, 3])
    assert answer.duals["balance"] == pytest.approx([10, 100])
    assert answer.reduced_costs["cheap"] == pytest.approx([0, -80])
    assert answer.objective == pytest.approx(30 + 100 + 300)


@pytest.mark.parametrize("unit", [1.0, 50.0])
def test_bounds_costs_and_entries_change_and_it_is_solved_again(unit: float) -> None:
    lp = bought(unit)
    solver = lp.solver()
    solver.solve()
    solver.set_rows("balance", 4.0, 4.0, where=[1])
    assert solver.solve().objective == pytest.approx(30 + 80)
    solver.set_columns("cheap", 0.0, 1.0)
    assert solver.solve().values["dear"] == pytest.approx([2, 3])
    solver.set_costs("dear", [5.0, 6.0])
    assert solver.solve().values["cheap"] == pytest.approx([0, 0])
    solver.set_entry(lp.rows("balance").start, lp.columns("dear").start, 3.0)
    assert solver.solve().values["dear"] == pytest.approx([1, 4])


def test_a_column_may_be_added_to_rows_of_others_and_meet_them_all() -> None:
    lp = bought()
    new = lp.add_columns("new", cost=50.0)
    lp.add_entries(lp.rows("balance"), new, [0.5, 1.0])
    answer = lp.solve().checked()
    assert answer.value("new") == pytest.approx(3)
    assert answer.values["cheap"] == pytest.approx([1.5, 5])
    assert lp.size == (2, 5)


def test_whole_numbers_stay_whole_in_any_unit() -> None:
    lp = LinearProgram(unit=100.0)
    power = lp.add_columns("power", 1, upper=10.0, cost=-1.0)
    blocks = lp.add_columns("blocks", 1, upper=9.0, cost=2.5, is_integer=True)
    row = lp.add_rows("within", 1, lower=-np.inf, upper=0.0)
    lp.add_entries(row, power, 1.0)
    lp.add_entries(row, blocks, -4.0)
    answer = lp.solve().checked()
    assert answer.value("blocks") == pytest.approx(2)
    assert answer.value("power") == pytest.approx(8)
    assert answer.objective == pytest.approx(-3)
    assert lp.has_integers and not bought().has_integers


def test_what_has_no_answer_is_said() -> None:
    lp = bought()
    lp.add_entries(lp.add_rows("never", lower=20.0, upper=np.inf).at([0, 0]), lp.columns("cheap"), 1.0)
    answer = lp.solve()
    assert answer.status == "infeasible"
    with pytest.raises(Internal, match="no optimum"):
        answer.checked()
    endless = LinearProgram()
    endless.add_columns("sold", cost=-1.0)
    assert endless.solve().status in ("unbounded", "infeasible")


def test_a_name_is_taken_once() -> None:
    lp = bought()
    with pytest.raises(Internal, match="'dear'"):
        lp.add_columns("dear", 3)
