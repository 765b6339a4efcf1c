"""What the stores of all rooms share: statements that SQLite and PostgreSQL write differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

Row = Mapping[str, Any]


def insert_or_ignore(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one that clashes with a key already there changes nothing."""
    if rows:
        conn.execute(_insert(conn, table).on_conflict_do_nothing(), list(rows))


def insert_or_replace(conn: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; one whose primary key is already there takes the place of the old values."""
    if rows:
        statement = _insert(conn, table)
        new = {name: statement.excluded[name] for name in rows[0] if not table.c[name].primary_key}
        conn.execute(_on_clash(statement, table, new), list(rows))


def insert_or_add(conn: Connection, table: Table, rows: Sequence[Row], sums: Sequence[str]) -> None:
    """Insert rows; where the primary key is already there, add the columns named in `sums` and replace the others."""
    if rows:
        statement = _insert(conn, table)
        new = {
            name: table.c[name] + statement.excluded[name] if name in sums else statement.excluded[name]
            for name in rows[0]
            if not table.c[name].primary_key
        }
        conn.execute(_on_clash(statement, table, new), list(rows))


def _insert(conn: Connection, table: Table) -> SqliteInsert | PostgresInsert:
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


def _on_clash(statement: SqliteInsert | PostgresInsert, table: Table, new: Row) -> SqliteInsert | PostgresInsert:
    keys = [column.name for column in table.primary_key.columns]
    return statement.on_conflict_do_update(index_elements=keys, set_=new)
