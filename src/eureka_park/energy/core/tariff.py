"""What bought energy costs and what surplus earns, by local hour."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.site_file import Grid, Plant
from eureka_park.foundation.zones import ZoneInfo


def import_cost_mad_per_mwh(grid: Grid, timezone: str, starts_s: Floats) -> Floats:
    """Price plus transport for the intervals that begin at UTC instants; carbon is not in it. MAD/MWh."""
    prices = {
        "peak": grid.price_peak_mad_per_mwh,
        "full": grid.price_full_mad_per_mwh,
        "off-peak": grid.price_off_peak_mad_per_mwh,
    }
    return np.array([prices[post] + grid.transport_mad_per_mwh for post in tariff_posts(grid, timezone, starts_s)])


def plant_transport_mad_per_mwh(grid: Grid, plant: Plant) -> float:
    """What the network charges for bringing a plant's energy: nothing where it stands beside the site; MAD/MWh."""
    return 0.0 if stands_beside(grid, plant) else grid.transport_mad_per_mwh


def stands_beside(grid: Grid, plant: Plant) -> bool:
    """Whether a plant stands beside the site: one without line loss does."""
    return (grid.line_loss_frac if plant.line_loss_frac is None else plant.line_loss_frac) <= 0


def surplus_mad_per_mwh(grid: Grid, timezone: str, starts_s: Floats) -> Floats:
    """What a surplus MWh earns in the intervals that begin at UTC instants; MAD/MWh."""
    prices = {"peak": grid.surplus_peak_mad_per_mwh}
    posts = tariff_posts(grid, timezone, starts_s)
    return np.array([prices.get(post, grid.surplus_off_peak_mad_per_mwh) for post in posts])


def tariff_posts(grid: Grid, timezone: str, starts_s: Floats) -> tuple[str, ...]:
    """`peak`, `full` or `off-peak` for each interval; the local clock may jump, so each instant is asked for."""
    zone = ZoneInfo(timezone)
    hours = (datetime.fromtimestamp(float(start_s), UTC).astimezone(zone).hour for start_s in starts_s)
    return tuple(_post(grid, hour) for hour in hours)


def _post(grid: Grid, hour: int) -> str:
    if _within(hour, grid.peak_from_h, grid.peak_to_h):
        return "peak"
    return "off-peak" if _within(hour, grid.off_peak_from_h, grid.off_peak_to_h) else "full"


def _within(hour: int, from_h: int, to_h: int) -> bool:
    return from_h <= hour < to_h if from_h <= to_h else hour >= from_h or hour < to_h
