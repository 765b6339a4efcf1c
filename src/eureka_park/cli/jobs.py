"""`park jobs`: the list."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import click

from eureka_park.cli.output import cell, console, json_option, park, print_items, say, state_cell
from eureka_park.cli.show import reason_text
from eureka_park.cli.words import _
from eureka_park.client.views import STATES, TIERS

if TYPE_CHECKING:
    from eureka_park.client import JobView

SHOWN = 50  # the help of --all says so too


@click.command()
@click.option("--state", type=click.Choice(STATES), help="Only jobs in this state.")
@click.option("--tier", type=click.Choice(TIERS), help="Only jobs of this tier.")
@click.option("--project", help="Only jobs of this project.")
@click.option("--all", "all_jobs", is_flag=True, help="All jobs, not only the newest 50.")
@json_option
def jobs(state: str | None, tier: str | None, project: str | None, all_jobs: bool, as_json: bool) -> None:
    """List jobs, newest first, with the first reason of each that waits.

    \b
    park jobs
    park jobs --state queued --tier green
    park jobs --all --json
    """
    here = park()
    found = here.jobs(state=state, tier=tier, project=project, limit=None if all_jobs else SHOWN + 1)
    if all_jobs and as_json:
        print_items(found)
        return
    views = list(found if all_jobs else islice(found, SHOWN + 1))
    more = not all_jobs and len(views) > SHOWN
    views = views if all_jobs else views[:SHOWN]
    if as_json:
        print_items(views)
    elif not views:
        say(_("no jobs. Submit one: park submit -- echo hello"))
    else:
        from eureka_park.cli.times import park_now_s

        _print_table(views, park_now_s(here))
    if more:
        say(_("only the newest {n} are shown; all: park jobs --all", n=SHOWN))


def _print_table(views: list[JobView], now_s: float) -> None:
    from rich.table import Table

    from eureka_park.cli.times import waits_or_ran

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in (_("job"), _("name"), _("tier"), _("state"), _("waits/ran")):
        table.add_column(column, no_wrap=column != _("name"), overflow="fold")
    table.add_column(_("why"), overflow="fold")
    for view in views:
        name = view["name"] if not view.get("n_tasks") else f"{view['name']} (x{view['n_tasks']})"
        job, tier, state = cell(view["job_id"]), cell(view["tier"]), state_cell(view["state"])
        table.add_row(job, cell(name), tier, state, waits_or_ran(view, now_s), cell(first_reason(view)))
    console().print(table)


def first_reason(view: JobView) -> str:
    """The first reason of a job as text, with until when; empty where there is none."""
    reasons = view.get("reasons") or []
    return reason_text(reasons[0]) if reasons else ""
