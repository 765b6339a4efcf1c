"""The lineage of a repository or of one version: a picture in layers, and the same in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.auth import Anyone
from eureka_park.web.charts.lineage import Arrow, Box, lineage
from eureka_park.web.pages.data_frame import KIND_NAMES, Here, repository_page, shown
from eureka_park.web.pages.data_links import link_to
from eureka_park.web.pages.words import N_, isolated

STEPS: Final = (1, 3, 10)
_WAYS: Final[Mapping[str, str]] = {
    "job": N_("by a job"),
    "declared": N_("as somebody says"),
    "import": N_("by import"),
    "history": N_("a later version"),
}


def lineage_page(request: Request, who: Anyone) -> Response:
    """What a repository was made from, and what was made from it."""
    return repository_page(_lineage)(request, who)


def _lineage(here: Here) -> Response:
    found, words = here.repository, here.words
    asked = here.query("steps", 3)
    steps = int(asked) if asked.isdecimal() and int(asked) in STEPS else 3
    revision = here.query("rev", 200)
    told = here.park.data.lineage.of(
        here.who, found.kind, found.project_id, found.name, revision=revision, up=steps, down=steps
    )
    nodes: dict[str, dict[str, Any]] = {one["node_id"]: one for one in told["nodes"]}
    boxes = [_box(here, one) for one in told["nodes"]]
    arrows = [_arrow(here, edge, nodes) for edge in told["edges"]]
    label = words.say("What was made from what: {name}", name=isolated(found.name))
    picture = lineage(boxes, arrows, label, from_right=words.direction == "rtl") if arrows else None
    return shown(
        here, "data_lineage.html", "lineage", graph=picture, lines=_lines(here, told, nodes), is_cut=told["is_cut"],
        steps=[(n, here.link("lineage", rev=revision, steps=n), n == steps) for n in STEPS], rev=revision,
    )  # fmt: skip


def _name(here: Here, node: Mapping[str, Any]) -> str:
    if node["kind"] == "hidden":
        return here.words.say("something you may not see")
    return str(node["text"]) if node["kind"] == "outside" else f"{node['project']}/{node['name']}"


def _below(here: Here, node: Mapping[str, Any]) -> str:
    if node["kind"] == "hidden":
        return ""
    if node["kind"] == "outside":
        return here.words.say("outside the park")
    kind = here.words.say(KIND_NAMES[node["kind"]])
    return f"{kind} · {isolated(node['commit_id'][:10])}" if node["commit_id"] else kind


def _link(node: Mapping[str, Any]) -> str:
    if node["kind"] in ("hidden", "outside"):
        return ""
    if node["commit_id"]:
        return link_to(node["kind"], node["project"], node["name"], "commit", node["commit_id"])
    return link_to(node["kind"], node["project"], node["name"])


def _box(here: Here, node: Mapping[str, Any]) -> Box:
    return Box(node["node_id"], _name(here, node), _below(here, node), node["kind"], _link(node), node["is_start"])


def _arrow(here: Here, edge: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> Arrow:
    said, job = _made(here, edge), edge["job_id"] or ""
    return (
        Arrow(edge["source"], edge["to"], said, f"/jobs/{job}" if job else "") if edge["to"] in nodes else Arrow("", "")
    )


def _made(here: Here, edge: Mapping[str, Any]) -> str:
    said = here.words.say(_WAYS.get(str(edge["way"]), _WAYS["declared"]))
    at = edge["made_at"]
    when = here.words.when(parse_instant_s(at), here.park.clock.real_s()) if at else ""
    return here.words.joined([said, when]) if when else said


def _lines(here: Here, told: Mapping[str, Any], nodes: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each thing that was made: from what, how."""
    found: dict[str, dict[str, Any]] = {}
    for edge in told["edges"]:
        if edge["to"] not in nodes or edge["source"] not in nodes:
            continue
        to, source = nodes[edge["to"]], nodes[edge["source"]]
        row = found.setdefault(edge["to"], {
            "name": _name(here, to), "below": _below(here, to), "link": _link(to), "is_here": to["is_start"],
            "sources": [],
        })  # fmt: skip
        row["sources"].append({
            "name": _name(here, source), "below": _below(here, source), "link": _link(source),
            "made": _made(here, edge), "job": f"/jobs/{edge['job_id']}" if edge["job_id"] else "",
        })  # fmt: skip
    return list(found.values())
