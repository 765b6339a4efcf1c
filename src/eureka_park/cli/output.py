"""What commands share: one JSON document or a page for people on stdout, everything said on the side on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from eureka_park.cli.complete import JobName
from eureka_park.cli.words import N_, _

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from eureka_park.client import Park

STATE_STYLES: Final = {
    "queued": "yellow", "starting": "cyan", "running": "bold green", "pausing": "magenta",
    "paused": "magenta", "frozen": "blue",
    "finished": "green", "failed": "bold red", "cancelled": "dim", "lost": "bold red",
}  # fmt: skip
SOURCE_STYLES: Final = {
    "noor-i": "yellow", "noor-ii": "bright_yellow", "noor-iii": "red", "noor-iv": "magenta",
    "koudia": "cyan", "grid": "bright_black",
}  # fmt: skip
JOB: Final = JobName()
STATE_WORDS: Final = (
    N_("queued"), N_("starting"), N_("running"), N_("pausing"), N_("paused"), N_("frozen"),
    N_("finished"), N_("failed"), N_("cancelled"), N_("lost"), N_("measured"), N_("modelled"),
)  # fmt: skip
FRENCH_SPACES: Final = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
PIPE_WIDTH: Final = 160  # wide enough that no id or reason is cut when a program reads the table


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--json`, the same everywhere."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def quiet_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--quiet`, the same everywhere."""
    return click.option("-q", "--quiet", is_flag=True, help="Say nothing beside the output.")(command)


def park() -> Park:
    """The park that is named by the environment or runs on this machine."""
    from eureka_park.client import Park

    found = Park()
    if (ctx := click.get_current_context(silent=True)) is not None:
        ctx.call_on_close(found.close)
    return found


def print_json(value: Any) -> None:
    """Exactly one JSON document on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_items(items: Iterable[Any], next_: str | None = None) -> None:
    """A list as the API writes lists."""
    print_json({"items": list(items), "next": next_})


def say(text: str) -> None:
    """One line beside the output."""
    click.echo(f"park: {text}", err=True)


def console() -> Console:
    """A rich console on stdout; colours only on a terminal without NO_COLOR."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    width = None if is_terminal or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False, soft_wrap=False)


def clean(text: object) -> str:
    """Text from elsewhere without control characters: a job's name must not steer a terminal. French spaces stay."""
    return "".join(
        mark if mark.isprintable() or mark in FRENCH_SPACES else "\N{REPLACEMENT CHARACTER}" for mark in str(text)
    )


def cell(text: object, style: str = "") -> Text:
    """Text from elsewhere as a cell of a table: no control characters, no markup."""
    from rich.text import Text

    return Text(clean(text), style=style)


def state_cell(state: str) -> Text:
    """A state in its colour."""
    return cell(_(state), STATE_STYLES.get(state, ""))


def print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table for people: bold heads, no lines, long words folded."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(cell, row))
    console().print(table)
