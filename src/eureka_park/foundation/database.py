"""The one port to the database: short transactions, handed to the stores of each room. The adapter is
`adapters.database`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Database(Protocol):
    """Reads and writes as context managers; a write commits at the end of the block or leaves nothing."""

    def read(self) -> AbstractContextManager[Connection]:
        """A read-only transaction with one consistent view."""

    def write(self, *, alone: bool = True) -> AbstractContextManager[Connection]:
        """A transaction that takes the write lock at once and commits durably at the end of the block.

        `alone` false is for a block that only appends rows and decides nothing by what it reads: where the database
        can, it runs beside other writes.
        """
