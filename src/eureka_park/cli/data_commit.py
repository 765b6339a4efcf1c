"""`park data commit`: what a job made becomes a version after all."""

from __future__ import annotations

import time

import click

from eureka_park.cli.output import JOB, json_option, park, print_json, quiet_option, say
from eureka_park.cli.words import _

_PATIENCE_S = 30.0
_STEP_S = 0.25


@click.command("commit")
@click.argument("job", type=JOB)
@quiet_option
@json_option
def commit_outputs(job: str, quiet: bool, as_json: bool) -> None:
    """Commit the outputs of a job whose commit failed, or which itself failed. They lie in its folder until then.

    \b
    park data commit job-4zr3q...
    """
    here = park()
    here.data.commit_outputs(job)
    end_s = time.monotonic() + _PATIENCE_S
    outputs = here.view(job).get("outputs", [])
    while any(one["state"] == "due" and not one["text"] for one in outputs) and time.monotonic() < end_s:
        time.sleep(_STEP_S)
        outputs = here.view(job).get("outputs", [])
    if as_json:
        print_json({"job_id": job, "outputs": outputs})
    for one in outputs if not as_json else ():
        name = one["address"] or _("something not visible to you")
        if one["commit_id"]:
            click.echo(f"{name}@{one['commit_id'][:12]}")
        elif one["text"] and not quiet:
            say(_("{name} is not committed: {text} {fix}", name=name, text=one["text"], fix=one["fix"]))
        elif not quiet:
            say(_("{name} is being committed. Follow it: park show {job}", name=name, job=job))
    if any(one["state"] != "committed" for one in outputs):
        raise click.exceptions.Exit(1)
