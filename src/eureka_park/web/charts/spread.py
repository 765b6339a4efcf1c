"""A column's values in small: how many fall into each of equal steps between the least and the largest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup, escape

WIDTH: Final = 98
HEIGHT: Final = 26


def spread_bars(counts: Sequence[int], label: str) -> Markup:
    """Bars from the least on the left to the largest on the right, as axes of numbers go in every language."""
    most, pitch = max(counts, default=0) or 1, WIDTH / max(1, len(counts))
    bars = "".join(
        f'<rect x="{index * pitch + 0.5:.1f}" y="{HEIGHT - height:.1f}" width="{pitch - 1:.1f}" height="{height:.1f}"/>'
        for index, count in enumerate(counts)
        if (height := max(1.5, count / most * (HEIGHT - 2)) if count else 0.0)
    )
    return Markup(
        f'<svg class="spread" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" direction="ltr" '
        f'aria-label="{escape(label)}">{bars}'
        f'<path class="spread-ground" d="M0 {HEIGHT - 0.5}H{WIDTH}"/></svg>'
    )
