"""Migrations: a fresh database has the tables of the stores; the database of every tagged version still opens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine, text

from eureka_park import bootstrap
from eureka_park.adapters.database import parsed
from eureka_park.foundation.errors import Conflict
from eureka_park.live.journal import open_state
from eureka_park.migrations import HEAD, all_metadata, migrate

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "homes"
VERSIONS = sorted(path.stem.removeprefix("park-") for path in GOLDEN.glob("park-*.sqlite3"))


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'x.sqlite3'}"
    else:
        with request.getfixturevalue("postgres_server").fresh(is_empty=True) as made:
            yield made


def test_fresh_database_has_the_tables_of_the_stores(url: str) -> None:
    assert migrate(url) is True and migrate(url) is False
    merged = MetaData()
    for metadata in all_metadata():
        for table in metadata.tables.values():
            table.to_metadata(merged)
    engine = create_engine(parsed(url))
    with engine.connect() as conn:
        found = compare_metadata(MigrationContext.configure(conn, opts={"compare_type": True}), merged)
        assert conn.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
    engine.dispose()
    assert [item for item in found if item[0] != "remove_table"] == []
    assert [item[1].name for item in found if item[0] == "remove_table"] in ([], ["alembic_version"])


def test_a_newer_database_is_refused(url: str) -> None:
    migrate(url)
    engine = create_engine(parsed(url))
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Conflict, match="newer park"):
        migrate(url)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_home_of_a_tagged_version_opens_with_all_its_jobs(version: str, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    bootstrap.make_home(folder, now_real_s=1.8e9, is_bare=True)
    shutil.copy(GOLDEN / f"home-{version}.json", folder / "home.json")
    shutil.copy(GOLDEN / f"park-{version}.sqlite3", folder / "park.sqlite3")
    bootstrap.prepare(folder)
    park = bootstrap.open_park(folder)
    state, journal = open_state(park.db, 1)
    state.validate()
    counts = park.compute.counts()
    assert counts["finished"] >= 4 and counts["failed"] == 1 and counts["running"] >= 1
    assert len(state.jobs) == counts["running"] + counts.get("starting", 0) + counts["queued"] and journal.head > 20
    assert park.ledger.verify() == []
    with park.db.read() as conn:
        assert conn.execute(text("SELECT min(day) FROM receipts")).scalar_one() > 20_000
    _what_pages_ask_for_was_filled_in(park)
    park.close()


def _what_pages_ask_for_was_filled_in(park: bootstrap.Park) -> None:
    """Columns and tables of later versions are made from what an older one had written."""
    owner = bootstrap.Principal(park.accounts.ensure_owner()[0], "owner", True, frozenset())
    by_energy, _ = park.compute.jobs(owner, sort="energy")
    kwh = [job["receipt"]["kwh"] if job["receipt"] else 0.0 for job in by_energy]
    assert kwh[0] > 0 and kwh == sorted(kwh, reverse=True)
    assert [job["name"] for job in park.compute.jobs(owner, text="DONE")[0]] == ["done"]
    done = park.compute.jobs(owner, text="done")[0][0]["job_id"]
    spans = park.compute.history(owner, done)["spans"]
    assert spans[-1]["state"] == "running" and spans[-1]["node"]
    flows = park.ledger.flows(0, 1e12)
    assert {"firm", "idle"} <= {flow["target"] for flow in flows}
    assert sum(flow["kwh"] for flow in flows) == pytest.approx(sum(row["kwh"] for row in park.ledger.hours(0, 1e12)))


def test_this_version_is_among_them() -> None:
    from eureka_park import __version__

    assert __version__ in VERSIONS
