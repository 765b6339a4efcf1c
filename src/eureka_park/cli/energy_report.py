"""`park energy report`: the verdict on a site, as a page, a print or a spreadsheet in French, Arabic or English."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, SEEDS, server_part
from eureka_park.cli.output import cell, clean, console, json_option, print_json, say
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from eureka_park.energy.verdict_assumptions import Assumptions
    from eureka_park.energy.verdict_schema import Study

ENDINGS: Final = (".html", ".pdf", ".xlsx")
ROWS: Final = {
    "constant": N_("drawn constantly"),
    "fleet-low": N_("a real fleet, low"),
    "fleet-high": N_("a real fleet, high"),
    "cfe-99": N_("largest load at 99 %"),
    "cfe-90": N_("largest load at 90 %"),
    "cfe-75": N_("largest load at 75 %"),
}
_CHILD: Final = (sys.executable, "-m", "eureka_park.web.verdict_child")


@click.command()
@click.option(
    "--out",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report to a .html, .pdf or .xlsx file; may be given several times.",
)
@click.option(
    "--lang", type=click.Choice(("fr", "ar", "en")), default="fr", show_default=True, help="Language of the report."
)
@click.option(
    "--study",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The study to tell; where the file is not there, it is computed and kept there. Default: the shipped one.",
)
@click.option(
    "--site",
    default=DEFAULT_SITE,
    show_default=True,
    metavar="NAME|FILE",
    help="The site of a new study, or a changed copy of its file.",
)
@click.option("--seeds", type=SEEDS, default="1-5", show_default=True, help="Synthetic years of a new study.")
@click.option(
    "--assumptions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Prices and other simple values of yours, as TOML; the others stay.",
)
@click.option(
    "--write-assumptions",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all simple values with their sources, to be changed and read back.",
)
@json_option
def report(
    out: tuple[Path, ...],
    lang: str,
    study: Path | None,
    site: str,
    seeds: tuple[int, ...],
    assumptions: Path | None,
    write_assumptions: Path | None,
    as_json: bool,
) -> None:
    """The verdict on a site: a table of loads and outages, new supply, money, grid, water, with every assumption.

    Without a file it is told here in short. A new study takes a quarter of an hour or more; the shipped one is there
    at once.

    \b
    park energy report
    park energy report --out verdict.html --out verdict.xlsx --lang ar
    park energy report --study mine.json.gz --seeds 1-10 --out verdict.pdf
    park energy report --write-assumptions mine.toml
    park energy report --assumptions mine.toml --out verdict.html
    """  # fmt: skip
    for file in out:
        if file.suffix not in ENDINGS:
            raise BadInput(f"A report does not end in '{file.suffix}'.", fix="Write --out FILE.html, .pdf or .xlsx.")
    for file in (*out, *filter(None, (study, write_assumptions))):
        if not file.resolve().parent.is_dir():  # said before a study is computed for a quarter of an hour
            raise BadInput(f"'{file}' cannot be written: there is no folder '{file.parent}'.", fix="Make it first.")
    with server_part("energy report"):
        values = _assumptions(assumptions)
        if write_assumptions is not None:
            _write_assumptions(values, write_assumptions)
        found = _study(study, site, seeds, values)
        for file in out:
            _write(file, lang, study, values)
            say(_("{file} is written.", file=file))
    if as_json:
        print_json({name: value for name, value in found.items() if name not in {"hours", "duration_mw"}})
    elif not out and write_assumptions is None:
        print_table(found)


def _assumptions(file: Path | None) -> Assumptions:
    from eureka_park.energy.verdict_assumptions import read, shipped

    return shipped() if file is None else read(file)


def _write_assumptions(values: Assumptions, file: Path) -> None:
    from eureka_park.energy.verdict_assumptions import to_toml
    from eureka_park.energy.weather_file import write_whole

    write_whole(file, to_toml(values).encode())
    say(_("{file} is written.", file=file))


def _study(file: Path | None, site: str, seeds: tuple[int, ...], values: Assumptions) -> Study:
    """The study that is asked for; computed where its file is not there yet."""
    from eureka_park.energy.verdict_file import read_study, write_study

    if file is None and site != DEFAULT_SITE:
        raise BadInput(
            "The shipped study is that of eureka-park.",
            fix="Compute one with changed plants or prices: --site FILE --study FILE.json.gz",
        )
    if file is None or file.exists():
        return read_study(file)
    found = _computed(site, seeds, values)
    write_study(found, file)
    say(_("{file} is written.", file=file))
    return found


def _computed(site: str, seeds: tuple[int, ...], values: Assumptions) -> Study:
    from datetime import UTC, datetime

    from eureka_park.cli.site import machine_facts
    from eureka_park.energy.verdict import study
    from eureka_park.foundation.site_reading import load_site

    def progress(done: int, of: int, what: str) -> None:
        say(_("step {n} of {of}: {what}", n=done + 1, of=of, what=what))

    found = load_site(site, machine_facts())
    if found.name != DEFAULT_SITE:
        raise BadInput(
            "The report tells of the announced site; yours has another name.",
            fix=f"Name a copy of its file 'name = \"{DEFAULT_SITE}\"', or ask park energy year, max-load and size.",
        )
    return study(found, seeds, date=f"{datetime.now(UTC):%Y-%m-%d}", assumptions=values, progress=progress)


def _write(out: Path, lang: str, study: Path | None, values: Assumptions) -> None:
    """Have the pages' side write the report, in a process of its own."""
    from eureka_park.energy.verdict_assumptions import shipped

    changed = {name: item.value for name, item in values.values.items() if item.value != shipped().values[name].value}
    request = {"study": str(study) if study else None, "out": str(out), "lang": lang, "assumptions": changed}
    done = subprocess.run(_CHILD, input=json.dumps(request), capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["the report could not be written"]
        raise Unavailable(clean(said[-1]), code="no_report")


def print_table(found: Study) -> None:
    """Rows and scenarios in short: the load, and how much of it is carried hour by hour."""
    from rich.table import Table

    from eureka_park.energy.verdict_schema import SCENARIOS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("", *SCENARIOS):
        table.add_column(head, justify="left" if not head else "right", no_wrap=True)
    cells: dict[tuple[str, str], Any] = {(item["row"], item["scenario"]): item for item in found["cells"]}
    for row, name in ROWS.items():
        shown = (
            f"{_number(cells[row, s]['load_mw']['p50'])} MW  {cells[row, s]['cfe_frac']['p50']:>4.0%}"
            for s in SCENARIOS
        )
        table.add_row(cell(_(name)), *shown)
    console().print(table)
    click.echo(clean(found["weather"]))
    click.echo(_("years of weather: {n}; calculated on {date}", n=len(found["seeds"]), date=found["date"]))
    click.echo(_("The whole report: {command}", command="park energy report --out verdict.html"))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"
