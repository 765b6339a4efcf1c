"""Asking somebody to hold a role: a letter with a link, under an address that may be nobody's yet. Whoever asks does
not learn whether it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.naming import clean_name, email_key
from eureka_park.accounts.core.permissions import AT_PARK, Organisation, Principal, Project, may
from eureka_park.accounts.core.roles import Act, Role
from eureka_park.accounts.ground import SECRET_CHARS_MAX
from eureka_park.accounts.places import Places
from eureka_park.accounts.secrets.tokens import check_wider
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import Browser, Entrance, Letter, Opened, no_mail
from eureka_park.accounts.sign_in.letters import TERMS
from eureka_park.accounts.sign_in.passwords import Passwords
from eureka_park.accounts.sign_in.store import Invitation
from eureka_park.accounts.store import Person
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, ParkError, RateLimited, Unauthorised
from eureka_park.foundation.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

PAGE: Final = "/sign-in/invitation"
DAYS: Final = 14
DAYS_MAX: Final = 30
OPEN_MAX: Final = 500
A_DAY_MAX: Final = 50  # of one person, over all places and processes; operators have no end


@dataclass(frozen=True, slots=True)
class Offer:
    """An invitation as its reader sees it: who asks, to which place, and whether they have an account here."""

    invitation: Invitation
    by: str
    place: str  # what the project or organisation is called; '' for the park itself
    has_account: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """An account that was there holds the role now; nobody was signed in by it."""

    person_id: str
    next_path: str


class Invitations:
    """The invitations of one park."""

    def __init__(self, entrance: Entrance, places: Places, passwords: Passwords) -> None:
        self._in, self._places, self._passwords = entrance, places, passwords

    # -- asking --------------------------------------------------------------------------------------------------------
    def new(
        self, who: Principal, email: str, role: Role, scope: str, *, browser: Browser, name: str = "",
        language: str = "", days: int = DAYS,
    ) -> tuple[Invitation, str]:  # fmt: skip
        """Ask somebody to hold a role: the invitation, and its link where the park sends no e-mail (else '').

        An earlier one of the same address to the same place is replaced. For whoever may give that role; the link,
        which proves nothing of the address, is for operators. Raises Forbidden, NotFound, BadInput, Unavailable, and
        RateLimited (`many_invited`) after fifty within a day, for all but operators.
        """
        entrance, key = self._in, email_key(email)
        name = clean_name(name) if name.strip() else ""
        if not 1 <= days <= DAYS_MAX:
            raise BadInput(f"An invitation lasts 1 to {DAYS_MAX} days.", fix="Write 14.", code="bad_days", field="days")
        code, now_s = entrance.ground.secret(), entrance.now_s
        made = Invitation(
            entrance.ground.fresh_id("invitation"), email.strip(), name, language, role, scope, who.person_id, now_s,
            now_s + days * DAY_S,
        )  # fmt: skip
        with entrance.ground.db.write() as conn:
            self._places.check_role(conn, who, role, scope)
            is_sent = self._check_way(who)
            self._check_day(conn, who)
            if len(store.invitations_at(conn, scope, now_s)) >= OPEN_MAX:
                raise Conflict(f"{OPEN_MAX} invitations are open.", fix="Withdraw some.", code="many_invitations")
            store.add_invitation(conn, code, made, key, now_s)
            detail = {"role": str(role), "scope": scope}
            entrance.ground.audit.note(conn, "invitation.made", who=who, thing=made.invitation_id, detail=detail)
            link = f"{entrance.settings().url or browser.url}{PAGE}?code={code}"
            if is_sent:
                self._send(conn, made, who, key, link, browser)
        return made, "" if is_sent else link

    def at(self, who: Principal, scope: str) -> list[Invitation]:
        """The open invitations to a place, the newest first, for whoever decides who is in it. Raises as `new`."""
        with self._in.ground.db.read() as conn:
            self._check_manages(conn, who, scope)
            return store.invitations_at(conn, scope, self._in.now_s)

    def withdraw(self, who: Principal, scope: str, invitation_id: str) -> None:
        """End an invitation: its link is good for nothing. Raises as `new`."""
        with self._in.ground.db.write() as conn:
            self._check_manages(conn, who, scope)
            if not store.drop_invitation(conn, invitation_id, scope):
                raise NotFound("There is no such invitation.", fix="List them.", code="no_such_invitation")
            self._in.ground.audit.note(conn, "invitation.withdrawn", who=who, thing=invitation_id)

    # -- answering -----------------------------------------------------------------------------------------------------
    def opening(self, code: str) -> Offer:
        """What a link offers; it stays good. Raises Unauthorised for one that is over."""
        with self._in.ground.db.read() as conn:
            found, by, place = self._good(conn, code)
            known = self._in.people.by_email(conn, found.email)
        return Offer(found, by.name, place, known is not None)

    def accept(self, code: str, browser: Browser, *, name: str = "", password: str = "") -> Opened | Joined:
        """Take the role, and make the account where there is none; the link is spent then.

        Whoever has an account signs in by their own ways: a link in a letter is no way around a second step.
        Raises Unauthorised for a link that is over, BadInput for a name or password that will not do.
        """
        offer, entrance = self.opening(code), self._in
        phc = ""
        if not offer.has_account:
            clean_name(name or offer.invitation.name)
            phc = self._passwords.fit(password, about=(name, offer.invitation.email)) if password else ""
        with entrance.ground.db.write() as conn:
            found, by, _ = self._good(conn, code)
            known = entrance.people.by_email(conn, found.email)
            if known is not None and not entrance.may_enter(conn, known.person_id):
                raise bad_invitation()
            store.drop_invitation(conn, found.invitation_id, found.scope)
            person_id = self._new_person(conn, found, name, phc) if known is None else self._known(conn, known)
            self._places.give_in(conn, by, person_id, found.role, found.scope)
            note = entrance.ground.audit.note
            note(conn, "invitation.accepted", who=person_id, thing=found.invitation_id, detail={"by": by.person_id})
            if known is not None:
                return Joined(person_id, first_page(found))
            return entrance.open(conn, person_id, "invitation", browser, first_page(found))

    def _new_person(self, conn: Connection, found: Invitation, name: str, phc: str) -> str:
        people = self._in.people
        person_id = people.add_in(
            conn, name or found.name, email=found.email, language=found.language, is_verified=True
        )
        people.agree(conn, person_id, "terms", TERMS)
        if phc:
            self._passwords.set_in(conn, person_id, phc)
        return person_id

    def _known(self, conn: Connection, known: Person) -> str:
        self._in.people.verify(conn, known.person_id, by_email=True)
        return known.person_id

    def _good(self, conn: Connection, code: str) -> tuple[Invitation, Principal, str]:
        """An invitation whose time is not over, by somebody who may still give that role, to a place that is there."""
        found = store.invitation_of(conn, code[:SECRET_CHARS_MAX], self._in.now_s)
        by = people_store.principal(conn, found.invited_by) if found is not None else None
        if found is None or by is None:
            raise bad_invitation()
        try:
            self._places.check_role(conn, by, found.role, found.scope)
            thing = self._places.thing_in(conn, found.scope)
        except ParkError:
            raise bad_invitation() from None
        return found, by, _called(thing)

    def _check_way(self, who: Principal) -> bool:
        """Whether a letter goes out; else the link is shown, to operators alone."""
        settings = self._in.settings()
        if settings.mail is None:
            if not may(Act.OPERATE, who, None).is_allowed:
                raise no_mail()
            check_wider(who, None)
            return False
        if settings.sign_up == "closed":
            raise Forbidden(
                "This park takes nobody by invitation.", fix='Its operator sets sign_up = "invited" in accounts.toml.',
                code="invitations_closed",
            )  # fmt: skip
        return True

    def _check_day(self, conn: Connection, who: Principal) -> None:
        audit = self._in.ground.audit
        if may(Act.OPERATE, who, None).is_allowed:
            return
        if audit.count_since(conn, who.person_id, "invitation.made", DAY_S) >= A_DAY_MAX:
            error = RateLimited(
                f"One person invites at most {A_DAY_MAX} others within a day.",
                fix="Go on tomorrow, or ask an operator.", code="many_invited",
            )  # fmt: skip
            error.retry_after_s = HOUR_S
            raise error

    def _check_manages(self, conn: Connection, who: Principal, scope: str) -> None:
        self._places.check_role(conn, who, Role.MEMBER, scope)  # a role of every place

    def _send(self, conn: Connection, made: Invitation, who: Principal, key: str, link: str, browser: Browser) -> None:
        entrance, known = self._in, people_store.person_by_email(conn, key)
        url = entrance.settings().url or browser.url
        place = _called(self._places.thing_in(conn, made.scope)) or url
        name = known.name if known is not None else made.name or made.email
        language = known.language if known is not None and known.language else made.language
        values = {"name": name, "by": who.name, "place": place, "park": url, "link": link}
        kind = "invited_known" if known is not None else "invited"
        entrance.post(conn, Letter(made.email, kind, language, values, known.person_id if known else ""))


def first_page(found: Invitation) -> str:
    """What somebody sees first who has taken a role: the place it is in."""
    kind, _, name = found.scope.partition(":")
    return f"/{kind}s/{name}?welcome={found.role}" if found.scope != AT_PARK else f"/account?welcome={found.role}"


def bad_invitation() -> Unauthorised:
    """An invitation that was taken, withdrawn, is old, or never was."""
    return Unauthorised(
        "This invitation was used or withdrawn, or its time is over.", fix="Ask whoever invited you for a new one.",
        code="bad_invitation",
    )  # fmt: skip


def _called(thing: Project | Organisation | None) -> str:
    if thing is None:
        return ""
    return thing.title if isinstance(thing, Project) else thing.name
