"""Accounts: secrets are shown once and kept hashed, links are used once, expiry is real time."""

from __future__ import annotations

import hashlib
from itertools import count

import pytest
from sqlalchemy import select

from eureka_park.accounts.core.entrance import Lasting
from eureka_park.accounts.secrets import store
from eureka_park.accounts.service import LOGIN_CODE_S, SESSION_S, SIGN_IN_LINK_S, AccountsService, Act, Wanted
from eureka_park.foundation.clock import Pace, SteppedClock
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound, Unauthorised


@pytest.fixture
def db(database):
    return database


@pytest.fixture
def clock():
    return SteppedClock(1_000_000.0, Pace(factor=60.0, real_origin_s=1_000_000.0))


@pytest.fixture
def accounts(db, clock):
    numbers = count()
    return AccountsService(db, clock, lambda n: hashlib.shake_256(str(next(numbers)).encode()).digest(n))


def test_the_owner_is_made_once(accounts):
    person_id, token = accounts.ensure_owner()
    assert accounts.ensure_owner() == (person_id, None)
    assert token is not None and token.startswith("park_")
    owner = accounts.principal_of_token(token)
    assert (owner.person_id, owner.is_operator, owner.projects) == (person_id, True, frozenset())


def test_secrets_are_not_in_the_database(accounts, db, tmp_path):
    person_id, token = accounts.ensure_owner()
    code = accounts.new_sign_in_link(person_id)
    session = accounts.redeem_sign_in(code)
    with db.read() as conn:
        assert conn.execute(select(store.tokens.c.token_sha256)).scalar() == hashlib.sha256(token.encode()).hexdigest()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (token, code, session):
        assert secret.removeprefix("park_").encode() not in kept


@pytest.mark.parametrize("token", ["", "park_", "park_wrong", "x" * 10_000, "park_" + "y" * 10_000, "park_\ud800", "é"])
def test_wrong_tokens(accounts, token):
    accounts.ensure_owner()
    with pytest.raises(Unauthorised) as caught:
        accounts.principal_of_token(token)
    assert caught.value.fix


def test_tokens_can_be_revoked_by_label(accounts):
    person_id, first = accounts.ensure_owner()
    second = accounts.new_token(person_id, "laptop")
    assert accounts.revoke_tokens(person_id, "laptop") == 1
    assert accounts.principal_of_token(first).person_id == person_id
    with pytest.raises(Unauthorised):
        accounts.principal_of_token(second)


def test_a_sign_in_link_works_once_and_gives_a_session(accounts):
    person_id, _ = accounts.ensure_owner()
    code = accounts.new_sign_in_link(person_id)
    session = accounts.redeem_sign_in(code)
    assert accounts.principal_of_session(session).person_id == person_id
    with pytest.raises(Unauthorised):
        accounts.redeem_sign_in(code)


def test_links_and_sessions_end_in_real_time(accounts, clock):
    person_id, _ = accounts.ensure_owner()
    late, early = accounts.new_sign_in_link(person_id), accounts.new_sign_in_link(person_id)
    clock.step(SIGN_IN_LINK_S - 1)
    session = accounts.redeem_sign_in(early)
    clock.step(1)
    with pytest.raises(Unauthorised):
        accounts.redeem_sign_in(late)
    session = in_use(accounts, clock, session, SESSION_S - 2)
    assert accounts.principal_of_session(session).person_id == person_id
    clock.step(1)
    with pytest.raises(Unauthorised):
        accounts.principal_of_session(session)


def in_use(accounts, clock, session, for_s):
    """A session that is used every day for so long: its secret at the end."""
    while for_s > 0:
        clock.step(min(for_s, 86_400.0))
        session, for_s = accounts.sessions.seen(session)[1] or session, for_s - 86_400.0
    return session


def test_a_session_that_is_not_used_ends_before_its_time(accounts, clock):
    rule = Lasting(session_s=10 * 86_400.0, idle_s=3_600.0)
    object.__setattr__(accounts.ground, "lasting", lambda: rule)
    person_id = accounts.ensure_owner()[0]
    session = accounts.redeem_sign_in(accounts.new_sign_in_link(person_id))
    for _ in range(10):  # used now and then, it stays, and its secret goes round
        clock.step(1_800.0)
        session = accounts.sessions.seen(session)[1] or session
    (shown,) = accounts.sessions.of(person_id)
    assert shown.expires_at_s == clock.real_s() + 3_600.0
    clock.step(3_600.0)
    assert accounts.sessions.of(person_id) == [] and accounts.sessions.id_of(session) == ""
    assert accounts.sessions.age_s(person_id, session) == float("inf")
    with pytest.raises(Unauthorised):
        accounts.sessions.seen(session)


def test_tokens_last_no_longer_than_the_operator_allows(accounts, db, clock):
    rule = Lasting(token_s=30 * 86_400.0)
    object.__setattr__(accounts.ground, "lasting", lambda: rule)
    accounts.lasting = accounts.ground.lasting
    who = accounts.principal_of_token(accounts.ensure_owner()[1])
    assert accounts.make_token(who, "x", Wanted())[1].expires_at_s == clock.real_s() + 30 * 86_400.0
    with pytest.raises(BadInput, match="at most 30 days"):
        accounts.make_token(who, "x", Wanted(ttl_s=31 * 86_400.0))
    reader = accounts.principal_of_token(accounts.make_token(who, "r", Wanted(("read", "account")))[0])
    with pytest.raises(Forbidden, match="more than itself"):
        accounts.make_token(reader, "x", Wanted(("jobs",)))
    _, kept, _ = accounts.redeem_login_code(accounts.new_login_code(who.person_id), "laptop")
    assert kept.expires_at_s == clock.real_s() + 30 * 86_400.0
    short, _ = accounts.make_token(who, "z", Wanted(ttl_s=60.0))
    behind = AccountsService(db, SteppedClock(0.0, Pace(factor=60.0, real_origin_s=0.0)), lambda n: bytes(n))
    assert behind.principal_of_token(short), "a clock that was set back finds tokens of its future good"
    clock.step(60.0)
    with pytest.raises(Unauthorised):
        accounts.principal_of_token(short)


def test_signing_out(accounts):
    session = accounts.redeem_sign_in(accounts.new_sign_in_link(accounts.ensure_owner()[0]))
    accounts.end_session(session)
    accounts.end_session(session)
    with pytest.raises(Unauthorised):
        accounts.principal_of_session(session)


def test_projects_are_ensured_and_not_overwritten(accounts):
    made = accounts.ensure_project("welcome", "Welcome", True)
    assert accounts.ensure_project("welcome", "Another title", False) == made == accounts.project("welcome")
    with pytest.raises(NotFound):
        accounts.project("nowhere")
    with pytest.raises(BadInput):
        accounts.ensure_project("../etc", "", True)


def test_who_sees_what(accounts):
    owner = accounts.principal_of_token(accounts.ensure_owner()[1])
    mina_id = accounts.add_person("Mina")
    token = accounts.new_token(mina_id, "laptop")
    accounts.ensure_project("welcome", "Welcome", True)
    accounts.ensure_project("lab", "Lab", False)
    mina = accounts.principal_of_token(token)
    assert [accounts.visible(who, "lab") for who in (None, mina, owner)] == [False, False, True]
    assert [project.project_id for project in accounts.projects(mina)] == ["welcome"]
    accounts.add_member("lab", mina_id)
    accounts.add_member("lab", mina_id)
    mina = accounts.principal_of_token(token)
    assert mina.projects == {"lab"} and accounts.visible(mina, "lab")
    assert accounts.visible(None, "welcome") and not accounts.visible(owner, "nowhere")


def test_require_hides_what_may_not_be_known(accounts):
    accounts.ensure_project("welcome", "Welcome", True)
    accounts.ensure_project("lab", "Lab", False)
    mina = accounts.principal_of_token(accounts.new_token(accounts.add_person("Mina"), "laptop"))
    assert accounts.require(Act.SEE, None, "welcome").project_id == "welcome"
    with pytest.raises(Forbidden):
        accounts.require(Act.SUBMIT, mina, "welcome")
    hidden, missing = [], []
    for who, error in ((mina, NotFound), (None, Unauthorised)):
        for project_id, said in (("lab", hidden), ("nowhere", missing)):
            with pytest.raises(error) as caught:
                accounts.require(Act.SEE, who, project_id)
            said.append(caught.value.line().replace(project_id, "X"))
    assert hidden == missing


def test_unknown_people(accounts):
    accounts.ensure_project("lab", "Lab", False)
    for act in (lambda: accounts.new_token("person-none", "x"), lambda: accounts.add_member("lab", "person-none")):
        with pytest.raises(NotFound):
            act()


def test_a_login_code_gives_one_token(accounts, clock, db):
    person_id, _ = accounts.ensure_owner()
    code = accounts.new_login_code(person_id)
    assert len(code) == 14 and code.count("-") == 2
    token, _, who = accounts.redeem_login_code(f" {code.upper().replace('-', ' ')} ", "laptop")
    assert who.person_id == person_id == accounts.principal_of_token(token).person_id
    for again in (code, "", "wrong", "-", "x" * 10_000):
        with pytest.raises(Unauthorised) as caught:
            accounts.redeem_login_code(again, "laptop")
        assert caught.value.code == "bad_login_code" and "/connect" in caught.value.fix
    accounts.end_token(token)
    accounts.end_token(token)
    with pytest.raises(Unauthorised):
        accounts.principal_of_token(token)


def test_login_codes_last_ten_real_minutes_and_are_no_sign_in_links(accounts, clock):
    person_id, _ = accounts.ensure_owner()
    code, link = accounts.new_login_code(person_id), accounts.new_sign_in_link(person_id)
    with pytest.raises(Unauthorised):
        accounts.redeem_sign_in(code)
    with pytest.raises(Unauthorised):
        accounts.redeem_sign_in(f"login:{code}")
    with pytest.raises(Unauthorised):
        accounts.redeem_login_code(link, "laptop")
    clock.step(LOGIN_CODE_S - 1)
    assert accounts.redeem_login_code(code, "laptop")
    late = accounts.new_login_code(person_id)
    clock.step(LOGIN_CODE_S)
    with pytest.raises(Unauthorised):
        accounts.redeem_login_code(late, "laptop")
    with pytest.raises(NotFound):
        accounts.new_login_code("person-none")
