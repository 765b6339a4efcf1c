"""`park twin run`: days of work, drawn by a seed or read from a trace, under the park's policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from eureka_park.cli.energy_options import DEFAULT_SCENARIO, DEFAULT_SITE, Between, server_part, weather_files
from eureka_park.cli.errors import sentence
from eureka_park.cli.lazy import INTERRUPTED
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option, say
from eureka_park.cli.params import COUNT
from eureka_park.cli.twin_watch import PARTS, RunWatch
from eureka_park.cli.words import N_, _
from eureka_park.foundation.errors import BadInput, ParkError, TooLarge, Unavailable
from eureka_park.foundation.units import duration_text

if TYPE_CHECKING:
    from eureka_park.foundation.site_file import Site
    from eureka_park.twin.run import PolicyName, TwinRequest
    from eureka_park.twin.run_record import RunRecord

POLICIES: Final = ("park", "fcfs-easy", "hard-cut", "wait-awhile", "lowest-window", "edf-surplus")  # `PolicyName`
LEFT: Final = {  # `twin.core.traces.NOTES`
    "left_out": N_("never ran"), "too_late": N_("came after these days"),
    "after_unknown": N_("wait for a job that is not there"), "wrong_lines": N_("lines that cannot be read"),
}  # fmt: skip
FILLED_WORDS: Final = 6  # columns that the answer names; the rest is in --json
OPTIONS: Final = (
    click.option("--jobs", type=COUNT, metavar="N", help="Number of jobs, such as 10000 or 100e6; default: what fills "
                 "the load."),
    click.option("--days", type=Between(0.01, 366.0), metavar="DAYS",
                 help="Length; default: 2, or as long as the trace is."),
    click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True,
                 help="Seed of all chance."),
    click.option("--load", type=Between(0.001, 10.0), metavar="SHARE",
                 help="Requested GPU hours over those of the site: run times scale. A trace is repeated or thinned, "
                      "and stays as it is without this."),
    click.option("--demand-of-supply", type=Between(0.001, 10.0), metavar="SHARE",
                 help="Scale the plants until what is requested is so much of what they give on average."),
    click.option("--trace", type=click.Path(path_type=Path), metavar="FILE",
                 help="Jobs from a CSV, Parquet, SWF or sacct file."),
    click.option("--map", "columns", multiple=True, metavar="OURS=THEIRS,...",
                 help="What the trace calls the columns: submit_s=arrival,run_s=duration,gpus=n_gpu."),
    click.option("--site", default=DEFAULT_SITE, show_default=True, metavar="NAME|FILE",
                 help="A built-in site or a site file."),
    click.option("--weather", multiple=True, metavar="[PLACE=]FILE",
                 help="A weather file instead of a synthetic year; one for each place of the site."),
    click.option("--scenario", default=DEFAULT_SCENARIO, show_default=True, metavar="NAME",
                 help="Which plants stand still: all-plants, noor-iii-out or historical-availability."),
    click.option("--faults", default="", metavar="WORDS|FILE.toml",
                 help="What goes wrong: nodes=off, nodes=x2, usual, plant:ID@5d+6h, grid@10d+2h, "
                      "network:rack-3@1d+1h."),
    click.option("--policy", type=click.Choice(POLICIES), default="park", show_default=True,
                 help="Who decides: the park's own policy, or another one to compare with; the guide says what each "
                      "does."),
    click.option("--bound/--no-bound", default=True,
                 help="Say how clean it could have been with all known in advance (a year: some 15 s)."),
    click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                 help="Keep the run: figures, hours, tenants and a sample of jobs as files."),
)  # fmt: skip


def _options(command: Any) -> Any:
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@_options
@quiet_option
@json_option
def run(out: Path | None, quiet: bool, as_json: bool, **asked: Any) -> None:
    """Run days of work in a simulated world, and say what waited, finished and was paused.

    Jobs come from a seed, in the shape of published traces, or from a trace file: CSV with the columns submit_s, run_s
    and gpus (the guide has the others), SWF, and the files of Philly and of the PAI sample as they are. What a trace
    does not say is drawn by the seed, and counted in the answer. Ctrl-C ends a run early and keeps what was played.

    \b
    park twin run --jobs 10000 --days 2
    park twin run --jobs 10000 --days 2 --policy edf-surplus --json
    park twin run --trace jobs.csv --site my-university.toml --load 0.8
    park twin run --days 30 --faults usual,plant:koudia@5d+6h --out my-run
    """
    with server_part("twin run"):
        from eureka_park.cli.site import machine_facts
        from eureka_park.foundation.site_reading import load_site
        from eureka_park.twin.run import run_recorded
        from eureka_park.twin.run_out import check_out
        from eureka_park.twin.sweep_task import rules_of

        if out is not None:
            check_out(out)
        site = load_site(asked["site"], machine_facts())
        request = _request(site, asked)
        with RunWatch(quiet) as watch:
            try:
                record = run_recorded(
                    site, request, rules_of(site, request), watch.told, watch.stopped, watch.told_frac
                )
            except Unavailable:
                if watch.stopped():  # there is nothing to keep yet
                    raise KeyboardInterrupt from None
                raise
            except MemoryError:
                told = "The run took more memory than there is."
                raise TooLarge(told, fix="Give fewer jobs or days, or a smaller site.") from None
    _tell(record, out, quiet=quiet, as_json=as_json)
    if watch.stopped() or not record.figures["is_whole"]:
        click.get_current_context().exit(INTERRUPTED)


def _tell(record: RunRecord, out: Path | None, *, quiet: bool, as_json: bool) -> None:
    """Write the files, and say the figures; those are said too where the files cannot be written."""
    from eureka_park.twin.run_files import write_run

    failed: ParkError | None = None
    if out is not None:
        try:
            write_run(out, record)
        except ParkError as error:
            failed = error
    if as_json:
        print_json(record.figures)
    else:
        _print(record.figures)
    if record.figures["bound_failed"]:
        why = sentence(record.figures["bound_failed"])
        say(_("WARNING: what was possible could not be worked out; all else holds. {why}", why=clean(why)))
    if failed is not None:
        raise failed
    if out is not None and not quiet:
        say(_("the run is kept in {folder}", folder=clean(out)))


def _request(site: Site, asked: dict[str, Any]) -> TwinRequest:
    """What the options ask for. Raises BadInput."""
    from eureka_park.twin.run import TwinRequest

    faults = asked["faults"]
    return TwinRequest(
        n_jobs=asked["jobs"],
        days=asked["days"],
        seed=asked["seed"],
        trace=asked["trace"],
        policy=cast("PolicyName", asked["policy"]),
        load_frac=asked["load"],
        bound=asked["bound"],
        demand_of_supply=asked["demand_of_supply"],
        weather=weather_files(site, asked["weather"]),
        scenario=asked["scenario"],
        faults=Path(faults) if faults.endswith(".toml") else faults,
        columns=columns_of(asked["columns"]),
    )


def columns_of(texts: tuple[str, ...]) -> dict[str, str]:
    """`OURS=THEIRS` by ours. Raises BadInput."""
    found: dict[str, str] = {}
    for part in (part.strip() for text in texts for part in text.split(",")):
        ours, equals, theirs = part.partition("=")
        if not (ours and equals and theirs) or ours in found:
            raise BadInput(
                f"'{part}' does not say what a column is called.",
                fix="Write OURS=THEIRS once for each column, such as run_s=duration.", field="map",
            )  # fmt: skip
        found[ours] = theirs
    return found


def _print(found: dict[str, Any]) -> None:
    click.echo(
        _(
            "{site}, {days} days under policy {policy}, seed {seed}: {finished} of {jobs} jobs finished.",
            site=clean(found["site"]), days=f"{found['days']:g}", policy=found["policy"], seed=found["seed"],
            finished=f"{found['jobs_finished']:,}", jobs=f"{found['jobs']:,}",
        )
    )  # fmt: skip
    if not found["is_whole"]:
        click.echo(
            _("ended early: {days} days were played, and the figures are of these.", days=f"{found['days_played']:.2f}")
        )
    console().print(_waits(found))
    for name, value in (
        (_("requested GPU hours over those of the site"), f"{found['load_frac']:.2f}"),
        (_("requested energy over what the plants give"), _number(found["demand_of_supply"])),
        (_("pauses"), f"{found['n_pauses']:,}"),
        (_("firm jobs disturbed by power"), f"{found['firm_disturbed']:,}"),
        (_("energy above the budget"), f"{found['overrun_mwh']:,.3f} MWh"),
        (_("clean energy, matched hour by hour"), _frac(found["cfe_frac"])),
        (_("the most that was possible, all known in advance"), _frac(found["cfe_bound_frac"])),
        (_("the same, with salt used as it was"), _frac(found["cfe_bound_same_salt_frac"])),
        (_("fairness by weeks (Jain, 1 is best)"), f"{found['jain_index']:.3f}"),
        (_("time in the park over time on an own share, worst tenant"), _number(found["rho_max"])),
        (_("time and memory"), f"{found['cpu_s']:.1f} CPU s, {found['peak_rss_mib']:,.0f} MiB"),
        (_("digest of all decisions"), clean(found["digest"])[:16]),
    ):
        click.echo(f"{name}: {value}")
    if found["left_out"]:
        told = ", ".join(f"{_(LEFT[name])} {n:,}" for name, n in found["left_out"].items())
        click.echo(_("jobs that count otherwise or not: {what}", what=told))
    if found["filled"]:
        rows = list(found["filled"].items())[:FILLED_WORDS]
        click.echo(_("drawn by the seed: {columns}", columns=", ".join(f"{name} {n:,}" for name, n in rows)))


def _frac(value: float | None) -> str:
    return _("not counted") if value is None else f"{value:.1%}"


def _number(value: float | None) -> str:
    return _("not counted") if value is None else f"{value:.2f}"


def _waits(found: dict[str, Any]) -> Any:
    """Waits and deadlines by tier."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("tier"))
    for head in (_("mean wait"), "p50", "p95", "p99", _("mean by GPU hours"), _("deadlines met")):
        table.add_column(head, justify="right", no_wrap=True)
    for tier, wait in found["wait_s"].items():
        by_gpu_h = found["wait_s_by_gpu_h"][tier]["mean"]
        times = (duration_text(seconds) for seconds in (*wait.values(), by_gpu_h))
        table.add_row(tier, *times, f"{found['deadline_hit_frac'][tier]:.1%}")
    return table


__all__ = ["PARTS", "POLICIES", "run"]
