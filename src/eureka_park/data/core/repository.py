"""What a repository is, and which names it, its branches and its files may have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eureka_park.data.core.paths import check_path
from eureka_park.foundation.errors import BadInput

NAME_CHARS_MAX: Final = 96
REF_CHARS_MAX: Final = 200
TITLE_CHARS_MAX: Final = 500
MESSAGE_CHARS_MAX: Final = 20_000
MAIN: Final = "main"
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")
_REF: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._/+@-]*[A-Za-z0-9_+-])?")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


class RepositoryKind(StrEnum):
    """What a repository holds."""

    DATASET = "dataset"
    MODEL = "model"


class Visibility(StrEnum):
    """Who sees a repository beside those who see its project."""

    PRIVATE = "private"
    ORGANISATION = "organisation"
    PUBLIC = "public"


class Gate(StrEnum):
    """What somebody has to do before they may read what they see: nothing, ask, or wait for an answer."""

    OPEN = ""
    AUTO = "auto"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Repository:
    """A data set or a model with its history."""

    repository_id: str
    kind: RepositoryKind
    project_id: str
    name: str
    visibility: Visibility
    gate: Gate
    made_at_s: float
    changed_at_s: float

    @property
    def full_name(self) -> str:
        """As clients name it."""
        return f"{self.project_id}/{self.name}"


@dataclass(frozen=True, slots=True)
class Commit:
    """A version: its tree, and where it came from."""

    commit_id: str
    parent_id: str
    root_id: str
    n_files: int
    size_bytes: int
    title: str
    message: str
    person_id: str
    made_at_s: float


@dataclass(frozen=True, slots=True)
class Put:
    """A file of a commit: new, or in place of what is there. `git_oid` '' for a large file."""

    path: str
    sha256: str
    size_bytes: int
    git_oid: str = ""


@dataclass(frozen=True, slots=True)
class Remove:
    """A file, or a folder with all in it, that a commit takes away."""

    path: str
    is_folder: bool = False


Operation = Put | Remove


def check_name(name: str) -> None:
    """Raise BadInput unless the text can name a repository, here and for the hub's clients."""
    is_fit = len(name) <= NAME_CHARS_MAX and _NAME.fullmatch(name) and "--" not in name and ".." not in name
    if not is_fit or name.endswith((".git", ".ipynb")):
        raise BadInput(
            f"{name[:80]!a} cannot name a repository.",
            fix=f"Use up to {NAME_CHARS_MAX} letters, digits and . _ - between them.",
            code="bad_name",
            field="name",
        )


def check_ref(name: str) -> None:
    """Raise BadInput unless the text can name a branch or a tag: nothing that could be a commit, or leave a folder."""
    is_fit = len(name) <= REF_CHARS_MAX and _REF.fullmatch(name) and ".." not in name and "//" not in name
    if not is_fit or _COMMIT.fullmatch(name) or name.endswith(".lock") or name.startswith("refs/"):
        raise BadInput(
            f"{name[:80]!a} cannot name a branch or a tag.",
            fix=f"Use up to {REF_CHARS_MAX} letters, digits and . _ - / between them.",
            code="bad_ref",
            field="name",
        )


def is_commit_id(text: str) -> bool:
    """Whether a revision is written as a commit's id."""
    return _COMMIT.fullmatch(text) is not None


def clean_path(path: str, field: str = "path") -> str:
    """A path as it is kept: Unicode composed, so that one that looks the same is the same. Raises BadInput."""
    try:
        path = unicodedata.normalize("NFC", path)
    except (TypeError, ValueError):
        raise BadInput("The path is no text.", fix="Send a text.", code="bad_path", field=field) from None
    check_path(path, field)
    return path


def clean_text(text: str, most: int) -> str:
    """A title or a message: cut to its longest, without NUL."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:most]
