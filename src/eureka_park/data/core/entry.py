"""A file of a version: where it lies, what it holds, and the names that Git and its large-file pointers give it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

POINTER_VERSION: Final = "https://git-lfs.github.com/spec/v1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file by its path. `git_oid`: by what Git knows its content; '' for a large file, which has a pointer."""

    path: str
    sha256: str
    size_bytes: int
    git_oid: str = ""

    @property
    def is_large(self) -> bool:
        """Whether clients see it as a large file (LFS)."""
        return not self.git_oid

    @property
    def blob_id(self) -> str:
        """What Git would know the file by: its content, or the pointer that stands for it."""
        return self.git_oid or git_oid(pointer(self.sha256, self.size_bytes))

    @property
    def etag(self) -> str:
        """What tells two contents apart, as clients of the hub compare it with what they have."""
        return self.git_oid or self.sha256


def pointer(sha256: str, size_bytes: int) -> bytes:
    """The text that Git keeps in place of a large file."""
    return f"version {POINTER_VERSION}\noid sha256:{sha256}\nsize {size_bytes}\n".encode()


def git_oid(content: bytes) -> str:
    """The SHA-1 by which Git knows a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
