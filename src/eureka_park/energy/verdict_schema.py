"""The form of the verdict's study: one JSON value that holds all that the report shows and nothing it does not need.

Figures are p50 over the years of weather that were run, with p10 and p90 beside where more than one year was. Series
are whole tenths of a MW, hour by hour from 1 January 00:00 UTC of the reference year.
"""

from __future__ import annotations

from typing import Final, TypedDict

from eureka_park.foundation.site_file import Site

SCHEMA: Final = 1
ROWS: Final = ("constant", "fleet-low", "fleet-high", "cfe-99", "cfe-90", "cfe-75")
SCENARIOS: Final = ("all-plants", "noor-iii-out", "historical-availability")
SOURCES: Final = ("wind", "pv", "csp", "salt", "battery", "grid")  # from the ground up; the colours of the park
TARGETS: Final = (0.50, 0.75, 0.90, 0.99)  # of the sizing answers
_NOOR_III: Final = "noor-iii"


class Span(TypedDict):
    """A figure over the years of weather: its median, and the marks that one year in ten lies below and above."""

    p50: float
    p10: float
    p90: float


class Additions(TypedDict):
    """The least-cost new supply that brings a load to a share: sizes, money, and what the full years then give."""

    target_frac: float
    reached_frac: float
    is_reached: bool  # not where the largest additions do not bring the load there
    wind_mw: float
    pv_mw: float
    csp_mw: float
    csp_tes_h: float
    battery_mw: float
    battery_mwh: float
    capital_mad: float
    mad_per_kwh: float  # of the load, additions and bought energy included
    gco2_per_kwh: float
    land_ha: float
    command: str


class Cell(TypedDict):
    """One row of the verdict under one scenario."""

    row: str
    scenario: str
    load_mw: Span
    cfe_frac: Span
    volume_frac: Span
    import_gwh: Span
    export_gwh: Span
    unserved_gwh: Span
    mad_per_kwh: Span
    gco2_per_kwh: Span
    hours_clean_frac: Span
    water_m3: Span
    additions: Additions | None  # None: the row is a size that needs none
    command: str


class PlantRow(TypedDict):
    """A plant as the study had it: raw output of the model, the factor, what is published, what it rests on."""

    id: str
    title: str
    kind: str
    gross_mw: float
    raw_gwh: float
    calibration_factor: float
    calibrated_gwh: float
    price_mad_per_mwh: float
    water_m3: float
    availability_frac: dict[str, float]  # by scenario
    source: str


class Point(TypedDict):
    """One point of the trade-off between clean share and cost of supply."""

    cfe_frac: float
    mad_per_kwh: float
    capital_mad: float
    gco2_per_kwh: float
    wind_mw: float
    pv_mw: float
    csp_mw: float
    battery_mwh: float


class Hours(TypedDict):
    """The year of the headline case (constant load, all plants, first seed)."""

    start_s: int
    seed: int
    load_mw: float
    by_source: dict[str, list[int]]  # tenths of a MW that serve the load
    export: list[int]


class Operated(TypedDict):
    """A load served day by day without knowing the year: what that takes from the bound. First seed, all plants."""

    load_mw: float
    bound_frac: float  # the whole year known
    perfect_frac: float  # two days known, made anew each day
    forecast_frac: float  # forecasts with errors of published size, a plan each hour


class Evening(TypedDict):
    """The headline case at the hour of the country's peak (21 to 22 h local, June to August)."""

    import_mw_mean: float
    import_mw_max: float
    clean_mw_mean: float


class Study(TypedDict):
    """All of it."""

    schema: int
    version: str
    date: str
    site: str
    site_title: str
    site_mw: float
    timezone: str
    seeds: list[int]
    weather: str
    scenarios: dict[str, str]  # name: what it is, in English
    cells: list[Cell]
    plants: list[PlantRow]
    sizes: list[Additions]  # constant load, all plants, one for each target
    pareto: list[Point]
    hours: Hours
    duration_mw: dict[str, list[float]]  # by scenario: clean MW that serve the constant load, 101 marks, falling
    evening: Evening
    operated: list[Operated]  # the constant load, then the largest load at nine tenths
    inputs: dict[str, str]  # prices, limits and losses of the site file, with what they rest on
    commands: dict[str, str]  # by figure


def scenarios_of(site: Site) -> tuple[str, ...]:
    """The scenarios that differ at a site: one is about a plant that others do not have."""
    has_noor_iii = any(plant.known_as == _NOOR_III for plant in site.plants)
    return tuple(name for name in SCENARIOS if has_noor_iii or name != f"{_NOOR_III}-out")
