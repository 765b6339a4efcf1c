"""Which paths a snapshot may hold: only those that mean the same file on every machine and never leave their folder."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from eureka_park.foundation.errors import BadInput

PATH_BYTES_MAX: Final = 1024
NAME_BYTES_MAX: Final = 255  # what file systems take for one name


def check_path(path: str, field: str = "path") -> None:
    """Raise BadInput, which names `field`, unless the path is relative, plain and safe on every machine."""
    fault = _fault(path)
    if fault:
        raise BadInput(
            f"The path {_shown(path)} {fault}.",
            fix="Use a relative path with / between names, without '.' and '..'.",
            code="bad_path",
            field=field,
        )


def check_paths(paths: Sequence[str]) -> None:
    """Raise BadInput unless every path is safe and no two of them could be one file on some machine.

    Two paths clash when they are equal, or equal but for case or Unicode form (as on macOS and Windows), in any of
    their folders too, or when one is a file where the other needs a folder.
    """
    spelled: dict[str, str] = {}  # folded path or folder -> how it was first written
    files: set[str] = set()
    folders: set[str] = set()
    for index, path in enumerate(paths):
        field = f"files[{index}].path"
        check_path(path, field)
        *above, whole = _prefixes(path)
        for prefix in (*above, whole):
            first = spelled.setdefault(_folded(prefix), prefix)
            if first != prefix:
                raise _clash(first, prefix, "differ only in case or Unicode form", field)
        if whole in files:
            raise _clash(whole, path, "are the same", field)
        if whole in folders or not files.isdisjoint(above):
            raise _clash(whole, path, "would be a file and a folder of one name", field)
        files.add(whole)
        folders.update(above)


def _fault(path: str) -> str:
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return "is not valid Unicode"
    names = path.split("/")
    faults = (
        (not path, "is empty"),
        (len(raw) > PATH_BYTES_MAX, f"is longer than {PATH_BYTES_MAX} bytes"),
        (any(unicodedata.category(char) == "Cc" for char in path), "holds a control character"),
        ("\\" in path, "holds a backslash"),
        (path.startswith("/"), "is absolute"),
        ("" in names, "holds an empty name"),
        ("." in names or ".." in names, "holds '.' or '..'"),
        (
            any(len(name.encode()) > NAME_BYTES_MAX for name in names),
            f"holds a name longer than {NAME_BYTES_MAX} bytes",
        ),
    )
    return next((text for is_wrong, text in faults if is_wrong), "")


def _prefixes(path: str) -> list[str]:
    names = path.split("/")
    return ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _clash(first: str, second: str, how: str, field: str) -> BadInput:
    return BadInput(
        f"The paths {_shown(first)} and {_shown(second)} {how}.",
        fix="Rename one of them.",
        code="path_clash",
        field=field,
    )


def _shown(path: str) -> str:
    """The path in quotes, cut and with nothing in it that could confuse a terminal."""
    text = path if len(path) <= 80 else path[:77] + "..."
    return ascii(text)
