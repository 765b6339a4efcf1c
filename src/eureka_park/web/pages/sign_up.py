"""Signing up, and getting back in: both end in a letter, and say the same whoever asks."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from eureka_park.accounts.core.entrance import safe_next
from eureka_park.foundation.errors import Forbidden, ParkError
from eureka_park.web.auth import address_of, check_same_origin, limits_of, park_of
from eureka_park.web.pages.door import browser_of, count_letter, show
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.sign_in import Next


def sign_up_page(request: Request, next_path: Next = "/") -> Response:
    """Name and address; where nobody may sign up by themselves the page says so."""
    return _draw(request, next_path)


def sign_up(request: Request, form: TheForm) -> Response:
    """Send the letter that ends in an account."""
    check_same_origin(request)
    email, name, next_path, words = form.one("email"), form.one("name"), form.one("next", "/"), words_of(request)
    letters = park_of(request).sign_in.letters
    try:
        if not park_of(request).sign_in.methods().may_sign_up:
            raise Forbidden("Nobody can sign up here by themselves.", fix="Ask an operator.", code="sign_up_closed")
        limits_of(request).take("sign_up", address_of(request))
        count_letter(request, email)
        letters.sign_up(email, name, words.language.locale, browser_of(request), next_path)
    except ParkError as error:
        return _draw(request, next_path, error, email, name)
    return show(request, "sent.html", "/sign-up", kind="sign_up", email=email.strip())


def recover_page(request: Request) -> Response:
    """An address, for a letter with which one sets a new password."""
    return show(request, "recover.html", "/recover", email="", methods=park_of(request).sign_in.methods())


def recover(request: Request, form: TheForm) -> Response:
    """Send that letter to whoever has the address."""
    check_same_origin(request)
    email, words, park = form.one("email"), words_of(request), park_of(request)
    try:
        count_letter(request, email)
        park.sign_in.letters.send("recover", email, words.language.locale, browser_of(request))
    except ParkError as error:
        methods = park.sign_in.methods()
        return show(request, "recover.html", "/recover", error, ("email",), email=email, methods=methods)
    return show(request, "sent.html", "/recover", kind="recover", email=email.strip())


def _draw(
    request: Request, next_path: str, error: ParkError | None = None, email: str = "", name: str = ""
) -> Response:
    methods, fields = park_of(request).sign_in.methods(), ("email", "name")
    return show(
        request, "sign_up.html", "/sign-up", error, fields, methods=methods, next_path=safe_next(next_path),
        email=email, name=name,
    )  # fmt: skip
