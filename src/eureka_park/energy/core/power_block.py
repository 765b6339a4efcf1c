"""From heat to electricity: tank and power block of a trough or tower plant, followed hour by hour under given targets.

The linear programs of this room see a block of one efficiency. Here it starts (time and heat), has a least load, is
less efficient at part load and in hot air (or at a high wet bulb where water cools it), and feeds its own pumps,
fans and drives. So a plan can be replayed: what would a plant give that follows it? The same targets go to NREL's SAM,
the reference of this model: see docs/operate/plants-against-sam.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.foundation.plant_data import parameter, series_parameter, text_parameter
from eureka_park.foundation.site_file import Plant
from eureka_park.foundation.units import KILO

MEGA: Final = 1e6


@dataclass(frozen=True, slots=True, eq=False)
class PowerBlock:
    """A block with its tank by their figures; heat in MW or MWh, efficiencies as curves of load and of temperature."""

    design_mw_th: float
    eta_frac: float  # gross, at full load and design temperature
    load_nodes_frac: Floats
    load_eta_pu: Floats
    temp_nodes_c: Floats
    temp_eta_pu: Floats
    is_wet: bool
    least_frac: float
    start_h: float
    start_mwh_th: float
    tank_mwh_th: float
    tank_loss_frac_per_h: float
    tank_draw_frac: float  # of design heat, when no heat comes from the field
    water_m3_per_mwh: float


@dataclass(frozen=True, slots=True, eq=False)
class HeatFlows:
    """Heat by hour: into the block with its starts, of starts alone, spilled (MW); the tank at each hour's end (MWh).

    `runs_frac` is the part of the hour in which the block makes power.
    """

    drawn_mw_th: Floats
    start_mw_th: Floats
    spill_mw_th: Floats
    tes_mwh_th: Floats
    runs_frac: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """What a plant gives hour by hour: generator and own use (MW), heat behind it, water (m3)."""

    gross_mw: Floats
    own_use_mw: Floats
    heat: HeatFlows
    water_m3: Floats

    @property
    def net_mw(self) -> Floats:
        """Power at the plant's fence; negative where the plant only draws."""
        return self.gross_mw - self.own_use_mw


def replay(plant: Plant, year: WeatherYear, heat_mw_th: Floats, target_mw_th: Floats) -> Replay:
    """Follow targets of heat into the block (MW), as far as field and tank allow.

    The tank begins empty. A target under the block's least load is no target. Raises BadInput for a missing figure.
    """
    block = power_block(plant)
    heat = through_the_hours(block, heat_mw_th, target_mw_th)
    gross = gross_mw(block, year, heat.drawn_mw_th - heat.start_mw_th, heat.runs_frac)
    own_use = own_use_mw(plant, heat_mw_th - heat.spill_mw_th, heat.drawn_mw_th, gross)
    return Replay(gross, own_use, heat, np.maximum(0.0, gross - own_use) * block.water_m3_per_mwh)


def met_targets_mw_th(block: PowerBlock, heat_mw_th: Floats, asked_mw_th: Floats) -> Floats:
    """Targets that can be met: what was asked for in hours with a start, what was drawn in all others; MW.

    Hours under the block's least load and what tanks alone cannot give are left out.
    """
    done = through_the_hours(block, heat_mw_th, asked_mw_th)
    return np.where(done.start_mw_th > 0.0, asked_mw_th, done.drawn_mw_th)


def power_block(plant: Plant) -> PowerBlock:
    """Block and tank of a plant, from its own figures and those of its type. Raises BadInput for a missing one."""
    cooling = text_parameter(plant, "cooling")
    eta = parameter(plant, "eta_gross_frac")
    design_mw_th = parameter(plant, "gross_mw") / eta
    return PowerBlock(
        design_mw_th=design_mw_th,
        eta_frac=eta,
        load_nodes_frac=np.array(series_parameter(plant, "block_load_nodes_frac")),
        load_eta_pu=np.array(series_parameter(plant, "block_load_eta_pu")),
        temp_nodes_c=np.array(series_parameter(plant, "block_air_nodes_c")),
        temp_eta_pu=np.array(series_parameter(plant, f"block_air_{cooling}_eta_pu")),
        is_wet=cooling == "wet",
        least_frac=parameter(plant, "block_load_min_frac"),
        start_h=parameter(plant, "block_start_h"),
        start_mwh_th=parameter(plant, "block_start_frac") * design_mw_th,
        tank_mwh_th=usable_tank_mwh_th(plant),
        tank_loss_frac_per_h=plant.tes_loss_frac_per_h,
        tank_draw_frac=parameter(plant, "tank_draw_frac"),
        water_m3_per_mwh=parameter(plant, f"water_m3_per_mwh_{cooling}"),
    )


def usable_tank_mwh_th(plant: Plant) -> float:
    """What a plant's tank holds in use; behind an oil exchanger its salt never gets as hot as the oil. MWh of heat."""
    full_mwh_th = float(plant.tes_h or 0.0) * float(plant.power_block_mw or 0.0) / float(plant.eta_frac or 1.0)
    return parameter(plant, "tank_usable_frac") * full_mwh_th


def most_mw_th(block: PowerBlock, heat_mw_th: Floats) -> Floats:
    """Most heat that the block can take while the field gives so much: tanks alone give less than its design; MW."""
    from_field = np.minimum(1.0, heat_mw_th / block.design_mw_th)
    share = block.tank_draw_frac + (1.0 - block.tank_draw_frac) * from_field
    return np.asarray(block.design_mw_th * share, dtype=np.float64)


def gross_mw(block: PowerBlock, year: WeatherYear, heat_mw_th: Floats, runs_frac: Floats) -> Floats:
    """Power of the generator from heat into a block that runs for a part of each hour; MW, mean of the hour."""
    load_frac = heat_mw_th / (block.design_mw_th * np.maximum(runs_frac, 1e-9))
    load = np.interp(load_frac, block.load_nodes_frac, block.load_eta_pu)
    outside_c = wet_bulb_c(year) if block.is_wet else year.temp_c
    warmth = np.interp(outside_c, block.temp_nodes_c, block.temp_eta_pu)
    return np.asarray(heat_mw_th * block.eta_frac * load * warmth, dtype=np.float64)


def own_use_mw(plant: Plant, field_mw_th: Floats, drawn_mw_th: Floats, gross: Floats) -> Floats:
    """Power that pumps, fans, drives and the control room take; MW."""
    cooling = text_parameter(plant, "cooling")
    fixed = parameter(plant, "parasitic_fixed_frac") * plant.gross_mw
    fans = parameter(plant, f"cooling_{cooling}_frac") * gross
    block_pump = parameter(plant, "block_pump_frac") * drawn_mw_th
    tank_pump = parameter(plant, "tank_pump_frac") * np.abs(field_mw_th - drawn_mw_th)
    is_open = field_mw_th > 0.0
    if plant.type == "csp-trough":
        field = _trough_field_mw(plant, field_mw_th) + is_open * (
            parameter(plant, "collector_drive_w") / MEGA * plant_area(plant) / parameter(plant, "collector_area_m2")
        )
    else:
        constant, cubic = series_parameter(plant, "receiver_pump_coefficients")
        rated = parameter(plant, "receiver_mw_th")
        field = rated * (constant * is_open + cubic * (field_mw_th / rated) ** 3)
        drives_mw = parameter(plant, "heliostat_drive_kw") / KILO * plant_area(plant) / parameter(plant, "heliostat_m2")
        field = field + is_open * drives_mw
    return np.asarray(fixed + fans + block_pump + tank_pump + field, dtype=np.float64)


def plant_area(plant: Plant) -> float:
    """Reflecting area of a plant; m2."""
    return parameter(plant, "mirror_area_m2")


def wet_bulb_c(year: WeatherYear) -> Floats:
    """Wet-bulb temperature by Stull's fit (2011, doi:10.1175/JAMC-D-11-0143.1), with the altitude left out; degC."""
    percent = np.clip(100.0 * year.humidity_frac, 5.0, 99.0)
    air = year.temp_c
    return np.asarray(
        air * np.arctan(0.151977 * np.sqrt(percent + 8.313659))
        + np.arctan(air + percent)
        - np.arctan(percent - 1.676331)
        + 0.00391838 * percent**1.5 * np.arctan(0.023101 * percent)
        - 4.686035,
        dtype=np.float64,
    )


def _trough_field_mw(plant: Plant, field_mw_th: Floats) -> Floats:
    """Pumps of an oil field: their power grows with the flow to about 2.6, at 700 W of heat from a m2 as stated."""
    area_m2 = plant_area(plant)
    full_mw = parameter(plant, "field_pump_w_per_m2") * area_m2 / MEGA
    return np.asarray(full_mw * (field_mw_th * MEGA / area_m2 / 700.0) ** 2.6, dtype=np.float64)


def through_the_hours(block: PowerBlock, heat_mw_th: Floats, target_mw_th: Floats) -> HeatFlows:
    """Tank and block as two states: heat in store, and whether the block runs or what its start still needs."""
    least = block.least_frac * block.design_mw_th
    loses, tank, runs = block.tank_loss_frac_per_h * block.tank_mwh_th, 0.0, False  # both tanks lose, full or not
    needed_h, needed_mwh = block.start_h, block.start_mwh_th
    drawn, starts, running, spill, level = [], [], [], [], []
    wanted_mw_th = np.minimum(target_mw_th, most_mw_th(block, heat_mw_th))
    for heat, wanted in zip(heat_mw_th.tolist(), wanted_mw_th.tolist(), strict=True):
        tank = max(0.0, tank - loses)
        given = min(wanted, heat + tank) if wanted >= least else 0.0
        start, runs_frac = 0.0, 1.0
        if given < least:
            runs_frac = 0.0
            runs, given = False, 0.0
            needed_h, needed_mwh = block.start_h, block.start_mwh_th
        elif not runs:
            takes_h = max(needed_h, needed_mwh / given)
            start = min(given, needed_mwh)
            runs, runs_frac = takes_h < 1.0, max(0.0, 1.0 - takes_h)
            given = start + given * runs_frac
            needed_h, needed_mwh = (block.start_h, block.start_mwh_th) if runs else (needed_h - 1.0, needed_mwh - start)
        after = tank + heat - given
        tank = min(max(after, 0.0), block.tank_mwh_th)
        drawn.append(given)
        starts.append(start)
        running.append(runs_frac)
        spill.append(max(0.0, after - tank))
        level.append(tank)
    return HeatFlows(np.array(drawn), np.array(starts), np.array(spill), np.array(level), np.array(running))
