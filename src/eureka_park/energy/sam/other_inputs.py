"""What SAM is told of PV plants and wind farms: the figures that our own models read."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from eureka_park.energy.core.pv import kept_frac as pv_kept_frac
from eureka_park.energy.core.wind import curve_pu, kept_frac
from eureka_park.foundation.plant_data import parameter
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.units import KILO

FIXED_RACK: Final = 0.0
TRACKER_TURNED_BACK: Final = 3.0  # one axis, rows do not shade each other
CONSTANT_WAKE: Final = 3.0
SPEEDS_M_PER_S: Final = np.arange(0.0, 30.01, 0.25)
NO_LOSS: Final = (
    "avail_bop_loss", "avail_grid_loss", "avail_turb_loss", "elec_parasitic_loss", "env_env_loss", "env_exposure_loss",
    "env_icing_loss", "ops_env_loss", "ops_grid_loss", "ops_load_loss", "ops_strategies_loss", "turb_hysteresis_loss",
    "turb_perf_loss", "turb_specific_loss", "wake_ext_loss", "wake_future_loss",
)  # fmt: skip


def pv_inputs(plant: Plant, place: WeatherSite) -> dict[str, Any]:
    """Pvwattsv8: tracker with backtracking, or panels tilted at the latitude; losses as ours, without availability."""
    tracks = plant.tracking == "one-axis"
    return {
        "system_capacity": KILO * plant.gross_mw * plant.dc_ac_ratio,
        "dc_ac_ratio": plant.dc_ac_ratio,
        "array_type": TRACKER_TURNED_BACK if tracks else FIXED_RACK,
        "tilt": 0.0 if tracks else abs(place.latitude_deg),
        "azimuth": 180.0 if place.latitude_deg >= 0 else 0.0,
        "gcr": parameter(plant, "ground_cover_frac"),
        "inv_eff": 100.0 * parameter(plant, "inverter_frac"),
        "losses": 100.0 * (1.0 - pv_kept_frac(plant)),
        "albedo": (parameter(plant, "albedo_frac"),) * 12,
    }


def wind_inputs(plant: Plant) -> dict[str, Any]:
    """Windpower: our power curve as arrays, wake as a constant loss, no availability."""
    n_turbines = int(plant.n_turbines or 1)
    turbine_kw = KILO * plant.gross_mw / n_turbines
    turning = parameter(plant, "cut_out_m_per_s") >= SPEEDS_M_PER_S
    return {
        "wind_resource_model_choice": 0.0,
        "wind_resource_shear": parameter(plant, "shear_exponent"),
        "wind_turbine_hub_ht": parameter(plant, "hub_m"),
        "wind_turbine_rotor_diameter": parameter(plant, "rotor_m"),
        "wind_turbine_powercurve_windspeeds": tuple(SPEEDS_M_PER_S.tolist()),
        "wind_turbine_powercurve_powerout": tuple((turbine_kw * curve_pu(plant, SPEEDS_M_PER_S) * turning).tolist()),
        "system_capacity": KILO * plant.gross_mw,
        "wind_farm_wake_model": CONSTANT_WAKE,
        "wind_farm_xCoordinates": tuple(10.0 * parameter(plant, "rotor_m") * index for index in range(n_turbines)),
        "wind_farm_yCoordinates": (0.0,) * n_turbines,
        "wake_int_loss": 0.0,
        "elec_eff_loss": 0.0,
        "env_degrad_loss": 0.0,
        "turb_generic_loss": 100.0 * (1.0 - kept_frac(plant)),
        **dict.fromkeys(NO_LOSS, 0.0),
    }
