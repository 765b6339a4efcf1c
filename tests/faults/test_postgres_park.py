"""A real park on PostgreSQL: several web processes, deciders that freeze, are killed and stand by; nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from tests.helpers import postgres
from tests.helpers.running_park import COMMAND, RunningPark, environment, wait_for

from eureka_park.client import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.live.process import process_start

pytestmark = pytest.mark.skipif(bool(postgres.missing()), reason=postgres.missing())


@pytest.fixture(scope="module")
def url(postgres_server: postgres.Server) -> Iterator[str]:
    with postgres_server.fresh(is_empty=True) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARK_DATABASE_URL", made)  # for looks into the home from this process
        yield made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, url: str) -> Iterator[RunningPark]:
    with RunningPark(tmp_path_factory.mktemp("park"), env={"PARK_DATABASE_URL": url}) as park:
        yield park


@contextmanager
def beside(running: RunningPark, *words: str, handles: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[bytes]]:
    """One more process of this park, as another machine would start it; its words go to `beside.log`."""
    env = environment(running.home, **running.env)
    with (running.home.parent / "beside.log").open("ab") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, pass_fds=handles)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Lease:
    """Who decides, read from the database."""

    def __init__(self, url: str) -> None:
        self._conn = psycopg.connect(url, autocommit=True)

    def holder(self) -> tuple[int, int]:
        """Token, and the pid in the holder's name."""
        token, name = self._conn.execute("SELECT token, holder FROM lease WHERE name = 'live'").fetchone() or (0, "")
        return token, int(name.split()[1])

    def let_run_out(self) -> None:
        """As if its time had passed."""
        self._conn.execute("UPDATE lease SET until_real_s = 0 WHERE name = 'live'")

    def is_writing(self) -> bool:
        """Whether a transaction is open."""
        query = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'"
        return bool((self._conn.execute(query).fetchone() or (0,))[0])

    def journal(self) -> list[tuple[int, int]]:
        """Sequence and token of every entry."""
        return self._conn.execute("SELECT seq, token FROM journal ORDER BY seq").fetchall()

    def close(self) -> None:
        self._conn.close()


def token_of(running: RunningPark) -> str:
    return str(json.loads((running.home / "run" / "client.json").read_text())["token"])


def freeze(pid: int, lease: Lease) -> None:
    """SIGSTOP between two writes: what is tested is a decider that sleeps, not a lock that it holds."""
    while True:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.05)
        if not lease.is_writing():
            return
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)


def test_deciders_follow_each_other_and_lose_nothing(running: RunningPark, url: str) -> None:
    lease = Lease(url)
    assert not list(running.home.glob("park.sqlite3*"))
    long = running.sh("echo began; sleep 14; exit 4", time="10m")
    running.says(long, "began")
    first_token, first_pid = lease.holder()
    assert first_pid == running.pid("live")
    live_words = (*COMMAND, "serve-live", "--home", str(running.home), "--url", running.park.url)
    with beside(running, *live_words) as stand_by:
        log = running.home.parent / "beside.log"
        wait_for(lambda: "stands by" in log.read_text(), "the second decider stands by")
        freeze(first_pid, lease)
        lease.let_run_out()
        wait_for(lambda: lease.holder()[1] == stand_by.pid, "it takes the lease")
        quick = running.sh("exit 0")
        assert running.park.wait(quick, 30.0)["state"] == "finished"

        os.kill(first_pid, signal.SIGCONT)
        wait_for(lambda: process_start(first_pid) is None, "the stale decider ends")
        assert "The lease has gone to another process." in (running.home / "logs" / "live.log").read_text()
        wait_for(lambda: running.pid("live") not in (None, first_pid), "`park up` starts it again")
        stand_by.kill()
        stand_by.wait()
        wait_for(lambda: lease.holder()[1] == running.pid("live"), "the next takes the lease of a dead one at once")
    last = running.sh("exit 0")
    assert running.park.wait(last, 30.0)["state"] == "finished"
    view = running.park.wait(long, 60.0)
    assert (view["state"], view["exit_code"], view["attempt"]) == ("failed", 4, 1)
    assert running.log(long).count("began") == 1
    for job in (long, quick, last):
        assert running.park.receipt(job)["kwh"] > 0
    entries = lease.journal()
    assert [seq for seq, _ in entries] == list(range(1, len(entries) + 1))
    tokens = [token for _, token in entries]
    assert tokens == sorted(tokens) and tokens[0] == first_token and len(set(tokens)) >= 3
    assert running.opened(lambda park: park.ledger.verify()) == []
    lease.close()


def test_another_web_process_answers_like_the_first(running: RunningPark) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    handle = listener.fileno()
    words = (sys.executable, "-m", "eureka_park.web", "--home", str(running.home), "--fds", str(handle))
    with beside(running, *words, handles=(handle,)), listener:
        second = Park(f"http://127.0.0.1:{listener.getsockname()[1]}", token_of(running))
        wait_for(lambda: _answers(second), "the second web process answers", 90.0, 0.1)
        job: Any = second.submit(["sh", "-c", "echo seen; exit 0"], cpus=0.1, memory="64MiB", time="10m").id
        assert running.park.wait(job, 30.0)["state"] == "finished"
        assert second.wait(job, 30.0)["state"] == "finished"
        assert {item["job_id"] for item in second.jobs()} == {item["job_id"] for item in running.park.jobs()}
        second.close()


def _answers(park: Park) -> bool:
    try:
        return bool(park.jobs())
    except ParkError:
        return False


def test_the_park_outlives_a_cut_of_all_its_connections(running: RunningPark, url: str) -> None:
    before = running.sh("echo began; sleep 2; exit 0")
    running.says(before, "began")
    with psycopg.connect(url, autocommit=True) as conn:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        conn.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")

    def submitted() -> str:
        try:
            return running.sh("exit 0", idempotency_key="after the cut")
        except ParkError as error:  # the requests that meet the cut are told to come again
            assert error.code == "database_missing"
            return ""

    after = wait_for(submitted, "a submission is taken again", 60.0)
    assert [running.park.wait(job, 90.0)["state"] for job in (before, after)] == ["finished", "finished"]
    assert running.log(before).count("began") == 1
