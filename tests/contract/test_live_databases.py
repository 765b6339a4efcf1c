"""The live park on SQLite and on PostgreSQL: one leader, a journal without gaps, nothing lost that was answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers import postgres
from tests.helpers.live_park import LivePark

from eureka_park import bootstrap
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.home_database import INBOX_CHANNEL
from eureka_park.compute import store as compute_store
from eureka_park.foundation.errors import BadInput, Conflict, Unavailable
from eureka_park.live import store
from eureka_park.live.journal import Journal, open_state

END_LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'eureka-park wake-up'"


@pytest.fixture
def live(tmp_path: Path, park_database: str) -> Iterator[LivePark]:
    made = LivePark(tmp_path)
    yield made
    made.park.close()


def journal_seqs(park: LivePark) -> list[int]:
    with park.park.db.read() as conn:
        return [seq for seq, _, _ in store.journal_after(conn, 0, 100_000)]


def test_jobs_from_submission_to_receipt_over_a_crash(live: LivePark) -> None:
    done = live.submit(run_s=30, tier="firm", name="done")
    bad = live.submit(run_s=10, name="bad")
    live.engine.codes[bad] = 3
    tasks = live.submit(array=3, cpus=0.5, tier="firm")
    later = live.submit(after=[done])
    live.step(times=4)
    live.crash()
    live.step(times=30)

    states = {name: live.view(name)["state"] for name in (done, bad, f"{tasks}[2]", later)}
    assert list(states.values()) == ["finished", "failed", "finished", "finished"]
    assert live.receipt(done)["kwh"] > 0 and live.receipt(later)["credits"] > 0
    assert live.park.ledger.verify() == []
    assert live.park.compute.timeline(live.owner, done)[0]["what"] == "queued"
    found, _ = live.park.compute.jobs(live.owner, sort="energy", text="DONE")
    assert [job["job_id"] for job in found] == [done]
    assert live.park.compute.counts()["finished"] == 5
    seqs = journal_seqs(live)
    assert seqs == list(range(1, len(seqs) + 1))
    state, journal = open_state(live.park.db, 1)
    assert journal.head == len(seqs) and state.jobs.keys() == live.live.state.jobs.keys()


def test_of_two_who_decide_the_stale_one_writes_nothing(live: LivePark) -> None:
    job = live.submit(run_s=500.0)
    live.step(times=2)
    stale, before = live.live, journal_seqs(live)
    live.open()  # another process takes the lease: its machine believed the first one dead
    taken_over = journal_seqs(live)
    assert taken_over[: len(before)] == before and live.view(job)["state"] == "running"

    lost = live.submit(run_s=5.0)
    live.clock.step(5.0)
    with pytest.raises(Conflict) as caught:
        stale.cycle()
    assert caught.value.code == "lease_lost"
    stale.parts.db.close()
    assert journal_seqs(live) == taken_over  # the whole transaction is gone, commands taken and receipts too
    live.step(times=3)
    assert {live.view(name)["state"] for name in (job, lost)} == {"running", "finished"}
    with live.park.db.read() as conn:
        held = store.heartbeat(conn)
    assert held is not None and held.token == live.live.journal.token == stale.journal.token + 1


def test_a_lease_that_is_held_is_refused_and_one_that_ended_is_taken(live: LivePark) -> None:
    now_s = live.clock.real_s()
    with live.park.db.write() as conn:
        store.renew_lease(conn, live.live.journal.token, now_s + 15.0)
    with pytest.raises(Conflict) as caught, live.park.db.write() as conn:
        store.take_lease(conn, "other", now_s + 14.9, 15.0, may_take=False)
    assert caught.value.code == "lease_held"
    with live.park.db.write() as conn:
        taken = store.take_lease(conn, "other", now_s + 15.0, 15.0, may_take=False)
    assert taken.token == live.live.journal.token + 1


@pytest.fixture
def shared_url(
    postgres_server: postgres.Server, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> str:
    """An empty PostgreSQL database, which homes of this test use."""
    url: str = request.getfixturevalue("_postgres_for_all").url_of_empty()
    monkeypatch.setenv("PARK_DATABASE_URL", url)
    return url


@pytest.fixture
def shared(shared_url: str) -> Iterator[tuple[SqlDatabase, SqlDatabase]]:
    """Two programs on one PostgreSQL database."""
    first, second = SqlDatabase(shared_url), SqlDatabase(shared_url)
    yield first, second
    first.close()
    second.close()


Pair = tuple[SqlDatabase, SqlDatabase]


def test_nobody_takes_the_lease_between_the_check_and_the_commit(shared: Pair) -> None:
    first, second = shared
    with first.write() as conn:
        held = store.take_lease(conn, "first", 0.0, 15.0, may_take=True)
    order: list[str] = []

    def take() -> None:
        with second.write(alone=False) as conn:  # even one that forgets the lock of all writes
            store.take_lease(conn, "second", 100.0, 15.0, may_take=True)
            order.append("taken")

    with first.write(alone=False) as conn:
        store.check_token(conn, held.token)
        taker = threading.Thread(target=take)
        taker.start()
        taker.join(0.2)
        assert taker.is_alive()
        store.append_journal(conn, 0, held.token, 0.0, [("Seen", {})])
        order.append("written")
    taker.join(10.0)
    assert order == ["written", "taken"]
    with pytest.raises(Conflict), first.write() as conn:
        Journal(held.token, 1, 0).append(conn, [], 0.0)


def test_two_who_fight_for_the_lease_leave_a_journal_without_gaps(shared: Pair) -> None:
    n_entries, seen = 40, list[int]()

    def decide(db: SqlDatabase, name: str) -> None:
        wrote = 0
        while wrote < n_entries:
            with db.write() as conn:
                token = store.take_lease(conn, name, 0.0, 15.0, may_take=True).token
                head = store.journal_head(conn)
            try:
                for _ in range(3):
                    with db.write() as conn:
                        store.check_token(conn, token)
                        store.append_journal(conn, head, token, 0.0, [(name, {}), (name, {})])
                    head += 2
                    wrote += 2
            except Conflict:
                continue

    fighters = [threading.Thread(target=decide, args=(db, f"d{at}")) for at, db in enumerate(shared)]
    for fighter in fighters:
        fighter.start()
    while True:
        is_last = not any(fighter.is_alive() for fighter in fighters)
        with shared[0].read() as conn:
            seen += [seq for seq, _, _ in store.journal_after(conn, len(seen), 1000)]
        if is_last:
            break
    assert seen == list(range(1, len(seen) + 1)) and len(seen) >= 2 * n_entries
    with shared[0].read() as conn:
        tokens = [row.token for row in conn.execute(store.journal.select().order_by(store.journal.c.seq))]
    assert tokens == sorted(tokens) and len(set(tokens)) > 2


def test_commands_that_commit_out_of_order_are_all_taken(tmp_path: Path, shared: Pair) -> None:
    live = LivePark(tmp_path)
    payloads = {}
    for name in ("job-early", "job-late"):
        spec = live.submit(run_s=5.0, name=name)
        live.engine.run_s[name] = 5.0
        with live.park.db.read() as conn:
            payloads[name] = compute_store.posted_job(conn, spec)["payload"]
    live.step()  # whatever has to be compiled first is: the server ends transactions that stand still for a minute
    with shared[0].write(alone=False) as slow:
        compute_store.post_command(slow, "early", "submit", "job-early", payloads["job-early"], 0.0)
        with shared[1].write(alone=False) as quick:
            compute_store.post_command(quick, "late", "submit", "job-late", payloads["job-late"], 0.0)
        live.step()  # takes the later number, while the earlier one is not committed
        assert "job-late" in live.live.state.jobs and "job-early" not in live.live.state.jobs
    live.step()
    assert "job-early" in live.live.state.jobs
    live.step(times=6)
    assert live.park.compute.counts() == {"finished": 4}
    live.park.close()


def test_a_post_wakes_who_listens_on_any_machine(tmp_path: Path, shared: Pair) -> None:
    live = LivePark(tmp_path)
    listener = shared[1].listen(INBOX_CHANNEL)
    assert listener is not None and not listener.wait(0.0)
    live.submit()
    assert listener.wait(5.0) and not listener.wait(0.0)
    with shared[0].write() as conn:  # the server ends the listener's connection: it comes back by itself
        conn.exec_driver_sql(END_LISTENERS)
    assert listener.wait(5.0)
    while listener._connection is not None:
        assert listener.wait(5.0)
    listener._again_s = 0.0
    assert not listener.wait(0.0)
    live.submit()
    assert listener.wait(5.0)
    listener.close()
    live.park.close()


def test_a_database_belongs_to_one_home(tmp_path: Path, shared_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for folder in (mine, other):
        bootstrap.make_home(folder, now_real_s=0.0, is_bare=True)
    token = bootstrap.prepare(mine)
    assert bootstrap.prepare(mine) == token
    with pytest.raises(Conflict) as caught:
        bootstrap.prepare(other)
    assert caught.value.code == "database_of_another_home"
    monkeypatch.delenv("PARK_DATABASE_URL")
    with pytest.raises(Conflict) as caught:
        bootstrap.open_park(mine)
    assert caught.value.code == "database_elsewhere" and "PARK_DATABASE_URL" in caught.value.fix
    third = tmp_path / "third"
    bootstrap.make_home(third, now_real_s=0.0, is_bare=True)
    bootstrap.prepare(third)
    monkeypatch.setenv("PARK_DATABASE_URL", shared_url)
    with pytest.raises(Conflict) as caught:
        bootstrap.prepare(third)
    assert caught.value.code == "database_elsewhere" and "park restore" in caught.value.fix


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////tmp/x.sqlite3", "mysql://secret@host/park"])
def test_other_urls_are_refused_without_repeating_them(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARK_DATABASE_URL", url)
    bootstrap.make_home(tmp_path / "home", now_real_s=0.0, is_bare=True)
    with pytest.raises(BadInput) as caught:
        bootstrap.prepare(tmp_path / "home")
    assert caught.value.code == "bad_database_url" and "secret" not in caught.value.line()


def test_a_server_that_is_away_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("PARK_DATABASE_URL", f"postgresql://park:secret@/park?host={tmp_path}")
    bootstrap.make_home(tmp_path / "home", now_real_s=0.0, is_bare=True)
    with pytest.raises(Unavailable) as caught:
        bootstrap.prepare(tmp_path / "home", patience_s=0.2)
    assert caught.value.code == "database_missing" and "secret" not in caught.value.line()
