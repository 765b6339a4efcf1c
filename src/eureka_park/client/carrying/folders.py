"""Folders, and bags of files with a manifest of their hashes (BagIt, RFC 8493)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from eureka_park.client.carrying.items import Item, check_sha256, path_fault
from eureka_park.client.folder import NEVER_SENT
from eureka_park.foundation.errors import BadInput

MANIFEST: Final = "manifest-sha256.txt"
BAG: Final = "bagit.txt"
PAYLOAD: Final = "data"
MANIFEST_BYTES_MAX: Final = 1024**3


class FolderSource:
    """The files of a folder. One with a manifest is compared with it: a bag's files lie in its folder `data`."""

    def __init__(self, folder: Path) -> None:
        self._manifest = read_manifest(folder)
        is_bag = (folder / BAG).is_file() and self._manifest is not None
        self._folder = folder / PAYLOAD if is_bag else folder
        self._strip = f"{PAYLOAD}/" if is_bag else ""
        self.note = folder.resolve().name

    def items(self) -> Iterator[Item]:
        """All files, those of the manifest with their hashes. What is named and missing, or there and not named in a
        bag, is a fault.
        """
        named = {path.removeprefix(self._strip): sha256 for path, sha256 in (self._manifest or {}).items()}
        seen = set()
        for file, path in walked(self._folder):
            if not self._strip and path == MANIFEST and self._manifest is not None:
                continue
            seen.add(path)
            state = file.stat()
            fault = "it is not in the manifest" if self._strip and path not in named else path_fault(path)
            mark = f"{state.st_size}:{state.st_mtime_ns}"
            yield Item(path, str(file), state.st_size, named.get(path, ""), mark=mark, local=file, fault=fault)
        for path in sorted(set(named) - seen):
            yield Item(path, str(self._folder / path), fault="the manifest names it, and it is not there")


def walked(folder: Path) -> Iterator[tuple[Path, str]]:
    """The plain files below a folder with their paths, in order; links and special files stay."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in NEVER_SENT)
        below = Path(place).relative_to(folder).parts
        for name in sorted(names):
            file = Path(place) / name
            if name not in NEVER_SENT and file.is_file() and not file.is_symlink():
                yield file, "/".join((*below, name))


def read_manifest(folder: Path) -> dict[str, str] | None:
    """The hashes by path that a folder's manifest names; None without one. Raises BadInput."""
    file = folder / MANIFEST
    if not file.is_file():
        return None
    if file.stat().st_size > MANIFEST_BYTES_MAX:
        raise BadInput(f"{file} is too long.", fix="Split the folder.", code="bad_manifest")
    found: dict[str, str] = {}
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        sha256, _, path = line.strip().partition(" ")
        if not sha256:
            continue
        path = unquoted(path.strip().removeprefix("*"))
        try:
            found[path] = check_sha256(sha256)
        except BadInput as error:
            raise BadInput(f"{file}, line {number}: {error.message}", fix=error.fix, code="bad_manifest") from None
    return found


def manifest_line(sha256: str, path: str) -> str:
    """A line of a manifest; breaks of lines in a path, and %, are written as BagIt has them."""
    return f"{sha256}  {quoted(path)}\n"


def quoted(path: str) -> str:
    """A path as a manifest has it."""
    return "".join(quote(mark) if mark in "%\r\n" else mark for mark in path)


def unquoted(path: str) -> str:
    """What `quoted` wrote."""
    return unquote(path) if "%" in path else path
