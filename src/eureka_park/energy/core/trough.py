"""Heat of an oil trough field with axes north-south: mirrors, receivers, pipes and the heat held in the field itself.

By hour: beam x optics of the mirrors -> receivers -> less losses -> warms the oil and steel of the field first, then
leaves as heat. In the evening the field gives what is in it down to the temperature at which it stops; over the night
it cools, and the next sun has to warm it again. Freeze protection is left out: it took nothing at Ouarzazate and
Daggett in SAM. The figures are those of `foundation/plants.toml`; NREL's SAM (TroughPhysical) is the reference, see
docs/operate/plants-against-sam.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, prod
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.plant_data import parameter, series_parameter
from eureka_park.foundation.site_file import Plant, WeatherSite

MIRROR_FACTORS: Final = (
    "mirror_reflectance_frac",
    "mirror_clean_frac",
    "tracking_frac",
    "geometry_frac",
    "receiver_shadow_frac",
    "receiver_clean_frac",
    "glass_transmittance_frac",
)
LIT_FRAC_MIN: Final = 0.5  # rows that shade each other more than this stay stowed, as in SAM
MEGA: Final = 1e6


@dataclass(frozen=True, slots=True)
class TroughField:
    """A field by its figures; temperatures in degC, `loss` the four coefficients of a metre of receiver (W/m)."""

    area_m2: float
    n_loops: float
    collector_width_m: float
    collector_length_m: float
    focal_length_m: float
    row_pitch_m: float
    receiver_m: float
    mirror_frac: float  # beam to receiver at normal incidence
    incidence: tuple[float, ...]
    absorptance_frac: float
    deploy_elevation_deg: float
    stow_wind_m_per_s: float
    loss: tuple[float, ...]
    pipe_mw_per_k: float
    capacity_mwh_per_k: float
    cold_c: float
    hot_c: float
    start_c: float  # oil leaving the loops: above it heat is given
    stop_c: float
    warm_up_loss_frac: float
    freeze_c: float
    give_mw_per_k: float  # least flow of all loops times the oil's heat capacity
    give_mw_max: float


@dataclass(frozen=True, slots=True, eq=False)
class TroughFlows:
    """Hourly MW: beam on the receivers, what receivers and pipes lose, heat given; the field in degC."""

    beam_mw: Floats
    loss_mw: Floats
    heat_mw: Floats
    mean_c: Floats


def trough_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat that the field of a plant gives, MW, before anything is dumped because a tank is full."""
    return trough_flows(trough_field(plant), year).heat_mw


def trough_field(plant: Plant) -> TroughField:
    """The field of a plant, from its own figures and those of its type. Raises BadInput for a missing figure."""
    area_m2 = parameter(plant, "mirror_area_m2")
    per_loop = parameter(plant, "collectors_per_loop")
    n_loops = area_m2 / (per_loop * parameter(plant, "collector_area_m2"))
    oil_mj_per_kg_and_k = parameter(plant, "oil_j_per_kg_and_k") / MEGA
    cold_c, hot_c = parameter(plant, "loop_cold_c"), parameter(plant, "loop_hot_c")
    least_kg_per_s, most_kg_per_s = (parameter(plant, f"loop_{end}_kg_per_s") for end in ("least", "most"))
    return TroughField(
        area_m2=area_m2,
        n_loops=n_loops,
        collector_width_m=parameter(plant, "collector_width_m"),
        collector_length_m=parameter(plant, "collector_length_m"),
        focal_length_m=parameter(plant, "focal_length_m"),
        row_pitch_m=parameter(plant, "row_pitch_m"),
        receiver_m=n_loops * per_loop * parameter(plant, "collector_length_m"),
        mirror_frac=prod(parameter(plant, name) for name in MIRROR_FACTORS),
        incidence=series_parameter(plant, "incidence_coefficients"),
        absorptance_frac=parameter(plant, "absorptance_frac"),
        deploy_elevation_deg=parameter(plant, "deploy_elevation_deg"),
        stow_wind_m_per_s=parameter(plant, "stow_wind_m_per_s"),
        loss=series_parameter(plant, "receiver_loss_coefficients"),
        pipe_mw_per_k=parameter(plant, "pipe_loss_w_per_m2_and_k") * area_m2 / MEGA,
        capacity_mwh_per_k=parameter(plant, "field_heat_wh_per_m2_and_k") * area_m2 / MEGA,
        cold_c=cold_c,
        hot_c=hot_c,
        start_c=parameter(plant, "field_start_c"),
        stop_c=parameter(plant, "field_stop_c"),
        warm_up_loss_frac=parameter(plant, "warm_up_loss_frac"),
        freeze_c=parameter(plant, "freeze_protection_c"),
        give_mw_per_k=n_loops * least_kg_per_s * oil_mj_per_kg_and_k,
        give_mw_max=n_loops * most_kg_per_s * oil_mj_per_kg_and_k * (hot_c - cold_c),
    )


def trough_flows(field: TroughField, year: WeatherYear) -> TroughFlows:
    """All flows of a field over a year."""
    beam_mw = field.area_m2 / MEGA * year.dni_w_per_m2 * optical_frac(field, year)
    return _through_the_hours(field, year, beam_mw)


def optical_frac(field: TroughField, year: WeatherYear) -> Floats:
    """Share of the normal beam that passes the glass of the receivers, averaged over each hour; 0 while stowed."""
    sun = year.sun
    along = np.sin(sun.zenith_rad) * np.cos(sun.azimuth_rad)
    cosine = np.sqrt(np.maximum(1e-6, 1.0 - along**2))
    angle = np.arccos(np.clip(cosine, 0.0, 1.0))
    a0, a1, a2 = field.incidence
    modified = np.clip(a0 + (a1 * angle + a2 * angle**2) / cosine, 0.0, 1.0)
    ends = np.clip(1.0 - field.focal_length_m * np.tan(angle) / field.collector_length_m, 0.0, 1.0)
    tracked_frac, elevation_rad = _tracked(np.arcsin(np.clip(sun.cos_zenith / cosine, -1.0, 1.0)), field)
    lit = np.clip(field.row_pitch_m / field.collector_width_m * np.sin(elevation_rad), 0.0, 1.0)
    lit = np.where(lit < LIT_FRAC_MIN, 0.0, lit)
    calm = year.wind_m_per_s < field.stow_wind_m_per_s
    return np.asarray(field.mirror_frac * cosine * modified * ends * lit * tracked_frac * calm, dtype=np.float64)


def _tracked(elevation_rad: Floats, field: TroughField) -> tuple[Floats, Floats]:
    """Part of each hour in which the mirrors follow the sun, and the height of the sun across the rows in that part."""
    before = (np.roll(elevation_rad, 1) + elevation_rad) / 2
    after = (np.roll(elevation_rad, -1) + elevation_rad) / 2
    low, high = np.minimum(before, after), np.maximum(before, after)
    deploy = np.radians(field.deploy_elevation_deg)
    frac = np.clip((high - deploy) / np.maximum(high - low, 1e-6), 0.0, 1.0)
    return frac, np.where(frac < 1.0, (np.maximum(low, deploy) + high) / 2, elevation_rad)


def _through_the_hours(field: TroughField, year: WeatherYear, beam_mw: Floats) -> TroughFlows:
    """The state is the field's mean temperature; in each hour the inflow is constant and the outflow follows it."""
    air_k, radiated, beam_frac, wind_k = field.loss
    per_m = field.receiver_m / MEGA
    radiated *= per_m
    per_k = (air_k + wind_k * year.wind_m_per_s) * per_m + field.pipe_mw_per_k
    taken_mw = beam_mw * field.absorptance_frac
    capacity, cold_c = field.capacity_mwh_per_k, field.cold_c
    full_c, start_c, stop_c = ((cold_c + end_c) / 2 for end_c in (field.hot_c, field.start_c, field.stop_c))
    give = 2.0 * field.give_mw_per_k
    decay = give / capacity
    mean_c, gives = start_c, False
    heat, loss, means = [], [], []
    for taken, slope, air_c in zip(taken_mw.tolist(), per_k.tolist(), year.temp_c.tolist(), strict=True):
        at_c = mean_c if taken > 0.0 else min(mean_c, cold_c)  # without sun the loops hold oil of the cold header
        lost = slope * (at_c - air_c) + radiated * at_c**4 + beam_frac * taken
        net, rest_h, given = taken - lost, 1.0, 0.0
        if not gives and net > 0.0:
            warms = (1.0 - field.warm_up_loss_frac) * net
            needed_h = max(0.0, start_c - mean_c) * capacity / warms
            gives = needed_h < 1.0
            rest_h -= min(1.0, needed_h)
            mean_c = max(mean_c, start_c) if gives else mean_c + warms / capacity
        elif not gives:
            mean_c = max(field.freeze_c, mean_c + net / capacity)
        if gives:
            tends_c = cold_c + net / give
            end_c = min(full_c, tends_c + (mean_c - tends_c) * exp(-decay * rest_h))
            given = min(field.give_mw_max, max(0.0, net * rest_h - capacity * (end_c - mean_c)))
            mean_c, gives = end_c, end_c >= stop_c
        heat.append(given)
        loss.append(lost)
        means.append(mean_c)
    return TroughFlows(beam_mw, np.array(loss), np.array(heat), np.array(means))
