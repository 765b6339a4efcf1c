"""What a job runs: a script or a command on this side, as fields of a request and files that travel."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eureka_park.client.folder import Listing, list_folder, single_file
from eureka_park.client.scripts import kind_of, read_header
from eureka_park.foundation.errors import BadInput


@dataclass(frozen=True, slots=True)
class Prepared:
    """Fields of the request that follow from what is run, and the files to send first (None: nothing travels)."""

    fields: dict[str, Any]
    listing: Listing | None


def prepare(what: str | os.PathLike[str] | Sequence[str], args: Sequence[str], folder: Path | None) -> Prepared:
    """Turn a script path or a command into a request. Raises NotFound and BadInput before anything travels."""
    if isinstance(what, str | os.PathLike):
        return _script(Path(what), list(args), folder)
    command = [*what, *args]
    if not command or not all(isinstance(word, str) for word in command) or not command[0].strip():
        raise BadInput("There is no command to run.", fix="Write: park submit -- COMMAND ...", field="command")
    return Prepared({"command": command}, None if folder is None else list_folder(folder))


def _script(script: Path, args: list[str], folder: Path | None) -> Prepared:
    kind = kind_of(script)
    header = read_header(script) if kind == "python" else None
    listing = single_file(script) if folder is None else list_folder(folder)
    path = script.name if folder is None else _inside(script, folder, listing)
    fields: dict[str, Any] = {"name": script.name}
    if header is not None:
        fields |= {"script": path, "args": args}
        if header.dependencies:
            fields["dependencies"] = list(header.dependencies)
        if header.requires_python:
            fields["requires_python"] = header.requires_python
    else:
        fields["command"] = ["sh", path, *args] if kind == "sh" else [f"./{path}", *args]
    return Prepared(fields, listing)


def _inside(script: Path, folder: Path, listing: Listing) -> str:
    try:
        path = script.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        raise BadInput(
            f"'{script}' is not inside '{folder}'.",
            fix="Name a script inside the folder of --dir, or leave --dir out.",
            field="script",
        ) from None
    if all(file.path != path for file in listing.files):
        raise BadInput(
            f"'{script}' is left out by a .gitignore of '{folder}'.", fix="Take it out of .gitignore.", field="script"
        )
    return path


def command_text(command: Sequence[str]) -> str:
    """A command as one would type it."""
    return shlex.join(command)
