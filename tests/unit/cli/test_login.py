"""`park login`, `park logout`, `park whoami` against a small park."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest
from tests.unit.cli.conftest import Run, one_json
from tests.unit.client.small_park import PERSON, SmallPark

from eureka_park.client.logins import Login, Logins, logins_file, read_logins, write_logins

CODE = "abcd-efgh-jkmn"


@pytest.fixture
def elsewhere(small: SmallPark, monkeypatch: pytest.MonkeyPatch) -> SmallPark:
    """A park that nothing names yet."""
    monkeypatch.delenv("PARK_URL")
    monkeypatch.delenv("PARK_TOKEN")
    return small


def test_login_then_everything_goes_there(elsewhere: SmallPark, run: Run) -> None:
    result = run("login", elsewhere.url, "--code", CODE, "--name", "laptop")
    assert (result.exit_code, result.stdout) == (0, f"Logged in to {elsewhere.url} as owner.\n")
    assert elsewhere.bodies == [{"code": CODE, "name": "laptop"}]
    token = read_logins().parks[elsewhere.url].token
    assert token in elsewhere.tokens and token not in result.output
    assert run("jobs").exit_code == 0
    assert one_json(run("whoami", "--json")) == {"url": elsewhere.url, "named_by": "park login", "person": PERSON}
    page = run("whoami").stdout
    assert "owner, operator" in page and "solar" in page and elsewhere.url in page
    assert run("login", "--list").stdout == f"* {elsewhere.url}  owner\n"


def test_a_code_that_is_spent_stores_nothing(elsewhere: SmallPark, run: Run) -> None:
    assert run("login", elsewhere.url, "--code", CODE).exit_code == 0
    write_logins(Logins({}))
    result = run("login", elsewhere.url, "--code", CODE)
    assert (result.exit_code, result.stderr) == (1, "park: This code was used before. Make a new one.\n")
    assert not read_logins().parks


def test_without_a_terminal_a_code_is_asked_for_in_one_line(elsewhere: SmallPark, run: Run) -> None:
    result = run("login", elsewhere.url)
    assert result.exit_code == 1
    assert result.stderr == (
        f"park: A code is needed. Get one at {elsewhere.url}/connect, then: park login {elsewhere.url} --code CODE\n"
    )
    assert run("login").exit_code == 2


def test_nothing_is_asked_where_no_park_answers(run: Run) -> None:
    result = run("login", "http://127.0.0.1:9", "--code", CODE)
    assert result.exit_code == 125
    assert not logins_file().exists()


def test_a_code_is_not_spent_where_it_cannot_be_kept(elsewhere: SmallPark, run: Run) -> None:
    logins_file().parent.mkdir(parents=True)
    logins_file().write_text("{")
    assert run("login", elsewhere.url, "--code", CODE).exit_code == 1
    assert CODE in elsewhere.codes


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_the_code_is_typed_unseen(elsewhere: SmallPark) -> None:
    lead, follower = pty.openpty()
    command = [sys.executable, "-m", "eureka_park.cli", "login", elsewhere.url]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, start_new_session=True) as process:
        os.close(follower)
        seen = b""
        while b"Code:" not in seen:
            seen += os.read(lead, 1024)
        os.write(lead, f"{CODE}\n".encode())
        while b"Logged in" not in seen:
            seen += os.read(lead, 1024)
        assert process.wait(20) == 0
    os.close(lead)
    assert f"open {elsewhere.url}/connect".encode() in seen
    assert CODE.encode() not in seen


def test_use_and_here(elsewhere: SmallPark, run: Run) -> None:
    write_logins(Logins({}).added(Login("https://one.example", "park_1")).added(Login(elsewhere.url, "park_2")))
    assert run("login", "--use", "one").stdout == "Commands go to https://one.example.\n"
    assert read_logins().current == "https://one.example"
    assert run("login", "--use", "here").stdout == "Commands go to the park of this machine.\n"
    assert read_logins().current is None
    listed = run("login", "--list")
    assert "none of them is current" in listed.stderr and listed.stdout.count("\n") == 2
    assert [item["is_current"] for item in one_json(run("login", "--list", "--json"))["items"]] == [False, False]
    wrong = run("login", "--use", "three")
    assert wrong.exit_code == 1 and "Known parks: https://one.example" in wrong.stderr


def test_logout_ends_the_token_there(elsewhere: SmallPark, run: Run) -> None:
    assert run("login", elsewhere.url, "--code", CODE).exit_code == 0
    token = read_logins().parks[elsewhere.url].token
    assert run("logout").stdout == f"Logged out of {elsewhere.url}.\n"
    assert token not in elsewhere.tokens and not read_logins().parks
    assert run("logout").exit_code == 1


def test_logout_of_a_park_that_is_away_says_so(run: Run) -> None:
    write_logins(Logins({}).added(Login("http://127.0.0.1:9", "park_1")))
    result = run("logout", "--all")
    assert result.exit_code == 0 and "could not be asked" in result.stderr
    assert not read_logins().parks


def test_errors_as_json(elsewhere: SmallPark, run: Run) -> None:
    result = run("login", elsewhere.url, "--code", "x", "--json")
    assert json.loads(result.stderr)["error"]["code"] == "bad_login_code"
