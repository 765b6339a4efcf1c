"""Where the links of two letters lead: an invitation, another e-mail address. Looking spends nothing; a button does."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.permissions import kind_of
from eureka_park.accounts.core.roles import TABLE, Act, Kind
from eureka_park.accounts.sign_in.addresses import Change
from eureka_park.accounts.sign_in.invitations import Joined, Offer
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Anyone, check_same_origin, park_of
from eureka_park.web.pages.door import browser_of, count_try, entered, show
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.people_words import ACT_NAMES, ROLE_NAMES
from eureka_park.web.pages.sign_in import Code, draw

_FIELDS = ("name", "password")


# -- an invitation -----------------------------------------------------------------------------------------------------
def invitation_page(request: Request, who: Anyone, code: Code = "") -> Response:
    """Who invites one whereto, what that lets one do, and until when."""
    try:
        count_try(request, "")
        offer = park_of(request).sign_in.invitations.opening(code)
    except ParkError as error:
        return draw(request, "/", error)
    return _offer(request, code, offer, offer.invitation.name, is_in=who is not None)


def accept_invitation(request: Request, who: Anyone, form: TheForm) -> Response:
    """Take the role; who is new gets an account, who has one goes on to sign in."""
    check_same_origin(request)
    invitations, code, offer = park_of(request).sign_in.invitations, form.one("code"), None
    try:
        count_try(request, "")
        offer = invitations.opening(code)
        given = {"name": form.one("name"), "password": form.one("password")}
        done = invitations.accept(code, browser_of(request), **given)
    except ParkError as error:
        if offer is None or error.field not in _FIELDS:
            return draw(request, "/", error)
        return _offer(request, code, offer, form.one("name"), error)
    if not isinstance(done, Joined):
        return entered(request, done)
    if who is not None and who.person_id == done.person_id:
        return RedirectResponse(done.next_path, 303)
    return draw(request, done.next_path, done="joined")


def _offer(
    request: Request, code: str, offer: Offer, name: str, error: ParkError | None = None, *, is_in: bool = False
) -> Response:
    park = park_of(request)
    return show(
        request, "invitation.html", "/sign-in", error, _FIELDS, code=code, offer=offer, name=name, is_in=is_in,
        role=ROLE_NAMES[offer.invitation.role], acts=[ACT_NAMES[act] for act in _acts(park, offer)],
        has_passwords=park.sign_in.methods().has_passwords, real_s=park.clock.real_s(),
    )  # fmt: skip


def _acts(park: Park, offer: Offer) -> list[Act]:
    """What the role lets one do at the place, in the order of the table."""
    kind, role = kind_of(park.accounts.places.thing(offer.invitation.scope)), offer.invitation.role
    is_park = kind is Kind.PARK
    return [
        act for act, rule in TABLE.items() if role in rule.here.get(kind, ()) or (is_park and role in rule.everywhere)
    ]


# -- another address ---------------------------------------------------------------------------------------------------
def address_page(request: Request, code: Code = "") -> Response:
    """Whose address is to become which."""
    try:
        count_try(request, "")
        change = park_of(request).sign_in.addresses.opening(code)
    except ParkError as error:
        return draw(request, "/", error)
    return _address(request, change, code)


def confirm_address(request: Request, form: TheForm) -> Response:
    """Make the change; nobody is signed in by it."""
    check_same_origin(request)
    try:
        count_try(request, "")
        change = park_of(request).sign_in.addresses.confirm(form.one("code"))
    except ParkError as error:
        return draw(request, "/", error)
    return _address(request, change, is_done=True)


def _address(request: Request, change: Change, code: str = "", **more: Any) -> Response:
    return show(request, "address.html", "/sign-in", code=code, change=change, **{"is_done": False, **more})
