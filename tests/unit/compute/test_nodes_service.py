"""Machines and their windows: who may close what, and what is told before the deciding process has taken it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest

from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.adapters.database import SqlDatabase
from eureka_park.compute import store
from eureka_park.compute.board_facts import BoardFacts, Window
from eureka_park.compute.nodes_service import Machine, NodesService
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound

NOW_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
HOUR = 3600.0
GIB = 1024**3
MACHINES = (
    *(Machine(f"h100-{at}", "h100", 8, 64.0, 512 * GIB) for at in range(4)),
    Machine("cpu", "cpu", 0, 128.0, 256 * GIB),
)
OPERATOR = Principal("person-a", "ada", True, frozenset())
MEMBER = Principal("person-b", "ben", False, frozenset({"solar"}))


class World:
    """A service over a database of its own; `facts` and `jobs` are what others would tell."""

    def __init__(self, db: SqlDatabase) -> None:
        self.db = db
        self.clock, numbers = SteppedClock(NOW_S), count()

        def entropy(n: int) -> bytes:
            return hashlib.shake_256(str(next(numbers)).encode()).digest(n)

        self.accounts = AccountsService(self.db, self.clock, entropy)
        self.accounts.ensure_project("solar", "Solar", True)
        self.facts, self.jobs, self.n_woken = BoardFacts(), list[dict[str, Any]](), 0
        self.service = NodesService(
            self.db,
            self.clock,
            self.accounts,
            MACHINES,
            on_nodes=lambda _who, _limit: self.jobs,
            board_facts=lambda: self.facts,
            entropy=entropy,
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.n_woken += 1

    def run(self, *nodes: str, gpus: int = 2, name: str | None = "train") -> None:
        job_id = None if name is None else f"job-{len(self.jobs)}"
        self.jobs.append({"job_id": job_id, "name": name, "node": nodes[0], "nodes": list(nodes), "state": "running",
                          "tier": "flex", "cpus": 4.0, "gpus": gpus, "cap_frac": 1.0})  # fmt: skip

    def node(self, name: str, who: Principal | None = OPERATOR) -> dict[str, Any]:
        return next(item for item in self.service.nodes(who) if item["node_id"] == name)

    def commands(self) -> list[dict[str, Any]]:
        with self.db.read() as conn:
            return store.open_commands(conn, 100)

    def posted(self) -> list[tuple[str, str]]:
        return [(item["kind"], item["job_id"]) for item in self.commands()]

    def take(self) -> None:
        """Let the deciding process have taken all commands: what they said is in its facts from now on."""
        self.facts = self.service._facts()
        self.close_commands()

    def close_commands(self) -> None:
        with self.db.write() as conn:
            store.close_commands(conn, [item["inbox_seq"] for item in store.open_commands(conn, 100)], 1)


@pytest.fixture
def world(database: SqlDatabase) -> World:
    return World(database)


def test_what_is_free_follows_from_the_jobs(world: World) -> None:
    world.run("h100-0", gpus=3)
    world.run("h100-0", gpus=1)
    world.run("h100-1", "h100-2", gpus=8, name=None)
    node = world.node("h100-0")
    assert (node["free_gpus"], node["free_cpus"], len(node["jobs"]), node["state"]) == (4, 56.0, 2, "up")
    assert [world.node(f"h100-{at}")["free_gpus"] for at in (1, 2, 3)] == [0, 0, 8]
    assert world.node("h100-2")["jobs"] == [{"job_id": None, "name": None, "state": "running", "tier": "flex"}]
    assert world.node("cpu")["gpus"] == 0 and world.node("cpu")["class"] == "cpu"


def test_a_drained_machine_is_told_at_once_and_after_it_was_taken(world: World) -> None:
    assert world.service.drain(OPERATOR, "h100-3", "  new\nfans ")["state"] == "drained"
    assert world.posted() == [("node_down", "h100-3")] and world.n_woken == 1
    for _ in range(2):
        assert (world.node("h100-3")["state"], world.node("h100-3")["why"]) == ("drained", "new fans")
        assert world.node("h100-3", MEMBER)["why"] == world.node("h100-3", None)["why"] == ""
        world.take()
    assert world.service.resume(OPERATOR, "h100-3")["state"] == "up"
    with pytest.raises(Conflict):
        world.service.resume(OPERATOR, "h100-3")


def test_only_operators_change_anything(world: World) -> None:
    acts: tuple[Callable[[Principal], Any], ...] = (
        lambda who: world.service.drain(who, "h100-0", ""),
        lambda who: world.service.resume(who, "h100-0"),
        lambda who: world.service.close(who, nodes=["h100-0"], to="2h"),
        lambda who: world.service.open_again(who, "window-a"),
    )
    for act in acts:
        with pytest.raises(Forbidden):
            act(MEMBER)
    assert world.posted() == []


def test_a_window_is_set_and_taken_back(world: World) -> None:
    world.facts = BoardFacts(windows=(Window("window-old", ("cpu",), NOW_S - 2 * HOUR, NOW_S - HOUR),))
    made = world.service.close(
        OPERATOR, nodes=["h100-1", "h100-0", "h100-1"], from_="1h", to="3h", project="solar", why="a course"
    )
    assert (made["nodes"], made["project"]) == (["h100-1", "h100-0"], "solar")
    assert (made["from_at"], made["to_at"]) == ("2026-11-22T13:00:00.000Z", "2026-11-22T15:00:00.000Z")
    for _ in range(2):
        assert [item["window_id"] for item in world.service.windows(OPERATOR)] == [made["window_id"]]
        assert world.node("h100-0")["window"] == made and world.node("h100-2")["window"] is None
        assert world.service.windows(None)[0]["why"] == ""
        world.take()
    world.service.open_again(OPERATOR, made["window_id"])
    assert world.service.windows(OPERATOR) == [] and world.node("h100-0")["window"] is None
    for name in (made["window_id"], "window-old", "window-none"):
        with pytest.raises(NotFound):
            world.service.open_again(OPERATOR, name)


def test_whose_a_window_is_only_its_members_and_operators_see(world: World) -> None:
    made = world.service.close(OPERATOR, nodes=["h100-0"], from_="1h", to="3h", project="solar")
    closed = world.service.close(OPERATOR, nodes=["h100-1"], from_="1h", to="3h")
    assert (made["is_reserved"], closed["is_reserved"]) == (True, False)
    stranger = Principal("person-c", "cem", False, frozenset({"genomes"}))
    for who, project in ((OPERATOR, "solar"), (MEMBER, "solar"), (stranger, None), (None, None)):
        for window in (world.service.windows(who)[0], world.node("h100-0", who)["window"]):
            assert (window["project"], window["is_reserved"]) == (project, True)
        assert world.node("h100-1", who)["window"]["project"] is None
        assert world.node("h100-1", who)["window"]["is_reserved"] is False


def test_an_overlap_is_refused_with_its_place(world: World) -> None:
    first = world.service.close(OPERATOR, nodes=["h100-0", "h100-1"], from_="1h", to="3h")
    with pytest.raises(Conflict) as caught:
        world.service.close(OPERATOR, nodes=["h100-2", "h100-1"], from_="2h", to="4h")
    assert "h100-1 is closed for maintenance from 2026-11-22T13:00Z to 2026-11-22T15:00Z" in caught.value.message
    assert first["window_id"] in caught.value.message and "2026-11-22T15:00Z" in caught.value.fix
    world.service.close(OPERATOR, nodes=["h100-0", "h100-1"], from_="3h", to="4h", project="solar")
    world.service.close(OPERATOR, nodes=["h100-2"], from_="2h", to="4h")
    with pytest.raises(Conflict, match="kept for solar"):
        world.service.close(OPERATOR, nodes=["h100-0"], from_="3h30m", to="9h")


def test_of_overlapping_windows_that_are_asked_for_at_once_one_stands(world: World) -> None:
    """Each looks for windows before either has written its own, unless looking and writing are one."""
    together = Barrier(2)

    def facts() -> BoardFacts:
        with suppress(BrokenBarrierError):
            together.wait(timeout=0.3)
        return BoardFacts()

    def close(nodes: list[str]) -> str:
        try:
            return str(world.service.close(OPERATOR, nodes=nodes, n_nodes=0 if nodes else 4, from_="1h", to="3h"))
        except (Conflict, BadInput) as error:
            return error.code

    world.service._board_facts = facts
    wanted: tuple[list[list[str]], ...] = ([["h100-0"], ["h100-1", "h100-0"]], [["h100-2"], ["h100-2"]], [[], []])
    for asked in wanted:
        together.reset()
        with ThreadPoolExecutor(2) as pool:
            told = list(pool.map(close, asked))
        assert sum(text in ("window_overlaps", "not_so_many") for text in told) == (1 if asked[0] else 2), told
    windows = [Window.from_json(item["payload"]["window"]) for item in world.commands()]
    assert len(windows) == 2 and not windows[0].overlaps(windows[1])


def test_a_window_that_was_taken_but_is_not_told_yet_stands_in_the_way(world: World) -> None:
    made = world.service.close(OPERATOR, nodes=["h100-0"], from_="1h", to="3h")
    world.close_commands()  # the deciding process writes what it tells a moment later
    with pytest.raises(Conflict, match=made["window_id"]):
        world.service.close(OPERATOR, nodes=["h100-0"], from_="2h", to="4h")
    world.service.open_again(OPERATOR, made["window_id"])
    world.close_commands()
    assert world.service.close(OPERATOR, nodes=["h100-0"], from_="2h", to="4h")["nodes"] == ["h100-0"]


def test_so_many_of_one_class_are_the_emptiest_without_a_window(world: World) -> None:
    world.run("h100-0")
    world.run("h100-1", "h100-2")
    world.run("h100-2")
    world.service.close(OPERATOR, nodes=["h100-3"], from_="1h", to="2h")
    made = world.service.close(OPERATOR, n_nodes=2, from_="1h", to="3h", project="solar")
    assert made["nodes"] == ["h100-0", "h100-1"]
    assert "h100-3" in world.service.close(OPERATOR, n_nodes=2, from_="3h", to="4h", project="solar")["nodes"]
    world.service.drain(OPERATOR, "h100-2", "")
    with pytest.raises(BadInput, match="the most that are: 1"):
        world.service.close(OPERATOR, n_nodes=2, from_="1h", to="2h")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"nodes": ["h100-0"], "from_": "2026-11-22T11:00:00Z", "to": "2h"}, "from"),
        ({"nodes": ["h100-0"], "from_": "2h", "to": "2h"}, "to"),
        ({"nodes": ["h100-0"], "to": "2026-11-22T11:00:00Z"}, "to"),
        ({"nodes": ["h100-0"], "to": "2h", "project": "none"}, "project"),
        ({"nodes": ["h100-0"], "n_nodes": 2, "to": "2h"}, "nodes"),
        ({"to": "2h"}, "nodes"),
        ({"n_nodes": -1, "to": "2h"}, "n_nodes"),
        ({"n_nodes": 9, "to": "2h"}, "n_nodes"),
        ({"nodes": ["h100-0"], "to": "2h", "why": "x" * 201}, "why"),
        ({"nodes": ["h100-0"], "to": "soon"}, None),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(world: World, asked: dict[str, Any], field: str | None) -> None:
    with pytest.raises(BadInput) as caught:
        world.service.close(OPERATOR, **asked)
    assert caught.value.fix and (field is None or caught.value.field == field)
    assert world.posted() == []


def test_unknown_machines_are_not_there(world: World) -> None:
    for act in (world.service.drain, lambda who, name, _: world.service.close(who, nodes=[name], to="1h")):
        with pytest.raises(NotFound, match="no machine"):
            act(OPERATOR, "h100-9", "")


def test_what_operators_do_to_machines_is_in_the_audit_log(world: World) -> None:
    world.service.drain(OPERATOR, "cpu", "new fans")
    entry = world.accounts.audit.newest(limit=1)[0]
    assert (entry["act"], entry["who"], entry["thing"]) == ("node.drained", OPERATOR.person_id, "cpu")
