"""The list of data sets and models that one may see: search, newest change first; and a form for a new one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.cards.service import facets_of
from eureka_park.data.cards.store import CardFacts
from eureka_park.data.core.repository import MAIN, Commit, Gate, Repository, RepositoryKind, Visibility
from eureka_park.foundation.errors import BadInput, NotFound, ParkError
from eureka_park.web.auth import Anyone, Someone, park_of, url_of
from eureka_park.web.charts.rosette import rosette
from eureka_park.web.pages.data_buckets import buckets_of
from eureka_park.web.pages.data_frame import COLOURS, KIND_NAMES, PERSONAL_NAMES, VISIBILITY_NAMES, told
from eureka_park.web.pages.data_links import KINDS, link_to
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.words import N_, Words

PAGE: Final = 40
NEWEST: Final = 6
FACETS: Final[Mapping[str, str]] = {
    "tag": "tag", "language": "language", "licence": "licence", "task": "task", "personal": "personal_data",
}  # fmt: skip
ASKED: Final = ("kind", "project", "text", *FACETS)
_KIND_CHOICES: Final[Mapping[str, str]] = {"": N_("all"), "datasets": N_("data sets"), "models": N_("models")}


def data_page(
    request: Request,
    who: Anyone,
    kind: Literal["", "datasets", "models"] = "",
    project: Annotated[str, Query(max_length=63)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    language: Annotated[str, Query(max_length=40)] = "",
    licence: Annotated[str, Query(max_length=200)] = "",
    task: Annotated[str, Query(max_length=200)] = "",
    personal: Annotated[str, Query(max_length=40)] = "",
    before: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """Data sets and models as rows."""
    facets = {"tag": tag, "language": language, "licence": licence, "task": task, "personal": personal}
    asked = {"kind": kind, "project": project, "text": text, **facets}
    return _list(request, who, {name: value.strip() for name, value in asked.items()}, before)


def begin(request: Request, who: Someone, form: TheForm) -> Response:
    """Begin a data set or a model by the form of the list."""
    park, kind = park_of(request), KINDS.get(form.one("kind"), RepositoryKind.DATASET)
    project, name = form.one("project").strip(), form.one("name").strip()
    try:
        park.data.repositories.create(who, kind, project, name, form.one("visibility") or Visibility.PRIVATE)
    except ParkError as error:
        if error.http_status in (401, 403, 404):
            raise
        return _list(request, who, dict.fromkeys(ASKED, ""), "", error, form)
    return RedirectResponse(link_to(kind, project, name), 303)


def _list(
    request: Request, who: Principal | None, asked: dict[str, str], before: str,
    error: ParkError | None = None, form: Form | None = None,
) -> Response:  # fmt: skip
    park, words = park_of(request), words_of(request)
    try:
        found = _found(park, who, asked, before)
    except BadInput as bad:
        error, found = bad, []
    facts = park.data.cards.facts(found[:PAGE])
    writable = park.data.repositories.writable(who) if who is not None else []
    following = found[PAGE - 1] if len(found) > PAGE else None
    narrow = any(value for name, value in asked.items() if name != "project")
    more = {**asked, "before": f"{following.changed_at_s!r} {following.repository_id}"} if following else {}
    return page(
        request, "data.html", "/data", error.http_status if error else 200,
        asked=asked, is_later=bool(before),
        rows=[_row(park, words, one, facts.get(one.repository_id)) for one in found[:PAGE]],
        is_filtered=any(asked.values()), next=_link(more) if more else "",
        kinds=_KIND_CHOICES, people=PERSONAL_NAMES, is_narrow=any(asked[name] for name in FACETS),
        projects=[one.project_id for one in park.accounts.projects(who)], writable=writable,
        buckets=[] if narrow or before else buckets_of(park, words, who, asked["project"]),
        visibilities=VISIBILITY_NAMES, typed=form or Form(), wrong=told(words, error), done="", address=url_of(request),
        example=f"{writable[0] if writable else 'my-project'}/dunes",
    )  # fmt: skip


def _found(park: Park, who: Principal | None, asked: dict[str, str], before: str) -> list[Repository]:
    """The newest that fit, one more than a page shows."""
    kinds = [KINDS[asked["kind"]]] if asked["kind"] in KINDS else list(KINDS.values())
    facets = facets_of({facet: [asked[name]] for name, facet in FACETS.items()})
    rows: list[Repository] = []
    for kind in kinds:
        rows += park.data.repositories.page(
            who,
            kind,
            project_id=asked["project"],
            text=asked["text"],
            before=_before(before),
            most=PAGE + 1,
            facets=facets,
        )
    return sorted(rows, key=lambda one: (-one.changed_at_s, one.repository_id))[: PAGE + 1]


def _link(asked: Mapping[str, str]) -> str:
    return f"/data?{urlencode({name: value for name, value in asked.items() if value})}"


def newest_of(park: Park, words: Words, who: Principal | None, project_id: str) -> list[dict[str, Any]]:
    """The data sets and models of a project that changed last, for its page."""
    found = _found(park, who, {**dict.fromkeys(ASKED, ""), "project": project_id}, "")
    now_s = park.clock.real_s()
    return [
        {
            "name": one.name, "kind": KIND_NAMES[one.kind], "link": link_to(one.kind, one.project_id, one.name),
            "when": words.when(one.changed_at_s, now_s),
        }
        for one in found[:NEWEST]
    ]  # fmt: skip


def _before(text: str) -> tuple[float, str]:
    at, _, name = text.partition(" ")
    try:
        return (float(at), name) if math.isfinite(float(at)) else (math.inf, "")
    except ValueError:
        return (math.inf, "")


def _row(park: Park, words: Words, one: Repository, card: CardFacts | None) -> dict[str, Any]:
    version = version_of(park, one)
    n_files, size = (version.n_files, version.size_bytes) if version else (0, 0)
    return {
        "name": one.name, "project": one.project_id, "link": link_to(one.kind, one.project_id, one.name),
        "kind": KIND_NAMES[one.kind], "visibility": VISIBILITY_NAMES[one.visibility], "seen_by": str(one.visibility),
        "is_gated": one.gate is not Gate.OPEN, "picture": rosette(one.repository_id, COLOURS[one.kind]),
        "size": words.size(size), "n_files": words.count("{n} file", "{n} files", n_files), "is_empty": not n_files,
        "pretty": card.pretty_name if card and card.pretty_name != one.name else "",
        "licence": card.licence if card else "", "is_about_people": bool(card and card.personal_data.is_about_people),
        "changed": words.when(one.changed_at_s, park.clock.real_s()),
    }  # fmt: skip


def version_of(park: Park, one: Repository) -> Commit | None:
    """Where its main branch is; how many files and bytes there are is no secret to those who know of it."""
    try:
        return park.data.repositories.versions.at(one, MAIN)
    except NotFound:
        return None
