"""`park twin sweep`: many runs of the twin at once, one table."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.errors import sentence
from eureka_park.cli.lazy import FAILURE, INTERRUPTED
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.twin_figures import cell_text
from eureka_park.cli.twin_many import grid_options, run_all, wanted_runs
from eureka_park.cli.words import N_, _, count
from eureka_park.foundation.units import duration_text

if TYPE_CHECKING:
    from eureka_park.twin.sweep import Row, Sweep

FOLDER: Final = Path("twin-sweep")
STATES: Final = {
    "finished": N_("finished"), "failed": N_("failed"), "stopped": N_("stopped"), "not run": N_("not run"),
}  # fmt: skip
SHOWN: Final = (
    ("gpu_h_finished_frac", N_("finished"), "frac"),
    ("wait_s.flex.p50", N_("wait of flex p50"), "s"),
    ("wait_s.flex.p95", "p95", "s"),
    ("deadline_hit_frac.flex", N_("deadlines met"), "frac"),
    ("cfe_frac", N_("clean"), "frac"),
    ("cfe_regret_frac", N_("regret"), "frac"),
    ("overrun_mwh", N_("above the budget"), "mwh"),
    ("n_pauses", N_("pauses"), "count"),
    ("cpu_s", N_("CPU"), "cpu_s"),
)
VARIED: Final = (
    "site", "policy", "seed", "load_frac", "days", "n_jobs", "trace", "demand_of_supply", "scenario", "faults",
)  # fmt: skip


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@grid_options
@click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="Runs at once; default: one for each core.")
@click.option("--out", type=click.Path(path_type=Path), default=FOLDER, show_default=True, metavar="DIR",
              help="Folder of the runs and of their table; what it holds already is not run again.")  # fmt: skip
@click.option("--again", is_flag=True, help="Run also what the folder holds already.")
@click.option("--ray", metavar="ADDRESS", help="Run on a Ray cluster, such as auto or ray://head:10001.")
@quiet_option
@json_option
def sweep(
    asked: dict[str, Any], file: Path | None, workers: int | None, out: Path, again: bool, ray: str | None, quiet: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Many runs of the twin, a few at once: every policy with every seed, load, site and so on, and a row for each.

    Each run is kept in the folder as with park twin run --out, with runs.csv and runs.json beside. Ctrl-C keeps what
    has finished; the same command goes on from there, and a larger one runs only what is missing. A run that breaks
    off is told and stops no other. FILE names the runs in TOML instead, or as well; the guide tells how.

    \b
    park twin sweep --policy park,fcfs-easy --seed 1..3 --load 0.5,0.8 --days 7
    park twin sweep runs.toml --workers 4 --out results
    park twin sweep runs.toml --ray auto
    """
    with server_part("twin sweep"):
        from eureka_park.twin.sweep_tables import table_of

        begun_s = time.monotonic()
        done = run_all(wanted_runs(asked, file), out=out, workers=workers, again=again, ray=ray, quiet=quiet)
        wall_s = time.monotonic() - begun_s
        table = table_of(done.rows)
    if as_json:
        print_json({"is_interrupted": done.is_interrupted, **_counts(done), "wall_s": wall_s, "out": str(out),
                    "runs": table})  # fmt: skip
    else:
        _print(done, table, wall_s, out)
    if done.not_written is not None:
        raise done.not_written
    if done.is_interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
    if any(row.state == "failed" for row in done.rows):
        raise click.exceptions.Exit(FAILURE)


def _counts(done: Sweep) -> dict[str, int]:
    states = [row.state for row in done.rows]
    return {
        "n_runs": len(states),
        "n_finished": states.count("finished"),
        "n_kept": sum(row.is_kept for row in done.rows),
        "n_failed": states.count("failed"),
        "n_not_finished": states.count("stopped") + states.count("not run"),
    }


def _print(done: Sweep, table: list[dict[str, Any]], wall_s: float, out: Path) -> None:
    console().print(_table(done, table))
    n = _counts(done)
    told = _("{finished} of {runs} runs finished in {time}", finished=n["n_finished"], runs=n["n_runs"],
             time=duration_text(wall_s))  # fmt: skip
    kept = count("; {n} was done before", "; {n} were done before", n["n_kept"]) if n["n_kept"] else ""
    click.echo(f"{told}{kept}.")
    for row in done.rows:
        if row.error:
            why = f"{sentence(row.error)} {sentence(row.fix)}".strip()
            click.echo(_("{run} failed: {why}", run=clean(row.wanted.name), why=clean(why)))
    if n["n_not_finished"]:
        click.echo(_("{n} runs are missing; the same command runs them.", n=n["n_not_finished"]))
    if done.not_written is None:
        click.echo(_("Table: {path}", path=clean(out / "runs.csv")))


def _table(done: Sweep, table: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    found = Table(box=None, pad_edge=False, header_style="bold")
    asked = [_asked_of(row) for row in done.rows]
    names = [name for name in VARIED if len({_asked(one[name]) for one in asked}) > 1] or ["policy"]
    for name in names:
        found.add_column(_(HEADS[name]))
    shown = [one for one in SHOWN if any(row.get(one[0]) is not None for row in table)]
    for _name, head, _unit in shown:
        found.add_column(_(head), justify="right")
    found.add_column("")
    for one, row in zip(asked, table, strict=True):
        state = "" if row["state"] == "finished" else _(STATES[row["state"]])
        figures = (cell_text(row.get(name), unit) for name, _head, unit in shown)
        found.add_row(*(_asked(one[name]) for name in names), *figures, state)
    return found


def _asked_of(row: Row) -> dict[str, Any]:
    """What was asked for, by the names of `VARIED`."""
    request = row.wanted.request.to_json()
    return {**request, "site": row.wanted.site.name, "policy": row.wanted.policy}


def _asked(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    return clean(value) if value not in (None, "") else "-"


HEADS: Final = {
    "site": N_("site"), "policy": N_("policy"), "seed": N_("seed"), "load_frac": N_("load"), "days": N_("days"),
    "n_jobs": N_("jobs"), "trace": N_("trace"), "demand_of_supply": N_("demand over supply"),
    "scenario": N_("scenario"), "faults": N_("faults"),
}  # fmt: skip
