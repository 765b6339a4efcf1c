"""Putting the policy and the plan onto a board."""

from __future__ import annotations

import numpy as np

from eureka_park.compute.core.board import (
    CAP_STEPS_MAX,
    FROZEN,
    INF,
    RUNNING,
    SKY_BINDING,
    SKY_GREEN,
    SKY_MAX,
    SKY_OBSERVED,
    STEPS_MAX,
    Board,
    quantised_kw,
)  # fmt: skip
from eureka_park.compute.core.standing import note_standing
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.supply import Supply
from eureka_park.foundation.cap_curve import power_frac, speed_frac
from eureka_park.foundation.units import HOUR_S

_SKY = {Sky.GREEN: SKY_GREEN, Sky.BINDING: SKY_BINDING, Sky.OBSERVED: SKY_OBSERVED}


def set_policy(board: Board, policy: Policy, *, explain: bool = True, refresh_s: float = 60.0) -> None:
    """Write the policy's numbers. `explain`: work out and tell reasons; decisions are the same without."""
    g = board.g
    g.sky[0] = _SKY[policy.sky]
    g.service_reserve_kw[0] = quantised_kw(policy.service_reserve_kw)
    g.min_run_s[0], g.lead_s[0] = policy.min_run_s, policy.lead_s
    g.pause_gap_s[0] = HOUR_S / policy.pause_rate_max_per_h if policy.pause_rate_max_per_h > 0 else INF
    g.wait_gain_frac[0], g.margin_frac[0] = policy.flex_wait_gain_frac, policy.margin_frac
    g.patient_s[0], g.reclaim_after_s[0] = policy.patient_s, policy.reclaim_after_s
    rate_per_h = policy.reclaim_pauses_max_per_h
    g.reclaim_gap_s[0] = HOUR_S / rate_per_h if rate_per_h > 0 else INF
    g.lookahead[0], g.scan[0] = policy.lookahead, policy.scan
    g.n_considered_max[0], g.reserve_depth[0] = policy.n_considered_max, min(policy.reserve_depth, 4096)
    g.can_cap[0], g.can_freeze[0] = policy.can_cap, policy.can_freeze
    g.can_resize[0] = policy.can_resize
    g.explain[0], g.refresh_s[0] = explain, refresh_s
    board.lines.refused_kw[:] = board.lines.least_down_kw[:] = 0.0  # known under the policy before
    steps = (1.0, *policy.cap_steps_frac)[:CAP_STEPS_MAX]
    g.n_caps[0] = len(steps)
    for index, frac in enumerate(steps):
        board.caps.cap_frac[index] = frac
        board.caps.power_frac[index] = power_frac(frac, policy.cap_curve)
        board.caps.speed_frac[index] = speed_frac(frac, policy.cap_curve)
    _count_anew(board)


def _count_anew(board: Board) -> None:
    """Count anew who can give way under the policy, and how much."""
    for slot in np.flatnonzero((board.jobs.state == RUNNING) | (board.jobs.state == FROZEN)):
        note_standing(board, int(slot))


def set_sky(board: Board, supply: Supply | None) -> None:
    """Write what the plan gives from now on; None for no plan. Beyond `SKY_MAX` intervals the rest is left out."""
    board.g.n_sky[0] = 0
    if supply is None:
        return
    intervals = supply.intervals[:SKY_MAX]
    for index, item in enumerate(intervals):
        record = board.sky[index]
        record.start_s, record.end_s = item.start_s, item.end_s
        record.clean_kw, record.p10_kw = quantised_kw(item.clean_kw), quantised_kw(item.clean_kw_p10)
        record.grid_kw = quantised_kw(item.grid_kw)
        record.n_steps = min(len(item.steps), STEPS_MAX)
        for at, step in enumerate(item.steps[:STEPS_MAX]):
            board.step_kw[index, at], board.step_price[index, at] = step.up_to_kw, step.price
    board.g.n_sky[0] = len(intervals)
