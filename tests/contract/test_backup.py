"""Backup and restore: every row and blob comes back, in either kind of database; bad files and disks make nothing."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.pool import NullPool
from tests.helpers import postgres
from tests.helpers.live_park import LivePark

from eureka_park import bootstrap
from eureka_park.adapters.archive import MANIFEST
from eureka_park.adapters.database import parsed
from eureka_park.cli.main import cli
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, ParkError, Unavailable
from eureka_park.live.journal import open_state
from eureka_park.migrations import HEAD
from eureka_park.migrations.backup import back_up, check, restore
from eureka_park.sandbox.box import USER_ID_BASE

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "homes"
VERSIONS = sorted(path.stem.removeprefix("park-") for path in GOLDEN.glob("park-*.sqlite3"))
NOW_S = 1.8e9
BLOBS = (b"", b"hello\n", bytes(range(256)) * 5000)


def all_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, by the driver's own values."""
    engine, metadata = create_engine(parsed(url), poolclass=NullPool), MetaData()
    with engine.connect() as conn:
        metadata.reflect(conn)
        found = {name: [tuple(row) for row in conn.execute(select(table))] for name, table in metadata.tables.items()}
    engine.dispose()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def all_blobs(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "blobs").rglob("*") if path.is_file()}


@pytest.fixture
def lived(tmp_path: Path, park_database: str) -> Iterator[LivePark]:
    """A park with jobs that ended, run and wait, and with blobs."""
    park = LivePark(tmp_path / "lived")
    done = park.submit(run_s=20, tier="firm", name="réussi ✓")
    park.submit(array=2, cpus=0.5)
    park.submit(run_s=9000, after=[done])
    for blob in BLOBS:
        park.park.data.put_blob(hashlib.sha256(blob).hexdigest(), [blob])
    park.step(times=12)
    park.live.journal.save_snapshot(park.park.db, park.live.state)
    park.submit(run_s=9000, name="in the inbox")
    yield park
    park.park.close()


def source_url(park: LivePark) -> str:
    return os.environ.get("PARK_DATABASE_URL") or park.park.home.database_url


def test_every_row_and_blob_comes_back_in_both_kinds(
    lived: LivePark, tmp_path: Path, postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, file = all_rows(source_url(lived)), tmp_path / "park.zip"
    manifest = back_up(lived.folder, file, NOW_S)
    assert manifest.revision == HEAD and file.stat().st_mode & 0o777 == 0o600
    assert manifest.n_rows == sum(len(rows) for name, rows in before.items() if name != "alembic_version") > 60
    assert check(file).tables == manifest.tables

    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    restore(file, tmp_path / "as-sqlite")
    _is_the_same(before, f"sqlite:///{tmp_path / 'as-sqlite' / 'park.sqlite3'}")
    _goes_on(lived, tmp_path / "as-sqlite")
    with postgres_server.fresh(is_empty=True) as url:
        monkeypatch.setenv("PARK_DATABASE_URL", url)
        _is_undone_when_the_home_cannot_be_put_in_place(file, tmp_path / "never", url)
        restore(file, tmp_path / "as-postgres")
        _is_the_same(before, url)
        _is_its_homes_alone(tmp_path, lived)
        _goes_on(lived, tmp_path / "as-postgres")
        with pytest.raises(Conflict) as caught:
            restore(file, tmp_path / "again")
        assert caught.value.code == "database_in_use" and not (tmp_path / "again").exists()
    expected = {hashlib.sha256(blob).hexdigest(): blob for blob in BLOBS}
    assert expected.items() <= all_blobs(tmp_path / "as-sqlite").items()
    assert all_blobs(tmp_path / "as-sqlite") == all_blobs(tmp_path / "as-postgres") == all_blobs(lived.folder)


def _is_undone_when_the_home_cannot_be_put_in_place(file: Path, folder: Path, url: str) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", refuse)
        with pytest.raises(Unavailable, match="permission denied"):
            restore(file, folder)
    assert all_rows(url) == {} and not folder.exists() and list(folder.parent.glob(".*restoring*")) == []


def _is_its_homes_alone(tmp_path: Path, lived: LivePark) -> None:
    """Nobody else takes a restored database before its home has started once."""
    shutil.copytree(tmp_path / "as-postgres", tmp_path / "another")
    note = tmp_path / "another" / "database.json"
    note.write_text(json.dumps({"kind": "postgresql", "home_id": "0" * 32}))
    with pytest.raises(Conflict) as caught:
        bootstrap.prepare(tmp_path / "another")
    assert caught.value.code == "database_of_another_home"


def test_an_emptied_database_is_not_taken_for_a_new_park(
    tmp_path: Path, postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres_server.fresh(is_empty=True) as url, postgres_server.fresh(is_empty=True) as other:
        monkeypatch.setenv("PARK_DATABASE_URL", url)
        bootstrap.make_home(tmp_path / "home", now_real_s=NOW_S, is_bare=True)
        bootstrap.prepare(tmp_path / "home")
        monkeypatch.setenv("PARK_DATABASE_URL", other)
        with pytest.raises(Conflict) as caught:
            bootstrap.prepare(tmp_path / "home")
        assert caught.value.code == "database_empty" and all_rows(other) == {}


def _is_the_same(before: dict[str, list[Any]], url: str) -> None:
    """Equal but for who decides: the lease has ended, and a database is of its new home."""
    after = all_rows(url)
    assert after.keys() == before.keys()
    for name in before:
        if name != "lease":
            assert after[name] == before[name], name
    assert [row[:3] for row in after["lease"] if row[0] == "live"] == [
        row[:3] for row in before["lease"] if row[0] == "live"
    ]


def _goes_on(lived: LivePark, folder: Path) -> None:
    """The restored park decides on from where the other stood, with the same keys and new numbers in the inbox."""
    bootstrap.prepare(folder)
    assert (folder / "keys" / "secret.key").read_text() == (lived.folder / "keys" / "secret.key").read_text()
    was_folder, was = lived.folder, (lived.park, lived.live)
    lived.folder = folder
    lived.open()
    try:
        jobs, _ = lived.park.compute.jobs(lived.owner)
        assert {"réussi ✓", "in the inbox"} <= {job["name"] for job in jobs}
        fresh = lived.submit(run_s=5, tier="firm")
        lived.step(times=1)
        assert lived.live.state.jobs.keys() >= {fresh}
        assert lived.park.ledger.verify() == []
    finally:
        lived.park.close()
        lived.folder, (lived.park, lived.live) = was_folder, was


@pytest.mark.parametrize("version", VERSIONS)
def test_a_home_of_a_tagged_version_moves_to_postgres(
    version: str, tmp_path: Path, postgres_server: postgres.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    old = tmp_path / "old"
    bootstrap.make_home(old, now_real_s=NOW_S, is_bare=True)
    shutil.copy(GOLDEN / f"home-{version}.json", old / "home.json")
    shutil.copy(GOLDEN / f"park-{version}.sqlite3", old / "park.sqlite3")
    back_up(old, tmp_path / "old.zip", NOW_S)  # at its own revision
    with postgres_server.fresh(is_empty=True) as url:
        monkeypatch.setenv("PARK_DATABASE_URL", url)
        restore(tmp_path / "old.zip", tmp_path / "new")
        bootstrap.prepare(tmp_path / "new")
        park = bootstrap.open_park(tmp_path / "new")
        state, journal = open_state(park.db, 1)
        state.validate()
        counts = park.compute.counts()
        assert counts["finished"] >= 4 and counts["failed"] == 1 and counts["running"] >= 1 and journal.head > 20
        assert len(state.jobs) == counts["running"] + counts.get("starting", 0) + counts["queued"]
        assert park.ledger.verify() == [] and park.ledger.flows(0, 1e12)
        park.close()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a home of a tagged version, with blobs."""
    folder = tmp_path_factory.mktemp("whole")
    bootstrap.make_home(folder / "home", now_real_s=NOW_S, is_bare=True)
    shutil.copy(GOLDEN / f"home-{VERSIONS[-1]}.json", folder / "home" / "home.json")
    shutil.copy(GOLDEN / f"park-{VERSIONS[-1]}.sqlite3", folder / "home" / "park.sqlite3")
    park = bootstrap.open_park(folder / "home")
    for blob in BLOBS:
        park.data.put_blob(hashlib.sha256(blob).hexdigest(), [blob])
    park.close()
    back_up(folder / "home", folder / "park.zip", NOW_S)
    return folder / "park.zip"


def rewritten(source: Path, target: Path, changes: dict[str, Any]) -> Path:
    """A ZIP file with other parts: bytes for a part, None to leave it out, a function of the manifest."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in [*old.namelist(), *(name for name in changes if name not in old.namelist())]:
            change = changes.get(name, b"same")
            if callable(change):
                change = json.dumps(change(json.loads(old.read(name)))).encode()
            if change is not None:
                new.writestr(name, old.read(name) if change == b"same" else change)
    return target


def with_tree(path: str, content: bytes = b"x") -> dict[str, Any]:
    """A backup that holds one file that a job left, by this path."""
    one = [path, hashlib.sha256(b"x").hexdigest(), 0o644, 0]
    return {MANIFEST: lambda told: {**told, "format": 2, "with_jobs": True, "trees": [one]}, "trees/0": content}


BAD: dict[str, dict[str, Any]] = {
    "another form": {MANIFEST: lambda told: {**told, "format": 3}},
    "a job's file with a way out": with_tree("jobs/x/out/../../../keys/secret.key"),
    "a file that no backup takes": with_tree("jobs/x/attempts/1/claim"),
    "a file elsewhere": with_tree("/etc/passwd"),
    "a job's file that has changed": with_tree("jobs/x/log.txt", b"y"),
    "a newer revision": {MANIFEST: lambda told: {**told, "revision": "9999"}},
    "no manifest": {MANIFEST: None},
    "a manifest that is a list": {MANIFEST: lambda _told: []},
    "a part too many": {"home/../../evil": b"x"},
    "a manifest with a way out": {
        MANIFEST: lambda told: {**told, "files": {**told["files"], "../../evil": "0" * 64}},
        "home/../../evil": b"x",
    },
    "a table less": {"rows/jobs.jsonl": None},
    "a row less": {"rows/people.jsonl": b""},
    "no rows at all": {"rows/people.jsonl": b"what is this\n"},
    "another blob": {f"blobs/{hashlib.sha256(BLOBS[1]).hexdigest()}": b"other"},
    "another home": {"home/home.json": b"{}"},
}


@pytest.mark.parametrize("name", BAD)
def test_a_changed_backup_is_refused_and_nothing_is_made(
    name: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    bad = rewritten(whole, tmp_path / "bad.zip", BAD[name])
    for attempt in (lambda: check(bad), lambda: restore(bad, tmp_path / "made")):
        with pytest.raises(BadInput) as caught:
            attempt()
        assert caught.value.field == "file" and caught.value.fix
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_a_backup_cut_short_anywhere_is_refused(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    data, bad = whole.read_bytes(), tmp_path / "bad.zip"
    for length in (0, 1, 100, len(data) // 2, len(data) - 1):
        bad.write_bytes(data[:length])
        with pytest.raises(BadInput, match="no whole backup"):
            restore(bad, tmp_path / "made")
    for place in range(0, len(data), len(data) // 12):  # a byte that has changed is seen, or was of no account
        bad.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            assert check(bad).tables
        except BadInput:
            continue
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_what_is_there_stays(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(Conflict) as caught:
        restore(whole, tmp_path / "full")
    assert caught.value.code == "home_not_empty" and (tmp_path / "full" / "mine").read_text() == "mine"
    with pytest.raises(Conflict) as caught:
        back_up(whole.parent / "home", whole, NOW_S)
    assert caught.value.code == "file_exists" and check(whole).n_rows
    with pytest.raises(NotFound):
        restore(tmp_path / "none.zip", tmp_path / "made")
    with pytest.raises(NotFound):
        back_up(tmp_path / "none", tmp_path / "x.zip", NOW_S)
    (tmp_path / "empty").mkdir()
    restore(whole, tmp_path / "empty")
    assert (tmp_path / "empty" / "home.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "full"]


@contextmanager
def files_at_most(size_bytes: int) -> Iterator[None]:
    """As on a disk that is full: no file grows beyond a size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size_bytes", [0, 5_000, 300_000])
def test_a_full_disk_leaves_nothing(
    size_bytes: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    with pytest.raises(Unavailable) as caught, files_at_most(min(size_bytes, whole.stat().st_size - 1)):
        back_up(whole.parent / "home", tmp_path / "x.zip", NOW_S)
    assert caught.value.code in ("disk_full", "database_io")  # SQLite may be the first to need space
    with pytest.raises(ParkError) as told, files_at_most(size_bytes):
        restore(whole, tmp_path / "made")
    assert isinstance(told.value, Unavailable) and list(tmp_path.iterdir()) == []


def test_what_jobs_left_comes_back_and_no_link_is_followed(whole: Path, tmp_path: Path) -> None:
    """Where it is asked for: content, mode, owner; no pipe holds it up."""
    home = tmp_path / "home"
    shutil.copytree(whole.parent / "home", home)
    secret, owner = tmp_path / "secret", USER_ID_BASE + 7 if os.geteuid() == 0 else os.geteuid()
    secret.write_text("not for jobs")
    out = home / "jobs" / "job-x" / "out"
    (out / "deep").mkdir(parents=True)
    strange = out / "deep" / os.fsdecode(b"r\xe9sultat \xff.bin")
    strange.write_bytes(bytes(range(256)) * 100)
    strange.chmod(0o640)
    (out / "link").symlink_to(secret)
    (out / "folder").symlink_to(tmp_path)
    (out.parent / "log.txt").write_text("said")
    (out.parent / "work").mkdir()
    (out.parent / "work" / "input").write_text("not taken")
    os.mkfifo(out / "pipe")
    for path in (out, out / "deep", strange):
        os.chown(path, owner, owner)

    assert back_up(home, tmp_path / "a.zip", NOW_S).trees == []
    manifest = back_up(home, tmp_path / "b.zip", NOW_S, with_jobs=True)
    names = [one.path for one in manifest.trees if "job-x" in one.path]
    assert names == ["jobs/job-x/log.txt", f"jobs/job-x/out/deep/{strange.name}"]
    restore(tmp_path / "b.zip", tmp_path / "made")
    back = tmp_path / "made" / "jobs" / "job-x" / "out" / "deep" / strange.name
    assert back.read_bytes() == strange.read_bytes() and back.stat().st_mode & 0o777 == 0o640
    assert (back.stat().st_uid, back.parents[1].stat().st_uid) == (owner, owner)
    assert sorted(path.name for path in (tmp_path / "made" / "jobs" / "job-x").iterdir()) == ["log.txt", "out"]


def test_a_backup_of_a_busy_park_is_of_one_instant(
    lived: LivePark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def book() -> None:
        number = 0
        while not over.is_set():
            with lived.park.db.write() as conn:
                lived.park.ledger.grant(conn, "welcome", 1.0, f"grant {number}")
            number += 1

    writer = threading.Thread(target=book)
    writer.start()
    try:
        manifests = [back_up(lived.folder, tmp_path / f"{at}.zip", NOW_S) for at in range(2)]
    finally:
        over.set()
        writer.join()
    n_before = [manifest.tables["transactions"]["n_rows"] for manifest in manifests]
    assert n_before[0] < n_before[1]
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    restore(tmp_path / "1.zip", tmp_path / "made")
    park = bootstrap.open_park(tmp_path / "made")
    assert park.ledger.verify() == []
    park.close()


def test_the_commands(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    monkeypatch.setenv("PARK_HOME", str(whole.parent / "home"))
    runner = CliRunner()
    said = runner.invoke(cli, ["backup", str(tmp_path), "--json"])
    assert said.exit_code == 0, said.output
    facts = json.loads(said.stdout)
    assert facts["n_blobs"] == len(BLOBS) and Path(facts["file"]).name.startswith("park-") and facts["n_rows"] > 60
    plain = runner.invoke(cli, ["backup", str(tmp_path / "plain.zip")])
    assert "Not in it: logs, outputs and checkpoints of jobs; --with-jobs" in plain.stdout
    full = runner.invoke(cli, ["backup", str(tmp_path / "full.zip"), "--with-jobs"])
    assert "files of jobs" in full.stdout and "Not in it" not in full.stdout
    whole_too = runner.invoke(cli, ["restore", facts["file"], "--check"])
    assert whole_too.exit_code == 0 and "is whole" in whole_too.stdout
    made = runner.invoke(cli, ["restore", facts["file"], "--home", str(tmp_path / "made")])
    assert made.exit_code == 0 and f"park up --home {tmp_path / 'made'}" in made.stdout
    again = runner.invoke(cli, ["restore", facts["file"], "--home", str(tmp_path / "made")])
    assert again.exit_code == 1 and "is not empty" in again.stderr and again.stderr.count("\n") == 1
