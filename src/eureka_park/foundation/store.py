"""What the stores of all rooms share: statements that SQLite and PostgreSQL write differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import BigInteger, Connection, Integer, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresInsert

Row = Mapping[str, Any]
_Insert: TypeAlias = "SqliteInsert | PostgresInsert"

# A number that grows for ever: 64 bits on both. SQLite counts by itself in a column called INTEGER alone.
COUNTER: Final = BigInteger().with_variant(Integer(), "sqlite")


def insert_or_ignore(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one that clashes with a key already there changes nothing."""
    if rows:
        conn.execute(_ignoring(conn.dialect.name, table), list(rows))


def insert_or_replace(conn: Connection, table: Table, rows: Sequence[Row], fixed: Sequence[str] = ()) -> None:
    """Insert rows with equal keys; where the primary key is already there, the other columns take the new values.

    Columns named in `fixed` never change once a row is there, so their indexes need no work.
    """
    insert_or_add(conn, table, rows, (), fixed)


def insert_or_add(
    conn: Connection, table: Table, rows: Sequence[Row], sums: Sequence[str], fixed: Sequence[str] = ()
) -> None:
    """Insert rows with equal keys; where the primary key is there, add the columns `sums`, replace others."""
    if rows:
        statement = _adding(conn.dialect.name, table, tuple(rows[0]), frozenset(sums), frozenset(fixed))
        conn.execute(statement, list(rows))


@lru_cache(maxsize=256)
def _ignoring(dialect: str, table: Table) -> _Insert:
    return _insert(dialect, table).on_conflict_do_nothing()


@lru_cache(maxsize=256)
def _adding(dialect: str, table: Table, names: tuple[str, ...], sums: frozenset[str], fixed: frozenset[str]) -> _Insert:
    """Building a statement costs more than running it, so each form is built once."""
    statement = _insert(dialect, table)
    new = {
        name: table.c[name] + statement.excluded[name] if name in sums else statement.excluded[name]
        for name in names
        if not table.c[name].primary_key and name not in fixed
    }
    keys = [column.name for column in table.primary_key.columns]
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def _insert(dialect: str, table: Table) -> _Insert:
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # a dear import, and most parks have no use for it

        return postgresql.insert(table)
    return sqlite.insert(table)
