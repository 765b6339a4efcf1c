"""One plant with salt by itself: the dispatch it follows when no grid asks for anything else."""

from __future__ import annotations

from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatcher
from eureka_park.energy.core.dispatch_problem import DispatchProblem, SaltPlant, for_a_year
from eureka_park.energy.core.power_block import met_targets_mw_th, most_mw_th, power_block, usable_tank_mwh_th
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.site_file import Plant, WeatherSite

RUN_FROM_H: Final = 5.0  # solar time
FULL_MAD_PER_MWH: Final = 1000.0
FALL_MAD_PER_MWH_AND_H: Final = 5.0  # a block starts in the morning and runs on until its tank is empty


def targets_alone_mw_th(plant: Plant, place: WeatherSite, heat_mw_th: Floats) -> Floats:
    """Heat that the power block of a plant should take in each hour of a year: our linear program with the plant alone.

    What the program asks for is then followed through tank and block once, so that the targets can be met: hours under
    the block's least load and what tanks alone cannot give are left out.
    """
    hours = np.arange(len(heat_mw_th))
    local_h = (hours + 0.5 + place.longitude_deg / 15.0) % 24.0
    falling = FALL_MAD_PER_MWH_AND_H * ((local_h - RUN_FROM_H) % 24.0)
    worth = np.asarray(FULL_MAD_PER_MWH - falling, dtype=np.float64)
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
    block = power_block(plant)
    dispatcher = Dispatcher(for_a_year(problem))
    (drawn,) = dispatcher.handles.salt[plant.id].drawn
    dispatcher.solver.set_columns(drawn, 0.0, np.minimum(salt.power_block_mw_th, most_mw_th(block, heat_mw_th)))
    asked_mw_th = dispatcher.solve().power_mw[plant.id] / salt.per_heat
    return met_targets_mw_th(block, heat_mw_th, asked_mw_th)


def _alone(plant: Plant, heat_mw_th: Floats) -> SaltPlant:
    eta = float(plant.eta_frac or 1.0)
    block_mw_th = float(plant.power_block_mw or 0.0) / eta
    return SaltPlant(heat_mw_th, block_mw_th, eta, 1.0, usable_tank_mwh_th(plant), 0.0, plant.tes_loss_frac_per_h)
