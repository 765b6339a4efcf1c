"""Branches and tags: where each is, and forms to begin one, set one or take one away."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.data.core.repository import MAIN
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.auth import Anyone, Someone
from eureka_park.web.pages.data_frame import Here, here_of, repository_page, shown
from eureka_park.web.pages.forms import TheForm

SHOWN: Final = 300


def versions_page(request: Request, who: Anyone) -> Response:
    """Branches and tags of a repository."""
    return repository_page(_versions)(request, who)


def _versions(here: Here, error: ParkError | None = None) -> Response:
    refs = here.versions.refs(here.repository)
    return shown(
        here, "data_versions.html", "versions", error, n_more=max(0, len(refs) - SHOWN),
        rows=[_row(here, kind, name) for kind, name, _ in refs[:SHOWN]],
    )  # fmt: skip


def _row(here: Here, kind: str, name: str) -> dict[str, Any]:
    at = here.versions.at(here.repository, name if kind == "branch" else f"refs/tags/{name}")
    return {
        "kind": kind, "name": name, "is_main": kind == "branch" and name == MAIN, "title": at.title,
        "when": here.words.when(at.made_at_s, here.park.clock.real_s()), "size": here.words.size(at.size_bytes),
        "commit": here.link("commit", at.commit_id), "tree": here.link("tree", name),
        "compare": here.link("compare", old=MAIN, new=name),
    }  # fmt: skip


def change_versions(request: Request, who: Someone, form: TheForm) -> Response:
    """Begin a branch, set a tag, or take one away."""
    here = here_of(request, who, Want.WRITE)
    kind, name = ("tag" if form.one("kind") == "tag" else "branch"), form.one("name").strip()
    try:
        if form.one("do") == "add":
            here.versions.add_ref(here.repository, kind, name, form.one("at").strip(), form.one("message"))
        elif form.one("do") == "drop":
            here.versions.drop_ref(here.repository, kind, name)
        else:
            raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="nothing_to_do")
    except ParkError as error:
        if error.http_status in (401, 403):
            raise
        return _versions(here, error)
    return RedirectResponse(here.link("versions", done="1"), 303)
