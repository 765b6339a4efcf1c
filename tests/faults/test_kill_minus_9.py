"""A real park whose processes are killed with -9: nothing is lost, run twice or told wrongly."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from tests.faults.kill_minus_9 import Storm, faults_in
from tests.helpers.running_park import RunningPark


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPark]:
    with RunningPark(tmp_path_factory.mktemp("park")) as park:
        yield park


def test_a_killed_supervisor_loses_its_job_alone(running: RunningPark) -> None:
    hit, other = running.sh("echo began; sleep 60"), running.sh("echo began; sleep 2; exit 5")
    running.says(hit, "began")
    running.says(other, "began")
    assert running.supervisor(hit).send(signal.SIGKILL)

    view = running.park.wait(hit, 20.0)
    assert view["state"] == "lost"
    assert view["exit_code"] is None
    assert "supervisor died without a last word" in view["detail"]
    assert "supervisor died" in running.park.why(hit)[0]["text"]
    assert running.park.receipt(hit)["kwh"] > 0
    assert running.ask("wait", hit).exit_code == 125

    unharmed = running.park.wait(other, 20.0)
    assert (unharmed["state"], unharmed["exit_code"], unharmed["attempt"]) == ("failed", 5, 1)


def test_a_killed_nursery_harms_no_job(running: RunningPark) -> None:
    before = running.sh("echo began; sleep 2; exit 6")
    running.says(before, "began")
    nursery = running.pid("nursery")
    assert running.kill("nursery")
    after = running.sh("echo began; exit 7")

    for job, code in ((before, 6), (after, 7)):
        view = running.park.wait(job, 20.0)
        assert (view["state"], view["exit_code"], view["attempt"]) == ("failed", code, 1)
        assert running.log(job).count("began") == 1
    assert running.pid("nursery") not in (None, nursery)


def test_a_cancel_is_not_forgotten_when_live_dies_under_it(running: RunningPark) -> None:
    job = running.sh("trap 'echo asked; exit 9' TERM; echo began; sleep 60 & wait")
    running.says(job, "began")
    assert running.kill("live")
    assert running.park.cancel(job)["job_id"] == job
    view = running.park.wait(job, 30.0)
    assert (view["state"], view["exit_code"], view["attempt"]) == ("cancelled", 9, 1)
    assert running.log(job).count("asked") == 1


def test_eight_kills_at_random_moments(running: RunningPark) -> None:
    summary = Storm(running, n_kills=8, seed=7, seconds=32.0, jobs_per_s=4.0).run()
    assert summary["moments_while_jobs_ran"] >= 4
    assert summary["jobs"] >= 8
    assert faults_in(summary) == {}
