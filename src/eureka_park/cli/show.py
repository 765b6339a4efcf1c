"""`park show`, `park cancel`: one job looked at, given up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.errors import sentence, told
from eureka_park.cli.output import (
    JOB,
    cell,
    clean,
    console,
    json_option,
    park,
    print_items,
    print_json,
    say,
    state_cell,
)
from eureka_park.cli.words import N_, _, count
from eureka_park.foundation.errors import ParkError

if TYPE_CHECKING:
    from eureka_park.client import JobView, Reason
    from eureka_park.client.views import JobInputView, JobOutputView, PredictedPower

NODES_SHOWN = 8


@click.command()
@click.argument("job", type=JOB)
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
    table.add_row(_("job"), cell(view["job_id"]))
    table.add_row(_("state"), state_cell(view["state"]))
    for name, text in _particulars(view, park_now_s(here)):
        table.add_row(name, cell(text))
    console().print(table)


def _particulars(view: JobView, now_s: float) -> list[tuple[str, str]]:
    from eureka_park.cli.times import instant_text, waits_or_ran
    from eureka_park.foundation.units import duration_text, energy_text

    receipt, energy = view.get("receipt"), ""
    if receipt:
        energy = _(
            "{energy}, {credits} credits, {method}",
            energy=energy_text(receipt["kwh"]),
            credits=f"{receipt['credits']:.4g}",
            method=_(receipt["method"]),
        )
    tasks = ", ".join(f"{count} {_(state)}" for state, count in (view.get("task_states") or {}).items())
    rows: list[tuple[str, object]] = [
        (_("why"), "\n".join(reason_text(reason) for reason in view.get("reasons") or [])),
        (_("name"), view["name"]),
        (_("project"), view["project"]),
        (_("tier, class"), f"{view['tier']}, {view['class']}"),
        (_("command"), shlex.join(view["command"])),
        (_("asks for"), f"{_asked(view)}, {duration_text(view['time_s'])}"),
        (_("predicted power"), power_told(view.get("power"))),
        (_("submitted"), instant_text(view["submitted_at"])),
        (_("started"), instant_text(view["started_at"])),
        (_("ended"), instant_text(view["ended_at"])),
        (_("deadline"), instant_text(view["deadline_at"])),
        (_("time"), waits_or_ran(view, now_s)),
        (_("ended with"), _ending(view)),
        (_("attempt"), _attempt(view)),
        (_("capped to"), _capped(view)),
        (_("checkpoint"), _("yes") if view.get("checkpoint") else ""),
        (_("after"), ", ".join(name or "–" for name in view.get("after") or [])),
        (_("reads"), ", ".join(_input_told(one) for one in view.get("inputs") or [])),
        (_("makes"), ", ".join(_output_told(one, view["job_id"]) for one in view.get("outputs") or [])),
        (_("tasks"), tasks),
        (_("node"), _nodes(view)),
        (_("isolation"), view.get("sandbox_level") or ""),
        (_("detail"), view.get("detail") or ""),
        (_("receipt"), energy),
    ]
    return [
        (name, "\n".join(clean(line) for line in str(text).split("\n"))) for name, text in rows if text not in {"", "-"}
    ]


def _input_told(one: JobInputView) -> str:
    return one["address"] or f"{_('something not visible to you')}:{one['mount']}"


_MAKES: Final = {
    "pending": N_("{name}, when it has finished"),
    "due": N_("{name}, being committed"),
    "waiting": N_("{name}, not committed: {text} {fix}"),
    "committed": N_("{name}@{commit}"),
    "none": N_("{name}, not committed: the job did not finish. Then: park data commit {job}"),
}


def _output_told(one: JobOutputView, job_id: str) -> str:
    names = {"name": one["address"] or _("something not visible to you"), "commit": (one["commit_id"] or "")[:12]}
    return _(_MAKES[one["state"]], **names, text=one["text"], fix=one["fix"], job=job_id)


_POWER_FROM: Final = {
    "table": N_("{power}, by the table of its machines"),
    "declared": N_("{power}, as declared"),
    "meter": N_("{power}, by its own meter"),
}


def power_told(power: PredictedPower | None) -> str:
    """What a job is predicted to draw, and what that rests on; empty where nobody knows."""
    from eureka_park.foundation.units import power_text

    if power is None:
        return ""
    said = power_text(power["predicted_kw"] / 1000.0)
    if power["from"] == "learned" and power["n_jobs"]:
        return count(
            "{power}, learned from {n} job of its name",
            "{power}, learned from {n} jobs of its name",
            power["n_jobs"],
            power=said,
        )
    return _(_POWER_FROM.get(power["from"], "{power}"), power=said)


def _asked(view: JobView) -> str:
    n_nodes = view.get("nodes", 1)
    gpus = f", {view['gpus']} GPUs" if view["gpus"] else ""
    text = f"{view['cpus'] * n_nodes:g} CPUs{gpus}, {view['memory_bytes'] * n_nodes / 2**20:,.0f} MiB"
    return text if n_nodes == 1 else _("{what} on {n} whole machines", what=text, n=n_nodes)


def _nodes(view: JobView) -> str:
    held, n_nodes = view.get("held_nodes") or [], view.get("nodes", 1)
    if not held or n_nodes == 1:
        return view.get("node") or ""
    names = ", ".join(held[:NODES_SHOWN]) + (", …" if len(held) > NODES_SHOWN else "")
    return _("runs on {n} of {all} nodes: {names}", n=len(held), all=n_nodes, names=names)


def _attempt(view: JobView) -> str:
    if not view.get("resume_count"):
        return ""
    return _("{attempt}, resumed {n} times", attempt=view["attempt"], n=view["resume_count"])


def _capped(view: JobView) -> str:
    frac = view.get("cap_frac") or 1.0
    return _("{percent} of its power", percent=f"{frac:.0%}") if frac < 1 else ""


def _ending(view: JobView) -> str:
    if view.get("exit_signal"):
        return _("signal {signal}", signal=view["exit_signal"])
    return _("exit code {code}", code=view["exit_code"]) if view.get("exit_code") is not None else ""


def reason_text(reason: Reason) -> str:
    """A reason as one line, with until when it holds, or from when a place is kept."""
    from eureka_park.cli.times import instant_text

    text, until = clean(sentence(reason["text"])), reason.get("until")
    if not until:
        p50, p90 = (reason["values"].get(name) for name in ("start_p50", "start_p90"))
        if not p50 or not p90:
            return text
        times = {"p50": instant_text(p50), "p90": instant_text(p90)}
        return text + " " + _("(it should start by {p50}, in nine cases of ten by {p90})", **times)
    if reason["code"] in {"room", "reserved"}:
        return text + " " + _("(its place is kept from {time} on)", time=instant_text(until))
    return text + " " + _("(until {time})", time=instant_text(until))


@click.command()
@click.argument("job", nargs=-1, required=True, type=JOB)
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
            click.echo(f"{clean(answer['job_id'])} {_(answer['state'])}")
    for failure in failures:
        say(told(failure))
    if failures:
        raise click.exceptions.Exit(1)
