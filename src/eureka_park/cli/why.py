"""`park why`: why a job is as it is, until when, what was promised to it, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import click

from eureka_park.cli.errors import sentence
from eureka_park.cli.output import JOB, clean, json_option, park, print_json
from eureka_park.cli.show import power_told, reason_text
from eureka_park.cli.words import N_, _, count

if TYPE_CHECKING:
    from eureka_park.client.views import Why

_INDENT: Final = "  "
_CAUSES: Final = {
    "room": N_("no node was free"),
    "reserved": N_("jobs before it held its place"),
    "window": N_("its nodes were closed"),
    "clean_power": N_("too little sun, wind and salt"),
    "firm_power": N_("no firm power was left"),
    "site_power": N_("plants and grid gave too little"),
    "better_hour": N_("it waited for a better hour"),
}


@click.command()
@click.argument("job", type=JOB)
@json_option
def why(job: str, as_json: bool) -> None:
    """Say why a job waits (or was paused, or failed), until when, and what would change it.

    Where it matters, its place in line stands there too, what its project has used of the park and what is due to it,
    from when a place is kept for it, and whether that promise was kept.

    \b
    park why job-4zr3q...
    park why job-4zr3q... --json
    """
    here = park()
    answer = here.explain(job)
    if as_json:
        print_json(answer)
        return
    if not answer["reasons"]:
        click.echo(_("{job} is {state}; nothing holds it.", job=clean(job), state=_(answer["state"])))
    for reason in answer["reasons"]:
        click.echo(reason_text(reason))
    for line in _more(answer):
        click.echo(_INDENT + clean(line))
    for index, advice in enumerate(answer.get("advice") or []):
        if index == 0:
            click.echo(_("What would change it:"))
        click.echo(f"{_INDENT}- {clean(sentence(advice))}")


def _more(answer: Why) -> Iterator[str]:
    """What stands behind the reasons, line by line; what a reason has told already is left out."""
    from eureka_park.cli.times import instant_text
    from eureka_park.foundation.units import duration_text

    codes = {reason["code"] for reason in answer["reasons"]}
    if (line := answer.get("line")) and "behind" not in codes and "next" not in codes:
        if line["n_ahead"]:
            yield count(
                "{n} job stands before it in its line.",
                "{n} jobs stand before it in its line.",
                line["n_ahead"],
            )
        else:
            yield _("No other job stands before it in its line.")
    told = any("used_frac" in reason["values"] for reason in answer["reasons"])
    if (share := answer.get("share")) and not told:
        used, due = f"{share['used_frac']:.2f}", f"{share['due_frac']:.2f}"
        yield _(
            "Project {project} has used {used} of the park lately; {due} is due to it.",
            project=share["project"],
            used=used,
            due=due,
        )
    if promise := answer.get("promise"):
        at = instant_text(promise["promised_at"])
        if promise["cause"] is None:
            yield _("A start at {time} was promised to it.", time=at)
        else:
            late = duration_text(promise["late_s"])
            yield _(
                "A start at {time} was promised to it; it is {late} late: {cause}.",
                time=at,
                late=late,
                cause=_(_CAUSES.get(promise["cause"], promise["cause"])),
            )
        if told_at := promise.get("told_at"):
            yield _("That was promised at {time}.", time=instant_text(told_at))
    if power := power_told(answer.get("power")):
        yield _("Predicted power: {power}.", power=power)
    if (estimate := answer.get("estimate")) and answer["reasons"][0].get("until"):  # else its reason has told it
        yield _(
            "It should start by {p50}, in nine cases of ten by {p90}.",
            p50=instant_text(estimate["p50_at"]),
            p90=instant_text(estimate["p90_at"]),
        )
