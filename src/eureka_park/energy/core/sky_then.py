"""What carries the work now, until when, and what comes next: for the second sentence of the overview."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

CARRIERS: Final[Mapping[str, str]] = {
    "wind": "wind", "pv": "sun", "csp": "sun", "salt": "salt", "battery": "salt", "grid": "grid",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SkyThen:
    """The carrier of now, the start of the first interval in which another leads (None: none does), and that one.

    `share_frac` is what of the load the present carrier serves now, `then_frac` what the next one serves then.
    """

    carrier: str
    share_frac: float
    until_s: float | None
    then: str
    then_frac: float


def sky_then(
    mw_by_kind: Mapping[str, Sequence[float]], load_mw: Sequence[float], start_s: float, step_s: float, now_s: float
) -> SkyThen:
    """Follow the leading carrier from the interval that holds `now_s`; MW per interval and kind, grid included."""
    n = len(load_mw)
    first = min(max(0, int((now_s - start_s) // step_s)), n - 1)
    carrier, share = _leader(mw_by_kind, load_mw, first)
    for index in range(first + 1, n):
        then, then_frac = _leader(mw_by_kind, load_mw, index)
        if then != carrier:
            return SkyThen(carrier, share, start_s + index * step_s, then, then_frac)
    return SkyThen(carrier, share, None, carrier, share)


def _leader(mw_by_kind: Mapping[str, Sequence[float]], load_mw: Sequence[float], index: int) -> tuple[str, float]:
    sums: dict[str, float] = {}
    for kind, series in mw_by_kind.items():
        carrier = CARRIERS.get(kind, "grid")
        sums[carrier] = sums.get(carrier, 0.0) + series[index]
    total, load = sum(sums.values()), load_mw[index]
    carrier = max(sums, key=lambda name: sums[name], default="grid")
    if total <= 0:
        return "grid", 0.0
    return carrier, min(1.0, sums[carrier] / max(total, load))
