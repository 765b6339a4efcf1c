"""Small pictures of one figure: a tank of salt, a ring of shares, a bar, a progress."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

Share = tuple[str, str, float]  # colour class, name for people, amount


def tank(level_frac: float, shown: str, label: str) -> Markup:
    """A tank filled to `level_frac` (0 to 1), `shown` written in it, `label` for those who listen."""
    level = min(1.0, max(0.0, level_frac))
    top = 134 - 124 * level
    wave = f"M4 {top:.1f}q14 -7 28 0t28 0t28 0t28 0V140H4Z"
    where = "over" if level > 0.52 else "under"
    return Markup(
        f'<svg class="tank" viewBox="0 0 120 146" role="img" aria-label="{escape(label)}">'
        '<defs><linearGradient id="heat" x1="0" y1="0" x2="0" y2="1"><stop class="heat-top" offset="0"/>'
        '<stop class="heat-bottom" offset="1"/></linearGradient>'
        '<clipPath id="vessel"><rect x="7" y="7" width="106" height="132" rx="19"/></clipPath></defs>'
        '<rect class="vessel" x="4" y="4" width="112" height="138" rx="22"/>'
        f'<g clip-path="url(#vessel)"><path class="molten" d="{wave}"/></g>'
        f'<text class="tank-figure tank-{where}" x="60" y="{96 if level > 0.52 else 44}" text-anchor="middle">'
        f"{escape(shown)}</text></svg>"
    )


def ring(shares: Sequence[Share], middle: str, label: str, unit: str = "") -> Markup:
    """A ring divided by shares, clockwise from the top, with a figure in the middle and its unit below."""
    total, turn, parts = sum(amount for _, _, amount in shares), 0.0, []
    around = 2 * math.pi * 48
    for css, name, amount in shares:
        if amount <= 0 or total <= 0:
            continue
        part = amount / total
        dash = f'stroke-dasharray="{max(0.5, part * around - 1.5):.2f} {around:.2f}"'
        place = f'transform="rotate({-90 + 360 * turn:.2f} 64 64)"'
        arc = f'<circle class="arc l-{escape(css)}" cx="64" cy="64" r="48" {dash} {place}>'
        parts.append(f"{arc}<title>{escape(name)}</title></circle>")
        turn += part
    ground = '<circle class="arc l-ground" cx="64" cy="64" r="48"/>' if not parts else ""
    below = f'<text class="ring-unit" x="64" y="84" text-anchor="middle">{escape(unit)}</text>' if unit else ""
    y = 66 if unit else 70
    return Markup(
        f'<svg class="ring" viewBox="0 0 128 128" role="img" aria-label="{escape(label)}">{ground}{"".join(parts)}'
        f'<text class="ring-figure" x="64" y="{y}" text-anchor="middle">{escape(middle)}</text>{below}</svg>'
    )


def bar(shares: Sequence[Share], label: str, whole: float | None = None) -> Markup:
    """A bar divided by shares, of `whole` where it need not be full; drawn from the inline start by the style sheet."""
    total = whole or sum(amount for _, _, amount in shares) or 1.0
    x, parts = 0.0, []
    for css, name, amount in shares:
        width = 600 * min(1.0, max(0.0, amount / total))
        if width > 0:
            place = f'x="{x:.2f}" width="{width:.2f}" height="12"'
            parts.append(f'<rect class="s-{escape(css)}" {place}><title>{escape(name)}</title></rect>')
        x += width
    return Markup(
        f'<svg class="bar" viewBox="0 0 600 12" preserveAspectRatio="none" role="img" aria-label="{escape(label)}">'
        f'<rect class="s-ground" width="600" height="12"/>{"".join(parts)}</svg>'
    )
