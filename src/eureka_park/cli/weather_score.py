"""`park weather score`: how good forecasts are, of a real series or of synthetic years, beside simple ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import SEEDS, server_part
from eureka_park.cli.output import cell, console, json_option, print_json
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.energy.core.forecast_scoring import Row

SERIES: Final = {
    "dni_w_per_m2": N_("beam, W/m2"),
    "ghi_w_per_m2": N_("global light, W/m2"),
    "wind_m_per_s": N_("wind, m/s"),
}
METHODS: Final = {
    "forecast": N_("forecast"),
    "statistical": N_("statistical"),
    "persistence": N_("persistence"),
    "climatology": N_("what is usual"),
}


@click.command()
@click.option(
    "--weather", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="A weather file: forecast from itself, each week scored while it is held out.",
)  # fmt: skip
@click.option("--seeds", type=SEEDS, help="Synthetic years instead, such as 11-15; 1 to 5 tuned the errors.")
@click.option("--site", default="eureka-park", show_default=True, metavar="NAME|FILE", help="Site that has the places.")
@click.option("--place", metavar="ID", help="One of its places; default: all.")
@json_option
def score(file: Path | None, seeds: tuple[int, ...] | None, site: str, place: str | None, as_json: bool) -> None:
    """Score forecasts by lead: mean errors, pinball loss, CRPS, and how often the truth lies from p10 to p90.

    \b
    park weather score --seeds 11-13
    park weather score --weather tetouan.park.csv --json
    """
    if (file is None) == (seeds is None):
        raise click.UsageError(_("give one of --weather and --seeds."))
    with server_part("weather score"):
        tables = _of_file(file) if file is not None else _of_seeds(seeds or (), site, place)
    if as_json:
        print_json({"tables": [{**facts, "rows": [row.to_json() for row in rows]} for facts, rows in tables]})
        return
    for facts, rows in tables:
        _print(facts, rows)


def _of_file(file: Path) -> list[tuple[dict[str, Any], list[Row]]]:
    from eureka_park.energy.core.forecast_scoring import score_year
    from eureka_park.energy.weather_file import read_weather

    year = read_weather(file)
    told = year.provenance
    facts = {
        "place": year.weather_site, "weather": told.text, "label": told.label, "licence": told.licence,
        "content_id": told.content_id, "forecast": "statistical, each week held out in its turn",
    }  # fmt: skip
    return [(facts, score_year(year))]


def _of_seeds(seeds: tuple[int, ...], site: str, place: str | None) -> list[tuple[dict[str, Any], list[Row]]]:
    from eureka_park.cli.site import machine_facts
    from eureka_park.energy.core.forecast import FORECAST_LABEL
    from eureka_park.energy.core.forecast_scoring import TRAINING_SEEDS, score_seeds
    from eureka_park.foundation.site_reading import load_site

    places = [one for one in load_site(site, machine_facts()).weather_sites if place in (None, one.id)]
    if not places:
        raise BadInput(f"The site has no place '{place}'.", fix="See: park site show.", field="place")
    common = {
        "weather": "synthetic typical years", "label": "synthetic", "seeds": list(seeds),
        "training_seeds": list(TRAINING_SEEDS), "forecast": FORECAST_LABEL,
    }  # fmt: skip
    return [({"place": one.id, **common}, score_seeds(one, seeds)) for one in places]


def _print(facts: dict[str, Any], rows: Sequence[Row]) -> None:
    from rich.table import Table

    title = cell(f"{facts['place']}: {facts['weather']}; {facts['forecast']}")
    table = Table(title=title, title_justify="left")
    for head in (_("series"), _("method")):
        table.add_column(head, no_wrap=True)
    for head in (_("lead, h"), "MAE", "RMSE", _("bias"), _("pinball"), "CRPS", _("p10 to p90"), _("skill")):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        made = row.scores
        is_sure = made.width == 0.0
        table.add_row(
            _(SERIES[row.series]), _(METHODS[row.method]), str(row.lead_h), _figure(made.mae), _figure(made.rmse),
            _figure(made.bias), _figure(made.pinball), _figure(made.crps),
            "" if is_sure else f"{100 * made.coverage_frac:.0f} %",
            "" if row.rmse_skill_frac is None else f"{100 * row.rmse_skill_frac:.0f} %",
        )  # fmt: skip
    console().print(table)
    click.echo(_("Skill: how much smaller the RMSE is than that of persistence."))


def _figure(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"
