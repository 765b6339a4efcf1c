"""What a PostgreSQL database needs beside its tables, so that stores find in it what they find in SQLite."""

from __future__ import annotations

from sqlalchemy import Connection, text

from eureka_park.foundation.errors import BadInput

_LOCK = 0x7061726C  # of those who migrate: two processes that start together do it one after the other

# Texts whose order is not that of their bytes; a database whose own order is that one has none.
_COLLATED = """
SELECT t.relname, c.attname, format_type(c.atttypid, c.atttypmod)
FROM pg_attribute c JOIN pg_class t ON t.oid = c.attrelid JOIN pg_type k ON k.oid = c.atttypid
WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace AND c.attnum > 0 AND NOT c.attisdropped
AND k.typcollation <> 0 AND c.attcollation NOT IN (SELECT oid FROM pg_collation WHERE collname IN ('C', 'POSIX'))
AND NOT ('B' < 'a' AND '-z' < 'a' AND '~' < U&'\\00E9')
ORDER BY t.relname, c.attnum
"""


def begin(conn: Connection) -> None:
    """Wait for others who migrate. Raises BadInput for a database that cannot hold every text."""
    conn.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    encoding = conn.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise BadInput(
            f"The database keeps texts as {encoding}, not as UTF8.",
            fix="Make it anew: CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'",
            code="bad_encoding",
        )


def compare_by_bytes(conn: Connection) -> None:
    """Order and compare all texts by their bytes, as SQLite does: ranges of keys and cursors of lists rest on it."""
    for table, column, kind in conn.execute(text(_COLLATED)).all():
        conn.execute(text(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE {kind} COLLATE "C"'))
