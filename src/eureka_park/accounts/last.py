"""Somebody must operate the park, and lead each project and organisation: the last one who does cannot be lost, in
whatever way it would happen: by giving it up, by leaving a group, with a group, by being shut out or erased.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store
from eureka_park.accounts.core.permissions import AT_PARK
from eureka_park.accounts.core.roles import Role
from eureka_park.foundation.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEEDED: Final = frozenset({Role.LEAD, Role.OPERATOR})


@contextmanager
def somebody_stays(conn: Connection, places: Iterable[tuple[Role, str]]) -> Iterator[None]:
    """Raise Conflict (`last_lead`, `last_operator`) where what is done inside leaves one of these roles (role, scope)
    to nobody who could come in; what was done is undone by the caller's transaction.
    """
    held = [(role, scope) for role, scope in places if role in NEEDED and has_holder(conn, role, scope)]
    yield
    for role, scope in held:
        if not has_holder(conn, role, scope):
            where = "the park" if scope == AT_PARK else scope.partition(":")[2]
            raise Conflict(
                f"Nobody else is {role} of {where}.", fix="Give the role to somebody else first.", code=f"last_{role}"
            )


def has_holder(conn: Connection, role: Role, scope: str, but: str = "") -> bool:
    """Whether a person who is not shut out holds a role, by themselves or as one of a group; machines do not count.

    `but`: whose own role is left out; one through a group still counts.
    """
    held = [(name, item.via) for name, item in store.holders(conn, [scope], kind="person") if item.role is role]
    return any(via or name != but for name, via in held)
