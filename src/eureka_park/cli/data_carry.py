"""`park data import` and `park data export`: between the park and folders, lists of addresses, other hubs, S3."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.output import clean, json_option, park, print_json, quiet_option
from eureka_park.cli.words import _
from eureka_park.foundation.units import MIB

if TYPE_CHECKING:
    from eureka_park.client.carrying.importing import Progress, Report

endpoint_option = click.option("--endpoint", default="", metavar="URL", help="S3 server (default: AWS_ENDPOINT_URL).")
at_once_option = click.option(
    "--at-once", default=4, type=click.IntRange(1, 16), show_default=True, help="Files at once."
)
model_option = click.option("--model", "is_model", is_flag=True, help="A model; without it a data set.")
report_option = click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the report here.")


@click.command("import")
@click.argument("repository")
@click.argument("source", metavar="FROM")
@click.option("--into", "folder", default="", metavar="FOLDER", help="Folder of the repository to put them into.")
@click.option("-m", "--title", default="", metavar="TEXT", help="What changes, in one line.")
@click.option("--branch", default="main", metavar="BRANCH", help="Branch to commit to (default: main).")
@click.option("--create", is_flag=True, help="Begin the repository if there is none; it is private.")
@click.option("--skip-errors", is_flag=True, help="Commit what came well; without it one failure stops the commit.")
@click.option("--fresh", is_flag=True, help="Forget what an earlier try found out.")
@endpoint_option
@at_once_option
@report_option
@model_option
@quiet_option
@json_option
def import_data(
    repository: str,
    source: str,
    folder: str,
    title: str,
    branch: str,
    create: bool,
    skip_errors: bool,
    fresh: bool,
    endpoint: str,
    at_once: int,
    report: Path | None,
    is_model: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Bring files from elsewhere into a repository, as one commit. It runs here: the park itself fetches nothing.

    FROM is a folder (one with manifest-sha256.txt is compared with it), a list of addresses (text, or CSV with url,
    path and sha256), one address, hub://HOST/ORG/NAME@REVISION (token: HF_TOKEN), or s3://BUCKET/PREFIX. What the
    project holds is not sent; run again, it goes on where it broke off.

    \b
    park data import lab/dunes measurements --create
    park data import lab/dunes files.csv --into raw
    park data import lab/dunes hub://huggingface.co/org/dunes@v1 --create
    park data import lab/dunes s3://bucket/dunes --endpoint https://s3.example.org
    """
    from eureka_park.client.carrying.importing import Importing, Target
    from eureka_park.client.carrying.journal import Journal, work_folder
    from eureka_park.client.carrying.places import source_of
    from eureka_park.client.data import RepositoryName
    from eureka_park.foundation.errors import Conflict, ParkError

    here, of = park(), RepositoryName.of(repository, "model" if is_model else "dataset")
    place = source_of(source, of.kind, endpoint)
    if create:
        with suppress(Conflict):  # it is there
            here.data.new_repository(of)
    known_as = str(Path(source).resolve()) if Path(source).exists() else source
    work = work_folder(here.url, of.path, branch, folder, known_as)
    if fresh:
        Journal(work).end()
    with Journal(work) as journal, _Shown(quiet or as_json) as show:
        importing = Importing(
            here.data,
            Target(of, folder, branch, title),
            journal,
            at_once=at_once,
            told=lambda: show(importing.progress),
        )
        try:
            done = importing.run(place, skips_errors=skip_errors)
        except ParkError:
            _write(report, importing.report)
            raise
    journal.end()
    _write(report, done)
    _say(done, as_json)


@click.command("export")
@click.argument("repository", metavar="REPOSITORY[@REVISION]")
@click.argument("goal", metavar="TO")
@click.option("-m", "--title", default="", metavar="TEXT", help="The commit's title, at another hub.")
@endpoint_option
@at_once_option
@report_option
@model_option
@quiet_option
@json_option
def export_data(
    repository: str,
    goal: str,
    title: str,
    endpoint: str,
    at_once: int,
    report: Path | None,
    is_model: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Bring a version elsewhere, with its hashes. Run again, it goes on where it broke off.

    TO is a folder (it becomes a bag: files below data, manifest-sha256.txt beside it, which import compares),
    s3://BUCKET/PREFIX, or hub://HOST/ORG/NAME@BRANCH (token: HF_TOKEN; needs huggingface_hub).

    \b
    park data export lab/dunes@v1 dunes-v1
    park data export lab/dunes s3://bucket/dunes --endpoint https://s3.example.org
    park data export lab/dunes hub://huggingface.co/org/dunes
    """
    from eureka_park.client.carrying.exporting import Exporting
    from eureka_park.client.carrying.journal import Journal, work_folder
    from eureka_park.client.carrying.places import goal_of
    from eureka_park.client.data import RepositoryName
    from eureka_park.foundation.errors import ParkError

    name, _at, revision = repository.partition("@")
    here, of = park(), RepositoryName.of(name, "model" if is_model else "dataset")
    is_folder = "://" not in goal
    work = work_folder(here.url, of.path, "export", str(Path(goal).resolve()) if is_folder else goal)
    with Journal(work) as journal, _Shown(quiet or as_json) as show:
        exporting = Exporting(here.data, of, revision or "main", at_once=at_once, told=lambda: show(exporting.progress))
        words = title or f"Copy {name}@{exporting.commit_id[:12]}"
        try:
            done = exporting.run(goal_of(goal, of, journal, endpoint=endpoint, title=words))
        except ParkError:
            _write(report, exporting.report)
            raise
    journal.end()
    _write(report, done)
    _say(done, as_json)


def _write(file: Path | None, report: Report) -> None:
    if file is not None:
        file.write_text(json.dumps(report.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _say(done: Report, as_json: bool) -> None:
    if as_json:
        print_json(done.to_json())
        return
    for one in done.errors:
        click.echo(f"! {clean(one['path'])}: {clean(one['message'])}", err=True)
    size = f"{done.progress.sent_bytes / MIB:.1f}"
    n, sent, same = done.progress.n_seen, done.progress.n_sent, done.n_unchanged
    click.echo(_("{n} files, {sent} sent ({size} MiB), {same} unchanged.", n=n, sent=sent, size=size, same=same))
    for commit in done.commits:
        click.echo(_("{commit}  {title}", commit=commit["commit_id"][:12], title=clean(commit["title"])))


class _Shown:
    """One line beside the output that says how far it is."""

    def __init__(self, quiet: bool) -> None:
        from eureka_park.cli.progress import Line

        self._line = Line(quiet)

    def __enter__(self) -> Any:
        self._line.__enter__()
        return self.show

    def __exit__(self, *told: Any) -> None:
        self._line.__exit__(*told)

    def show(self, progress: Progress) -> None:
        """Tell how far it is."""
        self._line.show("carrying", lambda: _progress_line(progress))


def _progress_line(progress: Progress) -> str:
    size = f"{progress.sent_bytes / MIB:.1f}"
    return _("{done} of {n} files, {size} MiB sent", done=progress.n_done, n=progress.n_seen, size=size)
