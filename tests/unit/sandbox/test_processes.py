"""Who a process is, what hangs below it, and Landlock's walls."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from eureka_park.sandbox import landlock
from eureka_park.sandbox.box import Box
from eureka_park.sandbox.launch import Tools, launch, wait_for
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.processes import Identity, descendants, tree_cpu_s

# Python 3.12 warns of any fork beside threads, which a test runner may have; these children only call the kernel.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def test_identity_knows_a_reused_number() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        identity = Identity.of(child.pid)
        assert identity and identity.is_alive()
        other = Identity(child.pid, identity.start_ticks + 1, identity.boot)
        assert not other.is_alive() and not other.send(signal.SIGKILL)
        assert not Identity(child.pid, identity.start_ticks, "another boot").is_alive()
        assert child.poll() is None
        assert identity.send(signal.SIGKILL)
        end_s = time.monotonic() + 5
        while identity.is_alive():
            assert time.monotonic() < end_s
    assert not identity.is_alive() and not identity.send(signal.SIGKILL)
    assert Identity.of(child.pid) is None


def test_descendants_and_their_cpu_time() -> None:
    with subprocess.Popen(["sh", "-c", "(sleep 60 & wait) & echo up; wait"], stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"up\n"
        end_s = time.monotonic() + 5
        while len(descendants(child.pid)) < 2:
            assert time.monotonic() < end_s
        assert tree_cpu_s(child.pid) >= 0.0
        for pid in descendants(child.pid):
            os.kill(pid, signal.SIGKILL)
        child.kill()


@pytest.mark.parametrize(("devices", "code"), [((), 1), (("/dev/full",), 0)])
def test_only_a_job_with_devices_may_name_its_threads(tmp_path: Path, devices: tuple[str, ...], code: int) -> None:
    version = landlock.abi()
    if version < 1:
        pytest.skip("this kernel has no Landlock")
    naming = (
        "{ echo named > /proc/self/task/$$/comm && read -r said < /proc/self/comm && test $said = named; } || exit 1"
    )
    box = Box(("/bin/sh", "-c", naming), {"PATH": "/usr/bin:/bin"}, folder=str(tmp_path), devices=devices)
    with (tmp_path / "log").open("wb") as log:
        launched = launch(box, Level.LANDLOCK, Tools(landlock_abi=version), log_fd=log.fileno())
        status = wait_for(launched, 20.0)
    assert status is not None and os.waitstatus_to_exitcode(status) == code, (tmp_path / "log").read_text()


def test_landlock_refuses_the_rest(tmp_path: Path) -> None:
    if landlock.abi() < 1:
        pytest.skip("this kernel has no Landlock")
    (tmp_path / "open").mkdir()
    (tmp_path / "shut").write_text("x")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            landlock.restrict(["/usr"], [str(tmp_path / "open"), str(tmp_path / "not-there")])
            (tmp_path / "open" / "made").write_text("x")
            try:
                (tmp_path / "shut").read_text()
            except PermissionError:
                code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert (tmp_path / "open" / "made").exists()
