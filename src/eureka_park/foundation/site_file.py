"""The site file: one TOML text describes a park. Every field says its meaning, unit and range."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from zoneinfo import ZoneInfoNotFoundError

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from eureka_park.foundation.cap_curve import CAP_CURVE, CAP_CURVE_SOURCE, CapRow, curve_fault
from eureka_park.foundation.plant_file import (
    GRID_SOURCE_ID,
    LIFE_CYCLE_SOURCE,
    Date,
    Id,
    Plant,
    PlantType,
    Section,
    entry,
    first_day,
    problem,
)
from eureka_park.foundation.policy_tables import CapPoint, Policy, PolicyTables, Share, share_faults
from eureka_park.foundation.toml_places import Place
from eureka_park.foundation.zones import ZoneInfo

__all__ = [
    "GRID_SOURCE_ID", "LIFE_CYCLE_SOURCE", "Plant", "PlantType", "Site", "SiteProblem", "Tier", "WeatherSite",
    "allowed_text", "checked_policy", "checked_site", "first_day", "is_section", "sections", "site_from_json",
    "site_to_json",
]  # fmt: skip

Tier = Literal["firm", "flex", "green"]
_MISSING: Final = "is missing"
_CLASSES_MAX: Final = 60
_GPU_TYPES_MAX: Final = 5
_M = TypeVar("_M", bound=BaseModel)


class Grid(Section):
    """The tie to the public grid: limits, prices by local hour, carbon."""

    import_mw_max: float = entry("Most that can be bought at the site meter", "MW", ge=0, le=10_000)
    export_mw_max: float = entry("Most clean power that can be sold as surplus", "MW", ge=0, le=10_000)
    line_loss_frac: float = entry(
        "Loss between a plant and the site meter, unless the plant says its own", "fraction", 0.04, ge=0, le=0.5
    )
    gco2_per_kwh: float = entry("Carbon intensity of bought power, one flat yearly value", "g/kWh", ge=0, le=2000)
    gco2_source: str = entry("Where the carbon intensity comes from, with its year", default="")
    clean_frac: float | None = entry(
        "Low-carbon share of bought power, one flat yearly value; none: it counts as 0", "fraction", None, ge=0, le=1
    )
    price_peak_mad_per_mwh: float = entry("Price of bought energy in peak hours", "MAD/MWh", ge=0, le=100_000)
    price_full_mad_per_mwh: float = entry("Price of bought energy in full hours", "MAD/MWh", ge=0, le=100_000)
    price_off_peak_mad_per_mwh: float = entry("Price of bought energy in off-peak hours", "MAD/MWh", ge=0, le=100_000)
    transport_mad_per_mwh: float = entry("Transport tariff added to bought energy", "MAD/MWh", 0.0, ge=0, le=10_000)
    surplus_peak_mad_per_mwh: float = entry("Price paid for surplus in peak hours", "MAD/MWh", 0.0, ge=0, le=100_000)
    surplus_off_peak_mad_per_mwh: float = entry(
        "Price paid for surplus in all other hours", "MAD/MWh", 0.0, ge=0, le=100_000
    )
    peak_from_h: int = entry("Local hour at which peak begins", "h", 17, ge=0, le=23)
    peak_to_h: int = entry("Local hour at which peak ends", "h", 22, ge=0, le=24)
    off_peak_from_h: int = entry("Local hour at which off-peak begins; it may run over midnight", "h", 22, ge=0, le=23)
    off_peak_to_h: int = entry("Local hour at which off-peak ends", "h", 7, ge=0, le=24)
    price_source: str = entry("Where the prices come from, with a date, or the word assumption", default="")
    surplus_source: str = entry("Where the surplus prices come from, with a date", default="")
    transport_source: str = entry("Where the transport tariff comes from, with a date", default="")


class WeatherSite(Section):
    """A place whose weather drives plants. The typical year is synthetic, fitted to these figures."""

    id: Id = entry("Name used by plants")
    latitude_deg: float = entry("Latitude, north positive", "deg", ge=-66, le=66)
    longitude_deg: float = entry("Longitude, east positive", "deg", ge=-180, le=180)
    altitude_m: float = entry("Height above the sea", "m", 0.0, ge=-430, le=6000)
    dni_kwh_per_m2_year: float | None = entry(
        "Direct normal irradiation of a typical year; needed by solar plants", "kWh/m2", None, ge=500, le=3800
    )
    temp_mean_c: float = entry("Mean air temperature of the year", "degC", 18.0, ge=-20, le=40)
    temp_season_c: float = entry("Half the difference between the warmest and the coldest month", "K", 7.0, ge=0, le=30)
    temp_day_c: float = entry("Half the difference between afternoon and dawn", "K", 5.0, ge=0, le=20)
    wind_m_per_s_mean: float | None = entry(
        "Mean wind speed at hub height; needed by wind plants", "m/s", None, ge=2, le=20
    )
    wind_k: float = entry("Weibull shape of the wind speed", "1", 1.9, ge=1.2, le=4)
    wind_day_frac: float = entry(
        "Swing of the wind over a day, half of it either way, with its peak at 15 h solar time", "fraction", 0.08,
        ge=0, le=0.5,
    )  # fmt: skip
    wind_season_frac: float = entry(
        "Swing of the wind over the year; 0 claims no season", "fraction", 0.0, ge=0, le=0.5
    )
    wind_season_peak_month: int = entry("Windiest month, where wind_season_frac is not 0", "1", 1, ge=1, le=12)
    humidity_mean_frac: float = entry("Mean relative humidity of the year", "fraction", 0.5, ge=0.05, le=0.95)
    linke_turbidity: tuple[Annotated[float, Field(ge=1, le=10)], ...] | None = entry(
        "Linke turbidity of the air, January to December; default: 3 all year (assumption)", "1", None,
        min_length=12, max_length=12,
    )  # fmt: skip
    source: str = entry("Where these figures come from, with a date, or the word assumption", default="")


class NodeClass(Section):
    """Machines of one kind."""

    id: Id = entry("Name of the class")
    engine: Literal["local", "modelled"] = entry(
        "local: this machine runs jobs; modelled: planned or simulated machines", default="modelled"
    )
    found: bool = entry(
        "True: counts, memory and powers that the file leaves out are found on this machine", default=False
    )
    n_nodes: int = entry("Number of machines", "1", 1, ge=1, le=1_000_000)
    n_cpus: int = entry("Logical CPUs of one machine", "1", ge=1, le=4096)
    memory_gib: float = entry("Memory of one machine", "GiB", gt=0, le=65_536)
    n_gpus: int = entry("GPUs of one machine", "1", 0, ge=0, le=60)
    gpu_type: str = entry("Kind of GPU, for people and for placement", default="")
    gpu_w_max: float = entry("Power limit of one GPU", "W", 0.0, ge=0, le=5000)
    rated_kw: float = entry("Power of one machine with everything busy", "kW", gt=0, le=1000)
    idle_kw: float = entry("Power of one machine awake without jobs", "kW", ge=0, le=1000)
    sleep_kw: float | None = entry(
        "Power of one machine asleep, below idle_kw; none: it cannot be put to sleep", "kW", None, ge=0, le=1000
    )
    nodes_per_rack: int = entry("Machines that share a rack; the first so many are rack 0", "1", 8, ge=1, le=4096)
    racks_per_pod: int = entry("Racks that share a pod, the stretch of fast network", "1", 16, ge=1, le=4096)
    label: str = entry("What these figures rest on", default="")

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if self.idle_kw >= self.rated_kw:
            raise problem("idle_kw", f"it must be below rated_kw = {self.rated_kw:g}")
        if self.sleep_kw is not None and self.sleep_kw >= self.idle_kw:
            raise problem("sleep_kw", f"it must be below idle_kw = {self.idle_kw:g}")
        return self


class Pue(Section):
    """Overhead of the site (cooling, supply): a fixed part, and one that follows the IT load and the heat outside."""

    nominal: float = entry("Site power over IT power at rated load and mild weather", "1", 1.15, ge=1, le=3)
    fixed_share_frac: float = entry(
        "Share of the rated overhead that is drawn at any load", "fraction", 0.35, ge=0, le=1
    )
    outdoor_c_ref: float = entry("Outdoor temperature above which cooling takes more", "degC", 22.0, ge=-20, le=50)
    outdoor_slope_frac_per_c: float = entry(
        "Growth of the load-following overhead for each kelvin above it", "fraction/K", 0.02, ge=0, le=0.2
    )
    it_mw_rated: float | None = entry(
        "Rated IT power that the fixed part rests on; default: the sum of the nodes", "MW", None, gt=0, le=10_000
    )
    source: str = entry("What these figures rest on", default="")


class TierPrices(Section):
    """A price for each tier."""

    firm: float = entry("Price of the firm tier", "MAD/h", ge=0, le=10_000)
    flex: float = entry("Price of the flex tier", "MAD/h", ge=0, le=10_000)
    green: float = entry("Price of the green tier", "MAD/h", ge=0, le=10_000)


class Prices(Section):
    """The price table; 1 credit is 1 MAD. Energy is charged at the cost of the hour's curve on top."""

    mad_per_gpu_h: TierPrices = entry("An hour of one GPU", "MAD/h")
    mad_per_cpu_h: TierPrices = entry("An hour of one logical CPU", "MAD/h")
    energy: Literal["hourly-curve", "included"] = entry(
        "hourly-curve: energy is charged at the hour's cost; included: it is part of the above", default="hourly-curve"
    )
    label: str = entry("What the prices rest on", default="assumption")
    date: Date | None = entry("Since when they hold, YYYY[-MM[-DD]]", default=None)


class Scale(Section):
    """Present when the site is a scale model: a full site's plan in per-unit, times this machine's rated power."""

    of: Id = entry("Name of the built-in site that is modelled")
    factor: float = entry(
        "Rated site power of these machines over the full site's; found when the file is read", "1", 1.0, gt=0, le=1
    )


class Site(Section):
    """A park. In a scale model plants, grid and `site_mw_max` are the full site's; nodes are the machines here."""

    name: Id = entry("Short name")
    title: str = entry("Name for people")
    timezone: str = entry("IANA time zone of tariffs and pages", default="UTC")
    site_mw_max: float = entry("Most power at the site meter", "MW", gt=0, le=10_000)
    about: str = entry("What is announced, what is assumed", default="")
    scale: Scale | None = entry("Only in a scale model", default=None)
    grid: Grid = entry("The grid tie")
    weather_sites: tuple[WeatherSite, ...] = entry("Places with weather", default=())
    plants: tuple[Plant, ...] = entry("Plants", default=())
    nodes: tuple[NodeClass, ...] = entry("Classes of machines", min_length=1)
    pue: Pue = entry("Overhead", default=Pue())
    policy: Policy = entry("Policy", default=Policy())
    prices: Prices = entry("Price table")
    shares: tuple[Share, ...] = entry("Shares", default=())
    cap_curve: tuple[CapPoint, ...] = entry("What a cap saves and costs", default=())

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise problem("timezone", f"'{self.timezone}' is no IANA time zone, such as Africa/Casablanca") from None
        for section, items in (("weather_sites", self.weather_sites), ("plants", self.plants), ("nodes", self.nodes)):
            _distinct(section, [item.id for item in items])
        places = {place.id: place for place in self.weather_sites}
        for index, plant in enumerate(self.plants):
            _check_weather(index, plant, places)
        _check_deciding(self.shares, self.cap_curve, self.policy)
        _check_kinds([kind for kind in self.nodes if kind.engine == "local"])
        if self.grid.surplus_peak_mad_per_mwh >= min(
            self.grid.price_peak_mad_per_mwh, self.grid.price_full_mad_per_mwh
        ):
            raise problem(
                "surplus_peak_mad_per_mwh", "it must be below the buying price of peak and full hours", "grid"
            )
        if self.grid.surplus_off_peak_mad_per_mwh >= self.grid.price_off_peak_mad_per_mwh:
            raise problem("surplus_off_peak_mad_per_mwh", "it must be below price_off_peak_mad_per_mwh", "grid")
        return self

    @property
    def is_scale_model(self) -> bool:
        """Whether the machines here stand for a larger site."""
        return self.scale is not None

    @property
    def factor(self) -> float:
        """What a full-scale power is multiplied by here: 1 unless this is a scale model."""
        return self.scale.factor if self.scale else 1.0

    @property
    def it_kw_rated(self) -> float:
        """Power of all machines with everything busy; kW."""
        return sum(node.n_nodes * node.rated_kw for node in self.nodes)

    @property
    def it_kw_idle(self) -> float:
        """Power of all machines awake without jobs; kW."""
        return sum(node.n_nodes * node.idle_kw for node in self.nodes)

    @property
    def site_kw_rated(self) -> float:
        """Power at the site meter with all machines busy; kW."""
        return self.it_kw_rated * self.pue.nominal

    @property
    def cap_rows(self) -> tuple[CapRow, ...]:
        """The cap curve that holds here: the site's own, else the one measured elsewhere."""
        own = tuple((point.cap_frac, point.power_frac, point.speed_frac) for point in self.cap_curve)
        return own or CAP_CURVE

    @property
    def cap_source(self) -> str:
        """What the cap curve rests on."""
        if not self.cap_curve:
            return CAP_CURVE_SOURCE
        return "; ".join(dict.fromkeys(point.source for point in self.cap_curve if point.source))

    @property
    def source_ids(self) -> tuple[str, ...]:
        """Sources of receipts: the plants in file order, then the grid."""
        return (*(plant.id for plant in self.plants), GRID_SOURCE_ID)

    @property
    def gco2_per_kwh_by_source(self) -> dict[str, float]:
        """Emissions of a kWh by source: life cycle for plants, yearly mean for the grid; g/kWh."""
        by_plant = {plant.id: plant.life_cycle_gco2_per_kwh for plant in self.plants}
        return {**by_plant, GRID_SOURCE_ID: self.grid.gco2_per_kwh}


@dataclass(frozen=True, slots=True)
class SiteProblem:
    """One thing that is wrong in a site: its place, what is wrong, and what is allowed there."""

    place: Place
    message: str
    allowed: str = ""


def checked_site(data: Mapping[str, Any]) -> Site | tuple[SiteProblem, ...]:
    """The site that plain data describes, or all its problems in the order of the fields."""
    return _checked(Site, data)


def checked_policy(data: Mapping[str, Any]) -> PolicyTables | tuple[SiteProblem, ...]:
    """Policy and shares that plain data describes, or all their problems in the order of the fields."""
    found = _checked(PolicyTables, data)
    if not isinstance(found, PolicyTables):
        return found
    faults = [
        SiteProblem(("shares", index, name), f"is wrong: {why}") for index, name, why in share_faults(found.shares)
    ]
    return tuple(faults) or found


def _checked(model: type[_M], data: Mapping[str, Any]) -> _M | tuple[SiteProblem, ...]:
    try:
        return model.model_validate_json(json.dumps(data, default=str))
    except ValidationError as error:
        problems = [_read_problem(item) for item in error.errors(include_url=False)]
        places = [problem.place for problem in problems]
        return tuple(sorted(problems, key=lambda problem: _rank(problem, places)))


def site_to_json(site: Site) -> dict[str, Any]:
    """A plain JSON value; `site_from_json` reads it back to an equal site."""
    return site.model_dump(mode="json")


def site_from_json(value: Mapping[str, Any]) -> Site:
    """Read what `site_to_json` wrote. Raises ValueError when it is no site."""
    return Site.model_validate_json(json.dumps(value))


def sections() -> Iterator[tuple[str, str, type[BaseModel]]]:
    """Every section of the file: its TOML header, its meaning, its fields."""
    yield "", (Site.__doc__ or ""), Site
    for header, model in (
        ("[scale]", Scale), ("[grid]", Grid), ("[[weather_sites]]", WeatherSite), ("[[plants]]", Plant),
        ("[[nodes]]", NodeClass), ("[pue]", Pue), ("[policy]", Policy), ("[prices]", Prices),
        ("[prices.mad_per_gpu_h], [prices.mad_per_cpu_h]", TierPrices), ("[[shares]]", Share),
        ("[[cap_curve]]", CapPoint),
    ):  # fmt: skip
        yield header, (model.__doc__ or ""), model


def is_section(field: FieldInfo) -> bool:
    """Whether a field is a table of its own, described in its own section."""
    return "eureka_park." in str(field.annotation)


def allowed_text(field: FieldInfo) -> str:
    """The range of a field in words: `0 to 0.5 fraction`, `green, binding or observed`, `more than 0, at most 24 h`."""
    extra = field.json_schema_extra
    unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
    words = _choices(field.annotation)
    if words:
        return f"{', '.join(words[:-1])} or {words[-1]}"
    limits: dict[str, Any] = {}
    for item in field.metadata:
        limits.update(
            {name: getattr(item, name) for name in ("ge", "gt", "le", "lt") if getattr(item, name, None) is not None}
        )
    for part in getattr(field.annotation, "__args__", ()):
        for item in getattr(getattr(part, "__metadata__", (None,))[0], "metadata", ()):
            limits.update({name: getattr(item, name) for name in ("ge", "le") if getattr(item, name, None) is not None})
    low, high = limits.get("ge"), limits.get("le")
    suffix = f" {unit}" if unit not in ("", "1") else ""
    if low is not None and high is not None:
        return f"{low:.12g} to {high:.12g}{suffix}"
    if "gt" in limits and high is not None:
        return f"more than {limits['gt']:.12g}, at most {high:.12g}{suffix}"
    return unit if unit != "1" else ""


def _choices(annotation: Any) -> list[str]:
    if getattr(annotation, "__origin__", None) is Literal:
        return [str(word) for word in annotation.__args__]
    return ["true", "false"] if annotation is bool else []


def _distinct(section: str, ids: list[str]) -> None:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            raise PydanticCustomError(
                "site", "{why}", {"why": f"'{name}' is there twice", "name": "id", "section": section, "index": index}
            )


def _check_weather(index: int, plant: Plant, places: Mapping[str, WeatherSite]) -> None:
    place = places.get(plant.weather_site)
    why = ""
    if place is None:
        why = f"there is no weather site '{plant.weather_site}'; there is {', '.join(places) or 'none'}"
    elif plant.type == "wind" and place.wind_m_per_s_mean is None:
        why = f"weather site '{place.id}' has no wind_m_per_s_mean, which a wind plant needs"
    elif plant.type not in ("wind", "battery") and place.dni_kwh_per_m2_year is None:
        why = f"weather site '{place.id}' has no dni_kwh_per_m2_year, which a solar plant needs"
    if why:
        raise PydanticCustomError(
            "site", "{why}", {"why": why, "name": "weather_site", "section": "plants", "index": index}
        )


def _check_deciding(shares: tuple[Share, ...], curve: tuple[CapPoint, ...], policy: Policy) -> None:
    """Shares are one tree whose floors fit; the cap curve rises and reaches down to the lowest step."""
    fault, section = next(share_faults(shares), None), "shares"
    if fault is None:
        rows = tuple((point.cap_frac, point.power_frac, point.speed_frac) for point in curve)
        fault, section = curve_fault(rows), "cap_curve"
    lowest = min(policy.cap_steps_frac, default=1.0)
    if fault is None and curve and curve[0].cap_frac > lowest:
        fault = (0, "cap_frac", f"it must reach down to {lowest:g}, the lowest of policy.cap_steps_frac")
    if fault is not None:
        index, name, why = fault
        raise PydanticCustomError("site", "{why}", {"why": why, "name": name, "section": section, "index": index})


def _check_kinds(kinds: list[NodeClass]) -> None:
    """A board tells so many classes of machines apart, and kinds of GPU (`compute/core/board.py`)."""
    gpu_types = {kind.gpu_type for kind in kinds if kind.n_gpus}
    if len(kinds) > _CLASSES_MAX:
        raise problem("nodes", f"{len(kinds)} classes of machines run jobs; write at most {_CLASSES_MAX}", "")
    if len(gpu_types) > _GPU_TYPES_MAX:
        raise problem("nodes", f"{len(gpu_types)} kinds of GPU run jobs; write at most {_GPU_TYPES_MAX}", "")


def _rank(problem: SiteProblem, places: list[Place]) -> int:
    """A slip in a name comes before the missing field it leaves, and both before what follows from them around it."""
    here = problem.place
    is_around = any(len(place) > len(here) and place[: len(here)] == here for place in places)
    return 2 if is_around else int(problem.message == _MISSING)


def _read_problem(item: Any) -> SiteProblem:
    place: Place = tuple(item["loc"])
    context = item.get("ctx", {})
    if item["type"] == "site":
        extra = (context["section"], context.get("index"), context["name"])
        return SiteProblem((*place, *(part for part in extra if part not in ("", None))), f"is wrong: {context['why']}")
    field = _field_at(place)
    allowed = allowed_text(field) if field else ""
    if item["type"] == "missing":
        return SiteProblem(place, _MISSING, allowed)
    if item["type"] == "extra_forbidden":
        return SiteProblem(place, "is not a field of the site file")
    return SiteProblem(place, f"= {_short(item['input'])} is wrong: {item['msg'].lower()}", allowed)


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _field_at(place: Place) -> FieldInfo | None:
    """The field that a place names, found by walking the models."""
    by_header = {header.strip("[]"): model for header, _, model in sections() if "," not in header}
    fields: Mapping[str, FieldInfo] = Site.model_fields
    field: FieldInfo | None = None
    for part in place:
        if isinstance(part, int):
            continue
        field = fields.get(part)
        model = by_header.get(part) or (TierPrices if part.startswith("mad_per") else None)
        fields = model.model_fields if model else {}
    return field
