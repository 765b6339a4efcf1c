"""The card of open invitations on the pages of projects, organisations and the park's people."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput
from eureka_park.web.auth import park_of
from eureka_park.web.inviting import invite
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.words import N_

INVITING: Final = frozenset({"invite", "withdraw"})
NO_INVITATIONS: Final = {"invitations": None, "invitation_link": ""}
LASTS_D: Final = {"1": N_("a day"), "7": N_("a week"), "14": N_("two weeks"), "30": N_("30 days")}


def invitations_of(park: Park, who: Principal, scope: str) -> dict[str, Any]:
    """What the card shows to whoever decides who is in a place."""
    found = park.sign_in.invitations.at(who, scope)
    settings = park.sign_in.settings()
    return {
        "invitations": found, "inviters": park.accounts.people.names([item.invited_by for item in found]),
        "invitation_link": "", "invitation_lasts": LASTS_D, "invitation_now_s": park.clock.real_s(),
        "sends_mail": settings.mail is not None,
        "takes_invited": settings.mail is None or settings.sign_up != "closed",
    }  # fmt: skip


def change_invitations(request: Request, who: Principal, form: TheForm, scope: str) -> dict[str, Any]:
    """Invite somebody or withdraw an invitation; what the page then shows. Raises as the service does."""
    if form.one("do") == "withdraw":
        park_of(request).sign_in.invitations.withdraw(who, scope, form.one("invitation"))
        return {"done": N_("The invitation is withdrawn; its link is good for nothing.")}
    days = form.one("days", "14")
    if days not in LASTS_D:
        raise BadInput("It lasts as long as the form offers.", fix="Choose one.", code="bad_days", field="days")
    made, link = invite(
        request, who, _role(form), scope, email=form.one("email"), name=form.one("name"),
        language=words_of(request).language.locale, days=int(days),
    )  # fmt: skip
    shown = invitations_of(park_of(request), who, scope)
    if link:
        return {**shown, "invitation_link": link, "invited": made.email}
    return {**shown, "done": N_("The invitation is under way. It stands below until it is answered.")}


def _role(form: Form) -> Role:
    try:
        return Role(form.one("role", "member"))
    except ValueError:
        raise BadInput("There is no such role.", fix="Choose one.", code="bad_role", field="role") from None
