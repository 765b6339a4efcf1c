"""People and machines: added, found, verified, shut out, erased, and told all that the park knows of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts import store
from eureka_park.accounts.core.naming import clean_name, email_key
from eureka_park.accounts.core.permissions import AT_PARK, Principal, may
from eureka_park.accounts.core.roles import Act, Role
from eureka_park.accounts.events import PersonAdded, PersonErased, PersonVerified
from eureka_park.accounts.ground import Ground, no_person
from eureka_park.accounts.last import somebody_stays
from eureka_park.accounts.secrets import store as secrets
from eureka_park.accounts.sign_in import store as ways
from eureka_park.accounts.store import Person
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

LIST_MAX: Final = 500
_EXPORTED_ENTRIES: Final = 10_000
_PARK_RUN: Final = ((Role.OPERATOR, AT_PARK),)
LANGUAGES: Final = frozenset({"", "ar_MA", "en", "fr", "zgh"})
Export = Callable[[str], Any]
Screen = Callable[[Mapping[str, str]], bool | None]


class People:
    """The people and machines of one park."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._exports: dict[str, Export] = {}
        self.screen: Screen | None = None  # the operator's own check, for export control say

    # -- adding and finding --------------------------------------------------------------------------------------------
    def add(self, name: str, *, by: Principal | str | None = None, **more: Any) -> str:
        """Add a person, see `add_in`; their id."""
        with self._ground.db.write() as conn:
            return self.add_in(conn, name, by=by, **more)

    def add_in(
        self,
        conn: Connection,
        name: str,
        *,
        email: str = "",
        kind: str = "person",
        language: str = "",
        is_verified: bool = False,
        responsible_id: str | None = None,
        by: Principal | str | None = None,
    ) -> str:
        """Add somebody inside the caller's transaction; their id. Nobody holds a role yet.

        Raises BadInput for what cannot be a name or an address, Conflict (`email_taken`) for an address in use.
        """
        ground, now_s = self._ground, self._ground.clock.real_s()
        key = email_key(email) if email else None
        if key is not None and store.person_by_email(conn, key) is not None:
            raise Conflict(
                "Somebody has this e-mail address already.", fix="Sign in.", code="email_taken", field="email"
            )
        person_id = ground.fresh_id("person")
        store.add_person(
            conn, person_id, clean_name(name), now_s, email=email.strip() or None, email_key=key, kind=kind,
            language=_language(language), is_verified=is_verified, responsible_id=responsible_id,
            email_verified_at_s=now_s if key and is_verified else None,
        )  # fmt: skip
        ground.audit.note(conn, "person.added", who=by or person_id, thing=person_id, detail={"kind": kind})
        ground.bus.tell(conn, PersonAdded(person_id, now_s))
        if is_verified:
            ground.bus.tell(conn, PersonVerified(person_id, now_s))
        return person_id

    def person(self, person_id: str) -> Person:
        """A person by id. Raises NotFound; one who was erased is there without a name."""
        with self._ground.db.read() as conn:
            found = store.person(conn, person_id)
        if found is None:
            raise no_person(person_id)
        return found

    def by_email(self, conn: Connection, email: str) -> Person | None:
        """Whose address this is; None for nobody's, and for what cannot be an address."""
        try:
            key = email_key(email)
        except BadInput:
            return None
        return store.person_by_email(conn, key)

    def page(self, after: str = "", limit: int = 100, text: str = "") -> list[Person]:
        """People by id, whose name or address holds a text."""
        with self._ground.db.read() as conn:
            return store.all_people(conn, after, min(max(1, limit), LIST_MAX), text.strip())

    def counts(self) -> tuple[int, int]:
        """How many people and machines have an account, and how many of them are shut out."""
        with self._ground.db.read() as conn:
            return store.counts(conn)

    def names(self, ids: list[str]) -> dict[str, str]:
        """The names of people and groups by their ids."""
        with self._ground.db.read() as conn:
            return store.names_of(conn, ids)

    # -- changing ------------------------------------------------------------------------------------------------------
    def change(self, who: Principal, person_id: str, **values: str) -> Person:
        """Set name or language of oneself, or as an operator of anybody. Raises NotFound, Forbidden, BadInput."""
        _check_self_or_operator(who, person_id)
        if "name" in values:
            values["name"] = clean_name(values["name"])
        if "language" in values:
            values["language"] = _language(values["language"])
        with self._ground.db.write() as conn:
            self._present(conn, person_id)
            store.change_person(conn, person_id, **values)
            fields = " ".join(sorted(values))
            self._ground.audit.note(conn, "person.changed", who=who, thing=person_id, detail={"fields": fields})
        return self.person(person_id)

    def set_email(self, who: Principal, person_id: str, email: str) -> None:
        """Give somebody another address, or ('') none; it counts as verified. Letters on their way are void.
        For operators.

        Raises NotFound, Forbidden, BadInput, Conflict (`email_taken`).
        """
        _check_operator(who)
        key, ground = email_key(email) if email.strip() else None, self._ground
        with ground.db.write() as conn:
            self._present(conn, person_id)
            other = store.person_by_email(conn, key) if key is not None else None
            if other is not None and other.person_id != person_id:
                raise Conflict(
                    "Somebody has this e-mail address already.", fix="Find them by it.", code="email_taken",
                    field="email",
                )  # fmt: skip
            at_s = ground.clock.real_s() if key is not None else None
            store.change_person(conn, person_id, email=email.strip() or None, email_key=key, email_verified_at_s=at_s)
            ways.drop_flows(conn, person_id, ways.OF_ONE_PERSON)  # what lies in letters to the old one is void
            ground.audit.note(conn, "email.changed", who=who, thing=person_id)

    def verify(self, conn: Connection, person_id: str, *, by_email: bool) -> None:
        """It is known now who answers here: by their e-mail, or (False) by a provider elsewhere. Once is enough."""
        person, now_s = self._present(conn, person_id), self._ground.clock.real_s()
        if by_email:
            store.change_person(conn, person_id, email_verified_at_s=now_s)
        if not person.is_verified:
            store.change_person(conn, person_id, is_verified=True)
            self._ground.audit.note(conn, "person.verified", who=person_id, thing=person_id)
            self._ground.bus.tell(conn, PersonVerified(person_id, now_s))

    def set_disabled(self, who: Principal, person_id: str, is_disabled: bool) -> None:
        """Shut somebody out, or let them in again; their tokens and sessions rest meanwhile. For operators."""
        _check_operator(who)
        with self._ground.db.write() as conn:
            self._present(conn, person_id)
            now_s = self._ground.clock.real_s() if is_disabled else None
            with somebody_stays(conn, _PARK_RUN):
                store.change_person(conn, person_id, disabled_at_s=now_s)
            act = "person.disabled" if is_disabled else "person.enabled"
            self._ground.audit.note(conn, act, who=who, thing=person_id)

    # -- erasing and telling -------------------------------------------------------------------------------------------
    def erase(self, who: Principal, person_id: str) -> None:
        """Forget who somebody is: name, address, ways to sign in, tokens, sessions, roles. Books and log keep the id.

        For oneself or an operator. Raises NotFound, Forbidden, Conflict (`last_operator`).
        """
        _check_self_or_operator(who, person_id)
        with self._ground.db.write() as conn:
            email = self._present(conn, person_id).email
            now_s = self._ground.clock.real_s()
            secrets.drop_tokens(conn, person_id)
            secrets.drop_sessions(conn, person_id)
            secrets.drop_sign_in_links(conn, person_id)
            ways.forget(conn, person_id, email_key(email) if email else "")
            with somebody_stays(conn, _PARK_RUN):
                store.empty_person(conn, person_id, now_s)
            self._ground.audit.note(conn, "person.erased", who=who, thing=person_id)
            self._ground.bus.tell(conn, PersonErased(person_id, now_s))

    def on_export(self, name: str, tell: Export) -> None:
        """Have another room tell what it knows of a person, under this name."""
        self._exports[name] = tell

    def export(self, person_id: str) -> dict[str, Any]:
        """All that the park knows of a person, as JSON; no secrets."""
        person, now_s = self.person(person_id), self._ground.clock.real_s()
        with self._ground.db.read() as conn:
            held = store.roles_of(conn, person_id)
            agreed = store.consents_of(conn, person_id)
            tokens = secrets.tokens_of(conn, person_id)
            sessions = secrets.sessions_of(conn, person_id, now_s)
            known_ways, invited = ways.told(conn, person_id), ways.invitations_by(conn, person_id)
        entries = self._ground.audit.newest(limit=_EXPORTED_ENTRIES, who=person_id)
        return {
            "made_at": iso_from_s(now_s),
            "person": asdict(person),
            "roles": [{"role": str(item.role), "scope": item.scope, "through": item.via} for item in held],
            "consents": agreed,
            "tokens": [asdict(token) for token in tokens],
            "sessions": [{key: getattr(item, key) for key in _SESSION_KEYS} for item in sessions],
            "ways_to_sign_in": known_ways,
            "invitations": [asdict(item) for item in invited],
            "audit": entries,
            **{name: tell(person_id) for name, tell in self._exports.items()},
        }

    def agree(self, conn: Connection, person_id: str, kind: str, version: str) -> None:
        """Note that a person agreed to a text."""
        store.add_consent(conn, person_id, kind, version, self._ground.clock.real_s())
        detail = {"kind": kind, "version": version}
        self._ground.audit.note(conn, "consent.given", who=person_id, thing=person_id, detail=detail)

    def consents(self) -> list[dict[str, Any]]:
        """How many agreed to each text: kind, version, n."""
        with self._ground.db.read() as conn:
            return store.consent_counts(conn)

    # -- screening -----------------------------------------------------------------------------------------------------
    def require_screened(self, who: Principal) -> None:
        """Raise Forbidden (`not_screened`) for somebody who may have no GPUs. Asked once per person, and only where the
        operator has a screening; a machine stands for whoever answers for it. Raises Unavailable where it fails.
        """
        if self.screen is None:
            return
        person = self.person(self.person(who.person_id).responsible_id or who.person_id)
        is_clear: bool | None = person.screened == "clear"
        if not person.screened:
            is_clear = self.screen({"person_id": person.person_id, "name": person.name, "email": person.email})
            if is_clear is None:  # nobody screens here; whoever does later asks for everybody
                return
            with self._ground.db.write() as conn:
                self.set_screened(conn, person.person_id, is_clear, by="")
        if not is_clear:
            raise Forbidden(
                "This account may not use GPUs: the park's screening did not clear it.",
                fix="Ask an operator of this park.",
                code="not_screened",
            )

    def set_screened(self, conn: Connection, person_id: str, is_clear: bool, by: Principal | str) -> None:
        """Note what the operator's screening (for export control) found."""
        result = "clear" if is_clear else "refused"
        store.change_person(conn, person_id, screened=result, screened_at_s=self._ground.clock.real_s())
        self._ground.audit.note(conn, "person.screened", who=by, thing=person_id, detail={"result": result})

    # -- checks --------------------------------------------------------------------------------------------------------
    def _present(self, conn: Connection, person_id: str) -> Person:
        person = store.person(conn, person_id)
        if person is None or person.is_erased:
            raise no_person(person_id)
        return person


_SESSION_KEYS: Final = ("session_id", "method", "client", "address", "created_at_s", "seen_at_s", "expires_at_s")


def _check_operator(who: Principal) -> None:
    answer = may(Act.OPERATE, who, None)
    if not answer.is_allowed:
        raise Forbidden(answer.why, fix=answer.fix)


def _check_self_or_operator(who: Principal, person_id: str) -> None:
    if who.person_id != person_id:
        _check_operator(who)
        return
    answer = may(Act.ACCOUNT, who, None)
    if not answer.is_allowed:
        raise Forbidden(answer.why, fix=answer.fix)


def _language(text: str) -> str:
    if text not in LANGUAGES:
        known = ", ".join(sorted(LANGUAGES - {""}))
        raise BadInput(f"'{text[:20]}' is no language of this park.", fix=f"Choose among: {known}.", field="language")
    return text
