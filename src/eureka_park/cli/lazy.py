"""A group whose commands are imported when they are used; here errors become lines and exit codes."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click

from eureka_park.cli.spoken import spoken
from eureka_park.cli.words import _, let_click_speak
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OK: Final = 0
FAILURE: Final = 1
USAGE: Final = 2
NOT_REACHABLE: Final = 125
INTERRUPTED: Final = 130
NOT_REACHABLE_CODES: Final = frozenset({"no_park", "not_reachable", "connection_lost"})
SERVER_FIX: Final = "Install it: pip install 'eureka-park[server]'"


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives (`module:attribute`), its line in the help, whether it needs the server part, its like."""

    where: str
    short_help: str
    is_server: bool = False
    hidden: bool = False
    see: tuple[str, ...] = ()


class LazyGroup(click.Group):
    """Commands by name, imported one at a time: a part that is missing breaks itself alone."""

    def __init__(self, *args: Any, lazy: dict[str, Lazy] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.lazy = lazy or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return [*(name for name, entry in self.lazy.items() if not entry.hidden), *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        entry = self.lazy.get(cmd_name)
        return super().get_command(ctx, cmd_name) if entry is None else load(_words(ctx, cmd_name), entry)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest command named for a wrong word."""
        if (
            args
            and not ctx.resilient_parsing  # a completion asks about half a command
            and not args[0].startswith("-")
            and args[0] not in self.lazy
            and super().get_command(ctx, args[0]) is None
        ):
            from eureka_park.client.fields import nearest

            near = nearest(args[0], self.lazy)
            fix = (
                _("Did you mean '{near}'?", near=near)
                if near
                else _("See: {where}", where=f"park {_words(ctx, '--help')}")
            )
            raise click.UsageError(_("there is no command '{word}'.", word=args[0]) + f" {fix}", ctx=ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands from the table alone, so that a completion imports none of them."""
        from click.shell_completion import CompletionItem

        rows = [(name, entry) for name, entry in self.lazy.items() if name.startswith(incomplete) and not entry.hidden]
        named = [CompletionItem(name, help=_(entry.short_help)) for name, entry in rows]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands from the table alone, so that help imports nothing."""
        rows = [(name, _(entry.short_help)) for name, entry in self.lazy.items() if not entry.hidden]
        with formatter.section(_("Commands")):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; when the reader of its output has left (park jobs | head), end without a word."""
        try:
            value = super().invoke(ctx)
            sys.stdout.flush()
            return value
        except OSError as error:
            if not (isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == errno.EINVAL)):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what is still buffered goes there at exit
            ctx.exit(FAILURE)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run, and end the process with the exit code of the contract; errors are one line on stderr."""
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        let_click_speak()
        if "_PARK_COMPLETE" in os.environ:
            _complete(self)
        try:
            code = super(LazyGroup, spoken(self)).main(args=words, prog_name=prog_name or "park", **extra)  # type: ignore[misc]
        except Exception as error:
            sys.exit(report(error, as_json=wants_json(words)))
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        sys.exit(code if isinstance(code, int) else OK)


def _words(ctx: click.Context, last: str) -> str:
    """A command with the groups around it, as one types them after `park`."""
    words = [last]
    while ctx.parent is not None:
        words.insert(0, str(ctx.info_name))
        ctx = ctx.parent
    return " ".join(words)


def _complete(group: LazyGroup) -> NoReturn:
    """Answer a shell; whatever goes wrong, a person who pressed Tab sees nothing of it."""
    from eureka_park.cli import powershell  # noqa: F401  (makes PowerShell known to click)

    try:
        super(LazyGroup, group).main(args=[], prog_name="park")
    except Exception:
        sys.exit(FAILURE)


def wants_json(words: Sequence[str]) -> bool:
    """Whether `--json` stands among the park's own words (before `--`)."""
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own


def report(error: Exception, *, as_json: bool) -> int:
    """Say an error on stderr, as one line or in the one JSON form; the exit code for it. Defects are raised again."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return USAGE
    if isinstance(error, click.UsageError):
        _say(BadInput(usage_text(error), code="usage"), as_json)
        return USAGE
    if isinstance(error, click.ClickException):
        _say(ParkError(error.format_message(), code="failure"), as_json)
        return FAILURE
    if isinstance(error, ParkError):
        _say(error, as_json)
        return NOT_REACHABLE if error.code in NOT_REACHABLE_CODES else FAILURE
    raise error


def usage_text(error: click.UsageError) -> str:
    """One line for a wrong use of a command, with where to read more."""
    where = error.ctx.command_path if error.ctx is not None else "park"
    text = error.format_message().replace("\n", " ").strip()
    is_told = "--help" in text or _("Did you mean '{near}'?").partition("'")[0] in text
    return text if is_told else f"{text} " + _("See: {where}", where=f"{where} --help")


def load(name: str, entry: Lazy) -> click.Command:
    """Import a command. Raises Unavailable in one line where its part is not installed or cannot run here."""
    if entry.is_server and not sys.platform.startswith("linux"):
        raise Unavailable(
            "The park itself runs on Linux; here is its client.",
            fix="Set PARK_URL to a park elsewhere.",
            code="not_on_this_system",
        )
    module, _colon, attribute = entry.where.partition(":")
    try:
        command = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise missing_part(name, error) from error
    except AttributeError as error:
        raise Unavailable(
            f"This version has no command '{name}'.", fix="See: park --help", code="no_command"
        ) from error
    assert isinstance(command, click.Command)
    return spoken(command, entry.see)


@contextmanager
def server_part(command: str) -> Iterator[None]:
    """Around what needs the park's own packages: where they are not installed, one line says so."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise missing_part(command, error) from error


def missing_part(name: str, error: ModuleNotFoundError) -> Unavailable:
    """The one line for a command whose packages are not here."""
    if error.name is None or error.name.partition(".")[0] == "eureka_park":
        return Unavailable(f"This version has no command '{name}'.", fix="See: park --help", code="no_command")
    return Unavailable(f"'park {name}' needs the server part of Eureka Park.", fix=SERVER_FIX, code="no_server_part")


def _say(error: ParkError, as_json: bool) -> None:
    if as_json:
        import json  # programs read English: its words do not change with the person

        click.echo(json.dumps(error.to_json(), ensure_ascii=False), err=True)
    else:
        from eureka_park.cli.errors import told

        click.echo(f"park: {told(error)}", err=True)
