"""`park top`: one frame from a recorded state, the keys, and the whole of it on a terminal of 80 by 24."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.cli.conftest import Run, one_json
from tests.unit.client.small_park import JOB, SmallPark, ended, job_view, plan_json

from eureka_park.cli.keys import named
from eureka_park.cli.progress import ParkClock
from eureka_park.cli.top import _Top
from eureka_park.cli.top_frame import HELP, Screen, frame, salt_level

NOW_S = 1795341780.0  # 10:03 of the small park's day
WAITS = {"code": "clean_power", "text": "It needs 18 W of clean power.", "values": {}, "until": "2026-11-22T11:00:00Z"}
FRAME = """\
Sun and wind carry the park.
noor-iv ████████████████████   80.0 MW   koudia  █████                  20.0 MW
salt ██████████████████░░░░░░ 75%  park 60.0 MW · clean 90.0 MW
2 running, 1 queued                                                    10:03 UTC
name                 tier  state     waits/ran       why
training             flex  running   runs 2 min
sweep [3]            green frozen    runs 1 min      57 min: It needs 18 W of c…
digits               flex  queued    waits 3 min     57 min: It needs 18 W of c…



job-running
j k move   w why   l log   c cancel   / filter   ? help   q quit"""


def overview() -> Any:
    running = {"state": "running", "started_at": "2026-11-22T10:01:00Z"}
    frozen = {"state": "frozen", "started_at": "2026-11-22T10:02:00Z", "task_index": 3, "reasons": [WAITS]}
    return {
        "jobs": {"running": 2, "queued": 1, "paused": 0},
        "now": {**plan_json()["now"], "by_source_mw": {"noor-iv": 80.0, "koudia": 20.0}},
        "running": [
            job_view("job-running", name="training", **running),
            job_view("job-frozen", name="sweep", tier="green", **frozen),
        ],
        "waiting": [job_view(reasons=[WAITS])],
    }


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setattr("eureka_park.cli.progress.time.monotonic", lambda: 0.0)
    plan: Any = {**plan_json(), "start_s": NOW_S, "tes_mwh_th": {"a": [700.0], "b": [50.0]}}
    plan["tes_mwh_th_max"] = {"a": 900.0, "b": 100.0}
    return Screen(ParkClock(NOW_S, 0.0, 1.0), overview(), plan)


def lines(screen: Screen, width: int = 80, height: int | None = 13) -> list[str]:
    return [line.rstrip() for line in frame(screen, width, height).plain.split("\n")]


def test_a_frame(screen: Screen) -> None:
    assert "\n".join(lines(screen)) == FRAME


@pytest.mark.parametrize("width", [20, 40, 72, 80, 133, 200])
@pytest.mark.parametrize("height", [1, 5, 12, 24, 60])
def test_a_frame_fits_whatever_it_shows(screen: Screen, width: int, height: int) -> None:
    screen.overview["running"] *= 40  # type: ignore[index]
    screen.pane_lines = ["x" * 300] * 300
    for pane in ("jobs", "why", "log", "help"):
        screen.pane = pane
        found = frame(screen, width, height)
        assert found.plain.count("\n") == height - 1
        assert all(line.cell_len <= width for line in found.split("\n", allow_blank=True))


def test_the_selected_job_stays_in_sight_and_selected(screen: Screen) -> None:
    running = [
        job_view(f"job-{n}", name=f"n{n}", state="running", started_at="2026-11-22T10:00:00Z") for n in range(50)
    ]
    screen.overview["running"] = running  # type: ignore[index]
    screen.move(40)
    assert any(line.startswith("n40 ") for line in lines(screen, height=24))
    running.pop(0)
    assert screen.job()["job_id"] == "job-40"  # type: ignore[index]
    screen.move(10**6)
    assert screen.job()["job_id"] == JOB  # type: ignore[index]
    screen.move(-(10**6))
    assert screen.job()["job_id"] == "job-1"  # type: ignore[index]


def test_filter_and_empty_states(screen: Screen) -> None:
    screen.wanted = "SWEEP"
    assert [job["name"] for job in screen.jobs()] == ["sweep"]
    assert "filter: SWEEP" in lines(screen)[3]
    screen.wanted = "nothing like it"
    assert any("No job is like" in line for line in lines(screen))
    bare = Screen(screen.clock)
    assert lines(bare)[0] == "The park has no power plan yet."
    assert any("Submit one: park submit -- echo hello" in line for line in lines(bare))
    assert bare.job() is None and salt_level(bare) is None
    bare.move(1)


def test_nothing_from_a_job_steers_the_terminal(screen: Screen) -> None:
    screen.overview["running"][0]["name"] = "a\x1b[2Jb\n"  # type: ignore[index]
    screen.pane_lines = ["\x1b]0;x\x07"]
    for pane in ("jobs", "log", "why"):
        screen.pane = pane
        found = frame(screen, 80, 24).plain
        assert "\x1b" not in found and "\x07" not in found and found.count("\n") == 23


@pytest.fixture
def top(small: SmallPark) -> Iterator[_Top]:
    from eureka_park.client import Park

    small.add(name="first", reasons=[WAITS])
    small.add("job-second", name="second", state="running", started_at="2026-11-22T10:01:00Z")
    with Park() as here:
        yield _Top(here)


def test_keys(small: SmallPark, top: _Top) -> None:
    screen = top._screen
    assert [job["name"] for job in screen.jobs()] == ["second", "first"]
    assert top.press("j") and screen.job()["name"] == "first"  # type: ignore[index]
    assert top.press("w") and screen.pane == "why" and "11:00 UTC" in screen.pane_lines[0]
    assert top.press("x") and screen.pane == "jobs"
    small.log = b"one\n\ttwo\n"
    assert top.press("l") and list(screen.pane_lines) == ["one", "    two"]
    assert top.press("esc") and top.press("?") and screen.pane == "help" and top.press(" ")
    for key in ("c", "n"):
        assert top.press(key)
    assert not small.asked("cancel") and screen.note == "Nothing was cancelled."
    for key in ("c", "y"):
        assert top.press(key)
    assert small.asked(f"{JOB}/cancel") and "asked to end" in screen.note
    for key in ("/", "s", "x", "backspace", "e", "up"):
        assert top.press(key)
    assert screen.asks == "/se" and [job["name"] for job in screen.jobs()] == ["second"]
    assert top.press("enter") and screen.wanted == "se"
    assert top.press("esc") and screen.wanted == ""
    assert not top.press("q")


def test_errors_become_words_on_the_screen(small: SmallPark, top: _Top) -> None:
    small.jobs.clear()
    for key in ("w", "l", "c", "y"):
        assert top.press(key)
    assert "There is no job" in top._screen.note


def test_names_of_keys() -> None:
    assert [named(sent) for sent in ("\x1b[A", "\x1bOB", "\x1b", "\r", "\x7f", "é", "\x1b[9~")] == [
        "up", "down", "esc", "enter", "backspace", "é", "\x1b[9~",
    ]  # fmt: skip


def test_without_a_terminal_one_frame(small: SmallPark, run: Run) -> None:
    small.add(reasons=[WAITS])
    result = run("top")
    assert result.exit_code == 0 and "\x1b" not in result.stdout
    assert "Sun and wind carry the park." in result.stdout
    assert "It needs 18 W of clean power. (until 11:00 UTC" in result.stdout
    assert run("top", "--once").stdout == result.stdout
    assert [job["job_id"] for job in one_json(run("top", "--json"))["waiting"]] == [JOB]
    small.plan = None
    assert "no power plan yet" in run("top").stdout


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
@pytest.mark.parametrize("streams", [True, False])
def test_on_a_terminal(small: SmallPark, streams: bool) -> None:
    small.add(name="first", reasons=[WAITS])
    small.streams = streams
    lead, follower = pty.openpty()
    set_size(follower)
    env = {**os.environ, "TERM": "xterm"}
    env = {name: value for name, value in env.items() if name not in {"COLUMNS", "LINES"}}
    command = [sys.executable, "-m", "eureka_park.cli", "top"]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=env) as process:
        os.close(follower)
        until(lead, lambda seen: b"first" in seen)
        small.add("job-later", name="later-one", state="running", started_at="2026-11-22T10:01:00Z")
        until(lead, lambda seen: b"later-one" in seen)
        os.write(lead, b"?")
        until(lead, lambda seen: HELP[0][:20].encode() in seen)
        os.write(lead, b"x")
        small.jobs["job-later"].update(ended())
        os.write(lead, b"q")
        last = until(lead, lambda seen: b"\x1b[?1049l" in seen)
        assert process.wait(20) == 0
    os.close(lead)
    assert b"Traceback" not in last


def set_size(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))


def until(descriptor: int, found: Callable[[bytes], bool], wait_s: float = 30.0) -> bytes:
    seen, end_s = b"", time.monotonic() + wait_s
    while not found(seen):
        assert time.monotonic() < end_s, seen[-2000:]
        if select.select([descriptor], [], [], 0.2)[0]:
            seen += os.read(descriptor, 65536)
    return seen
