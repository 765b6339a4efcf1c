"""`park twin replay`: what really ran, here or elsewhere, played again under this park's policy and others."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from eureka_park.cli.energy_options import DEFAULT_SITE, Between, server_part
from eureka_park.cli.observe_options import SLURM, Asked, power_of, record_options, source_of
from eureka_park.cli.observe_words import energy_text, mass_text, span_text, wait_text
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.params import DURATION, home_option
from eureka_park.cli.progress import Line
from eureka_park.cli.words import N_, _, count
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S

if TYPE_CHECKING:
    from eureka_park.foundation.site_file import Site
    from eureka_park.twin.slurm_replay import ReplayPolicy

JOURNAL: Final = "journal"
HEADS: Final = {
    "recorded": N_("as it was"),
    "fcfs-easy": N_("first come, backfill"),
    "park": N_("this park's policy"),
}
LEFT: Final = {
    "never_started": N_("never started"),
    "earlier_attempts": N_("attempts that ran again later"),
    "too_large": N_("fit no machine"),
    "still_running": N_("still running, with the time so far"),
    "became_gangs_or_smaller": N_("took another form: whole machines, or one instead of several"),
    "cancelled_waiting": N_("cancelled while they waited"),
    "still_waiting": N_("still waiting, at their declared time"),
}
OF_SLURM: Final = ("nodes", "events", "timezone", "gpu_watts", "power_frac", "tier", "slack_h")


@click.command()
@click.option(
    "--from", "record", required=True, metavar="journal|slurm|FILE",
    help="This park's own journal, Slurm's own commands, or what sacct printed.",
)  # fmt: skip
@click.option(
    "--site", metavar="NAME|FILE",
    help="Whose sun, wind, salt and grid carry a Slurm cluster, in proportion. Default: a grid without limit. Of a "
    "journal: the machines to play it on.",
)  # fmt: skip
@click.option(
    "--policy", multiple=True, metavar="NAMES|FILE.toml",
    help="Policies to play, such as park,hard-cut; FILE.toml is the park's policy under that policy file. Default: "
    "fcfs-easy,park.",
)  # fmt: skip
@click.option("--last", "last_s", type=DURATION, metavar="SPAN", help="How far back, such as 30d; as --days.")
@click.option(
    "--tier", type=click.Choice(("firm", "flex", "green")), default="flex", show_default=True,
    help="Tier of all jobs of Slurm.",
)  # fmt: skip
@click.option("--slack", "slack_h", type=Between(0.0, 1000.0), default=24.0, show_default=True, metavar="HOURS",
              help="Deadline of a flex job of Slurm: so long after its time limit would end.")  # fmt: skip
@record_options
@home_option
@quiet_option
@json_option
@click.pass_context
def replay(
    ctx: click.Context, asked: Asked, record: str, site: str | None, policy: tuple[str, ...], last_s: float | None,
    tier: str, slack_h: float, home: Path | None, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """What other policies would have done with jobs that really ran: waits, energy, CO2, idle GPUs.

    The same jobs on the same machines: as they were recorded; in the twin, first come, first served with backfill; in
    the twin under the park's policy. From a park's own journal they have the tiers, deadlines and power plans that they
    had; how well the present policy's play meets the starts that really were is told. From Slurm the middle column
    shows how far the twin is from the cluster: it knows no reservations, limits, outages nor partitions.

    \b
    park twin replay --from journal --last 30d
    park twin replay --from journal --policy park,hard-cut,mine.toml --json
    park twin replay --from slurm
    park twin replay --from jobs.txt --nodes nodes.txt --days 7 --site eureka-park --tier flex --slack 12
    """
    with server_part("twin replay"):
        if last_s is not None:
            asked = replace(asked, days=last_s / DAY_S)
        with Line(quiet=quiet or as_json) as line:

            def told_play(side: str, frac: float) -> None:
                line.show(side, lambda: _("playing {side}: {percent}", side=_head(side), percent=f"{frac:.0%}"))

            if record == JOURNAL:
                _check_journal(ctx)
                line.show("read", lambda: _("reading the journal"))
                found = _of_journal(asked, site, policy, home, told_play)
            else:
                found = _of_slurm(asked, record, site, policy, tier, slack_h, line, told_play)
    if as_json:
        print_json(found)
    else:
        print_replay(found)


def _check_journal(ctx: click.Context) -> None:
    """What only Slurm's records need is not quietly ignored."""
    given = [name for name in OF_SLURM if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        option = "--slack" if given[0] == "slack_h" else f"--{given[0].replace('_', '-')}"
        raise BadInput(f"{option} says nothing to a journal.", fix="Leave it out.", field=given[0], code="usage")


def _of_slurm(
    asked: Asked, record: str, site: str | None, policy: tuple[str, ...], tier: str, slack_h: float, line: Line,
    told_play: Any,
) -> dict[str, Any]:  # fmt: skip
    from eureka_park.cli.site import machine_facts
    from eureka_park.control.of_site import policy_of
    from eureka_park.foundation.site_reading import load_site
    from eureka_park.foundation.wire.engine import Capability
    from eureka_park.twin.slurm_replay import ReplayRequest
    from eureka_park.twin.slurm_replay import replay as played

    found_site = load_site(site, machine_facts()) if site else None
    base = found_site or load_site(DEFAULT_SITE)
    source = source_of(asked, None if record == SLURM else Path(record))

    def told(n: int) -> None:
        line.show("read", lambda: _("reading {name}: {n} lines", name=source.name, n=f"{n:,}"))

    policies = tuple(_column(name, plays, under) for name, plays, under in _policies(policy, base))
    return played(ReplayRequest(
        source, power_of(asked, found_site), time.time(), policy_of(base, frozenset(Capability)), found_site, tier,
        slack_h, policies=policies, told=told, told_play=told_play,
    ))  # fmt: skip


def _column(name: str, plays: str, under: Site | None) -> ReplayPolicy:
    """A column of a Slurm record; `under`: the site with another policy file laid over it."""
    from eureka_park.control.of_site import policy_of
    from eureka_park.foundation.wire.engine import Capability
    from eureka_park.twin.slurm_replay import ReplayPolicy

    return ReplayPolicy(name, plays, policy_of(under, frozenset(Capability)) if under else None, under)


def _policies(given: tuple[str, ...], base: Site) -> list[tuple[str, str, Site | None]]:
    """Each policy that is asked for: its name, who plays, and the site under a policy file. Raises BadInput."""
    from eureka_park.foundation.policy_file import policy_file_text, read_policy
    from eureka_park.twin.sweep_grid import POLICIES, check_policy

    words = [word.strip() for text in given for word in text.split(",")] or ["fcfs-easy", "park"]
    found: list[tuple[str, str, Site | None]] = []
    for word in dict.fromkeys(words):
        check_policy(word)
        if word in POLICIES:
            found.append((word, word, None))
            continue
        path = Path(word)
        found.append((path.stem, "park", read_policy(policy_file_text(path), path.name).over(base, path.name)))
    return found


def _of_journal(
    asked: Asked, site_name: str | None, policy: tuple[str, ...], home: Path | None, told_play: Any
) -> dict[str, Any]:
    from eureka_park.bootstrap import open_park
    from eureka_park.cli.policy_commands import existing_home
    from eureka_park.cli.recorded import last_s, recorded_of, side_of, sites_of
    from eureka_park.twin.journal_replay import JournalPolicy, JournalRequest, planned_again, replay_journal

    park = open_park(existing_home(home).folder)
    try:
        now_site, base = sites_of(park, site_name)
        chosen = _policies(policy, base)
        now, to_s = side_of(park, now_site), last_s(park)
        recorded = recorded_of(park, to_s - asked.days * DAY_S, to_s, now_site if site_name is not None else None)
        policies = tuple(
            JournalPolicy(name, plays, side_of(park, under) if under is not None else now)
            for name, plays, under in chosen
        )
        recorded, n_again = planned_again(recorded, park.site, park.facts.seed)
        return replay_journal(JournalRequest(recorded, now, policies, power_of(asked, now_site), n_again, told_play))
    finally:
        park.close()


def _head(name: str) -> str:
    return _(HEADS[name]) if name in HEADS else clean(name)


def print_replay(found: dict[str, Any]) -> None:
    """The columns, for a terminal."""
    is_journal = found["source"] == JOURNAL
    if is_journal:
        click.echo(
            _("{name}, {span}: {n} jobs of this park played again.", name=clean(found["site"]), span=span_text(found),
              n=f"{found['n_jobs']:,}")
        )  # fmt: skip
    else:
        click.echo(
            _("{name}, {span}: {n} jobs played again as {tier}, on {power}.", name=clean(found["source"]),
              span=span_text(found), n=f"{found['n_jobs']:,}", tier=found["tier"],
              power=clean(found["site"]) if found["site"] else _("a grid without limit"))
        )  # fmt: skip
    console().print(_sides(found["sides"]))
    if found["left_out"]:
        told = ", ".join(f"{_(LEFT[name])} {n:,}" for name, n in found["left_out"].items())
        click.echo(_("jobs that count otherwise or not: {what}", what=told))
    for line in _of_the_journal(found) if is_journal else ():
        click.echo(line)
    for line in (
        _("The twin decides every {tick}: a job that finds room waits half of that on average.",
          tick=wait_text(found["tick_s"])),
        _("Energy is modelled from the power of each job, the same in all columns; free machines are left out.")
        if is_journal else _("Energy is modelled by kind of GPU, the same in all columns; free GPUs are left out."),
        _("Carbon: {g} g/kWh, {source}.", g=f"{found['assumed']['gco2_per_kwh']:,.0f}",
          source=clean(found["assumed"]["gco2_source"])),
    ):  # fmt: skip
        click.echo(line)
    if not found["site"]:
        click.echo(_("Nothing binds the jobs to sun and wind here: --site names a park whose sky does."))


def _of_the_journal(found: dict[str, Any]) -> list[str]:
    """How far the columns can be believed."""
    from eureka_park.cli.policy_diff import remarks

    n_again = found["n_hours_planned_again"]
    again = count(
        "For one hour no power plan is kept any more: one was made again from the same weather, for a full site.",
        "For {n} hours no power plan is kept any more: they were made again from the same weather, for a full site.",
        n_again,
    )
    return [*remarks(found), *([again] if n_again else [])]


def _sides(sides: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in sides:
        table.add_column(_head(name), justify="right")
    every = list(sides.values())
    has_gpus = "idle_while_waiting_cpu_h" not in every[0]
    by_hours = _("mean wait by GPU hours") if has_gpus else _("mean wait by CPU hours")
    idle = _("GPU hours free while as many were waited for") if has_gpus else _(
        "CPU hours free while as many were waited for")  # fmt: skip
    idle_name = "idle_while_waiting_gpu_h" if has_gpus else "idle_while_waiting_cpu_h"
    rows = (
        (_("wait, half of the jobs at most"), [wait_text(one["wait_s"]["p50"]) for one in every]),
        (_("wait, 95 % at most"), [wait_text(one["wait_s"]["p95"]) for one in every]),
        (_("mean wait"), [wait_text(one["wait_s"]["mean"]) for one in every]),
        (by_hours, [wait_text(one["wait_s_by_gpu_h"]["mean"]) for one in every]),
        (idle, [f"{one[idle_name]:,.0f}" for one in every]),
        (_("energy"), [energy_text(one["kwh"]) for one in every]),
        (_("of it clean"), [f"{one['clean_kwh'] / one['kwh']:.0%}" if one["kwh"] else "-" for one in every]),
        (_("CO2"), [mass_text(one["gco2_kg"]) for one in every]),
        (_("pauses"), [f"{one['n_pauses']:,}" for one in every]),
        (_("not started by the end"), [f"{one['n_never_started']:,}" for one in every]),
    )
    for head, cells in rows:
        table.add_row(head, *cells)
    return table
