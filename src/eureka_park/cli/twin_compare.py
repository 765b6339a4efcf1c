"""`park twin compare`: runs of the twin in one table, the best of each figure marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.lazy import INTERRUPTED
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.twin_figures import cell_text, label_text
from eureka_park.cli.twin_many import grid_options, run_all, wanted_runs
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput

BEST: Final = " *"
UNCOUNTED: Final = " (!)"
NAMES: Final = {
    "site": N_("site"), "n_nodes": N_("number of nodes"), "days": N_("days"), "trace": N_("trace"), "seed": N_("seed"),
    "work": N_("work sent"), "load_frac": N_("load"), "start_s": N_("begin"), "plan_every_h": N_("hours between plans"),
    "days_played": N_("days played"),
}  # fmt: skip


@click.command()
@click.argument("folders", type=click.Path(path_type=Path), nargs=-1, metavar="[DIR]...")
@grid_options
@click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="Runs at once; default: one for each core.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for the runs of --policy; what it holds already is not run again.")  # fmt: skip
@quiet_option
@json_option
def compare(
    asked: dict[str, Any], folders: tuple[Path, ...], workers: int | None, out: Path | None, quiet: bool, as_json: bool
) -> None:
    """Runs side by side: a row for each figure, a column for each run, the best marked with *.

    Name folders that park twin run --out or park twin sweep has written, or policies with --policy, which are then run
    on the same jobs under the same sky. Runs that differ in their seed alone share a column: the mean of each figure,
    and its range. Runs of other sites, days, seeds or work are shown, but nothing is called best.

    \b
    park twin compare one two
    park twin compare --policy park,fcfs-easy --days 7
    park twin compare --policy park,fcfs-easy,mine.toml --seed 1..3 --load 0.8 --json
    """
    with server_part("twin compare"):
        from eureka_park.twin.comparison import compared, read_folders

        if folders and asked:
            raise BadInput("Runs that are there and runs to be made do not go together.",
                           fix="Name folders, or policies with --policy.", code="usage")  # fmt: skip
        if not folders and "policy" not in asked:
            raise BadInput("Nothing to compare is named.", code="usage",
                           fix="Name folders of runs, or policies: --policy park,fcfs-easy")  # fmt: skip
        runs = read_folders(folders) if folders else _made(asked, workers, out, quiet=quiet)
        found = compared(runs)
    if as_json:
        print_json(found)
        return
    _print(found)


def _made(asked: dict[str, Any], workers: int | None, out: Path | None, *, quiet: bool) -> list[Any]:
    """The runs of a request, done now. Raises BadInput where one breaks off."""
    from eureka_park.twin.sweep_tables import request_of

    done = run_all(wanted_runs(asked, None), out=out, workers=workers, again=False, ray=None, quiet=quiet)
    if done.is_interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    for row in done.rows:
        if row.figures is None:
            raise BadInput(f"{row.wanted.name} failed: {row.error}", fix=row.fix or "Name other policies.")
    return [(row.figures, request_of(row)) for row in done.rows]


def _print(found: dict[str, Any]) -> None:
    for item in found["differ"]:
        values = ", ".join(_value(value) for value in item["values"])
        name = _(NAMES[item["name"]]) if item["name"] in NAMES else item["name"]
        click.secho(_("NOT COMPARABLE: the runs differ in {name}: {values}", name=name, values=values), bold=True)
    console().print(_table(found))
    many = [one for one in found["columns"] if one["n_runs"] > 1]
    if many:
        seeds = " ".join(str(seed) for seed in many[0]["seeds"])
        click.echo(_("Means over seeds {seeds}; below each, from the least to the most.", seeds=seeds))
    if found["is_comparable"]:
        click.echo(_("* best of its row"))
    if any(not all(row["counts"]) for row in found["figures"]):
        click.echo(_("(!) this run finished less than another: its regret does not count."))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(_value(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else clean(value)


def _table(found: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for column in found["columns"]:
        table.add_column(clean(column["name"]), justify="right")
    for row in found["figures"]:
        cells = [_cell(row, at) for at in range(len(row["values"]))]
        table.add_row(label_text(row["name"]), *cells)
    return table


def _cell(row: dict[str, Any], at: int) -> Any:
    from rich.text import Text

    value = row["values"][at]
    if value is None:
        return Text("-")
    text = cell_text(value["mean"], row["unit"])
    low, high = (cell_text(value[name], row["unit"]) for name in ("min", "max"))
    is_best = at in row["best"]
    mark = BEST if is_best else UNCOUNTED if not row["counts"][at] else ""
    found = Text(f"{text}{mark}", style="bold" if is_best else "")
    return found.append(f"\n{low} .. {high}", style="not bold dim") if low != high else found
