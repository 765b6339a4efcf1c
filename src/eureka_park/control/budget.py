"""Kernels of the power budget: what the plan gives, what is claimed, and what one more job would cost."""

from __future__ import annotations

from eureka_park.compute.core.board import INF, NONE, RING, SKY_BINDING, Board
from eureka_park.compute.core.ends import hour_of
from eureka_park.compute.core.standing import first_class, kw_of, power_at
from eureka_park.foundation.kernels import kernel


@kernel
def idle_kw(board: Board) -> float:
    """What nodes draw that no job carries."""
    g = board.g[0]
    return max(0.0, g.base_kw - g.shared_kw)


@kernel
def all_kw(board: Board) -> float:
    """Everything that is committed now, unshared idle power included."""
    g = board.g[0]
    return float(idle_kw(board) + g.firm_kw + g.flex_kw + g.green_kw)


@kernel
def claims_kw(board: Board) -> float:
    """Clean power that others have a claim to before the jobs bound by the sky (docs/decisions/0004): where it binds
    flexible work, all that is drawn besides, idle power too.
    """
    g = board.g[0]
    if g.sky == SKY_BINDING:
        return float(g.service_reserve_kw + all_kw(board) - g.bound_kw)
    return float(g.service_reserve_kw + g.free_green_kw)


@kernel
def budget_kw(board: Board, clean_kw: float) -> float:
    """What bound jobs may draw of so much clean power."""
    return max(0.0, clean_kw - claims_kw(board))


@kernel
def room_kw(board: Board) -> float:
    """By how much bound work may grow now, with the margin that keeps it from swinging."""
    g = board.g[0]
    return budget_kw(board, g.clean_min_kw) * (1.0 - g.margin_frac) - float(g.bound_kw)


@kernel
def need_kw(board: Board, slot: int, step: int) -> float:
    """Clean power that must be there for a waiting job to start at a cap step. Idle power that is counted anyway is
    none of it, unless its machines sleep until somebody wakes them.
    """
    job = board.jobs[slot]
    dynamic_kw = kw_of(job.dynamic_kw * power_at(board, slot, step))
    klass = first_class(board, slot)
    if board.g[0].sky == SKY_BINDING and (klass == NONE or has_idle(board, klass)):
        return dynamic_kw
    return float(job.idle_kw + dynamic_kw)


@kernel
def has_idle(board: Board, klass: int) -> bool:
    """Whether free nodes of a class draw as much as they do idle: they cannot sleep."""
    return bool(board.classes[klass].sleep_kw >= board.classes[klass].idle_kw)


@kernel
def bound_hour_s(board: Board, bound_kw: float) -> float:
    """When the plan first lets bound jobs draw so much, with the margin; INF where it never does."""
    g = board.g[0]
    least_kw = claims_kw(board) + bound_kw / (1.0 - g.margin_frac)
    for index in range(1, g.n_sky):
        if board.sky[index].clean_kw >= least_kw:
            return float(board.sky[index].start_s)
    return INF


@kernel
def read_sky(board: Board, now_s: float) -> None:
    """Work out, once a turn, the minima and loads that every admission asks for."""
    g, sky = board.g[0], board.sky
    n = g.n_sky
    g.clean_min_kw = g.clean_lead_kw = sky[0].clean_kw
    least = INF
    for index in range(n):
        if index and sky[index].start_s < now_s + g.lead_s:
            g.clean_lead_kw = min(g.clean_lead_kw, sky[index].clean_kw)
        if index and sky[index].start_s < now_s + g.min_run_s:
            g.clean_min_kw = min(g.clean_min_kw, sky[index].clean_kw)
        least = min(least, sky[index].grid_kw + sky[index].p10_kw)
        sky[index].firm_min_kw = least
    g.floor_base_kw = sky[0].p10_kw + sky[0].grid_kw
    load_kw, hour = g.base_kw + g.dynamic_kw, hour_of(now_s)
    for index in range(n):
        first = hour_of(sky[index].start_s)
        while hour < first:  # what is expected to have ended before this interval begins
            load_kw -= board.g[0].ending_kw[hour % RING]
            hour += 1
        sky[index].load_kw = load_kw + (board.g[0].planned_kw[first % RING] if index else 0.0)


@kernel
def firm_free_kw(board: Board, end_s: float) -> float:
    """Firm power that can be promised until `end_s`: the weakest hour counts."""
    g = board.g[0]
    sky, index = board.sky, 0
    while index + 1 < g.n_sky and sky[index + 1].start_s < end_s:
        index += 1
    return float(sky[index].firm_min_kw - g.firm_rated_kw)


@kernel
def price_of(board: Board, index: int, add_kw: float) -> float:
    """Mean price (per MWh, carbon priced in) of so much more in an interval; beyond the last step it is doubled."""
    n = board.sky[index].n_steps
    if add_kw <= 0.0 or n == 0:
        return 0.0
    left, at, cost = add_kw, board.sky[index].load_kw, 0.0
    for step in range(n):
        part = min(left, max(0.0, board.sky[index].step_kw[step] - at))
        cost += part * board.sky[index].step_price[step]
        left -= part
        at += part
        if left <= 1e-12:
            break
    return float((cost + left * 2.0 * board.sky[index].step_price[n - 1]) / add_kw)


@kernel
def add_load(board: Board, slot: int) -> None:
    """A job has just started: each admission moves along the curve of the hours in which it will run."""
    g = board.g[0]
    job = board.jobs[slot]
    sky = board.sky
    end_s = job.ends_s
    for index in range(g.n_sky):
        if sky[index].start_s >= end_s:
            return
        sky[index].load_kw += job.load_kw


@kernel
def better_hour(board: Board, need_kw: float, latest_s: float) -> tuple[int, float, float]:
    """The interval, not after `latest_s`, that is cheapest for so much power (0: now), its price and the price now."""
    g = board.g[0]
    now_price = price_of(board, 0, need_kw)
    best, best_price = 0, now_price
    for index in range(1, g.n_sky):
        if board.sky[index].start_s > latest_s:
            break
        price = price_of(board, index, need_kw)
        if price < best_price * (1.0 - 1e-9):
            best, best_price = index, price
    if best_price > now_price * (1.0 - g.wait_gain_frac):
        best = 0
    return best, best_price, now_price
