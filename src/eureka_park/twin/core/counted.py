"""What the world counts as it goes, taken out of it at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import FREE, MILLI, Board

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Counts of a run. By hour from its start: IT energy drawn, kWh, and the seconds of the hour that it was drawn in.
    By job, where fates are kept: GPU seconds held, and those of them that went into writing checkpoints or into work
    that a failure undid. By hour, as means: GPUs held, jobs that wait, jobs on nodes.
    """

    load_kwh: Floats
    hour_s: Floats
    held_gpu_s: Floats
    lost_gpu_s: Floats
    held_gpus: Floats = field(default_factory=lambda: np.zeros(0))
    waiting_jobs: Floats = field(default_factory=lambda: np.zeros(0))
    running_jobs: Floats = field(default_factory=lambda: np.zeros(0))


def counted(board: Board, world: Any) -> Counted:
    """The counts of a world, as far as its run has come; jobs in progress are counted until now."""
    place = world.place
    now_s, begun_s, tick_s = float(place.now_s[0]), float(place.hour0_s[0]), float(place.tick_s[0])
    until_s = now_s - begun_s + tick_s  # a turn's power counts until the next one; before the first there is none
    n_hours = min(len(world.clean_kw), place.load_kwh.shape[1], int(np.ceil(until_s / 3600.0 - 1e-9)))
    hour_s = np.diff(np.clip(3600.0 * np.arange(n_hours + 1), tick_s, until_s))
    means = (place[name][0, :n_hours] / np.maximum(1e-9, hour_s) for name in ("held_gpu_s", "waiting_s", "on_s"))
    held, lost = world.fate.held_gpu_s.copy(), world.fate.lost_gpu_s.copy()
    slots = np.flatnonzero((board.jobs.state != FREE) & (board.jobs.user >= 0)) if len(held) else np.zeros(0, np.int64)
    truth, rows = world.truth[slots], board.jobs.user[slots]
    held[rows] = truth.held_gpu_s + truth.held_milli / MILLI * np.maximum(0.0, now_s - truth.held_since_s)
    lost[rows] = truth.lost_gpu_s
    return Counted(place.load_kwh[0, :n_hours].copy(), hour_s, held, lost, *means)
