"""Dispatch problems one after another, each some hours later than the last, solved from where the last one ended.

The program stays in the solver, its hours in a ring: only bounds and costs are renewed, and hours that are planned
again stand where they stood. The optimum is that of `dispatch.dispatch`, in half the time. Where several dispatches are
optimal (plants that may stand in for each other) another of them may be found; the same chain finds the same ones.
"""

from __future__ import annotations

from eureka_park.energy.core.dispatch import PLAN_OPTIONS, Dispatch, told
from eureka_park.energy.core.dispatch_problem import DispatchProblem
from eureka_park.energy.core.dispatch_program import SOLVER_UNIT, DispatchHandles, add_dispatch
from eureka_park.energy.core.linear_program import Block, LinearProgram, Outline, Solver


class DispatchChain:
    """Solves problems of one supply and one length. `most_mw`: no load nor tie is above it."""

    def __init__(self, most_mw: float) -> None:
        self._unit = max(most_mw, 1e-9) / SOLVER_UNIT
        self._solver: Solver | None = None
        self._handles: DispatchHandles | None = None

    def solve(self, problem: DispatchProblem, hours_on: int) -> Dispatch:
        """The cheapest dispatch of a problem that begins `hours_on` hours after the last one. Raises Internal."""
        if self._solver is not None:
            outline = Outline(self._unit)
            add_dispatch(outline, problem)
            if not self._solver.renew(outline, hours_on, self._chains(problem)):
                self._solver = None
        if self._solver is None:
            program = LinearProgram(self._unit)
            self._handles = add_dispatch(program, problem)
            self._solver = program.solver(PLAN_OPTIONS)
        assert self._handles is not None
        return told(problem, self._handles, self._solver.solve().checked("The dispatch"))

    def _chains(self, problem: DispatchProblem) -> list[tuple[Block, Block, float]]:
        """Rows that hold what was in a store an hour before, and how much of it is left."""
        assert self._handles is not None
        salt, batteries = self._handles.salt, self._handles.batteries
        found = [(at.rows, at.tank, problem.salt[name].loss_frac - 1.0) for name, at in salt.items()]
        return found + [(at.rows, at.level, problem.batteries[name].loss_frac - 1.0) for name, at in batteries.items()]
