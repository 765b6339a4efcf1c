"""Sessions of browsers: kept on the server, renewed every hour, ended by hand, by time, or by not being used.

A session's secret is replaced while it is used. The one that comes next is good from when it is given out; the old one
until the next has been seen, and a minute longer for requests under way. Whoever comes with it after that has a copy.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.events import SignedIn
from eureka_park.accounts.ground import SECRET_CHARS_MAX, Ground, no_person
from eureka_park.accounts.secrets import store
from eureka_park.accounts.secrets.store import Session
from eureka_park.foundation.errors import NotFound, Unauthorised, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

RENEW_S: Final = 3600.0
RENEWALS: Final = 4  # at least so many within the time after which one that is not used ends
GRACE_S: Final = 60.0


class Sessions:
    """The sessions of one park. All in real time: a paced sky makes nobody's session shorter."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def open(self, conn: Connection, person_id: str, *, method: str, client: str = "", address: str = "") -> str:
        """Sign a person in: a secret that was never shown before, whatever the browser brought with it.

        Raises NotFound for one who is not there, is shut out, or is a machine.
        """
        who = people.principal(conn, person_id)
        if who is None or who.kind != "person":
            raise no_person(person_id)
        ground, now_s = self._ground, self._ground.clock.real_s()
        secret = ground.secret()
        session = Session(
            ground.fresh_id("session"), person_id, method, _shown(client, 200), _shown(address, 64), now_s, now_s,
            now_s + ground.lasting().session_s,
        )  # fmt: skip
        store.add_session(conn, secret, session, now_s)
        ground.audit.note(conn, "session.opened", who=person_id, thing=session.session_id, detail={"method": method})
        ground.bus.tell(conn, SignedIn(person_id, method, session.client, session.address, now_s))
        return secret

    def seen(self, secret: str) -> tuple[Principal, str | None]:
        """Whose session this is, and the secret that is to take the place of the one shown (None: it stays).

        Raises Unauthorised when it ended or never was.
        """
        now_s = self._ground.clock.real_s()
        if len(secret) <= SECRET_CHARS_MAX:
            with self._ground.db.read() as conn:
                session = self._lasting(store.session_of(conn, secret, now_s), now_s)
                who = people.principal(conn, session.person_id) if session else None
            if session is not None and who is not None:
                return who, self._renewed(session, secret, now_s)
        raise _ended()

    def of(self, person_id: str) -> list[Session]:
        """A person's sessions, the newest first; `expires_at_s` is when each ends unless it is used again."""
        now_s = self._ground.clock.real_s()
        with self._ground.db.read() as conn:
            return self.lasting_of(conn, person_id, now_s)

    def lasting_of(self, conn: Connection, person_id: str, now_s: float) -> list[Session]:
        """As `of`, inside the caller's transaction."""
        found = [self._lasting(item, now_s) for item in store.sessions_of(conn, person_id, now_s)]
        return [item for item in found if item is not None]

    def id_of(self, secret: str) -> str:
        """The id of the session of this secret; '' where there is none."""
        session = self._of_secret(secret, self._ground.clock.real_s())
        return session.session_id if session else ""

    def age_s(self, person_id: str, secret: str) -> float:
        """How long ago the session of this secret was opened, in real seconds; infinite where that person has none."""
        now_s = self._ground.clock.real_s()
        session = self._of_secret(secret, now_s)
        is_theirs = session is not None and session.person_id == person_id
        return now_s - session.created_at_s if session is not None and is_theirs else float("inf")

    def end(self, who: Principal, session_id: str) -> None:
        """End a session of one's own. Raises NotFound."""
        with self._ground.db.write() as conn:
            mine = {item.session_id for item in store.sessions_of(conn, who.person_id, 0.0)}
            if session_id not in mine:
                raise NotFound(f"There is no session {session_id[:80]}.", fix="List them.", code="no_such_session")
            store.drop_session(conn, session_id)
            self._ground.audit.note(conn, "session.ended", who=who, thing=session_id)

    def end_all(self, conn: Connection, person_id: str, *, but: str = "") -> int:
        """End a person's sessions but one, as after a new password; how many there were."""
        n_ended = store.drop_sessions(conn, person_id, but)
        if n_ended:
            self._ground.audit.note(conn, "sessions.ended", who=person_id, detail={"n": n_ended})
        return n_ended

    def end_secret(self, secret: str) -> None:
        """Sign out; a session that is no more is no error, and strangers do not wait for the write lock."""
        session_id = self.id_of(secret)
        if session_id:
            with self._ground.db.write() as conn:
                if store.drop_session(conn, session_id):
                    self._ground.audit.note(conn, "session.ended", thing=session_id)

    def _of_secret(self, secret: str, now_s: float) -> Session | None:
        with self._ground.db.read() as conn:
            return self._lasting(store.session_of(conn, secret[:SECRET_CHARS_MAX], now_s), now_s)

    def _lasting(self, session: Session | None, now_s: float) -> Session | None:
        """A session with its end as of now; None where that has come."""
        if session is None:
            return None
        end_s = self._ground.lasting().session_end_s(session.created_at_s, session.seen_at_s, session.expires_at_s)
        return replace(session, expires_at_s=end_s) if end_s > now_s else None

    def _renewed(self, session: Session, secret: str, now_s: float) -> str | None:
        if session.role == "next":
            with suppress(Unavailable), self._ground.db.write() as conn:  # busy: the next request does it
                store.accept_secret(conn, session.session_id, secret, now_s, now_s + GRACE_S)
            return None
        if session.role == "previous":
            if now_s > session.previous_until_s:
                self._end_copied(session)
                raise _ended()
            return None
        renew_s = min(RENEW_S, self._ground.lasting().idle_s / RENEWALS)
        wait_s = GRACE_S if session.has_next else renew_s  # one that was given out and never came back is lost
        return self._offered(session, now_s) if now_s - session.seen_at_s >= wait_s else None

    def _offered(self, session: Session, now_s: float) -> str | None:
        fresh, is_first = self._ground.secret(), False
        with suppress(Unavailable), self._ground.db.write() as conn:
            is_first = store.offer_secret(conn, session, fresh, now_s)
        return fresh if is_first else None

    def _end_copied(self, session: Session) -> None:
        with self._ground.db.write() as conn:
            if store.drop_session(conn, session.session_id):
                note = self._ground.audit.note
                note(conn, "session.reused", who=session.person_id, thing=session.session_id, outcome="refused")


def _shown(text: str, n_max: int) -> str:
    return "".join(mark for mark in text if mark.isprintable())[:n_max]


def _ended() -> Unauthorised:
    return Unauthorised("You are not signed in any more.", fix="Sign in again.", code="session_ended")
