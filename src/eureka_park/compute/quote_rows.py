"""Rows of jobs that a quote rests on, read once for as long as nothing changes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.compute import store
from eureka_park.compute.core.job import JobSpec, Tier
from eureka_park.compute.place_in_line import Place

ON_NODE: Final = ("starting", "running", "pausing", "frozen")
RUNNING_MAX: Final = 1000
VISITOR_ROWS_S: Final = 5.0
_AHEAD: Final = 8  # of those before a job in its line, that a quote looks at
_LINES_KEPT: Final = 256  # lines that are remembered

_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QuoteRows:
    """Rows of jobs that a quote rests on: those on nodes, the same object until the journal goes on; by tier the first
    who wait before it, and how many wait.
    """

    running: Sequence[_Row]
    ahead: Mapping[str, Sequence[_Row]]
    n_ahead: Mapping[str, int]
    is_first: bool  # the project never had a job


class QuoteShelf:
    """Keeps rows until the journal goes on: whoever asks for quotes by the dozen reads the database once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark: int | None = None
        self._read_real_s = -1e18
        self._running: Sequence[_Row] = ()
        self._of_line: dict[tuple[str, str, int], QuoteRows] = {}

    def rows(self, conn: Any, mark: int, spec: JobSpec, real_s: float, *, is_visitor: bool) -> QuoteRows:
        """The rows for a job. `mark`: how far the journal has come in the view of `conn`. A visitor may
        get rows that are a few seconds old.
        """
        with self._lock:
            age_s = real_s - self._read_real_s
            if mark != self._mark and not (is_visitor and 0.0 <= age_s < VISITOR_ROWS_S):
                on_nodes = store.page(conn, store.Asked(ON_NODE), limit=RUNNING_MAX)
                self._running = store.rows_of(conn, [job_id for job_id, _ in on_nodes])
                self._mark, self._read_real_s = mark, real_s
                self._of_line.clear()
            line = spec.project, spec.person, spec.priority
            if line not in self._of_line:
                if len(self._of_line) >= _LINES_KEPT:
                    self._of_line.clear()
                self._of_line[line] = _lines(conn, self._running, spec)
            return self._of_line[line]


def _lines(conn: Any, running: Sequence[_Row], spec: JobSpec) -> QuoteRows:
    ahead, n_ahead = {}, {}
    for tier in (str(one) for one in Tier):
        place = Place(spec.project, spec.person, tier, spec.priority)
        ahead[tier] = store.rows_before(conn, place, _AHEAD)
        n_ahead[tier] = store.n_before(conn, place) if len(ahead[tier]) == _AHEAD else len(ahead[tier])
    return QuoteRows(running, ahead, n_ahead, is_first(conn, spec.project))


def is_first(conn: Any, project: str) -> bool:
    """Whether a project never had a job."""
    return not store.page(conn, store.Asked(projects=(project,)), limit=1)
