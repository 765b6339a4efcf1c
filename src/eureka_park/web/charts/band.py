"""The zellige band that closes the top of every page, and the mark: eight-pointed stars in the colours of this hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from eureka_park.web.charts.shapes import star

SIZE: Final = 26  # side of one tile: a star whose points touch its neighbours', a cross between four of them
# The grid's pattern stands once on a page, here; every other picture refers to it.
_HATCH: Final = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-ground" width="6" height="6"/><rect class="hatch-line" width="2.4" height="6"/>'
    "</pattern></defs>"
)


def mosaic(shares: Sequence[tuple[str, float]], n_stars: int) -> list[str]:
    """The class of each star, so that every stretch of the band has the whole's shares: the neediest comes next."""
    wanted = [(css, amount) for css, amount in shares if amount > 0]
    total = sum(amount for _, amount in wanted)
    if total <= 0:
        return ["mute"] * n_stars
    given = dict.fromkeys((css for css, _ in wanted), 0)
    shown = []
    for index in range(1, n_stars + 1):
        css = max(wanted, key=lambda item: item[1] / total * index - given[item[0]])[0]
        given[css] += 1
        shown.append(css)
    return shown


def zellige_band(shares: Sequence[tuple[str, float]], n_stars: int = 74) -> Markup:
    """Stars and crosses; `shares` are (colour class, amount) of this hour's sources for the load."""
    half = SIZE / 2
    tile, heart = star(half, half, half), star(half, half, half * 0.34)
    shown = "".join(
        f'<use href="#tile" class="s-{css}" x="{SIZE * index}"/>' for index, css in enumerate(mosaic(shares, n_stars))
    )
    symbols = f'<defs><g id="tile"><path class="tile" d="{tile}"/><path class="heart" d="{heart}"/></g></defs>'
    return Markup(
        f'<svg class="zellige" viewBox="0 0 {SIZE * n_stars} {SIZE}" preserveAspectRatio="xMinYMid slice" '
        f'aria-hidden="true" data-live-part="band">{_HATCH}{symbols}'
        f'<rect class="crosses" width="{SIZE * n_stars}" height="{SIZE}"/>{shown}</svg>'
    )
