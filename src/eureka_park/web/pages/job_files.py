"""What a job leaves on disk, for its page: the end of its log as text, its outputs as a tree."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from eureka_park.web.logs import read_range
from eureka_park.web.pages.words import Words

TAIL_BYTES: Final = 64 * 1024
_TAIL_LINES: Final = 400
FILES_MAX: Final = 500
DEPTH_MAX: Final = 16  # of folders that are drawn; what lies deeper is named with the rest of its path
_COLOURS: Final = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]")
# Names that promise a text or a picture; whether it is one, the bytes say when somebody looks.
_SHOWN: Final = frozenset(
    {"", ".txt", ".log", ".md", ".csv", ".tsv", ".json", ".jsonl", ".toml", ".yaml", ".yml", ".ini", ".py", ".sh"}
    | {".r", ".jl", ".html", ".xml", ".tex", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".webp"}
)


@dataclass(slots=True)
class Folder:
    """A folder of outputs: its folders, its files, how many files and bytes are below it."""

    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    n_files: int = 0
    size_bytes: int = 0


def log_tail(path: Path) -> tuple[str, int, bool]:
    """The end of a log as plain text, where it ends in bytes, and whether more stands before it."""
    chunk, begin, _ = read_range(path, -TAIL_BYTES, TAIL_BYTES)
    end = begin + len(chunk)
    text = plain(chunk.decode("utf-8", "replace"))
    if begin > 0 and "\n" in text:
        text = text.split("\n", 1)[1]  # the first line is cut
    lines = text.split("\n")
    is_cut = begin > 0 or len(lines) > _TAIL_LINES + 1
    return "\n".join(lines[-_TAIL_LINES - 1 :]), end, is_cut


def tree_of(words: Words, job_id: str, items: Sequence[Mapping[str, Any]]) -> Folder:
    """The outputs by folder; the first of them, in the order of their paths."""
    root = Folder("")
    for item in items[:FILES_MAX]:
        *parents, name = str(item["path"]).split("/", DEPTH_MAX)
        here = root
        for parent in parents:
            _count(here, item)
            here = here.folders.setdefault(parent, Folder(parent))
        _count(here, item)
        here.files.append(
            {
                "name": name,
                "size": words.size(item["size_bytes"]),
                "link": f"/api/v1/jobs/{quote(job_id)}/outputs/{quote(str(item['path']))}",
                "look": f"/jobs/{quote(job_id)}/outputs/{quote(str(item['path']))}" if can_look(name) else "",
            }
        )
    return root


def can_look(name: str) -> bool:
    """Whether a file of such a name can probably be shown here."""
    return Path(name).suffix.lower() in _SHOWN


def plain(text: str) -> str:
    """A text without the colours of terminals."""
    return _COLOURS.sub("", text)


def _count(folder: Folder, item: Mapping[str, Any]) -> None:
    folder.n_files += 1
    folder.size_bytes += int(item["size_bytes"])
