"""Time to first job: from an account to a submitted job, to its start, to its receipt; of everybody, naming nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.first_jobs import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.ground import LedgerGround

STEPS: Final = ("submitted", "started", "receipt")
BOUNDS_S: Final = (60.0, 300.0, 900.0, 3600.0, DAY_S, 7 * DAY_S)
FEWEST: Final = 5  # below so many people a distribution would tell of single ones


class FirstJobs:
    """Notes and publishes how long people wait."""

    def __init__(self, ground: LedgerGround) -> None:
        self._ground = ground

    def came(self, conn: Connection, person_id: str, real_s: float) -> None:
        """Somebody has an account now."""
        store.add(conn, person_id, real_s)

    def note(self, conn: Connection, person_id: str, step: str) -> None:
        """Somebody's job was submitted, has started, or has its receipt; the first of each counts."""
        if person_id:
            store.note(conn, person_id, step, self._ground.clock.real_s())

    def forget(self, conn: Connection, person_id: str) -> None:
        """Somebody was erased."""
        store.forget(conn, person_id)

    def published(self) -> dict[str, Any]:
        """The distribution for everybody to see: by step `n`, `p50_s`, `p90_s` and how many came within each bound.

        Percentiles are None while fewer than `FEWEST` people took the step.
        """
        with self._ground.db.read() as conn:
            waits = store.waits_s(conn)
        return {
            "n_people": len(waits),
            "bounds_s": list(BOUNDS_S),
            "steps": {step: _told(waits, step) for step in STEPS},
        }


def _told(waits: Sequence[dict[str, Any]], step: str) -> dict[str, Any]:
    found = sorted(row[step] for row in waits if row[step] is not None)
    is_told = len(found) >= FEWEST
    return {
        "n": len(found),
        "p50_s": _at(found, 0.5) if is_told else None,
        "p90_s": _at(found, 0.9) if is_told else None,
        "within": [sum(wait <= bound for wait in found) for bound in BOUNDS_S] if is_told else None,
    }


def _at(found: Sequence[float], frac: float) -> float:
    return found[min(len(found) - 1, int(frac * len(found)))]
