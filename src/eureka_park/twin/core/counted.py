"""What the world counts as it goes, taken out of it at the end of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board import FREE, Board

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Counts of a run. By hour from its start: IT energy drawn, kWh, and the seconds of the hour that it was drawn in.
    By job: GPU seconds held, and those of them that went into writing checkpoints or into work that a failure undid.
    """

    load_kwh: Floats
    hour_s: Floats
    held_gpu_s: Floats
    lost_gpu_s: Floats


def counted(board: Board, world: Any) -> Counted:
    """The counts of a world, as far as its run has come; jobs in progress are counted until now."""
    place = world.place
    now_s, begun_s, tick_s = float(place.now_s[0]), float(place.hour0_s[0]), float(place.tick_s[0])
    until_s = now_s - begun_s + tick_s  # a turn's power counts until the next one; before the first there is none
    n_hours = min(len(world.clean_kw), place.load_kwh.shape[1], int(np.ceil(until_s / 3600.0 - 1e-9)))
    ends_s = np.clip(3600.0 * np.arange(n_hours + 1), tick_s, until_s)
    held = world.fate.held_gpu_s.copy()
    slots = np.flatnonzero((board.jobs.state != FREE) & (board.jobs.user >= 0) & (world.truth.held_gpus > 0))
    truth = world.truth[slots]
    held[board.jobs.user[slots]] += truth.held_gpus * np.maximum(0.0, now_s - truth.held_since_s)
    return Counted(place.load_kwh[0, :n_hours].copy(), np.diff(ends_s), held, world.fate.lost_gpu_s.copy())
