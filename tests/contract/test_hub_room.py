"""No room in the project, or on a real small disk: the hub's own client ends at once with an exception of its own that
says what to do; nothing is half-visible, and it works again when there is room.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.test_hub_clients import Door

from eureka_park.data.objects import service

# One client for all: it is told a path, a size and whether by packs, and says how that ended.
SEND = """
import os, sys
from huggingface_hub import HfApi, constants

api = HfApi()
api.create_repo("lab/x", repo_type="dataset", exist_ok=True)
for line in sys.stdin:
    path, size, by = line.split()
    constants.HF_HUB_DISABLE_XET = by == "lfs"
    said = "sent"
    try:
        api.upload_file(path_or_fileobj=os.urandom(int(size)), path_in_repo=path, repo_id="lab/x", repo_type="dataset")
    except Exception as error:
        said = f"{type(error).__name__}: {error}; {error.__cause__}"
    files = [name for name in api.list_repo_files("lab/x", repo_type="dataset") if name != ".gitattributes"]
    print(" ".join(said.split()), sorted(files), flush=True)
"""
MIB = 1024**2


class Sender:
    """The client, and the park that it talks to."""

    def __init__(self, folder: Path) -> None:
        self.door = Door(folder)
        self.park = self.door.served.live.park
        self.objects, self.blobs = self.park.data.objects, self.park.home.folder / "blobs"
        env = {**self.door.env, "HF_HOME": str(folder / "client")}
        command = [sys.executable, "-c", SEND]
        self.client = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def send(self, path: str, size: int, by: str = "packs") -> str:
        """What the client told; one that waits for minutes fails."""
        assert self.client.stdin is not None and self.client.stdout is not None
        begun_s = time.monotonic()
        self.client.stdin.write(f"{path} {size} {by}\n")
        self.client.stdin.flush()
        said = self.client.stdout.readline()
        assert said and time.monotonic() - begun_s < 60.0, said
        assert not list((self.blobs / "incoming").glob("*")), "nothing is left of what did not come"
        return said

    def stop(self) -> None:
        """End both."""
        self.client.communicate(timeout=60)
        self.door.served.stop()


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sender]:
    made = Sender(tmp_path_factory.mktemp("park"))
    yield made
    made.stop()


def test_a_quota_is_told_by_the_client_with_what_to_do(sender: Sender) -> None:
    assert sender.send("a.bin", 2 * MIB) == "sent ['a.bin']\n"
    sender.objects.set_limit("lab", 3 * MIB)
    for by in ("packs", "lfs"):
        said = sender.send("b.bin", 2 * MIB, by)
        assert said.startswith("HfHubHTTPError") and "413" in said and "park data quota lab" in said, said
        assert said.endswith("['a.bin']\n") and sender.objects.use("lab")[0] < 2.1 * MIB
    said = sender.send("a.bin", 2 * MIB)  # a part of it may be known, so it begins, and ends where the room does
    assert said.startswith("ConnectionError") and "413" in said, said
    assert sender.objects.use("lab")[0] < 2.1 * MIB
    sender.objects.set_limit("lab", 5 * MIB)
    assert sender.send("b.bin", 2 * MIB) == "sent ['a.bin', 'b.bin']\n"
    sender.objects.set_limit("lab", None)


def test_a_full_disk_is_told_and_works_again(
    sender: Sender, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system of sixteen mebibytes of its own, where one may be mounted."""
    disk = sender.door.folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no file system may be mounted here; tests/unit/data/test_room.py has what does not need one")
    request.addfinalizer(lambda: subprocess.run(["umount", "-l", disk], check=True))
    for name in ("incoming", "store"):
        (disk / name).mkdir()
        subprocess.run(["cp", "-a", f"{sender.blobs / name}/.", disk / name], check=True)
        (sender.blobs / name).rename(sender.blobs / f"{name}-before")
        (sender.blobs / name).symlink_to(disk / name)
    fill = disk / "fill"
    fill.write_bytes(bytes(7 * MIB))
    files = "['a.bin', 'b.bin']\n"
    for path, by, code in (
        ("c.bin", "packs", "507"),
        ("c.bin", "lfs", "507"),
        ("a.bin", "packs", "413"),
        ("a.bin", "lfs", "507"),
    ):
        said = sender.send(path, 6 * MIB, by)
        assert "Error" in said and code in said and said.endswith(files), said
        assert by == "packs" or "Free some space" in said, said
    monkeypatch.setattr(service, "check_free", lambda *_: None)  # nobody looks ahead: the disk itself says no
    for path, by, code in (("c.bin", "packs", "413"), ("c.bin", "lfs", "507"), ("a.txt", "lfs", "507")):
        said = sender.send(path, 6 * MIB, by)
        assert "Error" in said and code in said and said.endswith(files), said
    monkeypatch.undo()
    assert sender.park.data.collector.scrub().findings == []
    fill.unlink()
    assert sender.send("c.bin", 6 * MIB) == "sent ['a.bin', 'b.bin', 'c.bin']\n"
    assert sender.park.data.collector.scrub().findings == []
