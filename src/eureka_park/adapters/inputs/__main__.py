"""`python -m eureka_park.adapters.inputs HOME JOB ATTEMPT link|copy`: fetch the inputs of one attempt of a job.

A supervisor runs it as a process of its own, outside the job's sandbox: it reads the park's store, which the job never
sees. What goes wrong is one line of JSON, and exit code 1.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.data_wiring import make_data
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.engines.local.places import Attempt, read_json
from eureka_park.adapters.home import Home
from eureka_park.adapters.home_database import url_of
from eureka_park.adapters.home_key import key_of
from eureka_park.adapters.inputs.cache import InputCache, Source
from eureka_park.adapters.inputs.laying import InputFile, Progress, lay_inputs
from eureka_park.adapters.system_clock import SystemClock
from eureka_park.compute.folders import FETCHING_FILE
from eureka_park.data.lineage.materials import Materials
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable
from eureka_park.foundation.units import parse_bytes
from eureka_park.foundation.wire.engine import InputFolder, StartOrder

LIMIT_VARIABLE: Final = "PARK_INPUTS_MAX"  # bytes that the cache may take, such as 200GiB; default a fifth of the disk
CHECK_VARIABLE: Final = "PARK_INPUTS_CHECK"  # "always": compare each content with its hash whenever a job gets it


class _OfProject:
    """Contents of one project of the store."""

    def __init__(self, materials: Materials, project_id: str) -> None:
        self._materials, self._project_id = materials, project_id
        self.is_private = materials.is_private(project_id)

    def read(self, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        """The bytes from `start` to the end."""
        return self._materials.read(self._project_id, sha256, start, size_bytes)


class _Here:
    """The park's own store, for a node on the park's machine."""

    def __init__(self, materials: Materials) -> None:
        self._materials = materials

    def files(self, wanted: InputFolder) -> tuple[Source, Iterator[InputFile]]:
        """The files of an input, and where their contents come from."""
        project_id, found = self._materials.files(wanted.repository_id, wanted.commit_id, wanted.path)
        files = (InputFile(path, entry.sha256, entry.size_bytes) for path, entry in found)
        return _OfProject(self._materials, project_id), files


def cache_of(home: Path) -> InputCache:
    """The cache of a home, by the operator's settings. Raises BadInput for a wrong one."""
    folder, asked = home / "inputs", os.environ.get(LIMIT_VARIABLE, "").strip()
    limit_bytes = parse_bytes(asked) if asked else shutil.disk_usage(home).total // 5
    check = os.environ.get(CHECK_VARIABLE, "").strip()
    if check not in ("", "always"):
        raise BadInput(f"{CHECK_VARIABLE} is {check!a}.", fix="Write always, or leave it out.", code="bad_setting")
    return InputCache(folder, limit_bytes, is_careful=check == "always")


def fetch(home: Path, job_id: str, number: int, *, is_linked: bool) -> None:
    """Lay out the inputs of an attempt. Raises the errors of `lay_inputs`."""
    attempt = Attempt(str(home), job_id, number)
    value = read_json(attempt.order_file)
    if value is None:
        raise Unavailable("The order of the job is gone.", fix="Submit it again.", code="order_lost")
    order, kept = StartOrder.from_json(value), Home(home)
    db, clock = SqlDatabase(url_of(kept)), SystemClock(kept.facts().pace)
    try:
        accounts = AccountsService(db, clock, os.urandom, key=key_of(kept))
        catalogue = _Here(make_data(db, home, clock, accounts).materials)
        progress = Progress(Path(attempt.folder) / FETCHING_FILE)
        folder = Path(attempt.job_folder)
        lay_inputs(folder, order.inputs, catalogue, cache_of(home), progress, is_linked=is_linked)
    finally:
        db.close()


def main(words: list[str]) -> int:
    """Fetch, and say in one line of JSON what went wrong; the exit code."""
    home, job_id, number, how = words
    try:
        fetch(Path(home), job_id, int(number), is_linked=how == "link")
    except ParkError as error:
        told = {"message": error.message, "fix": error.fix, "code": error.code}
    except OSError as error:
        told = {"message": f"The inputs could not be laid out: {error}.", "fix": "See the disk.", "code": "disk"}
    else:
        return 0
    sys.stdout.write(f"{json.dumps(told)}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
