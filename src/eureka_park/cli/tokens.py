"""`park token`, `park session`, `park account`: what lets one in, and all that the park knows of oneself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from eureka_park.cli.output import clean, json_option, park, print_items, print_json, print_table, say
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput

SCOPES: Final = ("read", "jobs", "data", "manage", "operate", "account", "all")


@click.group()
def token() -> None:
    """Tokens for programs and machines: each is good for what you say, as long as you say, and shown once.

    \b
    park token new ci --scope jobs --expires 30d
    park token list
    """


@token.command("list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List your tokens, without their secrets.

    \b
    park token list
    """
    found = park().accounts.tokens()
    if as_json:
        print_items(found)
        return
    keys = ("token_id", "name", "scopes", "project", "expires_at", "last_used_at")
    heads = (_("token"), _("name"), _("scopes"), _("project"), _("ends"), _("last used"))
    print_table(heads, [[_shown(item[key]) for key in keys] for item in found])


@token.command("new")
@click.argument("name")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What it is good for; may be repeated."
)
@click.option("--project", metavar="PROJECT", help="The one project that it is good for.")
@click.option("--expires", metavar="TIME", help="How long it lasts, such as 30d (default: 90d).")
@click.option("--of", metavar="ID", help="The machine's account that it is for (default: your own).")
@json_option
def new_token(
    name: str, scopes: tuple[str, ...], project: str | None, expires: str | None, of: str | None, as_json: bool
) -> None:
    """Make a token and print it, this once. Without --scope it reads, and runs jobs.

    \b
    park token new ci --scope jobs --project solar --expires 30d
    PARK_TOKEN=$(park token new nightly --json | jq -r .token)
    """
    made = park().accounts.new_token(name, scopes=list(scopes), project=project, expires=expires, of=of)
    if as_json:
        print_json(made)
        return
    click.echo(made["token"])
    scopes_shown, until = ", ".join(made["scopes"]), made["expires_at"]
    say(_("good for {scopes} until {until}; it is not shown again.", scopes=scopes_shown, until=until))


@token.command("end")
@click.argument("token_id")
@json_option
def end_token(token_id: str, as_json: bool) -> None:
    """End a token.

    \b
    park token end token-4zr3q...
    """
    park().accounts.end_token(token_id)
    if as_json:
        print_json({"token_id": token_id, "is_ended": True})
    else:
        click.echo(_("Ended {name}.", name=clean(token_id)))


@click.group()
def session() -> None:
    """The browsers in which you are signed in.

    \b
    park session list
    """


@session.command("list")
@json_option
def list_sessions(as_json: bool) -> None:
    """List the browsers in which you are signed in.

    \b
    park session list
    """
    found = park().accounts.sessions()
    if as_json:
        print_items(found)
        return
    keys = ("session_id", "method", "client", "address", "seen_at", "expires_at")
    heads = (_("session"), _("signed in by"), _("browser"), _("address"), _("seen"), _("ends"))
    print_table(heads, [[_shown(item[key]) for key in keys] for item in found])


@session.command("end")
@click.argument("session_id")
@json_option
def end_session(session_id: str, as_json: bool) -> None:
    """Sign a browser out.

    \b
    park session end session-4zr3q...
    """
    park().accounts.end_session(session_id)
    if as_json:
        print_json({"session_id": session_id, "is_ended": True})
    else:
        click.echo(_("Ended {name}.", name=clean(session_id)))


@click.group()
def account() -> None:
    """Your own account: all that the park knows of you, and being forgotten.

    \b
    park account export --out account.zip
    """


@account.command("export")
@click.option(
    "--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write it here: account.json or account.zip."
)
def export_account(out: str | None) -> None:
    """Print all that the park knows of you as JSON, or write it to a file; it holds no secrets.

    \b
    park account export
    park account export --out account.zip
    """
    found = park().accounts.export()
    if out is None:
        print_json(found)
        return
    _write(Path(out), found)
    click.echo(_("Wrote {file}.", file=clean(out)))


@account.command("erase")
def erase_account() -> None:
    """Say where the park forgets who you are: name, address, tokens, sessions, roles. It cannot be undone.

    It is done in a browser in which you have signed in within the last half hour: a token proves nothing. Books and the
    audit log keep an id that stands for nobody.

    \b
    park account erase
    """
    here = park()
    raise BadInput(
        _("An account is erased in a browser, by whoever has just signed in there."),
        fix=_("Open {link}, where you also see what is kept.", link=f"{here.url}/account#erase"), code="not_recent",
    )  # fmt: skip


def _write(file: Path, found: dict[str, Any]) -> None:
    import json
    import zipfile

    parts = {f"{name}.json": json.dumps(value, ensure_ascii=False, indent=2) for name, value in found.items()}
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
            for name, text in parts.items():
                packed.writestr(name, text)
    else:
        file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _shown(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value or "-")
