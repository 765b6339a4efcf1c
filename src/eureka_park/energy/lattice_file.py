"""The lattice that comes with the park (made by `make_lattice`): read once, and only for the site it was made for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from eureka_park.energy.core.lattice import Lattice
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.site_file import Site, site_to_json
from eureka_park.foundation.site_reading import load_site

NAME: Final = "lattice.json"
_BASIS: Final = ("grid", "weather_sites", "plants", "timezone", "site_mw_max")


@dataclass(frozen=True, slots=True)
class ShippedLattice:
    """The lattice with what it rests on; `error` is its tested distance to exact years between its points."""

    lattice: Lattice
    value: dict[str, Any]

    @property
    def error(self) -> dict[str, float]:
        """By figure and percentile, such as `cfe_frac_p95`."""
        return dict(self.value.get("error", {}))

    @property
    def weather(self) -> str:
        """What weather it was made with."""
        return str(self.value["weather"])


def lattice_for(site: Site) -> ShippedLattice | None:
    """The lattice where it holds for a site or a scale model of it; None for others."""
    shipped = shipped_lattice()
    return shipped if shipped is not None and is_like(site, shipped.value["site"]) else None


def is_like(site: Site, built_in: str) -> bool:
    """Whether a site's years are those of a built-in site: itself, or a scale model of it."""
    return _key_of_built_in(built_in) == key_of(site)


@cache
def shipped_lattice() -> ShippedLattice | None:
    """The lattice in the package; None where there is none."""
    path = resources.files("eureka_park") / "energy" / "data" / NAME
    if not path.is_file():
        return None
    value = json.loads(path.read_text("utf-8"))
    return ShippedLattice(Lattice.from_json(value), value)


@cache
def _key_of_built_in(name: str) -> str:
    return key_of(load_site(name))


def key_of(site: Site) -> str:
    """What a year's figures depend on in a site: plants, weather, grid and the weight of carbon, not its machines."""
    told = site_to_json(site)
    weight = site.policy.carbon_weight_mad_per_kg
    return content_id({**{name: told[name] for name in _BASIS}, "carbon_weight_mad_per_kg": weight})
