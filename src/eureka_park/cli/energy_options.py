"""What the commands of `park energy` share: options, the site they name, their numbers read and checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.output import clean, json_option
from eureka_park.cli.progress import Line, bar
from eureka_park.cli.words import N_, _, count
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.foundation.site_file import Site

DEFAULT_SITE: Final = "eureka-park"
DEFAULT_SCENARIO: Final = "all-plants"
MAX_SEEDS: Final = 100
MAX_MW: Final = 1e6  # more than any country draws; solvers lose their digits far beyond
CONTRACT_WORDS: Final = (N_("already sold"), N_("contracted to the park"), N_("not stated"))
FACT_WORDS: Final = (  # whose word a figure of a plant is
    N_("measured"), N_("published"), N_("announced"), N_("assumption"), N_("modelled"), N_("default"), N_("site file"),
)  # fmt: skip
WEATHER_WORDS: Final = (N_("synthetic"), N_("measured"), N_("reanalysis"), N_("forecast"))
NOTES: Final = (  # energy.studies says them in every answer
    N_(
        "the whole year known in advance, one linear program: a bound, which plans with forecasts stay below; constant "
        "efficiency of the power blocks, without start-up heat and minimum load"
    ),
    N_("already sold to others, where a plant says so; nothing here is additional"),
)
_RANGE: Final = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


class Seeds(click.ParamType[tuple[int, ...]]):
    """Seeds of synthetic years: `1`, `1-20` or `1,4,7-9`; without repeats, in the order given."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Read the text."""
        if isinstance(value, tuple):
            return value
        found: dict[int, None] = {}
        for part in str(value).replace(" ", "").split(","):
            match = _RANGE.fullmatch(part)
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
            if first <= last < first + MAX_SEEDS:
                found.update(dict.fromkeys(range(first, last + 1)))
            else:
                found.update(dict.fromkeys(range(MAX_SEEDS + 1)))
        if len(found) > MAX_SEEDS:
            text = _("'{text}' names no seeds. Write 1, 1-20 or 1,4,7-9; at most {most}.", text=value, most=MAX_SEEDS)
            self.fail(text, param, ctx)
        return tuple(found)


class Power(click.ParamType[float]):
    """A power in MW: from 0 to a million."""

    name = "mw"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            power_mw = float(value)
        except (TypeError, ValueError):
            power_mw = -1.0
        if not 0.0 <= power_mw <= MAX_MW:
            text = _("'{text}' is no power in MW. Write a number from 0 to 1,000,000, such as 386.", text=value)
            self.fail(text, param, ctx)
        return power_mw


class Between(click.FloatRange):
    """A number in a range; click's own lets NaN pass."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        found = float(super().convert(value, param, ctx))
        if found != found:
            self.fail(_("'{text}' is no number.", text=value), param, ctx)
        return found


class Share(click.ParamType[float]):
    """A share: a number from 0 to 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read the number."""
        try:
            share = float(value)
        except (TypeError, ValueError):
            share = -1.0
        if not 0.0 <= share <= 1.0:
            self.fail(_("'{text}' is no share. Write a number from 0 to 1, such as 0.9.", text=value), param, ctx)
        return share


SEEDS: Final = Seeds()
POWER: Final = Power()
SHARE: Final = Share()
flex_option: Final = click.option(
    "--flex-frac",
    type=SHARE,
    default="0",
    show_default=True,
    metavar="SHARE",
    help="Share of the load that may move within its day.",
)


@dataclass(frozen=True, slots=True)
class Basis:
    """What a computation stands on, as the options name it. Weather files by weather site; none: synthetic years."""

    site: Site
    weather: dict[str, Path]
    seeds: tuple[int, ...]
    scenario: str
    without: tuple[str, ...]

    @property
    def years(self) -> dict[str, Any]:
        """As the functions of `energy.studies` take it, beside the site."""
        return {name: getattr(self, name) for name in ("seeds", "weather", "scenario", "without")}


class YearsLine:
    """The line that says how many years of weather are done."""

    def __init__(self, n_years: int, quiet: bool = False) -> None:
        self._n_years = n_years
        self._line = Line(quiet=quiet)

    def __enter__(self) -> YearsLine:
        self._line.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._line.__exit__(*error)

    def show(self, done: int, of: int) -> None:
        """Progress of a study."""
        text = count("{n} of {of} year of weather", "{n} of {of} years of weather", done, of=of)
        self._line.show("years", lambda: f"{bar(done / of if of else 1.0)} {text}")


def years_text(found: dict[str, Any]) -> str:
    """Scenario, weather and flexibility of an answer in a few words."""
    labels = ", ".join(_(label) for label in dict.fromkeys(place["label"] for place in found["weather"].values()))
    seeds = ranges_text(found["seeds"])
    weather = _("{label} weather, seeds {seeds}", label=labels, seeds=seeds) if seeds else labels
    gone = ", ".join(found["without"])
    without = " " + _("without {plants}", plants=gone) if gone else ""
    if found.get("scale_model_of"):
        without += " " + _("at the scale of {site}", site=found["scale_model_of"])
    return _(
        "scenario {scenario}{without}; {weather}; flexible share {flex}",
        scenario=found["scenario"], without=without, weather=weather, flex=f"{found['flex_frac']:g}",
    )  # fmt: skip


def ranges_text(numbers: list[int]) -> str:
    """Numbers as one types them: 1-3,7."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def print_basis(found: dict[str, Any]) -> None:
    """What an answer rests on: plants raw and calibrated, their contracts, weather, foresight, prices, carbon."""
    for name, plant in found["plants"].items():
        text = _("left out") if name in found["without"] else _plant_text(plant)
        click.echo(f"{clean(name)}: {text}")
    for place, weather in found["weather"].items():
        label = weather["label"]
        click.echo(f"{clean(place)}: {clean(_(label))}, {clean(weather['origin'])}, {clean(weather['licence'])}")
    for name in ("foresight", "supply", "grid_gco2", "tariff"):
        if found.get(name):
            click.echo(f"{name}: {clean(_(found[name]))}")


def _plant_text(plant: Mapping[str, Any]) -> str:
    """The model's year, the factor, the year that is counted and whose word that is, the contract."""
    raw = f"{plant['raw_gwh']:.3g} GWh" if "raw_gwh" in plant else "-"
    factor = f"{plant['calibration_factor']:.3f}" if "calibration_factor" in plant else "-"
    told, label, contract = plant.get("published_gwh"), plant.get("published_gwh_label", ""), plant["contract"]
    if told is None:
        return _("model {raw}, factor {factor}; {contract}", raw=raw, factor=factor, contract=_(contract))
    return _(
        "model {raw}, factor {factor} to {told} ({label}); {contract}",
        raw=raw, factor=factor, told=f"{told:.3g} GWh", label=_(label), contract=_(contract),
    )  # fmt: skip


def basis_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--site --weather --seeds --scenario --without --json`; the command takes them as `basis(**options)` does."""
    for option in (
        json_option,
        click.option(
            "--without", multiple=True, metavar="PLANT", help="Leave a plant out; may be given several times."
        ),
        click.option(
            "--scenario", default=DEFAULT_SCENARIO, show_default=True, metavar="NAME",
            help="Which plants stand still: all-plants, noor-iii-out or historical-availability.",
        ),
        click.option(
            "--seeds", type=SEEDS, default="1", show_default=True, help="Synthetic years: 1, 1-20 or 1,4,7-9."
        ),
        click.option(
            "--weather", multiple=True, metavar="[PLACE=]FILE",
            help="A weather file instead of synthetic years; one for each place of the site that needs one.",
        ),
        click.option(
            "--site", default=DEFAULT_SITE, show_default=True, metavar="NAME|FILE",
            help="A built-in site or a site file.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def basis(
    site: str, weather: tuple[str, ...], seeds: tuple[int, ...], scenario: str, without: tuple[str, ...]
) -> Basis:
    """The options read: the site loaded, names checked. Raises BadInput and NotFound with what is allowed."""
    from eureka_park.cli.site import machine_facts
    from eureka_park.foundation.site_reading import load_site

    found = load_site(site, machine_facts())
    return Basis(found, weather_files(found, weather), seeds, scenario, known_plants(found, without))


def known_plants(site: Site, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names, sorted, when all are plants of the site. Raises BadInput."""
    known = [plant.id for plant in site.plants]
    for name in names:
        if name not in known:
            raise BadInput(
                f"There is no plant '{name}'.", fix=f"Plants: {', '.join(known) or 'none'}.", field="without"
            )
    return tuple(sorted(set(names)))


def weather_files(site: Site, given: tuple[str, ...]) -> dict[str, Path]:
    """Files by weather site: `PLACE=FILE`, or `FILE` alone where the site has one place. Raises BadInput."""
    places = [place.id for place in site.weather_sites]
    files: dict[str, Path] = {}
    for text in given:
        head, equals, tail = text.partition("=")
        place = head if equals and head in places else places[0] if len(places) == 1 else ""
        path = Path(tail if equals and head in places else text)
        if not place:
            raise BadInput(
                f"'{text}' does not say for which place it is.",
                fix=f"Write PLACE=FILE with one of: {', '.join(places) or 'none'}.", field="weather",
            )  # fmt: skip
        if not path.is_file():
            raise BadInput(f"There is no weather file '{path}'.", fix="Check the path.", field="weather")
        files[place] = path
    missing = [place for place in places if place not in files]
    if files and missing:
        raise BadInput(
            f"No weather is given for {', '.join(missing)}.",
            fix="Give one --weather PLACE=FILE for each place, or none for synthetic years.", field="weather",
        )  # fmt: skip
    return files


@contextmanager
def server_part(command: str) -> Iterator[None]:
    """Where packages of the server part are missing, one line says so."""
    from eureka_park.cli.lazy import missing_part

    try:
        yield
    except ModuleNotFoundError as error:
        raise missing_part(command, error) from error
