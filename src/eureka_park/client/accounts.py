"""People, projects, tokens, sessions and the audit log of a park, as far as one may see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport

_PAGE = 500


class Accounts:
    """What `Park.accounts` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def who_can(self, act: str, thing: str = "park") -> dict[str, Any]:
        """Who may do an act to an object: `rule`, `you` and, for those who may know, `people`."""
        return self._ask("GET", "/permissions", params={"act": act, "object": thing})

    def tokens(self) -> list[dict[str, Any]]:
        """One's own tokens, without their secrets."""
        return self._items("/tokens")

    def new_token(self, name: str, **more: Any) -> dict[str, Any]:
        """A token, shown this once as `token`. `scopes`, `project`, `expires`, `of`: see the API."""
        return self._ask("POST", "/tokens", body={"name": name, **_given(more)})

    def end_token(self, token_id: str) -> None:
        """End a token."""
        self._transport.tell("DELETE", f"/tokens/{_part(token_id)}")

    def sessions(self) -> list[dict[str, Any]]:
        """The browsers in which one is signed in."""
        return self._items("/sessions")

    def end_session(self, session_id: str) -> None:
        """Sign a browser out."""
        self._transport.tell("DELETE", f"/sessions/{_part(session_id)}")

    def projects(self) -> list[dict[str, Any]]:
        """The projects that one may see."""
        return self._items("/projects")

    def new_project(self, project_id: str, title: str, **more: Any) -> dict[str, Any]:
        """Begin a project; one is its lead."""
        return self._ask("POST", "/projects", body={"project_id": project_id, "title": title, **_given(more)})

    def people_of(self, project_id: str) -> list[dict[str, Any]]:
        """Who is in a project."""
        return self._items(f"/projects/{_part(project_id)}/people")

    def set_role(self, project_id: str, person_id: str, role: str, *, is_held: bool) -> None:
        """Let a person or a group hold a role in a project, or no more; also in `organisation:ID`, and in `park`."""
        end, (kind, colon, name) = f"people/{_part(person_id)}/{_part(role)}", project_id.partition(":")
        path = f"/projects/{_part(name if colon else project_id)}/{end}"
        if project_id == "park":
            path = f"/people/{_part(person_id)}/roles/{_part(role)}"
        elif kind == "organisation" and colon:
            path = f"/organisations/{_part(name)}/{end}"
        self._transport.tell("PUT" if is_held else "DELETE", path)

    def people(self, text: str = "") -> Iterator[dict[str, Any]]:
        """Everybody whose name or address holds a text. For operators and auditors."""
        after = ""
        while True:
            page = self._ask("GET", "/people", params={"text": text, "after": after, "limit": str(_PAGE)})
            yield from page["items"]
            if page["next"] is None:
                return
            after = page["next"]

    def add_person(self, name: str, email: str = "") -> dict[str, Any]:
        """Add somebody; `sign_in_code` lets them in once. For operators."""
        return self._ask("POST", "/people", body={"name": name, "email": email})

    def erase_person(self, person_id: str) -> None:
        """Forget who somebody is."""
        self._transport.tell("DELETE", f"/people/{_part(person_id)}")

    def invite(self, place: str, email: str, **more: Any) -> dict[str, Any]:
        """Ask somebody to hold a role in a place: `park`, a project, or `organisation:ID`. `role`, `name`, `language`,
        `days`: see the API. `link` is there where the park sends no e-mail.
        """
        return self._ask("POST", _invitations(place), body={"email": email, **_given(more)})

    def invitations(self, place: str) -> list[dict[str, Any]]:
        """The open invitations to a place."""
        return self._items(_invitations(place))

    def withdraw(self, place: str, invitation_id: str) -> None:
        """End an invitation."""
        self._transport.tell("DELETE", f"{_invitations(place)}/{_part(invitation_id)}")

    def groups(self) -> list[dict[str, Any]]:
        """The groups that one may know of."""
        return self._items("/groups")

    def group(self, group_id: str) -> dict[str, Any]:
        """A group with its people, its roles, and who decides about it."""
        return self._ask("GET", f"/groups/{_part(group_id)}")

    def new_group(self, name: str, organisation: str | None = None) -> dict[str, Any]:
        """A group of an organisation, or of the park."""
        return self._ask("POST", "/groups", body={"name": name, **_given({"organisation": organisation})})

    def rename_group(self, group_id: str, name: str) -> None:
        """Give a group another name."""
        self._ask("PATCH", f"/groups/{_part(group_id)}", body={"name": name})

    def end_group(self, group_id: str) -> None:
        """End a group with the roles that it holds."""
        self._transport.tell("DELETE", f"/groups/{_part(group_id)}")

    def set_in_group(self, group_id: str, person_id: str, *, is_in: bool) -> None:
        """Put a person into a group, or take them out."""
        path = f"/groups/{_part(group_id)}/people/{_part(person_id)}"
        self._transport.tell("PUT" if is_in else "DELETE", path)

    def export(self) -> dict[str, Any]:
        """All that the park knows of oneself."""
        return self._ask("GET", "/account/export")

    def audit(self, limit: int = 100, **more: str) -> list[dict[str, Any]]:
        """What was done, the newest first; `person` and `thing` choose."""
        return list(self._ask("GET", "/audit", params={"limit": str(limit), **_given(more)})["items"])

    def check_audit(self) -> dict[str, Any]:
        """Follow the chain of the audit log: `is_sound`, `fault`, `seq`, `n_entries`."""
        return self._ask("GET", "/audit/check", timeout_s=600.0)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found

    def _items(self, path: str) -> list[dict[str, Any]]:
        return list(self._ask("GET", path)["items"])


def _invitations(place: str) -> str:
    """Where the invitations to a place are."""
    kind, colon, name = place.partition(":")
    if place == "park":
        return "/invitations"
    if kind == "organisation" and colon:
        return f"/organisations/{_part(name)}/invitations"
    return f"/projects/{_part(name if colon else place)}/invitations"


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value}


def _part(text: str) -> str:
    """One part of a path, whatever it holds."""
    return quote(text, safe="") if text not in {"", ".", ".."} else "-"
