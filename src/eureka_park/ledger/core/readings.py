"""Power readings for live charts: made from what was booked, thinned without losing energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.ledger.core.booking import EnergyBooking
from eureka_park.ledger.core.metering import IDLE, MEASURED, MODELLED

_POWERS: Final = ("site_w", "it_w", "idle_w")


def reading_of(bookings: Sequence[EnergyBooking], real_s: float, pace_factor: float) -> dict[str, Any]:
    """The mean power over some bookings, one after another: real watts, between two instants of park time.

    `idle_w` is the part of `site_w` that is no job's.
    """
    from_s, at_s = bookings[0].start_s, bookings[-1].end_s
    elapsed_s = max(1e-3, (at_s - from_s) / pace_factor)
    idle_uj = sum(line.site_uj for booking in bookings for line in booking.lines if line.account == IDLE)
    is_measured = all(booking.method == MEASURED for booking in bookings)
    return {
        "real_s": real_s,
        "from_s": from_s,
        "at_s": at_s,
        "site_w": sum(booking.node_site_uj for booking in bookings) / 1e6 / elapsed_s,
        "it_w": sum(booking.node_it_uj for booking in bookings) / 1e6 / elapsed_s,
        "idle_w": idle_uj / 1e6 / elapsed_s,
        "method": MEASURED if is_measured else MODELLED,
    }


def thinned(readings: Sequence[Mapping[str, Any]], n_max: int) -> list[dict[str, Any]]:
    """At most `n_max` readings: neighbours become their mean by time, so that the energy stays what it was."""
    size = -(-len(readings) // n_max)
    return [_mean(readings[at : at + size]) for at in range(0, len(readings), max(1, size))]


def _mean(group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    spans_s = [max(1e-3, row["at_s"] - row["from_s"]) for row in group]
    whole_s = sum(spans_s)
    powers = {
        name: sum(row[name] * span_s for row, span_s in zip(group, spans_s, strict=True)) / whole_s for name in _POWERS
    }
    is_measured = all(row["method"] == MEASURED for row in group)
    method = MEASURED if is_measured else MODELLED
    return {"from_s": group[0]["from_s"], "at_s": group[-1]["at_s"], **powers, "method": method}


def clean_frac(kwh_by_source: Mapping[str, float]) -> float | None:
    """The part of an energy that did not come from the public grid; None where there is none."""
    total = sum(kwh_by_source.values())
    return max(0.0, 1.0 - kwh_by_source.get(GRID_SOURCE_ID, 0.0) / total) if total > 0 else None
