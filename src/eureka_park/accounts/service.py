"""Use cases of accounts. All expiry is in real time: a paced sky makes nobody's session shorter."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

from eureka_park.accounts import store
from eureka_park.accounts.core.permissions import Act, Answer, Principal, Project, check_project_id, may
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Forbidden, NotFound, Unauthorised
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id

SIGN_IN_LINK_S: Final = 15 * 60.0
LOGIN_CODE_S: Final = 10 * 60.0
SESSION_S: Final = 14 * 86400.0
TOKEN_PREFIX: Final = "park_"
_SECRET_BYTES: Final = 32
_CODE_BYTES: Final = 8  # of which 60 bits are used: enough for ten minutes
_LOGIN: Final = "login:"  # sets the codes of `park login` apart from sign-in links
_SECRET_CHARS_MAX: Final = 200  # longer is no secret of ours and is not even hashed


class AccountsService:
    """People, projects, tokens and sign-in of one park. `entropy(n)` gives n unguessable bytes."""

    def __init__(self, db: Database, clock: Clock, entropy: Callable[[int], bytes]) -> None:
        self._db = db
        self._clock = clock
        self._entropy = entropy

    def ensure_owner(self) -> tuple[str, str | None]:
        """The person who owns this park, made on first use; then also a fresh token, shown this once."""
        with self._db.write() as conn:
            person_id = store.first_operator(conn)
            if person_id is not None:
                return person_id, None
            person_id = new_id("person", self._entropy(ENTROPY_BYTES))
            token = self._secret(TOKEN_PREFIX)
            store.add_person(conn, person_id, "owner", True, self._clock.real_s())
            store.add_token(conn, token, person_id, "owner", self._clock.real_s())
        return person_id, token

    def add_person(self, name: str) -> str:
        """Add a person who operates nothing and is a member of nothing yet; their id."""
        person_id = new_id("person", self._entropy(ENTROPY_BYTES))
        with self._db.write() as conn:
            store.add_person(conn, person_id, name, False, self._clock.real_s())
        return person_id

    def new_token(self, person_id: str, label: str) -> str:
        """A fresh token, shown this once: the park keeps its hash. Raises NotFound for an unknown person."""
        self._known(person_id)
        token = self._secret(TOKEN_PREFIX)
        with self._db.write() as conn:
            store.add_token(conn, token, person_id, label, self._clock.real_s())
        return token

    def revoke_tokens(self, person_id: str, label: str) -> int:
        """End all tokens of a person that carry this label; how many there were."""
        with self._db.write() as conn:
            return store.drop_tokens(conn, person_id, label)

    def principal_of_token(self, token: str) -> Principal:
        """Who presents this token. Raises Unauthorised."""
        if token.startswith(TOKEN_PREFIX) and len(token) <= _SECRET_CHARS_MAX:
            with self._db.read() as conn:
                person_id = store.person_of_token(conn, token)
                principal = store.principal(conn, person_id) if person_id else None
            if principal is not None:
                return principal
        raise Unauthorised(
            "The token is not one of this park.", fix="Set PARK_TOKEN to a valid token.", code="bad_token"
        )

    def new_sign_in_link(self, person_id: str) -> str:
        """A code that signs a person in once within 15 real minutes. Raises NotFound for an unknown person."""
        self._known(person_id)
        code = self._secret("")
        now_s = self._clock.real_s()
        with self._db.write() as conn:
            store.add_sign_in_link(conn, code, person_id, now_s, now_s + SIGN_IN_LINK_S)
        return code

    def redeem_sign_in(self, code: str) -> str:
        """Turn a sign-in code into a session of 14 real days; the code is spent. Raises Unauthorised."""
        now_s, code = self._clock.real_s(), code[:_SECRET_CHARS_MAX]
        session, person_id = self._secret(""), None
        if not code.startswith(_LOGIN) and self._is_posted(code):
            with self._db.write() as conn:
                person_id = store.take_sign_in_link(conn, code, now_s)
                if person_id is not None:
                    store.add_session(conn, session, person_id, now_s, now_s + SESSION_S)
        if person_id is None:
            raise Unauthorised(
                "This sign-in link was used before or is older than 15 minutes.",
                fix="Ask the park for a new one.",
                code="bad_sign_in_link",
            )
        return session

    def new_login_code(self, person_id: str) -> str:
        """A short code that `park login` turns into a token once within 10 real minutes. Raises NotFound."""
        self._known(person_id)
        letters = base64.b32encode(self._entropy(_CODE_BYTES)).decode().lower()
        now_s = self._clock.real_s()
        with self._db.write() as conn:
            store.add_sign_in_link(conn, _LOGIN + letters[:12], person_id, now_s, now_s + LOGIN_CODE_S)
        return "-".join((letters[:4], letters[4:8], letters[8:12]))

    def redeem_login_code(self, code: str, label: str) -> tuple[str, Principal]:
        """Turn a login code into a token and say whose it is; the code is spent. Raises Unauthorised.

        Dashes, spaces and capitals do not matter. The token lasts until it is revoked.
        """
        letters = "".join(letter for letter in code[:_SECRET_CHARS_MAX].lower() if letter.isalnum())
        token, who = self._secret(TOKEN_PREFIX), None
        now_s = self._clock.real_s()
        if self._is_posted(_LOGIN + letters):
            with self._db.write() as conn:
                person_id = store.take_sign_in_link(conn, _LOGIN + letters, now_s)
                who = store.principal(conn, person_id) if person_id else None
                if who is not None:
                    store.add_token(conn, token, who.person_id, label, now_s)
        if who is None:
            raise Unauthorised(
                "This code was used before, is older than 10 minutes, or is none of this park.",
                fix="Make a new one on the park's page /connect.",
                code="bad_login_code",
            )
        return token, who

    def end_token(self, token: str) -> None:
        """Forget one token; one that is no more is no error."""
        with self._db.write() as conn:
            store.drop_token(conn, token[:_SECRET_CHARS_MAX])

    def principal_of_session(self, session: str) -> Principal:
        """Whose session this is. Raises Unauthorised when it ended or never was."""
        if len(session) <= _SECRET_CHARS_MAX:
            with self._db.read() as conn:
                person_id = store.person_of_session(conn, session, self._clock.real_s())
                principal = store.principal(conn, person_id) if person_id else None
            if principal is not None:
                return principal
        raise Unauthorised("You are not signed in any more.", fix="Sign in again.", code="session_ended")

    def end_session(self, session: str) -> None:
        """Sign out; a session that is no more is no error."""
        session = session[:_SECRET_CHARS_MAX]
        with self._db.read() as conn:
            is_there = store.person_of_session(conn, session, self._clock.real_s()) is not None
        if is_there:
            with self._db.write() as conn:
                store.drop_session(conn, session)

    def ensure_project(self, project_id: str, title: str, is_public: bool) -> Project:
        """The project of this id, made if there is none; one that is there stays as it is. Raises BadInput."""
        check_project_id(project_id)
        with self._db.write() as conn:
            store.ensure_project(conn, Project(project_id, title, is_public, self._clock.real_s()))
            return _found(store.project(conn, project_id), project_id)

    def project(self, project_id: str) -> Project:
        """A project by its id. Raises NotFound."""
        with self._db.read() as conn:
            return _found(store.project(conn, project_id), project_id)

    def projects(self, who: Principal | None) -> list[Project]:
        """The projects that `who` may see, by id."""
        with self._db.read() as conn:
            return [project for project in store.all_projects(conn) if may(Act.SEE, who, project).is_allowed]

    def add_member(self, project_id: str, person_id: str) -> None:
        """Make a person a member of a project. Raises NotFound when either is unknown."""
        self._known(person_id)
        self.project(project_id)
        with self._db.write() as conn:
            store.add_member(conn, project_id, person_id, self._clock.real_s())

    def visible(self, who: Principal | None, project_id: str) -> bool:
        """Whether `who` (None: a visitor) may see the project; False too where there is none."""
        return self.answer(Act.SEE, who, project_id).is_allowed

    def answer(self, act: Act, who: Principal | None, project_id: str) -> Answer:
        """Whether `who` may do `act` in a project, and why."""
        with self._db.read() as conn:
            project = store.project(conn, project_id)
        if project is None:
            return Answer(False, f"There is no project {project_id}.")
        return may(act, who, project)

    def require(self, act: Act, who: Principal | None, project_id: str) -> Project:
        """The project, where `who` may do `act` in it.

        Raises Unauthorised when nobody is signed in, Forbidden, or NotFound for what `who` may not know of.
        """
        with self._db.read() as conn:
            project = store.project(conn, project_id)
        answer = may(act, who, project) if project else Answer(False, "Nobody is signed in.")
        if project is not None and answer.is_allowed:
            return project
        if who is None:  # the same answer whether or not there is such a project
            raise Unauthorised(answer.why, fix="Sign in, or set PARK_TOKEN.")
        if project is None or not may(Act.SEE, who, project).is_allowed:
            raise _no_project(project_id)
        raise Forbidden(answer.why, fix="Ask an operator of this park to add you.")

    def _is_posted(self, code: str) -> bool:
        """Whether there is such a code: strangers who guess must not make the park wait for its write lock."""
        with self._db.read() as conn:
            return store.has_sign_in_link(conn, code)

    def _known(self, person_id: str) -> None:
        with self._db.read() as conn:
            if store.principal(conn, person_id) is None:
                raise NotFound(f"There is no person {person_id[:80]}.", fix="Check the id.", code="no_such_person")

    def _secret(self, prefix: str) -> str:
        return prefix + base64.urlsafe_b64encode(self._entropy(_SECRET_BYTES)).decode().rstrip("=")


def _found(project: Project | None, project_id: str) -> Project:
    if project is None:
        raise _no_project(project_id)
    return project


def _no_project(project_id: str) -> NotFound:
    return NotFound(
        f"There is no project {project_id[:80]} that you can see.",
        fix="Check its name, or ask its members to add you.",
        code="no_such_project",
        field="project",
    )


__all__ = ["Act", "AccountsService", "Answer", "Principal", "Project"]
