"""Inviting somebody, by a page or the API: counted, so that nobody has the park write letters to everybody."""

from __future__ import annotations

from fastapi import Request

from eureka_park.accounts.core.roles import Act, Kind, Role
from eureka_park.accounts.service import Principal
from eureka_park.accounts.sign_in.invitations import DAYS
from eureka_park.accounts.sign_in.service import Browser
from eureka_park.accounts.sign_in.store import Invitation
from eureka_park.compute.own_project import owner_of
from eureka_park.foundation.errors import Forbidden
from eureka_park.web.auth import limits_of, open_from, park_of, url_of
from eureka_park.web.limits import counted_as


def invite(
    request: Request, who: Principal, role: Role, scope: str, *, email: str, name: str = "", language: str = "",
    days: int = DAYS,
) -> tuple[Invitation, str]:  # fmt: skip
    """Ask somebody to hold a role at a scope: the invitation, and its link where the park sends no e-mail.

    Raises as `Invitations.new`, and RateLimited: twenty at once, then one every five seconds; five letters an hour to
    one address. Forbidden (`own_project`) for the small project that everybody gets to try the park.
    """
    _check_place(request, who, scope)
    limits = limits_of(request)
    limits.take("sign_in", f"invited by {who.person_id}")
    limits.take("mail", counted_as(email))
    browser = Browser(**open_from(request), url=url_of(request))
    return park_of(request).sign_in.invitations.new(
        who, email, role, scope, browser=browser, name=name, language=language, days=days
    )


def _check_place(request: Request, who: Principal, scope: str) -> None:
    """Whoever signs up leads such a project at once: it must not let them write to strangers in the park's name."""
    kind, _, name = scope.partition(":")
    accounts = park_of(request).accounts
    owner_id = owner_of(name) if kind == Kind.PROJECT else ""
    if not owner_id or not accounts.answer(Act.MANAGE, who, name).is_allowed:
        return  # who does not lead it is told so by the service
    if accounts.people.names([owner_id]):
        raise Forbidden(
            "Nobody is invited into a project that is there to try the park.",
            fix="Ask an operator for a project of your own.", code="own_project",
        )  # fmt: skip
