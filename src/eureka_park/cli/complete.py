"""Completion of what only the park knows: ids of jobs, found by id or name, and outputs. Quick or silent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from eureka_park.client import JobView, Park

TIMEOUT_S: Final = 0.8  # a person who pressed Tab waits for no more
SHOWN: Final = 100
_ACTIVE: Final = re.compile(r"[\x00-\x1f\x7f$`;|&<>(){}*?!'\"\\]")  # bash would carry these out: a job chose the names
_ODD: Final = re.compile(r"[^\w./:=@%+-]")


class JobName(click.ParamType[str]):
    """The id of a job; completed by asking the park."""

    name = "job"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Any text: whether there is such a job, the park says."""
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Ids that begin so, else ids of jobs whose name does; newest first."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(job["job_id"], help=_told(job)) for job in matching(_asked(_jobs), incomplete)]


class OutputName(click.ParamType[str]):
    """A path among the outputs of the job that was named before."""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Outputs that begin so."""
        from click.shell_completion import CompletionItem

        job = ctx.params.get("job")
        found = _asked(lambda park: [item["path"] for item in park.outputs(job)]) if job else []
        safe = (path for path in found if not _ACTIVE.search(path))
        return [CompletionItem(path) for path in safe if path.startswith(incomplete)]


class ParkName(click.ParamType[str]):
    """The address of a park that one is logged in to."""

    name = "park"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Addresses that hold the text."""
        from click.shell_completion import CompletionItem

        with suppress(Exception):
            from eureka_park.client.logins import read_logins

            return [CompletionItem(url) for url in ("here", *read_logins().parks) if incomplete in url]
        return []


def matching(jobs: Iterable[JobView], incomplete: str) -> list[JobView]:
    """Jobs whose id begins so; where there are none, those whose name does."""
    every = list(jobs)
    by_id = [job for job in every if job["job_id"].startswith(incomplete)]
    return by_id or [job for job in every if job["name"].startswith(incomplete)]


def quoted(value: str) -> str:
    """A word as PowerShell reads it back: ids of tasks have brackets."""
    return "'" + value.replace("'", "''") + "'" if _ODD.search(value) else value


def _jobs(park: Park) -> list[JobView]:
    return list(park.jobs(limit=SHOWN))


def _asked(question: Any) -> Any:
    with suppress(Exception):  # a completion says nothing rather than something odd
        from eureka_park.client import Park

        with Park(timeout_s=TIMEOUT_S) as park:
            return question(park)
    return []


def _told(job: JobView) -> str:
    from eureka_park.cli.output import clean

    return clean(f"{job['name']} ({job['state']})")  # fish cuts at a comma
