"""Groups: people who hold roles together; who is in one, what it holds, and who decides about it."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.permissions import may
from eureka_park.accounts.service import Act, Principal
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.auth import Anyone, Someone, limits_of, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.people_words import person_named, show, sign_in_first, told
from eureka_park.web.pages.words import N_


def groups_page(request: Request, who: Anyone) -> Response:
    """The groups that one may know of, and a form for another where one may make it."""
    return sign_in_first(request) if who is None else _groups(request, who)


def make_group(request: Request, who: Someone, form: TheForm) -> Response:
    """Make a group of an organisation or of the park."""
    accounts, organisation = park_of(request).accounts, form.one("organisation")
    if organisation:
        accounts.require_organisation(Act.MANAGE, who, organisation)
    else:
        accounts.require_park(Act.OPERATE, who)
    try:
        group_id = accounts.groups.new(who, form.one("name"), organisation)
    except ParkError as error:
        return _groups(request, who, error, form)
    return RedirectResponse(f"/groups/{group_id}", 303)


def _groups(request: Request, who: Principal, error: ParkError | None = None, form: Form | None = None) -> Response:
    accounts = park_of(request).accounts
    leads = [item for item in accounts.places.organisations(who) if may(Act.MANAGE, who, item).is_allowed]
    return show(
        request, "groups.html", "/groups", error, wrong=told(words_of(request), error), typed=form or Form(),
        groups=accounts.groups.of(who), leads=leads, may_operate=may(Act.OPERATE, who, None).is_allowed,
    )  # fmt: skip


def group_page(request: Request, who: Anyone, group_id: str) -> Response:
    """One group."""
    return sign_in_first(request) if who is None else _group(request, who, group_id)


def change_group(request: Request, who: Someone, group_id: str, form: TheForm) -> Response:
    """Put somebody in, take somebody out, rename or end it, by the button that was pressed."""
    groups, person = park_of(request).accounts.groups, form.one("person")
    groups.told(who, group_id)  # NotFound as a page of its own
    try:
        match form.one("do"):
            case "add":
                limits_of(request).take("sign_in", f"named by {who.person_id}")
                groups.put_in(who, group_id, person_named(request, person))
            case "take":
                groups.take_out(who, group_id, person)
                if person == who.person_id:
                    return RedirectResponse("/groups", 303)
            case "rename":
                groups.rename(who, group_id, form.one("name"))
            case "end":
                if not form.has("sure"):
                    raise BadInput("It was not confirmed.", fix="Tick the box.", code="not_confirmed")
                groups.end(who, group_id)
                return RedirectResponse("/groups", 303)
            case _:
                raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="bad_form")
    except ParkError as error:
        return _group(request, who, group_id, error)
    return RedirectResponse(f"/groups/{group_id}?done=1", 303)


def _group(request: Request, who: Principal, group_id: str, error: ParkError | None = None) -> Response:
    groups = park_of(request).accounts.groups
    found = groups.told(who, group_id)
    held = [dict(zip(("role", "kind", "name"), (role, *scope.split(":")), strict=False)) for role, scope in found.roles]
    return show(
        request, "group.html", "/groups", error, wrong=told(words_of(request), error), told_of=found, held=held,
        may_manage=groups.may_manage(who, found.group),
        done=N_("It is done.") if "done" in request.query_params else "",
    )  # fmt: skip
