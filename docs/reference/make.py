"""Writes the generated pages of this folder: `python docs/reference/make.py`. A test compares them with the code."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from eureka_park.cli.lazy import LazyGroup
from eureka_park.cli.main import cli
from eureka_park.foundation.cost_data import cost_reference_markdown
from eureka_park.foundation.plant_reference import plant_reference_markdown
from eureka_park.foundation.site_reference import site_reference_markdown
from eureka_park.web.reference import api_reference_markdown
from eureka_park.web.route_acts import route_matrix_markdown

HERE = Path(__file__).resolve().parent
INTRODUCTION = """# The `park` command

This page is made from the command itself by `python docs/reference/make.py`. In a clone of the repository write
`./park` for `park`. Variables of the environment are in [environment.md](environment.md).

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failure, in one line on standard error |
| 2 | wrong use of the command |
| 125 | the park could not be reached |
| 130 | ended by Ctrl-C; a job that was watched runs on, and `park twin run` keeps what it has played |

`park wait` and `park submit --wait` exit with the job's own code; see [`park wait`](#park-wait). With `--json` a
command prints one JSON document on standard output, and an error as `{"error": {"code", "message", "fix"}}` on standard
error.
"""


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that help shows, with its words, groups before their members."""
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def command_page() -> str:
    """The reference of all commands as Markdown."""
    parts = [INTRODUCTION]
    parts += [_section(path, command) for path, command in commands(cli, "park")]
    return "\n".join(parts)


def pages() -> dict[str, str]:
    """The generated pages by file name."""
    return {
        "api.md": api_reference_markdown(),
        "costs.md": cost_reference_markdown(),
        "cli.md": command_page(),
        "routes.md": route_matrix_markdown(),
        "plants.md": plant_reference_markdown(),
        "site-file.md": site_reference_markdown(),
    }


def _section(path: str, command: click.Command) -> str:
    context = click.Context(command, info_name=path)
    usage = f"{path} {' '.join(command.collect_usage_pieces(context))}".strip()
    lines = [f"## {path}", "", "```", usage, "```", "", *_help(command)]
    rows = [record for param in command.params if (record := param.get_help_record(context)) and record[1]]
    lines += ["| option | meaning |", "| --- | --- |"] if rows else ["It has no options of its own."]
    lines += [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in rows]
    return "\n".join([*lines, ""])


def _help(command: click.Command) -> Iterator[str]:
    """The help text: paragraphs as they are, blocks that click leaves unwrapped as code."""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        is_block = paragraph.startswith("\b")
        text = paragraph.removeprefix("\b").strip("\n")
        yield from ("```", text, "```", "") if is_block else (text, "")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main() -> None:
    """Write the pages beside this file."""
    assert isinstance(cli, LazyGroup)
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{HERE / name}\n")


if __name__ == "__main__":
    main()
