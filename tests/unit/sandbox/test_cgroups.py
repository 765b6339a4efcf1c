"""Control groups, on folders that only look like the kernel's: both versions, whatever this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.sandbox.box import Limits
from eureka_park.sandbox.cgroups import CONTROLLERS, Cgroup, CgroupPlace, find_place

V2 = "30 23 0:26 / {point} rw,nosuid - cgroup2 cgroup2 rw\n"


def self_folder(tmp_path: Path, mountinfo: str, cgroup: str) -> Path:
    folder = tmp_path / "self"
    folder.mkdir()
    (folder / "mountinfo").write_text(mountinfo)
    (folder / "cgroup").write_text(cgroup)
    return folder


def test_version_1_is_found_below_the_own_group(tmp_path: Path) -> None:
    lines = "".join(
        f"3{n} 25 0:{n} / /sys/fs/cgroup/{names} rw - cgroup cgroup rw,{names}\n"
        for n, names in enumerate(("cpu,cpuacct", "memory", "pids", "freezer"))
    )
    own = "9:cpu,cpuacct:/\n4:memory:/service/a\n3:pids:/\n2:freezer:/\n1:name=systemd:/x\n0::/\n"
    place = find_place("park", self_folder(tmp_path, lines, own))
    assert place.folders["memory"] == "/sys/fs/cgroup/memory/service/a/park"
    assert place.folders["cpu"] == place.folders["cpuacct"] == "/sys/fs/cgroup/cpu,cpuacct/park"
    assert set(place.folders) == set(CONTROLLERS)


def test_a_mount_that_shows_a_part_only(tmp_path: Path) -> None:
    lines = "".join(
        f"3{n} 25 0:{n} /docker/x /cg/{name} rw - cgroup cgroup rw,{name}\n" for n, name in enumerate(CONTROLLERS)
    )
    own = "".join(f"{n}:{name}:/docker/x/deep\n" for n, name in enumerate(CONTROLLERS, 1))
    assert find_place("park", self_folder(tmp_path, lines, own)).folders["pids"] == "/cg/pids/deep/park"


def test_version_2_delegated(tmp_path: Path) -> None:
    parent = tmp_path / "cg" / "park.service"
    parent.mkdir(parents=True)
    (parent / "cgroup.controllers").write_text("cpu io memory pids\n")
    (parent / "cgroup.subtree_control").write_text("")
    folder = self_folder(tmp_path, V2.format(point=tmp_path / "cg"), "0::/park.service\n")
    assert find_place("jobs", folder).folders == {"unified": f"{parent}/jobs"}


def test_version_2_without_controllers_says_which(tmp_path: Path) -> None:
    parent = tmp_path / "cg"
    parent.mkdir()
    (parent / "cgroup.controllers").write_text("hugetlb pids\n")
    with pytest.raises(OSError, match="cpu, memory"):
        find_place("jobs", self_folder(tmp_path, V2.format(point=parent), "0::/\n"))


def test_nothing_mounted(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no control groups"):
        find_place("jobs", self_folder(tmp_path, "1 2 0:1 / / rw - ext4 /dev/x rw\n", "0::/\n"))


def fake_v2(tmp_path: Path) -> Cgroup:
    group = CgroupPlace({"unified": str(tmp_path)}).group("job.1")
    group.make()
    group.make()
    for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max", "cgroup.freeze", "cgroup.procs"):
        (tmp_path / "job.1" / name).write_text("")
    return group


def test_version_2_limits_and_usage(tmp_path: Path) -> None:
    group = fake_v2(tmp_path)
    group.limit(Limits(memory_bytes=1000, n_cpus=1.5, n_processes=7))
    folder = tmp_path / "job.1"
    assert (folder / "memory.max").read_text() == "1000" and (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "cpu.max").read_text() == "150000 100000" and (folder / "pids.max").read_text() == "7"
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\n")
    (folder / "memory.peak").write_text("123\n")
    (folder / "memory.events").write_text("oom 1\noom_kill 2\n")
    (folder / "cgroup.events").write_text("populated 1\nfrozen 1\n")
    assert (group.cpu_s(), group.memory_bytes_max(), group.n_oom_kills()) == (2.5, 123, 2)
    assert group.freeze() and (folder / "cgroup.freeze").read_text() == "1"
    (folder / "cgroup.events").write_text("frozen 0\n")
    assert not group.freeze(wait_s=0.02)


def test_version_1_limits_and_usage(tmp_path: Path) -> None:
    folders = {name: str(tmp_path / name / "job") for name in CONTROLLERS}
    group = Cgroup(folders)
    group.make()
    for controller, name in (("memory", "memory.limit_in_bytes"), ("pids", "pids.max"), ("cpu", "cpu.cfs_quota_us")):
        (tmp_path / controller / "job" / name).write_text("")
    group.limit(Limits(memory_bytes=1000, n_cpus=0.001, n_processes=7))
    assert (tmp_path / "cpu" / "job" / "cpu.cfs_quota_us").read_text() == "1000"
    (tmp_path / "cpuacct" / "job" / "cpuacct.usage").write_text("1500000000\n")
    (tmp_path / "memory" / "job" / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n")
    assert (group.cpu_s(), group.memory_bytes_max(), group.n_oom_kills()) == (1.5, 0, 1)


def test_removal_tries_again_and_gives_up(tmp_path: Path) -> None:
    place = CgroupPlace({name: str(tmp_path / name) for name in CONTROLLERS})
    place.make()
    group = place.group("job.1")
    group.make()
    assert place.names() == ["job.1"]
    stuck = tmp_path / "memory" / "job.1" / "x"
    stuck.write_text("")
    assert not group.remove(wait_s=0.02)
    stuck.unlink()
    assert group.remove() and place.names() == []
    place.remove_if_empty()
    assert not list(tmp_path.iterdir())
