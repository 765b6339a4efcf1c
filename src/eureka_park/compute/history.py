"""A job's life as pages draw it: spans with reasons, power by hour, and the sky over the same hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eureka_park.compute.core.spans import Span
from eureka_park.foundation.units import HOUR_S, J_PER_KWH, iso_from_s


def span_view(span: Span) -> dict[str, Any]:
    """One span for the outside."""
    return {
        "state": span.state,
        "from_at": iso_from_s(span.from_s),
        "until_at": iso_from_s(span.until_s),
        "cap_frac": span.cap_frac,
        "node": span.node,
        "reason": dict(span.reason) if span.reason else None,
    }


def power_view(
    hours: Sequence[Mapping[str, Any]], spans: Sequence[Span], metered_s: float, pace_factor: float
) -> list[dict[str, Any]]:
    """Mean power of a job in each park hour, over the time in which it held a node; energy is real watts x real time.

    `hours`: rows of the ledger with hour_s, kwh, by_source_kwh, gco2, method; `metered_s`: until when it has energy.
    """
    found = []
    for row in hours:
        begin, end = float(row["hour_s"]), min(row["hour_s"] + HOUR_S, metered_s)
        parts = [part for span in spans if span.is_on_node and (part := span.within(begin, max(begin, end)))]
        if parts:
            begin, end = parts[0].from_s, parts[-1].until_s or end
        held_s = sum((part.until_s or end) - part.from_s for part in parts) or max(1.0, end - begin)
        found.append(
            {
                "from_at": iso_from_s(begin),
                "until_at": iso_from_s(end),
                "site_w": row["kwh"] * J_PER_KWH * pace_factor / held_s,
                "kwh": row["kwh"],
                "by_source_kwh": row["by_source_kwh"],
                "gco2": row["gco2"],
                "method": row["method"],
            }
        )
    return found
