"""A process that works out when waiting jobs will start, and ends: `python -m eureka_park.twin.starts_child`.

Reads one JSON document from stdin (`board`, `ended`: [leaf, declared s, done over declared], `now_s`, `seed`,
`tick_s`, `budget_s`), writes rows of order, p50 and p90 to stdout. It draws futures until the budget of CPU time is
spent.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from eureka_park.compute.core.board import board_from_json
from eureka_park.twin.core.starts import HORIZON_S, Ratios, draws, quantiles, to_json, waiting_orders

N_DRAWS_MIN: Final = 3  # fewer tell nothing of nine in ten
TICKS: Final = 1_500  # a long queue is played in longer steps: so many to the horizon, at least `tick_s` each
LONG_QUEUE: Final = 5_000


def starts_of(request: Mapping[str, Any]) -> list[list[Any]]:
    """The answer to a request; as many draws as the budget allows, at most 11, at least 3."""
    board = board_from_json(request["board"])
    ended = [(int(leaf), float(time_s), float(ratio)) for leaf, time_s, ratio in request["ended"]]
    ratios = Ratios.on(board, ended, request["now_s"])
    orders, tick_s = waiting_orders(board), float(request["tick_s"])
    if len(orders) > LONG_QUEUE:
        tick_s = max(tick_s, HORIZON_S / TICKS)
    drawn, begun_s = [], time.process_time()
    for starts in draws(board, ratios, request["now_s"], request["seed"], tick_s=tick_s):
        drawn.append(starts)
        used_s, n = time.process_time() - begun_s, len(drawn)
        if n >= N_DRAWS_MIN and used_s * (n + 1) / n > request["budget_s"]:
            break
    return to_json(orders, *quantiles(drawn))


def main() -> None:
    """Answer the request on stdin."""
    with suppress(OSError, AttributeError):
        os.nice(10)
    json.dump(starts_of(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
