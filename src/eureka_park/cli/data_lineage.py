"""`park data lineage`: what a data set or a model was made from, and what was made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from eureka_park.cli.output import clean, json_option, park, print_json, print_table, say
from eureka_park.cli.words import _


@click.command("lineage")
@click.argument("repository")
@click.option(
    "--rev", "revision", default="", metavar="REVISION", help="One version only (default: all that is known)."
)
@click.option("--up", type=click.IntRange(0, 10), default=3, show_default=True, help="Steps to what it was made from.")
@click.option(
    "--down", type=click.IntRange(0, 10), default=3, show_default=True, help="Steps to what was made from it."
)
@click.option("--model", "is_model", is_flag=True, help="A model; without it a data set.")
@json_option
def lineage(repository: str, revision: str, up: int, down: int, is_model: bool, as_json: bool) -> None:
    """Show what a data set or a model was made from, and what was made from it: by jobs, imports and declarations.

    \b
    park data lineage lab/dunes
    park data lineage lab/net --model --rev v1 --down 0
    """
    from eureka_park.client.data import RepositoryName

    name = RepositoryName.of(repository, "model" if is_model else "dataset")
    found = park().data.lineage(name, revision=revision, up=up, down=down)
    if as_json:
        print_json(found)
        return
    if not found["edges"]:
        say(_("nothing is known of what it was made from, or of what was made from it."))
        return
    nodes = {one["node_id"]: _shown(one) for one in found["nodes"]}
    rows = [[nodes[one["to"]], nodes[one["source"]], _how(one), one["made_at"] or "-"] for one in found["edges"]]
    print_table((_("version"), _("made from"), _("how"), _("when")), rows)
    if found["is_cut"]:
        say(_("there is more. Name a version (--rev), or fewer steps (--up, --down)."))


def _shown(node: Mapping[str, Any]) -> str:
    if node["kind"] == "hidden":
        return _("something not visible to you")
    if node["kind"] == "outside":
        return clean(node["text"])
    return f"{node['kind']} {node['project']}/{node['name']}@{node['commit_id'][:12]}"


def _how(edge: Mapping[str, Any]) -> str:
    ways = {
        "job": _("by a job"), "import": _("imported"), "declared": _("as declared"), "history": _("the version before"),
    }  # fmt: skip
    return edge["job_id"] or ways[edge["way"]]
