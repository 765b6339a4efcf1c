"""Who may do what, as one function that also says why: the answer is data, and pages and errors print its sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from eureka_park.accounts.core.roles import TABLE, Act, Kind, Role, rule_text
from eureka_park.foundation.errors import BadInput

_PROJECT_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
AT_PARK: Final = str(Kind.PARK)


@dataclass(frozen=True, slots=True)
class Held:
    """A role that somebody holds at a scope: `park`, `organisation:um6p`, `project:lab`.

    `via`: the id of the group through which they hold it; `group`: what that group is called.
    """

    role: Role
    scope: str
    via: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is signed in, or a machine with a token.

    `is_operator` and `projects` (of which one is a member) follow from the roles; given alone, they stand for roles.
    `acts`: what the token is good for, None for all that the person may; `only_project`: the one project it is for.
    """

    person_id: str
    name: str
    is_operator: bool
    projects: frozenset[str]
    roles: tuple[Held, ...] = ()
    kind: str = "person"
    acts: frozenset[Act] | None = None
    only_project: str = ""
    token_id: str = ""
    is_verified: bool = False
    _at: Mapping[str, Mapping[Role, str]] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        at: dict[str, dict[Role, str]] = {}
        for held in (*self.roles, *self._implied()):
            known = at.setdefault(held.scope, {})
            if held.role not in known or not held.via:  # held by oneself stands before held through a group
                known[held.role] = held.group or held.via
        object.__setattr__(self, "_at", at)

    def _implied(self) -> Iterator[Held]:
        if self.is_operator:
            yield Held(Role.OPERATOR, AT_PARK)
        if not self.roles:
            yield from (Held(Role.MEMBER, scope_of(Kind.PROJECT, name)) for name in self.projects)

    def held_at(self, scope: str) -> Mapping[Role, str]:
        """The roles held at a scope, each with the group that gives it ('' for none)."""
        return self._at.get(scope, {})


@dataclass(frozen=True, slots=True)
class Project:
    """A project: jobs run in one, and who sees them follows from it."""

    project_id: str
    title: str
    is_public: bool
    created_at_s: float
    organisation_id: str = ""
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Organisation:
    """A university, startup, company, public body or individual that has projects and pays for them."""

    organisation_id: str
    name: str
    kind: str
    created_at_s: float
    country: str = ""
    billing: Mapping[str, str] = field(default_factory=dict)  # ice, tax_id, email, address, currency


Thing = Project | Organisation | None  # None: the park itself


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is allowed, and the one sentence that says why; `fix` says what would change it.

    `code`: public, role, self, not_signed_in, no_role, wrong_role, scope, other_project, closed.
    `roles`: those of which one, held at the object itself, would turn a no into a yes.
    """

    is_allowed: bool
    why: str
    code: str = ""
    fix: str = ""
    rule: str = ""
    roles: tuple[Role, ...] = ()


def may(act: Act, who: Principal | None, thing: Thing) -> Answer:
    """Whether `who` (None: nobody signed in) may do `act` to a project, an organisation, or (None) the park itself."""
    rule = TABLE[act]
    if rule.is_open and type(thing) is Project and thing.is_public:
        return Answer(True, f"The project {thing.project_id} is public.", "public")
    if who is None:
        return Answer(False, "Nobody is signed in.", "not_signed_in", "Sign in, or set PARK_TOKEN.")
    if act is Act.ACCOUNT:
        thing = None
    refusal = _narrowed(act, who, thing)
    if refusal is not None:
        return refusal
    if act is Act.ACCOUNT:
        return Answer(True, f"It is {who.name}'s own account.", "self")
    return _by_role(act, who, thing)


def _narrowed(act: Act, who: Principal, thing: Thing) -> Answer | None:
    """What a token is not good for, whoever its owner is; None where it narrows nothing."""
    if who.acts is not None and act not in who.acts:
        why = f"The token of {who.name} is not for '{act}'."
        return Answer(False, why, "scope", "Use a token that is: park token new --scope ...")
    if who.only_project and (type(thing) is not Project or thing.project_id != who.only_project):
        why = f"The token of {who.name} is for the project {who.only_project} alone."
        return Answer(False, why, "other_project", "Use a token for all your projects.")
    if type(thing) is Project and thing.is_closed and act not in (Act.SEE, Act.SEE_BILL, Act.MANAGE):
        return Answer(False, f"The project {thing.project_id} is closed.", "closed", "Ask its lead to open it again.")
    return None


def _by_role(act: Act, who: Principal, thing: Thing) -> Answer:
    kind = kind_of(thing)
    for where, roles in _places(act, kind):
        scope = scope_in(where, thing)
        for role, via in who.held_at(scope).items() if scope else ():
            if role in roles:
                return Answer(True, _yes(who, role, scope, via), "role")
    return _no(act, who, thing, kind)


@cache
def _places(act: Act, kind: Kind) -> tuple[tuple[Kind, frozenset[Role]], ...]:
    """Where to look, the nearest first, with the roles that allow it there."""
    found: dict[Kind, set[Role]] = {}
    for where, role in TABLE[act].sources(kind):
        found.setdefault(where, set()).add(role)
    return tuple((where, frozenset(roles)) for where, roles in found.items())


def fitting(act: Act, thing: Thing) -> Thing:
    """The object that an act is about: what is done to the park alone is asked of the park."""
    return thing if kind_of(thing) in TABLE[act].here else None


def is_in(who: Principal, thing: Thing) -> bool:
    """Whether somebody holds a role in a project or its organisation, or in an organisation; never in the park."""
    if thing is None:
        return False
    scopes = {scope_in(kind_of(thing), thing), scope_in(Kind.ORGANISATION, thing)}
    return any(scope and who.held_at(scope) for scope in scopes)


def may_know_people(who: Principal | None, thing: Thing) -> bool:
    """Whether somebody may know who is in an object: its own people, and those who look after the park."""
    return may(Act.SEE_PEOPLE, who, None).is_allowed or (who is not None and is_in(who, thing))


def scope_text(thing: Thing) -> str:
    """An object as text: `park`, `organisation:um6p`, `project:lab`."""
    return scope_in(kind_of(thing), thing)


def kind_of(thing: Thing) -> Kind:
    """What sort of object it is."""
    if thing is None:
        return Kind.PARK
    return Kind.PROJECT if type(thing) is Project else Kind.ORGANISATION


def scope_of(kind: Kind, name: str = "") -> str:
    """Where a role is held, as text: `park`, `organisation:um6p`, `project:lab`."""
    return AT_PARK if kind is Kind.PARK else f"{kind}:{name}"


def scope_in(where: Kind, thing: Thing) -> str:
    """Where roles are held that count for an object: at the park, at its organisation ('' for none), at itself."""
    if where is Kind.PARK or thing is None:
        return AT_PARK
    if type(thing) is Project:
        of_organisation = f"organisation:{thing.organisation_id}" if thing.organisation_id else ""
        return f"project:{thing.project_id}" if where is Kind.PROJECT else of_organisation
    assert isinstance(thing, Organisation)
    return f"organisation:{thing.organisation_id}"


def _yes(who: Principal, role: Role, scope: str, via: str) -> str:
    through = f", as one of the group {via}" if via else ""
    if scope != AT_PARK:
        return f"{who.name} is {_a(role)} of {scope.partition(':')[2]}{through}."
    if role is Role.OPERATOR:
        return f"{who.name} operates this park{through}."
    return f"{who.name} is {_a(role)} of this park{through}."


def _no(act: Act, who: Principal, thing: Thing, kind: Kind) -> Answer:
    rule, roles = rule_text(act, kind), would_do(act, kind)
    if thing is None or not roles:  # what has no role at the object itself is a matter of the whole park
        why = "does not operate this park" if act is Act.OPERATE else f"may not {_PLAINLY[act]} here"
        wanted = f" for {_one_of(roles)}" if roles else ""
        return Answer(False, f"{who.name} {why}.", "no_role", f"Ask an operator of this park{wanted}.", rule, roles)
    name, held = scope_text(thing).partition(":")[2], who.held_at(scope_text(thing))
    fix = f"Ask a lead of {name}, or an operator of this park, for {_one_of(roles)} there."
    if held:
        shown = ", ".join(_a(role) for role in held)
        why = f"{who.name} is {shown} of {name}, which is not enough to {_verb(act)}."
        return Answer(False, why, "wrong_role", fix, rule, roles)
    return Answer(False, f"{who.name} is not a member of {name}.", "no_role", fix, rule, roles)


@cache
def would_do(act: Act, kind: Kind) -> tuple[Role, ...]:
    """The roles, held at an object of this kind itself, that allow an act."""
    return tuple(role for where, role in TABLE[act].sources(kind) if where is kind)


def _one_of(roles: Iterable[Role]) -> str:
    names = [str(role) for role in roles]
    return f"the role {' or '.join(names)}"


_PLAINLY: Final[Mapping[Act, str]] = {
    **{act: act.replace("_", " ") for act in Act},
    Act.SUBMIT: "run jobs",
    Act.STORE: "keep data",
    Act.LABEL: "answer labelling tasks",
    Act.REVIEW: "judge applications",
    Act.SEE_BILL: "see bills",
    Act.SPEND: "spend credits",
    Act.FOUND: "begin projects or organisations",
    Act.GRANT: "give credits",
    Act.PRICE: "set prices",
    Act.SEE_PEOPLE: "see everybody's record",
    Act.AUDIT: "read the audit log",
}


def _a(role: Role) -> str:
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role}"


def _verb(act: Act) -> str:
    return act.replace("_", " its ") if act is Act.SEE_BILL else f"{act.replace('_', ' ')} it"


def narrowed(who: Principal, acts: frozenset[Act] | None, only_project: str, token_id: str) -> Principal:
    """The principal behind a token: it may do at most what the token is good for.

    A token that is not for operating makes no operator, so that nothing is seen or trusted on the strength of it.
    """
    is_operator = who.is_operator and not only_project and (acts is None or Act.OPERATE in acts)
    is_auditor = not only_project and (acts is None or Act.AUDIT in acts)
    roles = [held for held in who.roles if _stays(held, is_operator, is_auditor, only_project)]
    projects = who.projects & {only_project} if only_project else who.projects
    return replace(
        who, is_operator=is_operator, projects=projects, roles=tuple(roles), acts=acts, only_project=only_project,
        token_id=token_id,
    )  # fmt: skip


def _stays(held: Held, is_operator: bool, is_auditor: bool, only_project: str) -> bool:
    if held.role is Role.OPERATOR:
        return is_operator
    if held.role is Role.AUDITOR:
        return is_auditor
    return not only_project or held.scope.startswith("organisation:") or held.scope == f"project:{only_project}"


def projects_held(roles: Iterable[Held]) -> frozenset[str]:
    """The projects in which one of these roles lets somebody see what is there."""
    seeing = TABLE[Act.SEE].here[Kind.PROJECT]
    names = (held.scope.removeprefix("project:") for held in roles if held.role in seeing and "project:" in held.scope)
    return frozenset(names)


def check_project_id(text: str) -> None:
    """Raise BadInput unless the text can name a project: 1 to 63 small letters, digits and inner dashes."""
    if not _PROJECT_ID.fullmatch(text):
        raise BadInput(
            f"'{text[:80]}' cannot name a project.",
            fix="Use 1 to 63 small letters, digits and dashes, with a letter or digit at both ends.",
            code="bad_project",
            field="project",
        )
