"""`park nodes` and `park reserve`: the machines, and what their operators do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from eureka_park.cli.output import cell, clean, console, json_option, park, print_items, print_json, say
from eureka_park.cli.words import N_, _, count

if TYPE_CHECKING:
    from eureka_park.client.views import NodeView, WindowView

_JOBS_SHOWN: Final = 3
_STATES: Final = {"up": N_("up"), "drained": N_("drained"), "down": N_("down")}
_STYLES: Final = {"up": "green", "drained": "yellow", "down": "bold red"}
_F = TypeVar("_F", bound=Callable[..., Any])


def _time_options(function: _F) -> _F:
    function = click.option(
        "--to", required=True, metavar="WHEN", help="Its end: a duration from now, or an instant of park time."
    )(function)
    return click.option(
        "--from", "from_", default="", metavar="WHEN", help="Its beginning: 2h, or 2026-11-22T18:00:00Z (default: now)."
    )(function)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def nodes(ctx: click.Context, as_json: bool) -> None:
    """List the machines with what is free on each, the jobs there, and the time for which they are closed next.

    An operator drains a machine (it takes no new job, what runs there goes on), lets it take jobs again, or closes some
    for a time that is still to come: jobs that would reach into it then start elsewhere, or later.

    \b
    park nodes
    park nodes drain h100-3 --why "new fans"
    park nodes resume h100-3
    park nodes close h100-3 h100-4 --from 2h --to 6h --why "switch"
    park nodes windows
    park nodes open window-4zr3q...
    """
    if ctx.invoked_subcommand is not None:
        return
    found = park().nodes()
    if as_json:
        print_items(found)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (_("node"), _("class"), _("state"), _("GPUs free"), _("CPUs free")):
        table.add_column(name, no_wrap=True)
    table.add_column(_("jobs"), overflow="fold")
    table.add_column(_("closed"), overflow="fold")
    for node in found:
        table.add_row(*_cells(node))
    console().print(table)


def _cells(node: NodeView) -> tuple[Any, ...]:
    state = _(_STATES.get(node["state"], node["state"])) + (f": {node['why']}" if node["why"] else "")
    gpus = f"{node['free_gpus']}/{node['gpus']}" if node["gpus"] else "-"
    names = [clean(job["name"] or _("(not yours)")) for job in node["jobs"][:_JOBS_SHOWN]]
    more = len(node["jobs"]) - len(names)
    jobs = ", ".join(names) + (f" +{more}" if more > 0 else "")
    closed = _window_text(node["window"]) if node["window"] else ""
    return (
        cell(node["node_id"]),
        cell(node["class"]),
        cell(state, _STYLES.get(node["state"], "")),
        cell(gpus),
        cell(f"{node['free_cpus']:g}/{node['cpus']:g}"),
        cell(jobs),
        cell(closed),
    )


def _window_text(window: WindowView) -> str:
    from eureka_park.cli.times import instant_text

    start, end = instant_text(window["from_at"]), instant_text(window["to_at"])
    if window["project"]:
        text = _("{start} to {end}, kept for {project}", start=start, end=end, project=window["project"])
    elif window.get("is_reserved"):
        text = _("{start} to {end}, reserved", start=start, end=end)
    else:
        text = _("{start} to {end}", start=start, end=end)
    return text + (f": {window['why']}" if window["why"] else "")


@nodes.command()
@click.argument("node")
@click.option("--why", default="", metavar="TEXT", help="One line for other operators.")
@json_option
def drain(node: str, why: str, as_json: bool) -> None:
    """Let a machine take no new job; what runs there goes on to its end.

    \b
    park nodes drain h100-3 --why "new fans"
    """
    found = park().drain_node(node, why)
    if as_json:
        print_json(found)
        return
    click.echo(_("{node} takes no new job.", node=clean(node)))
    if found["jobs"]:
        say(count("{n} job runs on there.", "{n} jobs run on there.", len(found["jobs"])))


@nodes.command()
@click.argument("node")
@json_option
def resume(node: str, as_json: bool) -> None:
    """Let a machine take jobs again.

    \b
    park nodes resume h100-3
    """
    found = park().resume_node(node)
    if as_json:
        print_json(found)
    else:
        click.echo(_("{node} takes jobs again.", node=clean(node)))


@nodes.command()
@click.argument("node", nargs=-1, required=True)
@_time_options
@click.option("--why", default="", metavar="TEXT", help="One line for other operators.")
@json_option
def close(node: tuple[str, ...], from_: str, to: str, why: str, as_json: bool) -> None:
    """Close machines for a time of maintenance. Jobs that would reach into it start elsewhere, or wait for its end.

    \b
    park nodes close h100-3 h100-4 --from 2h --to 6h --why "switch"
    park nodes close h100-3 --to 2026-11-22T18:00:00Z
    """
    _told(park().set_window(list(node), to, from_=from_, why=why), as_json)


@nodes.command(name="open")
@click.argument("window")
@json_option
def open_(window: str, as_json: bool) -> None:
    """Take a closing or a reservation back, by the id that it was told with.

    \b
    park nodes open window-4zr3q...
    """
    found = park().clear_window(window)
    if as_json:
        print_json(found)
    else:
        click.echo(_("{nodes}: open again.", nodes=clean(", ".join(found["nodes"]))))


@nodes.command()
@json_option
def windows(as_json: bool) -> None:
    """List the times for which machines are closed or kept, the next first.

    \b
    park nodes windows
    """
    found = park().windows()
    if as_json:
        print_items(found)
    elif not found:
        say(_("no machine is closed or kept."))
    else:
        for window in found:
            click.echo(_line(window))


@click.command()
@click.argument("node", nargs=-1)
@click.option("--nodes", "n_nodes", type=click.IntRange(1), metavar="N", help="So many machines of one class.")
@_time_options
@click.option("--project", required=True, metavar="ID", help="The project whose jobs may run there then.")
@click.option("--why", default="", metavar="TEXT", help="One line for other operators.")
@json_option
def reserve(
    node: tuple[str, ...], n_nodes: int | None, from_: str, to: str, project: str, why: str, as_json: bool
) -> None:
    """Keep machines for a project for a time, named or so many of one class. Jobs of others start there only if they
    end before it.

    \b
    park reserve --nodes 4 --from 2026-11-22T18:00:00Z --to 2026-11-23T06:00:00Z --project genomes
    park reserve h100-3 h100-4 --from 2h --to 8h --project genomes
    """
    if bool(node) == (n_nodes is not None):
        raise click.UsageError(_("name machines, or say how many with --nodes N."))
    _told(park().set_window(n_nodes or list(node), to, from_=from_, project=project, why=why), as_json)


def _told(window: WindowView, as_json: bool) -> None:
    if as_json:
        print_json(window)
    else:
        click.echo(_line(window))


def _line(window: WindowView) -> str:
    names = clean(", ".join(window["nodes"]))
    return f"{clean(window['window_id'])}  {names}: {clean(_window_text(window))}"
