"""Facts that one room tells others, in the transaction in which they came about: all of it happens, or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

E = TypeVar("E")


class Bus:
    """Who wants to hear of what. Only bootstrap says `on`; services say `tell`."""

    def __init__(self) -> None:
        self._heard: dict[type, list[Callable[[Connection, Any], None]]] = {}

    def on(self, kind: type[E], handler: Callable[[Connection, E], None]) -> None:
        """Have events of exactly this class handed to a function, after those that asked before."""
        self._heard.setdefault(kind, []).append(handler)

    def tell(self, conn: Connection, event: object) -> None:
        """Hand an event to everybody who wants to hear of it; what they raise undoes the transaction."""
        for handler in self._heard.get(type(event), ()):
            handler(conn, event)
