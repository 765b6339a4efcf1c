"""The desk of runs: one at a time, a line that is told, an early end, children that fail, what is kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.kept_runs import Scripted, record_of

from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, RateLimited, Unavailable
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin import run_shelf
from eureka_park.twin.run_desk import LINE_MAX, RunDesk, RunStatus
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_question import EXAMPLE, Question
from eureka_park.twin.run_shelf import RunShelf

PARK = load_site("eureka-park")
OTHER = replace(EXAMPLE, policy="fcfs-easy")


class Scene:
    """A desk whose children wait at their gates, on a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.now_s = 100.0
        self.children: list[Scripted] = []
        self.desk = RunDesk(PARK, folder / "twin", ("all-plants",), self.begin, lambda: self.now_s)

    def begin(self, request: Mapping[str, Any]) -> Scripted:
        self.children.append(Scripted(request))
        return self.children[-1]

    def child(self, at: int = 0) -> Scripted:
        self.until(lambda: len(self.children) > at)
        return self.children[at]

    def until(self, holds: Callable[[], Any]) -> None:
        end = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < end
            time.sleep(0.002)

    def state(self, question: Question) -> RunStatus:
        found = self.desk.status(question.run_id)
        assert found is not None
        return found

    def over(self, question: Question) -> RunStatus:
        self.until(lambda: self.state(question).is_over)
        return self.state(question)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.desk.close()


def test_a_run_is_played_kept_and_not_played_again(scene: Scene) -> None:
    assert scene.desk.ask(EXAMPLE, "me").state == "waiting"
    child = scene.child()
    scene.until(lambda: scene.state(EXAMPLE).played_frac == 0.5)
    running = scene.state(EXAMPLE)
    assert (running.state, running.part) == ("running", "play") and 0.0 <= running.done_frac < 1.0 < running.left_s + 1
    child.gate.set()
    assert scene.over(EXAMPLE).state == "done"
    assert scene.desk.ask(EXAMPLE, "you").state == "done" and len(scene.children) == 1
    summary = scene.desk.shelf.summary(EXAMPLE.run_id)
    assert summary is not None and summary.question == EXAMPLE and summary.figures["cfe_frac"] == 0.8


def test_one_is_played_at_a_time_and_the_line_is_told(scene: Scene) -> None:
    scene.desk.ask(EXAMPLE, "a")
    scene.child()
    second = scene.desk.ask(OTHER, "b")
    third = scene.desk.ask(replace(EXAMPLE, seed=2), "c")
    assert (second.place, third.place) == (1, 2) and third.left_s > second.left_s > 0
    assert [item.state for item in scene.desk.all()] == ["running", "waiting", "waiting"]
    time.sleep(0.02)
    assert len(scene.children) == 1
    for at in range(3):
        scene.child(at).gate.set()
    assert {scene.over(replace(EXAMPLE, seed=2)).state, scene.over(OTHER).state} == {"done"}


def test_the_line_ends_and_nobody_fills_it(scene: Scene) -> None:
    scene.desk.ask(EXAMPLE, "a")
    scene.child()
    scene.desk.ask(OTHER, "a")
    with pytest.raises(RateLimited):
        scene.desk.ask(replace(EXAMPLE, seed=9), "a")
    for seed in range(2, LINE_MAX + 1):
        scene.desk.ask(replace(EXAMPLE, seed=seed), f"person {seed}")
    with pytest.raises(Unavailable):
        scene.desk.ask(replace(EXAMPLE, seed=99), "somebody")


def test_who_asked_ends_a_run_early_and_its_days_are_kept(scene: Scene) -> None:
    scene.desk.ask(EXAMPLE, "a")
    scene.child()
    scene.until(lambda: scene.state(EXAMPLE).state == "running")
    with pytest.raises(Forbidden):
        scene.desk.cancel(EXAMPLE.run_id, "b", is_operator=False)
    scene.desk.cancel(EXAMPLE.run_id, "a", is_operator=False)
    over = scene.over(EXAMPLE)
    assert over.state == "stopped" and over.done_frac == pytest.approx(0.5)
    with pytest.raises(Conflict):
        scene.desk.cancel(EXAMPLE.run_id, "a", is_operator=False)
    scene.desk.ask(EXAMPLE, "a")  # one that was ended early is played anew
    scene.child(1).gate.set()
    assert scene.over(EXAMPLE).state == "done"


def test_a_run_in_line_leaves_it(scene: Scene) -> None:
    scene.desk.ask(EXAMPLE, "a")
    scene.child()
    scene.desk.ask(OTHER, "b")
    assert scene.desk.cancel(OTHER.run_id, "operator", is_operator=True).state == "stopped"
    scene.child().gate.set()
    scene.over(EXAMPLE)
    time.sleep(0.02)
    assert len(scene.children) == 1
    with pytest.raises(NotFound):
        scene.desk.cancel(replace(EXAMPLE, seed=5).run_id, "a", is_operator=True)


@pytest.mark.parametrize(
    ("answer", "exit_status", "told"),
    [
        ({"error": "The disk is full.", "fix": "Make room."}, 0, "The disk is full."),
        ({}, 1, "without an answer"),
        ({}, -9, "too little memory or time"),
    ],
)
def test_a_child_that_fails_is_told_and_the_next_is_played(
    scene: Scene, answer: dict[str, Any], exit_status: int, told: str
) -> None:
    scene.desk.ask(EXAMPLE, "a")
    scene.desk.ask(OTHER, "a")
    child = scene.child()
    child.answer, child.exit_status = answer, exit_status
    child.gate.set()
    over = scene.over(EXAMPLE)
    assert over.state == "failed" and told in over.error and over.fix
    scene.child(1).gate.set()
    assert scene.over(OTHER).state == "done"


def test_a_failed_example_is_tried_again_after_a_while(scene: Scene) -> None:
    scene.desk.example()
    child = scene.child()
    child.exit_status = 1
    child.gate.set()
    scene.over(EXAMPLE)
    with pytest.raises(Unavailable):
        scene.desk.example()
    scene.now_s += 61.0
    scene.desk.example()
    scene.child(1).gate.set()
    assert scene.over(EXAMPLE).state == "done" and scene.desk.example().state == "done"


def test_closing_ends_what_is_played(scene: Scene) -> None:
    scene.desk.ask(EXAMPLE, "a")
    child = scene.child()
    scene.until(lambda: scene.state(EXAMPLE).part == "play")
    scene.desk.close()
    assert child.is_killed and scene.over(EXAMPLE).state == "failed"


def test_the_oldest_runs_go_and_the_example_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_shelf, "KEPT", 2)
    shelf = RunShelf(tmp_path)
    asked = [EXAMPLE, *(replace(EXAMPLE, seed=seed) for seed in (2, 3, 4))]
    for at, question in enumerate(asked):
        write_run(shelf.path(question.run_id), record_of(question, 14.0))
        _age(shelf.path(question.run_id), at)
    (tmp_path / "lock").touch()
    shelf.prune()
    assert shelf.ids() == [asked[3].run_id, asked[2].run_id, EXAMPLE.run_id]
    assert shelf.record(asked[1].run_id) is None and (tmp_path / "lock").exists()


def _age(path: Path, at: int) -> None:
    import os

    os.utime(path / "run.json", ns=(at * 10**9, at * 10**9))


def test_damaged_runs_and_wrong_ids_are_no_runs(tmp_path: Path) -> None:
    shelf = RunShelf(tmp_path)
    write_run(shelf.path(EXAMPLE.run_id), record_of(EXAMPLE, 14.0))
    (shelf.path(EXAMPLE.run_id) / "hours.csv").write_text("hour_s\n")
    assert shelf.record(EXAMPLE.run_id) is None
    (shelf.path(EXAMPLE.run_id) / "run.json").write_text('{"request": {"question": {"nights": 1}}}')
    assert shelf.summary(EXAMPLE.run_id) is None and shelf.summary("0" * 20) is None
    with pytest.raises(BadInput):
        shelf.path("../../etc")
