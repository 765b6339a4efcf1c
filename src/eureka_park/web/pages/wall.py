"""The hall screen: the whole park at a glance from across a room. Full screen, calm, live, nothing to touch."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.web.auth import park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.overview import RUNNING, WAITING, no_plan_of, plan_of, row_of, today_of

_LISTED = 5


def wall(request: Request) -> HTMLResponse:
    """What hangs in the hall: only what every visitor may see."""
    park, words = park_of(request), words_of(request)
    plan, now_s = park.energy.current_plan(), park.clock.park_s()
    running, _ = park.compute.jobs(None, states=RUNNING, limit=_LISTED)
    waiting, _ = park.compute.jobs(None, states=WAITING, limit=_LISTED)
    counts = park.compute.counts()
    n_running, n_waiting = (sum(counts.get(name, 0) for name in names) for names in (RUNNING, WAITING))
    shown = [*running[: max(3, _LISTED - len(waiting))], *reversed(waiting)][:_LISTED]
    return page(
        request,
        "wall.html",
        "/wall",
        live=True,
        jobs=[row_of(words, job, now_s) for job in shown],
        n_running=n_running,
        n_waiting=n_waiting,
        n_finished=counts.get("finished", 0),
        **today_of(park, words),
        **(plan_of(park, words, plan, "wall") if plan else no_plan_of(words)),
    )
