"""When waiting jobs will start: the park's own kernels played forward from its present board, with run times drawn.

What declared times turn into is drawn from jobs that ended (`Ratios`); a job that runs has its chance among those that
ran as long. No new job comes, and power is what the board's plan says, beyond it its last day again and again. So an
estimate is what holds if nobody else asks for anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import (
    FREE,
    FROZEN,
    HELD_BACK,
    NONE,
    PAUSED,
    PAUSING,
    QUEUED,
    RUNNING,
    SKY_MAX,
    STARTING,
    Board,
)  # fmt: skip
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.play import with_room, world_of
from eureka_park.twin.core.sky_series import N_STEPS, PLAN_EVERY_H, PLAN_HOURS, SkySeries
from eureka_park.twin.core.truth import AHEAD, World
from eureka_park.twin.core.workload import RUN_S_MIN, workload_of
from eureka_park.twin.core.world import DONE, play_on

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]

N_DRAWS: Final = 11
HORIZON_S: Final = 4 * DAY_S
LOOK_S: Final = 6 * HOUR_S  # so often it is asked whether anybody waits still
N_LEVELS: Final = 64  # ratios that are kept of a distribution
ENDS_MIN: Final = 20  # ended jobs from which on a group has ratios of its own
ANY: Final = -1
SIZE_S: Final = 900.0
SIZES: Final = 9
ASSUMED: Final = (0.05, 0.2, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)  # until jobs have ended; an assumption


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Work really done over the declared time, of jobs by leaf and size of the declared time (`size_of`).

    `levels` holds rising values by (leaf, size), where enough are known, and by (ANY, size).
    """

    levels: Mapping[tuple[int, int], Floats]

    @classmethod
    def of(cls, ended: Sequence[tuple[int, float, float]], running: Sequence[tuple[int, float, float]] = ()) -> Ratios:
        """From (leaf, declared s, ratio) of jobs that ended, and of those that run with what they have done so far.

        Who runs still tells that jobs may take as long (Kaplan and Meier 1958): of those that came lately the short
        ones end first. Of a leaf counts what is its own once 20 of that size ended, else all of the size, below 20 with
        what is assumed.
        """
        rows = np.array([*ended, *running], dtype=np.float64).reshape(-1, 3)
        is_end = np.arange(len(rows)) < len(ended)
        ratio = np.clip(rows[:, 2], 1e-4, 1.0)
        keys = np.stack([rows[:, 0].astype(np.int64), size_of(rows[:, 1])], axis=1)
        found: dict[tuple[int, int], Floats] = {}
        for size in range(SIZES):
            among = keys[:, 1] == size
            values, ends = ratio[among], is_end[among]
            if ends.sum() < ENDS_MIN:
                values, ends = np.append(values, ASSUMED), np.append(ends, np.ones(len(ASSUMED), dtype=np.bool_))
            found[ANY, size] = _levels(values, ends)
            for leaf in np.unique(keys[among, 0]):
                own = among & (keys[:, 0] == leaf)
                if (own & is_end).sum() >= ENDS_MIN and leaf != ANY:
                    found[int(leaf), size] = _levels(ratio[own], is_end[own])
        return cls(found)

    @classmethod
    def on(cls, board: Board, ended: Sequence[tuple[int, float, float]], now_s: float) -> Ratios:
        """From jobs that ended and those that run on a board."""
        jobs = board.jobs
        slots = np.flatnonzero(np.asarray(jobs.state) == RUNNING)
        time_s = np.maximum(RUN_S_MIN, jobs.time_s[slots])
        ran_s = jobs.ran_s[slots] + np.maximum(0.0, now_s - jobs.since_s[slots]) * jobs.speed[slots]
        rows = zip(jobs.leaf[slots].tolist(), time_s.tolist(), (ran_s / time_s).tolist(), strict=True)
        return cls.of(ended, list(rows))

    def run_s(self, leaf: Longs, time_s: Floats, ran_s: Floats, uniform: Floats) -> Floats:
        """Work of jobs in all, drawn: declared time times a ratio, among the ratios that lie beyond what was done."""
        found, sizes = np.empty(len(leaf)), size_of(time_s)
        for at, size in set(zip(leaf.tolist(), sizes.tolist(), strict=True)):
            rows = np.flatnonzero((leaf == at) & (sizes == size))
            ratios = self.levels.get((at, size), self.levels[ANY, size])
            first = np.searchsorted(ratios, ran_s[rows] / time_s[rows], side="right")
            n_left = len(ratios) - first
            pick = np.minimum(first + (uniform[rows] * n_left).astype(np.int64), len(ratios) - 1)
            found[rows] = np.where(n_left > 0, ratios[pick], 1.0) * time_s[rows]
        return np.maximum(np.maximum(found, ran_s + RUN_S_MIN), RUN_S_MIN)


def size_of(time_s: Floats) -> Longs:
    """Declared times by size: below 15 min, then each up to four times as long as the one before."""
    return np.asarray(np.ceil(np.log2(np.maximum(time_s, 1.0) / SIZE_S) / 2.0).clip(0, SIZES - 1), dtype=np.int64)


def _levels(values: Floats, is_end: npt.NDArray[np.bool_]) -> Floats:
    """Rising levels of the distribution of values of which some are only known to be larger; what is left is 1."""
    order = np.lexsort((~is_end, values))
    ordered, ends = values[order], is_end[order]
    at_risk = len(ordered) - np.arange(len(ordered))
    below = 1.0 - np.cumprod(1.0 - ends / at_risk)  # the part that has ended by each value
    levels = (np.arange(N_LEVELS) + 0.5) / N_LEVELS
    at = np.searchsorted(below, levels)
    return np.append(ordered, 1.0)[at]


def draws(
    board: Board,
    ratios: Ratios,
    now_s: float,
    seed: int,
    n_draws: int = N_DRAWS,
    tick_s: float = 60.0,
    horizon_s: float = HORIZON_S,
) -> Iterator[Floats]:
    """One future after the other, each by a seed of its own: starts of the waiting jobs (instants in s; inf beyond the
    horizon), in the order of `waiting_orders`. The board, with its policy and plan on it, is left as it is.
    """
    for number in range(n_draws):
        yield one_draw(board, ratios, now_s, seed + 1_000_003 * number, tick_s, horizon_s)


def waiting_orders(board: Board) -> Longs:
    """Orders of the jobs that wait, as `one_draw` lists them: those that wait for other jobs are left out."""
    return np.asarray(board.jobs.order[_waiting(board)], dtype=np.int64)


def quantiles(draws: Sequence[Floats]) -> tuple[Floats, Floats]:
    """Of the starts in each draw, the instants before which a further draw lies with a chance of 0.5 and of 0.9.

    The k-th of n draws is that of a chance k / (n + 1): with less than nine draws the last stands for 0.9.
    """
    table, n = np.sort(np.array(draws), axis=0), len(draws)
    at_50, at_90 = (min(n, int(np.ceil(chance * (n + 1) - 1e-9))) - 1 for chance in (0.5, 0.9))
    return table[at_50], table[at_90]


def one_draw(
    board: Board,
    ratios: Ratios,
    now_s: float,
    seed: int,
    tick_s: float = 60.0,
    horizon_s: float = HORIZON_S,
    *,
    only: int = NONE,
) -> Floats:
    """Starts of the waiting jobs in one possible future; inf for those that do not start within the horizon. `only`: a
    slot; the start of that job alone is asked for.
    """
    waits = _waiting(board) if only == NONE else np.array([only])
    slots = np.flatnonzero(np.asarray(board.jobs.state) != FREE)
    played = Board(*(array.copy() for array in board))
    world = _world(played, slots, ratios, now_s, tick_s, SeedTree(seed).child("starts").generator())
    place, until_s = world.place, now_s + horizon_s
    while len(waits) and place.now_s[0] + tick_s <= until_s:
        place.until_s[0] = min(until_s, place.now_s[0] + max(LOOK_S, tick_s))
        while play_on(played, world) != DONE:
            place.n_log[0] = 0  # nobody asks for a digest
        place.n_log[0] = 0
        if np.isfinite(world.truth.first_start_s[waits]).all():
            break
    found: Floats = np.where(np.isfinite(world.truth.first_start_s[waits]), world.truth.first_start_s[waits], np.inf)
    return found


def _waiting(board: Board) -> Longs:
    jobs = board.jobs
    return np.flatnonzero(np.isin(jobs.state, (QUEUED, PAUSED)) & (np.asarray(jobs.where) != HELD_BACK))


def _world(board: Board, slots: Longs, ratios: Ratios, now_s: float, tick_s: float, draw: Any) -> World:
    """The truth of one future, with a row for each job that is on the board."""
    jobs, n = board.jobs, len(slots)
    state, since_s, speed = jobs.state[slots], jobs.since_s[slots], jobs.speed[slots]
    ran_s = jobs.ran_s[slots] + np.where(np.isin(state, (RUNNING, PAUSING)), (now_s - since_s) * speed, 0.0)
    time_s = np.maximum(RUN_S_MIN, jobs.time_s[slots])
    run_s = ratios.run_s(jobs.leaf[slots].astype(np.int64), time_s, np.maximum(0.0, ran_s), draw.random(n))
    columns = {"submit_s": np.zeros(n), "run_s": run_s, "time_s": time_s}
    sky = sky_on(board, now_s, HORIZON_S)
    leaf_rows = np.zeros(1, np.int32)
    world = world_of(
        board, workload_of(("",), columns), sky, no_failures(), leaf_rows, np.zeros(0, np.int32), learns=False
    )
    world = with_room(world, board)
    jobs.user[slots] = np.arange(n)
    place = world.place
    place.now_s[0], place.t0_s[0], place.tick_s[0] = now_s, now_s, tick_s
    place.next_job[0] = n  # nobody comes
    world.truth["row"][slots], world.truth["first_start_s"][slots] = np.arange(n), np.nan
    world.truth["first_child"][slots] = NONE
    _set_going(board, world, slots, run_s, now_s)
    board.g.explain[0] = 0
    return world


def _set_going(board: Board, world: World, slots: Longs, run_s: Floats, now_s: float) -> None:
    """What is on its way: starting and pausing jobs, those that are being ended, and when running ones will end."""
    jobs, place = board.jobs, world.place
    state, is_ending = jobs.state[slots], jobs.ending[slots] != 0
    moving = (state == STARTING) | (state == PAUSING) | (np.isin(state, (RUNNING, FROZEN)) & is_ending)
    place.n_batch[0] = int(moving.sum())
    world.batch["slot"][: place.n_batch[0]] = slots[moving]
    world.truth["ends_s"], world.truth["turn"] = np.inf, NONE
    world.truth["run_s"][slots], world.truth["power_frac"][slots] = run_s, 1.0
    runs = slots[(state == RUNNING) & ~is_ending]
    left_s = np.maximum(0.0, run_s[(state == RUNNING) & ~is_ending] - jobs.ran_s[runs])
    _expect(world, runs, np.maximum(now_s, jobs.since_s[runs] + left_s / jobs.speed[runs]))


def _expect(world: World, slots: Longs, ends_s: Floats) -> None:
    """Stand jobs into the lists of the turns that will see their ends, as the world's own kernels do."""
    place = world.place
    turns = np.ceil((ends_s - place.now_s[0]) / place.tick_s[0] - 1e-9).clip(1, AHEAD - 1).astype(np.int64)
    turn = place.n_turns[0] - 1 + turns
    order = np.argsort(turn, kind="stable")
    slots, turn = slots[order], turn[order]
    is_first = np.append(True, turn[1:] != turn[:-1])[: len(slots)]
    is_last = np.append(is_first[1:], True)[: len(slots)]
    truth = world.truth
    truth["ends_s"][slots], truth["turn"][slots] = ends_s[order], turn
    truth["prev"][slots] = np.where(is_first, NONE, np.roll(slots, 1))
    truth["next"][slots] = np.where(is_last, NONE, np.roll(slots, -1))
    world.ahead[turn[is_first] % AHEAD] = slots[is_first]


def sky_on(board: Board, now_s: float, horizon_s: float) -> SkySeries:
    """The plan that is on a board, hour by hour from the present one on; beyond its end its last day repeats."""
    n_sky = int(board.g.n_sky[0])
    hour0_s = now_s // HOUR_S * HOUR_S
    n_hours = int(np.ceil(horizon_s / HOUR_S)) + PLAN_HOURS
    starts = np.asarray(board.sky.start_s[:n_sky])
    hours = hour0_s + HOUR_S * np.arange(n_hours)
    if n_sky:
        known = int(max(1, np.ceil((board.sky.end_s[n_sky - 1] - hour0_s) / HOUR_S)))
        day = min(24, known)
        hours = np.where(
            np.arange(n_hours) < known, hours, hour0_s + HOUR_S * (known - day + (np.arange(n_hours) - known) % day)
        )
    at = np.clip(np.searchsorted(starts, hours, side="right") - 1, 0, max(0, n_sky - 1))
    firsts = np.arange(0, n_hours - PLAN_HOURS, PLAN_EVERY_H, dtype=np.int64)
    rows = at[firsts[:, None] + np.arange(PLAN_HOURS)]
    n_steps = max(N_STEPS, int(board.sky.n_steps[:n_sky].max()) if n_sky else 0)
    steps = np.minimum(np.arange(n_steps), np.maximum(1, board.sky.n_steps[:SKY_MAX])[:, None] - 1)  # the last repeats
    step_kw, step_price = (
        np.take_along_axis(array[:SKY_MAX], steps, axis=1) for array in (board.step_kw, board.step_price)
    )
    clean = np.asarray(board.sky.clean_kw)
    return SkySeries(
        hour0_s, clean[at].copy(), np.asarray(hour0_s + HOUR_S * firsts, dtype=np.float64), firsts, clean[rows].copy(),
        np.asarray(board.sky.p10_kw)[rows], np.asarray(board.sky.grid_kw)[rows], step_kw[rows], step_price[rows],
        np.zeros((*rows.shape, n_steps), dtype=np.bool_),
    )  # fmt: skip


def to_json(orders: Longs, p50_s: Floats, p90_s: Floats) -> list[list[Any]]:
    """Rows of order, p50 and p90 of the jobs for which both are known."""
    known = np.isfinite(p50_s) & np.isfinite(p90_s)
    return [[int(a), float(b), float(c)] for a, b, c in zip(orders[known], p50_s[known], p90_s[known], strict=True)]
