"""What the parts of signing in stand on: the parts of accounts, the operator's settings, letters, browsers."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.entrance import safe_next
from eureka_park.accounts.ground import SECRET_CHARS_MAX, Ground
from eureka_park.accounts.people import People
from eureka_park.accounts.secrets.sessions import Sessions
from eureka_park.accounts.settings_file import Settings
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.store import Flow
from eureka_park.foundation.errors import Forbidden, Unauthorised, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOBODYS: Final = "nobody"  # a flow that nothing ends: the same work where there is nobody
SECOND_STEP_S: Final = 600.0
N_SECOND_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail to be written and sent: what it is about, in which language, and what stands in it.

    One to '' is for nobody: it is queued as any, for the same work, and ended instead of sent.
    """

    to: str
    kind: str
    language: str
    values: Mapping[str, str] = field(default_factory=dict)
    person_id: str = ""  # whose account it is about, where there is one


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: what the browser calls itself, its address, the park's address as it knows it."""

    client: str = ""
    address: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody is signed in: the fresh secret of the session, who, and where they go on to."""

    secret: str
    person_id: str
    next_path: str


@dataclass(frozen=True, slots=True)
class NeedTotp:
    """The first step is done; `flow` stands for it until a code has come."""

    flow: str


@dataclass(frozen=True, slots=True)
class Entrance:
    """Shared by the parts. `settings()` are the operator's as of now; `post(conn, letter)` puts a letter into the queue
    inside the caller's transaction.
    """

    ground: Ground
    people: People
    sessions: Sessions
    key: bytes
    settings: Callable[[], Settings]
    post: Callable[[Connection, Letter], None]

    @property
    def now_s(self) -> float:
        """Real time."""
        return self.ground.clock.real_s()

    def begin(
        self, conn: Connection, kind: str, payload: Mapping[str, Any], good_for_s: float, person_id: str | None = None
    ) -> str:
        """Keep what was begun; the secret that ends it."""
        secret, now_s = self.ground.secret(), self.now_s
        store.add_flow(conn, secret, Flow(kind, person_id, payload), now_s, now_s + good_for_s)
        return secret

    def take(self, conn: Connection, secret: str, *kinds: str) -> Flow | None:
        """End what was begun; None where it is over, was ended before, or never was."""
        return store.take_flow(conn, secret[:SECRET_CHARS_MAX], kinds, self.now_s)

    def peek(self, secret: str, *kinds: str) -> Flow | None:
        """What was begun; it stays."""
        with self.ground.db.read() as conn:
            return store.flow_of(conn, secret[:SECRET_CHARS_MAX], kinds, self.now_s)

    def open(self, conn: Connection, person_id: str, method: str, browser: Browser, next_path: str) -> Opened:
        """Sign somebody in with a secret that nobody has seen."""
        secret = self.sessions.open(
            conn, person_id, method=method, client=browser.client, address=browser.address
        )  # NotFound for one who is shut out: callers look first
        return Opened(secret, person_id, safe_next(next_path))

    def open_or_ask(
        self, conn: Connection, person_id: str, method: str, browser: Browser, next_path: str
    ) -> Opened | NeedTotp:
        """Sign somebody in, or, where they have a second step, keep that the first is done."""
        if not store.has_second_step(conn, person_id):
            return self.open(conn, person_id, method, browser, next_path)
        payload = {"method": method, "next": safe_next(next_path), "n": 0}
        return NeedTotp(self.begin(conn, "totp", payload, SECOND_STEP_S, person_id))

    def may_enter(self, conn: Connection, person_id: str) -> bool:
        """Whether this is a person, and one who is not shut out: the same work where there is nobody ('')."""
        person = people_store.person(conn, person_id)
        return person is not None and not (person.is_disabled or person.is_erased) and person.kind == "person"

    def refuse(self, conn: Connection, method: str, typed: str, person_id: str = "") -> None:
        """Note a failure; what was typed stands as a keyed hash, alike for the same text, and nobody reads it back."""
        mark = hmac.new(self.key, b"typed\0" + typed.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:16]
        detail = {"method": method, "typed": mark}
        self.ground.audit.note(conn, "sign_in.refused", thing=person_id, detail=detail, outcome="refused")

    def note(self, conn: Connection, act: str, person_id: str, **detail: str | int) -> None:
        """Note a deed of a person."""
        self.ground.audit.note(conn, act, who=person_id, thing=person_id, detail=detail)

    def tell(self, conn: Connection, person_id: str, kind: str, **values: str) -> None:
        """Have a letter written to a person about their account, where an address of theirs is known."""
        person = people_store.person(conn, person_id)
        if person is not None and person.email and self.settings().mail is not None:
            self.post(
                conn, Letter(person.email, kind, person.language, {"name": person.name, **values}, person.person_id)
            )


def bad_sign_in() -> Unauthorised:
    """The same words whether the person is unknown, the password wrong, or there were too many tries."""
    return Unauthorised(
        "The e-mail address or the password is not right, or there were too many tries.",
        fix="Try again in a few minutes, or have a link sent to you.", code="bad_sign_in",
    )  # fmt: skip


def bad_link() -> Unauthorised:
    """A link that was used, is old, or never was."""
    return Unauthorised(
        "This link was used before, or its time is over.", fix="Ask for a new one.", code="bad_sign_in_link"
    )


def no_mail() -> Unavailable:
    """This park has no mail server."""
    return Unavailable("This park sends no e-mail.", fix="Ask its operator for a sign-in link.", code="no_mail_server")


def not_offered(what: str) -> Forbidden:
    """The operator of this park does not offer this way."""
    return Forbidden(f"This park offers no {what}.", fix="Use another way to sign in.", code="not_offered")
