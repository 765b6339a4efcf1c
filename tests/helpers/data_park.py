"""The store of data sets and models over a database, with people of two projects: what tests of it share."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.adapters.blobs import Blobs
from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import MAIN, Commit, Operation, Put, Remove, RepositoryKind, Visibility
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.versions import Draft
from eureka_park.data.service import DataService
from eureka_park.foundation.clock import SteppedClock

START_S = 1_000_000.0


class DataPark:
    """Projects `lab` (of `um6p`) and `other`; Ada works in the lab, Ben in the other, Lea leads both."""

    def __init__(self, db: SqlDatabase, folder: Path, blobs: Blobs | None = None) -> None:
        self.db, self.folder, self.clock = db, folder, SteppedClock(START_S)
        self.blobs = blobs or Blobs(folder)
        numbers = itertools.count(1)

        def entropy(n: int) -> bytes:
            return next(numbers).to_bytes(n, "big")

        self.accounts = AccountsService(db, self.clock, entropy)
        self.data = DataService(db, folder, self.clock)
        self.data.connect(self.accounts, self.blobs, entropy)
        self.repositories, self.objects = self.data.repositories, self.data.objects
        self.versions = self.repositories.versions
        owner = self.accounts.principal_of_token(self.accounts.ensure_owner()[1] or "")
        places = self.accounts.places
        places.new_organisation(owner, "um6p", "UM6P", "university")
        places.new_project(owner, "lab", "Lab", organisation_id="um6p")
        places.new_project(owner, "other", "Other")
        self.owner = owner
        self.ada = self.somebody("Ada", project="lab")
        self.ben = self.somebody("Ben", project="other")
        self.lea = self.somebody("Lea", role=Role.LEAD, project="lab")
        self.cleo = self.somebody("Cleo", organisation="um6p")

    def somebody(self, name: str, role: Role = Role.MEMBER, **where: str) -> Principal:
        """Somebody with a role, as a token of theirs makes them."""
        person_id = self.accounts.people.add(name, is_verified=True)
        for kind, place in where.items():
            self.accounts.places.give_role(self.owner, person_id, role, f"{kind}:{place}")
        return self.accounts.principal_of_token(self.accounts.new_token(person_id, "test"))

    def repository(self, name: str = "set", visibility: str = "private", who: Principal | None = None) -> Any:
        """A data set of the lab."""
        return self.repositories.create(who or self.ada, RepositoryKind.DATASET, "lab", name, Visibility(visibility))

    def commit(self, repository: Any, files: dict[str, bytes | None], **more: Any) -> Commit:
        """Commit small files; None takes one away."""
        batch, operations = Batch(), list[Operation]()
        for path, content in files.items():
            if content is None:
                operations.append(Remove(path))
            else:
                row = self.objects.put_small(repository.project_id, batch, content)
                operations.append(Put(path, row.sha256, row.size_bytes, git_oid(content)))
        draft = Draft(more.pop("branch", MAIN), more.pop("title", "Test"), operations, **more)
        return self.versions.commit(repository, self.ada, draft, batch)

    def files(self, version: Commit) -> dict[str, bytes]:
        """All files of a version with their content."""
        return {
            entry.path: self.objects.open("lab", entry.sha256).content() for entry in self.versions.tree(version).scan()
        }

    def objects_kept(self) -> list[str]:
        """Keys of all objects."""
        return sorted(one.key for one in self.blobs.listed())
