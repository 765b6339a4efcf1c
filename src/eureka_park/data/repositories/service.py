"""Use cases of repositories: begin, find, open to others, rename, end; gates. Versions are in `versions`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.service import AccountsService, Act, Principal, Project
from eureka_park.data.cards.opening import check_opening
from eureka_park.data.core.repository import (
    MAIN,
    Commit,
    Gate,
    Repository,
    RepositoryKind,
    Visibility,
    check_name,
)
from eureka_park.data.keeping.store import check_no_hold
from eureka_park.data.objects.service import ObjectsService
from eureka_park.data.repositories import store
from eureka_park.data.repositories.access import Want, can_know, is_inside, no_repository, require
from eureka_park.data.repositories.versions import Versions
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, Unauthorised
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

PAGE_MAX: Final = 500
FIRST_TITLE: Final = "Begin"
_STATES: Final = ("pending", "accepted", "rejected")


class RepositoriesService:
    """Data sets and models of all projects."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        objects: ObjectsService,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._db, self._clock, self._accounts, self._entropy = db, clock, accounts, entropy
        self.objects = objects
        self.versions = Versions(db, clock, objects, entropy)

    # -- finding -------------------------------------------------------------------------------------------------------
    def find(self, want: Want, who: Principal | None, kind: str, project_id: str, name: str) -> Repository:
        """A repository for something that `who` wants, also by a name that it had before.

        Raises NotFound for what they may not know of, Forbidden (`gated`) for what they may not do.
        """
        with self._db.read() as conn:
            return self._find(conn, want, who, kind, project_id, name)

    def _find(
        self, conn: Connection, want: Want, who: Principal | None, kind: str, project_id: str, name: str
    ) -> Repository:
        is_sound = len(project_id) <= 80 and len(name) <= 200 and "\0" not in project_id + name
        found = store.named(conn, kind, project_id, name) if is_sound else None
        project = self._accounts.places.thing_in(conn, f"project:{found[0].project_id}") if found else None
        if found is None or not isinstance(project, Project):
            raise no_repository(f"{project_id}/{name}")
        repository = found[0]
        state = store.gate_state(conn, repository.repository_id, who.person_id) if who and repository.gate else ""
        require(want, who, repository, project, is_let_in=state == "accepted")
        return repository

    def page(
        self,
        who: Principal | None,
        kind: str,
        *,
        project_id: str = "",
        text: str = "",
        before: tuple[float, str] = (math.inf, ""),
        most: int = 100,
        facets: Sequence[tuple[str, str]] = (),
    ) -> list[Repository]:
        """Repositories that `who` may know of, the last changed first, after `before` (instant and id); whose cards say
        all of `facets` (`data.cards.service.facets_of`).
        """
        if facets:
            self.versions.cards.read_due()
        found: list[Repository] = []
        projects: dict[str, Any] = {}
        most = max(1, min(most, PAGE_MAX))
        while len(found) < most:
            with self._db.read() as conn:
                rows = store.page(conn, kind, [project_id] if project_id else None, text[:200], before, most, facets)
                for name in {row.project_id for row in rows} - set(projects):
                    projects[name] = self._accounts.places.thing_in(conn, f"project:{name}")
            found += [row for row in rows if projects[row.project_id] and can_know(who, row, projects[row.project_id])]
            if len(rows) < most:
                break
            before = (rows[-1].changed_at_s, rows[-1].repository_id)
        return found[:most]

    def can(self, want: Want, who: Principal | None, repository: Repository) -> bool:
        """Whether `who` may do that with a repository."""
        try:
            self.find(want, who, repository.kind, repository.project_id, repository.name)
        except (NotFound, Forbidden):
            return False
        return True

    def writable(self, who: Principal) -> list[str]:
        """Projects in which `who` may begin repositories, those first whose member they are themselves."""
        mine = [
            project.project_id
            for project in self._accounts.projects(who)
            if self._accounts.answer(Act.STORE, who, project.project_id).is_allowed
        ]
        own = [name for name in mine if who.held_at(f"project:{name}")]
        return [*own, *(name for name in mine if name not in own)]

    # -- beginning and ending ------------------------------------------------------------------------------------------
    def create(
        self,
        who: Principal | None,
        kind: RepositoryKind,
        project_id: str,
        name: str,
        visibility: str = Visibility.PRIVATE,
    ) -> Repository:
        """Begin a repository with an empty branch `main`. Raises BadInput, Conflict (`repository_taken`), Forbidden."""
        check_name(name)
        if who is None:
            raise Unauthorised("Nobody is signed in.", fix="Set HF_TOKEN or PARK_TOKEN to a token of this park.")
        seen_by: Visibility = _one_of(Visibility, visibility, "visibility")
        self._accounts.require(Act.STORE, who, project_id)
        now_s = self._clock.real_s()
        made_id = new_id("repository", self._entropy(ENTROPY_BYTES))
        made = Repository(made_id, kind, project_id, name, seen_by, Gate.OPEN, now_s, now_s)
        with self._db.write() as conn:
            self._check_free(conn, kind, project_id, name)
            store.add(conn, made, who.person_id)
            self.versions.begin(conn, made, who, FIRST_TITLE)
            detail = {"kind": str(kind), "project": project_id, "visibility": str(seen_by)}
            self._note(conn, "repository.made", who, made, detail)
        return made

    def _check_free(self, conn: Connection, kind: str, project_id: str, name: str) -> None:
        taken = store.named(conn, kind, project_id, name)
        if taken is not None and not taken[1]:
            raise Conflict(
                f"There is a {kind} {project_id}/{name} already.", fix="Choose another name.", code="repository_taken"
            )

    def change(
        self,
        who: Principal | None,
        repository: Repository,
        *,
        visibility: str | None = None,
        gate: str | None = None,
        confirms_personal_data: bool = False,
    ) -> Repository:
        """Open a repository to others or close it. Raises BadInput, Forbidden, NotFound; Conflict (`personal_data`) for
        one about people that would be public without their being thought of.
        """
        changes: dict[str, Any] = {}
        if visibility is not None:
            changes["visibility"] = _one_of(Visibility, visibility, "visibility")
        if gate is not None:
            changes["gate"] = _one_of(Gate, gate, "gate")
        self.versions.cards.read(repository.repository_id)
        with self._db.write() as conn:
            found = self._again(conn, Want.MANAGE, who, repository)
            words = {key: str(value) for key, value in changes.items()}
            told = dict(words)
            if changes.get("visibility") is Visibility.PUBLIC and found.visibility is not Visibility.PUBLIC:
                told |= check_opening(conn, found, is_confirmed=confirms_personal_data)
            if changes:
                store.change(conn, found.repository_id, **words)
                self._note(conn, "repository.changed", who, found, told)
        return replace(found, **changes)

    def move(self, who: Principal | None, repository: Repository, project_id: str, name: str) -> Repository:
        """Give a repository another name within its project; its former name goes on leading to it.

        Raises BadInput (another project too), Conflict (`repository_taken`), Forbidden, NotFound.
        """
        check_name(name)
        self._accounts.require(Act.STORE, who, project_id)
        if project_id != repository.project_id:
            raise BadInput(
                "A repository stays in its project.",
                fix="Send its files to a repository of the other project.",
                code="other_project",
            )
        with self._db.write() as conn:
            found = self._again(conn, Want.MANAGE, who, repository)
            check_no_hold(conn, found.repository_id, found.full_name)
            if name.casefold() != found.name.casefold():
                self._check_free(conn, found.kind, project_id, name)
            store.move(conn, found, project_id, name)
            self._note(conn, "repository.moved", who, found, {})
        return replace(found, project_id=project_id, name=name)

    def delete(self, who: Principal | None, repository: Repository) -> None:
        """End a repository: nobody sees it from now on, and what it alone holds goes after the grace period."""
        with self._db.write() as conn:
            found = self._again(conn, Want.MANAGE, who, repository)
            check_no_hold(conn, found.repository_id, found.full_name)
            store.delete_repository(conn, found.repository_id, self._clock.real_s())
            self._note(conn, "repository.deleted", who, found, {})

    def _again(self, conn: Connection, want: Want, who: Principal | None, repository: Repository) -> Repository:
        """The repository as it is now, inside the transaction that changes it."""
        return self._find(conn, want, who, repository.kind, repository.project_id, repository.name)

    def _note(
        self, conn: Connection, act: str, who: Principal | None, repository: Repository, detail: dict[str, str]
    ) -> None:
        self._accounts.audit.note(conn, act, who=who, thing=repository.repository_id, detail=detail)

    # -- gates ---------------------------------------------------------------------------------------------------------
    def names_of(self, who: Principal | None, repository: Repository, history: Sequence[Commit]) -> dict[str, str]:
        """Who made commits, by person id, for those who are in the project: others need not know who works there."""
        if not is_inside(who, self._accounts.project(repository.project_id)):
            return {}
        return self._accounts.people.names(list({one.person_id for one in history}))

    def ask_in(self, who: Principal | None, repository: Repository) -> str:
        """Ask for access at a gate; how the request stands. Raises Unauthorised for nobody."""
        if who is None:
            raise Unauthorised("Nobody is signed in.", fix="Sign in first.")
        with self._db.write() as conn:
            found = self._again(conn, Want.KNOW, who, repository)
            state = store.gate_state(conn, found.repository_id, who.person_id)
            if not state:
                state = "accepted" if found.gate is Gate.AUTO else "pending"
                by = found.repository_id if state == "accepted" else ""
                store.set_gate_state(conn, found.repository_id, who.person_id, state, self._clock.real_s(), by)
        return state

    def answer(self, who: Principal | None, repository: Repository, person_id: str, state: str) -> None:
        """Let somebody in who asked, or not. Raises BadInput, Forbidden, NotFound for whoever did not ask: an answer
        must not tell who has an account, or the name of one.
        """
        if state not in _STATES:
            raise BadInput(f"{state[:40]!a} is no answer.", fix=f"Choose among: {', '.join(_STATES)}.", field="state")
        with self._db.write() as conn:
            found = self._again(conn, Want.MANAGE, who, repository)
            if not store.gate_state(conn, found.repository_id, person_id):
                raise NotFound(
                    f"Nobody with the id {person_id[:80]!a} asked for access.",
                    fix="Have them ask for it first.",
                    code="no_such_request",
                )
            by = who.person_id if who is not None else ""
            store.set_gate_state(conn, found.repository_id, person_id, state, self._clock.real_s(), by)
            self._note(conn, "repository.answered", who, found, {"person": person_id, "state": state})

    def asking(self, who: Principal | None, repository: Repository, state: str) -> list[tuple[str, float]]:
        """Who asked for access, by how their request stands."""
        with self._db.read() as conn:
            found = self._again(conn, Want.MANAGE, who, repository)
            return store.gate_states(conn, found.repository_id, state)


def _one_of(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        choices = ", ".join(repr(str(item)) for item in kind)
        raise BadInput(f"{text[:40]!a} is no {field}.", fix=f"Choose among: {choices}.", field=field) from None


__all__ = ["MAIN", "RepositoriesService", "Repository", "RepositoryKind", "Visibility", "Want", "is_inside"]
