"""`park submit`: a script, a job file, or a command after `--`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.output import JOB, json_option, park, print_items, print_json, quiet_option, say
from eureka_park.cli.progress import Line, show_sent
from eureka_park.cli.words import _
from eureka_park.client.views import CLASSES, TIERS
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.client.batch_file import BatchJob
    from eureka_park.client.job_file import JobFile

_AFTER_DASHES = "eureka_park.after_dashes"


class SubmitCommand(click.Command):
    """A command that keeps what stands after `--` apart: the words of another program are not ours to read."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split at the first `--`."""
        if "--" in args:
            at = args.index("--")
            ctx.meta[_AFTER_DASHES] = tuple(args[at + 1 :])
            args = args[:at]
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            text = _(
                "no such option {option}. What belongs to the script goes after '--': park submit SCRIPT -- {option} "
                "See: {where}",
                option=error.option_name,
                where=f"{ctx.command_path} --help",
            )
            raise click.UsageError(text, ctx=ctx) from None


@click.command(cls=SubmitCommand)
@click.argument("words", nargs=-1, metavar="SCRIPT|JOB.toml [ARGS] | -- COMMAND ...")
@click.option("--cpus", type=float, metavar="N", help="CPU cores, also a part of one (default 1).")
@click.option("--gpus", metavar="N", help="GPUs (default 0); more than a machine has make a gang of whole machines.")
@click.option("--gpu-type", metavar="TYPE", help="The type of GPU, such as H100 (default: any).")
@click.option("--nodes", metavar="N", help="A gang of so many whole machines, GPUs or not.")
@click.option("--min-gpus", metavar="N", help="A gang with checkpoints may shrink to so many GPUs.")
@click.option("--min-nodes", metavar="N", help="A gang with checkpoints may shrink to so many machines.")
@click.option("--memory", metavar="SIZE", help="Memory: 512MiB, 2GiB (default 1GiB).")
@click.option("--time", metavar="DURATION", help="Longest run time: 90s, 15m, 2h, 3d (default 1h).")
@click.option(
    "--tier", type=click.Choice(TIERS), help="firm: never held by the sky; flex: in time; green: on sun, wind, salt."
)
@click.option("--by", metavar="WHEN", help="Deadline: 2h from now, or 2026-11-22T18:00:00Z.")
@click.option("--class", "class_", type=click.Choice(CLASSES), help="Class of the job (default batch).")
@click.option("--array", metavar="N", help="Run N tasks of the same job.")
@click.option("--after", multiple=True, type=JOB, metavar="JOB", help="Start only when this job has finished (repeat).")
@click.option("--checkpoint/--no-checkpoint", default=None, help="The job saves itself on SIGTERM and can go on later.")
@click.option("--env", multiple=True, metavar="K=V", help="A variable of its environment (repeat).")
@click.option("--name", metavar="TEXT", help="A name for people.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path),
    help="Send this folder along (.gitignore honoured, at most 512 MiB).",
)
@click.option("--project", metavar="ID", help="The project that it belongs to (default welcome).")
@click.option(
    "--with",
    "dependencies",
    multiple=True,
    metavar="REQUIREMENT",
    help="A Python package that it needs: 'numpy>=2' (repeat).",
)
@click.option("--python", "requires_python", metavar="RANGE", help="Versions of Python that it runs on: '>=3.11'.")
@click.option("--priority", type=int, metavar="N", help="Order within the project; higher goes first (default 0).")
@click.option("--kw", type=float, metavar="KW", help="IT power of the whole job (default: what its machines draw).")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="DATA",
    help="Data to read: park://datasets/PROJECT/NAME@REVISION[/PATH][:MOUNT] (repeat).",
)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="REPOSITORY",
    help="Commit its files at the end: models/PROJECT/NAME[:FOLDER] (repeat).",
)
@click.option("--output-always", is_flag=True, default=None, help="Commit its outputs when it has failed too.")
@click.option("--wait", "waits", is_flag=True, help="Wait for the end and exit as 'park wait' does.")
@quiet_option
@json_option
@click.pass_context
def submit(
    ctx: click.Context,
    /,
    words: tuple[str, ...],
    folder: Path | None,
    waits: bool,
    quiet: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Submit a script, a job file or a command, and print the job's id. A file with several jobs sends them all.

    A .py script runs with the packages of its PEP 723 header, a .sh script with sh, anything else must be executable.
    The script travels alone unless --dir sends a folder along.

    \b
    park submit train.py --cpus 2 --tier green --by 6h
    park submit train.py --dir . -- --epochs 40
    park submit train.py --input park://datasets/lab/rows@v1 --output models/lab/net
    park submit job.toml --name again
    park submit jobs.toml
    park submit --gpus 1 --memory 16GiB -- python -m mine --fast
    """
    fields, after_dashes = _fields(options), ctx.meta.get(_AFTER_DASHES)
    read = _read(words)
    if isinstance(read, tuple):
        if words[1:] or after_dashes:
            raise click.UsageError(_("a file of several jobs takes no arguments. Write them into the file."))
        _submit_all(read, fields, folder, waits=waits, quiet=quiet, as_json=as_json)
        return
    what, args, fields, sent = _work(words, after_dashes, folder, fields, read)
    here = park()
    with Line(quiet or as_json) as line:
        job = here.submit(what, args=args, folder=sent, told=lambda sent: show_sent(line, sent), **fields)
    if as_json:
        print_json({"job_id": job.id})
    else:
        click.echo(job.id)
        if not waits and not quiet:
            say(_("submitted. Follow it: park logs -f {job}", job=job.id))
    if waits:
        from eureka_park.cli.follow import wait_for

        raise click.exceptions.Exit(wait_for(job.id, None, quiet=quiet, as_json=as_json, prints=False))


def _submit_all(
    jobs: tuple[BatchJob, ...],
    fields: dict[str, Any],
    folder: Path | None,
    *,
    waits: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Send the jobs of one file, and print each id with its key."""
    from eureka_park.cli.submit_batch import send_batch

    with Line(quiet or as_json) as line:
        ids = send_batch(
            jobs, lambda job: _job_file_work(job.file, (), folder, fields), lambda sent: show_sent(line, sent)
        )
    if as_json:
        print_items([{"key": key, "job_id": job_id} for key, job_id in ids.items()])
    else:
        click.echo("\n".join(job_id if quiet else f"{job_id}  {key}" for key, job_id in ids.items()))
    if waits:
        from eureka_park.cli.follow import wait_for

        codes = [wait_for(job_id, None, quiet=quiet, as_json=as_json, prints=False) for job_id in ids.values()]
        raise click.exceptions.Exit(next((code for code in codes if code), 0))


def _read(words: tuple[str, ...]) -> JobFile | tuple[BatchJob, ...] | None:
    """The job file that is named, or the jobs of a file with several; None where none is."""
    if not words or not words[0].lower().endswith(".toml"):
        return None
    from eureka_park.client.batch_file import read_job_or_batch

    return read_job_or_batch(Path(words[0]))


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, under the names of `Park.submit`, checked before a file is read or sent."""
    from eureka_park.client.fields import checked

    given = {
        **options,
        "class": options["class_"],
        "env": _env(options["env"]),
        "after": list(options["after"]) or None,
        "dependencies": list(options["dependencies"]) or None,
        "inputs": list(options["inputs"]) or None,
        "outputs": list(options["outputs"]) or None,
    }
    del given["class_"]
    fields = {key: checked(key, value) for key, value in given.items() if value is not None}
    return _as_arguments(fields)


def _as_arguments(fields: dict[str, Any]) -> dict[str, Any]:
    return {"job_class" if key == "class" else key: value for key, value in fields.items()}


def _env(pairs: tuple[str, ...]) -> dict[str, str] | None:
    for pair in pairs:
        if "=" not in pair:
            raise BadInput(f"--env {pair} has no value.", fix=f"Write --env {pair}=VALUE.", code="bad_env", field="env")
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)} or None


def _work(
    words: tuple[str, ...],
    after_dashes: tuple[str, ...] | None,
    folder: Path | None,
    fields: dict[str, Any],
    file: JobFile | None,
) -> tuple[Any, tuple[str, ...], dict[str, Any], Path | None]:
    """What runs, its arguments, all fields and the folder to send."""
    if not words:
        if not after_dashes:
            raise click.UsageError(_("there is nothing to run. Name a script, a job file, or a command after '--'."))
        return list(after_dashes), (), fields, folder
    args = (*words[1:], *(after_dashes or ()))
    if file is None:
        return Path(words[0]), args, fields, folder
    return _job_file_work(file, args, folder, fields)


def _job_file_work(
    file: JobFile, args: tuple[str, ...], folder: Path | None, fields: dict[str, Any]
) -> tuple[Any, tuple[str, ...], dict[str, Any], Path | None]:
    # Options on the command line stand above the file; variables are joined, the line's own winning.
    written = _as_arguments(file.fields)
    if "env" in written and "env" in fields:
        fields = {**fields, "env": {**written["env"], **fields["env"]}}
    merged = {**written, **fields}
    what = list(file.command) if file.script is None else file.script
    return what, args or file.args, merged, folder or file.folder
