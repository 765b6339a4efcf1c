"""A data set is put, a job reads it where it cannot write and makes a model, and the model says what it was made from;
the deciding process is killed between the end and the commit. Real park, real engine, real sandbox.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers.running_park import RunningPark, wait_for

from eureka_park.client.data import RepositoryName

ROWS, NET = RepositoryName("welcome", "rows"), RepositoryName("welcome", "net", "model")
TRAIN = """cd "$PARK_INPUT_ROWS" && ! echo 9 >>a.csv && ! touch new && mkdir "$PARK_OUTPUT_DIR/weights" &&
wc -l <a.csv >"$PARK_OUTPUT_DIR/n.txt" && head -c 20000000 /dev/urandom >"$PARK_OUTPUT_DIR/weights/w.bin" """


def test_a_model_says_what_it_was_made_from_though_the_park_was_killed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n2\n", encoding="utf-8")
    with RunningPark(tmp_path / "park") as running:
        data = running.park.data
        data.new_repository(ROWS)
        version = data.put(ROWS, [tmp_path / "a.csv"])["commit_id"]
        jobs = []
        for state in ("due", "committed"):  # killed before anything of the commit has come, and somewhere after
            job_id = running.sh(TRAIN, name="train", inputs=["datasets/welcome/rows"], outputs=["models/welcome/net"])
            wait_for(lambda job=job_id, asked=state: _output(running, job)["state"] in (asked, "committed"), "its end")
            running.kill("live")
            jobs.append(job_id)
        made = [wait_for(lambda job=job: _output(running, job)["commit_id"], "its commit", 60.0) for job in jobs]
        history = data.history(NET)
        assert [one["commit_id"] for one in history[:-1]] == made[::-1], "one commit for each job, and nothing else"
        assert [one["made_by"]["job_id"] for one in history[:-1]] == jobs[::-1]
        assert {item["path"]: item["size_bytes"] for item in data.tree(NET, recursive=True)} == {
            "n.txt": 2, "weights/w.bin": 20_000_000,
        }  # fmt: skip
        found = data.lineage(ROWS)
        nodes = {one["node_id"]: one["commit_id"] for one in found["nodes"]}
        edges = {(nodes[e["source"]], e["job_id"], nodes[e["to"]]) for e in found["edges"] if e["job_id"]}
        assert edges == {(version, job, commit) for job, commit in zip(jobs, made, strict=True)}
        assert "welcome/rows" in running.ask("show", jobs[0]).output


def _output(running: RunningPark, job_id: str) -> dict[str, Any]:
    view = running.park.view(job_id)
    assert view["state"] not in ("failed", "lost"), running.log(job_id)
    (one,) = view["outputs"]
    return dict(one)
