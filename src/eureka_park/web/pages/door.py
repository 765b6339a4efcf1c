"""What the pages of the entrance share: errors in the reader's words, the cookie of a first step, the way in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from eureka_park.accounts.sign_in.service import Browser, NeedTotp, Opened
from eureka_park.foundation.errors import ParkError, RateLimited
from eureka_park.web.auth import COOKIE, address_of, is_secure, limits_of, open_from, park_of, set_session, url_of
from eureka_park.web.errors import headers_of
from eureka_park.web.hosts import network_of
from eureka_park.web.limits import counted_as
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.words import N_, Words

STEP_COOKIE: Final = "park_step"  # the first step, until the second is done
STEP_PATH: Final = "/sign-in"
STEP_S: Final = 600
SENTENCES: Final[Mapping[str, str]] = {
    "bad_sign_in": N_(
        "The e-mail address or the password is not right, or there were too many tries. "
        "Try again in a few minutes, or have a link sent to you."
    ),
    "bad_email": N_("This is not an e-mail address. Write it as name@example.org."),
    "bad_name": N_("This cannot be a name. Use letters, digits and signs, none of them invisible."),
    "bad_label": N_("This cannot be a name. Use letters, digits and signs, none of them invisible."),
    "password_length": N_("A password has 12 to 256 signs. Four or five words that do not belong together will do."),
    "password_weak": N_("This password would soon be guessed. Take four or five words that do not belong together."),
    "wrong_password": N_("This is not your present password."),
    "bad_code": N_("This code is not right. Wait for the next one."),
    "bad_flow": N_("That did not come to its end, or took too long. Begin again."),
    "declined": N_("You did not agree there, so nobody is signed in. Try again, or use another way."),
    "bad_sign_in_link": N_("This link was used before, or its time is over. Ask for a new one."),
    "rate_limited": N_("That were many tries in a short time. Wait a little, then go on."),
    "no_mail_server": N_("This park sends no e-mail. Ask its operator for a sign-in link."),
    "sign_up_closed": N_("Nobody can sign up here by themselves. Ask an operator of this park to invite you."),
    "not_offered": N_("This park does not offer that way to sign in."),
    "email_taken": N_(
        "Somebody has an account with this address already. Sign in to it, then connect the two on its page Security."
    ),
    "busy": N_("Many people sign in at this moment. Try again in a minute."),
    "not_recent": N_("Sign in once more before you change this: it has been a while."),
    "bad_user_code": N_("No terminal waits with this code. Look at what it shows; a code lasts ten minutes."),
    "bad_passkey": N_("This passkey is not known here. Use another way, then add it on the page Security."),
    "provider_away": N_("The provider cannot be reached at this moment. Use another way, or try again later."),
    "provider_odd": N_("The provider answered in a way that cannot be trusted. Tell the operator of this park."),
    "last_way": N_("This is your only way to sign in. Add another one first."),
    "bad_invitation": N_("This invitation was used or withdrawn, or its time is over. Ask for a new one."),
    "same_email": N_("This is your address already."),
    "no_account": N_("Nobody here belongs to this identity, and it may not make an account. Ask an operator."),
}


def told(words: Words, errors: Mapping[str, ParkError]) -> dict[str, dict[str, str]]:
    """By field ('' for the page), what is wrong and the language it is said in."""
    return {field: _told(words, error) for field, error in errors.items()}


def _told(words: Words, error: ParkError) -> dict[str, str]:
    form = SENTENCES.get(error.code)
    return {"text": words.say(form), "lang": words.tag_of(form)} if form else {"text": error.line(), "lang": "en"}


def show(
    request: Request,
    template: str,
    here: str,
    error: ParkError | None = None,
    fields: tuple[str, ...] = (),
    **more: Any,
) -> HTMLResponse:
    """A page of the entrance; an error stands beside its field, if that is one of `fields`, else on top."""
    place = error.field if error is not None and error.field in fields else ""
    errors = told(words_of(request), {} if error is None else {place or "": error})
    status = 200 if error is None else error.http_status
    answer = page(request, template, here, status, errors=errors, **more)
    if isinstance(error, RateLimited):
        answer.headers.update(headers_of(error))
    return answer


def browser_of(request: Request) -> Browser:
    """Where somebody signs in."""
    return Browser(**open_from(request), url=url_of(request))


def count_try(request: Request, account: str) -> None:
    """Count a try at an account and from an address. Raises RateLimited."""
    limits = limits_of(request)
    limits.take("sign_in_from", network_of(address_of(request)))
    if account:
        limits.take("sign_in", counted_as(account))


def count_letter(request: Request, account: str) -> None:
    """Count a letter to an address, whether or not anybody has it. Raises RateLimited."""
    limits = limits_of(request)
    limits.take("sign_in_from", network_of(address_of(request)))
    limits.take("mail", counted_as(account))


def entered(request: Request, done: Opened | NeedTotp) -> Response:
    """Let somebody in, or on to the second step. A session that the browser brought along ends."""
    if isinstance(done, NeedTotp):
        answer = RedirectResponse("/sign-in/code", 303)
        set_step(answer, request, done.flow)
        return answer
    old = request.cookies.get(COOKIE)
    if old:
        park_of(request).accounts.end_session(old)
    answer = RedirectResponse(done.next_path, 303, {"Cache-Control": "no-store"})
    set_session(answer, request, done.secret)
    answer.delete_cookie(STEP_COOKIE, path=STEP_PATH)
    return answer


def set_step(answer: Response, request: Request, flow: str) -> None:
    """Give the browser what stands for a first step."""
    answer.set_cookie(
        STEP_COOKIE, flow, max_age=STEP_S, path=STEP_PATH, httponly=True, samesite="lax", secure=is_secure(request)
    )
