"""Lay the data that a job reads out in its folder, each input under its name, from the node's cache."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from eureka_park.adapters.engines.local.staging import clear_inputs
from eureka_park.adapters.inputs.cache import InputCache, Source
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.wire.engine import InputFolder

PROGRESS_S: Final = 0.5  # between two notes of how far the fetching is


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of an input: its path below the input's folder, and its content."""

    path: str
    sha256: str
    size_bytes: int


class Catalogue(Protocol):
    """Where a node learns what lies in a version, and gets its contents."""

    def files(self, wanted: InputFolder) -> tuple[Source, Iterator[InputFile]]:
        """The files of an input, and where their contents come from. Raises NotFound, Unavailable."""


@dataclass(slots=True)
class Progress:
    """How far the fetching of a job's inputs is, noted in its attempt's folder for `park why`."""

    file: Path
    of_bytes: int = 0
    n_bytes: int = 0
    begun_s: float = field(default_factory=time.time)
    _noted_s: float = 0.0

    def add(self, n_bytes: int) -> None:
        """Count bytes that came."""
        self.n_bytes += n_bytes
        if time.time() - self._noted_s >= PROGRESS_S:
            self.note()

    def note(self, *, is_over: bool = False) -> None:
        """Write it down, in one step."""
        self._noted_s = time.time()
        told = {
            "n_bytes": self.n_bytes,
            "of_bytes": self.of_bytes,
            "begun_s": self.begun_s,
            "ended_s": self._noted_s if is_over else None,
        }
        part = self.file.with_suffix(".new")
        part.write_text(json.dumps(told))
        part.replace(self.file)


def lay_inputs(
    job_folder: Path,
    inputs: Sequence[InputFolder],
    catalogue: Catalogue,
    cache: InputCache,
    progress: Progress,
    *,
    is_linked: bool,
) -> None:
    """Lay all inputs out below `inputs/` of a job's folder, read-only; what a former attempt left is cleared first.

    `is_linked`: the job cannot write to what is shown to it, so files may be names of the cache's own. Raises BadInput
    (`bad_path`), NotFound, Unavailable; OSError.
    """
    root = job_folder / "inputs"
    clear_inputs(str(job_folder))
    missing_bytes = 0
    for one in inputs:
        source, files = catalogue.files(one)
        missing_bytes += sum(file.size_bytes for file in files if source.is_private or not cache.has(file.sha256))
    progress.of_bytes = missing_bytes
    progress.note()
    cache.make_room(missing_bytes)
    root.mkdir(mode=0o755)
    for one in inputs:
        source, files = catalogue.files(one)
        _lay(root / one.mount, files, lambda file, target, source=source: cache.lay(  # type: ignore[misc]
            file.sha256, file.size_bytes, target, source, is_linked=is_linked, told=progress.add
        ))  # fmt: skip
    if not is_linked:
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
            folder.chmod(0o555)
    if cache.fetched.n_bytes:
        cache.make_room(0)
    progress.note(is_over=True)


def _lay(folder: Path, files: Iterator[InputFile], lay: Callable[[InputFile, Path], None]) -> None:
    folder.mkdir(mode=0o755)
    made = {folder}
    for file in files:
        parts = file.path.split("/")
        if file.path.startswith("/") or not all(parts) or {".", ".."} & set(parts) or "\0" in file.path:
            raise BadInput(f"An input holds an unsafe path: {file.path!a}.", fix="Name another.", code="bad_path")
        target = folder / file.path
        if target.parent not in made:
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            made.add(target.parent)
        lay(file, target)
