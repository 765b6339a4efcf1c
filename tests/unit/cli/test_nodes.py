"""`park nodes` and `park reserve` against a small park that keeps what it was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.cli.conftest import Run, one_json
from tests.unit.client.small_park import SmallPark

WINDOW: dict[str, Any] = {
    "window_id": "window-a", "nodes": ["h100-0", "h100-1"], "from_at": "2026-11-22T13:00:00.000Z",
    "to_at": "2026-11-22T15:00:00.000Z", "project": None, "why": "switch",
}  # fmt: skip
NODES: list[dict[str, Any]] = [
    {"node_id": "h100-0", "class": "h100", "state": "up", "why": "", "gpus": 8, "free_gpus": 3, "cpus": 64.0,
     "free_cpus": 59.5, "window": WINDOW,
     "jobs": [{"job_id": f"job-{at}", "name": f"train {at}", "state": "running", "tier": "flex"} for at in range(5)]},
    {"node_id": "cpu", "class": "cpu", "state": "drained", "why": "new fans", "gpus": 0, "free_gpus": 0, "cpus": 128.0,
     "free_cpus": 128.0, "window": None,
     "jobs": [{"job_id": None, "name": None, "state": "running", "tier": "green"}]},
]  # fmt: skip


class NodePark(SmallPark):
    """A small park with two machines."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, Any]] = []
        self.kept: list[dict[str, Any]] = [WINDOW]

    def _get_nodes(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, {"items": NODES, "next": None}, {}

    def _post_nodes(self, rest: list[str], _query: Any, _headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        self.said.append(("/".join(rest), json.loads(body) if body else None))
        return 200, NODES[0], {}

    def _get_windows(self, *_: Any) -> tuple[int, Any, dict[str, str]]:
        return 200, {"items": self.kept, "next": None}, {}

    def _post_windows(self, _rest: Any, _query: Any, _headers: Any, body: bytes) -> tuple[int, Any, dict[str, str]]:
        self.said.append(("windows", json.loads(body)))
        return 201, {**WINDOW, "project": json.loads(body)["project"] or None}, {}

    def _delete_windows(self, rest: list[str], *_: Any) -> tuple[int, Any, dict[str, str]]:
        self.said.append((f"delete {rest[0]}", None))
        return 200, WINDOW, {}


@pytest.fixture
def park(monkeypatch: pytest.MonkeyPatch) -> Any:
    from tests.unit.client.small_park import TOKEN, running

    with running(NodePark()) as found:
        monkeypatch.setenv("PARK_URL", found.url)
        monkeypatch.setenv("PARK_TOKEN", TOKEN)
        yield found


def test_machines_are_listed_with_what_is_free_and_when_they_close(park: NodePark, run: Run) -> None:
    rows = run("nodes").stdout.splitlines()
    assert rows[0].split() == ["node", "class", "state", "GPUs", "free", "CPUs", "free", "jobs", "closed"]
    text = " ".join(" ".join(rows).split())
    assert "h100-0 h100 up 3/8 59.5/64 train 0, train 1, train 2 +2" in text
    assert "2026-11-22 13:00 UTC to 2026-11-22 15:00 UTC: switch" in text
    assert "cpu cpu drained: new fans - 128/128 (not yours)" in text
    assert one_json(run("nodes", "--json"))["items"] == NODES


def test_drain_and_resume(park: NodePark, run: Run) -> None:
    result = run("nodes", "drain", "h100-0", "--why", "new fans")
    assert result.stdout == "h100-0 takes no new job.\n" and "5 jobs run on there." in result.stderr
    assert run("nodes", "resume", "h100-0").stdout == "h100-0 takes jobs again.\n"
    assert park.said == [("h100-0/drain", {"why": "new fans"}), ("h100-0/resume", None)]
    assert one_json(run("nodes", "resume", "h100-0", "--json"))["node_id"] == "h100-0"


def test_close_and_open(park: NodePark, run: Run) -> None:
    line = "window-a  h100-0, h100-1: 2026-11-22 13:00 UTC to 2026-11-22 15:00 UTC"
    told = run("nodes", "close", "h100-0", "h100-1", "--from", "1h", "--to", "3h", "--why", "switch")
    assert told.stdout == f"{line}: switch\n"
    assert run("nodes", "windows").stdout == f"{line}: switch\n"
    assert run("nodes", "open", "window-a").stdout == "h100-0, h100-1: open again.\n"
    body = {"nodes": ["h100-0", "h100-1"], "from": "1h", "to": "3h", "project": "", "why": "switch"}
    assert park.said == [("windows", body), ("delete window-a", None)]
    park.kept = []
    assert "no machine is closed" in run("nodes", "windows").stderr
    assert one_json(run("nodes", "windows", "--json")) == {"items": [], "next": None}
    park.kept = [{**WINDOW, "is_reserved": True, "why": ""}]  # whose it is, strangers are not told
    assert run("nodes", "windows").stdout == f"{line}, reserved\n"


def test_reserve_so_many_or_by_name(park: NodePark, run: Run) -> None:
    told = run("reserve", "--nodes", "2", "--to", "3h", "--project", "genomes").stdout
    assert told.endswith("15:00 UTC, kept for genomes: switch\n")
    run("reserve", "h100-0", "--to", "3h", "--project", "genomes")
    assert [{key: said[1].get(key) for key in ("nodes", "n_nodes")} for said in park.said] == [
        {"nodes": None, "n_nodes": 2},
        {"nodes": ["h100-0"], "n_nodes": None},
    ]
    for words in ((), ("h100-0", "--nodes", "2")):
        result = run("reserve", *words, "--to", "3h", "--project", "genomes")
        assert result.exit_code == 2 and "name machines, or say how many" in result.stderr
    assert run("reserve", "--nodes", "0", "--to", "3h", "--project", "genomes").exit_code == 2
    assert run("reserve", "h100-0", "--project", "genomes").exit_code == 2, "an end is needed"
