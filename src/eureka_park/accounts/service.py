"""Use cases of accounts. All expiry is in real time: a paced sky makes nobody's session shorter."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store
from eureka_park.accounts.audit.service import Asked, AuditService, asked
from eureka_park.accounts.core.entrance import Lasting
from eureka_park.accounts.core.permissions import (
    AT_PARK,
    Answer,
    Held,
    Organisation,
    Principal,
    Project,
    check_project_id,
    may,
)
from eureka_park.accounts.core.roles import DEFAULT_SCOPES, Act, Kind, Role
from eureka_park.accounts.ground import SECRET_CHARS_MAX, Ground, no_person
from eureka_park.accounts.groups import Groups
from eureka_park.accounts.people import People
from eureka_park.accounts.places import Places, checked, hidden, require
from eureka_park.accounts.secrets import store as secrets
from eureka_park.accounts.secrets.sessions import Sessions
from eureka_park.accounts.secrets.store import Token
from eureka_park.accounts.secrets.tokens import TOKEN_PREFIX, TTL_S, Tokens, check_wider
from eureka_park.foundation.bus import Bus
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Unauthorised

if TYPE_CHECKING:
    from sqlalchemy import Connection

SESSION_S: Final = Lasting().session_s  # where the operator says nothing
SIGN_IN_LINK_S: Final = 15 * 60.0
LOGIN_CODE_S: Final = 10 * 60.0
_CODE_BYTES: Final = 8  # of which 60 bits are used: enough for ten minutes
_LOGIN: Final = "login:"  # sets the codes of `park login` apart from sign-in links


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token is to be good for. `scopes` None: all that the person may; `project_id` '': every project; `of`: the
    machine that it is for, '' for oneself; `ttl_s` None: 90 days.
    """

    scopes: tuple[str, ...] | None = DEFAULT_SCOPES
    project_id: str = ""
    of: str = ""
    ttl_s: float | None = None


class AccountsService:
    """People, projects, tokens and sign-in of one park. `entropy(n)` gives n unguessable bytes; `key` is the park's.

    Its parts do the work: `people`, `places` (projects, organisations, roles), `groups`, `tokens`, `sessions`, `audit`.
    `lasting()`: how long sessions and tokens last, as the operator has it now.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        entropy: Callable[[int], bytes],
        *,
        key: bytes = b"",
        bus: Bus | None = None,
        audit_head: Callable[[], tuple[int, str] | None] = lambda: None,
        lasting: Callable[[], Lasting] = Lasting,
    ) -> None:
        self._db, self._clock, self._entropy, self.key = db, clock, entropy, key
        self.audit = AuditService(db, clock, key, audit_head)
        self.lasting = lasting
        self.ground = Ground(db, clock, entropy, self.audit, bus or Bus(), lasting)
        self.people = People(self.ground)
        self.places = Places(self.ground, self.people)
        self.groups = Groups(self.ground, self.places)
        self.tokens = Tokens(self.ground)
        self.sessions = Sessions(self.ground)

    # -- people --------------------------------------------------------------------------------------------------------
    def ensure_owner(self) -> tuple[str, str | None]:
        """The person who owns this park, made on first use; then also a fresh token, shown this once."""
        with self._db.read() as conn:
            person_id = store.first_operator(conn)
        if person_id is not None:
            return person_id, None
        with self._db.write() as conn:
            person_id = store.first_operator(conn)
            if person_id is not None:
                return person_id, None
            person_id = self.people.add_in(conn, "owner", is_verified=True)
            store.give_role(conn, person_id, Role.OPERATOR, AT_PARK, self._clock.real_s(), person_id)
            detail = {"role": str(Role.OPERATOR), "scope": AT_PARK}
            self.audit.note(conn, "role.given", who=person_id, thing=person_id, detail=detail)
            token, _ = self.tokens.add(conn, person_id, "owner")
        return person_id, token

    def add_person(self, name: str) -> str:
        """Add a person who operates nothing and is a member of nothing yet; their id."""
        return self.people.add(name)

    # -- tokens --------------------------------------------------------------------------------------------------------
    def new_token(self, person_id: str, label: str) -> str:
        """A fresh token without an end for all that a person may, shown this once: for the park's own machine. Raises
        NotFound for an unknown person.
        """
        return self.tokens.new(person_id, label)[0]

    def make_token(self, who: Principal, label: str, wanted: Wanted) -> tuple[str, Token]:
        """A token that somebody asks for, shown this once, and what is kept of it: for oneself or for a machine for
        which one answers, never good for more than what asks, and for no longer than the operator allows.

        Raises Forbidden (`wider_token`), NotFound for a machine or a project that is not theirs, BadInput.
        """
        self.require_park(Act.ACCOUNT, who)
        check_wider(who, wanted.scopes)
        if wanted.project_id:
            self.require(Act.SEE, who, wanted.project_id)
        if wanted.of and wanted.of != who.person_id:
            self.places.require_answers_for(who, wanted.of)
        ttl_s = min(TTL_S, self.lasting().token_s) if wanted.ttl_s is None else wanted.ttl_s
        return self.tokens.new(
            wanted.of or who.person_id, label, scopes=wanted.scopes, project_id=wanted.project_id, ttl_s=ttl_s,
            made_by=who,
        )  # fmt: skip

    def tokens_of(self, who: Principal, of: str = "") -> list[Token]:
        """One's own tokens, or those of a machine that one answers for. Raises NotFound."""
        if of and of != who.person_id:
            self.places.require_answers_for(who, of)
        return self.tokens.of(of or who.person_id)

    def revoke_tokens(self, person_id: str, label: str) -> int:
        """End all tokens of a person that carry this label; how many there were."""
        return self.tokens.end_labelled(person_id, label)

    def principal_for(
        self, conn: Connection, person_id: str, acts: frozenset[Act], project_id: str, token_id: str
    ) -> Principal | None:
        """Somebody as a key of theirs makes them: good for some acts in one project, by the roles that they hold now,
        also those of the whole park; None for nobody, and for somebody who is shut out.
        """
        who = store.principal(conn, person_id)
        if who is None:
            return None
        mine = who.projects & {project_id}
        return replace(who, is_operator=False, projects=mine, acts=acts, only_project=project_id, token_id=token_id)

    def principal_of_token(self, token: str) -> Principal:
        """Who presents this token. Raises Unauthorised."""
        return self.tokens.principal(token)

    def end_token(self, token: str) -> None:
        """Forget one token; one that is no more is no error."""
        self.tokens.end_secret(token)

    def end_token_id(self, who: Principal, token_id: str) -> None:
        """End a token of one's own, of a machine that one answers for, or, for operators, of anybody."""
        may_all = may(Act.OPERATE, who, None).is_allowed
        with self._db.read() as conn:
            token = secrets.token_by_id(conn, token_id)
        if token is not None and token.person_id != who.person_id and not may_all:
            self.places.require_answers_for(who, token.person_id)
            may_all = True
        self.tokens.end(who, token_id, may_all=may_all)

    # -- links and codes -----------------------------------------------------------------------------------------------
    def new_sign_in_link(self, person_id: str, by: Principal | str = "") -> str:
        """A code that signs a person in once within 15 real minutes. `by`: who made it; '' for a command on the machine
        itself. Raises NotFound for an unknown person, Forbidden for a token that is good for less than a browser is.
        """
        if isinstance(by, Principal):
            self.check_links(by)
        code = self.ground.secret()
        self._post_code(code, person_id, SIGN_IN_LINK_S, "sign_in_link.made", by)
        return code

    def check_links(self, by: Principal) -> None:
        """Raise Forbidden for a token that may make nobody a link: a browser is good for all that its person may."""
        check_wider(by, None)

    def redeem_sign_in(self, code: str, client: str = "", address: str = "") -> str:
        """Turn a sign-in code into a session of 14 real days; the code is spent. Raises Unauthorised."""
        code, session = code[:SECRET_CHARS_MAX], None
        if not code.startswith(_LOGIN) and self._is_posted(code):
            with self._db.write() as conn:
                person_id = secrets.take_sign_in_link(conn, code, self._clock.real_s())
                if person_id is not None and store.principal(conn, person_id) is not None:
                    session = self.sessions.open(conn, person_id, method="link", client=client, address=address)
        if session is None:
            raise Unauthorised(
                "This sign-in link was used before or is older than 15 minutes.",
                fix="Ask the park for a new one.",
                code="bad_sign_in_link",
            )
        return session

    def new_login_code(self, person_id: str, by: Principal | None = None) -> str:
        """A short code that `park login` turns into a token once within 10 real minutes. `by`: who asks for it. Raises
        NotFound, and Forbidden where that would be a token good for more than the one that asks.
        """
        if by is not None:
            self.require_park(Act.ACCOUNT, by)
            check_wider(by, None)
        letters = base64.b32encode(self._entropy(_CODE_BYTES)).decode().lower()
        self._post_code(_LOGIN + letters[:12], person_id, LOGIN_CODE_S, "login_code.made", person_id)
        return "-".join((letters[:4], letters[4:8], letters[8:12]))

    def redeem_login_code(self, code: str, label: str) -> tuple[str, Token, Principal]:
        """Turn a login code into a token, with what is kept of it and whose it is; the code is spent. Raises
        Unauthorised. Dashes, spaces and capitals do not matter. The token lasts as long as one may.
        """
        letters = "".join(letter for letter in code[:SECRET_CHARS_MAX].lower() if letter.isalnum())
        made, who = None, None
        if self._is_posted(_LOGIN + letters):
            with self._db.write() as conn:
                person_id = secrets.take_sign_in_link(conn, _LOGIN + letters, self._clock.real_s())
                who = store.principal(conn, person_id) if person_id else None
                if who is not None:
                    made = self.tokens.add(conn, who.person_id, label, ttl_s=self.lasting().token_s)
        if who is None or made is None:
            raise Unauthorised(
                "This code was used before, is older than 10 minutes, or is none of this park.",
                fix="Make a new one on the park's page /connect.",
                code="bad_login_code",
            )
        return *made, who

    def _post_code(self, code: str, person_id: str, good_for_s: float, act: str, by: Principal | str) -> None:
        self._known(person_id)
        now_s = self._clock.real_s()
        with self._db.write() as conn:
            secrets.add_sign_in_link(conn, code, person_id, now_s, now_s + good_for_s)
            self.audit.note(conn, act, who=by, thing=person_id)

    def _is_posted(self, code: str) -> bool:
        """Whether there is such a code: strangers who guess must not make the park wait for its write lock."""
        with self._db.read() as conn:
            return secrets.has_sign_in_link(conn, code)

    # -- sessions ------------------------------------------------------------------------------------------------------
    def principal_of_session(self, session: str) -> Principal:
        """Whose session this is. Raises Unauthorised when it ended or never was."""
        return self.sessions.seen(session)[0]

    def end_session(self, session: str) -> None:
        """Sign out; a session that is no more is no error."""
        self.sessions.end_secret(session)

    # -- projects ------------------------------------------------------------------------------------------------------
    def ensure_project(self, project_id: str, title: str, is_public: bool) -> Project:
        """The project of this id, made if there is none; one that is there stays as it is. Raises BadInput."""
        check_project_id(project_id)
        with self._db.write() as conn:
            found = store.project(conn, project_id)
            if found is None:
                found = Project(project_id, title, is_public, self._clock.real_s())
                self.places.add_project(conn, found, "")
        return found

    def project(self, project_id: str) -> Project:
        """A project by its id. Raises NotFound."""
        with self._db.read() as conn:
            found = store.project(conn, project_id)
        if found is None:
            raise hidden(project_id, "project")
        return found

    def projects(self, who: Principal | None) -> list[Project]:
        """The projects that `who` may see, by id."""
        with self._db.read() as conn:
            return [project for project in store.all_projects(conn) if may(Act.SEE, who, project).is_allowed]

    def add_member(self, project_id: str, person_id: str) -> None:
        """Make a person a member of a project. Raises NotFound when either is unknown."""
        self._known(person_id)
        self.project(project_id)
        scope = f"{Kind.PROJECT}:{project_id}"
        with self._db.write() as conn:
            store.give_role(conn, person_id, Role.MEMBER, scope, self._clock.real_s(), "")
            detail = {"role": str(Role.MEMBER), "scope": scope}
            self.audit.note(conn, "role.given", thing=person_id, detail=detail)

    # -- who may -------------------------------------------------------------------------------------------------------
    def visible(self, who: Principal | None, project_id: str) -> bool:
        """Whether `who` (None: a visitor) may see the project; False too where there is none."""
        return self.answer(Act.SEE, who, project_id).is_allowed

    def answer(self, act: Act, who: Principal | None, project_id: str) -> Answer:
        """Whether `who` may do `act` in a project, and why."""
        with self._db.read() as conn:
            project = store.project(conn, project_id)
        if project is None:
            return Answer(False, f"There is no project {project_id}.", "no_such_project")
        return may(act, who, project)

    def require(self, act: Act, who: Principal | None, project_id: str) -> Project:
        """The project, where `who` may do `act` in it.

        Raises Unauthorised when nobody is signed in, Forbidden, or NotFound for what `who` may not know of.
        """
        with self._db.read() as conn:
            return checked(act, who, store.project(conn, project_id), project_id, "project")

    def require_park(self, act: Act, who: Principal | None) -> None:
        """Raise Unauthorised or Forbidden unless `who` may do `act` to the park itself."""
        require(act, who, None)

    def require_organisation(self, act: Act, who: Principal | None, organisation_id: str) -> Organisation:
        """The organisation, where `who` may do `act` in it. Raises as `require`."""
        return self.places.organisation(act, who, organisation_id)

    def _known(self, person_id: str) -> None:
        with self._db.read() as conn:
            if store.principal(conn, person_id) is None:
                raise no_person(person_id)


__all__ = [
    "LOGIN_CODE_S",
    "SESSION_S",
    "SIGN_IN_LINK_S",
    "TOKEN_PREFIX",
    "AccountsService",
    "Act",
    "Answer",
    "Asked",
    "Held",
    "Kind",
    "Organisation",
    "Principal",
    "Project",
    "Role",
    "Wanted",
    "asked",
    "may",
]
