"""The SQLite adapter: one view per read, a lock per write, several threads and processes, troubles in plain words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError, OperationalError

from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation import store
from eureka_park.foundation.errors import BadInput, Internal, Unavailable

metadata = MetaData()
counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("n", Integer, nullable=False),
    Column("note", String, nullable=False, server_default=""),
)

WRITER = """
import sys
from sqlalchemy import text
from eureka_park.adapters.database import SqlDatabase
db = SqlDatabase(sys.argv[1])
for _ in range(int(sys.argv[2])):
    with db.write() as conn:
        n = conn.execute(text("SELECT n FROM counters WHERE name = 'a'")).scalar_one()
        conn.execute(text("UPDATE counters SET n = :n WHERE name = 'a'"), {"n": n + 1})
db.close()
"""


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'park.sqlite3'}"


@pytest.fixture
def db(tmp_path):
    made = SqlDatabase(url_of(tmp_path), lock_wait_s=5.0)
    with made.write() as conn:
        metadata.create_all(conn)
        conn.execute(insert(counters), [{"name": "a", "n": 0}])
    yield made
    made.close()


def value(db, name="a"):
    with db.read() as conn:
        return conn.execute(select(counters.c.n).where(counters.c.name == name)).scalar()


def test_a_fresh_connection_is_durable_and_strict(db):
    with db.write() as conn:
        pragmas = {
            name: conn.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_an_error_in_the_block_undoes_it_even_a_new_table(db):
    with pytest.raises(RuntimeError), db.write() as conn:
        conn.execute(update(counters).values(n=9))
        conn.exec_driver_sql("CREATE TABLE half (x INTEGER)")
        raise RuntimeError
    assert value(db) == 0
    with db.read() as conn:
        assert "half" not in {row[0] for row in conn.exec_driver_sql("SELECT name FROM sqlite_master")}


def test_a_read_keeps_its_view_while_another_writes(db):
    with db.read() as conn:
        before = conn.execute(select(counters.c.n)).scalar()
        with db.write() as other:
            other.execute(update(counters).values(n=7))
        assert conn.execute(select(counters.c.n)).scalar() == before == 0
    assert value(db) == 7


def test_a_read_cannot_write(db):
    with pytest.raises(Unavailable), db.read() as conn:
        conn.execute(update(counters).values(n=9))
    assert value(db) == 0


def test_a_write_inside_a_write_is_a_defect_and_not_a_deadlock(db):
    with db.write(), pytest.raises(Internal), db.write():
        pass
    with db.write() as conn:
        conn.execute(update(counters).values(n=1))
    assert value(db) == 1


def test_defects_keep_their_own_exceptions(db):
    with pytest.raises(IntegrityError), db.write() as conn:
        conn.execute(insert(counters), [{"name": "a", "n": 1}])
    with pytest.raises(OperationalError), db.read() as conn:
        conn.exec_driver_sql("SELECT * FROM nowhere")


def test_a_locked_file_is_unavailable_and_works_again_after(db, tmp_path):
    impatient = SqlDatabase(url_of(tmp_path), lock_wait_s=0.05)
    with db.write(), pytest.raises(Unavailable) as caught, impatient.write():
        pass
    assert caught.value.code == "database_busy" and caught.value.fix
    with impatient.write() as conn:
        conn.execute(update(counters).values(n=3))
    impatient.close()
    assert value(db) == 3


def test_a_full_disk_is_unavailable_and_leaves_nothing(db):
    with pytest.raises(Unavailable) as caught, db.write() as conn:
        pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
        conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        conn.execute(update(counters).values(note="x" * 1_000_000))
    assert caught.value.code == "disk_full"
    with db.read() as conn:
        assert conn.execute(select(counters.c.note)).scalar() == ""


def test_a_damaged_or_missing_file_is_unavailable(tmp_path):
    path = tmp_path / "park.sqlite3"
    path.write_bytes(b"this is no database" * 100)
    for url, code in ((url_of(tmp_path), "database_damaged"), (url_of(tmp_path / "none"), "database_missing")):
        with pytest.raises(Unavailable) as caught, SqlDatabase(url).read():
            pass
        assert caught.value.code == code


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/park", "postgresql://host"]
)
def test_other_urls_are_refused(url):
    with pytest.raises(BadInput) as caught:
        SqlDatabase(url)
    assert "sqlite:////" in caught.value.fix


def test_threads_lose_no_update(db):
    def add() -> None:
        for _ in range(20):
            with db.write() as conn:
                n = conn.execute(select(counters.c.n)).scalar_one()
                conn.execute(update(counters).values(n=n + 1))

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(db) == 80


def test_two_processes_lose_no_update(db, tmp_path):
    command = [sys.executable, "-c", WRITER, url_of(tmp_path), "60"]
    writers = [subprocess.Popen(command) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert value(db) == 120


def test_processes_that_open_a_fresh_file_together_all_succeed(tmp_path):
    code = (
        "import sys; from eureka_park.adapters.database import SqlDatabase\nwith SqlDatabase(sys.argv[1]).write(): pass"
    )
    openers = [subprocess.Popen([sys.executable, "-c", code, url_of(tmp_path)]) for _ in range(4)]
    assert [opener.wait(60) for opener in openers] == [0] * 4


def test_what_is_committed_survives_without_a_clean_end(db, tmp_path):
    with db.write() as conn:
        conn.execute(update(counters).values(n=5))
    with sqlite3.connect(tmp_path / "park.sqlite3") as other:
        assert other.execute("SELECT n FROM counters").fetchone() == (5,)
    other.close()


def test_upserts_ignore_replace_and_add(db):
    with db.write() as conn:
        store.insert_or_ignore(conn, counters, [{"name": "a", "n": 50}, {"name": "b", "n": 1}])
        store.insert_or_add(
            conn, counters, [{"name": "a", "n": 2, "note": "x"}, {"name": "b", "n": 3, "note": ""}], ["n"]
        )
        store.insert_or_replace(conn, counters, [{"name": "b", "n": 9}, {"name": "c", "n": 4}])
        store.insert_or_add(conn, counters, [], ["n"])
        rows = conn.execute(select(counters).order_by(counters.c.name)).all()
        assert [tuple(row) for row in rows] == [("a", 2, "x"), ("b", 9, ""), ("c", 4, "")]
        assert conn.execute(select(func.count()).select_from(counters)).scalar() == 3
        assert conn.execute(text("SELECT 1")).scalar() == 1


def test_upserts_are_written_for_postgres_too():
    class Recorder:
        dialect = postgresql.dialect()
        said = ""

        def execute(self, statement, rows):
            self.said = str(statement.compile(dialect=self.dialect, column_keys=list(rows[0])))

    conn = Recorder()
    store.insert_or_add(conn, counters, [{"name": "a", "n": 1}], ["n"])
    assert "ON CONFLICT (name) DO UPDATE SET n = (counters.n + excluded.n)" in conn.said
