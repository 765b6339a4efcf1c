"""A real park on PostgreSQL: several web processes, deciders that freeze, are killed and stand by; nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from tests.helpers import postgres
from tests.helpers.running_park import COMMAND, SMALL, RunningPark, environment, wait_for

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


@contextmanager
def staying(running: RunningPark, *words: str) -> Iterator[subprocess.Popen[str]]:
    """One more `park` command that stays until it is told to end."""
    command = (*COMMAND, *words, "--home", str(running.home))
    env = environment(running.home, **running.env)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30.0)
    assert process.returncode == 0


def test_work_goes_on_without_the_leader_and_its_pages(running: RunningPark, url: str) -> None:
    """Two more web processes and one that stands by, each by its command; then `park up` is killed with all it has."""
    lease, token = Lease(url), token_of(running)
    wait_for(lambda: lease.holder()[1] == running.pid("live"), "the park decides", 60.0)
    with staying(running, "web") as first, staying(running, "web") as second, staying(running, "standby"):
        one, other = (Park(_address(process), token) for process in (first, second))
        [log] = running.home.glob("logs/standby-*.log")
        wait_for(lambda: "stands by" in log.read_text(), "it stands by", 60.0)
        ids = {item["job_id"] for item in running.park.jobs()}
        assert {item["job_id"] for item in one.jobs()} == {item["job_id"] for item in other.jobs()} == ids
        begun = one.submit(["sh", "-c", "echo began; sleep 4; exit 3"], **SMALL).id
        running.says(begun, "began")
        was = lease.holder()
        assert all(running.kill(name) for name in ("live", "web", "parent"))
        after = wait_for(lambda: _submitted(other), "the other takes a submission", 30.0)
        assert one.wait(after, 60.0)["state"] == "finished"
        view = other.wait(begun, 60.0)
        assert (view["state"], view["exit_code"], view["attempt"]) == ("failed", 3, 1)
        assert lease.holder()[0] > was[0] and lease.holder()[1] != was[1]
        assert running.log(begun).count("began") == 1 and one.receipt(begun)["kwh"] > 0
        one.close()
        other.close()
    assert running.opened(lambda park: park.ledger.verify()) == []
    lease.close()


def _address(web: subprocess.Popen[str]) -> str:
    """Where it says that it serves, once it does."""
    assert web.stdout is not None
    return web.stdout.readline().split()[1].rstrip(".")


def _submitted(park: Park) -> str:
    try:
        return str(park.submit(["sh", "-c", "exit 0"], **SMALL, idempotency_key="without a leader").id)
    except ParkError:
        return ""
