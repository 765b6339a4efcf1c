"""What `park observe slurm` and `park twin replay` share: where the record lies, and what its energy rests on."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, Between
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import HOUR_S, parse_instant_s

if TYPE_CHECKING:
    from eureka_park.foundation.site_file import Site
    from eureka_park.twin.core.slurm_power import GpuPower, PowerModel
    from eureka_park.twin.slurm_files import SlurmSource

SLURM: Final = "slurm"
DAYS: Final = 30.0
_FILE: Final = click.Path(path_type=Path)
_CARBON_FIX: Final = "Write two columns, hour,gco2_per_kwh, such as 2026-11-22T18:00:00Z,231."


@dataclass(frozen=True, slots=True)
class Asked:
    """The shared options as they were given."""

    nodes: Path | None
    events: Path | None
    days: float
    timezone: str | None
    gco2: str | None
    pue: float | None
    gpu_watts: tuple[str, ...]
    power_frac: float | None


def record_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The shared options but `--from` and `--site`; the command gets them as one `asked`."""
    options = (
        click.option("--nodes", type=_FILE, metavar="FILE", help="Machines: what 'scontrol show node' printed."),
        click.option("--events", type=_FILE, metavar="FILE", help="Outages: what 'sacctmgr show event' printed."),
        click.option("--days", type=Between(0.01, 400.0), default=DAYS, show_default="30", metavar="DAYS",
                     help="How far back."),
        click.option("--timezone", metavar="NAME", help="Zone of local stamps in a file, such as Europe/Paris."),
        click.option("--gco2", metavar="G_PER_KWH|FILE",
                     help="Carbon intensity, or a CSV of hours: hour,gco2_per_kwh."),
        click.option("--pue", type=Between(1.0, 3.0),
                     help="Site power over that of machines; default: 1, or the site's."),
        click.option("--gpu-watts", multiple=True, metavar="KIND=WATTS",
                     help="Board power of a kind of GPU; may be repeated."),
        click.option("--power-frac", type=Between(0.0, 1.0),
                     help="Part of its dynamic rating that a held GPU draws; default: 0.46."),
    )  # fmt: skip

    def gathered(**values: Any) -> Any:
        asked = Asked(**{name: values.pop(name) for name in Asked.__slots__})
        return command(asked=asked, **values)

    gathered.__doc__, gathered.__name__ = command.__doc__, command.__name__
    gathered.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    found: Callable[..., Any] = gathered
    for option in reversed(options):
        found = option(found)
    return found


def source_of(asked: Asked, jobs: Path | None) -> SlurmSource:
    """Where the record lies. Raises BadInput for an unknown zone."""
    from eureka_park.twin.slurm_files import SlurmSource

    zone = None
    if asked.timezone is not None:
        from zoneinfo import ZoneInfoNotFoundError

        from eureka_park.foundation.zones import ZoneInfo

        try:
            zone = ZoneInfo(asked.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise BadInput(
                f"There is no time zone '{asked.timezone}'.", fix="Name one such as Europe/Paris or Africa/Casablanca.",
                field="timezone",
            ) from None  # fmt: skip
    return SlurmSource(jobs, asked.nodes, asked.events, zone, asked.days)


def power_of(asked: Asked, site: Site | None) -> PowerModel:
    """The power model: the site's machines and grid where one is named, else the table and a stated intensity."""
    from eureka_park.twin.core.slurm_power import POWER_FRAC, PowerModel

    flat, by_hour, source = _carbon(asked.gco2, site)
    return PowerModel(
        _powers(asked.gpu_watts, site), POWER_FRAC if asked.power_frac is None else asked.power_frac,
        pue=asked.pue or (site.pue.nominal if site else 1.0), gco2_per_kwh=flat, gco2_source=source,
        gco2_by_hour=by_hour,
    )  # fmt: skip


def _powers(given: tuple[str, ...], site: Site | None) -> dict[str, GpuPower]:
    from eureka_park.twin.core.slurm_power import IDLE_FRAC, GpuPower, all_in, plain

    found = {}
    for kind in site.nodes if site else ():
        if kind.n_gpus and kind.gpu_type:
            one = all_in(kind.idle_kw, kind.rated_kw, kind.n_gpus, f"site {site.name if site else ''}, {kind.id}")
            found[plain(kind.gpu_type.removesuffix("-class"))] = one
    for text in given:
        name, _equals, watts = text.partition("=")
        if not name or not _is_number(watts) or float(watts) > 5000.0:
            raise BadInput(
                f"'{text}' is no power of a GPU.", fix="Write it as KIND=WATTS, such as a100=400.", field="gpu_watts"
            )
        found[plain(name)] = GpuPower(float(watts) * IDLE_FRAC, float(watts), True, f"given: {watts} W")
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdigit() and math.isfinite(float(text))


def _carbon(text: str | None, site: Site | None) -> tuple[float, dict[int, float], str]:
    """Flat intensity, hours by number from 1970, and what it rests on."""
    if text is None:
        from eureka_park.foundation.site_reading import load_site

        found = site or load_site(DEFAULT_SITE)
        return found.grid.gco2_per_kwh, {}, f"grid of site {found.name}: {found.grid.gco2_source}"
    if _is_number(text):
        return float(text), {}, "given"
    hours = _hours(Path(text))
    return sum(hours.values()) / len(hours), hours, f"{Path(text).name}, by hour"


def _hours(path: Path) -> dict[int, float]:
    """A CSV of hours. Raises BadInput with the line."""
    try:
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"'{path}' cannot be read.", fix=_CARBON_FIX, field="gco2") from None
    found: dict[int, float] = {}
    for number, row in enumerate(rows, start=2):
        try:
            gco2 = float(row["gco2_per_kwh"])
            if not math.isfinite(gco2):
                raise ValueError
            found[int(parse_instant_s(row["hour"]) // HOUR_S)] = gco2
        except (KeyError, TypeError, ValueError, BadInput):
            told = f"{path.name}, line {number}: no hour and intensity."
            raise BadInput(told, fix=_CARBON_FIX, field="gco2") from None
    if not found:
        raise BadInput(f"{path.name}, line 1: no hour and intensity.", fix=_CARBON_FIX, field="gco2")
    return found
