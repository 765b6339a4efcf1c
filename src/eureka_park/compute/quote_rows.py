"""Rows of jobs that a quote rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.compute import store
from eureka_park.compute.core.job import Tier
from eureka_park.compute.core.listing import Sort

ON_NODE: Final = ("starting", "running", "pausing", "frozen")
RUNNING_MAX: Final = 1000
_AHEAD: Final = 8  # of those before a job in its line, that a quote looks at


@dataclass(frozen=True, slots=True)
class QuoteRows:
    """Rows of jobs that a quote rests on: those on nodes; by tier the first who wait before it, and how many wait."""

    running: Sequence[Mapping[str, Any]]
    ahead: Mapping[str, Sequence[Mapping[str, Any]]]
    n_ahead: Mapping[str, int]
    is_first: bool  # the project never had a job


def quote_rows(conn: Any, project: str) -> QuoteRows:
    """The rows for a job of a project."""
    on_nodes = store.page(conn, store.Asked(ON_NODE), limit=RUNNING_MAX)
    ahead, n_ahead = {}, {}
    for tier in (str(one) for one in Tier):
        line = store.Asked(("queued", "paused"), tier, (project,))
        first = store.page(conn, line, Sort.OLDEST, limit=_AHEAD)
        ahead[tier] = store.rows_of(conn, [job_id for job_id, _ in first])
        n_ahead[tier] = store.count(conn, line)
    return QuoteRows(store.rows_of(conn, [job_id for job_id, _ in on_nodes]), ahead, n_ahead, is_first(conn, project))


def is_first(conn: Any, project: str) -> bool:
    """Whether a project never had a job."""
    return not store.page(conn, store.Asked(projects=(project,)), limit=1)
