"""When a job would start that is only asked about: it stands last on the board, and the board is played forward.

The board is the one that the starts of waiting jobs were last worked out from, as the park keeps it in a file; where
that is too old, as while nobody waits, one that rows of jobs tell (`control.would_start`).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import log2
from pathlib import Path
from typing import Any, Final, cast

from eureka_park.compute.core.board import Board
from eureka_park.compute.core.board_side import BoardSide
from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job import Job, JobSpec
from eureka_park.control.quoting import Asked
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.kernels import machine_code_is_ready
from eureka_park.twin.core.starts import HORIZON_S, N_DRAWS, Floats, Ratios, one_draw, quantiles

OLD_S: Final = 180.0  # real seconds after which the kept board tells nothing any more
BYTES_MAX: Final = 4_000_000  # a kept board that is larger takes too long to read: some 30,000 jobs
KEPT: Final = 512  # estimates that are remembered, of one board
TICK_S: Final = 300.0  # longer steps than the park's own: whoever asks waits for the answer
BUDGET_S: Final = 0.25  # CPU seconds of all tiers of one quote
VISITOR_BUDGET_S: Final = 0.025
VISITORS_FRAC: Final = 0.01  # of one CPU, for all visitors together
VISITORS_MOST_S: Final = 0.5  # CPU seconds that they may save up
VISITOR_AGE_S: Final = 60.0  # real seconds for which a visitor is told what was worked out, whatever happened since
N_MIN: Final = 3  # fewer draws tell nothing of nine in ten
SAME_S: Final = 900.0  # deadlines that differ by less are one to what is remembered

Estimate = tuple[float, float]  # by when it starts in one case of two, and in nine of ten


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A board as its file tells it: when that was, the board with the names on it, and what declared times come to."""

    real_s: float
    side: BoardSide
    ratios: Ratios


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """An estimate that was made, None for a start beyond the horizon; from what, and when."""

    estimate: Estimate | None
    basis: object
    real_s: float

    def holds(self, basis: object, real_s: float, is_visitor: bool) -> bool:
        """Whether it may be told still."""
        return basis is self.basis or (is_visitor and real_s - self.real_s < VISITOR_AGE_S)


class AskedStarts:
    """Estimates for one park. Those made are remembered until there is another board."""

    def __init__(
        self, path: Path, nodes: tuple[Node, ...], tick_s: float, seed: int, real_s: Callable[[], float]
    ) -> None:
        self._path, self._nodes, self._tick_s, self._seed = path, nodes, max(TICK_S, tick_s), seed
        self._real_s, self._lock = real_s, threading.Lock()
        self._is_cold = True
        self._read_ns, self._kept = -1, cast("_Kept | None", None)
        self._known: dict[tuple[Any, ...], _Known] = {}
        self._visitors_s, self._visitors_real_s = VISITORS_MOST_S, real_s()

    def estimates(
        self, asked: Mapping[str, Asked], now_s: float, *, basis: object, is_visitor: bool
    ) -> dict[str, Estimate]:
        """By name, of those that are known or become known within the budget. `basis`: an object that is another one
        when the rows have changed.

        A visitor has a smaller budget, all visitors together a small one, and nothing is worked out for one while
        another question is being answered.
        """
        if not self._lock.acquire(blocking=not is_visitor):
            return {}
        try:
            kept, real_s = self._board(), self._real_s()
            found, left_s = {}, min(VISITOR_BUDGET_S, self._left_for_visitors_s(real_s)) if is_visitor else BUDGET_S
            for name, one in asked.items():
                key = _key(one, is_rough=is_visitor)
                known = self._known.get(key)
                if known is not None and not known.holds(kept or basis, real_s, is_visitor):
                    known = None
                if known is None and left_s > 0.0:
                    estimate, is_done, used_s = self._worked_out(one, kept, now_s, left_s)
                    left_s -= used_s
                    self._visitors_s -= used_s if is_visitor else 0.0
                    if is_done:
                        known = self._keep(key, _Known(estimate, kept or basis, real_s))
                if known is not None and known.estimate is not None:
                    found[name] = max(known.estimate[0], now_s), max(known.estimate[1], now_s)
            return found
        finally:
            self._lock.release()

    def _keep(self, key: tuple[Any, ...], known: _Known) -> _Known:
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[key] = known
        return known

    def _left_for_visitors_s(self, real_s: float) -> float:
        """CPU seconds that may be spent on visitors now."""
        passed_s = max(0.0, real_s - self._visitors_real_s)
        self._visitors_s = min(VISITORS_MOST_S, self._visitors_s + VISITORS_FRAC * passed_s)
        self._visitors_real_s = real_s
        return self._visitors_s

    def _board(self) -> _Kept | None:
        """The kept board, read once for each file; None where it is too old or too large."""
        try:
            stat = self._path.stat()
            if stat.st_mtime_ns != self._read_ns:
                self._read_ns, self._kept = stat.st_mtime_ns, None
                if stat.st_size <= BYTES_MAX:
                    self._kept = _read(json.loads(self._path.read_text()), self._nodes)
        except (OSError, ValueError, KeyError, TypeError):
            self._kept = None
        kept = self._kept
        return kept if kept is not None and self._real_s() - kept.real_s <= OLD_S else None

    def _worked_out(
        self, one: Asked, kept: _Kept | None, now_s: float, budget_s: float
    ) -> tuple[Estimate | None, bool, float]:
        """An estimate, None for a start beyond the horizon; whether the budget was enough to tell; CPU seconds used."""
        if not machine_code_is_ready():  # it will be, for the next question
            return None, False, 0.0
        if kept is None:
            board, slot = one.laid()
            ratios = Ratios.on(board, [], now_s)
        else:
            (board, slot), ratios = _with(kept.side, one, now_s), kept.ratios
        if self._is_cold:  # kernels are loaded once: nobody's budget
            one_draw(board, ratios, now_s, self._seed, self._tick_s, self._tick_s, only=slot)
            self._is_cold = False
        drawn, begun_s = list[Floats](), time.thread_time()
        for number in range(N_DRAWS):
            seed = self._seed + 1_000_003 * number
            drawn.append(one_draw(board, ratios, now_s, seed, self._tick_s, HORIZON_S, only=slot))
            used_s, n = time.thread_time() - begun_s, number + 1
            if used_s * (n + 1) / n > budget_s:
                break
        if len(drawn) < N_MIN:
            return None, False, used_s
        p50, p90 = quantiles(drawn)
        return ((float(p50[0]), float(p90[0])) if p90[0] < float("inf") else None), True, used_s


def _key(one: Asked, *, is_rough: bool) -> tuple[Any, ...]:
    """What an estimate depends on. `is_rough`: times and memory that are about the same are one."""
    spec, deadline = one.spec, one.deadline_s
    time_s, memory = (round(2.0 * log2(max(1.0, value))) if is_rough else value for value in _sizes(spec))
    return (
        is_rough, spec.project, spec.person, spec.tier, spec.job_class, spec.n_nodes, spec.n_nodes_min, spec.n_gpus,
        spec.gpu_type, spec.n_cpus, memory, time_s, spec.priority, spec.declared_kw, one.is_first,
        None if deadline is None else round(deadline / SAME_S),
    )  # fmt: skip


def _sizes(spec: JobSpec) -> tuple[float, float]:
    return spec.time_s, spec.memory_bytes


def _read(value: Mapping[str, Any], nodes: tuple[Node, ...]) -> _Kept:
    """A kept board with the names of its shares, and what declared times turned into."""
    side = BoardSide.from_json({**value["side"], "board": value["board"]}, nodes)
    assert side.board is not None
    if side.board.classes.shape[0] != len(side.machines.classes):
        raise ValueError("the board has other machines")
    ended = [(int(leaf), float(time_s), float(ratio)) for leaf, time_s, ratio in value["ended"]]
    return _Kept(float(value["real_s"]), side, Ratios.on(side.board, ended, float(value["now_s"])))


def _with(side: BoardSide, one: Asked, now_s: float) -> tuple[Board, int]:
    """The kept board with the job on it, last in its line, and its slot."""
    mine = side.copied()
    assert mine.board is not None
    spec, order = replace(one.spec, is_array=False, n_tasks=1, after=()), int(mine.board.g.next_order[0])
    job = Job(JobId("job-asked"), spec, order, now_s, deadline_s=one.deadline_s)
    job.is_first = one.is_first
    mine.submit(job, is_held=False)
    return mine.board, mine.slots[job.job_id]
