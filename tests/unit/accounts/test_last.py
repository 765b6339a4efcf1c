"""Somebody always operates the park and leads each project, in whatever way the last one would be lost."""

from __future__ import annotations

import hashlib
from itertools import count
from typing import Any

import pytest

from eureka_park.accounts import store
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.service import AccountsService
from eureka_park.accounts.sign_in import store as ways
from eureka_park.accounts.sign_in.store import Invitation
from eureka_park.foundation.clock import Pace, SteppedClock
from eureka_park.foundation.errors import BadInput, Conflict, NotFound

PARK = "park"


@pytest.fixture
def accounts(database: Any) -> AccountsService:
    numbers = count()
    clock = SteppedClock(1e6, Pace(factor=60.0, real_origin_s=1e6))
    return AccountsService(database, clock, lambda n: hashlib.shake_256(str(next(numbers)).encode()).digest(n))


def principal(accounts: AccountsService, person_id: str) -> Principal:
    with accounts.ground.db.read() as conn:
        found = store.principal(conn, person_id)
    assert found is not None
    return found


def test_the_last_operator_is_not_lost_through_a_group(accounts: AccountsService) -> None:
    owner_id, _ = accounts.ensure_owner()
    owner, mina = principal(accounts, owner_id), accounts.people.add("Mina")
    group = accounts.groups.new(owner, "Night shift")
    accounts.groups.put_in(owner, group, mina)
    robot = accounts.people.add("robot", kind="service")
    for holder in (group, robot):
        accounts.places.give_role(owner, holder, Role.OPERATOR, PARK)
    boss = principal(accounts, mina)
    accounts.places.take_role(boss, owner_id, Role.OPERATOR, PARK)  # fine: Mina is one through the group
    assert accounts.ensure_owner() == (mina, None), "who operates through a group is no reason for a new owner"
    ways = (
        lambda: accounts.groups.take_out(boss, group, mina),
        lambda: accounts.groups.end(boss, group),
        lambda: accounts.places.take_role(boss, group, Role.OPERATOR, PARK),
        lambda: accounts.people.set_disabled(boss, mina, True),
        lambda: accounts.people.erase(boss, mina),
    )
    for way in ways:  # a machine does not count: nobody could come in as it
        with pytest.raises(Conflict, match="Nobody else is operator of the park"):
            way()
        assert principal(accounts, mina).is_operator
    accounts.places.give_role(boss, owner_id, Role.OPERATOR, PARK)
    accounts.groups.end(boss, group)
    assert not principal(accounts, mina).is_operator and accounts.ensure_owner()[0] == owner_id


def test_a_lead_may_go_when_a_group_leads_on(accounts: AccountsService) -> None:
    owner = principal(accounts, accounts.ensure_owner()[0])
    ada, ben = (accounts.people.add(name) for name in ("Ada", "Ben"))
    accounts.places.give_role(owner, ada, Role.MEMBER, PARK)
    accounts.places.new_organisation(owner, "um6p", "UM6P", "university")
    accounts.places.new_project(principal(accounts, ada), "solar", "Solar")
    group = accounts.groups.new(owner, "Lab", "um6p")
    accounts.places.give_role(owner, group, Role.LEAD, "project:solar")
    with pytest.raises(Conflict, match="lead of solar"):  # nobody is in the group yet
        accounts.places.take_role(principal(accounts, ada), ada, Role.LEAD, "project:solar")
    accounts.groups.put_in(owner, group, ben)
    accounts.places.take_role(principal(accounts, ada), ada, Role.LEAD, "project:solar")
    with pytest.raises(Conflict, match="lead of solar"):
        accounts.groups.take_out(principal(accounts, ben), group, ben)
    with pytest.raises(BadInput, match="no role of the whole park"):
        accounts.places.give_role(owner, group, Role.OPERATOR, PARK)
    with pytest.raises(NotFound):
        accounts.groups.told(principal(accounts, ada), group)


def test_an_invitation_is_a_row_that_is_replaced_listed_and_gone(accounts: AccountsService) -> None:
    """On both databases: what pages do with it is tried elsewhere."""
    owner = accounts.ensure_owner()[0]

    def made(name: str, email: str, scope: str = "project:solar", ends_s: float = 2e6) -> Invitation:
        return Invitation(name, email, "Mina", "fr", Role.MEMBER, scope, owner, 1e6, ends_s)

    rows = [made("a", "mina@x.org"), made("b", "MINA@x.org"), made("c", "mina@x.org", PARK), made("d", "k@x.org")]
    with accounts.ground.db.write() as conn:
        for item in rows:
            ways.add_invitation(conn, f"code of {item.invitation_id}", item, item.email.lower(), 1e6)
        assert {item.invitation_id for item in ways.invitations_at(conn, "project:solar", 1e6)} == {"b", "d"}
        assert (
            ways.invitation_of(conn, "code of a", 1e6) is None and ways.invitation_of(conn, "code of b", 1e6) == rows[1]
        )
        assert ways.invitation_of(conn, "code of b", 2e6) is None, "its time is over"
        assert not ways.drop_invitation(conn, "b", PARK) and ways.drop_invitation(conn, "b", "project:solar")
        ways.add_invitation(conn, "code of e", made("e", "e@x.org", PARK, 3e6), "e@x.org", 2e6)
        assert [item.invitation_id for item in ways.invitations_by(conn, owner)] == ["e"], "old ones are swept"
        ways.forget(conn, owner, "")
        assert ways.invitations_by(conn, owner) == []
