"""What the checks of a weather series say, marked for the catalogues; a test keeps it equal to the core's sentences."""

from __future__ import annotations

from typing import Final

from eureka_park.cli.words import N_

SAID_BY_THE_CHECKS: Final = (
    N_("{n} hours are missing; the first gap follows row {first}."),
    N_("{n} time stamps are not later than the one before; the first is row {first}."),
    N_("{column}: {n} values are missing or no number; the first is hour {first}."),
    N_("{column}: {n} values are below zero; the first is hour {first}."),
    N_("{column}: {n} values are over the physical limit; the first is hour {first}."),
    N_("{column}: {n} values lie outside {low} to {high}; the first is hour {first}."),
    N_("{column}: {n} hours have sun while it is below the horizon; the first is hour {first}."),
    N_("The sun of the series is {minutes} minutes late: stamps look like UTC+{hours}, or name the end of the hour."),
    N_("The sun of the series is {minutes} minutes early: stamps look like UTC-{hours}."),
    N_("GHI differs from DHI + DNI cos z in {percent} % of the sunlit hours (rms {rms} W/m2)."),
    N_("{column}: values look like {unit} ({statistic} {value})."),
    N_("pressure_pa: {value} hPa on average at {altitude_m} m looks reduced to sea level."),
    N_("dhi_w_per_m2: in {n} bright hours diffuse is nearly all of global; its sensor was not shaded."),
    N_("{column}: {percent} % of the hours lie within one band of {width} m/s; the sensor looks stuck."),
)
