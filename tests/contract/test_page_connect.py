"""Connecting a terminal: the page's code logs in once, nobody else gets one, every command that it shows exists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.cli.main import cli
from eureka_park.web.app import make_app
from eureka_park.web.pages.connect import FIRST

URL = "http://localhost:8386"
HERE = {"Sec-Fetch-Site": "same-origin"}


class Door:
    """A park, its owner's browser and a visitor's."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        self.app = make_app(self.live.park)
        self.owner, self.visitor = (
            TestClient(self.app, base_url=URL, raise_server_exceptions=False, headers={"Accept": "text/html"})
            for _ in range(2)
        )
        self.person_id, _ = self.live.park.accounts.ensure_owner()
        code = self.live.park.accounts.new_sign_in_link(self.person_id)
        assert self.owner.get(f"/sign-in?code={code}", follow_redirects=False).status_code == 303


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("door"))
    yield door
    door.live.park.close()


def line_of(html: str) -> str:
    page = Page(html)
    return next(t.text for t in page.texts if any(i.attributes.get("id") == "login-line" for i in t.around))


def test_a_code_is_made_when_asked_for_and_works_once(door: Door) -> None:
    assert "login-line" not in door.owner.get("/connect").text, "looking at the page makes no secret"
    answer = door.owner.post("/connect", headers=HERE)
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    words = shlex.split(line_of(answer.text))
    assert words[:4] == ["park", "login", URL, "--code"]
    body = {"code": words[4], "name": "laptop"}
    got = door.visitor.post("/api/v1/login", json=body)
    assert got.status_code == 201 and got.json()["person"]["person_id"] == door.person_id
    assert door.visitor.post("/api/v1/login", json=body).status_code == 401


def test_a_visitor_learns_how_to_sign_in(door: Door) -> None:
    page = door.visitor.get("/connect").text
    assert "./park up" in page and "Make a code" not in page
    assert door.visitor.post("/connect", headers=HERE).status_code == 401


def test_another_site_gets_no_code(door: Door) -> None:
    assert door.owner.post("/connect", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert door.owner.post("/connect").status_code == 403


def test_the_note_for_the_parks_own_machine(door: Door) -> None:
    assert "steps 1 and 2 are done already" in door.visitor.get("/connect").text


@pytest.mark.parametrize("line", ["park login URL --code CODE", *(line for line, _ in FIRST)])
def test_every_command_exists(line: str) -> None:
    words = shlex.split(line)
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None, line
    known = {name for param in command.params if isinstance(param, click.Option) for name in param.opts}
    own = words[: words.index("--")] if "--" in words else words
    assert {word for word in own if re.match("--?[a-z]", word)} <= known
