"""Letters that let one in: to sign up, to sign in without a password, to get back in.

Whoever asks gets the same answer, after the same work, whether or not the address is known: a flow that nothing ends
and a letter to nobody stand in for those of somebody. A link in a letter opens a page; what it is for happens when its
button is pressed, so that programs that look into letters spend nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.core.entrance import safe_next
from eureka_park.accounts.core.naming import clean_name, email_key
from eureka_park.accounts.sign_in.ground import (
    NOBODYS,
    Browser,
    Entrance,
    Letter,
    NeedTotp,
    Opened,
    bad_link,
    no_mail,
)
from eureka_park.accounts.sign_in.passwords import Passwords
from eureka_park.foundation.errors import Forbidden

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.sign_in.store import Flow
    from eureka_park.accounts.store import Person

LINK_S: Final = 15 * 60.0
RECOVER_S: Final = 30 * 60.0
SIGN_UP_S: Final = 24 * 3600.0
PAGE: Final = "/sign-in/letter"
TERMS: Final = "1"  # version of what one agrees to when one signs up
_KINDS: Final = ("sign_up", "link", "recover")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a link in a letter is for: `kind` sign_up, link or recover; whose, and under which address."""

    kind: str
    name: str
    email: str
    next_path: str


class Letters:
    """Signing up, and links by e-mail."""

    def __init__(self, entrance: Entrance, passwords: Passwords) -> None:
        self._in, self._passwords = entrance, passwords

    def sign_up(self, email: str, name: str, language: str, browser: Browser, next_path: str = "/") -> None:
        """Send a letter that ends in an account, or one that says that there is one. Raises BadInput for what is no
        address or no name; Forbidden where nobody may sign up by themselves; Unavailable without a mail server.
        """
        self._check_mail()
        if self._in.settings().sign_up != "open":
            raise Forbidden(
                "Nobody can sign up here by themselves.", fix="Ask an operator to invite you.", code="sign_up_closed"
            )
        self._send_sign_up(email, name, language, browser, safe_next(next_path), SIGN_UP_S)

    def send(self, kind: str, email: str, language: str, browser: Browser, next_path: str = "/") -> None:
        """Send a `link` to sign in, or one to set a new password (`recover`), to whoever has this address; whether
        anybody has is not told, and is the same work. Raises BadInput for what is no address.
        """
        self._check_mail()
        email_key(email)
        entrance = self._in
        with entrance.ground.db.write() as conn:
            person = entrance.people.by_email(conn, email)
            if not entrance.may_enter(conn, person.person_id if person is not None else ""):
                person = None
            good_for_s, payload = LINK_S if kind == "link" else RECOVER_S, {"next": safe_next(next_path)}
            if person is None:
                code = entrance.begin(conn, NOBODYS, payload, good_for_s)
                entrance.refuse(conn, kind, email)
                self._post(conn, "", kind, language, "", code, browser)
                return
            code = entrance.begin(conn, kind, payload, good_for_s, person.person_id)
            entrance.note(conn, "sign_in_link.sent", person.person_id, kind=kind)
            self._post(conn, person.email, kind, person.language or language, person, code, browser)

    def opening(self, code: str) -> Opening:
        """What a link is for; it stays good. Raises Unauthorised."""
        flow = self._in.peek(code, *_KINDS)
        if flow is None:
            raise bad_link()
        if flow.person_id is None:
            return Opening(flow.kind, flow.payload["name"], flow.payload["email"], flow.payload["next"])
        person = self._in.people.person(flow.person_id)
        return Opening(flow.kind, person.name, person.email, flow.payload["next"])

    def redeem(self, code: str, browser: Browser, *, name: str = "", password: str = "") -> Opened | NeedTotp:
        """Do what a link is for; it is spent then, not by a name or password that will not do.

        Raises Unauthorised for a link that is over, BadInput, Conflict where the address was taken meanwhile.
        """
        opening, entrance = self.opening(code), self._in
        if opening.kind == "sign_up":
            clean_name(name or opening.name)
        is_set = opening.kind == "recover" or (opening.kind == "sign_up" and bool(password))
        phc = self._passwords.fit(password, about=(name or opening.name, opening.email)) if is_set else ""
        with entrance.ground.db.write() as conn:
            flow = entrance.take(conn, code, *_KINDS)
            done = None if flow is None else self._done(conn, flow, browser, name, phc)
        if done is None:
            raise bad_link()
        return done

    def _done(self, conn: Connection, flow: Flow, browser: Browser, name: str, phc: str) -> Opened | NeedTotp | None:
        entrance, next_path = self._in, flow.payload["next"]
        if flow.person_id is None:
            email, language = flow.payload["email"], flow.payload["language"]
            person_id = entrance.people.add_in(
                conn, name or flow.payload["name"], email=email, language=language, is_verified=True
            )
            entrance.people.agree(conn, person_id, "terms", TERMS)
            if phc:
                self._passwords.set_in(conn, person_id, phc)
            return entrance.open(conn, person_id, "sign_up", browser, next_path)
        if not entrance.may_enter(conn, flow.person_id):
            return None
        entrance.people.verify(conn, flow.person_id, by_email=True)
        if phc:
            self._passwords.set_in(conn, flow.person_id, phc)
        return entrance.open_or_ask(conn, flow.person_id, flow.kind, browser, next_path)

    def _send_sign_up(
        self,
        email: str,
        name: str,
        language: str,
        browser: Browser,
        next_path: str,
        good_for_s: float,
    ) -> None:
        email_key(email)
        name, entrance = clean_name(name), self._in
        with entrance.ground.db.write() as conn:
            person = entrance.people.by_email(conn, email)
            payload = {"email": email.strip(), "name": name, "language": language, "next": next_path}
            code = entrance.begin(conn, "sign_up" if person is None else NOBODYS, payload, good_for_s)
            entrance.ground.audit.note(conn, "sign_up.asked", detail={"known": person is not None})
            if person is None:
                self._post(conn, email.strip(), "sign_up", language, name, code, browser)
            else:  # only who reads the letters of this address learns that it has an account
                self._post(conn, person.email, "has_account", person.language or language, person, "", browser)

    def _post(
        self, conn: Connection, to: str, kind: str, language: str, whose: Person | str, code: str, browser: Browser
    ) -> None:
        """Queue a letter; `whose`: a person, or the name of somebody who has no account. `to` '': to nobody."""
        url = self._in.settings().url or browser.url
        link = f"{url}{PAGE}?code={code}" if code else f"{url}/sign-in"
        name, person_id = (whose, "") if isinstance(whose, str) else (whose.name, whose.person_id)
        self._in.post(conn, Letter(to, kind, language, {"name": name, "link": link, "park": url}, person_id))

    def _check_mail(self) -> None:
        if self._in.settings().mail is None:
            raise no_mail()
