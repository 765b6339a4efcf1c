"""`park data quota|keep|hold`: how much a project may keep, how long versions stay, legal holds."""

from __future__ import annotations

from typing import Any

import click

from eureka_park.cli.output import clean, json_option, park, print_json, print_table, say
from eureka_park.cli.words import _
from eureka_park.foundation.units import DAY_S, bytes_text, parse_duration_s

model_option = click.option("--model", "is_model", is_flag=True, help="A model; without it a data set.")


@click.command("quota")
@click.argument("project")
@click.option(
    "--set",
    "limit",
    default="",
    metavar="SIZE",
    help="How much it may keep, such as 500GiB, or default. For operators.",
)
@json_option
def quota(project: str, limit: str, as_json: bool) -> None:
    """Show what a project keeps and may keep, by data set and model; or set how much.

    \b
    park data quota lab
    park data quota lab --set 500GiB
    """
    here = park().data
    found = here.set_limit(project, _bytes(limit)) if limit else here.storage(project)
    if as_json:
        print_json(found)
        return
    used, most = bytes_text(found["used_bytes"]), bytes_text(found["limit_bytes"])
    click.echo(_("{project} keeps {used} of {most}.", project=clean(project), used=used, most=most))
    if found["going_bytes"]:
        click.echo(_("{size} of that are needed no more and go soon.", size=bytes_text(found["going_bytes"])))
    rows = [
        [one["kind"], clean(one["name"]), str(one["n_files"]), bytes_text(one["size_bytes"]),
         _("on hold") if one["is_on_hold"] else ""]
        for one in found["repositories"]
    ]  # fmt: skip
    if rows:
        print_table((_("kind"), _("name"), _("files"), _("newest version"), ""), rows)


@click.command("keep")
@click.argument("repository")
@click.option(
    "--versions", type=click.IntRange(1, 1_000_000), help="Keep so many of the newest versions of each branch."
)
@click.option("--history", default="", metavar="TIME", help="Keep versions that are younger, such as 90d.")
@click.option("--branches", default="", metavar="TIME", help="Delete temporary branches that nobody used for so long.")
@click.option("--prefix", default="tmp/", show_default=True, metavar="TEXT", help="How temporary branches begin.")
@click.option("--all", "is_all", is_flag=True, help="Keep everything again.")
@click.option("--try", "is_preview", is_flag=True, help="Only say what would go.")
@model_option
@json_option
def keep(
    repository: str,
    versions: int | None,
    history: str,
    branches: str,
    prefix: str,
    is_all: bool,
    is_preview: bool,
    is_model: bool,
    as_json: bool,
) -> None:
    """Show or set how long versions of a data set or a model stay. What a tag names, and the newest version of each
    branch, stays anyhow; what goes cannot be brought back.

    \b
    park data keep lab/dunes
    park data keep lab/dunes --versions 10 --history 90d --try
    park data keep lab/dunes --branches 14d
    park data keep lab/dunes --all
    """
    here, name = park().data, _named(repository, is_model)
    rule = {
        "n_versions": versions, "history_days": _days(history), "branch_days": _days(branches), "branch_prefix": prefix,
        "is_preview": is_preview,
    }  # fmt: skip
    is_set = is_all or bool(versions or history or branches)
    if is_all and (versions or history or branches):
        raise click.UsageError(_("--all goes with no other rule."))
    found = here.set_rule(name, rule) if is_set else here.rule(name)
    if as_json:
        print_json(found)
        return
    for line in (*_rule_lines(found), *_gone_lines(found, is_preview)):
        click.echo(line)


def _rule_lines(found: dict[str, Any]) -> list[str]:
    lines = []
    if found["n_versions"] is not None:
        lines.append(_("Of each branch the newest {n} versions stay.", n=found["n_versions"]))
    if found["history_days"] is not None:
        lines.append(_("Versions younger than {days} days stay.", days=f"{found['history_days']:g}"))
    if found["branch_days"] is not None:
        days, prefix = f"{found['branch_days']:g}", clean(found["branch_prefix"])
        lines.append(_("Branches {prefix}... that nobody used for {days} days go.", prefix=prefix, days=days))
    return lines or [_("Everything stays.")]


def _gone_lines(found: dict[str, Any], is_preview: bool) -> list[str]:
    lines, going, lost = [], found["going"], found["lost"]
    if going is not None and (is_preview or going["n_versions"] or going["branches"]):
        n, names = going["n_versions"], ", ".join(map(clean, going["branches"])) or "-"
        words = _("Would go: {n} versions; branches: {names}.", n=n, names=names)
        lines.append(
            words if is_preview else _("Goes within an hour: {n} versions; branches: {names}.", n=n, names=names)
        )
    if lost["lost_at"] is not None:
        until = (lost["newest_at"] or "-")[:10]
        n, m = lost["n_versions"], lost["n_branches"]
        lines.append(_("Gone so far: {n} versions, the newest of {until}; {m} branches.", n=n, until=until, m=m))
    return lines


@click.command("hold")
@click.argument("repository")
@click.option("--set", "reason", default="", metavar="REASON", help="Put it on hold; why, with a file number.")
@click.option("--lift", is_flag=True, help="Lift the hold.")
@model_option
@json_option
def hold(repository: str, reason: str, lift: bool, is_model: bool, as_json: bool) -> None:
    """Show, set or lift a legal hold: while it is on, nothing of the data set or model can be deleted, squashed or
    moved. For operators and leads of the project's organisation.

    \b
    park data hold lab/dunes
    park data hold lab/dunes --set "Audit 2026-17"
    park data hold lab/dunes --lift
    """
    if reason and lift:
        raise click.UsageError(_("--set and --lift do not go together."))
    here, name = park().data, _named(repository, is_model)
    if lift:
        here.lift_hold(name)
    found = here.set_hold(name, reason) if reason else here.hold(name)
    if as_json:
        print_json(found)
    elif found["is_on_hold"]:
        since, why = found["since"], clean(found["reason"])
        click.echo(_("{name} is on legal hold since {since}: {why}", name=clean(repository), since=since, why=why))
    else:
        say(_("{name} is not on legal hold.", name=clean(repository)))


def _named(text: str, is_model: bool) -> Any:
    from eureka_park.client.data import RepositoryName

    return RepositoryName.of(text, "model" if is_model else "dataset")


def _days(text: str) -> float | None:
    return parse_duration_s(text) / DAY_S if text else None


def _bytes(text: str) -> int | None:
    from eureka_park.foundation.units import parse_bytes

    return None if text == "default" else parse_bytes(text)
