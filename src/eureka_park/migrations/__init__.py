"""Migrations of the database: every version that was ever tagged can be brought to this one."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, MetaData, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from eureka_park.adapters.database import parsed
from eureka_park.foundation.errors import Conflict
from eureka_park.migrations import postgres

HEAD: Final = "0022"  # the newest revision under versions/; a test compares


def all_metadata() -> list[MetaData]:
    """The tables of every room, for tests and for writing new migrations."""
    from eureka_park.accounts import store as accounts
    from eureka_park.accounts.audit import store as audit
    from eureka_park.accounts.notices import store as notices
    from eureka_park.accounts.payees import store as payees
    from eureka_park.accounts.secrets import store as secrets
    from eureka_park.accounts.sign_in import store as sign_in
    from eureka_park.compute import store as compute
    from eureka_park.compute.materials import store as materials
    from eureka_park.data import tables as data
    from eureka_park.energy import store as energy
    from eureka_park.ledger import store as ledger
    from eureka_park.ledger.billing import store as billing
    from eureka_park.ledger.books import store as books
    from eureka_park.ledger.first_jobs import store as first_jobs
    from eureka_park.ledger.grants import store as grants
    from eureka_park.ledger.money import store as money
    from eureka_park.ledger.repeats import store as repeats
    from eureka_park.live import store as live

    for table in (audit.entries, notices.notices, secrets.tokens, sign_in.passwords, payees.payees):
        assert table.metadata is accounts.metadata  # tables that name people
    for part in (billing, books, first_jobs, grants, money, repeats):
        assert part.metadata is ledger.metadata
    assert materials.job_outputs.metadata is compute.metadata
    return [room.metadata for room in (accounts, data, ledger, energy, compute, live)]


def present_revision(conn: Connection) -> str | None:
    """The revision of an open database; None for an empty one."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    revision: str | None = conn.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def is_known(revision: str) -> bool:
    """Whether a revision is one of this park's own; if not, a newer park made it."""
    return revision in {path.name.partition("_")[0] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py")}


def migrate(url: str, zone: str = "UTC") -> bool:
    """Bring a database to HEAD; whether anything was done. `zone`: whose calendar says which day older rows are of.

    Raises Conflict for one that a newer park has written.
    """
    engine = create_engine(parsed(url), poolclass=NullPool)
    with engine.connect() as conn:
        present = present_revision(conn)
    if present == HEAD:
        return False
    if present is not None and not is_known(present):
        raise Conflict(
            f"The database of this home was written by a newer park (revision {present}; this one knows {HEAD}).",
            fix="Use the newer version, or another --home.",
            code="newer_database",
        )
    with engine.begin() as conn:
        upgrade(conn, zone=zone)
    engine.dispose()
    return True


def check_present(url: str) -> None:
    """Raises Conflict for a database that is not at HEAD: more processes of a park must be of its own version."""
    engine = create_engine(parsed(url), poolclass=NullPool)
    try:
        with engine.connect() as conn:
            present = present_revision(conn)
    finally:
        engine.dispose()
    if present != HEAD:
        raise Conflict(
            f"The park's database is at revision {present or 'none'}, and this version needs {HEAD}.",
            fix="Run the same version everywhere: start the park with it once (park up), then this.",
            code="other_version",
        )


def upgrade(conn: Connection, revision: str = "head", *, zone: str = "UTC") -> None:
    """Bring an open database to a revision, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = conn
    config.attributes["zone"] = zone
    if conn.dialect.name == "postgresql":
        postgres.begin(conn)
    command.upgrade(config, revision)
    if conn.dialect.name == "postgresql":
        postgres.compare_by_bytes(conn)
