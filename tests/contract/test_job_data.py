"""Data in jobs: inputs that only those may name who may read them, laid out read-only by the real engine; outputs that
become one version each, whatever happens in between.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.engine_bench import Bench, open_bench, wait_for
from tests.helpers.live_park import LivePark

from eureka_park import bootstrap
from eureka_park.accounts.service import Principal
from eureka_park.data.core.repository import Put, RepositoryKind
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, ParkError
from eureka_park.foundation.wire.engine import Outcome, StartOrder
from eureka_park.web.app import make_app

FILES = {"raw/a.csv": b"x\n1\n2\n", "raw/deep/b.bin": os.urandom(200_000), "README.md": b"# Rows\n"}


class Scene:
    """A park with a data set, a reader and a stranger."""

    def __init__(self, folder: Path) -> None:
        self.park = LivePark(folder)
        self.data, self.accounts = self.park.park.data, self.park.park.accounts
        self.accounts.ensure_project("lab", "Lab", False)
        self.ada, self.eve = self.somebody("Ada", "lab", "welcome"), self.somebody("Eve", "welcome")
        self.rows = self.repository("dataset", "rows")
        self.version = self.commit(self.rows, FILES)

    def somebody(self, name: str, *projects: str) -> Principal:
        person_id = self.accounts.people.add(name, is_verified=True)
        for project in projects:
            self.accounts.add_member(project, person_id)
        return self.accounts.principal_of_token(self.accounts.new_token(person_id, "test"))

    def repository(self, kind: str, name: str, project: str = "lab") -> Any:
        return self.data.repositories.create(self.ada, RepositoryKind(kind), project, name)

    def commit(self, repository: Any, files: dict[str, bytes]) -> Any:
        batch = Batch()
        rows = {path: self.data.objects.put_small(repository.project_id, batch, one) for path, one in files.items()}
        puts = [Put(path, row.sha256, row.size_bytes) for path, row in rows.items()]
        return self.data.repositories.versions.commit(repository, self.ada, Draft("main", "Put", puts), batch)

    def submit(self, who: Principal | None = None, **request: Any) -> Any:
        return self.park.park.compute.submit(who or self.ada, {"command": ["true"], "project": "lab", **request})

    def made(self, job_id: str, files: dict[str, bytes], folder: str = "work/made") -> Path:
        """What a job leaves in its folder."""
        root = self.park.folder / "jobs" / job_id.replace("[", ".").replace("]", "") / folder
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        return root

    def end(self, job_id: str, code: int = 0) -> None:
        """Let a job run to its end."""
        self.park.engine.codes[job_id] = code
        self.park.step(20.0, 4)
        assert self.view(job_id)["state"] == ("failed" if code else "finished")

    def view(self, job_id: str, who: Principal | None = None) -> dict[str, Any]:
        return self.park.park.compute.job(who or self.ada, job_id)

    def outputs(self, job_id: str) -> list[tuple[str, str]]:
        return [(one["state"], one["commit_id"] or one["text"]) for one in self.view(job_id)["outputs"]]

    def files(self, name: str, kind: str = "model") -> dict[str, bytes]:
        found = self.data.repositories.find("read", self.ada, kind, "lab", name)  # type: ignore[arg-type]
        tree = self.data.repositories.versions.tree(self.data.repositories.versions.at(found, "main"))
        return {one.path: self.data.objects.open("lab", one.sha256).content() for one in tree.scan()}

    def titles(self, name: str) -> list[str]:
        found = self.data.repositories.find("read", self.ada, "model", "lab", name)  # type: ignore[arg-type]
        versions = self.data.repositories.versions
        return [one.title for one in versions.history(found, versions.at(found, "main"), 50)]

    def commit_due(self) -> int:
        return self.park.park.compute.materials.commit_due()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.park.park.close()


def refused(scene: Scene, who: Principal, **request: Any) -> ParkError:
    with pytest.raises(ParkError) as caught:
        scene.submit(who, project="welcome", **request)
    return caught.value


def test_inputs_are_named_by_those_who_may_read_them(scene: Scene) -> None:
    address = "park://datasets/lab/rows/raw"
    job_id = scene.submit(inputs=[address])
    later = scene.commit(scene.rows, {"raw/a.csv": b"changed"})
    assert later != scene.version
    (shown,) = scene.view(job_id)["inputs"]
    assert (shown["commit_id"], shown["path"], shown["mount"]) == (scene.version.commit_id, "raw", "rows")
    again = scene.submit(inputs=[shown["address"]])
    assert scene.view(again)["inputs"] == [shown], "the same again, though the branch is elsewhere"
    secret, absent = (refused(scene, scene.eve, inputs=[f"datasets/lab/{name}"]) for name in ("rows", "none"))
    assert isinstance(secret, NotFound) and secret.message == absent.message.replace("none", "rows")
    assert secret.field == "inputs[0]"
    for wrong in ("datasets/lab/rows@v9", "datasets/lab/rows/raw/none", "models/lab/rows"):
        assert isinstance(refused(scene, scene.ada, inputs=[wrong]), NotFound)
    assert isinstance(refused(scene, scene.ada, inputs=["rows"]), BadInput)
    scene.data.repositories.change(scene.park.owner, scene.rows, visibility="public", gate="manual")
    gated = refused(scene, scene.eve, inputs=[address])
    assert isinstance(gated, Forbidden) and gated.code == "gated"
    scene.data.repositories.ask_in(scene.eve, scene.rows)
    scene.data.repositories.answer(scene.park.owner, scene.rows, scene.eve.person_id, "accepted")
    mine = scene.submit(scene.eve, project="welcome", inputs=[address])
    scene.data.repositories.change(scene.park.owner, scene.rows, visibility="private")
    (hidden,) = scene.view(mine, scene.eve)["inputs"]
    assert hidden["mount"] == "rows" and {hidden[key] for key in ("address", "name", "commit_id", "path")} == {None}


def bench_of(scene: Scene, level: str | None, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An engine on the park's home; programs that it starts find the rows where the test has them."""
    url = bootstrap.url_of(scene.park.park.home)
    if url.startswith("postgresql"):
        monkeypatch.setenv("PARK_DATABASE_URL", url)
    return open_bench(scene.park.folder, level)


@pytest.mark.parametrize("level", [None, "none"])
def test_a_job_reads_its_inputs_and_cannot_change_them(
    scene: Scene, level: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = scene.park.folder
    scene.park.engine.drop_orders = True
    job_id = scene.submit(inputs=["datasets/lab/rows", "datasets/lab/rows@main/raw/a.csv:one"], project="lab")
    scene.park.step()
    order = StartOrder.from_json({**asdict(scene.park.engine.orders[-1]), "job_id": job_id})
    tell = (
        'cd "$PARK_INPUT_ROWS" && cat raw/a.csv README.md && ls "$PARK_INPUTS" "$PARK_INPUT_ONE" && '
        '(echo x >raw/a.csv || touch new || rm -f README.md || echo x >"$PARK_INPUT_ONE/a.csv"; '
        'test ! -e new && cat raw/a.csv "$PARK_INPUT_ONE/a.csv" && wc -c <raw/deep/b.bin)'
    )
    bench = bench_of(scene, level, monkeypatch)
    try:
        more = {"inputs": order.inputs, "project": "lab"}
        job = bench.start("sh", "-c", tell, **more)  # type: ignore[arg-type]
        report = bench.end(job)
        told = bench.log(job)
        assert report.outcome is Outcome.FINISHED, told + report.detail
        rows = FILES["raw/a.csv"].decode()
        assert told.startswith(f"{rows}# Rows\n") and "200000" in told, told
        if level is None or os.geteuid():  # nothing holds a job back that is root on the bare machine
            assert rows * 2 in told, told
        wait_for(lambda: not (home / "jobs" / job / "inputs").exists(), "nothing to be left but the cache")
        kept = [one for one in (home / "inputs").rglob("*") if one.is_file()]
        assert len(kept) == 3 and {one.stat().st_nlink for one in kept} == {1}
        assert all(sha256(one.read_bytes()).hexdigest() == one.name for one in kept), "jobs write to no cache"
        flipped = next(one for one in kept if one.stat().st_size == 200_000)
        flipped.chmod(0o644)
        flipped.write_bytes(b"?" + FILES["raw/deep/b.bin"][1:])
        again = bench.start("sh", "-c", 'sha256sum <"$PARK_INPUT_ROWS/raw/deep/b.bin"', **more)  # type: ignore[arg-type]
        assert bench.end(again).outcome is Outcome.FINISHED
        assert flipped.name in bench.log(again), "a content that somebody wrote to is fetched again"
    finally:
        bench.engine.close()


def test_an_input_that_is_lost_ends_the_job_with_a_reason(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in (scene.park.folder / "blobs" / "store").rglob("*.*"):
        one.unlink()
    scene.park.engine.drop_orders = True
    scene.submit(inputs=["datasets/lab/rows"])
    scene.park.step()
    bench = bench_of(scene, None, monkeypatch)
    try:
        report = bench.end(bench.start("true", inputs=scene.park.engine.orders[-1].inputs))  # type: ignore[arg-type]
    finally:
        bench.engine.close()
    assert report.outcome is Outcome.FAILED and "is lost" in report.detail


def test_what_a_job_made_becomes_one_version_with_its_lineage(scene: Scene) -> None:
    job_id = scene.submit(name="train", inputs=["datasets/lab/rows"], outputs=["models/lab/net:made"])
    assert scene.outputs(job_id) == [("pending", "")]
    root = scene.made(job_id, {"w.bin": b"w" * 100_000, "card/README.md": b"# Net\n"})
    (root / "link").symlink_to("/etc/passwd")
    scene.end(job_id)
    assert scene.outputs(job_id) == [("due", "")]
    scene.park.crash()  # between the end and the commit
    assert scene.commit_due() == 1 and scene.commit_due() == 0
    ((state, commit_id),) = scene.outputs(job_id)
    assert state == "committed" and scene.files("net") == {"w.bin": b"w" * 100_000, "card/README.md": b"# Net\n"}
    assert scene.titles("net") == ["Add what train made", "Begin"]
    found = scene.data.lineage.of(scene.ada, "model", "lab", "net")
    nodes = {one["node_id"]: (one["name"], one["commit_id"]) for one in found["nodes"]}
    edges = [(nodes[one["source"]], one["job_id"], nodes[one["to"]]) for one in found["edges"] if one["job_id"]]
    assert edges == [(("rows", scene.version.commit_id), job_id, ("net", commit_id))]
    again = scene.submit(name="train", outputs=["models/lab/net:made"])
    scene.made(again, {"w.bin": b"w" * 100_000})
    scene.end(again)
    scene.commit_due()
    assert scene.outputs(again)[0][0] == "committed" and len(scene.titles("net")) == 3, "the same bytes, a job's own"
    client = TestClient(make_app(scene.park.park), base_url="http://localhost:8386")
    token = {"Authorization": f"Bearer {scene.accounts.new_token(scene.ada.person_id, 'api')}"}
    history = client.get("/api/v1/projects/lab/repositories/model/net/history", headers=token).json()["items"]
    assert [one["made_by"] and one["made_by"]["job_id"] for one in history] == [again, job_id, None]
    assert job_id not in f"{history[1]['title']}{history[1]['message']}", "lineage tells it to those who may know"
    shown = client.get(f"/api/v1/jobs/{job_id}", headers=token).json()
    assert shown["outputs"][0]["commit_id"] == commit_id and shown["inputs"][0]["name"] == "rows"


def test_a_commit_that_breaks_off_or_meets_another_is_made_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = scene.submit(name="train", outputs=["models/lab/net"])
    scene.made(job_id, {"a": b"1"}, "out")
    scene.made(job_id, {"b/c": b"2", "a": b"3"}, "work/outputs")
    scene.end(job_id)
    lineage = scene.data.lineage

    def killed(*_words: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(lineage, "note", killed)  # within the transaction of the commit
        scene.commit_due()
    assert scene.titles("net") == ["Begin"] and scene.outputs(job_id) == [("due", "")]
    rounds = [threading.Thread(target=scene.commit_due) for _ in range(3)]
    for one in rounds:
        one.start()
    for one in rounds:
        one.join(60)
    assert scene.titles("net") == ["Add what train made", "Begin"]
    assert scene.outputs(job_id)[0][0] == "committed" and scene.files("net") == {"a": b"1", "b/c": b"2"}


def test_outputs_wait_where_they_cannot_be_committed(scene: Scene) -> None:
    compute = scene.park.park.compute
    job_id = scene.submit(outputs=["models/lab/net:made"])
    scene.made(job_id, {"w": b"w" * 100_000})
    scene.data.objects.set_limit("lab", 1000)
    scene.end(job_id)
    scene.commit_due()
    (one,) = scene.view(job_id)["outputs"]
    assert one["state"] == "waiting" and "park data commit" in one["fix"] and scene.commit_due() == 0
    scene.data.objects.set_limit("lab", None)
    with pytest.raises(NotFound):
        compute.commit_outputs(scene.eve, job_id)
    compute.commit_outputs(scene.ada, job_id)
    assert scene.commit_due() == 1 and scene.outputs(job_id)[0][0] == "committed"
    compute.commit_outputs(scene.ada, job_id)
    assert scene.commit_due() == 0, "what is committed stays"
    failed = scene.submit(outputs=["models/lab/net:made"])
    scene.made(failed, {"half": b"1"})
    scene.end(failed, code=1)
    assert scene.outputs(failed) == [("none", "")] and scene.commit_due() == 0
    always = scene.submit(outputs=["models/lab/net:made"], output_always=True)
    scene.made(always, {"half": b"2"})
    scene.end(always, code=1)
    assert scene.commit_due() == 1 and scene.files("net")["half"] == b"2"
    empty = scene.submit(outputs=["models/lab/net:made"])
    scene.made(empty, {"x": b"1"}, "work/other")
    (scene.park.folder / "jobs" / empty / "work" / "made").symlink_to("other")
    scene.end(empty)
    scene.commit_due()
    assert scene.outputs(empty) == [("waiting", "The job left no files there.")], "a link leads nowhere"
    with pytest.raises(Conflict):
        compute.commit_outputs(scene.ada, scene.submit())
    assert refused(scene, scene.eve, outputs=["models/lab/net"]).field == "outputs[0]"


def test_each_task_of_an_array_has_a_folder_of_its_own(scene: Scene) -> None:
    array_id = scene.submit(array=2, outputs=["models/lab/net:made"], cpus=0.1, memory="64MiB")
    for index in range(2):
        scene.made(f"{array_id}[{index}]", {"w": bytes([index])})
    scene.park.step(20.0, 6)
    assert scene.commit_due() == 2
    assert scene.files("net") == {"task-0/w": b"\0", "task-1/w": b"\1"} and len(scene.titles("net")) == 3
