"""Letting a terminal in from a browser (after RFC 8628): the terminal shows a short code, a person who is signed in
says yes to it, the terminal fetches a token that is made at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.permissions import Principal, may
from eureka_park.accounts.core.roles import Act
from eureka_park.accounts.ground import SECRET_CHARS_MAX
from eureka_park.accounts.secrets.store import Token
from eureka_park.accounts.secrets.tokens import Tokens, check_scopes, check_wider
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import Entrance
from eureka_park.foundation.errors import Conflict, Forbidden, NotFound, RateLimited, Unauthorised, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEVICE_S: Final = 600.0
INTERVAL_S: Final = 5.0
WAITING_MAX: Final = 10_000
_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, so no words; nothing that looks like a digit
_N_LETTERS: Final = 8  # 34 bits, good for ten minutes and few tries


@dataclass(frozen=True, slots=True)
class Asking:
    """A terminal that waits: what it calls itself, and for what its token would be good (None: all that one may)."""

    label: str
    scopes: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Begun:
    """What a terminal keeps (`secret`) and what it shows (`user_code`)."""

    secret: str
    user_code: str
    expires_at_s: float


class Devices:
    """Terminals that wait at the door."""

    def __init__(self, entrance: Entrance, tokens: Tokens) -> None:
        self._in, self._tokens = entrance, tokens

    def start(self, label: str, scopes: Iterable[str] | None = None) -> Begun:
        """Have a terminal wait. Raises BadInput, Unavailable where too many wait."""
        chosen = None if scopes is None else check_scopes(scopes)
        name, entrance, now_s = clean_name(label or "terminal", "name"), self._in, self._in.now_s
        secret, user_code = entrance.ground.secret(), self._user_code()
        row = {
            "label": name, "scopes": "" if chosen is None else " ".join(chosen), "expires_at_s": now_s + DEVICE_S,
        }  # fmt: skip
        with entrance.ground.db.write() as conn:
            if store.n_devices(conn, now_s) >= WAITING_MAX:
                raise Unavailable("Too many terminals wait.", fix="Try again in a few minutes.", code="busy")
            store.add_device(conn, secret, user_code, row, now_s)
        return Begun(secret, f"{user_code[:4]}-{user_code[4:]}", now_s + DEVICE_S)

    def asking(self, user_code: str) -> Asking:
        """The terminal that shows this code. Raises NotFound (`bad_user_code`)."""
        with self._in.ground.db.read() as conn:
            row = store.device_asking(conn, plain_user_code(user_code), self._in.now_s)
        if row is None:
            raise _unknown()
        return Asking(row.label, tuple(row.scopes.split()) or None)

    def decide(self, who: Principal, user_code: str, is_let_in: bool) -> Asking:
        """Say yes or no to a terminal. Raises NotFound for a code that nobody waits with, Forbidden for a token that
        may not make tokens.
        """
        answer = may(Act.ACCOUNT, who, None)
        if not answer.is_allowed:
            raise Forbidden(answer.why, fix=answer.fix)
        asking, entrance = self.asking(user_code), self._in
        if is_let_in:
            check_wider(who, asking.scopes)
        state = "allowed" if is_let_in else "refused"
        with entrance.ground.db.write() as conn:
            if not store.decide_device(conn, plain_user_code(user_code), who.person_id, state):
                raise _unknown()
            entrance.note(conn, f"device.{state}", who.person_id)
        return asking

    def poll(self, secret: str) -> tuple[str, Token, Principal]:
        """The token, with what is kept of it and whose it is, once somebody said yes; what was begun is over then. It
        lasts as long as a token may.

        Raises Conflict (`device_pending`), RateLimited when asked too soon, Forbidden (`device_refused`), Unauthorised
        (`device_over`).
        """
        entrance, secret = self._in, secret[:SECRET_CHARS_MAX]
        with entrance.ground.db.read() as conn:
            row = store.device(conn, secret, entrance.now_s)
        if row is None:
            raise _over()
        if row.state == "asked":
            self._wait(secret, row.polled_at_s)
        with entrance.ground.db.write() as conn:
            found = self._answer(conn, secret)
        if found is None:
            raise Forbidden("The terminal was refused.", fix="Begin again: park login URL", code="device_refused")
        return found

    def _wait(self, secret: str, polled_at_s: float | None) -> None:
        now_s = self._in.now_s
        if polled_at_s is not None and now_s - polled_at_s < INTERVAL_S - 1.0:
            error = RateLimited("Asked too soon.", fix=f"Ask every {INTERVAL_S:.0f} s.")
            error.retry_after_s = INTERVAL_S
            raise error
        with self._in.ground.db.write() as conn:
            store.poll_device(conn, secret, now_s)
        raise Conflict("Nobody has answered yet.", fix="Say yes on the park's page /device.", code="device_pending")

    def _answer(self, conn: Connection, secret: str) -> tuple[str, Token, Principal] | None:
        entrance = self._in
        row = store.device(conn, secret, entrance.now_s)
        if row is None or not store.drop_device(conn, secret):
            raise _over()
        who = people_store.principal(conn, row.person_id)
        if row.state != "allowed" or who is None:
            return None
        most_s = entrance.ground.lasting().token_s
        token, kept = self._tokens.add(conn, who.person_id, row.label, scopes=row.scopes.split() or None, ttl_s=most_s)
        return token, kept, who

    def _user_code(self) -> str:
        """Letters without a bias: bytes beyond the last whole round of the alphabet are drawn anew."""
        found, whole = "", 256 - 256 % len(_LETTERS)
        while len(found) < _N_LETTERS:
            drawn = self._in.ground.entropy(_N_LETTERS)
            found += "".join(_LETTERS[byte % len(_LETTERS)] for byte in drawn if byte < whole)
        return found[:_N_LETTERS]


def plain_user_code(text: str) -> str:
    """A code as it is kept: capitals without dashes and spaces."""
    return "".join(mark for mark in text[:SECRET_CHARS_MAX].upper() if mark.isalnum())


def _unknown() -> NotFound:
    return NotFound("No terminal waits with this code.", fix="Look at what it shows.", code="bad_user_code")


def _over() -> Unauthorised:
    return Unauthorised("This sign-in is over.", fix="Begin again: park login URL", code="device_over")
