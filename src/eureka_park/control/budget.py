"""Kernels of the power budget: what the plan gives, what is claimed, and what one more job would cost."""

from __future__ import annotations

from eureka_park.compute.core.board import INF, RING, SKY_BINDING, Board
from eureka_park.compute.core.ends import hour_of
from eureka_park.foundation.kernels import kernel


@kernel
def idle_kw(board: Board) -> float:
    """What nodes draw that no job carries."""
    return max(0.0, board.g.base_kw[0] - board.g.shared_kw[0])


@kernel
def all_kw(board: Board) -> float:
    """Everything that is committed now, unshared idle power included."""
    g = board.g
    return float(idle_kw(board) + g.firm_kw[0] + g.flex_kw[0] + g.green_kw[0])


@kernel
def claims_kw(board: Board) -> float:
    """Clean power that others have a claim to before the jobs bound by the sky (docs/decisions/0004)."""
    g = board.g
    if g.sky[0] == SKY_BINDING:
        return float(g.service_reserve_kw[0] + all_kw(board) - idle_kw(board) - g.bound_kw[0])
    return float(g.service_reserve_kw[0] + g.free_green_kw[0])


@kernel
def budget_kw(board: Board, clean_kw: float) -> float:
    """What bound jobs may draw of so much clean power."""
    return max(0.0, clean_kw - claims_kw(board))


@kernel
def room_kw(board: Board) -> float:
    """By how much bound work may grow now, with the margin that keeps it from swinging."""
    g = board.g
    return budget_kw(board, g.clean_min_kw[0]) * (1.0 - g.margin_frac[0]) - float(g.bound_kw[0])


@kernel
def bound_hour_s(board: Board, bound_kw: float) -> float:
    """When the plan first lets bound jobs draw so much, with the margin; INF where it never does."""
    need_kw = claims_kw(board) + bound_kw / (1.0 - board.g.margin_frac[0])
    for index in range(1, board.g.n_sky[0]):
        if board.sky.clean_kw[index] >= need_kw:
            return float(board.sky.start_s[index])
    return INF


@kernel
def read_sky(board: Board, now_s: float) -> None:
    """Work out, once a turn, the minima and loads that every admission asks for."""
    g, sky, n = board.g, board.sky, board.g.n_sky[0]
    g.clean_min_kw[0] = g.clean_lead_kw[0] = sky.clean_kw[0]
    least = INF
    for index in range(n):
        if index and sky.start_s[index] < now_s + g.lead_s[0]:
            g.clean_lead_kw[0] = min(g.clean_lead_kw[0], sky.clean_kw[index])
        if index and sky.start_s[index] < now_s + g.min_run_s[0]:
            g.clean_min_kw[0] = min(g.clean_min_kw[0], sky.clean_kw[index])
        least = min(least, sky.grid_kw[index] + sky.p10_kw[index])
        sky.firm_min_kw[index] = least
    g.floor_base_kw[0] = sky.p10_kw[0] + sky.grid_kw[0]
    load_kw, hour = g.base_kw[0] + g.dynamic_kw[0], hour_of(now_s)
    for index in range(n):
        first = hour_of(sky.start_s[index])
        while hour < first:  # what is expected to have ended before this interval begins
            load_kw -= board.ending_kw[hour % RING]
            hour += 1
        sky.load_kw[index] = load_kw + (board.planned_kw[first % RING] if index else 0.0)


@kernel
def firm_free_kw(board: Board, end_s: float) -> float:
    """Firm power that can be promised until `end_s`: the weakest hour counts."""
    sky, index = board.sky, 0
    while index + 1 < board.g.n_sky[0] and sky.start_s[index + 1] < end_s:
        index += 1
    return float(sky.firm_min_kw[index] - board.g.firm_rated_kw[0])


@kernel
def price_of(board: Board, index: int, add_kw: float) -> float:
    """Mean price (per MWh, carbon priced in) of so much more in an interval; beyond the last step it is doubled."""
    n = board.sky.n_steps[index]
    if add_kw <= 0.0 or n == 0:
        return 0.0
    left, at, cost = add_kw, board.sky.load_kw[index], 0.0
    for step in range(n):
        part = min(left, max(0.0, board.step_kw[index, step] - at))
        cost += part * board.step_price[index, step]
        left -= part
        at += part
        if left <= 1e-12:
            break
    return float((cost + left * 2.0 * board.step_price[index, n - 1]) / add_kw)


@kernel
def add_load(board: Board, slot: int) -> None:
    """A job has just started: each admission moves along the curve of the hours in which it will run."""
    sky, jobs = board.sky, board.jobs
    end_s = jobs.ends_s[slot]
    for index in range(board.g.n_sky[0]):
        if sky.start_s[index] >= end_s:
            return
        sky.load_kw[index] += jobs.dynamic_kw[slot]


@kernel
def better_hour(board: Board, need_kw: float, latest_s: float) -> tuple[int, float, float]:
    """The interval, not after `latest_s`, that is cheapest for so much power (0: now), its price and the price now."""
    now_price = price_of(board, 0, need_kw)
    best, best_price = 0, now_price
    for index in range(1, board.g.n_sky[0]):
        if board.sky.start_s[index] > latest_s:
            break
        price = price_of(board, index, need_kw)
        if price < best_price * (1.0 - 1e-9):
            best, best_price = index, price
    if best_price > now_price * (1.0 - board.g.wait_gain_frac[0]):
        best = 0
    return best, best_price, now_price
