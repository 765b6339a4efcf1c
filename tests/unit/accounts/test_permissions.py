"""Permissions: one function, and every answer says why."""

from __future__ import annotations

import pytest

from eureka_park.accounts.core.permissions import Act, Held, Principal, Project, check_project_id, may
from eureka_park.accounts.core.roles import Role
from eureka_park.foundation.errors import BadInput

PUBLIC = Project("welcome", "Welcome", True, 0.0)
PRIVATE = Project("lab", "Lab", False, 0.0)
OPERATOR = Principal("person-o", "Owner", True, frozenset())
MEMBER = Principal("person-m", "Mina", False, frozenset({"lab"}))
OTHER = Principal("person-x", "Xavier", False, frozenset())


@pytest.mark.parametrize(
    ("act", "who", "project", "is_allowed", "word"),
    [
        (Act.SEE, None, PUBLIC, True, "public"),
        (Act.SEE, None, PRIVATE, False, "signed in"),
        (Act.SEE, OTHER, PRIVATE, False, "not a member"),
        (Act.SEE, MEMBER, PRIVATE, True, "member"),
        (Act.SEE, OPERATOR, PRIVATE, True, "operates"),
        (Act.SUBMIT, None, PUBLIC, False, "signed in"),
        (Act.SUBMIT, OTHER, PUBLIC, False, "not a member"),
        (Act.SUBMIT, MEMBER, PRIVATE, True, "member"),
        (Act.SUBMIT, OPERATOR, PRIVATE, True, "operates"),
        (Act.OPERATE, MEMBER, None, False, "does not operate"),
        (Act.OPERATE, MEMBER, PRIVATE, False, "does not operate"),
        (Act.OPERATE, OPERATOR, None, True, "operates"),
        (Act.OPERATE, None, None, False, "signed in"),
    ],
)
def test_every_answer_is_right_and_says_why(act, who, project, is_allowed, word):
    answer = may(act, who, project)
    assert answer.is_allowed is is_allowed
    assert word in answer.why


LEAD = Principal("person-l", "Lina", True, frozenset(), (Held(Role.LEAD, "project:lab"), Held(Role.OPERATOR, "park")))


@pytest.mark.parametrize(
    ("act", "who", "thing", "said"),
    [
        (Act.SUBMIT, LEAD, PRIVATE, "Lina is a lead of lab."),
        (Act.OPERATE, LEAD, None, "Lina operates this park."),
        (Act.REVIEW, LEAD, PRIVATE, "Ask a lead of lab, or an operator of this park, for the role reviewer there."),
        (Act.SUBMIT, OTHER, PRIVATE, "for the role learner or teacher or member or lead there."),
        (Act.SPEND, MEMBER, PRIVATE, "Ask a lead of lab, or an operator of this park, for the role lead there."),
        (Act.FOUND, MEMBER, None, "Ask an operator of this park for the role teacher or member or operator."),
        (Act.GRANT, MEMBER, PRIVATE, "Ask an operator of this park."),
        (Act.AUDIT, MEMBER, None, "Ask an operator of this park for the role operator or auditor."),
    ],
)  # fmt: skip
def test_an_answer_names_the_nearest_role_or_those_that_would_do(act, who, thing, said):
    answer = may(act, who, thing)
    assert said in (answer.why if answer.is_allowed else answer.fix)
    for role in answer.roles:  # and it is true
        held = Held(role, "park" if thing is None else "project:lab")
        assert may(act, Principal("p", "P", False, frozenset(), (held,)), thing).is_allowed


@pytest.mark.parametrize("text", ["a", "welcome", "lab-7", "x" * 63])
def test_good_project_ids(text):
    check_project_id(text)


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a b", "a/b", "..", "x" * 64, "é", "a\n"])
def test_bad_project_ids_name_the_field(text):
    with pytest.raises(BadInput) as caught:
        check_project_id(text)
    assert caught.value.field == "project" and caught.value.fix
