"""Versions that jobs read and make: found by address at submission, by id when the job runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.data.core.entry import Entry, git_oid
from eureka_park.data.core.lineage import Making, Relation, Source, Way
from eureka_park.data.core.repository import MAIN, Commit, Put, Repository, RepositoryKind, check_name, clean_path
from eureka_park.data.lineage.service import LineageService
from eureka_park.data.objects.limits import SMALL_BYTES_MAX
from eureka_park.data.objects.service import Batch, ObjectsService
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.service import RepositoriesService
from eureka_park.data.repositories.store import by_id
from eureka_park.data.repositories.versions import Draft, no_entry
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

_PIECE_BYTES: Final = 1024**2

Version = tuple[str, str]  # repository and commit, by their ids


@dataclass(frozen=True, slots=True)
class Made:
    """Files of a job, to become a version: `read()` lists them as (path, open file); whoever reads one closes it."""

    job_id: str
    job_project: str
    title: str
    message: str
    inputs: Sequence[Version]
    read: Callable[[], Iterator[tuple[str, BinaryIO]]]


class Materials:
    """What jobs take from repositories, and what they add to them."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        objects: ObjectsService,
        repositories: RepositoriesService,
        lineage: LineageService,
    ) -> None:
        self._db, self._clock, self._accounts, self._objects = db, clock, accounts, objects
        self._repositories, self._lineage = repositories, lineage

    # -- reading -------------------------------------------------------------------------------------------------------
    def find(
        self, who: Principal | None, kind: str, project_id: str, name: str, revision: str, path: str
    ) -> tuple[Repository, Commit]:
        """The version of an address, for somebody who may read it and only where `path` is in it.

        Raises NotFound (for a stranger too), Forbidden (`gated`).
        """
        found = self._repositories.find(Want.READ, who, kind, project_id, name)
        version = self._repositories.versions.at(found, revision)
        if path and next(self._entries(version, path), None) is None:
            raise no_entry(path)
        return found, version

    def files(self, repository_id: str, commit_id: str, path: str) -> tuple[str, Iterator[tuple[str, Entry]]]:
        """The project of a version, and the files of a folder or a file of it: path below that folder, entry.

        Raises NotFound for a repository that is no more.
        """
        with self._db.read() as conn:
            found = by_id(conn, repository_id)
        if found is None:
            raise NotFound("A repository that the job reads is no more.", fix="Submit the job with another.")
        version = self._repositories.versions.at(found, commit_id)
        return found.project_id, self._entries(version, path)

    def _entries(self, version: Commit, path: str) -> Iterator[tuple[str, Entry]]:
        tree, folder = self._repositories.versions.tree(version), clean_path(path) if path else ""
        one = tree.get(folder) if folder else None
        if one is not None:
            yield folder.rpartition("/")[2], one
            return
        cut = len(folder) + 1 if folder else 0
        for entry in tree.in_folder(folder):
            yield entry.path[cut:], entry

    def is_private(self, project_id: str) -> bool:
        """Whether what lies in a project may stay on no disk but sealed, beyond the job that reads it."""
        return bool(self._objects.name(project_id, ""))

    def read(self, project_id: str, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        """The bytes of a content of a project, from `start` on."""
        return self._objects.open(project_id, sha256).read(start, size_bytes)

    def known(self, who: Principal | None, ids: Sequence[str]) -> dict[str, Repository]:
        """Those of these repositories that `who` may know of, by their ids."""
        with self._db.read() as conn:
            return self._lineage.known(conn, who, ids)

    # -- making --------------------------------------------------------------------------------------------------------
    def check_output(self, who: Principal, kind: str, project_id: str, name: str) -> None:
        """Raise unless `who` may write to a repository, or begin it where there is none."""
        try:
            self._repositories.find(Want.WRITE, who, kind, project_id, name)
        except NotFound:
            self._accounts.require(Act.STORE, who, project_id)
            check_name(name)

    def commit(
        self,
        who: Principal,
        kind: str,
        project_id: str,
        name: str,
        made: Made,
        settle: Callable[[Connection, Repository, Commit], None],
    ) -> tuple[Repository, Commit]:
        """Make files of a job a version of a repository, which is begun where there is none: one commit, with its
        lineage, and what `settle` writes, in one transaction.

        Raises what `commit` and `put` of the store raise; then there is no commit, and what was sent stays for a while.
        """
        repository, batch = self._repository(who, kind, project_id, name), Batch()
        operations = [self._put(repository.project_id, batch, path, file) for path, file in made.read()]

        def also(conn: Connection, done: Commit) -> None:
            ids = (repository.repository_id, done.commit_id)
            sources = tuple(Source(Relation.INPUT, *one) for one in dict.fromkeys(made.inputs))
            self._lineage.note(
                conn,
                Making(*ids, Way.JOB, self._clock.real_s(), sources, made.job_id, made.job_project, who.person_id),
            )
            settle(conn, repository, done)

        draft = Draft(MAIN, made.title, operations, made.message)
        return repository, self._repositories.versions.commit(repository, who, draft, batch, also)

    def _put(self, project_id: str, batch: Batch, path: str, file: BinaryIO) -> Put:
        with file:
            first = file.read(SMALL_BYTES_MAX + 1)
            if len(first) <= SMALL_BYTES_MAX:
                row = self._objects.put_small(project_id, batch, first)
                return Put(path, row.sha256, row.size_bytes, git_oid(first))
            rest = iter(lambda: file.read(_PIECE_BYTES), b"")
            row = self._objects.put(project_id, chain([first], rest))
        return Put(path, row.sha256, row.size_bytes)

    def _repository(self, who: Principal, kind: str, project_id: str, name: str) -> Repository:
        try:
            return self._repositories.find(Want.WRITE, who, kind, project_id, name)
        except NotFound:
            try:
                return self._repositories.create(who, RepositoryKind(kind), project_id, name)
            except Conflict:  # somebody was quicker
                return self._repositories.find(Want.WRITE, who, kind, project_id, name)
