"""Figures of the plant models, each with unit, label, source and date: `plants.toml` beside this file, read once.

A figure is looked for in the site file, then at the known plant that `known_as` names, then at the plant's type.
`docs/reference/plants.md` is made from the same file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal, Protocol, get_args

from eureka_park.foundation.errors import BadInput, Internal

Label = Literal["measured", "published", "announced", "assumption", "modelled", "default", "site file"]
Value = float | str | tuple[float, ...] | tuple[str, ...]
LABELS: Final[tuple[str, ...]] = get_args(Label)
_FILE: Final = "plants.toml"
# What the last part of a name says of the unit; longer endings are looked for first.
UNIT_BY_ENDING: Final[Mapping[str, str]] = {
    "frac": "fraction", "frac_per_h": "fraction/h", "frac_per_day": "fraction/d", "frac_per_year": "fraction/year",
    "mw": "MW", "mwh": "MWh", "mw_th": "MW", "kw": "kW", "w": "W", "h": "h", "d": "d", "m": "m", "c": "degC",
    "deg": "deg", "m2": "m2", "pa": "Pa", "m2_per_mw": "m2/MW", "m2_per_mw_and_h": "m2/MW/h", "m_per_s": "m/s",
    "w_per_m": "W/m", "w_per_m2": "W/m2", "kw_per_m2": "kW/m2", "l_per_m2": "l/m2", "w_per_m2_and_k": "W/m2/K",
    "kw_per_kg_per_s": "kW/kg/s", "frac_per_k": "fraction/K", "per_k": "1/K", "per_m": "1/m", "m3_per_mwh": "m3/MWh",
    "m3_per_mwh_wet": "m3/MWh", "m3_per_mwh_dry": "m3/MWh", "m3_year": "m3", "gco2_per_kwh": "g/kWh",
    "year_gwh_published": "GWh", "price_mad_per_mwh": "MAD/MWh", "pu": "1", "k": "K", "kwh_per_m2": "kWh/m2",
    "kg_per_m3": "kg/m3", "s": "s", "mwh_th": "MWh", "kg": "kg", "j_per_kg_and_k": "J/kg/K", "mw_per_min": "MW/min",
    "wh_per_m2_and_k": "Wh/m2/K", "kg_per_s": "kg/s", "m3_per_mwh_th": "m3/MWh",
}  # fmt: skip


class HasParameters(Protocol):
    """What is needed of a plant to look its figures up."""

    @property
    def id(self) -> str:
        """Name of the plant in its site."""

    @property
    def type(self) -> str:
        """Kind of plant, such as csp-tower."""

    @property
    def known_as(self) -> str | None:
        """Name of the known plant whose facts hold, if any."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """Figures that the site file sets for this plant alone."""

    @property
    def source(self) -> str:
        """What the site file's own figures rest on."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with what it rests on. `value` is a number, a word, or a series of numbers of one unit."""

    value: Value
    unit: str
    label: str
    source: str
    date: str

    @property
    def text(self) -> str:
        """The value with its unit, for people."""
        numbers = self.value if isinstance(self.value, tuple) else (self.value,)
        words = ", ".join(f"{item:.10g}" if isinstance(item, float) else str(item) for item in numbers)
        return f"{words} {self.unit}" if self.unit not in ("", "1", "fraction") else words


def parameter(plant: HasParameters, name: str) -> float:
    """A number that describes a plant, in the unit of its name. Raises BadInput when nobody gives it."""
    value = fact(plant, name).value
    if not isinstance(value, float):
        raise Internal(f"{name} is no number.", code="plant_data")
    return value


def series_parameter(plant: HasParameters, name: str) -> tuple[float, ...]:
    """A series that describes a plant, such as a power curve. Raises BadInput when nobody gives it."""
    value = fact(plant, name).value
    if not isinstance(value, tuple):
        raise Internal(f"{name} is no series.", code="plant_data")
    return tuple(float(item) for item in value)


def words_parameter(plant: HasParameters, name: str) -> tuple[str, ...]:
    """A list of words that describes a plant, such as stretches of time. Raises BadInput when nobody gives it."""
    value = fact(plant, name).value
    if not isinstance(value, tuple):
        raise Internal(f"{name} is no list.", code="plant_data")
    return tuple(str(item) for item in value)


def text_parameter(plant: HasParameters, name: str) -> str:
    """A word that describes a plant, such as `wet` for its cooling. Raises BadInput when nobody gives it."""
    value = fact(plant, name).value
    if not isinstance(value, str):
        raise Internal(f"{name} is no word.", code="plant_data")
    return value


def fact(plant: HasParameters, name: str) -> Fact:
    """A figure of a plant with what it rests on: the site file's word before the known plant's, then the type's.

    Raises BadInput when nobody gives it.
    """
    known = facts(plant.known_as).get(name) if plant.known_as else None
    found = known or type_facts(plant.type).get(name)
    own = plant.parameters.get(name, getattr(plant, name, None))
    if own is not None and (found is None or own != found.value):
        return Fact(_plain(own), found.unit if found else unit_of(name) or "", "site file", plant.source, "")
    if found is None:
        raise BadInput(
            f"plant '{plant.id}' has no {name}.", fix=f"Add it to the plant in the site file: {name} = ...", field=name
        )
    return found


def has_parameter(plant: HasParameters, name: str) -> bool:
    """Whether somebody gives a figure: the site file, the known plant or the type."""
    try:
        fact(plant, name)
    except BadInput:
        return False
    return True


def facts(known_as: str) -> Mapping[str, Fact]:
    """All that is known of a plant, by name. Raises BadInput for a plant that nobody described."""
    try:
        return _data()["plants"][known_as]
    except KeyError:
        raise BadInput(
            f"'{known_as}' is no known plant.", fix=f"Known: {', '.join(known_plants())}.", code="no_such_plant"
        ) from None


def type_facts(plant_type: str) -> Mapping[str, Fact]:
    """What a plant of a type has unless it says otherwise, by name."""
    return _data()["types"].get(plant_type, {})


def known_plants() -> tuple[str, ...]:
    """Names that `known_as` may have."""
    return tuple(_data()["plants"])


def plant_types() -> tuple[str, ...]:
    """Types that the file describes."""
    return tuple(_data()["types"])


def unit_of(name: str) -> str | None:
    """The unit that a name says: of the longest ending that is known; None where it says none."""
    endings = sorted((word for word in UNIT_BY_ENDING if name == word or name.endswith(f"_{word}")), key=len)
    return UNIT_BY_ENDING[endings[-1]] if endings else None


@cache
def _data() -> Mapping[str, Mapping[str, Mapping[str, Fact]]]:
    text = (resources.files("eureka_park.foundation") / _FILE).read_text("utf-8")
    return {
        part: {name: {key: _fact(item) for key, item in section.items()} for name, section in sections.items()}
        for part, sections in tomllib.loads(text).items()
    }


def _fact(item: Mapping[str, Any]) -> Fact:
    return Fact(_plain(item["value"]), item["unit"], item["label"], item["source"], item["date"])


def _plain(value: Any) -> Value:
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return tuple(map(str, value)) if any(isinstance(item, str) for item in value) else tuple(map(float, value))
    return float(value)
