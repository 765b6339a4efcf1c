"""Projects and organisations: who is in them, what they are, what they used."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.permissions import (
    Organisation,
    Project,
    Thing,
    kind_of,
    may,
    may_know_people,
    scope_of,
    scope_text,
)
from eureka_park.accounts.core.roles import ROLES_AT, Act, Kind, Role
from eureka_park.accounts.places import ORGANISATION_KINDS
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.auth import Anyone, Someone, limits_of, park_of
from eureka_park.web.pages.data_list import newest_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.inviting import INVITING, NO_INVITATIONS, change_invitations, invitations_of
from eureka_park.web.pages.people_words import KIND_NAMES, person_named, show, sign_in_first, told, welcomed
from eureka_park.web.pages.words import N_

_BILLING: Final = (
    ("ice", N_("ICE"), N_("Morocco’s identifier of enterprises, 15 digits.")),
    ("tax_id", N_("Tax number"), ""),
    ("email", N_("E-mail for invoices"), ""),
    ("address", N_("Address on invoices"), ""),
    ("currency", N_("Currency"), N_("Three letters, as MAD.")),
)
_RECENT: Final = 6


def projects_page(request: Request, who: Anyone) -> Response:
    """The projects and organisations that one may see, and forms for new ones."""
    return _projects(request, who)


def found(request: Request, who: Someone, form: TheForm) -> Response:
    """Begin a project or found an organisation."""
    places, name = park_of(request).accounts.places, form.one("id").strip()
    try:
        if form.one("what") == "organisation":
            places.new_organisation(who, name, form.one("title"), form.one("kind"), country=form.one("country").strip())
            return RedirectResponse(f"/organisations/{name}", 303)
        places.new_project(
            who, name, form.one("title"), is_public=form.has("is_public"), organisation_id=form.one("organisation")
        )
    except ParkError as error:
        return _projects(request, who, error, form)
    return RedirectResponse(f"/projects/{name}", 303)


def _projects(
    request: Request, who: Principal | None, error: ParkError | None = None, form: Form | None = None
) -> Response:
    park, words = park_of(request), words_of(request)
    organisations = park.accounts.places.organisations(who) if who is not None else []
    founding = [item for item in organisations if may(Act.FOUND, who, item).is_allowed]
    rows = [_row(words, who, item) for item in park.accounts.projects(who)]
    return show(
        request, "projects.html", "/projects", error, wrong=told(words, error), typed=form or Form(),
        mine=[row for row in rows if row["mine"]], others=[row for row in rows if not row["mine"]],
        organisations=organisations, founding=founding, kinds={key: KIND_NAMES[key] for key in ORGANISATION_KINDS},
        kind_names=KIND_NAMES, may_found=may(Act.FOUND, who, None).is_allowed,
    )  # fmt: skip


def _row(words: Any, who: Principal | None, project: Project) -> dict[str, Any]:
    held = who.held_at(scope_of(Kind.PROJECT, project.project_id)) if who is not None else {}
    return {"it": project, "mine": list(held)}


# -- one project -------------------------------------------------------------------------------------------------------
def project_page(request: Request, who: Anyone, project_id: str) -> Response:
    """A project: people, usage, settings."""
    if who is None and not park_of(request).accounts.visible(None, project_id):
        return sign_in_first(request)
    return _project(request, who, project_id)


def change_project(request: Request, who: Someone, project_id: str, form: TheForm) -> Response:
    """Settings, roles and machines of a project, by the button that was pressed."""
    park, scope = park_of(request), scope_of(Kind.PROJECT, project_id)
    park.accounts.require(Act.SEE, who, project_id)
    try:
        if form.one("do") == "settings":
            changes = {name: form.has(name) for name in ("is_public", "is_closed")}
            park.accounts.places.change_project(who, project_id, {"title": form.one("title"), **changes})
        elif form.one("do") == "machine":
            park.accounts.places.new_machine(who, project_id, form.one("name"))
        elif form.one("do") in INVITING:
            return _project(request, who, project_id, **change_invitations(request, who, form, scope))
        elif _set_role(request, who, form, scope):
            return RedirectResponse("/projects", 303)
    except ParkError as error:
        return _project(request, who, project_id, error)
    return RedirectResponse(f"/projects/{project_id}?done=1", 303)


def _project(
    request: Request, who: Principal | None, project_id: str, error: ParkError | None = None, **more: Any
) -> Response:
    park, words = park_of(request), words_of(request)
    project = park.accounts.require(Act.SEE, who, project_id)
    found, _ = park.compute.jobs(who, project=project_id, limit=_RECENT)
    now_s = park.clock.park_s()
    recent = [{**job, "submitted": words.when(parse_instant_s(job["submitted_at"]), now_s)} for job in found]
    return show(
        request, "project.html", "/projects", error, wrong=told(words, error), project=project,
        usable=_usable(park, who, project), recent=recent, stored=newest_of(park, words, who, project_id),
        welcome=welcomed(request, words),
        **{"done": _done(request), **_people(park, who, project), **more},
    )  # fmt: skip


def _done(request: Request) -> str:
    return N_("It is done.") if "done" in request.query_params else ""


def _usable(park: Park, who: Principal | None, project: Project) -> float | None:
    """Credits that can be spent now; None for whoever may not know."""
    if not may(Act.SEE_BILL, who, project).is_allowed:
        return None
    return park.ledger.grants.usable(project.project_id, park.clock.park_s())


def _people(park: Park, who: Principal | None, thing: Thing) -> dict[str, Any]:
    knows, may_manage = may_know_people(who, thing), may(Act.MANAGE, who, thing).is_allowed
    return {
        "holders": park.accounts.places.holders(scope_text(thing)) if knows else None,
        "by_groups": park.accounts.groups.holding(scope_text(thing)) if knows else (),
        "my_groups": park.accounts.groups.of(who) if may_manage and who is not None else (),
        **(invitations_of(park, who, scope_text(thing)) if may_manage and who is not None else NO_INVITATIONS),
        "may_manage": may_manage,
        "offered": [str(role) for role in Role if role in ROLES_AT[kind_of(thing)]],
    }


def _set_role(request: Request, who: Principal, form: Form, scope: str) -> bool:
    """Give or take a role, as the form says; whether the asker has left by it."""
    places = park_of(request).accounts.places
    try:
        role = Role(form.one("role"))
    except ValueError:
        raise BadInput("There is no such role.", fix="Choose one.", code="bad_role", field="role") from None
    if form.one("do") == "take":
        places.take_role(who, form.one("person"), role, scope)
        return form.one("person") == who.person_id
    limits_of(request).take("sign_in", f"named by {who.person_id}")  # or one could try addresses until one is known
    places.give_role(who, person_named(request, form.one("person")), role, scope)
    return False


# -- one organisation --------------------------------------------------------------------------------------------------
def organisation_page(request: Request, who: Anyone, organisation_id: str) -> Response:
    """An organisation: people, projects, what invoices need."""
    return sign_in_first(request) if who is None else _organisation(request, who, organisation_id)


def change_organisation(request: Request, who: Someone, organisation_id: str, form: TheForm) -> Response:
    """Settings and roles of an organisation, by the button that was pressed."""
    park = park_of(request)
    park.accounts.require_organisation(Act.SEE, who, organisation_id)
    try:
        if form.one("do") == "settings":
            billing = {name: form.one(name) for name, _, _ in _BILLING}
            changes = {name: form.one(name).strip() for name in ("name", "kind", "country")}
            park.accounts.places.change_organisation(who, organisation_id, {**changes, "billing": billing})
        elif form.one("do") in INVITING:
            more = change_invitations(request, who, form, scope_of(Kind.ORGANISATION, organisation_id))
            return _organisation(request, who, organisation_id, **more)
        elif _set_role(request, who, form, scope_of(Kind.ORGANISATION, organisation_id)):
            return RedirectResponse("/projects", 303)
    except ParkError as error:
        return _organisation(request, who, organisation_id, error)
    return RedirectResponse(f"/organisations/{organisation_id}?done=1", 303)


def _organisation(
    request: Request, who: Principal, organisation_id: str, error: ParkError | None = None, **more: Any
) -> Response:
    park, words = park_of(request), words_of(request)
    place: Organisation = park.accounts.require_organisation(Act.SEE, who, organisation_id)
    projects = [item for item in park.accounts.projects(who) if item.organisation_id == organisation_id]
    groups = [item for item in park.accounts.groups.of(who) if item.organisation_id == organisation_id]
    return show(
        request, "organisation.html", "/projects", error, wrong=told(words, error), seat=place,
        projects=projects, groups=groups,
        billing=_BILLING, kinds=KIND_NAMES, welcome=welcomed(request, words),
        **{"done": _done(request), **_people(park, who, place), **more},
        may_found=may(Act.FOUND, who, place).is_allowed, sees_bill=may(Act.SEE_BILL, who, place).is_allowed,
    )  # fmt: skip
