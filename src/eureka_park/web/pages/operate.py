"""Pages for those who run the park: what is to do, people, the audit log, and what the law on personal data asks."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import Response

from eureka_park.accounts.core.permissions import AT_PARK, may
from eureka_park.accounts.core.roles import ROLES_AT, Act, Kind, Role
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.auth import Anyone, Someone, check_recent, park_of, url_of
from eureka_park.web.pages.duties import TEXTS, render, texts_said
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.inviting import NO_INVITATIONS, change_invitations, invitations_of
from eureka_park.web.pages.people_words import LANGUAGE_NAMES, LANGUAGE_TAGS, sign_in_first
from eureka_park.web.pages.words import N_

_PAGE: Final = 50
_TEXT: Final = Query(max_length=200)
Text = Annotated[str, _TEXT]


# -- people ------------------------------------------------------------------------------------------------------------
def people_page(
    request: Request, who: Anyone, text: Text = "", after: Annotated[str, Query(max_length=80)] = ""
) -> Response:
    """Everybody who has an account. For operators and auditors."""
    if who is None:
        return sign_in_first(request)
    return _people(request, who, text=text, after=after)


def change_people(request: Request, who: Someone, form: TheForm) -> Response:
    """Add somebody, or change what one may do, by the button that was pressed. For operators."""
    park = park_of(request)
    park.accounts.require_park(Act.OPERATE, who)
    try:
        more = _changed(request, park, who, form)
    except ParkError as error:
        return _people(request, who, error, text=form.one("text"))
    return _people(request, who, text=form.one("text"), **more)


def _changed(request: Request, park: Park, who: Principal, form: Form) -> dict[str, Any]:
    accounts, person_id = park.accounts, form.one("person")
    match form.one("do"):
        case "add":
            accounts.check_links(who)
            person_id = accounts.people.add(
                form.one("name"), by=who, email=form.one("email"), language=form.one("language"), is_verified=True
            )
            return {"link": _link(request, park, who, person_id), "of": form.one("name")}
        case "link":
            return {"link": _link(request, park, who, person_id), "of": accounts.people.person(person_id).name}
        case "give":
            accounts.places.give_role(who, person_id, _role(form), AT_PARK)
        case "take":
            accounts.places.take_role(who, person_id, _role(form), AT_PARK)
        case "shut" | "open":
            accounts.people.set_disabled(who, person_id, form.one("do") == "shut")
        case "invite" | "withdraw":
            return change_invitations(request, who, form, AT_PARK)
        case "email":
            accounts.people.set_email(who, person_id, form.one("email"))
        case "erase":
            if person_id == who.person_id:
                check_recent(request, who)
            if not form.has("sure"):
                raise BadInput("It was not confirmed.", fix="Tick the box.", code="not_confirmed")
            accounts.people.erase(who, person_id)
        case _:
            raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="bad_form")
    return {"done": N_("It is done.")}


def _role(form: Form) -> Role:
    try:
        return Role(form.one("role"))
    except ValueError:
        raise BadInput("There is no such role.", fix="Choose one.", code="bad_role", field="role") from None


def _link(request: Request, park: Park, who: Principal, person_id: str) -> str:
    return f"{url_of(request)}/sign-in?code={park.accounts.new_sign_in_link(person_id, by=who)}"


def _people(
    request: Request, who: Principal, error: ParkError | None = None, *, text: str = "", after: str = "", **more: Any
) -> Response:
    park = park_of(request)
    park.accounts.require_park(Act.SEE_PEOPLE, who)
    found = park.accounts.people.page(after, _PAGE, text)
    may_operate = may(Act.OPERATE, who, None).is_allowed
    invited = invitations_of(park, who, AT_PARK) if may_operate else NO_INVITATIONS
    shown = {"link": "", "of": "", "done": "", **invited}
    held = {item.person_id: _park_roles(park, item.person_id) for item in found}
    return render(
        request, "operate_people.html", "/operate", error, found=found, held=held,
        text=text, next=found[-1].person_id if len(found) == _PAGE else "", language_names=LANGUAGE_NAMES,
        language_tags=LANGUAGE_TAGS,
        offered=[str(role) for role in Role if role in ROLES_AT[Kind.PARK]], now_real_s=park.clock.real_s(),
        may_operate=may_operate, **{**shown, **more},
    )  # fmt: skip


def _park_roles(park: Park, person_id: str) -> list[Any]:
    return list(park.accounts.places.roles_of(person_id))


# -- audit -------------------------------------------------------------------------------------------------------------
def audit_page(
    request: Request,
    who: Anyone,
    person: Text = "",
    thing: Text = "",
    after: Annotated[str, Query(max_length=20)] = "",
    check: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """What was done, the newest first; with `check` the chain is followed. For operators and auditors."""
    if who is None:
        return sign_in_first(request)
    park = park_of(request)
    park.accounts.require_park(Act.AUDIT, who)
    before = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    found = park.accounts.audit.newest(before, _PAGE, who=person, thing=thing)
    ids = [item["who"] for item in found] + [item["thing"] for item in found if item["thing"].startswith("person-")]
    return render(
        request, "operate_audit.html", "/operate", found=found, names=park.accounts.people.names(sorted({*ids} - {""})),
        person=person, thing=thing, checked=park.accounts.audit.check() if check else None,
        next=str(found[-1]["entry_id"]) if len(found) == _PAGE else "",
    )  # fmt: skip


# -- what is to do -----------------------------------------------------------------------------------------------------
def operate_page(request: Request, who: Anyone) -> Response:
    """What a park needs before it opens, and what stands open now. For operators."""
    if who is None:
        return sign_in_first(request)
    park = park_of(request)
    park.accounts.require_park(Act.OPERATE, who)
    n_people, n_shut = park.accounts.people.counts()
    said = texts_said(park)
    tasks = _tasks(park, who, n_people, sum(1 for name in TEXTS if said.get(name)))
    return render(
        request, "operate.html", "/operate", tasks=tasks, n_people=n_people,
        n_open=sum(not task["is_done"] for task in tasks),
        n_projects=len(park.accounts.projects(who)), n_shut=n_shut,
    )  # fmt: skip


def _tasks(park: Park, who: Principal, n_people: int, n_texts: int) -> list[dict[str, Any]]:
    """The steps of a new park in their order, each with whether it is done and where it is done."""
    n_operators = len([item for item in park.accounts.places.holders(AT_PARK) if item.role is Role.OPERATOR])
    is_named = park.accounts.people.person(who.person_id).name != "owner"
    steps = (
        (
            N_("Your name"), is_named, "/account",
            N_("The first account is called owner; people like to know whom they ask."),
        ),
        (
            N_("A second operator"), n_operators > 1, "/operate/people",
            N_("So that one lost key locks nobody out of the park."),
        ),
        (
            N_("The first people"), n_people > 2, "/operate/people",
            N_("Add them with a link each, or open a way to sign up."),
        ),
        (
            N_("A project beside welcome"), len(park.accounts.projects(who)) > 1, "/projects",
            N_("Work that not everybody may see belongs into a project of its own."),
        ),
        (
            N_("What the law asks"), n_texts == len(TEXTS), "/operate/duties",
            N_("Seven short texts on personal data: who answers for it, where it lies, how long."),
        ),
    )  # fmt: skip
    return [{"title": title, "is_done": is_done, "link": link, "about": about} for title, is_done, link, about in steps]
