"""Gangs on the local engine, at every level of isolation that this machine gives: the parts, their ends, and fewer of
them after a checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.helpers.engine_bench import LEVELS, Bench, is_living, open_bench, wait_for

from eureka_park.adapters.engines.local.engine import LANDLOCK_TCP_ABI
from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.wire.engine import Capability, GangPart, Outcome, Phase, StartOrder
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.processes import descendants


@pytest.fixture(scope="module", params=LEVELS)
def any_bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = open_bench(tmp_path_factory.mktemp("home"), request.param)
    yield bench
    bench.engine.close()


@pytest.fixture
def bench(any_bench: Bench) -> Bench:
    if Capability.GANG not in any_bench.engine.capabilities():
        pytest.skip(f"at the level {any_bench.level.word} parts cannot reach each other, and gangs are refused")
    return any_bench


def parts(n: int, n_gpus: int = 0) -> tuple[GangPart, ...]:
    return tuple(GangPart(f"rack-{at}", tuple(range(at * n_gpus, (at + 1) * n_gpus))) for at in range(n))


def said(bench: Bench, job: JobId) -> list[str]:
    """Lines of the log in order of their text: parts write in no order."""
    return sorted(bench.log(job).splitlines())


TELLS = """
import json, os
names = ('RANK', 'NODE_RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'PARK_NODE', 'PARK_NODES', 'PARK_N_NODES', 'PARK_N_GPUS',
         'OMP_NUM_THREADS', 'MINE', 'MASTER_ADDR')
os.write(1, (json.dumps([os.environ[name] for name in names]) + chr(10)).encode())
"""


def test_each_part_knows_its_place_and_the_others(bench: Bench) -> None:
    job = bench.python(TELLS, parts=parts(3, 2), gpu_indices=tuple(range(6)), n_cpus=2.0, env={"MINE": "x"})
    assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)
    assert [json.loads(line) for line in said(bench, job)] == [
        [f"{at}", f"{at}", "3", "0", f"rack-{at}", "rack-0,rack-1,rack-2", "3", "2", "2", "x", "127.0.0.1"]
        for at in range(3)
    ]


def test_each_part_sees_its_own_gpus(bench: Bench) -> None:
    code = "import os; os.write(1, (os.environ['CUDA_VISIBLE_DEVICES'] + chr(10)).encode())"
    job = bench.python(code, parts=parts(2, 2), gpu_indices=(0, 1, 2, 3))
    assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)
    seen = [line.split(",") for line in said(bench, job)]
    assert [len(line) for line in seen] == [2, 2] and len({one for line in seen for one in line}) == 4


MEETS = """
import os, socket, sys
rank, n = int(os.environ['RANK']), int(os.environ['WORLD_SIZE'])
place = (os.environ['MASTER_ADDR'], int(os.environ['MASTER_PORT']))
if rank == 0:
    with socket.create_server(place) as server:
        lines = [server.accept()[0] for _ in range(n - 1)]
    total = sum(int(line.recv(16)) for line in lines)
    for line in lines:
        line.send(str(total).encode())
else:
    import time
    for _ in range(200):
        try:
            line = socket.create_connection(place, 5)
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
    line.send(str(10 ** rank).encode())
    total = int(line.recv(16))
os.write(1, f'{rank} {total}\\n'.encode())
"""


def test_parts_meet_at_the_address_that_they_are_told(bench: Bench) -> None:
    both = [bench.python(MEETS, parts=parts(3)) for _ in range(2)]  # two gangs at once, each among itself
    for job in both:
        assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)
        assert said(bench, job) == ["0 110", "1 110", "2 110"]


def test_parts_share_the_files_of_the_job(bench: Bench) -> None:
    code = (
        "import os, time\nout = os.environ['PARK_OUTPUT_DIR'] + '/'\nopen(out + os.environ['RANK'], 'w').close()\n"
        "end = time.monotonic() + 10\nwhile len(os.listdir(out)) < 2 and time.monotonic() < end: time.sleep(0.02)\n"
        "raise SystemExit(len(os.listdir(out)) != 2)"
    )
    job = bench.python(code, parts=parts(2))
    assert bench.end(job).outcome == Outcome.FINISHED, bench.log(job)


# --- ends --------------------


def test_it_ends_when_all_parts_have_ended(bench: Bench) -> None:
    job = bench.start("sh", "-c", '[ "$RANK" = 0 ] || { sleep 0.4; echo late; }', parts=parts(2))
    assert bench.end(job).outcome == Outcome.FINISHED
    assert bench.log(job) == "late\n"


@pytest.mark.parametrize(
    ("how", "code", "number"), [("exit 3", 3, None), ("kill -SEGV $$", None, 11), ("exit 75", 75, None)]
)
def test_it_fails_when_one_part_fails_and_the_others_are_stopped(
    bench: Bench, how: str, code: int | None, number: int | None
) -> None:
    job = bench.start("sh", "-c", f'[ "$RANK" = 1 ] && {{ sleep 0.2; {how}; }}; exec sleep 300', parts=parts(3))
    report = bench.end(job)
    assert (report.outcome, report.exit_code, report.exit_signal) == (Outcome.FAILED, code, number)
    assert "part 1 of 3, on rack-1, ended" in bench.log(job)


def test_a_command_that_is_not_there_fails_the_gang(bench: Bench) -> None:
    job = bench.start("no-such-program", parts=parts(2))
    assert bench.end(job).outcome == Outcome.FAILED and "no-such-program" in bench.log(job)


def test_cancel_ends_every_part_within_the_grace(bench: Bench) -> None:
    job = bench.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done", parts=parts(3))
    wait_for(lambda: bench.log(job).count("up") == 3, "all parts")
    inside = descendants(bench.supervisor(job))
    bench.engine.cancel(job, 1, 0.3)
    assert bench.end(job).outcome == Outcome.CANCELLED
    wait_for(lambda: not any(is_living(pid) for pid in inside), "the end of all processes")


def test_a_killed_supervisor_takes_all_parts_along(bench: Bench) -> None:
    job = bench.start("sh", "-c", "echo up; sleep 300", parts=parts(2))
    wait_for(lambda: bench.log(job).count("up") == 2, "all parts")
    inside = descendants(bench.supervisor(job))
    os.kill(bench.supervisor(job), signal.SIGKILL)
    assert bench.until(job, Phase.LOST).outcome is None
    wait_for(lambda: not any(is_living(pid) for pid in inside), "the end of all processes")


# --- as a whole --------------------


def test_freezing_stops_all_parts(bench: Bench) -> None:
    job = bench.start("sh", "-c", "echo up; while :; do :; done", parts=parts(2))
    wait_for(lambda: bench.log(job).count("up") == 2, "all parts")
    bench.engine.suspend(job, 1, "freeze", 0.0)
    bench.until(job, Phase.FROZEN)
    before_s = bench.cpu_s(job)
    time.sleep(0.4)
    assert bench.cpu_s(job) - before_s <= 0.02
    bench.engine.resume(job, 1)
    wait_for(lambda: bench.cpu_s(job) > before_s + 0.1, "its CPUs")
    bench.engine.cancel(job, 1, 0.0)
    bench.end(job)


def test_a_cap_holds_for_all_parts_together(bench: Bench) -> None:
    if Capability.CAP not in bench.engine.capabilities():
        pytest.skip("nothing enforces a cap at this level")
    job = bench.start("sh", "-c", "echo up; while :; do :; done", parts=parts(2), n_cpus=0.5)
    wait_for(lambda: bench.log(job).count("up") == 2, "all parts")
    bench.engine.set_cap(job, 1, 0.2)
    time.sleep(0.3)
    begin_s, before_s = time.monotonic(), bench.cpu_s(job)
    time.sleep(0.6)
    assert (bench.cpu_s(job) - before_s) / (time.monotonic() - begin_s) < 0.4, "0.2 of two times half a CPU"
    bench.engine.cancel(job, 1, 0.0)
    bench.end(job)


CHECKPOINTING = """
import os, signal, sys, time
rank, folder = os.environ['RANK'], os.environ['PARK_CHECKPOINT_DIR']
path = folder + '/step'
step = int(open(path).read()) if os.path.exists(path) else 0
def stop(*_):
    if rank == '0':
        open(path + '.new', 'w').write(str(step))
        os.replace(path + '.new', path)
    sys.exit(75)
signal.signal(signal.SIGTERM, stop)
where = f"{rank} of {os.environ['WORLD_SIZE']} on {os.environ['PARK_NODE']}"
os.write(1, f"{where} from {step > 0} count {os.environ['PARK_RESUME_COUNT']}\\n".encode())
while step < 1000:
    time.sleep(0.001); step += 1
"""


def test_a_pause_asks_all_parts_and_fewer_go_on_from_the_checkpoint(bench: Bench) -> None:
    assert Capability.RESIZE in bench.engine.capabilities()
    job = bench.python(CHECKPOINTING, checkpoint=True, parts=parts(3))
    wait_for(lambda: bench.log(job).count("count 0") == 3, "all parts")
    time.sleep(0.1)
    bench.engine.suspend(job, 1, "checkpoint", 10.0)
    report = bench.end(job)
    assert (report.outcome, report.exit_code) == (Outcome.PAUSED, 75)
    bench.python(CHECKPOINTING, checkpoint=True, job=job, attempt=2, resume_count=1, parts=parts(2))
    assert bench.end(job, attempt=2).outcome == Outcome.FINISHED, bench.log(job)
    assert [line for line in said(bench, job) if "count 1" in line] == [
        "0 of 2 on rack-0 from True count 1",
        "1 of 2 on rack-1 from True count 1",
    ]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        ("exit 0", "exit 0", Outcome.FINISHED),
        ("exit 0", "exit 75", Outcome.PAUSED),
        ("exit 143", "exit 75", Outcome.PAUSED),
        ("exit 1", "exit 75", Outcome.PAUSED),
        ("exit 1", "exit 143", Outcome.FAILED),
    ],
)
def test_what_the_parts_say_after_a_request_to_pause(bench: Bench, first: str, second: str, outcome: Outcome) -> None:
    code = f"""[ "$RANK" = 0 ] && trap '{first}' TERM || trap '{second}' TERM; echo up; while :; do sleep 0.05; done"""
    job = bench.start("sh", "-c", code, parts=parts(2), checkpoint=True)
    wait_for(lambda: bench.log(job).count("up") == 2, "all parts")
    bench.engine.suspend(job, 1, "checkpoint", 10.0)
    assert bench.end(job).outcome == outcome, bench.log(job)


def test_a_gang_that_ignores_the_request_is_killed_and_counts_as_paused(bench: Bench) -> None:
    job = bench.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.05; done", parts=parts(2))
    wait_for(lambda: bench.log(job).count("up") == 2, "all parts")
    bench.engine.suspend(job, 1, "checkpoint", 0.2)
    assert bench.end(job).outcome == Outcome.PAUSED


# --- what it says of itself --------------------


def test_gangs_are_refused_where_parts_could_not_meet(any_bench: Bench) -> None:
    can = any_bench.engine.capabilities()
    cannot_meet = any_bench.level is Level.LANDLOCK and any_bench.engine.sandbox.tools.landlock_abi >= LANDLOCK_TCP_ABI
    assert (Capability.GANG in can) == (Capability.RESIZE in can) == (not cannot_meet)
    if not cannot_meet:
        return
    with pytest.raises(Unavailable) as caught:
        any_bench.start("true", parts=parts(2))
    assert caught.value.code == "engine_without_gangs" and caught.value.fix


def test_an_order_travels_as_json_and_one_of_before_gangs_is_read() -> None:
    settings: dict[str, Any] = {"env": {}, "files": (), "n_cpus": 1.0, "memory_bytes": 1}
    order = StartOrder(JobId("a"), 1, "p", ("true",), parts=parts(2, 1), gpu_indices=(0, 1), **settings)
    value = json.loads(json.dumps(order.to_json()))
    assert StartOrder.from_json(value) == order and order.n_parts == 2
    del value["parts"]
    assert StartOrder.from_json(value).n_parts == 1
