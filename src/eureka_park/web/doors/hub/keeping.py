"""Repositories as a whole: begin, set up, move, end; branches, tags, history as one; gates."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.data.core.repository import Repository, RepositoryKind, Visibility
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput, Conflict
from eureka_park.web.doors.hub import forms
from eureka_park.web.doors.hub.asking import ADDRESS, Asked, asked_of, json_object, text_of
from eureka_park.web.doors.streams import body_of

BODY_BYTES_MAX: Final = 1024**2
_GATES: Final[dict[Any, str]] = {"auto": "auto", "manual": "manual", False: ""}


async def create(request: Request) -> Response:
    """Begin a repository."""
    return await _with_body(request, _create)


def _create(asked: Asked, body: dict[str, Any]) -> Response:
    who = asked.someone()
    project_id = text_of(body, "organization") or _own_project(asked)
    kind, name = _kind(body), text_of(body, "name")
    told = {"url": f"{asked.base()}/{ADDRESS[kind]}{project_id}/{name}", "name": f"{project_id}/{name}"}
    visibility = _visibility(body) or Visibility.PRIVATE
    try:
        asked.park.data.repositories.create(who, kind, project_id, name, visibility)
    except Conflict as error:  # clients that do not mind read the address from the refusal
        return JSONResponse({**told, "error": error.line()}, 409, {"X-Error-Message": error.line()})
    return JSONResponse(told)


def _own_project(asked: Asked) -> str:
    mine = asked.park.data.repositories.writable(asked.someone())
    if not mine:
        raise BadInput(
            "You may keep data in no project.",
            fix="Ask a lead of one to add you, and write PROJECT/NAME.",
            field="name",
        )
    return mine[0]


def _kind(body: dict[str, Any]) -> RepositoryKind:
    kind = text_of(body, "type", "model")
    if kind not in set(RepositoryKind):
        raise BadInput(f"The park keeps no {kind[:40]!a}.", fix="Use the repo_type 'model' or 'dataset'.", field="type")
    return RepositoryKind(kind)


def _visibility(body: dict[str, Any]) -> str | None:
    if "private" in body and "visibility" not in body:
        return str(Visibility.PRIVATE if body["private"] else Visibility.PUBLIC)
    return text_of(body, "visibility") or None


async def delete(request: Request) -> Response:
    """End a repository."""
    return await _with_body(request, _delete)


def _delete(asked: Asked, body: dict[str, Any]) -> Response:
    project_id = text_of(body, "organization") or _own_project(asked)
    found = asked.find(Want.MANAGE, f"{_kind(body)}s", project_id, text_of(body, "name"))
    asked.park.data.repositories.delete(asked.who, found)
    return JSONResponse({})


async def move(request: Request) -> Response:
    """Give a repository another name."""
    return await _with_body(request, _move)


def _move(asked: Asked, body: dict[str, Any]) -> Response:
    project_id, _, name = text_of(body, "fromRepo").partition("/")
    new_project, _, new_name = text_of(body, "toRepo").partition("/")
    found = asked.find(Want.MANAGE, f"{_kind(body)}s", project_id, name)
    moved = asked.park.data.repositories.move(asked.someone(), found, new_project, new_name)
    return JSONResponse({"url": f"{asked.base()}/{ADDRESS[moved.kind]}{moved.full_name}"})


async def settings(request: Request, kinds: str, project: str, name: str) -> Response:
    """Open a repository to others or close it."""

    def change(asked: Asked, body: dict[str, Any]) -> Response:
        gate = body.get("gated")
        if gate is not None and gate not in _GATES:
            raise BadInput("'gated' is auto, manual or false.", fix="Send one of them.", field="gated")
        found = asked.find(Want.MANAGE, kinds, project, name)
        changed = asked.park.data.repositories.change(
            asked.who, found, visibility=_visibility(body), gate=None if gate is None else _GATES[gate]
        )
        return JSONResponse(forms.repository_form(changed, None, None))

    return await _with_body(request, change)


def auth_check(request: Request, kinds: str, project: str, name: str) -> Response:
    """Whether one may read a repository."""
    asked_of(request).find(Want.READ, kinds, project, name)
    return JSONResponse({})


def auth_check_write(request: Request, kinds: str, project: str, name: str) -> Response:
    """Whether one may write a repository."""
    asked_of(request).find(Want.WRITE, kinds, project, name)
    return JSONResponse({})


# -- branches and tags -------------------------------------------------------------------------------------------------
async def add_branch(request: Request, kinds: str, project: str, name: str) -> Response:
    """Begin a branch."""

    def add(asked: Asked, body: dict[str, Any]) -> Response:
        found = asked.find(Want.WRITE, kinds, project, name)
        versions = asked.park.data.repositories.versions
        versions.add_ref(found, "branch", _name(asked), text_of(body, "startingPoint", "main"))
        return JSONResponse({})

    return await _with_body(request, add)


def drop_branch(request: Request, kinds: str, project: str, name: str) -> Response:
    """Take a branch away."""
    return _drop(request, "branch", kinds, project, name)


async def add_tag(request: Request, kinds: str, project: str, name: str) -> Response:
    """Set a tag."""

    def add(asked: Asked, body: dict[str, Any]) -> Response:
        found = asked.find(Want.WRITE, kinds, project, name)
        tag, message = text_of(body, "tag"), text_of(body, "message")
        asked.park.data.repositories.versions.add_ref(found, "tag", tag, _name(asked), message)
        return JSONResponse({})

    return await _with_body(request, add)


def drop_tag(request: Request, kinds: str, project: str, name: str) -> Response:
    """Take a tag away."""
    return _drop(request, "tag", kinds, project, name)


def _drop(request: Request, kind: str, kinds: str, project: str, name: str) -> Response:
    asked = asked_of(request)
    found = asked.find(Want.WRITE, kinds, project, name)
    asked.park.data.repositories.versions.drop_ref(found, kind, _name(asked))
    return JSONResponse({})


def _name(asked: Asked) -> str:
    """All that stands behind the fifth piece of the path: some clients send slashes of a branch as they are."""
    return "/".join(asked.path[5:])


async def squash(request: Request, kinds: str, project: str, name: str) -> Response:
    """Let a branch begin with what it holds now."""

    def work(asked: Asked, body: dict[str, Any]) -> Response:
        found = asked.find(Want.MANAGE, kinds, project, name)
        versions = asked.park.data.repositories.versions
        versions.squash(found, asked.someone(), _name(asked), text_of(body, "message"))
        return JSONResponse({})

    return await _with_body(request, work)


# -- gates -------------------------------------------------------------------------------------------------------------
def ask_in_model(request: Request) -> Response:
    """Ask for access to a model."""
    return _ask_in(request, "models", 0)


def ask_in_dataset(request: Request) -> Response:
    """Ask for access to a data set."""
    return _ask_in(request, "datasets", 1)


def _ask_in(request: Request, kinds: str, at: int) -> Response:
    asked = asked_of(request)
    found = asked.find(Want.KNOW, kinds, asked.path[at], asked.path[at + 1])
    return JSONResponse({"status": asked.park.data.repositories.ask_in(asked.who, found)})


def requests(request: Request, kinds: str, project: str, name: str, state: str) -> Response:
    """Who asked for access."""
    asked = asked_of(request)
    found = asked.find(Want.MANAGE, kinds, project, name)
    rows = asked.park.data.repositories.asking(asked.who, found, state)
    names = asked.park.accounts.people.names([person_id for person_id, _ in rows])
    return JSONResponse([_request(person_id, names, state, at_s) for person_id, at_s in rows])


def _request(person_id: str, names: dict[str, str], state: str, at_s: float) -> dict[str, Any]:
    user = {"user": person_id, "fullname": names.get(person_id, "")}
    return {"requestId": person_id, "user": user, "status": state, "timestamp": forms.instant(at_s)}


async def answer(request: Request, kinds: str, project: str, name: str) -> Response:
    """Let somebody in, or not."""

    def work(asked: Asked, body: dict[str, Any]) -> Response:
        found: Repository = asked.find(Want.MANAGE, kinds, project, name)
        person_id = text_of(body, "user") or text_of(body, "requestId")
        state = text_of(body, "status", "accepted")
        asked.park.data.repositories.answer(asked.someone(), found, person_id, state)
        return JSONResponse({})

    return await _with_body(request, work)


async def _with_body(request: Request, work: Any) -> Response:
    content = await body_of(request, BODY_BYTES_MAX)
    answered: Response = await run_in_threadpool(lambda: work(asked_of(request), json_object(content)))
    return answered
