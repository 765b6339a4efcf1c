"""A real Slurm with its accounting, looked at: the forms that are read are those that it prints."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.slurm_cluster import SlurmCluster, missing

from eureka_park.twin.core.sacct import FIELDS, SlurmJob
from eureka_park.twin.core.slurm_nodes import nodes_of
from eureka_park.twin.core.slurm_power import PowerModel
from eureka_park.twin.observe import ObserveRequest, observe
from eureka_park.twin.slurm_files import Counts, SlurmSource, read_jobs

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing() or "a Slurm can be started here")
JOBS: dict[str, tuple[str, ...]] = {  # by job id, in the order of submission
    "1": ("--gres=gpu:h100:4", "-c4", "-t10", "--mem=4G", "--wrap", "sleep 3"),
    "2": ("--gres=gpu:2", "-c2", "-t1:00", "--mem-per-cpu=1G", "-J", "a|b", "--wrap", "srun sleep 1"),
    "3": ("--array=0-3%2", "--gres=gpu:1", "-c1", "--mem=1G", "--wrap", "sleep 1"),
    "4": ("-dafterok:1", "--mem=100", "--wrap", "true"),
    "5": ("-t0-23:03:04", "--mem=1G", "-c1", "--wrap", "exit 3"),
    "6": ("--begin=now+1hour", "--mem=1G", "--wrap", "true"),
    "7": ("--gres=gpu:1", "--mem=1G", "-c1", "--wrap", "sleep 300"),
    "8": ("--mem=1G", "-c1", "--wrap", "sleep 300"),
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    """A cluster on which jobs have run: finished, failed, cancelled, run again, still running, waiting."""
    here = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    try:
        here.start()
        for words in JOBS.values():
            here.run("sbatch", "-o", "/dev/null", "-A", "physics", *words)
        _until(here, "7", "RUNNING")
        here.run("scancel", "8")
        here.run("scontrol", "requeue", "7")
        here.run("scontrol", "update", "NodeName=node1", "State=DRAIN", "Reason=fan | noisy")
        time.sleep(1.2)  # an outage within one second is none in the accounting
        here.run("scontrol", "update", "NodeName=node1", "State=RESUME")
        for job in ("3_0", "3_1", "3_2", "3_3"):
            _until(here, job, "COMPLETED")
        _until(here, "5", "FAILED")
        _until(here, "8", "CANCELLED")
        yield here
    finally:
        here.stop()


def _until(cluster: SlurmCluster, job: str, state: str, within_s: float = 60.0) -> None:
    end_s = time.monotonic() + within_s
    while state not in cluster.run("sacct", "-n", "-X", "-P", "-a", "-S", "now-1hour", "-o", "State", "-j", job):
        assert time.monotonic() < end_s, cluster.run("squeue") + cluster.logs()
        time.sleep(0.3)


@pytest.fixture
def here(cluster: SlurmCluster, monkeypatch: pytest.MonkeyPatch) -> SlurmSource:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    return SlurmSource(days=1.0)


def _jobs(source: SlurmSource) -> dict[str, SlurmJob]:
    counts = Counts()
    found = {job.job_id: job for job in read_jobs(source, counts)}
    assert counts.n_wrong == 0, counts.first_wrong
    return found


def test_every_field_is_one_of_this_slurm(cluster: SlurmCluster) -> None:
    known = cluster.run("sacct", "--helpformat").split()
    assert set(FIELDS) <= set(known)


def test_jobs_are_read_as_they_ran(here: SlurmSource) -> None:
    jobs = _jobs(here)
    assert {"1", "2", "3_0", "3_1", "3_2", "3_3", "4", "5", "7", "8"} <= set(jobs)
    first, second = jobs["1"], jobs["2"]
    assert (first.state, first.n_gpus, first.gpu_type, first.asked_type, first.n_cpus) == (
        "COMPLETED", 4, "h100", "h100", 4,
    )  # fmt: skip
    assert (first.mem_mib, first.limit_s, first.node_list, first.account) == (4096.0, 600.0, "node1", "physics")
    assert 2.0 <= first.elapsed_s <= 10.0
    assert (second.name, second.asked_type, second.gpu_type, second.mem_mib) == ("a|b", "", "h100", 2048.0)
    assert second.start_s >= first.end_s > second.submit_s  # all four GPUs were held
    assert (jobs["4"].reason, jobs["4"].eligible_s >= first.end_s) == ("Dependency", True)
    assert (jobs["5"].state, jobs["5"].limit_s) == ("FAILED", 23 * 3600.0 + 4 * 60.0)  # up to whole minutes
    assert {jobs[f"3_{task}"].state for task in range(4)} == {"COMPLETED"}
    assert jobs["3_3"].reason == "JobArrayTaskLimit"
    assert jobs["7"].state in {"REQUEUED", "PENDING"}
    assert jobs["8"].state == "CANCELLED"


def test_machines_and_outages_are_read(here: SlurmSource, cluster: SlurmCluster) -> None:
    (node,) = here.machines()
    assert (node.name, node.n_gpus, node.gpu_type, node.n_cpus, node.mem_mib) == ("node1", 4, "h100", 16, 64_000)
    assert (node.partitions, node.features, node.is_out) == (("gpu",), ("nvlink",), False)
    assert nodes_of(cluster.run("scontrol", "show", "node"))[0].name == "node1"
    outs = here.outs()
    assert [(one.node, "fan" in one.reason) for one in outs if "DRAIN" in one.state] == [("node1", True)]


def test_a_record_printed_to_files_tells_the_same(here: SlurmSource, cluster: SlurmCluster, tmp_path: Path) -> None:
    (tmp_path / "jobs.txt").write_text("".join(here.lines()))
    (tmp_path / "nodes.txt").write_text(cluster.run("scontrol", "show", "node"))
    printed = SlurmSource(tmp_path / "jobs.txt", tmp_path / "nodes.txt", days=1.0)
    assert set(_jobs(printed)) == set(_jobs(here))
    found = observe(ObserveRequest(printed, PowerModel(gco2_per_kwh=100.0), 0.0))
    assert found["machines"]["by_kind"] == {"h100": {"n_nodes": 1, "n_gpus": 4}}
    assert found["energy"]["gpu_h"] > 0.0


def test_the_command_looks_at_the_cluster_and_writes_nothing_there(cluster: SlurmCluster, tmp_path: Path) -> None:
    park = (sys.executable, "-m", "eureka_park.cli")
    environment = {**cluster.environment, "PARK_LANG": "en"}
    done = subprocess.run(
        (*park, "observe", "slurm", "--days", "1", "--json", "--out", str(tmp_path / "look")),
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["source"] == "sacct"
    assert found["jobs"]["by_state"]["COMPLETED"] == 7
    assert "<svg" in (tmp_path / "look" / "index.html").read_text()
