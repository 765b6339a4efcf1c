"""The local engine's promises, at every level of isolation that this machine gives."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.engine_bench import LEVELS, MIB, Bench, is_living, numbers, open_bench, wait_for

from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.foundation.errors import Forbidden
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import Capability, Outcome, Phase, StagedFile
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.processes import descendants


@pytest.fixture(scope="module", params=LEVELS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = open_bench(tmp_path_factory.mktemp("home"), request.param)
    yield bench
    bench.engine.close()


@pytest.fixture
def own_bench(tmp_path: Path) -> Iterator[Bench]:
    """An engine of the test's own, at the best level of this machine, to be treated badly."""
    bench = open_bench(tmp_path, None)
    yield bench
    bench.engine.close()


# --- ends --------------------


def test_finishes_with_zero(bench: Bench) -> None:
    job = bench.start("sh", "-c", "echo hello; echo $PARK_JOB_ID >$PARK_OUTPUT_DIR/id")
    report = bench.end(job)
    assert (report.outcome, report.exit_code, report.exit_signal) == (Outcome.FINISHED, 0, None)
    assert report.sandbox_level == bench.level.word
    assert (
        report.started_at_s is not None and report.ended_at_s is not None and report.ended_at_s >= report.started_at_s
    )
    assert bench.log(job) == "hello\n"
    assert (bench.home / "jobs" / job / "out" / "id").read_text() == f"{job}\n"


def test_exit_code_is_kept(bench: Bench) -> None:
    report = bench.end(bench.start("sh", "-c", "exit 3"))
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 3)


def test_code_75_without_a_pause_is_a_failure(bench: Bench) -> None:
    report = bench.end(bench.start("sh", "-c", "exit 75"))
    assert (report.outcome, report.exit_code) == (Outcome.FAILED, 75)


def test_death_by_signal(bench: Bench) -> None:
    report = bench.end(bench.start("sh", "-c", "kill -SEGV $$"))
    assert (report.outcome, report.exit_code, report.exit_signal) == (Outcome.FAILED, None, int(signal.SIGSEGV))


def test_missing_command_says_so(bench: Bench) -> None:
    job = bench.start("no-such-program")
    assert bench.end(job).outcome == Outcome.FAILED
    assert "no-such-program" in bench.log(job) or "No such file" in bench.log(job)


def test_variables_and_folders(bench: Bench) -> None:
    code = (
        "import os; env = os.environ\n"
        "names = ('PARK_RESUME_COUNT', 'PARK_N_GPUS', 'OMP_NUM_THREADS', 'MINE', 'PARK_PROJECT')\n"
        "print(*(env[name] for name in names))\n"
        "for n in ('HOME', 'TMPDIR', 'PARK_CHECKPOINT_DIR', 'PARK_OUTPUT_DIR'): open(env[n] + '/x', 'w').close()\n"
        "print(os.path.basename(os.getcwd()), open('sub/a.txt').read())"
    )
    blob = bench.home / "blob"
    blob.write_text("text of a")
    files = (StagedFile("sub/a.txt", str(blob), 0o755),)
    job = bench.python(code, files=files, env={"MINE": "x y", "PARK_PROJECT": "other"}, n_cpus=2.0, resume_count=1)
    assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)
    assert bench.log(job) == "1 0 2 x y welcome\nwork text of a\n"
    laid = bench.home / "jobs" / job / "work" / "sub" / "a.txt"
    assert laid.stat().st_mtime == 946_684_800 and laid.stat().st_mode & 0o777 == 0o755 and blob.stat().st_nlink == 1
    manifest = json.loads((bench.home / "jobs" / job / "inputs.json").read_text())
    assert manifest["files"] == [{"path": "sub/a.txt", "size_bytes": 9}]


def test_processes_of_one_job_share_memory_and_locks(bench: Bench) -> None:
    job = bench.python("import multiprocessing as m\nwith m.Lock(): print(m.Value('i', 7).value)")
    assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)
    assert bench.log(job) == "7\n"


def test_a_second_attempt_keeps_work_and_appends_to_the_log(bench: Bench) -> None:
    blob = bench.home / "blob-2"
    blob.write_text("old")
    files = (StagedFile("a", str(blob)),)
    job = bench.start("sh", "-c", "cat a; echo; echo new >a; kill -9 $$", files=files)
    bench.end(job)
    bench.start("cat", "a", job=job, attempt=2, files=files)
    assert bench.end(job, attempt=2).outcome == Outcome.FINISHED
    assert bench.log(job) == "old\nnew\n"


def test_a_path_that_leaves_the_folder_fails_the_job(bench: Bench) -> None:
    blob = bench.home / "blob-3"
    blob.write_text("x")
    report = bench.end(bench.start("true", files=(StagedFile("../../evil", str(blob)),)))
    assert report.outcome == Outcome.FAILED and "outside" in report.detail
    assert not (bench.home / "jobs" / "evil").exists()


def test_cpu_time_is_counted(bench: Bench) -> None:
    job = bench.python(
        "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ntime.sleep(0.3)"
    )
    bench.says(job, "burnt")
    during_s = bench.cpu_s(job)
    report = bench.end(job)
    assert 0.25 < during_s < 2.0
    assert 0.3 <= report.cpu_s < 2.0
    assert bench.cpu_s(job) >= during_s
    assert report.memory_bytes_max > MIB


# --- cancel, pause, freeze --------------------


def test_cancel_ends_it_within_the_grace(bench: Bench) -> None:
    job = bench.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
    bench.says(job, "up")
    begin_s = time.monotonic()
    for _ in range(2):
        bench.engine.cancel(job, 1, 0.3)
    report = bench.end(job)
    assert report.outcome == Outcome.CANCELLED and 0.25 < time.monotonic() - begin_s < 5


def test_cancel_before_anything_started(own_bench: Bench) -> None:
    job = JobId("job-early")
    own_bench.engine.cancel(job, 1, 0.0)
    own_bench.start("sh", "-c", "echo never", job=job)
    report = own_bench.end(job)
    assert report.outcome == Outcome.CANCELLED and own_bench.log(job) == ""


CHECKPOINTING = """
import os, signal, sys, time
path = os.environ['PARK_CHECKPOINT_DIR'] + '/step'
step = int(open(path).read()) if os.path.exists(path) else 0
def stop(*_):
    open(path, 'w').write(str(step))
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
print('from', step, 'count', os.environ['PARK_RESUME_COUNT'], flush=True)
while step < 1000:
    time.sleep(0.001); step += 1
"""


def test_pause_with_a_checkpoint_and_resume(bench: Bench) -> None:
    job = bench.python(CHECKPOINTING, checkpoint=True)
    bench.says(job, "from 0")
    time.sleep(0.1)
    bench.engine.suspend(job, 1, "checkpoint", 10.0)
    report = bench.end(job)
    assert (report.outcome, report.exit_code) == (Outcome.PAUSED, 75)
    bench.python(CHECKPOINTING, checkpoint=True, job=job, attempt=2, resume_count=1)
    assert bench.end(job, attempt=2).outcome == Outcome.FINISHED
    again = bench.log(job).splitlines()[1].split()
    assert int(again[1]) > 0 and again[3] == "1"


def test_pause_by_kill_counts_as_paused(bench: Bench) -> None:
    job = bench.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done")
    bench.says(job, "up")
    bench.engine.suspend(job, 1, "checkpoint", 0.2)
    report = bench.end(job)
    assert (report.outcome, report.exit_signal) == (Outcome.PAUSED, int(signal.SIGKILL))


def test_pause_of_a_plain_command(bench: Bench) -> None:
    job = bench.start("sleep", "60")
    bench.until(job, Phase.RUNNING)
    bench.engine.suspend(job, 1, "checkpoint", 10.0)
    report = bench.end(job)
    assert (report.outcome, report.exit_signal) == (Outcome.PAUSED, int(signal.SIGTERM))


def test_a_finish_during_a_pause_is_a_finish(bench: Bench) -> None:
    job = bench.start("sh", "-c", "trap 'sleep 0.2; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    bench.says(job, "up")
    bench.engine.suspend(job, 1, "checkpoint", 10.0)
    bench.until(job, Phase.PAUSING, Phase.EXITED)
    assert bench.end(job).outcome == Outcome.FINISHED


def test_freezing_stops_the_cpu_and_thawing_goes_on(bench: Bench) -> None:
    assert Capability.FREEZE in bench.engine.capabilities()
    job = bench.python(
        "import os, time\nos.fork()\nprint('up', flush=True)\n"
        "end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    )
    bench.says(job, "up")
    bench.engine.suspend(job, 1, "freeze", 0.0)
    bench.until(job, Phase.FROZEN)
    before_s = bench.cpu_s(job)
    time.sleep(0.4)
    assert bench.cpu_s(job) - before_s <= 0.02
    assert bench.report(job).phase == Phase.FROZEN  # type: ignore[union-attr]
    bench.engine.resume(job, 1)
    assert bench.end(job).outcome == Outcome.FINISHED


def test_a_frozen_job_can_be_cancelled(bench: Bench) -> None:
    job = bench.start("sh", "-c", "echo up; while :; do :; done")
    bench.says(job, "up")
    bench.engine.suspend(job, 1, "freeze", 0.0)
    bench.until(job, Phase.FROZEN)
    bench.engine.cancel(job, 1, 5.0)
    assert bench.end(job).outcome == Outcome.CANCELLED


def test_a_cap_slows_it_down(bench: Bench) -> None:
    if Capability.CAP not in bench.engine.capabilities():
        pytest.skip("nothing enforces a cap at this level")
    job = bench.start("sh", "-c", "echo up; while :; do :; done")
    bench.says(job, "up")
    bench.engine.set_cap(job, 1, 0.1)
    time.sleep(0.3)
    begin_s, before_s = time.monotonic(), bench.cpu_s(job)
    time.sleep(0.6)
    assert (bench.cpu_s(job) - before_s) / (time.monotonic() - begin_s) < 0.3
    bench.engine.cancel(job, 1, 0.0)
    bench.end(job)


# --- walls --------------------


def test_memory_beyond_the_limit_is_refused(bench: Bench) -> None:
    job = bench.python("x = bytearray(300 * 1024**2)\nprint(len(x))", memory_bytes=96 * MIB)
    report = bench.end(job)
    assert report.outcome == Outcome.FAILED
    if Capability.MEMORY_LIMIT in bench.engine.capabilities():
        assert "memory" in report.detail
    else:
        assert "MemoryError" in bench.log(job)


def test_files_of_the_machine_stay_hidden(bench: Bench, tmp_path: Path) -> None:
    if bench.level < Level.LANDLOCK:
        pytest.skip("the level none hides no files")
    secret = tmp_path / "secret"
    secret.write_text("secret words")
    own = bench.home / "jobs"
    job = bench.start(
        "sh", "-c", f"cat {secret}; cat /etc/shadow; ls {own}; echo x >{tmp_path}/made; echo x >/usr/made; true"
    )
    assert bench.end(job).outcome == Outcome.FINISHED
    log = bench.log(job)
    assert "secret words" not in log and "root:" not in log and job not in log
    assert not (tmp_path / "made").exists() and not Path("/usr/made").exists()


def test_only_the_jobs_own_folders_are_writable(bench: Bench) -> None:
    if bench.level < Level.CONTAINER:
        pytest.skip("below a container the machine's own folders are seen")
    job = bench.start("sh", "-c", "for f in / /job /etc /usr /job/env; do echo x >$f/made && echo wrote $f; done; true")
    assert bench.end(job).outcome == Outcome.FINISHED
    assert "wrote" not in bench.log(job)


def test_local_services_stay_out_of_reach(bench: Bench) -> None:
    if bench.level < Level.LANDLOCK:
        pytest.skip("the level none cuts no network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        job = bench.python(f"import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('reached')")
        assert bench.end(job).outcome == Outcome.FAILED
    assert "reached" not in bench.log(job)


def test_no_privileges_inside(bench: Bench) -> None:
    if bench.level < Level.LANDLOCK:
        pytest.skip("the level none keeps the park's own user")
    job = bench.start("sh", "-c", "grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status; id -u")
    bench.end(job)
    words = bench.log(job).split()
    assert words[1].strip("0") == "" and words[5] == "1"
    if os.geteuid() == 0:
        assert words[3].strip("0") == ""
    if bench.level >= Level.CONTAINER:
        assert int(words[6]) != 0


def test_loader_variables_of_a_job_never_reach_the_sandbox_maker(bench: Bench) -> None:
    """LD_PRELOAD of a library that does not exist makes the loader complain in whichever program gets it."""
    job = bench.start("/bin/true", env={"LD_PRELOAD": "/no-such-library.so"})
    assert bench.end(job).outcome == Outcome.FINISHED
    n_complaints = bench.log(job).count("no-such-library")
    assert n_complaints <= 1  # the command itself, and nothing before it


def test_untrusted_orders_need_a_container(bench: Bench) -> None:
    if bench.level >= Level.CONTAINER:
        assert bench.end(bench.start("true", is_trusted=False)).outcome == Outcome.FINISHED
        return
    with pytest.raises(Forbidden) as caught:
        bench.start("true", is_trusted=False)
    assert caught.value.code == "sandbox_too_weak" and caught.value.fix


# --- faults --------------------


def test_a_repeated_order_runs_once(bench: Bench) -> None:
    job = JobId(f"job-{next(numbers)}")
    for _ in range(5):
        bench.start("sh", "-c", "echo ran; sleep 0.2", job=job)
    bench.end(job)
    bench.start("sh", "-c", "echo ran", job=job)
    time.sleep(0.2)
    assert bench.log(job) == "ran\n"


def test_a_killed_supervisor_takes_the_job_along(bench: Bench) -> None:
    job = bench.start("sh", "-c", "sleep 300 & echo up; sleep 300")
    bench.says(job, "up")
    supervisor = bench.supervisor(job)
    inside = descendants(supervisor)
    assert inside
    os.kill(supervisor, signal.SIGKILL)
    report = bench.until(job, Phase.LOST)
    assert report.detail and report.outcome is None
    wait_for(lambda: not any(is_living(pid) for pid in inside), "the job's processes to be gone")
    assert bench.report(job).phase == Phase.LOST  # type: ignore[union-attr]


def test_nothing_is_left_behind(bench: Bench) -> None:
    job = bench.start("sh", "-c", "(trap '' TERM HUP; sleep 300) & echo $!; exit 0")
    bench.end(job)
    wait_for(lambda: not is_living(bench.supervisor(job)), "the supervisor's end")
    place = bench.engine.sandbox.place
    if place:
        wait_for(lambda: f"{job}.1" not in place.names(), "the control group's end")
    if bench.level < Level.CONTAINER:
        assert not is_living(int(bench.log(job)))


def test_the_log_is_readable_while_it_runs_and_afterwards(bench: Bench) -> None:
    job = bench.start("sh", "-c", "echo one; echo two >&2; sleep 0.3; echo three")
    bench.says(job, "two")
    bench.end(job)
    assert bench.log(job) == "one\ntwo\nthree\n"


def test_a_new_engine_finds_running_jobs_and_their_true_ends(own_bench: Bench) -> None:
    running = own_bench.start("sh", "-c", "echo up; until [ -e $TMPDIR/go ]; do sleep 0.05; done; exit 7")
    short = own_bench.start("sh", "-c", "echo up; sleep 0.2; exit 5")
    own_bench.says(running, "up")
    own_bench.says(short, "up")
    own_bench.engine.close()
    time.sleep(0.3)
    again = Bench(LocalEngine(own_bench.home))
    try:
        assert again.report(running).phase == Phase.RUNNING  # type: ignore[union-attr]
        assert again.end(short).exit_code == 5
        (own_bench.home / "jobs" / running / "tmp" / "go").touch()
        assert again.end(running).exit_code == 7
        assert again.end(again.start("true")).outcome == Outcome.FINISHED
    finally:
        again.engine.close()


def test_a_killed_nursery_is_replaced(own_bench: Bench) -> None:
    before = own_bench.start("sh", "-c", "echo up; sleep 0.5; exit 4")
    own_bench.says(before, "up")
    nursery = own_bench.engine._nursery
    assert nursery is not None
    nursery.kill()
    nursery.wait()
    after = own_bench.start("true")
    assert own_bench.end(after).outcome == Outcome.FINISHED
    assert own_bench.end(before).exit_code == 4


def test_an_order_swallowed_by_a_dying_nursery_is_sent_again(own_bench: Bench) -> None:
    nursery = own_bench.engine._nursery
    assert nursery is not None
    os.kill(nursery.pid, signal.SIGSTOP)
    job = own_bench.start("true")
    nursery.kill()
    nursery.wait()
    assert own_bench.end(job).outcome == Outcome.FINISHED


def test_sweep_removes_what_a_dead_supervisor_left(own_bench: Bench) -> None:
    place = own_bench.engine.sandbox.place
    if not place:
        pytest.skip("there are no control groups at this level")
    job = own_bench.start("sh", "-c", "echo up; sleep 300")
    own_bench.says(job, "up")
    own_bench.engine.close()
    os.kill(own_bench.supervisor(job), signal.SIGKILL)
    wait_for(lambda: not is_living(own_bench.supervisor(job)), "the supervisor's end")
    again = LocalEngine(own_bench.home)
    again.close()
    assert f"{job}.1" not in place.names()
    assert own_bench.report(job).phase == Phase.LOST  # type: ignore[union-attr]


def test_the_park_is_woken(own_bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        folder = os.open(own_bench.home / "run", os.O_RDONLY)
        bell.bind(f"/proc/self/fd/{folder}/live.sock")
        os.close(folder)
        bell.settimeout(10)
        own_bench.start("true")
        assert bell.recv(100) == b"engine"


# --- environments --------------------


def test_a_wheel_from_the_index(bench: Bench) -> None:
    job = bench.python(
        "import idna, sys; print(idna.encode('a.b'), sys.prefix)", dependencies=("idna>=3",), memory_bytes=512 * MIB
    )
    report = bench.until(job, Phase.EXITED, wait_s=120)
    if report.outcome == Outcome.FAILED and "environment could not be made" in report.detail:
        pytest.skip(f"the package index is not reachable here: {report.detail[:200]}")
    assert report.outcome == Outcome.FINISHED, bench.log(job)
    assert "b'a.b'" in bench.log(job) and sys.prefix not in bench.log(job)
    begin_s = time.monotonic()
    bench.end(bench.python("import idna; open(idna.__file__, 'w')", dependencies=("idna>=3",)))
    assert time.monotonic() - begin_s < 5
    assert bench.end(bench.python("import idna", dependencies=("idna>=3",))).outcome == Outcome.FINISHED


def test_an_environment_that_cannot_be_made_says_why(
    own_bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    bench = open_bench(tmp_path / "other", None)
    try:
        job = bench.python("print(1)", dependencies=("no-such-package-of-ours==1",))
        report = bench.end(job)
        assert report.outcome == Outcome.FAILED and report.exit_code is None
        assert "no-such-package-of-ours" in report.detail and "\n" not in report.detail
        assert "no-such-package-of-ours" in bench.log(job)
    finally:
        bench.engine.close()


def test_cancel_while_the_environment_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        bench = open_bench(tmp_path, None)
        try:
            job = bench.python("print(1)", dependencies=("no-such-package-of-ours",))
            bench.until(job, Phase.PREPARING)
            wait_for(lambda: bool(descendants(bench.supervisor(job))), "uv to run")
            bench.engine.cancel(job, 1, 0.0)
            report = bench.end(job)
            assert report.outcome == Outcome.CANCELLED and report.started_at_s is None and bench.log(job) == ""
        finally:
            bench.engine.close()


def test_a_python_that_is_not_here_says_why(own_bench: Bench) -> None:
    report = own_bench.end(own_bench.python("print(1)", requires_python=">=4"))
    assert report.outcome == Outcome.FAILED and "Python >=4" in report.detail
