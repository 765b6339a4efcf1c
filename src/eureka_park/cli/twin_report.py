"""`park twin report`: runs of the twin as one page to read, to print and to pass on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.output import clean, json_option, print_json, say
from eureka_park.cli.words import _, language
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

if TYPE_CHECKING:
    from eureka_park.twin.run_record import RunRecord

ENDINGS: Final = (".html", ".pdf")
LANGUAGES: Final = ("en", "fr", "ar", "zgh")
RUNS_MAX: Final = 12  # more columns fit no page
OUT: Final = "report.html"
_CHILD: Final = (sys.executable, "-m", "eureka_park.web.twin_report_child")


@click.command()
@click.argument("folders", type=click.Path(path_type=Path), nargs=-1, required=True, metavar="DIR...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="A .html or .pdf file; default: report.html in the run's folder, of several runs in this one.",
)
@click.option(
    "--lang", type=click.Choice(LANGUAGES), help="Language of the report; default: that of this command's own texts."
)
@json_option
def report(folders: tuple[Path, ...], out: Path | None, lang: str | None, as_json: bool) -> None:
    """Write the report of runs that park twin run --out has kept: one file that needs nothing beside it.

    Of one run: what came out in words, power against load, every hour, waits, deadlines, fairness, some of its jobs,
    where the energy went, and every figure with its meaning. Of several: a table with the best of each figure, and
    small pictures of each. A PDF is printed by Chromium or Chrome where one is installed.

    \b
    park twin report run
    park twin report run --out run.pdf --lang ar
    park twin report park fcfs-easy --out both.html
    """
    if len(folders) > RUNS_MAX:
        raise BadInput(
            f"{len(folders)} runs fit no page.",
            fix=f"Name {RUNS_MAX} at most, or see them all: park twin compare DIR...",
        )
    file = out or (folders[0] / OUT if len(folders) == 1 else Path(OUT))
    with server_part("twin report"):
        from eureka_park.twin.run_files import read_run

        records = [read_run(folder) for folder in folders]
        _check(file)
        done = _write(folders, file, lang or language(), zone_of(records))
    if as_json:
        print_json(done)
    else:
        click.echo(clean(done["told"]))
        say(_("{file} is written.", file=file))


def _check(file: Path) -> None:
    """Say before anything is drawn what would be wrong with the file after it."""
    if file.suffix not in ENDINGS:
        raise BadInput(f"A report does not end in '{file.suffix}'.", fix="Write --out FILE.html or .pdf.")
    if not file.resolve().parent.is_dir():
        raise BadInput(f"'{file}' cannot be written: there is no folder '{file.parent}'.", fix="Make it first.")
    if file.suffix == ".pdf":
        from eureka_park.adapters.browser_print import browser

        browser(OUT)


def zone_of(records: list[RunRecord]) -> str:
    """The clock of the runs' site; UTC where the site is none of the park's own."""
    from eureka_park.foundation.site_reading import load_site

    name = records[0].request.get("timezone") or records[0].figures.get("timezone")
    if name:
        return str(name)
    try:
        return load_site(str(records[0].figures.get("site"))).timezone
    except (ParkError, OSError):
        return "UTC"


def _write(folders: tuple[Path, ...], file: Path, lang: str, zone: str) -> dict[str, Any]:
    """Have the pages' side write the report, in a process of its own."""
    request = {"folders": [str(one) for one in folders], "out": str(file), "lang": lang, "timezone": zone}
    done = subprocess.run(_CHILD, input=json.dumps(request), capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["the report could not be written"]
        raise Unavailable(clean(said[-1]), code="no_report")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
