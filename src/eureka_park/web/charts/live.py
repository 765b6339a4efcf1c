"""What a live chart is told: its series by key, name and colour token, and the answer that it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a live chart; `colour` is a token of the style sheet."""

    key: str
    name: str
    colour: str
    is_filled: bool = False


def series_json(series: Sequence[Series]) -> str:
    """The value of `data-series`."""
    return json.dumps(
        [
            {"key": item.key, "name": item.name, "colour": item.colour, **({"fill": True} if item.is_filled else {})}
            for item in series
        ],
        ensure_ascii=False,
    )


def with_gaps(
    readings: Sequence[Mapping[str, Any]], clean_mw_by_hour: Mapping[int, float], gap_s: float
) -> dict[str, Any]:
    """Readings of the meter as the live chart takes them: MW, the clean power of each hour beside, gaps as null.

    A reading tells the mean power of its stretch and stands at its end. Where none ended for `gap_s`, the line breaks.
    """
    times: list[float] = []
    drawn: list[float | None] = []
    clean: list[float | None] = []
    for row in readings:
        if times and row["from_s"] - times[-1] > gap_s:
            times.append((times[-1] + row["from_s"]) / 2)
            drawn.append(None)
            clean.append(clean_mw_by_hour.get(int(times[-1] // 3600)))
        times.append(row["at_s"])
        drawn.append(row["site_w"] / 1e6)
        clean.append(clean_mw_by_hour.get(int(row["at_s"] // 3600)))
    return {"times_s": times, "series": {"drawn_mw": drawn, "clean_mw": clean}}
