"""The runs that a park keeps: one folder each, the newest so many; the example stays."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.run_question import EXAMPLE, Question

if TYPE_CHECKING:
    from eureka_park.twin.run_record import RunRecord

KEPT: Final = 24
READ: Final = 6  # runs that stay read
TOLD: Final = 64  # figures that stay read
_RUN_ID: Final = re.compile(r"[0-9a-f]{20}")
RUN_FILE: Final = "run.json"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a kept run answers, and its figures; those of tenants are left out."""

    question: Question
    figures: Mapping[str, Any]


class RunShelf:
    """Runs below one folder, by the id of their question."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._told: dict[tuple[str, int], Summary] = {}
        self._read: OrderedDict[tuple[str, int], RunRecord] = OrderedDict()

    @property
    def lock_file(self) -> Path:
        """What a child holds while it plays."""
        return self.folder / "lock"

    def path(self, run_id: str) -> Path:
        """The folder of a run, which need not be there."""
        if not _RUN_ID.fullmatch(run_id):
            raise BadInput(f"'{run_id[:60]}' is no id of a run.", fix="Take one from GET /api/v1/twin/runs.")
        return self.folder / run_id

    def has(self, run_id: str) -> bool:
        """Whether the run is kept."""
        return (self.path(run_id) / RUN_FILE).is_file()

    def record(self, run_id: str) -> RunRecord | None:
        """A kept run; None where there is none, or where its files are damaged."""
        from eureka_park.twin.run_files import read_run

        path = self.path(run_id)
        try:
            name = (run_id, (path / RUN_FILE).stat().st_mtime_ns)
        except OSError:
            return None
        with self._lock:
            if name in self._read:
                self._read.move_to_end(name)
                return self._read[name]
        try:
            found = read_run(path)
        except BadInput:
            return None
        with self._lock:
            self._read[name] = found
            while len(self._read) > READ:
                self._read.popitem(last=False)
        return found

    def summary(self, run_id: str) -> Summary | None:
        """What a kept run answers and its figures, without its hours; None where there is none that can be read."""
        path = self.path(run_id) / RUN_FILE
        try:
            name = (run_id, path.stat().st_mtime_ns)
            with self._lock:
                if name in self._told:
                    return self._told[name]
            told = json.loads(path.read_bytes())
            asked = {**told["request"]["question"], "policy": told["request"]["policy"]}
            found = Summary(Question.from_json(asked), dict(told["figures"]))
        except (OSError, ValueError, TypeError, KeyError, BadInput):
            return None
        with self._lock:
            self._told[name] = found
            while len(self._told) > TOLD:
                self._told.pop(next(iter(self._told)))
        return found

    def ids(self) -> list[str]:
        """The kept runs, the newest first."""
        return [name for _, name in sorted(self._dated(), reverse=True)]

    def prune(self) -> None:
        """Let the oldest go, so that `KEPT` stay."""
        spared = {EXAMPLE.run_id}
        for name in [name for name in self.ids() if name not in spared][KEPT:]:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _dated(self) -> Iterator[tuple[int, str]]:
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _RUN_ID.fullmatch(entry.name):
                    with contextlib.suppress(OSError):
                        yield (self.folder / entry.name / RUN_FILE).stat().st_mtime_ns, entry.name
