"""`park get`: outputs brought home."""

from __future__ import annotations

from pathlib import Path

import click

from eureka_park.cli.output import json_option, park, print_items, say


@click.command()
@click.argument("job")
@click.argument("path", required=False)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder to write into (default: this one).",
)
@json_option
def get(job: str, path: str | None, to: Path, as_json: bool) -> None:
    """Bring the outputs of a job home: all, one file, or one folder of them.

    \b
    park get job-4zr3q...
    park get job-4zr3q... model.npz --to results
    """
    written = park().get(job, path, to)
    if as_json:
        print_items({"path": str(target), "size_bytes": target.stat().st_size} for target in written)
        return
    for target in written:
        click.echo(target)
    if not written:
        say(f"{job} has no outputs. A job leaves them in $PARK_OUTPUT_DIR.")
