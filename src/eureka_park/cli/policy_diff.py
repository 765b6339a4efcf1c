"""`park policy diff`: a stretch of the park's own past, played under the policy that holds and under a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.energy_options import server_part
from eureka_park.cli.output import clean, console, json_option, print_json, quiet_option
from eureka_park.cli.params import home_option
from eureka_park.cli.policy_commands import existing_home, print_changes, stop_if_wrong
from eureka_park.cli.progress import Line
from eureka_park.cli.recorded import last_s, recorded_of, side_of, sites_of
from eureka_park.cli.times import instant_text
from eureka_park.cli.words import N_, _, count
from eureka_park.foundation.units import duration_text

PLAYS: Final = {"now": N_("playing it under the present policy"), "then": N_("playing it under {file}")}


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--on", "span", default="last-week", show_default=True, metavar="SPAN",
    help="last-week, last-day, or FROM..TO: two dates of the site or two instants, in park time.",
)  # fmt: skip
@click.option(
    "--site", "site_name", default=None, metavar="NAME|FILE",
    help="Play it on the machines and against the policy of another site.",
)  # fmt: skip
@home_option
@quiet_option
@json_option
def diff(file: Path, span: str, site_name: str | None, home: Path | None, quiet: bool, as_json: bool) -> None:
    """Rehearse a policy file on what this park has lived through: who would have waited longer or shorter.

    The jobs that really came, with the run times they really had and the power plans of those days, are played twice,
    under the policy that holds and under the file. Nothing is changed, and a park that runs goes on meanwhile. How well
    the play under the present policy meets the starts that really were is told as well.

    \b
    park policy diff mine.toml
    park policy diff mine.toml --on last-day
    park policy diff mine.toml --on 2026-11-16..2026-11-23 --json
    """
    with server_part("policy diff"):
        from eureka_park.bootstrap import open_park
        from eureka_park.foundation.policy_file import policy_changes, policy_file_text, policy_problems, read_policy
        from eureka_park.foundation.span import span_s
        from eureka_park.twin.rehearsal import rehearse

        text = policy_file_text(file)
        stop_if_wrong(policy_problems(text, file.name), as_json)
        given = read_policy(text, file.name)
        park = open_park(existing_home(home).folder)
        try:
            now_site, base = sites_of(park, site_name)
            then_site = given.over(base, file.name)
            changes = policy_changes(now_site, then_site)
            with Line(quiet=quiet) as line:
                line.show("read", lambda: _("reading the journal"))
                from_s, to_s = span_s(span, last_s(park), park.site.timezone)
                recorded = recorded_of(park, from_s, to_s, now_site if site_name is not None else None)
                found = rehearse(
                    recorded, side_of(park, now_site), side_of(park, then_site),
                    lambda side, frac: line.show(side, lambda: f"{_(PLAYS[side], file=file.name)} {frac:.0%}"),
                )  # fmt: skip
        finally:
            park.close()
    if as_json:
        print_json({"changes": [asdict(change) for change in changes], **found})
        return
    print_changes(changes)
    _print(found)


def _print(found: dict[str, Any]) -> None:
    click.echo(
        _(
            "Played {jobs} jobs of {site}, from {from_at} to {to_at}; machines: {nodes}.",
            jobs=f"{found['n_jobs']:,}", site=clean(found["site"]), from_at=instant_text(found["from_at"]),
            to_at=instant_text(found["to_at"]), nodes=found["n_nodes"],
        )
    )  # fmt: skip
    console().print(_projects(found))
    if found["most_changed"]:
        click.echo(_("Waits that change most:"))
        console().print(_most_changed(found["most_changed"]))
    for line in remarks(found):
        click.echo(line)


def _projects(found: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(_("project"))
    heads = (
        _("jobs"), _("mean wait"), "p95", _("longer"), _("shorter"), _("pauses"), _("deadlines missed"), _("clean"),
    )  # fmt: skip
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    rows = found["projects"] if len(found["projects"]) == 1 else [*found["projects"], {**found["total"], "project": ""}]
    for row in rows:
        table.add_row(clean(row["project"]) or _("all"), *_cells(row))
    return table


def _cells(row: dict[str, Any]) -> list[str]:
    now, then = row["now"], row["then"]

    def both(name: str, text: Any) -> str:
        before, after = text(now[name]), text(then[name])
        return str(before) if before == after else f"{before} -> {after}"

    def part(value: float | None) -> str:
        return "-" if value is None else f"{value:.0%}"

    return [
        f"{row['n_jobs']:,}", both("wait_mean_s", duration_text), both("wait_p95_s", duration_text),
        f"{row['n_longer']:,}", f"{row['n_shorter']:,}", both("n_pauses", "{:,}".format),
        both("n_deadlines_missed", "{:,}".format), both("clean_frac", part),
    ]  # fmt: skip


def _most_changed(jobs: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("job"), _("project"), _("name"), _("tier"), _("submitted"), _("wait"), ""):
        table.add_column(head, no_wrap=True)
    for job in jobs:
        change_s = job["wait_then_s"] - job["wait_now_s"]
        waits = f"{duration_text(job['wait_now_s'])} -> {duration_text(job['wait_then_s'])}"
        change = _("longer") if change_s > 0 else _("shorter")
        names = (clean(job["job_id"]), clean(job["project"]), clean(job["name"]), job["tier"])
        table.add_row(*names, instant_text(job["submitted_at"]), waits, f"{duration_text(abs(change_s))} {change}")
    return table


def remarks(found: dict[str, Any]) -> list[str]:
    """How far a play of a journal can be believed."""
    match, lines = found["match"], []
    if match is not None:
        lines.append(
            _(
                "The play under the present policy starts jobs {mean} from when they really started, on average "
                "(half of them within {half}).",
                mean=duration_text(match["mean_abs_s"]), half=duration_text(match["p50_abs_s"]),
            )
        )  # fmt: skip
    for name, text in _REMARKS:
        if found.get(name):
            lines.append(count(*text, found[name]))
    return lines


_REMARKS: Final = (
    ("n_policy_changes", (
        N_("Policy or shares changed once within that time: the present policy is not all that held."),
        N_("Policy or shares changed {n} times within that time: the present policy is not all that held."),
    )),
    ("n_jobs_before", (
        N_("One job was there before; it stands in the way, its wait is not counted."),
        N_("{n} jobs were there before; they stand in the way, their waits are not counted."),
    )),
    ("n_cancelled_waiting", (
        N_("One job that was cancelled while it waited is left out."),
        N_("{n} jobs that were cancelled while they waited are left out."),
    )),
    ("n_at_declared_time", (
        N_("One job has not ended; it is played at its declared time."),
        N_("{n} jobs have not ended; they are played at their declared time."),
    )),
    ("n_too_large", (
        N_("One job that no machine holds is left out."), N_("{n} jobs that no machine holds are left out."),
    )),
    ("n_closures_not_played", (
        N_("One drained node or window is not played."), N_("{n} drained nodes or windows are not played."),
    )),
    ("n_hours_without_plan", (
        N_("For one hour no power plan is kept: the grid alone is counted then."),
        N_("For {n} hours no power plan is kept: the grid alone is counted then."),
    )),
)  # fmt: skip
