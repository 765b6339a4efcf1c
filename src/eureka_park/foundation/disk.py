"""What must survive a power cut."""

from __future__ import annotations

import os


def sync_folder(folder: os.PathLike[str] | str) -> None:
    """Have the names in a folder on the disk, so that they survive a power cut. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
