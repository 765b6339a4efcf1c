"""Inviting somebody, by a page or the API: counted, so that nobody has the park write letters to everybody."""

from __future__ import annotations

from fastapi import Request

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.service import Principal
from eureka_park.accounts.sign_in.invitations import DAYS
from eureka_park.accounts.sign_in.service import Browser
from eureka_park.accounts.sign_in.store import Invitation
from eureka_park.web.auth import limits_of, open_from, park_of, url_of
from eureka_park.web.limits import counted_as


def invite(
    request: Request, who: Principal, role: Role, scope: str, *, email: str, name: str = "", language: str = "",
    days: int = DAYS,
) -> tuple[Invitation, str]:  # fmt: skip
    """Ask somebody to hold a role at a scope: the invitation, and its link where the park sends no e-mail.

    Raises as `Invitations.new`, and RateLimited: twenty at once, then one every five seconds; five letters an hour to
    one address.
    """
    limits = limits_of(request)
    limits.take("sign_in", f"invited by {who.person_id}")
    limits.take("mail", counted_as(email))
    browser = Browser(**open_from(request), url=url_of(request))
    return park_of(request).sign_in.invitations.new(
        who, email, role, scope, browser=browser, name=name, language=language, days=days
    )
