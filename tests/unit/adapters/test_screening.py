"""The operator's screening: asked once per person before GPUs, and nobody passes because it broke."""

from __future__ import annotations

import os
import sys

import pytest

from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.screening import screener
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import Forbidden, Unavailable

PERSON = {"person_id": "person-a", "name": "Ada", "email": "ada@example.org"}
BY_NAME = "import json,sys; sys.exit(json.load(sys.stdin)['name'] != 'Ada')"


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_exit_of_the_program_decides() -> None:
    screen = screener(lambda: python(BY_NAME))
    assert screen(PERSON) and not screen({**PERSON, "name": "Ben"})
    assert screener(list)(PERSON) is None, "with no program nobody is asked for"
    for broken in (python("raise SystemExit(3)"), ["/nowhere/screen"]):
        with pytest.raises(Unavailable):
            screener(lambda broken=broken: broken)(PERSON)


def test_a_person_is_asked_for_once_and_a_machine_stands_for_its_maker(database: SqlDatabase) -> None:
    accounts = AccountsService(database, SteppedClock(1e9), os.urandom)
    asked: list[str] = []
    ada, ben = accounts.add_person("Ada"), accounts.add_person("Ben")
    robot = accounts.people.add("robot", kind="service", responsible_id=ada)
    who = {name: accounts.principal_of_token(accounts.new_token(name, "x")) for name in (ada, ben, robot)}
    for accounts.people.screen in (None, screener(list)):
        accounts.people.require_screened(who[ben])
    assert accounts.people.person(ben).screened == ""
    accounts.people.screen = lambda person: asked.append(person["name"]) or person["name"] == "Ada"  # type: ignore[func-returns-value]
    for name in (ada, robot, ada):
        accounts.people.require_screened(who[name])
    for _ in range(2):
        with pytest.raises(Forbidden) as caught:
            accounts.people.require_screened(who[ben])
    assert caught.value.code == "not_screened" and asked == ["Ada", "Ben"]
    assert accounts.audit.newest(limit=1)[0]["detail"] == {"result": "refused"}
