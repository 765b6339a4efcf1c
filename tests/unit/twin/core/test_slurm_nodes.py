"""Machines, lists of hosts and times out of service as Slurm prints them."""

from __future__ import annotations

import math
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.slurm_nodes import events_of, flags_of, hosts_of, nodes_of

NODES = """\
NodeName=node1 Arch=x86_64 CoresPerSocket=16
   CPUAlloc=1 CPUEfctv=30 CPUTot=32 CPULoad=1.65
   AvailableFeatures=nvlink,fast
   ActiveFeatures=nvlink
   Gres=gpu:h100:4(S:0-1)
   NodeAddr=127.0.0.1 NodeHostName=vm Version=22.05.8
   OS=Linux 6.1 #1 SMP State=UNREAL
   RealMemory=64000 AllocMem=1024 FreeMem=17088 Sockets=1 Boards=1
   State=MIXED ThreadsPerCore=1 TmpDisk=0 Weight=1 Owner=N/A MCS_label=N/A
   Partitions=gpu,long
   CfgTRES=cpu=32,mem=62.50G,billing=16,gres/gpu=4,gres/gpu:h100=4

NodeName=node2 CPUTot=64 Gres=gpu:a100:2,gpu:v100:1,shard:32 RealMemory=128000 State=DOWN*+DRAIN Partitions=gpu \
Reason=State=IDLE Gres=none [root@2026-11-01T00:00:00]

NodeName=node3 CPUTot=8 Gres=(null) RealMemory=16000 State=IDLE+POWERED_DOWN Partitions=(null)
NodeName=node4 CPUTot=8 Gres=gpu:8 RealMemory=16000 State=IDLE+MAINT Partitions=gpu
"""


def test_machines() -> None:
    one, two, three, four = nodes_of(NODES)
    assert (one.name, one.n_gpus, one.gpu_type, one.n_cpus, one.mem_mib) == ("node1", 4, "h100", 30, 64_000)
    assert (one.features, one.partitions) == (("nvlink",), ("gpu", "long"))
    assert (two.n_gpus, two.gpu_type, two.n_cpus) == (3, "a100", 64)
    assert (three.n_gpus, three.gpu_type, three.partitions) == (0, "", ())
    assert (four.n_gpus, four.gpu_type) == (8, "")


def test_what_takes_no_jobs() -> None:
    assert [node.is_out for node in nodes_of(NODES)] == [False, True, False, True]
    assert flags_of("DOWN*+DRAIN") == {"DOWN", "NOT_RESPONDING", "DRAIN"}
    assert flags_of("IDLE$") == {"IDLE", "MAINT"}


def test_one_line_each_is_the_same() -> None:
    flat = "\n".join(" ".join(record.split()) for record in NODES.split("\n\n"))
    assert nodes_of(flat.replace(" NodeName=node4", "\nNodeName=node4")) == nodes_of(NODES)


def test_what_are_no_machines() -> None:
    with pytest.raises(BadInput, match="no output of 'scontrol show node'"):
        nodes_of("PARTITION AVAIL\n")
    with pytest.raises(BadInput, match="node1 stands there twice"):
        nodes_of(NODES + NODES)
    with pytest.raises(BadInput, match="no whole numbers"):
        nodes_of("NodeName=a CPUTot=four RealMemory=1")


def test_lists_of_hosts() -> None:
    assert hosts_of("a[01-03,7],b") == ("a01", "a02", "a03", "a7", "b")
    assert hosts_of("r[1-2]n[1-2]") == ("r1n1", "r1n2", "r2n1", "r2n2")
    assert hosts_of("None assigned") == hosts_of("") == ()
    long = "a" + "[1]" * 3000
    for text in ("a[1-", "a[x]", "a[1-9999999]", "a[\N{SUPERSCRIPT TWO}]", f"a[{'9' * 5000}]", long):
        with pytest.raises(BadInput):
            hosts_of(text)


def test_a_list_that_would_fill_the_memory_is_refused_before_it_is_written_out() -> None:
    tracemalloc.start()
    for text in ("a[0-99999][0-99999]", "a[" + ",".join(["0-99999"] * 99) + "]"):
        with pytest.raises(BadInput, match="too many"):
            hosts_of(text)
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most_bytes < 50e6


@given(st.lists(st.integers(0, 99), min_size=1, max_size=8, unique=True))
def test_lists_hold_each_number_once(numbers: list[int]) -> None:
    text = "n[" + ",".join(f"{number:02d}" for number in numbers) + "]"
    assert hosts_of(text) == tuple(f"n{number:02d}" for number in numbers)


def test_times_out_of_service() -> None:
    found = events_of(
        [
            "NodeName|TimeStart|TimeEnd|State|Reason\n",
            "|1000|2000||Cluster Registered TRES\n",
            "node1|1000|2000|DOWN*|not responding\n",
            "node2|1500|Unknown|DRAIN|fan | noisy\n",
            "node3|1500|1600|IDLE|\n",
        ]
    )
    assert [(one.node, one.start_s, one.end_s) for one in found] == [
        ("node1", 1000.0, 2000.0),
        ("node2", 1500.0, math.inf),
    ]
    assert found[1].reason == "fan | noisy"
    with pytest.raises(BadInput, match="no column NodeName"):
        events_of(["Cluster|Start"])
