"""Plants of a site file: a known plant by name, or any trough, tower, PV, wind or battery by a handful of figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from eureka_park.foundation.plant_data import known_plants, parameter, type_facts

PlantType = Literal["csp-trough", "csp-tower", "pv", "wind", "battery"]
Date = Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]

LIFE_CYCLE_SOURCE: Final = "IPCC AR5 WG III (2014), annex III, median life-cycle values"
GRID_SOURCE_ID: Final = "grid"
_CSP_NEEDS: Final = ("power_block_mw", "eta_frac", "tes_h", "mirror_area_m2")
# What a plant of a type must have after defaults are filled in.
NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "csp-trough": _CSP_NEEDS,
    "csp-tower": _CSP_NEEDS,
    "pv": (),
    "wind": ("n_turbines", "rotor_m", "hub_m"),
    "battery": ("charge_mw", "energy_mwh", "charge_eff_frac", "discharge_eff_frac", "self_discharge_frac_per_h"),
}


def entry(description: str, unit: str = "", default: Any = ..., **limits: Any) -> Any:
    """A field of the file with its meaning, unit, default and limits."""
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


def problem(name: str, why: str, section: str = "") -> PydanticCustomError:
    """What is wrong with a field, for people; an empty name means the field that is being read."""
    return PydanticCustomError("site", "{why}", {"why": why, "name": name, "section": section})


def first_day(text: str) -> date:
    """The first day of a date of the form YYYY[-MM[-DD]]. Raises ValueError for one that does not exist."""
    year, month, day = (int(part) for part in (text + "-01-01")[:10].split("-"))
    return date(year, month, day)


class Section(BaseModel):
    """A table of the file: nothing unknown, nothing changed after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Plant(Section):
    """A plant whose power the park counts on. Its yearly output is calibrated to `year_gwh_published` where given."""

    known_as: str | None = entry("Known plant whose facts hold where this block is silent", default=None)
    id: Id = entry("Name of the source in plans and receipts; 'grid' is taken")
    title: str = entry("Name for people", default="")
    type: PlantType = entry("csp-trough, csp-tower, pv, wind or battery")
    status: Literal["operating", "announced"] = entry("Only an operating plant gives power", default="operating")
    commissioned: Date | None = entry(
        "Start of operation, YYYY[-MM[-DD]]; before it the plant gives nothing", default=None
    )
    weather_site: Id = entry("Id of one of the weather sites")
    gross_mw: float = entry("Largest electric output, AC; of a battery what it gives", "MW", gt=0, le=10_000)
    line_loss_frac: float | None = entry("Loss to the site meter; default: the grid's", "fraction", None, ge=0, le=0.5)
    power_block_mw: float | None = entry("CSP: net electric output of the power block", "MW", None, gt=0, le=2000)
    eta_frac: float | None = entry("CSP: electricity from a unit of heat", "fraction", None, ge=0.05, le=0.6)
    tes_h: float | None = entry("CSP: salt storage in hours of full power; 0 for none", "h", None, ge=0, le=24)
    tes_loss_frac_per_h: float = entry("CSP: heat lost from the tank in an hour", "fraction/h", 0.0004, ge=0, le=0.05)
    mirror_area_m2: float | None = entry("CSP: reflecting area", "m2", None, gt=0, le=50_000_000)
    receiver_mw_th: float | None = entry("Tower: most heat the receiver takes", "MW heat", None, gt=0, le=5000)
    tracking: Literal["one-axis", "fixed"] = entry("PV: mounting", default="one-axis")
    dc_ac_ratio: float = entry("PV: panel power over inverter power", "1", 1.2, ge=0.5, le=2.5)
    n_turbines: int | None = entry("Wind: number of machines", "1", None, ge=1, le=5000)
    rotor_m: float | None = entry("Wind: rotor diameter", "m", None, gt=0, le=300)
    hub_m: float | None = entry("Wind: hub height", "m", None, gt=0, le=300)
    loss_frac: float | None = entry(
        "Wind: wake, electrical and other losses together, without outages; none: those of the type",
        "fraction",
        None,
        ge=0,
        le=0.6,
    )
    charge_mw: float | None = entry("Battery: most it takes", "MW", None, gt=0, le=10_000)
    energy_mwh: float | None = entry("Battery: content from full to empty", "MWh", None, gt=0, le=100_000)
    charge_eff_frac: float | None = entry("Battery: stored from a unit charged", "fraction", None, gt=0, le=1)
    discharge_eff_frac: float | None = entry("Battery: given from a unit stored", "fraction", None, gt=0, le=1)
    self_discharge_frac_per_h: float | None = entry("Battery: lost in an hour", "fraction/h", None, ge=0, le=0.1)
    cooling: Literal["wet", "dry"] | None = entry("CSP: how steam is condensed", default=None)
    contract: Literal["already sold", "contracted to the park", "additional", "not stated"] | None = entry(
        "Whether its power is already sold to somebody else, or new supply for this park", default=None
    )
    year_gwh_published: float | None = entry(
        "Yearly output to calibrate to, at the plant; none: not calibrated", "GWh", None, gt=0, le=100_000
    )
    price_mad_per_mwh: float | None = entry(
        "Price of the plant's power contract, for information", "MAD/MWh", None, ge=0, le=100_000
    )
    gco2_per_kwh: float | None = entry(
        "Life-cycle emissions; none: the median of the type (IPCC AR5)", "g/kWh", None, ge=0, le=500
    )
    parameters: dict[str, Annotated[float, Field(ge=-1e9, le=1e9)]] = entry(
        "Other figures of the plant's model, by the names of docs/reference/plants.md", default={}
    )
    source: str = entry("Where these facts come from, with dates", default="")

    @field_validator("known_as")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in known_plants():
            raise problem("", f"'{name}' is no known plant; known: {', '.join(known_plants())}")
        return name

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in NEEDED[self.type]:
            if getattr(self, name) is None:
                raise problem(name, f"a {self.type} plant needs it")
        for name in self.parameters:
            if not isinstance(getattr(type_facts(self.type).get(name), "value", None), float):
                raise problem("parameters", f"a {self.type} plant has no figure '{name}'")
        if self.commissioned is not None:
            try:
                first_day(self.commissioned)
            except ValueError:
                raise problem("commissioned", f"'{self.commissioned}' is no day of the calendar") from None
        if (self.year_gwh_published or 0.0) > 8.76 * self.gross_mw:
            raise problem("year_gwh_published", f"{self.gross_mw:g} MW cannot give that in a year")
        if self.id == GRID_SOURCE_ID:
            raise problem("id", "'grid' is the name of the public grid")
        return self

    @property
    def life_cycle_gco2_per_kwh(self) -> float:
        """Emissions of a kWh over the plant's life; the type's median where the file gives none. g/kWh."""
        return parameter(self, "gco2_per_kwh")
