"""`park get`: outputs brought home."""

from __future__ import annotations

from pathlib import Path

import click

from eureka_park.cli.complete import OutputName
from eureka_park.cli.output import JOB, json_option, park, print_items, quiet_option, say
from eureka_park.cli.progress import Line, got_line
from eureka_park.cli.words import _


@click.command()
@click.argument("job", type=JOB)
@click.argument("path", required=False, type=OutputName())
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder to write into (default: this one).",
)
@quiet_option
@json_option
def get(job: str, path: str | None, to: Path, quiet: bool, as_json: bool) -> None:
    """Bring the outputs of a job home: all, one file, or one folder of them.

    \b
    park get job-4zr3q...
    park get job-4zr3q... model.npz --to results
    """
    here = park()
    with Line(quiet or as_json) as line:
        written = here.get(job, path, to, told=lambda *got: line.show("getting", lambda: got_line(*got)))
    if as_json:
        print_items({"path": str(target), "size_bytes": target.stat().st_size} for target in written)
        return
    for target in written:
        click.echo(target)
    if not written and not quiet:
        say(_("{job} has no outputs. A job leaves them in $PARK_OUTPUT_DIR.", job=job))
