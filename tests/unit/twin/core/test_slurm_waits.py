"""Why a job waited: small clusters in which the reason is plain."""

from __future__ import annotations

import math

import pytest

from eureka_park.twin.core.sacct import SlurmJob
from eureka_park.twin.core.slurm_nodes import OutOfService, SlurmNode
from eureka_park.twin.core.slurm_use import Use
from eureka_park.twin.core.slurm_waits import REASONS, Machines, Wait, spans_of

NAMES = ("n1", "n2")


def job(eligible_s: float = 1000.0, start_s: float = 5000.0, **more: object) -> SlurmJob:
    plain = {
        "job_id": "1", "user": "u", "account": "a", "partition": "gpu", "qos": "", "state": "COMPLETED",
        "submit_s": 1000.0, "eligible_s": eligible_s, "start_s": start_s, "end_s": 9000.0, "elapsed_s": 4000.0,
        "limit_s": math.inf, "n_nodes": 1, "n_cpus": 8, "n_gpus": 2, "gpu_type": "h100", "asked_type": "",
        "mem_mib": 1024.0, "reason": "None", "energy_j": 0.0, "node_list": "n1", "name": "",
    }  # fmt: skip
    return SlurmJob(**{**plain, **more})  # type: ignore[arg-type]


def wait(one: SlurmJob, *held: tuple[str, int, int, int], outs: tuple[OutOfService, ...] = ()) -> Wait:
    """The wait of a job while so much is held: machine, GPUs, CPUs, GiB. Two machines, each with 4, 32 and 64."""
    use = Use(0.0, 10_000.0, 30.0)
    for name in NAMES:
        use.place_of(name)
    for node, gpus, cpus, gib in held:
        use.add([node], 0.0, 10_000.0, gpus, cpus, gib)
    use.add_wait(one.eligible_s, one.start_s, one.n_gpus)
    use.close()
    nodes = [SlurmNode(name, 4, "h100", 32, 65_536, frozenset({"IDLE"}), (), ("gpu",)) for name in NAMES]
    return Machines(nodes, use, outs).wait_of(one, 10_000.0)


def test_too_few_gpus() -> None:
    found = wait(job(n_gpus=4), ("n1", 4, 8, 8), ("n2", 3, 8, 8))
    assert (found.main, found.queued_s) == ("no_free_gpu", 4000.0)
    assert (found.queued.numbers["free"], found.queued.numbers["asked"]) == (1, 4)
    assert 1000.0 <= found.queued.at_s < 5000.0


def test_enough_but_scattered() -> None:
    found = wait(job(n_gpus=3), ("n1", 2, 8, 8), ("n2", 2, 8, 8))
    numbers = found.queued.numbers
    assert (found.main, numbers["free"], numbers["most"], numbers["each"]) == ("fragmented", 4, 2, 3)
    assert wait(job(n_gpus=6, n_nodes=2), ("n1", 2, 8, 8)).main == "fragmented"


def test_gpus_without_cpus_or_memory_beside_them() -> None:
    assert wait(job(n_cpus=16), ("n1", 0, 30, 8), ("n2", 4, 0, 8)).main == "no_cpu_beside_gpu"
    assert wait(job(mem_mib=40_000.0), ("n1", 0, 2, 60), ("n2", 4, 0, 8)).main == "no_memory"


def test_room_was_there() -> None:
    found = wait(job())
    assert (found.main, found.queued.numbers["n_waiting"], found.queued.numbers["gpus_waiting"]) == ("order", 1, 2)
    assert wait(job(reason="QOSMaxGRESPerUser")).main == "limit"
    assert wait(job(reason="ReqNodeNotAvail")).main == "reserved"


def test_jobs_without_gpus_wait_for_cpus() -> None:
    found = wait(job(n_gpus=0, n_cpus=16), ("n1", 0, 30, 8), ("n2", 0, 25, 8))
    assert (found.main, found.queued.numbers["free"]) == ("no_free_cpu", 9)


def test_machines_out_of_service() -> None:
    out = OutOfService("n2", 0.0, math.inf, "DRAIN", "")
    found = wait(job(), ("n1", 4, 8, 8), outs=(out,))
    assert (found.main, found.queued.numbers["n_out"], found.queued.numbers["free"]) == ("out_of_service", 1, 0)
    assert wait(job(n_gpus=4), ("n1", 4, 8, 8), ("n2", 4, 8, 8), outs=(out,)).main == "no_free_gpu"


def test_another_partition_or_kind_has_no_machine() -> None:
    assert wait(job(partition="cpu")).main == "not_sampled"
    assert wait(job(asked_type="a100")).main == "not_sampled"
    assert wait(job(partition="cpu,gpu")).main == "order"


@pytest.mark.parametrize(
    ("reason", "found"),
    [("Dependency", "dependency"), ("BeginTime", "begin_time"), ("JobHeldUser", "held"),
     ("JobArrayTaskLimit", "array_limit"), ("None", "not_eligible")],
)  # fmt: skip
def test_before_it_was_eligible(reason: str, found: str) -> None:
    one = wait(job(eligible_s=4990.0, reason=reason))
    assert (one.main, one.before_s, one.queued_s, one.queued.reason) == (found, 3990.0, 10.0, "turn")


def test_who_has_not_started_has_waited_until_now() -> None:
    one = job(start_s=math.nan, end_s=math.nan, state="PENDING", eligible_s=math.nan)
    assert spans_of(one, 8000.0) == (1000.0, 8000.0, 8000.0)
    assert spans_of(job(start_s=math.nan, end_s=3000.0, state="CANCELLED"), 8000.0) == (1000.0, 1000.0, 3000.0)


def test_every_reason_has_its_words() -> None:
    from eureka_park.cli.observe_words import REASONS as WORDS

    assert set(WORDS) == set(REASONS)
