"""`park show`, `park why`, `park cancel`: one job looked at, asked about, given up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from eureka_park.cli.output import cell, clean, console, json_option, park, print_items, print_json, say, state_cell
from eureka_park.foundation.errors import ParkError

if TYPE_CHECKING:
    from eureka_park.client import JobView, Reason


@click.command()
@click.argument("job")
@json_option
def show(job: str, as_json: bool) -> None:
    """Show one job with all its particulars.

    \b
    park show job-4zr3q...
    park show 'job-4zr3q...[3]'      one task of an array
    """
    here = park()
    view = here.view(job)
    if as_json:
        print_json(view)
        return
    from rich.table import Table

    from eureka_park.cli.times import park_now_s

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("job", cell(view["job_id"]))
    table.add_row("state", state_cell(view["state"]))
    for name, text in _particulars(view, park_now_s(here)):
        table.add_row(name, cell(text))
    console().print(table)


def _particulars(view: JobView, now_s: float) -> list[tuple[str, str]]:
    from eureka_park.cli.times import instant_text, waits_or_ran
    from eureka_park.foundation.units import duration_text, energy_text

    receipt = view.get("receipt")
    rows: list[tuple[str, object]] = [
        ("why", "\n".join(reason_text(reason) for reason in view.get("reasons") or [])),
        ("name", view["name"]),
        ("project", view["project"]),
        ("tier, class", f"{view['tier']}, {view['class']}"),
        ("command", shlex.join(view["command"])),
        ("asks for", f"{_asked(view)}, {duration_text(view['time_s'])}"),
        ("submitted", instant_text(view["submitted_at"])),
        ("started", instant_text(view["started_at"])),
        ("ended", instant_text(view["ended_at"])),
        ("deadline", instant_text(view["deadline_at"])),
        ("time", waits_or_ran(view, now_s)),
        ("ended with", _ending(view)),
        ("attempt", f"{view['attempt']}, resumed {view['resume_count']} times" if view.get("resume_count") else ""),
        ("capped to", f"{view['cap_frac']:.0%} of its power" if (view.get("cap_frac") or 1) < 1 else ""),
        ("checkpoint", "yes" if view.get("checkpoint") else ""),
        ("after", ", ".join(view.get("after") or [])),
        ("tasks", ", ".join(f"{count} {state}" for state, count in (view.get("task_states") or {}).items())),
        ("node", view.get("node") or ""),
        ("isolation", view.get("sandbox_level") or ""),
        ("detail", view.get("detail") or ""),
        (
            "receipt",
            f"{energy_text(receipt['kwh'])}, {receipt['credits']:.4g} credits, {receipt['method']}" if receipt else "",
        ),
    ]
    return [
        (name, "\n".join(clean(line) for line in str(text).split("\n"))) for name, text in rows if text not in {"", "-"}
    ]


def _asked(view: JobView) -> str:
    gpus = f", {view['gpus']} GPUs" if view["gpus"] else ""
    return f"{view['cpus']:g} CPUs{gpus}, {view['memory_bytes'] / 2**20:,.0f} MiB"


def _ending(view: JobView) -> str:
    if view.get("exit_signal"):
        return f"signal {view['exit_signal']}"
    return f"exit code {view['exit_code']}" if view.get("exit_code") is not None else ""


@click.command()
@click.argument("job")
@json_option
def why(job: str, as_json: bool) -> None:
    """Say why a job waits (or was paused, or failed), and until when.

    \b
    park why job-4zr3q...
    """
    here = park()
    answer = here.explain(job)
    if as_json:
        print_json(answer)
        return
    if not answer["reasons"]:
        click.echo(f"{clean(job)} is {answer['state']}; nothing holds it.")
    for reason in answer["reasons"]:
        click.echo(reason_text(reason))


def reason_text(reason: Reason) -> str:
    """A reason as one line, with until when it holds."""
    from eureka_park.cli.times import instant_text

    until = reason.get("until")
    return clean(reason["text"]) + (f" (until {instant_text(until)})" if until else "")


@click.command()
@click.argument("job", nargs=-1, required=True)
@json_option
def cancel(job: tuple[str, ...], as_json: bool) -> None:
    """Cancel one or more jobs; an array's id cancels its tasks.

    \b
    park cancel job-4zr3q...
    """
    here = park()
    done = []
    failures: list[ParkError] = []
    for job_id in job:
        try:
            done.append(here.cancel(job_id))
        except ParkError as error:
            if len(job) == 1:
                raise
            failures.append(error)
    if as_json:
        print_json(done[0]) if len(job) == 1 else print_items(done)
    else:
        for answer in done:
            click.echo(f"{clean(answer['job_id'])} {answer['state']}")
    for failure in failures:
        say(failure.line())
    if failures:
        raise click.exceptions.Exit(1)
