"""The numbers that steer the tick, as the site file's policy gives them, and what the engines of the park can do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eureka_park.foundation.cap_curve import CAP_CURVE, CapRow


class Sky(StrEnum):
    """What the sky binds: green jobs only (a scale model's default), everything but firm, or nothing (watch only)."""

    GREEN = "green"
    BINDING = "binding"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Policy:
    """Policy of the tick. Defaults are those of the built-in sites; facts in docs/reference/site-file.md."""

    sky: Sky = Sky.GREEN
    service_reserve_kw: float = 0.0
    cap_steps_frac: tuple[float, ...] = (0.62, 0.5)
    min_run_s: float = 300.0
    pause_rate_max_per_h: float = 2.0
    carbon_mad_per_kg: float = 0.3
    flex_wait_gain_frac: float = 0.1  # waiting pays when it saves at least this part of the price
    margin_frac: float = 0.05  # room that must be left before a cap is lifted or a paused job resumed
    lead_s: float = 0.0  # so long before clean power falls the ladder is walked down: pausing takes its time
    can_cap: bool = True
    can_freeze: bool = True
    can_resize: bool = False  # whether engines can take nodes from a running gang
    n_considered_max: int = 4096  # jobs that get a start of their own worked out in one turn
    lookahead: int = 16  # jobs that are refused in each line before the next line is looked at
    scan: int = 64  # jobs of a line that do not start before it is left, those waiting for a better hour included
    half_life_s: float = 604_800.0  # after it past use weighs half as much: a burst is remembered, a month forgiven
    reserve_depth: int = 64  # waiting jobs, first in order, that get machines and a time reserved
    patient_s: float = 172_800.0  # a flex job that has waited so long has clean power kept free for it
    reclaim_after_s: float = 1800.0  # a floor that is missed so long takes back what was lent
    reclaim_pauses_max_per_h: float = 60.0  # pauses for that in an hour, over the whole park
    tick_s: float = 60.0  # park time between two turns of the twin; the live park's own is `live.loop`'s
    cap_curve: tuple[CapRow, ...] = CAP_CURVE  # (cap_frac, power_frac, speed_frac), rising
