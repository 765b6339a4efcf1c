"""Instants and durations of the API as people read them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from eureka_park.cli.words import _
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import duration_text, parse_instant_s

if TYPE_CHECKING:
    from eureka_park.client import JobView, Park


def park_now_s(park: Park) -> float:
    """Park time now, from the park itself (it may be paced); this machine's clock where it does not say."""
    try:
        return parse_instant_s(park.status()["park_at"])
    except (ParkError, KeyError, TypeError):
        return time.time()


def instant_text(instant: str | None) -> str:
    """An instant of the API to the minute, in UTC; `-` for none."""
    return "-" if not instant else f"{instant[:10]} {instant[11:16]} UTC"


def waits_or_ran(view: JobView, now_s: float) -> str:
    """How long a job has waited, or run from its first start to its end (or now)."""
    begin, end = view.get("started_at"), view.get("ended_at")
    if begin is None:
        until_s = parse_instant_s(end) if end else now_s
        waited = duration_text(until_s - parse_instant_s(view["submitted_at"]))
        return _("waits {time}", time=waited) if not end else "-"
    until_s = parse_instant_s(end) if end else now_s
    ran = duration_text(until_s - parse_instant_s(begin))
    return _("ran {time}", time=ran) if end else _("runs {time}", time=ran)
