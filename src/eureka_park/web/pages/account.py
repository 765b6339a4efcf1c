"""One's own account: who one is, what the park keeps, tokens, and the browsers in which one is signed in."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.roles import DEFAULT_SCOPES, SCOPES
from eureka_park.accounts.service import Act, Principal, Wanted
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.units import DAY_S
from eureka_park.web.auth import COOKIE, Anyone, Someone, check_recent, park_of
from eureka_park.web.pages.door import browser_of, count_letter, count_try
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.people_words import (
    LANGUAGE_NAMES,
    LANGUAGE_TAGS,
    roles_shown,
    show,
    sign_in_first,
    told,
    welcomed,
)
from eureka_park.web.pages.words import N_

SCOPE_NAMES: Final = {
    "read": N_("look: jobs, bills, people, as far as you may"),
    "jobs": N_("run jobs and cancel them"),
    "data": N_("keep data sets and models"),
    "manage": N_("look after projects and organisations"),
    "operate": N_("run the park"),
    "account": N_("look after this account"),
}
LASTS_D: Final = {"1": N_("a day"), "30": N_("30 days"), "90": N_("90 days"), "365": N_("a year")}
METHODS: Final = {
    "link": N_("a link"), "password": N_("a password"), "passkey": N_("a passkey"), "device": N_("a terminal"),
    "email": N_("a letter"), "recovery": N_("a recovery code"), "totp": N_("a password and a code"),
}  # fmt: skip


def account_page(request: Request, who: Anyone) -> Response:
    """Who one is here, and what the park keeps."""
    return sign_in_first(request) if who is None else _account(request, who)


def change_account(request: Request, who: Someone, form: TheForm) -> Response:
    """Set one's name and language."""
    try:
        values = {"name": form.one("name"), "language": form.one("language")}
        park_of(request).accounts.people.change(who, who.person_id, **values)
    except ParkError as error:
        return _account(request, who, error)
    return _account(request, who, done=N_("It is kept."))


def ask_address(request: Request, who: Someone, form: TheForm) -> Response:
    """Send a letter to one's new address; it ends in the change."""
    email = form.one("email")
    try:
        check_recent(request, who)
        count_try(request, who.person_id)
        count_letter(request, email)
        park_of(request).sign_in.addresses.ask(who, email, browser_of(request))
    except ParkError as error:
        return _account(request, who, error)
    return _account(request, who, done=N_("A letter is under way to your new address; its button makes the change."))


def erase_account(request: Request, who: Someone, form: TheForm) -> Response:
    """Forget who asks."""
    try:
        if not form.has("sure"):
            raise BadInput("It was not confirmed.", fix="Tick the box.", code="not_confirmed")
        check_recent(request, who)
        park_of(request).accounts.people.erase(who, who.person_id)
    except ParkError as error:
        return _account(request, who, error)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _account(request: Request, who: Principal, error: ParkError | None = None, done: str = "") -> Response:
    park, words = park_of(request), words_of(request)
    park.accounts.require_park(Act.ACCOUNT, who)
    accounts = park.accounts
    kept: list[tuple[str, int]] = [
        (N_("Tokens"), len(accounts.tokens.of(who.person_id))),
        (N_("Browsers signed in"), len(accounts.sessions.of(who.person_id))),
        (N_("Jobs you sent"), len(park.compute.jobs_of_person(who.person_id))),
        (N_("Entries of the audit log"), accounts.audit.count(who.person_id)),
    ]
    return show(
        request, "account.html", "/account", error, wrong=told(words, error), done=done, kept=kept,
        person=accounts.people.person(who.person_id), held=roles_shown(words, accounts.places.roles_of(who.person_id)),
        language_names=LANGUAGE_NAMES, language_tags=LANGUAGE_TAGS, has_mail=park.sign_in.methods().has_mail,
        is_recent=park.sign_in.is_recent(who, request.cookies.get(COOKIE, "")),
        welcome=welcomed(request, words),
    )  # fmt: skip


# -- tokens ------------------------------------------------------------------------------------------------------------
def tokens_page(request: Request, who: Anyone) -> Response:
    """One's tokens, and a form for another."""
    return sign_in_first(request) if who is None else _tokens(request, who)


def make_token(request: Request, who: Someone, form: TheForm) -> Response:
    """Make a token; it is shown this once."""
    park = park_of(request)
    try:
        scopes = tuple(form.all("scope")) or DEFAULT_SCOPES
        wanted = Wanted(scopes, form.one("project"), ttl_s=_ttl_s(form))
        secret, _ = park.accounts.make_token(who, form.one("name"), wanted)
    except ParkError as error:
        return _tokens(request, who, error)
    return _tokens(request, who, secret=secret)


def end_token(request: Request, who: Someone, form: TheForm) -> Response:
    """End a token."""
    try:
        park_of(request).accounts.require_park(Act.ACCOUNT, who)
        park_of(request).accounts.end_token_id(who, form.one("token"))
    except ParkError as error:
        return _tokens(request, who, error)
    return _tokens(request, who, done=N_("The token is ended. Whatever used it is signed out."))


def _ttl_s(form: Form) -> float:
    days = form.one("days", "90")
    if days not in LASTS_D:
        raise BadInput("A token lasts as long as the form offers.", fix="Choose one.", code="bad_expiry", field="days")
    return float(days) * DAY_S


def _offered(park: Park) -> dict[str, str]:
    """How long a token may last, as far as the operator allows; at least the shortest."""
    most_d = park.accounts.lasting().token_s / DAY_S
    return {days: text for days, text in LASTS_D.items() if float(days) <= most_d}


def _tokens(request: Request, who: Principal, error: ParkError | None = None, **more: Any) -> Response:
    park, words = park_of(request), words_of(request)
    park.accounts.require_park(Act.ACCOUNT, who)
    context: dict[str, Any] = {"secret": "", "done": "", **more}
    return show(
        request, "tokens.html", "/account", error, wrong=told(words, error),
        tokens=park.accounts.tokens.of(who.person_id),
        scopes={name: SCOPE_NAMES[name] for name in SCOPES}, chosen=DEFAULT_SCOPES, lasts=_offered(park),
        projects=sorted(who.projects), real_s=park.clock.real_s(), **context,
    )  # fmt: skip


# -- sessions ----------------------------------------------------------------------------------------------------------
def sessions_page(request: Request, who: Anyone) -> Response:
    """The browsers in which one is signed in."""
    return sign_in_first(request) if who is None else _sessions(request, who)


def end_sessions(request: Request, who: Someone, form: TheForm) -> Response:
    """Sign one browser out, or (`others`) all but this one."""
    park = park_of(request)
    here = park.accounts.sessions.id_of(request.cookies.get(COOKIE, ""))
    try:
        park.accounts.require_park(Act.ACCOUNT, who)
        if form.has("others"):
            with park.db.write() as conn:
                park.accounts.sessions.end_all(conn, who.person_id, but=here)
        else:
            park.accounts.sessions.end(who, form.one("session"))
    except ParkError as error:
        return _sessions(request, who, error)
    if form.one("session") == here and here:
        return RedirectResponse("/", 303)
    return _sessions(request, who, done=N_("Signed out there."))


def _sessions(request: Request, who: Principal, error: ParkError | None = None, done: str = "") -> Response:
    park = park_of(request)
    park.accounts.require_park(Act.ACCOUNT, who)
    return show(
        request, "sessions.html", "/account", error, wrong=told(words_of(request), error), done=done,
        sessions=park.accounts.sessions.of(who.person_id), methods=METHODS,
        this=park.accounts.sessions.id_of(request.cookies.get(COOKIE, "")), real_s=park.clock.real_s(),
    )  # fmt: skip
