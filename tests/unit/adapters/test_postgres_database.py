"""The PostgreSQL adapter: views, locks, troubles in plain words; databases that are not as SQLite is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from tests.helpers import postgres

from eureka_park.accounts import store as accounts
from eureka_park.adapters.database import SqlDatabase
from eureka_park.compute import store as compute
from eureka_park.foundation.errors import BadInput, Internal, Unavailable
from eureka_park.live import store
from eureka_park.migrations import migrate

LEASE = {"name": "x", "token": 0, "holder": "", "until_real_s": 0.0}


@pytest.fixture
def url(request: pytest.FixtureRequest) -> str:
    emptied: postgres.Emptied = request.getfixturevalue("_postgres_for_all")
    return emptied.url_of_empty()


@pytest.fixture
def db(url: str) -> Iterator[SqlDatabase]:
    made = SqlDatabase(url, lock_wait_s=5.0)
    with made.write() as conn:
        conn.execute(insert(store.lease), [LEASE])
    yield made
    made.close()


def token(db: SqlDatabase) -> int:
    with db.read() as conn:
        return int(conn.execute(select(store.lease.c.token)).scalar_one())


def test_a_write_is_durable_and_an_error_undoes_it(db: SqlDatabase) -> None:
    with pytest.raises(RuntimeError), db.write() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        conn.execute(update(store.lease).values(token=9))
        raise RuntimeError
    assert token(db) == 0
    with pytest.raises(IntegrityError), db.write() as conn:
        conn.execute(insert(store.lease), [LEASE])
    with db.write(), pytest.raises(Internal), db.write():
        pass


def test_commits_wait_for_the_disk_where_the_server_would_not(db: SqlDatabase, url: str) -> None:
    name = url.split("/")[3].partition("?")[0]
    with db.write() as conn:
        conn.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    other = SqlDatabase(url)
    with other.write() as conn:
        assert conn.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        conn.exec_driver_sql(f"ALTER DATABASE {name} RESET synchronous_commit")
    other.close()


def test_a_read_keeps_its_view_and_cannot_write(db: SqlDatabase) -> None:
    with db.read() as conn:
        assert conn.execute(select(store.lease.c.token)).scalar() == 0
        with db.write() as other:
            other.execute(update(store.lease).values(token=7))
        assert conn.execute(select(store.lease.c.token)).scalar() == 0
    assert token(db) == 7
    with pytest.raises(Unavailable) as caught, db.read() as conn:
        conn.execute(update(store.lease).values(token=9))
    assert caught.value.code == "database_read_only" and token(db) == 7


def test_writes_alone_follow_each_other_and_others_go_beside_them(db: SqlDatabase, url: str) -> None:
    def add() -> None:
        mine = SqlDatabase(url)
        for _ in range(15):
            with mine.write() as conn:
                n = conn.execute(select(store.lease.c.token)).scalar_one()
                conn.execute(update(store.lease).values(token=n + 1))
        mine.close()

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert token(db) == 45
    other = SqlDatabase(url, lock_wait_s=0.05)
    with db.write():
        with pytest.raises(Unavailable) as caught, other.write():
            pass
        assert caught.value.code == "database_busy" and "0 s" in caught.value.message
        with other.write(alone=False) as conn:
            conn.execute(insert(store.lease), [{**LEASE, "name": "y"}])
    other.close()


@pytest.mark.parametrize("name", ["Mi\0na", "x" * 201])
def test_what_cannot_be_kept_is_bad_input(db: SqlDatabase, name: str) -> None:
    with pytest.raises(BadInput) as caught, db.write() as conn:
        accounts.add_person(conn, "person-a", name, 0.0)
    assert caught.value.code == "unkeepable"
    with db.read() as conn:
        assert compute.job(conn, "job-unknown") is None


def test_servers_and_databases_that_are_not_there(postgres_server: postgres.Server, url: str) -> None:
    refused = {
        postgres_server.url("nowhere"): "database_refused",
        url.replace("park@", "nobody@"): "database_refused",
        url.replace("host=", "host=/nowhere"): "database_missing",
        f"{url}&port=1": "database_missing",
    }
    for wrong, code in refused.items():
        db = SqlDatabase(wrong)
        with pytest.raises(Unavailable) as caught, db.read() as conn:
            conn.exec_driver_sql("SELECT 1")
        assert caught.value.code == code and "PARK_DATABASE_URL" in caught.value.fix, wrong
        assert not db.notify("x")
        db.close()


def test_any_order_of_letters_becomes_that_of_bytes(postgres_server: postgres.Server) -> None:
    letters = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8'"
    postgres_server.say(f"CREATE DATABASE lettered TEMPLATE template0 ENCODING 'UTF8' {letters}")
    url = postgres_server.url("lettered")
    migrate(url)
    db = SqlDatabase(url)
    with db.write() as conn:
        for key in ("submit:b", "submit:B", "submit_x", "submit:é"):
            compute.post_command(conn, key, "submit", key, {}, 0.0)
    with db.read() as conn:
        found = compute.commands_keyed(conn, "submit:", ["submit"])
        assert [row["idempotency_key"] for row in found] == ["submit:b", "submit:B", "submit:é"]
        ordered = select(compute.inbox.c.idempotency_key).order_by(compute.inbox.c.idempotency_key)
        keys = list(conn.execute(ordered).scalars())
        assert keys == sorted(keys, key=str.encode)
        wrong = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'jobs'::regclass AND attcollation = 100"
        assert conn.execute(text(wrong)).scalar() == 0
    db.close()
    postgres_server.say("DROP DATABASE lettered WITH (FORCE)")


def test_a_database_that_cannot_keep_every_text_is_refused(postgres_server: postgres.Server) -> None:
    postgres_server.say("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(BadInput) as caught:
        migrate(postgres_server.url("latin"))
    assert caught.value.code == "bad_encoding" and "UTF8" in caught.value.fix
    postgres_server.say("DROP DATABASE latin WITH (FORCE)")
