"""The table of roles: what each role may do, object by object, and that the words say the same."""

from __future__ import annotations

import time

import pytest

from eureka_park.accounts.core.permissions import (
    Answer,
    Held,
    Organisation,
    Principal,
    Project,
    may,
    narrowed,
    projects_held,
)
from eureka_park.accounts.core.roles import ROLES_AT, SCOPES, TABLE, Act, Kind, Role, acts_of, rule_text

LAB = Project("lab", "Lab", False, 0.0, "um6p")
UM6P = Organisation("um6p", "UM6P", "university", 0.0)
THINGS = {Kind.PROJECT: LAB, Kind.ORGANISATION: UM6P, Kind.PARK: None}
SCOPE = {Kind.PROJECT: "project:lab", Kind.ORGANISATION: "organisation:um6p", Kind.PARK: "park"}
# Who may do what, written out: object, where the role is held, and for each role the acts that it allows.
ALLOWED = {
    (Kind.PROJECT, Kind.PROJECT): {
        Role.LEARNER: "see submit store",
        Role.ANNOTATOR: "see label",
        Role.TEACHER: "see submit store teach",
        Role.REVIEWER: "review",
        Role.MEMBER: "see submit store see_bill",
        Role.LEAD: "see submit store label teach see_bill spend manage",
    },
    (Kind.PROJECT, Kind.ORGANISATION): {Role.LEAD: "see submit store see_bill spend manage"},
    (Kind.PROJECT, Kind.PARK): {
        Role.OPERATOR: "see submit store label teach see_bill spend manage found grant price see_people audit operate",
        Role.AUDITOR: "see see_bill see_people audit",
    },
    (Kind.ORGANISATION, Kind.ORGANISATION): {
        Role.MEMBER: "see found",
        Role.LEAD: "see see_bill spend manage found",
    },
    (Kind.PARK, Kind.PARK): {
        Role.ANNOTATOR: "label",
        Role.TEACHER: "teach found",
        Role.REVIEWER: "review",
        Role.MEMBER: "found",
        Role.OPERATOR: "see submit store label teach see_bill spend manage found grant price see_people audit operate",
        Role.AUDITOR: "see see_bill see_people audit",
    },
}
ALLOWED[Kind.ORGANISATION, Kind.PARK] = ALLOWED[Kind.PROJECT, Kind.PARK]


def one(role: Role, where: Kind, via: str = "") -> Principal:
    held = (Held(role, SCOPE[where], via),)
    return Principal("person-a", "Ada", role is Role.OPERATOR and where is Kind.PARK, projects_held(held), held)


@pytest.mark.parametrize("kind", list(THINGS))
def test_every_role_may_do_what_is_written_here_and_no_more(kind: Kind) -> None:
    for where in (Kind.PROJECT, Kind.ORGANISATION, Kind.PARK):
        for role in Role:
            written = ALLOWED.get((kind, where), {}).get(role, "").split()
            found = [act for act in Act if may(act, one(role, where), THINGS[kind]).is_allowed]
            assert found == [act for act in Act if act in (*written, "account")], (kind, where, role)


def test_every_refusal_says_why_and_what_would_change_it() -> None:
    for kind, thing in THINGS.items():
        for act in Act:
            for who in (None, one(Role.VISITOR, Kind.PARK), one(Role.ANNOTATOR, kind)):
                answer = may(act, who, thing)
                assert answer.why and answer.code
                if not answer.is_allowed:
                    assert answer.fix and (who is None or str(act) in answer.rule)


def test_the_rule_in_words_names_every_role_of_the_table() -> None:
    assert rule_text(Act.SPEND, Kind.PROJECT) == (
        "'spend' is for: lead of the project, lead of its organisation, operator of the park."
    )
    for act, rule in TABLE.items():
        for kind in THINGS:
            assert all(str(role) in rule_text(act, kind) for _, role in rule.sources(kind))
    assert "nobody" in rule_text(Act.PRICE, Kind.PROJECT).replace("operator of the park", "nobody")


def test_a_group_and_an_own_role_are_told_apart() -> None:
    through = may(Act.SUBMIT, one(Role.MEMBER, Kind.PROJECT, "group-x"), LAB)
    assert through.why == "Ada is a member of lab, as one of the group group-x."
    both = (Held(Role.MEMBER, "project:lab", "group-x"), Held(Role.MEMBER, "project:lab"))
    assert may(Act.SUBMIT, Principal("p", "Ada", False, frozenset(), both), LAB).why == "Ada is a member of lab."
    assert may(Act.SUBMIT, Principal("p", "Ada", False, frozenset(), both[::-1]), LAB).why == "Ada is a member of lab."


def test_a_role_elsewhere_counts_for_nothing() -> None:
    other = Project("lab-2", "Other", False, 0.0, "um6p-2")
    for where in (Kind.PROJECT, Kind.ORGANISATION):
        for role in Role:
            assert not may(Act.SEE, one(role, where), other).is_allowed
    free = Project("free", "Of nobody", False, 0.0)
    nobody = Held(Role.LEAD, "organisation:")
    assert not may(Act.SEE, Principal("p", "Ada", False, frozenset(), (nobody,)), free).is_allowed


def test_a_closed_project_is_read_and_run_no_more() -> None:
    closed = Project("lab", "Lab", False, 0.0, "um6p", is_closed=True)
    found = [act for act in Act if may(act, one(Role.LEAD, Kind.PROJECT), closed).is_allowed]
    assert found == [Act.SEE, Act.SEE_BILL, Act.MANAGE, Act.ACCOUNT]
    assert may(Act.SUBMIT, one(Role.OPERATOR, Kind.PARK), closed).code == "closed"


def test_a_token_narrows_whatever_its_owner_may() -> None:
    owner = one(Role.OPERATOR, Kind.PARK)
    jobs = narrowed(owner, acts_of(("read", "jobs")), "", "token-a")
    assert not jobs.is_operator and may(Act.OPERATE, jobs, None).code == "scope"
    assert not may(Act.SEE, jobs, LAB).is_allowed, "an operator's reach needs a token for operating"
    assert may(Act.OPERATE, narrowed(owner, acts_of(("operate",)), "", "token-a"), None).is_allowed
    lead = one(Role.LEAD, Kind.PROJECT)
    assert may(Act.ACCOUNT, narrowed(lead, acts_of(("jobs",)), "", "t"), None).code == "scope"
    bound = narrowed(one(Role.LEAD, Kind.ORGANISATION), None, "lab", "t")
    assert may(Act.SUBMIT, bound, LAB).is_allowed
    assert may(Act.SUBMIT, bound, Project("rest", "Rest", False, 0.0, "um6p")).code == "other_project"
    assert may(Act.SEE_BILL, bound, UM6P).code == "other_project"
    assert may(Act.SEE, bound, Project("open", "Open", True, 0.0)) == Answer(
        True, "The project open is public.", "public"
    )
    assert frozenset(Act) == frozenset().union(*SCOPES.values()) | {Act.TEACH, Act.REVIEW}


def test_roles_are_held_where_they_make_sense() -> None:
    assert Role.OPERATOR not in ROLES_AT[Kind.PROJECT] and Role.VISITOR not in ROLES_AT[Kind.PARK]
    for (_, where), roles in ALLOWED.items():
        assert set(roles) <= ROLES_AT[where] | {Role.REVIEWER}


def test_an_answer_takes_less_than_50_us() -> None:
    held = tuple(Held(Role.MEMBER, f"project:p{at}") for at in range(300))
    who, rounds = Principal("person-a", "Ada", False, frozenset(), held), []
    for _ in range(20):
        start_s = time.process_time()
        for act in Act:
            may(act, who, LAB)
        rounds.append((time.process_time() - start_s) / len(Act))
    assert min(rounds) < 50e-6  # the least disturbed round; benchmarks/permissions.py tells the median
