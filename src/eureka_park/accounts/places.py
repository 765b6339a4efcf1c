"""Projects, organisations and groups, and who holds which role in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eureka_park.accounts import store
from eureka_park.accounts.audit.service import Detail
from eureka_park.accounts.core.naming import check_id, clean_name
from eureka_park.accounts.core.permissions import (
    AT_PARK,
    Answer,
    Held,
    Organisation,
    Principal,
    Project,
    Thing,
    kind_of,
    may,
    scope_in,
    scope_of,
)
from eureka_park.accounts.core.roles import ROLES_AT, TABLE, Act, Kind, Role
from eureka_park.accounts.events import ProjectMade, RoleGiven, RoleTaken
from eureka_park.accounts.ground import Ground, no_person
from eureka_park.accounts.last import somebody_stays
from eureka_park.accounts.people import People
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, Unauthorised

if TYPE_CHECKING:
    from sqlalchemy import Connection

ORGANISATION_KINDS: Final = ("university", "startup", "company", "public_body", "individual")
BILLING_FIELDS: Final = frozenset({"ice", "tax_id", "email", "address", "currency"})
T = TypeVar("T", Project, Organisation)
_ICE_DIGITS: Final = 15  # Morocco's common identifier of enterprises


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds a role at a scope, perhaps through a group (its id, and what it is called)."""

    person_id: str
    name: str
    role: Role
    scope: str
    via: str
    group: str = ""


class Places:
    """Projects, organisations and groups of one park. `who` is checked by the table of roles in every call."""

    def __init__(self, ground: Ground, people: People) -> None:
        self._ground, self._people = ground, people

    # -- organisations -------------------------------------------------------------------------------------------------
    def new_organisation(
        self, who: Principal, organisation_id: str, name: str, kind: str, *, country: str = "", billing: Any = None
    ) -> Organisation:
        """Found an organisation; whoever does is its lead. Raises Forbidden, BadInput, Conflict."""
        require(Act.FOUND, who, None)
        check_id(organisation_id, "an organisation")
        now_s = self._ground.clock.real_s()
        made = Organisation(
            organisation_id, clean_name(name), _kind(kind), now_s, _country(country), _billing(billing or {})
        )
        with self._ground.db.write() as conn:
            if store.organisation(conn, organisation_id) is not None:
                raise _taken(organisation_id, "organisation")
            store.add_organisation(conn, made)
            scope = scope_of(Kind.ORGANISATION, organisation_id)
            self._ground.audit.note(conn, "organisation.made", who=who, thing=scope, detail={"kind": kind})
            self.give_in(conn, who, who.person_id, Role.LEAD, scope)
        return made

    def change_organisation(self, who: Principal, organisation_id: str, changes: Mapping[str, Any]) -> Organisation:
        """Set name, kind, country or billing of an organisation. Raises NotFound, Forbidden, BadInput."""
        checks: dict[str, Callable[[Any], Any]]
        checks = {"name": clean_name, "kind": _kind, "country": _country, "billing": _billing}
        values = {key: checks[key](value) for key, value in changes.items()}
        with self._ground.db.write() as conn:
            self.organisation_in(conn, Act.MANAGE, who, organisation_id)
            store.change_organisation(conn, organisation_id, **values)
            thing = scope_of(Kind.ORGANISATION, organisation_id)
            detail = {"fields": " ".join(sorted(values))}
            self._ground.audit.note(conn, "organisation.changed", who=who, thing=thing, detail=detail)
            return self.organisation_in(conn, Act.MANAGE, who, organisation_id)

    def organisation(self, act: Act, who: Principal | None, organisation_id: str) -> Organisation:
        """An organisation in which `who` may do `act`. Raises Unauthorised, Forbidden, NotFound."""
        with self._ground.db.read() as conn:
            return self.organisation_in(conn, act, who, organisation_id)

    def organisations(self, who: Principal | None) -> list[Organisation]:
        """The organisations that `who` may see, by id."""
        with self._ground.db.read() as conn:
            return [item for item in store.all_organisations(conn) if may(Act.SEE, who, item).is_allowed]

    # -- projects ------------------------------------------------------------------------------------------------------
    def new_project(
        self, who: Principal, project_id: str, title: str, *, is_public: bool = False, organisation_id: str = ""
    ) -> Project:
        """Begin a project; whoever does is its lead. Raises Forbidden, BadInput, Conflict, NotFound."""
        check_id(project_id, "a project")
        now_s = self._ground.clock.real_s()
        made = Project(project_id, clean_name(title, "title"), is_public, now_s, organisation_id)
        with self._ground.db.write() as conn:
            if organisation_id:
                self.organisation_in(conn, Act.FOUND, who, organisation_id)
            else:
                require(Act.FOUND, who, None)
            if store.project(conn, project_id) is not None:
                raise _taken(project_id, "project")
            self.add_project(conn, made, who.person_id)
            self.give_in(conn, who, who.person_id, Role.LEAD, scope_of(Kind.PROJECT, project_id))
        return made

    def add_project(self, conn: Connection, made: Project, made_by: str) -> None:
        """Add a project inside the caller's transaction, with nobody in it."""
        store.ensure_project(conn, made, made_by)
        thing = scope_of(Kind.PROJECT, made.project_id)
        detail: Detail = {"organisation": made.organisation_id, "public": made.is_public}
        self._ground.audit.note(conn, "project.made", who=made_by, thing=thing, detail=detail)
        self._ground.bus.tell(conn, ProjectMade(made.project_id, made.organisation_id, made_by, made.created_at_s))

    def open_own_project(self, conn: Connection, person_id: str, project_id: str, title: str) -> None:
        """A project of one person's own, who leads it; one that is there stays as it is."""
        if store.project(conn, project_id) is None:
            now_s, scope = self._ground.clock.real_s(), scope_of(Kind.PROJECT, project_id)
            self.add_project(conn, Project(project_id, title, False, now_s, ""), person_id)
            store.give_role(conn, person_id, Role.LEAD, scope, now_s, person_id)
            detail = {"role": str(Role.LEAD), "scope": scope}
            self._ground.audit.note(conn, "role.given", who=person_id, thing=person_id, detail=detail)

    def organisation_of(self, conn: Connection, project_id: str) -> str:
        """The organisation that a project belongs to; '' for none."""
        found = store.project(conn, project_id)
        return "" if found is None else found.organisation_id

    def change_project(self, who: Principal, project_id: str, changes: Mapping[str, Any]) -> Project:
        """Set `title`, `is_public` or `is_closed`. Raises NotFound, Forbidden, BadInput."""
        values = dict(changes)
        if "title" in values:
            values["title"] = clean_name(values["title"], "title")
        if "is_closed" in values:
            values["closed_at_s"] = self._ground.clock.real_s() if values.pop("is_closed") else None
        with self._ground.db.write() as conn:
            self.project_in(conn, Act.MANAGE, who, project_id)
            store.change_project(conn, project_id, **values)
            detail: Detail = {key: value if isinstance(value, bool) else "new" for key, value in changes.items()}
            thing = scope_of(Kind.PROJECT, project_id)
            self._ground.audit.note(conn, "project.changed", who=who, thing=thing, detail=detail)
            return self.project_in(conn, Act.MANAGE, who, project_id)

    # -- roles ---------------------------------------------------------------------------------------------------------
    def give_role(self, who: Principal, holder_id: str, role: Role, scope: str) -> None:
        """Let a person or a group hold a role at a scope. Raises NotFound, Forbidden, BadInput."""
        with self._ground.db.write() as conn:
            self.check_role(conn, who, role, scope)
            self._check_holder(conn, holder_id, scope)
            self.give_in(conn, who, holder_id, role, scope)

    def take_role(self, who: Principal, holder_id: str, role: Role, scope: str) -> None:
        """End a role; one's own may always be given up. Raises NotFound, Forbidden, Conflict for the last one."""
        with self._ground.db.write() as conn:
            if holder_id != who.person_id or may(Act.ACCOUNT, who, None).is_allowed is False:
                self.check_role(conn, who, role, scope)
            with somebody_stays(conn, [(role, scope)]):
                if not store.take_role(conn, holder_id, role, scope):
                    raise NotFound("This role is not held there.", fix="List who is there.", code="no_such_role")
            detail = {"role": str(role), "scope": scope}
            self._ground.audit.note(conn, "role.taken", who=who, thing=holder_id, detail=detail)
            self._ground.bus.tell(conn, RoleTaken(holder_id, str(role), scope, self._ground.clock.real_s()))

    def holders(self, scope: str) -> list[Holder]:
        """Everybody who holds a role at a scope, in the order in which they came. The caller checks who may know."""
        with self._ground.db.read() as conn:
            found = store.holders(conn, [scope])
            names = store.names_of(conn, [name for person_id, held in found for name in (person_id, held.via)])
        return [_holder(name, held, names) for name, held in found]

    def who_can(self, act: Act, thing: Thing) -> list[Holder]:
        """Everybody who may do an act to an object, with the role that lets them, the nearest first."""
        wanted = {(scope_in(where, thing), role): index for index, (where, role) in enumerate(_sources(act, thing))}
        scopes = sorted({scope for scope, _ in wanted})
        with self._ground.db.read() as conn:
            found = [(name, held) for name, held in store.holders(conn, scopes) if (held.scope, held.role) in wanted]
            names = store.names_of(conn, [name for person_id, held in found for name in (person_id, held.via)])
        best: dict[str, tuple[int, Held]] = {}
        for name, held in found:
            rank = wanted[held.scope, held.role]
            if name not in best or rank < best[name][0]:
                best[name] = (rank, held)
        ranked = sorted(best.items(), key=lambda item: (item[1][0], names.get(item[0], ""), item[0]))
        return [_holder(name, held, names) for name, (_, held) in ranked]

    def new_machine(self, who: Principal, project_id: str, name: str) -> str:
        """An account for a machine, a member of one project, for which `who` answers; its id."""
        with self._ground.db.write() as conn:
            self.project_in(conn, Act.MANAGE, who, project_id)
            person_id = self._people.add_in(conn, name, kind="service", responsible_id=who.person_id, by=who)
            self.give_in(conn, who, person_id, Role.MEMBER, scope_of(Kind.PROJECT, project_id))
        return person_id

    def roles_of(self, person_id: str) -> tuple[Held, ...]:
        """The roles of a person, those of their groups too. The caller checks who may know."""
        with self._ground.db.read() as conn:
            return store.roles_of(conn, person_id)

    def require_answers_for(self, who: Principal, machine_id: str) -> None:
        """Raise NotFound unless it is a machine that `who` answers for, or of a project that `who` manages."""
        with self._ground.db.read() as conn:
            machine = store.person(conn, machine_id)
            names = [held.scope for held in store.roles_of(conn, machine_id) if held.scope.startswith("project:")]
            things = [self.thing_in(conn, name) for name in names]
        if machine is not None and machine.kind == "service":
            if machine.responsible_id == who.person_id or may(Act.OPERATE, who, None).is_allowed:
                return
            if any(may(Act.MANAGE, who, thing).is_allowed for thing in things):
                return
        raise NotFound(
            f"There is no machine {machine_id[:80]} that you answer for.", fix="Check its id.", code="no_such_machine"
        )

    # -- inside a transaction ------------------------------------------------------------------------------------------
    def project_in(self, conn: Connection, act: Act, who: Principal | None, project_id: str) -> Project:
        """The project, where `who` may do `act` in it. Raises Unauthorised, Forbidden, NotFound."""
        return checked(act, who, store.project(conn, project_id), project_id, "project")

    def organisation_in(self, conn: Connection, act: Act, who: Principal | None, name: str) -> Organisation:
        """The organisation, where `who` may do `act` in it. Raises as `project_in`."""
        return checked(act, who, store.organisation(conn, name), name, "organisation")

    def thing_in(self, conn: Connection, scope: str) -> Thing:
        """What a scope names; None for the park. Raises NotFound, BadInput."""
        kind, _, name = scope.partition(":")
        if scope == AT_PARK:
            return None
        if kind not in (Kind.PROJECT, Kind.ORGANISATION):
            raise BadInput(
                f"'{scope[:80]}' names nothing.", fix="Write park, project:ID or organisation:ID.", code="bad_object"
            )
        found = store.project(conn, name) if kind == Kind.PROJECT else store.organisation(conn, name)
        if found is None:
            raise hidden(name, kind)
        return found

    def thing(self, scope: str) -> Thing:
        """As `thing_in`."""
        with self._ground.db.read() as conn:
            return self.thing_in(conn, scope)

    def named(self, who: Principal | None, text: str) -> Thing:
        """What a text names, as far as `who` may know of it: `park`, a project, `project:ID`, `organisation:ID`.

        Raises NotFound, alike for what is not there and for what is hidden; BadInput.
        """
        scope = text if ":" in text or text == AT_PARK else scope_of(Kind.PROJECT, text)
        thing = self.thing(scope)
        if thing is not None and not may(Act.SEE, who, thing).is_allowed:
            kind, _, name = scope.partition(":")
            raise hidden(name, kind)
        return thing

    def give_in(self, conn: Connection, who: Principal, holder_id: str, role: Role, scope: str) -> None:
        """Let somebody hold a role, inside the caller's transaction, who has checked it."""
        now_s = self._ground.clock.real_s()
        if not store.give_role(conn, holder_id, role, scope, now_s, who.person_id):
            return  # held already
        detail = {"role": str(role), "scope": scope}
        self._ground.audit.note(conn, "role.given", who=who, thing=holder_id, detail=detail)
        self._ground.bus.tell(conn, RoleGiven(holder_id, str(role), scope, now_s))

    def check_role(self, conn: Connection, who: Principal, role: Role, scope: str) -> None:
        """Raise NotFound, Forbidden or BadInput unless `who` may give or take this role at this scope."""
        thing = self.thing_in(conn, scope)
        kind = kind_of(thing)
        if isinstance(thing, Project):
            checked(Act.MANAGE, who, thing, thing.project_id, kind)
        elif isinstance(thing, Organisation):
            checked(Act.MANAGE, who, thing, thing.organisation_id, kind)
        else:
            require(Act.OPERATE, who, None)
        if role not in ROLES_AT[kind]:
            known = ", ".join(item for item in Role if item in ROLES_AT[kind])
            raise BadInput(
                f"Nobody is {role} of {kind} here.", fix=f"Roles there: {known}.", code="bad_role", field="role"
            )

    def check_person(self, conn: Connection, person_id: str) -> None:
        """Raise NotFound unless this is a person or a machine that is not shut out."""
        if store.principal(conn, person_id) is None:
            raise no_person(person_id)

    def _check_holder(self, conn: Connection, holder_id: str, scope: str) -> None:
        group = store.group(conn, holder_id)
        if group is None:
            self.check_person(conn, holder_id)
        elif group.organisation_id and scope == AT_PARK:  # or its leads would decide who operates the park
            raise BadInput(
                "A group of an organisation holds no role of the whole park.",
                fix="Give it to people, or to a group of the park.", code="bad_role", field="role",
            )  # fmt: skip


def _holder(person_id: str, held: Held, names: Mapping[str, str]) -> Holder:
    return Holder(person_id, names.get(person_id, ""), held.role, held.scope, held.via, names.get(held.via, ""))


def require(act: Act, who: Principal | None, thing: Thing) -> None:
    """Raise Unauthorised or Forbidden unless `who` may do `act` to an object that they may know of."""
    answer = may(act, who, thing)
    if not answer.is_allowed:
        raise refusal(answer, who)


def refusal(answer: Answer, who: Principal | None) -> Unauthorised | Forbidden:
    """The error for an answer that is no."""
    if who is None:
        return Unauthorised(answer.why, fix="Sign in, or set PARK_TOKEN.")
    return Forbidden(answer.why, fix=answer.fix)


def checked(act: Act, who: Principal | None, thing: T | None, name: str, kind: str) -> T:
    """A project or an organisation, where `who` may do `act` to it.

    Raises Unauthorised when nobody is signed in, Forbidden, or NotFound for what `who` may not know of.
    """
    answer = may(act, who, thing)
    if thing is not None and answer.is_allowed:
        return thing
    if who is None:  # the same answer whether or not there is such a thing
        raise Unauthorised("Nobody is signed in.", fix="Sign in, or set PARK_TOKEN.")
    if thing is None or not may(Act.SEE, who, thing).is_allowed:
        raise hidden(name, kind)
    raise Forbidden(answer.why, fix=answer.fix)


def hidden(name: str, kind: str) -> NotFound:
    """The same answer for what is not there and for what one may not know of."""
    return NotFound(
        f"There is no {kind} {name[:80]} that you can see.",
        fix="Check its name, or ask its members to add you.",
        code=f"no_such_{kind}",
        field=kind,
    )


def _taken(name: str, kind: str) -> Conflict:
    return Conflict(
        f"There is a {kind} named {name} already.", fix="Choose another name.", code=f"{kind}_taken", field=kind
    )


def _sources(act: Act, thing: Thing) -> list[tuple[Kind, Role]]:
    return list(TABLE[act].sources(kind_of(thing)))


def _kind(text: str) -> str:
    if text not in ORGANISATION_KINDS:
        known = ", ".join(ORGANISATION_KINDS)
        raise BadInput(f"'{text[:20]}' is no kind of organisation.", fix=f"Choose among: {known}.", field="kind")
    return text


def _country(text: str) -> str:
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise BadInput(f"'{text[:20]}' is no country.", fix="Write two letters, as MA.", field="country")
    return text.upper()


def _billing(given: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(set(given) - BILLING_FIELDS)
    if unknown:
        known = ", ".join(sorted(BILLING_FIELDS))
        raise BadInput(f"'{unknown[0][:40]}' is no field of billing.", fix=f"Fields: {known}.", field="billing")
    ice = given.get("ice", "")
    if ice and not (len(ice) == _ICE_DIGITS and ice.isascii() and ice.isdigit()):
        raise BadInput("An ICE has 15 digits.", fix="Copy it from the certificate.", code="bad_ice", field="ice")
    return {key: value.strip()[:500] for key, value in given.items() if value.strip()}
