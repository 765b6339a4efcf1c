"""Every row of a database as lines of JSON and back, whatever the revision and whether SQLite or PostgreSQL.

A table is text: one JSON array per row, columns in the order of the table, rows in the order of the primary key. Equal
rows give equal bytes from both kinds of database, so the SHA-256 of the lines tells whether two tables are the same.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Integer, MetaData, String, Table, collate, func, insert, select

from eureka_park.foundation.errors import BadInput

BLOCK: Final = 1000
_OWN: Final = "alembic_version"


def tables_of(conn: Connection) -> list[Table]:
    """All tables as the database has them, those first that others refer to."""
    metadata = MetaData()
    metadata.reflect(conn)
    return [table for table in metadata.sorted_tables if table.name != _OWN]


def lines_of(conn: Connection, table: Table, names: list[str]) -> Iterator[bytes]:
    """The rows of a table as lines with these columns, read in blocks."""
    order = [_by_bytes(conn, column) for column in table.primary_key.columns]
    query = select(*(table.c[name] for name in names)).order_by(*order).execution_options(yield_per=BLOCK)
    for row in conn.execute(query):
        line = json.dumps([_plain(value) for value in row], ensure_ascii=False, separators=(",", ":"))
        yield line.encode("utf-8", "surrogatepass") + b"\n"


def insert_lines(conn: Connection, table: Table, names: list[str], lines: Iterable[bytes]) -> int:
    """Insert rows from their lines; how many. `names`: the columns, in the order of the lines.

    Raises BadInput for columns that the table has not, and for lines that are no rows of it.
    """
    if set(names) != set(table.columns.keys()):
        raise BadInput(f"Table {table.name} of the backup has other columns.", fix="Take another backup.", field="file")
    n_rows, left = 0, iter(lines)
    while block := list(islice(left, BLOCK)):
        rows = [_row(table, names, line) for line in block]
        conn.execute(insert(table), rows)
        n_rows += len(rows)
    return n_rows


def go_on_counting(conn: Connection, tables: Iterable[Table]) -> None:
    """Let columns that count by themselves go on after the highest number that was inserted."""
    if conn.dialect.name != "postgresql":  # SQLite looks for the highest by itself
        return
    for table in tables:
        for column in (one for one in table.primary_key.columns if isinstance(one.type, Integer)):
            place = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
            highest, sequence = conn.execute(select(func.max(column), place)).one()
            if highest is not None and sequence is not None:
                conn.execute(select(func.setval(sequence, highest)))


def _by_bytes(conn: Connection, column: Any) -> Any:
    is_text = isinstance(column.type, String) and conn.dialect.name == "postgresql"
    return collate(column, "C") if is_text else column


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(bytes(value)).decode()} if isinstance(value, bytes | memoryview) else value


def _row(table: Table, names: list[str], line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line.decode("utf-8", "surrogatepass"))
        return {
            name: base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value
            for name, value in zip(names, values, strict=True)
        }
    except (ValueError, TypeError, KeyError):
        raise BadInput(f"Table {table.name} of the backup holds a line that is no row.", field="file") from None
