"""Help in the person's language: copies of commands whose texts are translated, one paragraph at a time."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Sequence

import click

from eureka_park.cli.words import _, language


def spoken(command: click.Command, see: Sequence[str] = ()) -> click.Command:
    """A copy of a command that speaks the person's language and names its neighbours at the end of its help."""
    said = copy.copy(command)
    if see:
        said.epilog = _("See also: {commands}", commands=", ".join(f"park {name}" for name in see))
    if language() == "en":
        return said
    said.help = "\n\n".join(_paragraph(part) for part in paragraphs(command.help))
    said.params = [_param(param) for param in command.params]
    said._help_option = None  # made anew, in the words of now
    if isinstance(said, click.Group):
        said.commands = {name: spoken(item) for name, item in said.commands.items()}
    return said


def paragraphs(text: str | None) -> Iterator[str]:
    """The paragraphs of a help text as they are translated: prose on one line, blocks after `\\b` as they stand."""
    for part in inspect.cleandoc(text or "").split("\n\n"):
        if part.startswith("\b"):
            yield part
        elif part.strip():
            yield " ".join(part.split())


def _paragraph(part: str) -> str:
    if not part.startswith("\b\n"):
        return _(part)
    return "\b\n" + _(part.removeprefix("\b\n"))


def _param(param: click.Parameter) -> click.Parameter:
    if not isinstance(param, click.Option) or not param.help:
        return param
    said = copy.copy(param)
    said.help = _(" ".join(param.help.split()))
    return said
