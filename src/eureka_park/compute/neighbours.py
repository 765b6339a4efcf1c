"""What compute asks of its neighbours: receipts of the ledger, the sky of energy, prices and plan of control."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from eureka_park.compute.core.job import JobSpec
from eureka_park.compute.quote_rows import QuoteRows


class Receipts(Protocol):
    """What compute asks of the ledger."""

    def receipt(self, job_id: str) -> dict[str, Any] | None:
        """The receipt of a settled job."""

    def summaries(self, job_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By job, the three figures of its receipt that a list shows; unsettled ones are left out."""

    def hours_of(self, job_id: str) -> list[dict[str, Any]]:
        """The energy of a job by park hour, while it runs too: hour_s, kwh, by_source_kwh, gco2, method."""

    def metered_s(self) -> float | None:
        """Until when energy is booked."""


class Sky(Protocol):
    """What compute asks of energy."""

    def sky_between(self, since_s: float, until_s: float) -> list[dict[str, Any]]:
        """The plans' intervals between two instants: from_at, until_at, clean_mw_p50, p10, p90, by_source_mw."""


class Quoter(Protocol):
    """What compute asks of those who know power and prices."""

    def __call__(
        self,
        specs: Mapping[str, JobSpec],
        deadlines_s: Mapping[str, float | None],
        chosen: str,
        now_s: float,
        rows: QuoteRows,
        is_visitor: bool,
    ) -> dict[str, Any]:
        """The quote of a checked declaration, as each tier would run it; `chosen` is the tier that was declared. For a
        visitor less is spent on it.
        """


class Biller(Protocol):
    """What compute asks of those who know what work may cost."""

    def bill(self, conn: Any, spec: JobSpec, now_s: float) -> Any:
        """What a job may cost; None where nothing is held for it."""

    def submitted(self, conn: Any, job_id: str, spec: JobSpec, bill: Any, now_s: float) -> None:
        """Hold it in the transaction that submits the job. Raises Conflict where there is no credit."""


class NoBiller:
    """Work costs nothing beforehand."""

    def bill(self, conn: Any, spec: JobSpec, now_s: float) -> Any:
        """None."""
        return

    def submitted(self, conn: Any, job_id: str, spec: JobSpec, bill: Any, now_s: float) -> None:
        """Nothing is held."""


class DeadlineCheck(Protocol):
    """What compute asks of those who know plan and closed machines."""

    def __call__(self, spec: JobSpec, now_s: float, is_first: Callable[[], bool]) -> None:
        """Raise BadInput, with the earliest end, where the deadline cannot be met."""
