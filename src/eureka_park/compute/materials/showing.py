"""Inputs and outputs of jobs as somebody may see them: what they may not know of has no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.compute.core.job import ENDED, JobInput, JobOutput
from eureka_park.compute.materials import store
from eureka_park.compute.materials.store import OutputRow
from eureka_park.data.core.repository import Repository
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.service import is_inside
from eureka_park.data.service import DataService
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.park_uri import input_text, output_text


class Shown:
    """One look at jobs by one reader; each repository is asked for once."""

    def __init__(self, db: Database, accounts: AccountsService, data: DataService, who: Principal | None) -> None:
        self._db, self._accounts, self._data, self._who = db, accounts, data, who
        self._named: dict[tuple[str, str, str], Repository | bool] = {}

    def fill(self, pairs: Sequence[tuple[Mapping[str, Any], dict[str, Any]]]) -> None:
        """Fill `inputs` and `outputs` of views (`pairs`: row, view)."""
        ids = {item[1] for row, _ in pairs for item in row["spec"].get("inputs", ())}
        with self._db.read() as conn:
            rows = store.of_jobs(conn, [row["job_id"] for row, _ in pairs])
        ids |= {row.repository_id for row in rows.values() if row.repository_id}
        known = self._data.materials.known(self._who, sorted(ids))
        for row, view in pairs:
            view["inputs"] = [self._input(JobInput(*item), known) for item in row["spec"].get("inputs", ())]
            outputs = enumerate(row["spec"].get("outputs", ()))
            view["outputs"] = [
                self._output(row, JobOutput(*item), rows.get((row["job_id"], position)), known)
                for position, item in outputs
            ]

    def _input(self, one: JobInput, known: Mapping[str, Repository]) -> dict[str, Any]:
        of = known.get(one.repository_id)
        if of is None:
            return {"mount": one.mount, "address": None, **_names(None), "commit_id": None, "path": None}
        address = input_text(str(of.kind), of.project_id, of.name, one.commit_id, one.path, one.mount)
        return {
            "mount": one.mount, "address": address, **_names(of), "commit_id": one.commit_id, "path": one.path
        }  # fmt: skip

    def _output(
        self, job: Mapping[str, Any], one: JobOutput, row: OutputRow | None, known: Mapping[str, Repository]
    ) -> dict[str, Any]:
        # a commit is known by its repository, which may have moved since; until then by the name that was declared
        of = known.get(row.repository_id) if row is not None and row.repository_id else None
        is_known = of is not None or ((row is None or not row.repository_id) and self._may_know(one))
        names = _names(of)
        if of is None and is_known:
            names = {"kind": one.kind, "project": one.project, "name": one.name}
        address = output_text(names["kind"], names["project"], names["name"], one.folder) if is_known else None
        state = row.state if row is not None else "none" if job["state"] in ENDED else "pending"
        told = (row.commit_id or None, row.n_files, row.size_bytes) if row is not None and is_known else (None, 0, 0)
        words = (row.text, row.fix) if row is not None and is_known else ("", "")
        return {
            "address": address, **names, "folder": one.folder, "state": state, "commit_id": told[0],
            "n_files": told[1], "size_bytes": told[2], "text": words[0], "fix": words[1],
        }  # fmt: skip

    def _may_know(self, one: JobOutput) -> bool:
        """Whether the reader may know of a repository by its name, or of one that is still to be begun."""
        key = (one.kind, one.project, one.name)
        if key not in self._named:
            try:
                self._named[key] = self._data.repositories.find(Want.KNOW, self._who, *key)
            except ParkError:
                try:
                    self._named[key] = is_inside(self._who, self._accounts.project(one.project))
                except ParkError:
                    self._named[key] = False
        return bool(self._named[key])


def _names(of: Repository | None) -> dict[str, Any]:
    if of is None:
        return {"kind": None, "project": None, "name": None}
    return {"kind": str(of.kind), "project": of.project_id, "name": of.name}
