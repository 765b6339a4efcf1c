"""Heat of a salt tower: a surround field of heliostats, a receiver that must be started, loses heat and has limits.

The share of the beam that reaches the receiver depends on where the sun stands (height and side); its table in
`foundation/plants.toml` was fitted by our own script to SolarPILOT inside NREL's SAM (TcsmoltenSalt), the reference of
this model: see docs/operate/plants-against-sam.md. A start takes a least time and a fixed heat; a cloud that pushes the
receiver under its least load ends the run, and the next one needs a new start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.plant_data import parameter, series_parameter
from eureka_park.foundation.site_file import Plant, WeatherSite

MEGA: Final = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class TowerField:
    """A tower by its figures. `field_frac` is a table by height of the sun (rows) and its side; `loss` in shares of the
    rating: constant, by load, by air (1/K), by wind (1/(m/s)) and by wind squared.
    """

    area_m2: float
    zenith_deg: Floats
    azimuth_deg: Floats  # from the pole that the sun avoids: 0 is north in the north, south in the south
    field_frac: Floats
    deploy_elevation_deg: float
    stow_wind_m_per_s: float
    rated_mw: float
    loss: tuple[float, ...]
    pipe_frac: float
    least_frac: float
    most_frac: float
    start_h: float
    start_mwh: float
    is_south: bool


@dataclass(frozen=True, slots=True, eq=False)
class TowerFlows:
    """Hourly MW: beam absorbed while the field is open, heat of starts, heat given to the salt."""

    taken_mw: Floats
    start_mw: Floats
    heat_mw: Floats


def tower_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat that the receiver of a plant gives to its salt, MW, before anything is dumped because a tank is full."""
    return tower_flows(tower_field(plant, place), year).heat_mw


def tower_field(plant: Plant, place: WeatherSite) -> TowerField:
    """Field and receiver of a plant, from its own figures and those of its type. Raises BadInput for a missing one."""
    zenith_deg = np.array(series_parameter(plant, "field_zenith_deg"))
    azimuth_deg = np.array(series_parameter(plant, "field_azimuth_deg"))
    table = np.array(series_parameter(plant, "field_frac")).reshape(len(zenith_deg), len(azimuth_deg))
    rated_mw = parameter(plant, "receiver_mw_th")
    return TowerField(
        area_m2=parameter(plant, "mirror_area_m2"),
        zenith_deg=zenith_deg,
        azimuth_deg=azimuth_deg,
        field_frac=table,
        deploy_elevation_deg=parameter(plant, "deploy_elevation_deg"),
        stow_wind_m_per_s=parameter(plant, "stow_wind_m_per_s"),
        rated_mw=rated_mw,
        loss=series_parameter(plant, "receiver_loss_coefficients"),
        pipe_frac=parameter(plant, "receiver_pipe_loss_frac"),
        least_frac=parameter(plant, "receiver_load_min_frac"),
        most_frac=parameter(plant, "receiver_load_max_pu"),
        start_h=parameter(plant, "receiver_start_h"),
        start_mwh=parameter(plant, "receiver_start_frac") * rated_mw,
        is_south=place.latitude_deg < 0,
    )


def tower_flows(tower: TowerField, year: WeatherYear) -> TowerFlows:
    """All flows of a tower over a year."""
    taken_mw = tower.area_m2 / MEGA * year.dni_w_per_m2 * field_share(tower, year)
    _constant, _by_load, by_air, by_wind, by_wind2 = tower.loss
    lost_mw = tower.rated_mw * (
        _constant + by_air * year.temp_c + (by_wind + by_wind2 * year.wind_m_per_s) * year.wind_m_per_s
    )
    net_mw = np.where(taken_mw > 0, taken_mw - np.maximum(0.0, lost_mw + _by_load * taken_mw), 0.0)
    starts, heat = _through_the_hours(tower, net_mw)
    return TowerFlows(taken_mw, starts, heat)


def field_share(tower: TowerField, year: WeatherYear) -> Floats:
    """Share of the normal beam on all mirrors that the receiver absorbs; 0 while they are stowed."""
    zenith = np.degrees(year.sun.zenith_rad)
    side = np.degrees(year.sun.azimuth_rad) - (180.0 if tower.is_south else 0.0)
    side = np.abs((side + 180.0) % 360.0 - 180.0)
    share = _between(tower.field_frac, tower.zenith_deg, tower.azimuth_deg, zenith, side)
    is_open = (zenith < 90.0 - tower.deploy_elevation_deg) & (year.wind_m_per_s < tower.stow_wind_m_per_s)
    return np.where(is_open, np.maximum(0.0, share), 0.0)


def _between(table: Floats, rows: Floats, columns: Floats, row: Floats, column: Floats) -> Floats:
    """Bilinear between the nodes of a table, level beyond its edges."""
    r, row_frac = _cell(rows, row)
    c, column_frac = _cell(columns, column)
    upper = table[r, c] * (1 - column_frac) + table[r, c + 1] * column_frac
    lower = table[r + 1, c] * (1 - column_frac) + table[r + 1, c + 1] * column_frac
    return np.asarray(upper * (1 - row_frac) + lower * row_frac, dtype=np.float64)


def _cell(nodes: Floats, values: Floats) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.int64]], Floats]:
    at = np.clip(np.searchsorted(nodes, values, side="right") - 1, 0, len(nodes) - 2).astype(np.int64)
    return at, np.clip((values - nodes[at]) / (nodes[at + 1] - nodes[at]), 0.0, 1.0)


def _through_the_hours(tower: TowerField, net_mw: Floats) -> tuple[Floats, Floats]:
    """The state is whether the receiver runs, and what its start still needs; hours without net heat reset it."""
    least_mw, most_mw = tower.least_frac * tower.rated_mw, tower.most_frac * tower.rated_mw
    pipe_mw = tower.pipe_frac * tower.rated_mw
    runs, needed_h, needed_mwh = False, tower.start_h, tower.start_mwh
    starts, heat = [], []
    for net in net_mw.tolist():
        given = started = 0.0
        if runs and net - pipe_mw >= least_mw:
            given = min(net - pipe_mw, most_mw)
        elif net <= 0.0 or runs:
            runs, needed_h, needed_mwh = False, tower.start_h, tower.start_mwh
        if not runs and net > 0.0:
            takes_h = max(needed_h, needed_mwh / net)
            if takes_h < 1.0 and net - pipe_mw >= least_mw:
                runs, started = True, net * takes_h
                given = (1.0 - takes_h) * min(net - pipe_mw, most_mw)
                needed_h, needed_mwh = tower.start_h, tower.start_mwh
            else:
                started = min(net, needed_mwh)
                needed_h, needed_mwh = max(0.0, needed_h - 1.0), needed_mwh - started
        heat.append(given)
        starts.append(started)
    return np.array(starts), np.array(heat)
