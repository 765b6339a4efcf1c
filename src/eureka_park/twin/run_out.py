"""The folder that a run will be written into, looked at before the run."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.twin.run_files import HOURS, REPORT, RUN, SAMPLE, TENANTS, check_run_folder

OWN: Final = frozenset({RUN, HOURS, TENANTS, SAMPLE, REPORT})


def check_out(folder: Path) -> None:
    """Say before a run what would be wrong with its folder after it: a file, no right to write, files of others in it.

    The files of an earlier run are replaced. Makes nothing. Raises BadInput and Unavailable.
    """
    check_run_folder(folder)
    try:
        others = sorted(path.name for path in folder.iterdir() if path.name not in OWN) if folder.exists() else []
    except OSError as error:
        raise Unavailable(
            f"'{folder}' cannot be read: {error.strerror}.", fix="Give another folder: --out DIR"
        ) from None
    if others:
        raise BadInput(
            f"'{folder}' holds what is no part of a run: {others[0]}.",
            fix="Give an empty folder: --out DIR",
            field="out",
        )
