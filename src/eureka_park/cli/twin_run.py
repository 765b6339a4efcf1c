"""`park twin run`: days of work, drawn by a seed or read from a trace, under the park's policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import click

from eureka_park.cli.energy_options import DEFAULT_SITE, Between, server_part
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.progress import Line
from eureka_park.cli.words import N_, _
from eureka_park.foundation.units import duration_text

if TYPE_CHECKING:
    from eureka_park.twin.run import PolicyName

PARTS: Final = {
    "work": N_("making the jobs"),
    "sky": N_("making weather and plans"),
    "play": N_("running the days"),
    "metrics": N_("measuring"),
    "bound": N_("working out what was possible"),
}
POLICIES: Final = ("park", "fcfs-easy", "hard-cut", "wait-awhile", "lowest-window", "edf-surplus")  # `PolicyName`
FILLED_WORDS: Final = 6  # columns that the answer names; the rest is in --json


@click.command()
@click.option(
    "--jobs", type=click.IntRange(1, 200_000_000), help="Number of jobs; default: what fills 70 % of the site."
)
@click.option(
    "--days", type=Between(0.01, 366.0), metavar="DAYS", help="Length; default: 2, or as long as the trace is."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True, help="Seed of all chance.")
@click.option(
    "--trace", type=click.Path(path_type=Path), metavar="FILE", help="Jobs from a CSV, Parquet, SWF or sacct file."
)
@click.option(
    "--site", default=DEFAULT_SITE, show_default=True, metavar="NAME|FILE", help="A built-in site or a site file."
)
@click.option(
    "--policy",
    type=click.Choice(POLICIES),
    default="park",
    show_default=True,
    help="Who decides: the park's own policy, or another one to compare with; the guide says what each does.",
)
@click.option(
    "--bound/--no-bound",
    default=None,
    help="Say how clean it could have been with all known in advance; default: in runs of up to 92 days.",
)
@quiet_option
@json_option
def run(
    jobs: int | None,
    days: float | None,
    seed: int,
    trace: Path | None,
    site: str,
    policy: str,
    bound: bool | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run days of work in a simulated world, and say what waited, finished and was paused.

    Jobs come from a seed, in the shape of published traces, or from a trace file: CSV with the columns submit_s, run_s
    and gpus (the guide has the others), SWF, and the files of Philly and of the PAI sample as they are. What a trace
    does not say is drawn by the seed, and counted in the answer.

    \b
    park twin run --jobs 10000 --days 2
    park twin run --jobs 10000 --days 2 --policy edf-surplus --json
    park twin run --trace jobs.csv --site my-university.toml
    """
    with server_part("twin run"):
        from eureka_park.cli.site import machine_facts
        from eureka_park.control.of_site import policy_of
        from eureka_park.foundation.site_reading import load_site
        from eureka_park.foundation.wire.engine import Capability
        from eureka_park.twin.run import TwinRequest, run_twin

        found_site = load_site(site, machine_facts())
        # Who draws elastic gangs by a seed compares runs with those of before: only a trace's own gangs shrink.
        can = frozenset(Capability) - (frozenset() if trace is not None else {Capability.RESIZE})
        rules = policy_of(found_site, can)
        request = TwinRequest(jobs, days, seed, trace, cast("PolicyName", policy), bound=bound)
        with Line(quiet=quiet) as line:
            found = run_twin(found_site, request, rules, lambda part: line.show(part, lambda: _(PARTS[part])))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _print(found: dict[str, Any]) -> None:
    click.echo(
        _(
            "{site}, {days} days under policy {policy}, seed {seed}: {finished} of {jobs} jobs finished.",
            site=clean(found["site"]), days=f"{found['days']:g}", policy=found["policy"], seed=found["seed"],
            finished=f"{found['jobs_finished']:,}", jobs=f"{found['jobs']:,}",
        )
    )  # fmt: skip
    console().print(_waits(found))
    for name, value in (
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
