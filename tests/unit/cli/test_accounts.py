"""Commands of people, projects, tokens and the audit log against a small park that keeps what it was asked."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Run, one_json
from tests.unit.client.small_park import TOKEN, SmallPark, running

from eureka_park.accounts.core.roles import SCOPES, Act, Role
from eureka_park.cli.projects import ROLES
from eureka_park.cli.tokens import SCOPES as SCOPES_OFFERED
from eureka_park.cli.who_can import ACTS

YOU = {"is_allowed": False, "why": "ben is not a member of solar.", "code": "no_role", "fix": "Ask a lead of solar."}
ADA = {"person_id": "person-a", "name": "Ada", "role": "lead", "at": "project:solar", "through": "", "group": "Lab"}
MADE = {
    "token_id": "token-a", "name": "ci", "scopes": ["jobs"], "project": None, "created_at": "2026-11-26T00:00:00Z",
    "expires_at": "2027-01-01T00:00:00Z", "last_used_at": None,
}  # fmt: skip
INVITED = {
    "invitation_id": "invitation-a", "email": "k@x.org", "role": "lead", "at": "organisation:um6p", "link": None,
    "expires_at": "2027-01-01T00:00:00Z",
}  # fmt: skip
SOUND = {"is_sound": True, "n_entries": 7, "hash": "f" * 64, "fault": "", "seq": 0}
Told = tuple[int, Any, dict[str, str]]


class AccountPark(SmallPark):
    """A small park with a project, a token, and an audit log that may be damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, Any]] = []
        self.check: dict[str, Any] = SOUND

    def _note(self, what: str, body: bytes = b"") -> None:
        self.said.append((what, json.loads(body) if body else None))

    def _get_permissions(self, _rest: Any, query: Any, *_: Any) -> Told:
        self.said.append(("who can", dict(query)))
        return (
            200,
            {"act": "submit", "object": "project:solar", "rule": "'submit' is for: x.", "you": YOU, "people": [ADA]},
            {},
        )

    def _get_tokens(self, *_: Any) -> Told:
        return 200, {"items": [MADE], "next": None}, {}

    def _post_tokens(self, _rest: Any, _query: Any, _headers: Any, body: bytes) -> Told:
        self._note("token", body)
        return 201, {**MADE, "token": "park_secret"}, {}

    def _delete_tokens(self, rest: list[str], *_: Any) -> Told:
        self._note(f"end {rest[0]}")
        return 204, None, {}

    def _post_projects(self, _rest: Any, _query: Any, _headers: Any, body: bytes) -> Told:
        self._note("project", body)
        return 201, {"project_id": "solar"}, {}

    def _put_projects(self, rest: list[str], *_: Any) -> Told:
        self._note("/".join(rest))
        return 204, None, {}

    def _post_projects_or_groups(self, what: str, body: bytes) -> Told:
        self._note(what, body)
        return 201, {"group_id": "group-a", "name": "Lab", **INVITED}, {}

    def _post_groups(self, _rest: Any, _query: Any, _headers: Any, body: bytes) -> Told:
        return self._post_projects_or_groups("group", body)

    def _post_organisations(self, rest: list[str], _query: Any, _headers: Any, body: bytes) -> Told:
        return self._post_projects_or_groups("/".join(rest), body)

    def _put_groups(self, rest: list[str], *_: Any) -> Told:
        self._note("/".join(rest))
        return 204, None, {}

    def _delete_people(self, rest: list[str], *_: Any) -> Told:
        self._note("/".join(rest))
        return 204, None, {}

    def _get_account(self, *_: Any) -> Told:
        return 200, {"person": {"name": "Ada"}, "jobs": []}, {}

    def _get_audit(self, *_: Any) -> Told:
        return 200, self.check, {}


@pytest.fixture
def park(monkeypatch: pytest.MonkeyPatch) -> Any:
    with running(AccountPark()) as found:
        monkeypatch.setenv("PARK_URL", found.url)
        monkeypatch.setenv("PARK_TOKEN", TOKEN)
        yield found


def test_what_may_be_asked_is_what_the_table_knows() -> None:
    assert set(ACTS) == set(Act) and set(ROLES) == set(Role) - {"visitor"} and set(SCOPES_OFFERED) == {*SCOPES, "all"}


def test_who_can_tells_the_answer_the_rule_and_the_people(run: Run, park: Any) -> None:
    done = run("who-can", "submit", "solar")
    assert done.stdout.splitlines() == [
        "you may not  ben is not a member of solar.",
        "to change    Ask a lead of solar.",
        "rule         'submit' is for: x.",
        "  Ada  lead (project:solar) through Lab",
    ]
    assert one_json(run("who-can", "submit", "solar", "--json"))["people"] == [ADA]
    assert run("who-can", "fly").exit_code == 2


def test_a_token_is_printed_alone_so_that_it_can_be_piped(run: Run, park: Any) -> None:
    done = run("token", "new", "ci", "--scope", "jobs", "--expires", "30d")
    assert done.stdout == "park_secret\n" and "not shown again" in done.stderr
    assert park.said[-1] == ("token", {"name": "ci", "scopes": ["jobs"], "expires": "30d"})
    assert "token-a" in run("token", "list").stdout and "park_secret" not in run("token", "list", "--json").stdout
    assert run("token", "end", "token-a").stdout == "Ended token-a.\n" and park.said[-1] == ("end token-a", None)


def test_projects_and_people(run: Run, park: Any) -> None:
    assert "you are its lead" in run("project", "new", "solar", "--title", "Solar").stdout
    assert park.said[-1] == ("project", {"project_id": "solar", "title": "Solar"})
    assert run("project", "give", "solar", "person-b", "--role", "lead").stdout == "person-b is lead of solar now.\n"
    assert park.said[-1] == ("solar/people/person-b/lead", None)
    run("project", "take", "park", "person-b", "--role", "auditor")
    assert park.said[-1] == ("person-b/roles/auditor", None)
    assert run("people", "erase", "person-b").exit_code != 0 and park.said[-1][0] == "person-b/roles/auditor"
    assert run("people", "erase", "person-b", "--yes").exit_code == 0 and park.said[-1] == ("person-b", None)


def test_groups_and_invitations(run: Run, park: Any) -> None:
    assert run("group", "new", "Lab", "--organisation", "um6p").stdout == "group-a  Lab\n"
    assert park.said[-1] == ("group", {"name": "Lab", "organisation": "um6p"})
    assert run("group", "add", "group-a", "person-b").exit_code == 0 and park.said[-1][0] == "group-a/people/person-b"
    done = run("invitation", "new", "organisation:um6p", "k@x.org", "--role", "lead", "--days", "3")
    assert "invitation-a  k@x.org  lead (organisation:um6p)" in done.stdout and "a letter is under way" in done.stderr
    assert park.said[-1] == ("um6p/invitations", {"email": "k@x.org", "role": "lead", "days": 3})
    assert run("invitation", "new", "solar", "k@x.org", "--days", "31").exit_code == 2
    erased = run("account", "erase")
    assert erased.exit_code == 1 and f"{park.url}/account#erase" in erased.stderr and park.said[-1][0] != "person-a"


def test_ones_data_as_a_file(run: Run, park: Any, tmp_path: Path) -> None:
    assert one_json(run("account", "export"))["jobs"] == []
    assert run("account", "export", "--out", str(tmp_path / "a.zip")).exit_code == 0
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert sorted(packed.namelist()) == ["jobs.json", "person.json"]
    run("account", "export", "--out", str(tmp_path / "a.json"))
    assert json.loads((tmp_path / "a.json").read_text())["person"] == {"name": "Ada"}


def test_verifying_the_audit_log_exits_1_and_names_the_entry(run: Run, park: Any) -> None:
    done = run("audit", "verify")
    assert done.exit_code == 0 and "7 entries" in done.stdout
    park.check = {**SOUND, "is_sound": False, "fault": "Entry 4 is missing.", "seq": 4}
    done = run("audit", "verify")
    assert (done.exit_code, done.stdout) == (1, "The audit log is damaged: Entry 4 is missing.\n")
    done = run("audit", "verify", "--json")
    assert done.exit_code == 1 and json.loads(done.stdout)["seq"] == 4
