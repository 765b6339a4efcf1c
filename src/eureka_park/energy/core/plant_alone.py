"""One plant with salt by itself: the dispatch it would follow if it sold its power at the prices of a day."""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant, for_a_year
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.plant_data import parameter
from eureka_park.foundation.site_file import Plant, WeatherSite

PEAK_FROM_H: Final = 17  # solar time: the evening is worth most, the rest of the day less, the night least
PEAK_TO_H: Final = 22
NIGHT_TO_H: Final = 7
WORTH_MAD_PER_MWH: Final = (1000.0, 750.0, 550.0)


def targets_alone_mw_th(plant: Plant, place: WeatherSite, heat_mw_th: Floats) -> Floats:
    """Heat that the power block of a plant should take in each hour of a year: our linear program with the plant alone.

    Hours under the block's least load are left out, so that the targets can be followed.
    """
    hours = np.arange(len(heat_mw_th))
    local_h = (hours + 0.5 + place.longitude_deg / 15.0) % 24.0
    peak, full, night = WORTH_MAD_PER_MWH
    is_night = (local_h < NIGHT_TO_H) | (local_h >= PEAK_TO_H)
    worth = np.where(is_night, night, np.where(local_h >= PEAK_FROM_H, peak, full))
    salt = _alone(plant, heat_mw_th)
    net_mw = salt.power_block_mw_th * salt.per_heat
    problem = DispatchProblem(
        load_mw=np.full(len(hours), net_mw),
        salt={plant.id: salt},
        direct_mw={},
        import_cost_mad_per_mwh=worth,
        surplus_mad_per_mwh=np.zeros(len(hours)),
        import_mw_max=net_mw,
        export_mw_max=0.0,
        end_value_mad_per_mwh=0.0,
    )
    drawn_mw_th = dispatch(for_a_year(problem)).power_mw[plant.id] / salt.per_heat
    least_mw_th = parameter(plant, "block_load_min_frac") * design_mw_th(plant)
    return np.where(drawn_mw_th < least_mw_th, 0.0, drawn_mw_th)


def design_mw_th(plant: Plant) -> float:
    """Heat that the power block takes at its gross rating; MW."""
    return parameter(plant, "gross_mw") / parameter(plant, "eta_gross_frac")


def _alone(plant: Plant, heat_mw_th: Floats) -> SaltPlant:
    eta = float(plant.eta_frac or 1.0)
    block = float(plant.power_block_mw or 0.0) / eta
    return SaltPlant(heat_mw_th, block, eta, 1.0, float(plant.tes_h or 0.0) * block, 0.0, plant.tes_loss_frac_per_h)
