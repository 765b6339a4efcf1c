"""Which tier had which source's power: clean goes to green first, then flex, then firm; the grid does the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eureka_park.foundation.site_file import GRID_SOURCE_ID

CLEAN_ORDER: Final = ("green", "flex", "firm")


def source_shares(
    load_by_tier_mw: Mapping[str, float], clean_by_source_mw: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Shares of sources in each tier's power; the shares of a tier sum to 1.

    Tiers are served in the order green, flex, firm, then any others by name; within a tier every source gives in
    proportion to what is left of it. A tier without load gets the shares that its next bit of power would have.
    """
    left = {source: max(0.0, mw) for source, mw in clean_by_source_mw.items() if source != GRID_SOURCE_ID}
    order = [tier for tier in CLEAN_ORDER if tier in load_by_tier_mw]
    order += sorted(tier for tier in load_by_tier_mw if tier not in CLEAN_ORDER)
    shares: dict[str, dict[str, float]] = {}
    for tier in order:
        load_mw = max(0.0, load_by_tier_mw[tier])
        clean_mw = sum(left.values())
        clean_frac = 1.0 if load_mw <= clean_mw and clean_mw > 0 else clean_mw / load_mw if load_mw > 0 else 0.0
        shares[tier] = _shares(left, clean_mw, clean_frac)
        kept_frac = max(0.0, 1.0 - load_mw / clean_mw) if clean_mw > 0 else 0.0
        left = {source: mw * kept_frac for source, mw in left.items()}
    return shares


def _shares(left: Mapping[str, float], clean_mw: float, clean_frac: float) -> dict[str, float]:
    shares = {source: clean_frac * mw / clean_mw if clean_mw > 0 else 0.0 for source, mw in left.items()}
    return {**shares, GRID_SOURCE_ID: max(0.0, 1.0 - sum(shares.values())) if clean_frac < 1.0 else 0.0}
