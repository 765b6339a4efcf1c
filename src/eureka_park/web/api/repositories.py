"""Data sets and models: what there is, versions, files, contents on their way in, commits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.cards.service import facets_of
from eureka_park.data.cards.store import CardFacts
from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import (
    Commit,
    Operation,
    Put,
    Remove,
    Repository,
    RepositoryKind,
    clean_path,
)
from eureka_park.data.lineage.service import DEPTH_DEFAULT, DEPTH_MAX
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import Draft, no_entry
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import repository_schemas as forms
from eureka_park.web import schemas
from eureka_park.web.auth import Anyone, Someone, ThePark
from eureka_park.web.doors.streams import take_in

router = APIRouter(tags=["repositories"], responses=schemas.ERRORS)
PAGE: Final = 1000
_AT: Final = "/projects/{project_id}/repositories/{kind}/{name}"
ProjectId = Annotated[str, Path(max_length=63, description="The project")]
Kind = Annotated[Literal["dataset", "model"], Path(description="dataset or model")]
Name = Annotated[str, Path(max_length=96, description="The repository")]
Revision = Annotated[str, Query(max_length=200, description="A branch, a tag or a commit's id")]
Sought = Annotated[Sequence[Annotated[str, Field(max_length=200)]], Field(max_length=8)]
Sha256 = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex")]


@router.get("/repositories", response_model=forms.RepositoryPage, operation_id="list_repositories")
def list_repositories(
    park: ThePark,
    who: Anyone,
    kind: Annotated[Literal["dataset", "model"], Query(description="dataset or model")] = "dataset",
    project: Annotated[str, Query(max_length=63, description="Only those of a project")] = "",
    text: Annotated[str, Query(max_length=200, description="Only those whose name holds this")] = "",
    tag: Annotated[Sought, Query(description="Only those whose cards have all of these tags")] = (),
    language: Annotated[Sought, Query(description="Languages as BCP 47 tags: fr finds fr-MA too")] = (),
    licence: Annotated[Sought, Query(description="Licences as SPDX ids")] = (),
    task: Annotated[Sought, Query(description="Tasks, as task_categories and pipeline_tag have them")] = (),
    personal_data: Annotated[Sought, Query(description="none, pseudonymous, personal or sensitive")] = (),
    limit: Annotated[int, Query(ge=1, le=500)] = 500,
    after: Annotated[str, Query(max_length=100, description="`next` of the page before")] = "",
) -> dict[str, Any]:
    """Data sets or models that one may know of, the last changed first."""
    facets = facets_of(
        {"tag": tag, "language": language, "licence": licence, "task": task, "personal_data": personal_data}
    )
    found = park.data.repositories.page(
        who, kind, project_id=project, text=text, before=_before(after), most=limit, facets=facets
    )
    following = f"{found[-1].changed_at_s!r} {found[-1].repository_id}" if len(found) == limit else None
    return {"items": views(park, found), "next": following}


def _before(after: str) -> tuple[float, str]:
    at_s, _, repository_id = after.partition(" ")
    try:
        return (float(at_s), repository_id.replace("\0", "")) if after else (math.inf, "")
    except ValueError:
        raise BadInput("That is no place to go on from.", fix="Send `next` as it came.", field="after") from None


@router.post(
    "/projects/{project_id}/repositories",
    status_code=201,
    response_model=forms.RepositoryView,
    operation_id="new_repository",
)
def new_repository(park: ThePark, who: Someone, project_id: ProjectId, body: forms.RepositoryRequest) -> dict[str, Any]:
    """Begin a data set or a model in a project."""
    made = park.data.repositories.create(who, RepositoryKind(body.kind), project_id, body.name, body.visibility)
    return views(park, [made])[0]


@router.get(_AT, response_model=forms.RepositoryView, operation_id="get_repository")
def get_repository(park: ThePark, who: Anyone, project_id: ProjectId, kind: Kind, name: Name) -> dict[str, Any]:
    """A data set or a model."""
    return views(park, [park.data.repositories.find(Want.KNOW, who, kind, project_id, name)])[0]


@router.delete(_AT, status_code=204, response_class=Response, operation_id="delete_repository")
def delete_repository(park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name) -> Response:
    """End a data set or a model; what it alone held goes after a day. For leads of its project."""
    found = park.data.repositories.find(Want.MANAGE, who, kind, project_id, name)
    park.data.repositories.delete(who, found)
    return Response(status_code=204)


@router.get(f"{_AT}/tree", response_model=forms.EntryPage, operation_id="tree_of_repository")
def tree_of_repository(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    kind: Kind,
    name: Name,
    revision: Revision = "main",
    path: Annotated[str, Query(max_length=1024, description="A folder; empty: the whole")] = "",
    after: Annotated[str, Query(max_length=1100, description="`next` of the page before")] = "",
    recursive: Annotated[bool, Query(description="All files below, not only what lies directly there")] = False,
) -> dict[str, Any]:
    """What lies in a folder of a version: files and folders, a thousand at a time."""
    _, version = _version(park, who, kind, project_id, name, revision)
    tree, folder = park.data.repositories.versions.tree(version), clean_path(path.strip("/")) if path else ""
    if not tree.has_folder(folder):
        raise no_entry(path)
    if recursive:
        rows: list[tuple[str, str, Entry | None]] = [
            (one.path, one.path, one) for one in islice(tree.in_folder(folder, after), PAGE + 1)
        ]
    else:
        listed = islice(tree.listed(folder, after), PAGE + 1)
        rows = [(one.path, one.path if one.entry else f"{one.path}/", one.entry) for one in listed]
    items = [
        {"path": shown, "sha256": entry.sha256 if entry else None, "size_bytes": entry.size_bytes if entry else None}
        for shown, _, entry in rows[:PAGE]
    ]
    return {"commit_id": version.commit_id, "items": items, "next": rows[PAGE][1] if len(rows) > PAGE else None}


@router.get(f"{_AT}/history", response_model=forms.VersionPage, operation_id="history_of_repository")
def history_of_repository(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    kind: Kind,
    name: Name,
    revision: Revision = "main",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """A version and those before it, the newest first; `next` is the revision to go on from."""
    found, version = _version(park, who, kind, project_id, name, revision)
    history = park.data.repositories.versions.history(found, version, limit + 1)
    names = park.data.repositories.names_of(who, found, history)
    made = park.data.lineage.made_by(who, found, [one.commit_id for one in history[:limit]])
    following = history[limit].commit_id if len(history) > limit else None
    items = [{**version_view(one, names), "made_by": made.get(one.commit_id)} for one in history[:limit]]
    return {"items": items, "next": following}


@router.get(f"{_AT}/lineage", response_model=forms.LineageView, operation_id="lineage_of_repository")
def lineage_of_repository(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    kind: Kind,
    name: Name,
    rev: Annotated[str, Query(max_length=200, description="A version; empty: all of which something is known")] = "",
    up: Annotated[int, Query(ge=0, le=DEPTH_MAX, description="Steps to what it was made from")] = DEPTH_DEFAULT,
    down: Annotated[int, Query(ge=0, le=DEPTH_MAX, description="Steps to what was made from it")] = DEPTH_DEFAULT,
) -> dict[str, Any]:
    """What a version was made from, and what was made from it: by jobs, imports and what people declare."""
    return park.data.lineage.of(who, kind, project_id, name, revision=rev, up=up, down=down)


@router.get(f"{_AT}/diff", response_model=forms.DifferencePage, operation_id="diff_of_repository")
def diff_of_repository(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    kind: Kind,
    name: Name,
    old: Revision,
    new: Revision = "main",
    after: Annotated[str, Query(max_length=1024, description="`next` of the page before")] = "",
) -> dict[str, Any]:
    """The files that differ between two versions, a thousand at a time."""
    found, new_version = _version(park, who, kind, project_id, name, new)
    versions = park.data.repositories.versions
    pairs = versions.differences(versions.at(found, old), new_version)
    rows = (_difference(old_entry, new_entry) for old_entry, new_entry in pairs)
    items = list(islice((row for row in rows if row["path"] > after), PAGE + 1))
    return {"items": items[:PAGE], "next": items[PAGE - 1]["path"] if len(items) > PAGE else None}


def _difference(old: Any, new: Any) -> dict[str, Any]:
    change = "added" if old is None else "removed" if new is None else "changed"
    sizes = (old.size_bytes if old else None, new.size_bytes if new else None)
    return {"path": (old or new).path, "change": change, "old_bytes": sizes[0], "new_bytes": sizes[1]}


@router.get(f"{_AT}/files/{{path:path}}", response_class=StreamingResponse, operation_id="file_of_repository")
def file_of_repository(
    park: ThePark, who: Anyone, project_id: ProjectId, kind: Kind, name: Name, path: str, revision: Revision = "main"
) -> Response:
    """A file of a version, as a download."""
    found, version = _version(park, who, kind, project_id, name, revision)
    blob = park.data.objects.open(found.project_id, park.data.repositories.versions.entry(version, path).sha256)
    headers = {"Content-Length": str(blob.size_bytes), "Content-Disposition": "attachment", "Cache-Control": "no-store"}
    return StreamingResponse(blob.read(0, blob.size_bytes), media_type="application/octet-stream", headers=headers)


@router.post(f"{_AT}/blobs/held", response_model=forms.HeldView, operation_id="held_contents")
def held_contents(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.HeldRequest
) -> dict[str, Any]:
    """Which of these contents the project holds already: they need not be sent for a commit."""
    found = park.data.repositories.find(Want.WRITE, who, kind, project_id, name)
    return {"held": sorted(park.data.objects.held(found.project_id, body.sha256))}


@router.post(f"{_AT}/blobs/small", response_model=forms.HeldView, operation_id="put_small_contents")
async def put_small_contents(
    request: Request, park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name
) -> dict[str, Any]:
    """Send up to 1,000 small contents for a commit, each behind its length in four bytes; their hashes in order."""

    def work(pieces: Iterator[bytes]) -> list[str]:
        found = park.data.repositories.find(Want.WRITE, who, kind, project_id, name)
        return park.data.carrying.put_many(found.project_id, pieces)

    return {"held": await take_in(request, work, by=who.person_id)}


@router.put(f"{_AT}/blobs/{{sha256}}", status_code=204, response_class=Response, operation_id="put_content")
async def put_content(
    request: Request, park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, sha256: Sha256
) -> Response:
    """Send a content for a commit; it is kept only if its bytes have that hash."""

    def work(pieces: Iterator[bytes]) -> None:
        found = park.data.repositories.find(Want.WRITE, who, kind, project_id, name)
        park.data.objects.put(found.project_id, pieces, sha256=sha256, size_bytes=_stated_bytes(request))

    await take_in(request, work, by=who.person_id)
    return Response(status_code=204)


def _stated_bytes(request: Request) -> int | None:
    """How large a body says it is, so that what has no room is refused before it comes."""
    given = request.headers.get("content-length", "")
    return int(given) if given.isdecimal() else None


@router.post(f"{_AT}/commits", status_code=201, response_model=forms.VersionView, operation_id="make_commit")
def make_commit(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.CommitRequest
) -> dict[str, Any]:
    """Make a commit of contents that were sent before; without any change the version that is there."""
    found = park.data.repositories.find(Want.WRITE, who, kind, project_id, name)
    sizes = park.data.objects.sizes(found.project_id, [one.sha256 for one in body.changes if one.sha256])
    operations: list[Operation] = []
    for one in body.changes:
        if one.sha256 is None:
            operations.append(Remove(one.path, is_folder=one.remove == "folder"))
        elif one.sha256 not in sizes:
            raise NotFound(f"The content {one.sha256} was not sent.", fix="Send it first.", code="no_such_blob")
        else:
            operations.append(Put(one.path, one.sha256, sizes[one.sha256]))
    draft = Draft(body.branch, body.title, operations, body.message, body.parent)
    made = park.data.repositories.versions.commit(found, who, draft)
    if body.sources and body.changes:
        park.data.lineage.note_import(found, made, who, *body.sources)
    return version_view(made, park.data.repositories.names_of(who, found, [made]))


def _version(
    park: Park, who: Principal | None, kind: str, project_id: str, name: str, revision: str
) -> tuple[Repository, Commit]:
    found = park.data.repositories.find(Want.READ, who, kind, project_id, name)
    return found, park.data.repositories.versions.at(found, revision)


def views(park: Park, found: Sequence[Repository]) -> list[dict[str, Any]]:
    """Repositories as the API shows them, with what their cards say."""
    facts = park.data.cards.facts(found)
    return [_view(one, facts.get(one.repository_id, CardFacts())) for one in found]


def _view(found: Repository, facts: CardFacts) -> dict[str, Any]:
    return {
        "kind": str(found.kind), "project": found.project_id, "name": found.name, "visibility": str(found.visibility),
        "gate": str(found.gate), "made_at": iso_from_s(found.made_at_s), "changed_at": iso_from_s(found.changed_at_s),
        "card": {
            "pretty_name": facts.pretty_name, "licence": facts.licence, "languages": facts.languages,
            "personal_data": str(facts.personal_data),
        },
    }  # fmt: skip


def version_view(one: Commit, names: dict[str, str]) -> dict[str, Any]:
    """A commit as the API shows it."""
    return {
        "commit_id": one.commit_id, "parent_id": one.parent_id, "title": one.title, "message": one.message,
        "by": names.get(one.person_id, ""), "made_at": iso_from_s(one.made_at_s), "n_files": one.n_files,
        "size_bytes": one.size_bytes,
    }  # fmt: skip
