"""What people may want to do, the roles they hold, and the one table that joins the two.

Pages, the API and `park who-can` print this table; nothing else in the park knows what a role may do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final


class Act(StrEnum):
    """What a person may want to do."""

    SEE = "see"  # a project's jobs, logs, receipts and outputs; an organisation's record
    SUBMIT = "submit"  # run jobs in a project and cancel them
    STORE = "store"  # keep data sets and models in a project
    LABEL = "label"  # answer labelling tasks
    TEACH = "teach"  # give courses and grade them
    REVIEW = "review"  # judge applications
    SEE_BILL = "see_bill"  # budgets, grants, statements
    SPEND = "spend"  # ask for more credits, move them, set budgets
    MANAGE = "manage"  # who is in it, and its settings
    FOUND = "found"  # begin a new project
    GRANT = "grant"  # give credits, and take them back
    PRICE = "price"  # set price lists
    SEE_PEOPLE = "see_people"  # everybody's record
    AUDIT = "audit"  # read the audit log and check it
    OPERATE = "operate"  # run the park itself: machines, policy, people
    ACCOUNT = "account"  # one's own tokens, sessions, data


class Role(StrEnum):
    """What somebody is: park-wide, in an organisation, or in a project. Everybody is a visitor."""

    VISITOR = "visitor"
    LEARNER = "learner"
    ANNOTATOR = "annotator"
    TEACHER = "teacher"
    REVIEWER = "reviewer"
    MEMBER = "member"
    LEAD = "lead"  # of a project or an organisation
    OPERATOR = "operator"
    AUDITOR = "auditor"


class Kind(StrEnum):
    """What an act is done to, and where a role is held."""

    PARK = "park"
    ORGANISATION = "organisation"
    PROJECT = "project"
    SELF = "self"


_NONE: Final[frozenset[Role]] = frozenset()
_BOTH: Final = frozenset({Role.OPERATOR, Role.AUDITOR})
_OPERATOR: Final = frozenset({Role.OPERATOR})
_LEAD: Final = frozenset({Role.LEAD})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do one act: the roles held at the object itself, at its organisation, and park-wide."""

    here: Mapping[Kind, frozenset[Role]]
    everywhere: frozenset[Role] = _OPERATOR  # held park-wide, they hold for every object
    above: frozenset[Role] = _NONE  # held in an organisation, they hold in its projects
    is_open: bool = False  # a public project is open to everybody

    def sources(self, kind: Kind) -> Iterator[tuple[Kind, Role]]:
        """Every (where it is held, role) that allows the act on an object of this kind, the nearest first."""
        yield from ((kind, role) for role in Role if role in self.here.get(kind, _NONE))
        if kind is Kind.PROJECT:
            yield from ((Kind.ORGANISATION, role) for role in Role if role in self.above)
        if kind is not Kind.SELF:
            known = self.here.get(kind, _NONE) if kind is Kind.PARK else _NONE
            yield from ((Kind.PARK, role) for role in Role if role in self.everywhere - known)


_IN_PROJECT: Final = frozenset({Role.LEARNER, Role.ANNOTATOR, Role.TEACHER, Role.MEMBER, Role.LEAD})
_MEMBERS: Final = frozenset({Role.MEMBER, Role.LEAD})
_LEADS: Final = {Kind.PROJECT: _LEAD, Kind.ORGANISATION: _LEAD}

TABLE: Final[Mapping[Act, Rule]] = {
    Act.SEE: Rule({Kind.PROJECT: _IN_PROJECT, Kind.ORGANISATION: _MEMBERS}, _BOTH, _LEAD, is_open=True),
    Act.SUBMIT: Rule({Kind.PROJECT: frozenset({Role.LEARNER, Role.TEACHER}) | _MEMBERS}, above=_LEAD),
    Act.STORE: Rule({Kind.PROJECT: frozenset({Role.LEARNER, Role.TEACHER}) | _MEMBERS}, above=_LEAD),
    Act.LABEL: Rule({Kind.PROJECT: frozenset({Role.ANNOTATOR}) | _LEAD, Kind.PARK: frozenset({Role.ANNOTATOR})}),
    Act.TEACH: Rule({Kind.PROJECT: frozenset({Role.TEACHER}) | _LEAD, Kind.PARK: frozenset({Role.TEACHER})}),
    Act.REVIEW: Rule({Kind.PROJECT: frozenset({Role.REVIEWER}), Kind.PARK: frozenset({Role.REVIEWER})}, _NONE),
    Act.SEE_BILL: Rule({Kind.PROJECT: _MEMBERS, Kind.ORGANISATION: _LEAD}, _BOTH, _LEAD),
    Act.SPEND: Rule(_LEADS, above=_LEAD),
    Act.MANAGE: Rule(_LEADS, above=_LEAD),
    Act.FOUND: Rule({Kind.PARK: frozenset({Role.TEACHER, Role.MEMBER}), Kind.ORGANISATION: _MEMBERS}),
    Act.GRANT: Rule({Kind.PARK: _OPERATOR}),
    Act.PRICE: Rule({Kind.PARK: _OPERATOR}),
    Act.SEE_PEOPLE: Rule({Kind.PARK: _BOTH}, _BOTH),
    Act.AUDIT: Rule({Kind.PARK: _BOTH}, _BOTH),
    Act.OPERATE: Rule({Kind.PARK: _OPERATOR}),
    Act.ACCOUNT: Rule({Kind.SELF: _NONE}, _NONE),
}

READING: Final = frozenset({Act.SEE, Act.SEE_BILL, Act.SEE_PEOPLE, Act.AUDIT})
SCOPES: Final[Mapping[str, frozenset[Act]]] = {
    "read": READING,
    "jobs": READING | {Act.SUBMIT, Act.LABEL},
    "data": READING | {Act.STORE},
    "manage": READING | {Act.SPEND, Act.MANAGE, Act.FOUND},
    "operate": READING | {Act.OPERATE, Act.GRANT, Act.PRICE},
    "account": frozenset({Act.ACCOUNT}),
}
DEFAULT_SCOPES: Final = ("read", "jobs")
ROLES_AT: Final[Mapping[Kind, frozenset[Role]]] = {
    Kind.PARK: frozenset(Role) - {Role.VISITOR, Role.LEAD},
    Kind.ORGANISATION: _MEMBERS,
    Kind.PROJECT: frozenset(Role) - {Role.VISITOR, Role.OPERATOR, Role.AUDITOR},
}


def acts_of(scopes: tuple[str, ...]) -> frozenset[Act]:
    """All that a token of these scopes is good for."""
    return frozenset[Act]().union(*(SCOPES[scope] for scope in scopes))


@cache
def rule_text(act: Act, kind: Kind) -> str:
    """The rule of an act on one kind of object in one sentence."""
    if kind is Kind.SELF:
        return f"'{act}' is for everybody, of oneself."
    named = [_named(role, where, kind) for where, role in TABLE[act].sources(kind)]
    opening = "everybody where the project is public; else " if TABLE[act].is_open and kind is Kind.PROJECT else ""
    return f"'{act}' is for: {opening}{', '.join(named) or 'nobody'}."


def _named(role: Role, where: Kind, kind: Kind) -> str:
    if where is Kind.PARK:
        return f"{role} of the park"
    return f"{role} of its organisation" if where is not kind else f"{role} of the {kind}"
