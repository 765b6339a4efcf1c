"""PySAM run with our plants, weather and dispatch; what comes back is in MW, by hour of the UTC year.

A trough year takes 15 to 40 CPU seconds, a tower year about 10, PV and wind less than one.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np

from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather_year import WeatherYear
from eureka_park.energy.sam.csp_inputs import target_inputs, tower_inputs, trough_inputs
from eureka_park.energy.sam.other_inputs import pv_inputs, wind_inputs
from eureka_park.energy.sam.weather import from_local, solar_resource, to_local, wind_resource
from eureka_park.foundation.errors import Internal, Unavailable
from eureka_park.foundation.plant_data import parameter
from eureka_park.foundation.site_file import Plant, WeatherSite
from eureka_park.foundation.units import KILO

LARGE_TANK_H: Final = 20.0  # so large that the field is never turned away from the sun
DECIMETRES: Final = 10.0
MODULES: Final = {
    "csp-trough": ("PySAM.TroughPhysical", "PhysicalTroughNone"),
    "csp-tower": ("PySAM.TcsmoltenSalt", "MSPTNone"),
    "pv": ("PySAM.Pvwattsv8", "PVWattsNone"),
    "wind": ("PySAM.Windpower", "WindPowerNone"),
}
FIELD_HEAT: Final = {"csp-trough": "q_dot_htf_sf_out", "csp-tower": "Q_thermal"}
IN_RUN_LAYOUT: Final = 1.0
GIVEN_LAYOUT: Final = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class SamCsp:
    """A CSP year in SAM: heat from the field, heat into the block, gross and net power, all MW; water of the year."""

    heat_mw_th: Floats
    drawn_mw_th: Floats
    gross_mw: Floats
    net_mw: Floats
    water_m3: float


def sam_version() -> str:
    """Version of PySAM. Raises Unavailable, with how to install it, where it is not here."""
    _module("PySAM.PySSC")
    from importlib.metadata import version

    return f"NREL-PySAM {version('nrel-pysam')}"


def sam_field_heat_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Heat of the field in SAM when no tank is ever full; MW."""
    return _csp(plant, place, year, {"tshours": LARGE_TANK_H}).heat_mw_th


def sam_replay(plant: Plant, place: WeatherSite, year: WeatherYear, target_mw_th: Floats) -> SamCsp:
    """SAM with the plant's own tank, following our targets of heat into the block (MW)."""
    return _csp(plant, place, year, target_inputs(plant, to_local(target_mw_th, place)))


def sam_electricity_mw(plant: Plant, place: WeatherSite, year: WeatherYear) -> Floats:
    """Power of a PV plant or wind farm in SAM before outages; MW."""
    if plant.type == "pv":
        wind_if_none = parameter(plant, "wind_if_unknown_m_per_s")
        inputs = pv_inputs(plant, place) | {"solar_resource_data": solar_resource(place, year, wind_if_none)}
    else:
        hub_m = parameter(plant, "hub_m")
        inputs = wind_inputs(plant) | {"wind_resource_data": wind_resource(place, year, hub_m)}
    model = run_sam(plant, inputs)
    return from_local(model.Outputs.gen, place) / KILO


def _csp(plant: Plant, place: WeatherSite, year: WeatherYear, more: Mapping[str, Any]) -> SamCsp:
    inputs = trough_inputs(plant) if plant.type == "csp-trough" else tower_inputs(plant) | _mirrors(plant)
    model = run_sam(plant, inputs | {"solar_resource_data": solar_resource(place, year)} | dict(more))
    outputs = model.Outputs
    return SamCsp(
        heat_mw_th=from_local(getattr(outputs, FIELD_HEAT[plant.type]), place),
        drawn_mw_th=from_local(outputs.q_pb, place),
        gross_mw=from_local(outputs.P_cycle, place),
        net_mw=from_local(outputs.P_out_net, place),
        water_m3=float(outputs.annual_total_water_use),
    )


def _mirrors(plant: Plant) -> dict[str, Any]:
    """Where the heliostats stand: as kept for a known plant, else laid out by SolarPILOT in the run."""
    kept = resources.files("eureka_park.energy.sam") / f"{plant.known_as}-heliostats.npy"
    if plant.known_as is None or not kept.is_file():
        return {"field_model_type": IN_RUN_LAYOUT}
    with kept.open("rb") as file:
        positions = np.load(file, allow_pickle=False) / DECIMETRES
    return {"field_model_type": GIVEN_LAYOUT, "helio_positions": positions.tolist()}


def run_sam(plant: Plant, inputs: Mapping[str, Any]) -> Any:
    """A model of SAM with its defaults and our inputs, executed. Raises Unavailable without PySAM, and Internal."""
    name, configuration = MODULES[plant.type]
    model = _module(name).default(configuration)
    for key, value in inputs.items():
        model.value(key, value)
    try:
        model.execute(0)
    except Exception as error:  # PySAM raises nothing narrower
        text = " ".join(str(error).split())[-200:]
        raise Internal(f"SAM could not run {plant.id}: {text}", code="sam_failed") from error
    return model


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unavailable(
            "NREL-PySAM is not installed; it is the optional reference of this check.",
            fix="Install it: pip install 'eureka-park[sam]'",
            code="no_sam",
        ) from None
