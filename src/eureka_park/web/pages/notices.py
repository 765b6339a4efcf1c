"""What one is told: kinds of notices by ways, webhooks, what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from eureka_park.accounts.core.notices import EMAIL
from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.auth import Anyone, Someone, limits_of, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.people_words import show, sign_in_first, told
from eureka_park.web.pages.words import N_

PATH: Final = "/account/notices"
KIND_WORDS: Final[Mapping[str, str]] = {
    "job.ended": N_("A job of yours is finished"),
    "job.failed": N_("A job of yours has failed"),
    "job.unpaid": N_("A job of yours has no credits left"),
    "budget.reached": N_("A budget has reached a threshold"),
    "grant.given": N_("A project gets credits"),
    "grant.ending": N_("A grant ends"),
    "grant.reclaim_noticed": N_("A grant is little used, and a part of it will go back"),
    "grant.reclaimed": N_("Unused credits went back"),
    "invoice.issued": N_("There is an invoice"),
    "session.new_place": N_("A sign-in from a new place"),
    "token.made": N_("A token was made for you"),
    "role.given": N_("You get a role"),
    "webhook.disabled": N_("A webhook of yours was turned off"),
    "top_up.requested": N_("Somebody asks to buy credits"),
    "plan.missing": N_("There is no new power plan"),
    "store.damaged": N_("A content of the store is damaged"),
    "test": N_("A test"),
}
GROUP_WORDS: Final[Mapping[str, str]] = {
    "jobs": N_("Jobs"), "credits": N_("Credits of your projects"), "account": N_("Your account"),
    "operators": N_("The park"),
}  # fmt: skip
STATE_WORDS: Final[Mapping[str, str]] = {
    "waiting": N_("waits"), "sent": N_("arrived"), "failed": N_("did not arrive"),
}  # fmt: skip


def notices_page(request: Request, who: Anyone) -> Response:
    """What one hears of, by which ways, and what was sent."""
    return sign_in_first(request) if who is None else _draw(request, who)


def change_notices(request: Request, who: Someone, form: TheForm) -> Response:
    """Do what the button that was pressed says."""
    park = park_of(request)
    try:
        park.accounts.require_park(Act.ACCOUNT, who)
        if form.one("do") in ("test", "again"):
            limits_of(request).take("notice", who.person_id)
        more = _changed(park, who, form)
    except ParkError as error:
        return _draw(request, who, error)
    return _draw(request, who, **more)


def _changed(park: Park, who: Principal, form: Form) -> dict[str, Any]:
    notices, name = park.telling.notices, form.one("webhook")
    match form.one("do"):
        case "choose":
            marked = set(form.all("on"))
            notices.choose(who, {key: "|".join(key) in marked for key in notices.chosen(who)})
            return {"done": N_("It is kept.")}
        case "add":
            kinds = [kind.name for kind in notices.kinds_for(who)] if form.has("all") else form.all("kind")
            secret, made = notices.add_webhook(who, form.one("url"), form.one("name"), kinds)
            return {"secret": secret, "of": made.name}
        case "renew":
            return {"secret": notices.renew_secret(who, name), "of": ""}
        case "on" | "off":
            notices.set_on(who, name, form.one("do") == "on")
            return {"done": N_("It is done.")}
        case "end":
            notices.end_webhook(who, name)
            return {"done": N_("The webhook is ended, and what waited for it is gone.")}
        case "test":
            notices.send_test(who, form.one("way", EMAIL))
            return {"done": N_("A test is on its way. It stands in the list below.")}
        case "again":
            notices.send_again(who, form.one("delivery"))
            return {"done": N_("It is sent once more.")}
    raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="bad_form")


def _draw(request: Request, who: Principal, error: ParkError | None = None, **more: Any) -> Response:
    park = park_of(request)
    park.accounts.require_park(Act.ACCOUNT, who)
    notices = park.telling.notices
    groups: dict[str, list[str]] = {}
    for kind in notices.kinds_for(who):
        groups.setdefault(kind.group, []).append(kind.name)
    hooks = notices.webhooks(who)
    ways = {EMAIL: "", **{hook.webhook_id: hook.name for hook in hooks}}
    context: dict[str, Any] = {"secret": "", "of": "", "done": "", **more}
    return show(
        request, "notices.html", "/account", error, wrong=told(words_of(request), error), groups=groups,
        chosen=notices.chosen(who), webhooks=hooks, ways=ways, sent=notices.deliveries(who, 30),
        kind_words=KIND_WORDS, group_words=GROUP_WORDS, state_words=STATE_WORDS, real_s=park.clock.real_s(),
        has_mail=park.sign_in.settings().mail is not None,
        email=park.accounts.people.person(who.person_id).email, **context,
    )  # fmt: skip
