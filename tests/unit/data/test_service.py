"""Blobs and snapshots: whole or not at all, whatever the sender or the disk does."""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from eureka_park.data import service
from eureka_park.data.core.snapshot import snapshot_id
from eureka_park.data.service import DataService, SnapshotFile, SnapshotResult
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def file_of(path: str, content: bytes, mode: int = 0o644) -> SnapshotFile:
    return SnapshotFile(path, sha(content), len(content), mode)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "blobs"


@pytest.fixture
def data(database, folder):
    return DataService(database, folder, SteppedClock(1000.0))


def files_under(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_blob_lies_under_its_hash(data, folder):
    data.put_blob(sha(b"hello"), iter([b"he", b"", b"llo"]))
    place = data.blob_path(sha(b"hello"))
    name = sha(b"hello")
    assert place == folder / name[:2] / name[2:4] / name and place.read_bytes() == b"hello"
    assert place.stat().st_mode & 0o777 == 0o444 and files_under(folder) == [place]


def test_a_blob_that_is_there_is_not_read_again(data):
    data.put_blob(sha(b""), [])

    def never():
        raise AssertionError
        yield b""

    data.put_blob(sha(b""), never())


def test_a_wrong_hash_leaves_nothing(data, folder):
    with pytest.raises(BadInput) as caught:
        data.put_blob(sha(b"a"), [b"b"])
    assert caught.value.code == "hash_mismatch" and not data.has(sha(b"a")) and files_under(folder) == []


def test_too_large_stops_at_once(data, folder, monkeypatch):
    monkeypatch.setattr(service, "BLOB_BYTES_MAX", 1000)
    seen = []

    def endless():
        while True:
            seen.append(1)
            yield b"x" * 400

    with pytest.raises(TooLarge):
        data.put_blob(sha(b"a"), endless())
    assert len(seen) == 3 and files_under(folder) == []


@pytest.mark.parametrize("error", [ConnectionResetError(), KeyboardInterrupt(), GeneratorExit()])
def test_a_sender_that_breaks_off_leaves_nothing(data, folder, error):
    def broken():
        yield b"half"
        raise error

    with pytest.raises(type(error)):
        data.put_blob(sha(b"half and half"), broken())
    assert files_under(folder) == []


@pytest.mark.parametrize("call", ["fsync", "fchmod"])
def test_a_full_disk_leaves_nothing(data, folder, monkeypatch, call):
    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(Unavailable) as caught:
        data.put_blob(sha(b"a"), [b"a"])
    assert caught.value.code == "disk_full" and caught.value.fix
    assert files_under(folder) == [] and not data.has(sha(b"a"))


def test_a_folder_that_is_no_folder_is_unavailable(data, folder):
    folder.write_text("in the way")
    with pytest.raises(Unavailable):
        data.put_blob(sha(b"a"), [b"a"])


def test_a_killed_upload_is_swept_a_day_later(data, folder):
    (folder / "parts").mkdir(parents=True)
    old, new = folder / "parts" / "old", folder / "parts" / "new"
    for part, changed_s in ((old, 1000 - 2 * 86400), (new, 900)):
        part.write_bytes(b"half")
        os.utime(part, (changed_s, changed_s))
    assert data.sweep_parts() == 1
    assert files_under(folder) == [new]


def test_many_senders_of_one_blob_agree(data, folder):
    content = b"x" * 100_000
    senders = [threading.Thread(target=data.put_blob, args=(sha(content), [content])) for _ in range(8)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert files_under(folder) == [data.blob_path(sha(content))]


def test_memory_stays_constant(tmp_path):
    code = """
import hashlib, resource, sys
from pathlib import Path
from eureka_park.data.service import DataService
chunk, n = b"x" * 65536, 3200
digest = hashlib.sha256()
for _ in range(n): digest.update(chunk)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
DataService(None, Path(sys.argv[1]), None).put_blob(digest.hexdigest(), (chunk for _ in range(n)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(said.stdout) < 20_000  # KiB, for 200 MiB taken in


@pytest.mark.parametrize("bad", ["", "x", "A" * 64, "../" + "a" * 61, "a" * 65, "a" * 63 + "\n", None])
def test_what_is_no_hash_is_refused(data, bad):
    for act in (lambda: data.has(bad), lambda: data.put_blob(bad, []), lambda: data.blob_path(bad)):
        with pytest.raises(BadInput):
            act()


def test_a_blob_that_is_not_there(data):
    with pytest.raises(NotFound):
        data.blob_path(sha(b"a"))


def test_a_snapshot_is_made_once_nothing_is_missing(data):
    files = [file_of("b.py", b"two", 0o755), file_of("a/c.py", b"one"), file_of("a/d.py", b"one")]
    assert data.commit_snapshot(files) == SnapshotResult(None, (sha(b"two"), sha(b"one")))
    data.put_blob(sha(b"one"), [b"one"])
    assert data.commit_snapshot(files).missing == (sha(b"two"),)
    data.put_blob(sha(b"two"), [b"two"])
    made = data.commit_snapshot(files)
    assert made.missing == () and made.snapshot_id is not None and made.snapshot_id.startswith("snap-")
    assert data.commit_snapshot(files[::-1]) == made
    assert data.snapshot(made.snapshot_id) == (files[1], files[2], files[0])


def test_equal_folders_have_equal_ids_and_others_do_not():
    files = [file_of("a", b"1"), file_of("b", b"2")]
    ids = {snapshot_id(files), snapshot_id(files[::-1])}
    assert len(ids) == 1
    others = [
        [files[0]],
        [files[0], file_of("c", b"2")],
        [files[0], file_of("b", b"3")],
        [files[0], file_of("b", b"2", 0o755)],
    ]
    assert len(ids | {snapshot_id(other) for other in others}) == 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"path": "../x"}, "files[0].path"),
        ({"path": 5}, "files[0].path"),
        ({"sha256": "zz"}, "files[0].sha256"),
        ({"size_bytes": -1}, "files[0].size_bytes"),
        ({"size_bytes": True}, "files[0].size_bytes"),
        ({"size_bytes": 1.5}, "files[0].size_bytes"),
        ({"size_bytes": 2}, "files[0].size_bytes"),
        ({"mode": 0o777}, "files[0].mode"),
        ({"mode": 0o4755}, "files[0].mode"),
    ],
)
def test_a_bad_file_names_its_field(data, change, field):
    data.put_blob(sha(b"a"), [b"a"])
    file = {"path": "a", "sha256": sha(b"a"), "size_bytes": 1, "mode": 0o644} | change
    with pytest.raises(BadInput) as caught:
        data.commit_snapshot([SnapshotFile(**file)])
    assert caught.value.field == field


def test_limits_of_a_snapshot(data):
    big = [SnapshotFile(f"f{i}", sha(b"a"), 256 * 1024**2) for i in range(3)]
    many = [SnapshotFile(f"f{i}", sha(b"a"), 0) for i in range(20_001)]
    for files in (big, many):
        with pytest.raises(TooLarge) as caught:
            data.commit_snapshot(files)
        assert caught.value.field == "files" and caught.value.fix


def test_an_unknown_snapshot(data):
    with pytest.raises(NotFound):
        data.snapshot("snap-none")
