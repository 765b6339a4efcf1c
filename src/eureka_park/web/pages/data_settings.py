"""Who sees a repository, who asks to read it, how long its versions stay, what it takes up; its name and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.data.core.lasting import LastingRule
from eureka_park.data.core.repository import Gate, Visibility
from eureka_park.data.keys.service import KeeperKind, key_of_text
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound, ParkError
from eureka_park.foundation.units import DAY_S, GIB, HOUR_S
from eureka_park.web.auth import Anyone, Someone
from eureka_park.web.charts.stored_days import StoredDay, stored_days
from eureka_park.web.pages.data_frame import VISIBILITY_NAMES, Here, here_of, repository_page, shown
from eureka_park.web.pages.data_links import link_to
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.words import N_

DAYS_SHOWN: Final = 90
PEOPLE_SHOWN: Final = 200
GATE_NAMES: Final[Mapping[str, str]] = {
    Gate.OPEN: N_("open: who sees it reads it"),
    Gate.AUTO: N_("on request: everybody who asks is let in"),
    Gate.MANUAL: N_("on request: a lead answers"),
}
VISIBILITY_HINTS: Final[Mapping[str, str]] = {
    Visibility.PRIVATE: N_("who holds a role in its project"),
    Visibility.ORGANISATION: N_("also the members of the project’s organisation"),
    Visibility.PUBLIC: N_("everybody"),
}
KEEPER_NAMES: Final[Mapping[KeeperKind, str]] = {
    KeeperKind.PARK: N_("The park keeps its key."),
    KeeperKind.KMS: N_("The park’s key service keeps its key."),
    KeeperKind.CUSTOMER: N_("You keep its key, and lend it to the park for a while."),
}
STATES: Final[Mapping[str, str]] = {"pending": N_("asks"), "accepted": N_("let in"), "rejected": N_("refused")}


def settings_page(request: Request, who: Anyone) -> Response:
    """Access and settings of a repository."""
    return repository_page(_settings, Want.MANAGE)(request, who)


def _settings(here: Here, error: ParkError | None = None, form: Form | None = None, **more: Any) -> Response:
    keeping, words = here.park.data.keeping, here.words
    rule = keeping.rule(here.who, here.repository)
    hold = keeping.hold(here.who, here.repository)
    lost = keeping.lost(here.who, here.repository)
    context = {
        "asking": _asking(here), "gates": GATE_NAMES, "visibilities": VISIBILITY_NAMES, "hints": VISIBILITY_HINTS,
        "states": STATES, "rule": _rule_fields(rule), "rule_is_empty": rule.is_empty, "hold": hold,
        "hold_when": words.when(hold.set_at_s, here.park.clock.real_s()) if hold else "",
        "may_hold": keeping.may_hold(here.who, here.repository), "lost": lost, "typed": form or Form(),
        "seal": _seal(here),
        "needs_confirmation": error is not None and error.code == "personal_data", "going": None, "use": _use(here),
    }  # fmt: skip
    return shown(here, "data_settings.html", "settings", error, **{**context, **more})


def _seal(here: Here) -> dict[str, Any] | None:
    """How the project's contents are sealed; None where they lie in clear, or for whoever may not know."""
    try:
        found = here.park.data.keys.state(here.who, here.repository.project_id)
    except (Forbidden, NotFound):
        return None
    if found is None:
        return None
    until = here.words.when(found.open_until_s, here.park.clock.real_s()) if found.open_until_s else ""
    return {
        "keeper": KEEPER_NAMES[found.keeper], "is_lent": found.keeper is KeeperKind.CUSTOMER, "is_open": found.is_open,
        "until": until, "is_gone": found.destroyed_at_s is not None,
    }  # fmt: skip


def _asking(here: Here) -> list[dict[str, Any]]:
    """Who asked for access, those first who wait."""
    found = [
        (state, person_id, at_s)
        for state in STATES
        for person_id, at_s in here.park.data.repositories.asking(here.who, here.repository, state)
    ][:PEOPLE_SHOWN]
    names = here.park.accounts.people.names([person_id for _, person_id, _ in found])
    now_s = here.park.clock.real_s()
    return [
        {"state": state, "person_id": person_id, "name": names.get(person_id, ""), "when": here.words.when(at_s, now_s)}
        for state, person_id, at_s in found
    ]


def _rule_fields(rule: LastingRule) -> dict[str, str]:
    return {
        "n_versions": str(rule.n_versions or ""),
        "history_days": f"{rule.history_s / DAY_S:g}" if rule.history_s else "",
        "branches_days": f"{rule.branches_s / DAY_S:g}" if rule.branches_s else "",
    }


def _use(here: Here) -> dict[str, Any] | None:
    """What the project keeps, by repository and by day; None for whoever may not know."""
    words, project = here.words, here.repository.project_id
    try:
        use = here.park.data.keeping.use(here.who, project)
        days = here.park.ledger.storage.by_day(here.who, project, here.park.clock.park_s(), DAYS_SHOWN)
    except Forbidden:
        return None
    largest = max((one.size_bytes for one in use.repositories), default=0) or 1
    told = words.say("Stored by this project, day by day")
    bars = [StoredDay(words.long_date(day), gib) for day, gib in days]
    price = here.park.ledger.billing.price_list(here.park.clock.park_s())
    mad = price.mad_per_gib_month if price is not None else 0
    return {
        "used": words.size(use.used_bytes), "limit": words.size(use.limit_bytes),
        "going": words.size(use.going_bytes) if use.going_bytes else "",
        "frac": min(1.0, use.used_bytes / use.limit_bytes) if use.limit_bytes else 1.0,
        "share": words.percent(use.used_bytes / use.limit_bytes) if use.limit_bytes else "",
        "rows": [
            {"name": one.name, "size": words.size(one.size_bytes), "frac": one.size_bytes / largest,
             "link": link_to(one.kind, project, one.name), "is_here": one.name == here.repository.name}
            for one in use.repositories[:10]
        ],
        "picture": stored_days(bars, words, told, use.limit_bytes / GIB) if len(bars) > 1 else None,
        "price": words.number(mad, 2) if mad else "",
        "month": words.number(use.used_bytes / GIB * mad, 2) if mad else "",
    }  # fmt: skip


# -- changing ----------------------------------------------------------------------------------------------------------
def change_settings(request: Request, who: Someone, form: TheForm) -> Response:
    """Change one thing, by the button that was pressed."""
    here = here_of(request, who, Want.MANAGE)
    deed = _DEEDS.get(form.one("do"))
    try:
        if form.one("do") == "preview":
            going = here.park.data.keeping.preview(who, here.repository, _rule(form))
            return _settings(here, None, form, going=going)
        if deed is None:
            raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="nothing_to_do")
        back = deed(here, form)
    except ParkError as error:
        if error.http_status in (401, 403, 404) and error.code not in ("no_such_request", "wrong_key"):
            raise
        return _settings(here, error, form)
    return RedirectResponse(back, 303)


def _set_access(here: Here, form: Form) -> str:
    here.park.data.repositories.change(
        here.who, here.repository, visibility=form.one("visibility"), gate=form.one("gate"),
        confirms_personal_data=form.has("confirms_personal_data"),
    )  # fmt: skip
    return here.link("settings", done="1")


def _answer(here: Here, form: Form) -> str:
    here.park.data.repositories.answer(here.who, here.repository, form.one("person"), form.one("state"))
    return here.link("settings", done="1")


def _set_rule(here: Here, form: Form) -> str:
    here.park.data.keeping.set_rule(here.who, here.repository, _rule(form))
    return here.link("settings", done="1")


def _rule(form: Form) -> LastingRule:
    n, history, branches = (_whole(form, name) for name in ("n_versions", "history_days", "branches_days"))
    return LastingRule(n, history * DAY_S if history else None, branches * DAY_S if branches else None)


def _whole(form: Form, name: str) -> int | None:
    text = form.one(name).strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) == 0:
        raise BadInput(f"'{text[:20]}' is no whole number.", fix="Write 30, or nothing.", code="bad_number", field=name)
    return int(text)


def _set_hold(here: Here, form: Form) -> str:
    if form.one("reason").strip() or form.one("do") == "hold":
        here.park.data.keeping.set_hold(here.who, here.repository, form.one("reason"))
    return here.link("settings", done="1")


def _lift_hold(here: Here, _form: Form) -> str:
    here.park.data.keeping.lift_hold(here.who, here.repository)
    return here.link("settings", done="1")


def _unlock(here: Here, form: Form) -> str:
    assert here.who is not None
    hours = _whole(form, "hours") or 4
    key = key_of_text(form.one("key").strip())
    here.park.data.keys.unlock(here.who, here.repository.project_id, key, hours * HOUR_S)
    return here.link("settings", done="1")


def _lock(here: Here, _form: Form) -> str:
    assert here.who is not None
    here.park.data.keys.lock(here.who, here.repository.project_id)
    return here.link("settings", done="1")


def _rename(here: Here, form: Form) -> str:
    found, name = here.repository, form.one("name").strip()
    moved = here.park.data.repositories.move(here.who, found, found.project_id, name)
    return link_to(moved.kind, moved.project_id, moved.name, "settings", done="1")


def _end(here: Here, form: Form) -> str:
    if form.one("confirm").strip() != here.repository.full_name:
        raise BadInput("The name was not confirmed.", fix="Write it in full.", code="not_confirmed", field="confirm")
    here.park.data.repositories.delete(here.who, here.repository)
    return "/data"


_DEEDS: Final[Mapping[str, Callable[[Here, Form], str]]] = {
    "access": _set_access, "answer": _answer, "rule": _set_rule, "hold": _set_hold, "lift": _lift_hold,
    "rename": _rename, "end": _end, "unlock": _unlock, "lock": _lock,
}  # fmt: skip
