"""What keys of projects need from outside: somebody who keeps them."""

from __future__ import annotations

from typing import Protocol


class Keeper(Protocol):
    """Wraps keys of projects in one of its own, which it never gives away."""

    def wrap(self, key: bytes, about: str) -> str:
        """The key as it may lie in the database. Raises Unavailable (`keeper_silent`)."""

    def unwrap(self, wrapped: str, about: str) -> bytes:
        """What was wrapped for the same `about`. Raises ValueError for anything else, Unavailable."""
