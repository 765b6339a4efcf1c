"""Use cases of lineage: note how a version came about, and show what it was made from and what was made from it.

What a reader may not know of stands there without a name, and nothing beyond it is shown: that a model was made from
something is told even where that something is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.service import AccountsService, Principal, Project
from eureka_park.data.core.lineage import (
    SOURCES_MAX,
    Making,
    Relation,
    Source,
    Way,
    clean_outside,
    reaches,
)
from eureka_park.data.core.repository import MAIN, Commit, Repository
from eureka_park.data.lineage import store
from eureka_park.data.lineage.walking import HISTORY_MAX, Walk
from eureka_park.data.repositories.access import Want, can_know
from eureka_park.data.repositories.service import RepositoriesService
from eureka_park.data.repositories.store import by_ids
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

DEPTH_DEFAULT: Final = 3
DEPTH_MAX: Final = 10
_CIRCLE_MAX: Final = 2_000  # versions that are looked at before a declaration counts as one that might close a circle
_MADE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Declared:
    """Something that a person says a version was made from: a repository of the park (`project/name`, perhaps with a
    revision), else the name or address of something outside it.
    """

    relation: Relation
    name: str
    kind: str = "dataset"
    revision: str = ""


class LineageService:
    """What was made from what, in all repositories of a park."""

    def __init__(
        self, db: Database, clock: Clock, accounts: AccountsService, repositories: RepositoriesService
    ) -> None:
        self._db, self._clock, self._accounts, self._repositories = db, clock, accounts, repositories

    # -- noting --------------------------------------------------------------------------------------------------------
    def note(self, conn: Connection, made: Making) -> None:
        """Keep how a version came about, inside the transaction that makes it; noted again it stands once.

        The version must be new, so that it cannot be among its own sources.
        """
        store.note(conn, made)

    def note_import(self, repository: Repository, version: Commit, who: Principal, *places: str) -> None:
        """Keep from which places outside the park (addresses, folders) the files of a version came."""
        sources = tuple(Source(Relation.COPY, text=clean_outside(place)) for place in places[:SOURCES_MAX])
        made = self._making(repository, version, Way.IMPORT, sources, who)
        with self._db.write() as conn:
            store.note(conn, made)

    def declare(
        self, who: Principal, repository: Repository, version: Commit, declared: Sequence[Declared]
    ) -> list[Declared]:
        """Keep what somebody who may write says that a version was made from, in place of what was said before; nothing
        said takes it away. Those that were kept: what would make a version its own source is left out.

        A name that `who` may not know of, or that the park does not have, is kept as it is written.
        """
        found = self._repositories.find(Want.WRITE, who, repository.kind, repository.project_id, repository.name)
        sources = {one: self._source(who, one) for one in declared[:SOURCES_MAX]}
        with self._db.write() as conn:
            target = (found.repository_id, version.commit_id)
            kept = {one: source for one, source in sources.items() if not self._is_circle(conn, source, target)}
            made = self._making(found, version, Way.DECLARED, tuple(dict.fromkeys(kept.values())), who)
            if kept:
                store.note(conn, made)
            else:
                store.forget(conn, made.making_id)
        return list(kept)

    def _making(
        self, repository: Repository, version: Commit, way: Way, sources: tuple[Source, ...], who: Principal
    ) -> Making:
        now_s = self._clock.real_s()
        ids = (repository.repository_id, version.commit_id)
        return Making(*ids, way, now_s, sources, person_id=who.person_id)

    def _source(self, who: Principal, declared: Declared) -> Source:
        project, slash, name = declared.name.partition("/")
        if slash and project and name and "/" not in name:
            try:
                found = self._repositories.find(Want.KNOW, who, declared.kind, project, name)
                version = self._repositories.versions.at(found, declared.revision or MAIN)
                return Source(declared.relation, found.repository_id, version.commit_id)
            except ParkError:
                pass  # not here, or not for them: the name stands as they wrote it
        text = f"{declared.name}@{declared.revision}" if declared.revision else declared.name
        return Source(declared.relation, text=clean_outside(text))

    def _is_circle(self, conn: Connection, source: Source, target: tuple[str, str]) -> bool:
        """Whether a version, or one after it in its history, would be a source of itself."""
        if not source.repository_id:
            return False

        def before(version: tuple[str, str]) -> Iterable[tuple[str, str]]:
            repository_id, commit_id = version
            history = store.chain(conn, repository_id, commit_id, HISTORY_MAX)
            yield from ((repository_id, one) for one in history[1:] if repository_id == target[0])
            for made in store.makings_of(conn, repository_id, history, _MADE_MAX):
                yield from ((one.repository_id, one.commit_id) for one in made.sources if one.repository_id)

        return reaches([(source.repository_id, source.commit_id)], target, before, _CIRCLE_MAX)

    # -- showing -------------------------------------------------------------------------------------------------------
    def of(
        self,
        who: Principal | None,
        kind: str,
        project_id: str,
        name: str,
        *,
        revision: str = "",
        up: int = DEPTH_DEFAULT,
        down: int = DEPTH_DEFAULT,
    ) -> dict[str, Any]:
        """The lineage of a version, or ('') of all versions of a repository of which there is something to say: `up`
        steps to what it was made from, `down` steps to what was made from it.

        `{"kind", "project", "name", "revision", "commit_id", "nodes", "edges", "is_cut"}`; nodes and edges as
        `data.core.lineage` has them, those with `is_start` are the versions asked for. What `who` may not know of is a
        node of kind `hidden`, without a name, beyond which nothing is shown. Raises NotFound, Forbidden (`gated`).
        """
        found = self._repositories.find(Want.READ, who, kind, project_id, name)
        version, is_seen = self._repositories.versions.at(found, revision or MAIN), self._seen_by(who)
        with self._db.read() as conn:
            walk = Walk(conn, lambda asked: self.known(conn, who, asked), is_seen)
            starts = [version.commit_id] if revision else walk.told_versions(found, version.commit_id)
            graph = walk.around(found, starts, min(max(0, up), DEPTH_MAX), min(max(0, down), DEPTH_MAX))
        about = {"kind": str(found.kind), "project": found.project_id, "name": found.name}
        return {**about, "revision": revision, "commit_id": version.commit_id, **graph.to_json()}

    def made_by(
        self, who: Principal | None, repository: Repository, commit_ids: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """How versions came about, for lists of them: commit to `{"way", "job_id", "made_at"}`, without those of which
        nothing is known. `job_id` is None where no job did it, or one that `who` may not see.
        """
        with self._db.read() as conn:
            makings = store.makings_of(conn, repository.repository_id, list(commit_ids), _MADE_MAX)
        told, is_seen = dict[str, dict[str, Any]](), self._seen_by(who)
        for made in sorted(makings, key=lambda one: one.way != Way.JOB):
            job_id = made.job_id if is_seen(made) else None
            view = {"way": str(made.way), "job_id": job_id or None, "made_at": iso_from_s(made.made_at_s)}
            told.setdefault(made.commit_id, view)
        return told

    def known(self, conn: Connection, who: Principal | None, ids: Iterable[str]) -> dict[str, Repository]:
        """Those of these repositories that `who` may know of."""
        found = by_ids(conn, ids)
        projects = {
            one.project_id: self._accounts.places.thing_in(conn, f"project:{one.project_id}") for one in found.values()
        }
        return {
            name: one
            for name, one in found.items()
            if isinstance(project := projects[one.project_id], Project) and can_know(who, one, project)
        }

    def _seen_by(self, who: Principal | None) -> Callable[[Making], bool]:
        """Whether somebody may see the job of a making; each project is asked for once."""
        known: dict[str, bool] = {"": False}

        def is_seen(made: Making) -> bool:
            if made.job_project not in known:
                known[made.job_project] = self._accounts.visible(who, made.job_project)
            return known[made.job_project]

        return is_seen


__all__ = ["Declared", "LineageService", "Making", "Relation", "Source", "Way"]
