"""`park data card` and `park data open`: what a version says of itself, and who sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from eureka_park.cli.output import clean, json_option, park, print_json
from eureka_park.cli.words import _
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.client.data import RepositoryName

model_option = click.option("--model", "is_model", is_flag=True, help="A model; without it a data set.")
revision_option = click.option(
    "--rev", "revision", default="main", metavar="REVISION", help="A branch, a tag or a commit (default: main)."
)


def seeking_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which data sets are sought: what their cards say."""
    options = (
        click.option("--tag", default="", help="Only those with this tag."),
        click.option("--language", default="", help="Only those in this language, such as ary."),
        click.option("--licence", default="", help="Only those with this licence, such as cc-by-4.0."),
        click.option("--task", default="", help="Only those for this task."),
        click.option("--personal-data", default="", help="Only those that say so: none, pseudonymous, ..."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _named(text: str, is_model: bool) -> RepositoryName:
    from eureka_park.client.data import RepositoryName

    return RepositoryName.of(text, "model" if is_model else "dataset")


@click.command("card")
@click.argument("repository")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field by a commit; an empty VALUE removes it.",
)
@click.option("--check", is_flag=True, help="Only say what is wrong or missing; exit 1 where something is wrong.")
@click.option("--croissant", is_flag=True, help="Print the version as Croissant (JSON-LD).")
@click.option("-m", "--title", default="", metavar="TEXT", help="What changes, in one line.")
@model_option
@revision_option
@json_option
def card_of_data(
    repository: str,
    settings: tuple[str, ...],
    check: bool,
    croissant: bool,
    title: str,
    is_model: bool,
    revision: str,
    as_json: bool,
) -> None:
    """Show the card of a version: licence, languages, personal data, what is missing. --set begins one.

    \b
    park data card lab/dunes
    park data card lab/dunes --set license=cc-by-4.0 --set language=fr,ary --set personal_data=none
    park data card lab/dunes --check
    """
    cards, name = park().data.cards, _named(repository, is_model)
    if settings:
        made = cards.set_fields(name, dict(map(_setting, settings)), branch=revision, title=title)
        if as_json:
            print_json(made)
        else:
            click.echo(_("{commit}  {title}", commit=made["commit_id"][:12], title=clean(made["title"])))
        return
    if croissant:
        click.echo(json.dumps(cards.croissant(name, revision=revision), ensure_ascii=False, indent=2))
        return
    card = cards.card(name, revision=revision)
    wrong = [one for one in card["findings"] if one["is_wrong"]]
    if as_json:
        print_json(card["findings"] if check else card)
    elif check:
        _say_findings(card["findings"])
    else:
        _show(card)
    if check and wrong:
        raise click.exceptions.Exit(1)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise BadInput(f"'{text[:80]}' sets nothing.", fix="Write FIELD=VALUE.", code="bad_setting")
    return name, value


def _say_findings(findings: list[dict[str, Any]]) -> None:
    if not findings:
        click.echo(_("Nothing is wrong with the card, and nothing is missing."))
    for one in findings:
        mark = "!" if one["is_wrong"] else "-"
        click.echo(f"{mark} {clean(one['field'])}: {clean(one['message'])} {clean(one['fix'])}")


def _show(card: dict[str, Any]) -> None:
    rows = (
        (_("name"), card["pretty_name"]),
        (_("licence"), card["licence"]),
        (_("languages"), ", ".join(card["languages"])),
        (_("tasks"), ", ".join(card["tasks"])),
        (_("size"), ", ".join(card["sizes"])),
        (_("tags"), ", ".join(card["tags"])),
        (_("from"), ", ".join([*card["base_models"], *card["datasets"]])),
        (_("personal data"), " - ".join(filter(None, (card["personal_data"], card["personal_data_why"])))),
    )
    width = max(len(label) for label, _value in rows)
    for label, value in rows:
        if value:
            click.echo(f"{label:<{width}}  {clean(value)}")
    if card["body"].strip():
        click.echo("\n" + "\n".join(clean(line) for line in card["body"].strip().splitlines()))
    if card["findings"]:
        click.echo("")
        _say_findings(card["findings"])


@click.command("open")
@click.argument("repository")
@click.option("--to", "visibility", type=click.Choice(["private", "organisation", "public"]), help="Who sees it.")
@click.option(
    "--gate", type=click.Choice(["none", "auto", "manual"]), help="What one does to read it: nothing, ask, be let in."
)
@click.option("--confirm-personal-data", is_flag=True, help="The people whom it is about agreed to its being public.")
@model_option
@json_option
def open_data(
    repository: str,
    visibility: str | None,
    gate: str | None,
    confirm_personal_data: bool,
    is_model: bool,
    as_json: bool,
) -> None:
    """Open a data set to others, or close it. For leads of its project.

    \b
    park data open lab/dunes --to public
    park data open lab/voices --to public --confirm-personal-data
    park data open lab/dunes --gate manual
    """
    changes = {
        "visibility": visibility,
        "gate": "" if gate == "none" else gate,
        "confirms_personal_data": confirm_personal_data,
    }
    done = park().data.cards.open_to(_named(repository, is_model), **changes)
    if as_json:
        print_json(done)
    else:
        click.echo(
            _("{name} is {visibility}.", name=f"{done['project']}/{done['name']}", visibility=done["visibility"])
        )
