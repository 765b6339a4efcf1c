"""What SAM is told of a trough or tower plant: the figures that our own models read, and nothing tuned beside them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from eureka_park.energy.core.power_block import power_block
from eureka_park.energy.core.supply import tank_mwh_th
from eureka_park.foundation.plant_data import parameter, series_parameter, text_parameter
from eureka_park.foundation.site_file import Plant

COOLING: Final = {"wet": 1.0, "dry": 2.0}
N_PARTS: Final = 12  # modules of a collector


def block_inputs(plant: Plant) -> dict[str, Any]:
    """Power block, cooling and tank, common to troughs and towers."""
    gross_mw, eta = parameter(plant, "gross_mw"), parameter(plant, "eta_gross_frac")
    return {
        "P_ref": gross_mw,
        "tshours": tank_mwh_th(plant) * eta / gross_mw,
        "CT": COOLING[text_parameter(plant, "cooling")],
        "T_amb_des": parameter(plant, "condenser_design_c"),
        "T_ITD_des": parameter(plant, "condenser_itd_c"),
        "cycle_cutoff_frac": parameter(plant, "block_load_min_frac"),
        "startup_time": parameter(plant, "block_start_h"),
        "startup_frac": parameter(plant, "block_start_frac"),
        "pb_fixed_par": parameter(plant, "parasitic_fixed_frac"),
        "pb_pump_coef": parameter(plant, "pump_kw_per_kg_per_s"),
        "adjust_constant": 0.0,  # availability is no part of the comparison
    }


def trough_inputs(plant: Plant) -> dict[str, Any]:
    """TroughPhysical: one kind of collector in every place of the loop."""
    n_collectors = int(parameter(plant, "collectors_per_loop"))
    length_m = parameter(plant, "collector_length_m")
    loop = [float(n_collectors)]
    for index in range(n_collectors):
        loop += [1.0, 1.0, float(n_collectors - index)]
    receivers = {
        "Shadowing": "receiver_shadow_frac",
        "Dirt_HCE": "receiver_clean_frac",
        "Tau_envelope": "glass_transmittance_frac",
        "alpha_abs": "absorptance_frac",
    }
    return {
        **block_inputs(plant),
        "eta_ref": parameter(plant, "eta_gross_frac"),
        "tes_pump_coef": parameter(plant, "tank_pump_kw_per_kg_per_s"),
        "use_solar_mult_or_aperture_area": 1.0,
        "specified_total_aperture": parameter(plant, "mirror_area_m2"),
        "trough_loop_control": loop,
        "A_aperture": _four(parameter(plant, "collector_area_m2")),
        "W_aperture": _four(parameter(plant, "collector_width_m")),
        "L_SCA": _four(length_m),
        "L_aperture": _four(length_m / N_PARTS),
        "ColperSCA": _four(float(N_PARTS)),
        "Ave_Focal_Length": _four(parameter(plant, "focal_length_m")),
        "Row_Distance": parameter(plant, "row_pitch_m"),
        "IAM_matrix": (series_parameter(plant, "incidence_coefficients"),) * 4,
        "Rho_mirror_clean": _four(parameter(plant, "mirror_reflectance_frac")),
        "Dirt_mirror": _four(parameter(plant, "mirror_clean_frac")),
        "TrackingError": _four(parameter(plant, "tracking_frac")),
        "GeomEffects": _four(parameter(plant, "geometry_frac")),
        **{name: _first_receiver(name, parameter(plant, ours)) for name, ours in receivers.items()},
        "T_loop_in_des": parameter(plant, "loop_cold_c"),
        "T_loop_out": parameter(plant, "loop_hot_c"),
        "T_startup": parameter(plant, "field_start_c"),
        "T_fp": parameter(plant, "freeze_protection_c"),
        "theta_dep": parameter(plant, "deploy_elevation_deg"),
        "theta_stow": 180.0 - parameter(plant, "stow_elevation_deg"),
        "wind_stow_speed": parameter(plant, "stow_wind_m_per_s"),
        "m_dot_htfmin": parameter(plant, "loop_least_kg_per_s"),
        "m_dot_htfmax": parameter(plant, "loop_most_kg_per_s"),
        "SCA_drives_elec": parameter(plant, "collector_drive_w"),
        "washing_frequency": round(365.0 / parameter(plant, "wash_every_d")),
        "water_usage_per_wash": parameter(plant, "wash_l_per_m2"),
    }


def tower_inputs(plant: Plant) -> dict[str, Any]:
    """TcsmoltenSalt: the layout of the mirrors apart."""
    side_m = parameter(plant, "heliostat_side_m")
    eta = parameter(plant, "eta_gross_frac")
    return {
        **block_inputs(plant),
        "design_eff": eta,
        "solarm": parameter(plant, "receiver_mw_th") * eta / parameter(plant, "gross_mw"),
        "h_tower": parameter(plant, "tower_m"),
        "helio_width": side_m,
        "helio_height": side_m,
        "dens_mirror": parameter(plant, "heliostat_m2") / side_m**2,
        "helio_reflectance": parameter(plant, "mirror_reflectance_frac"),
        "helio_active_fraction": parameter(plant, "mirror_active_frac"),
        "hel_stow_deploy": parameter(plant, "deploy_elevation_deg"),
        "v_wind_max": parameter(plant, "stow_wind_m_per_s"),
        "p_track": parameter(plant, "heliostat_drive_kw"),
        "rec_absorptance": parameter(plant, "absorptance_frac"),
        "epsilon": parameter(plant, "emittance_frac"),
        "f_rec_min": parameter(plant, "receiver_load_min_frac"),
        "csp_pt_rec_max_oper_frac": parameter(plant, "receiver_load_max_pu"),
        "rec_su_delay": parameter(plant, "receiver_start_h"),
        "rec_qf_delay": parameter(plant, "receiver_start_frac"),
        "T_htf_cold_des": parameter(plant, "salt_cold_c"),
        "T_htf_hot_des": parameter(plant, "salt_hot_c"),
        "washing_frequency": round(365.0 / parameter(plant, "wash_every_d")),
        "water_usage_per_wash": parameter(plant, "wash_l_per_m2"),
        "sf_adjust_constant": 0.0,
    }


def target_inputs(plant: Plant, target_mw_th: Any) -> dict[str, Any]:
    """Our dispatch as SAM's: heat wanted by the block in each local hour; the receiver may start whenever it can.

    A run is started in its first hour, and in its second where the first was too short.
    """
    wanted = np.asarray(target_mw_th, dtype=np.float64)
    runs = wanted > 0.0
    starts = runs & ~np.roll(runs, 1)
    starts |= runs & np.roll(starts, 1)
    always, never = (1.0,) * len(wanted), (0.0,) * len(wanted)
    inputs = {
        "is_dispatch_targets": 1.0,
        "is_dispatch": 0.0,
        "q_pc_target_on_in": tuple(wanted.tolist()),
        "q_pc_target_su_in": tuple((power_block(plant).design_mw_th * starts).tolist()),
        "q_pc_max_in": tuple(np.maximum(wanted, 1e-3).tolist()),
        "is_rec_su_allowed_in": always,
        "is_pc_su_allowed_in": tuple(runs.astype(float).tolist()),
        "is_pc_sb_allowed_in": never,
    }
    heater = {"is_PAR_HTR_allowed_in": never, "q_dot_elec_to_PAR_HTR_in": never}
    return inputs | (heater if plant.type == "csp-tower" else {})


def _four(value: float) -> tuple[float, ...]:
    return (value,) * 4


def _first_receiver(name: str, value: float) -> tuple[tuple[float, ...], ...]:
    """SAM's matrix of four receivers by four states: `value` for receivers in good order, SAM's for others."""
    usual = {
        "Shadowing": (0.935, 0.935, 0.963),
        "Dirt_HCE": (0.98, 1.0, 0.98),
        "Tau_envelope": (0.964, 1.0, 0.0),
        "alpha_abs": (0.963, 0.8, 0.0),
    }[name]
    return ((value, *usual),) * 4
