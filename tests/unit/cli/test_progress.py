"""Progress: a live line on a terminal, plain lines for what lasts elsewhere, nothing on stdout or when quiet."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Run
from tests.unit.client.small_park import JOB, STATUS, SmallPark, ended, job_view

from eureka_park.cli import progress
from eureka_park.cli.progress import Line, ParkClock, bar, got_line, sent_line, state_line
from eureka_park.client import Park, Sent
from eureka_park.foundation.errors import Unavailable

REASON = {"code": "clean_power", "text": "Waits for clean power.", "values": {}, "until": "2026-11-22T11:00:00Z"}


def clock(pace: float = 1.0) -> ParkClock:
    """At 10:03 of the small park's day."""
    return ParkClock(1795341780.0, time.monotonic(), pace)


def test_a_state_in_words() -> None:
    assert state_line(job_view(reasons=[REASON]), clock()) == (
        f"{JOB} waits, 3 min so far: Waits for clean power. (until 11:00 UTC, in 57 min)"
    )
    assert "in 57 s" in state_line(job_view(reasons=[REASON]), clock(60.0))
    assert state_line(job_view(), clock()) == f"{JOB} waits, 3 min so far"
    assert state_line(job_view(state="starting"), clock()) == f"{JOB} is being prepared: environment and files"
    running = job_view(state="running", started_at="2026-11-22T10:01:00Z", cap_frac=0.5)
    assert state_line(running, clock()) == f"{JOB} runs, 2 min so far, at 50% of its power"
    assert state_line(job_view(state="frozen", reasons=[{**REASON, "until": None}]), clock()).endswith(
        "is frozen: Waits for clean power."
    )
    assert "\x1b" not in state_line(job_view(reasons=[{**REASON, "text": "a\x1b[2J"}]), clock())


def test_bytes_in_words() -> None:
    assert sent_line(Sent(3, 0, 0)) == "looking at 3 files"
    assert sent_line(Sent(3, 4 * 2**20, 2**20)) == f"{bar(0.25)} sending 1.0 of 4.0 MiB"
    assert got_line("a\x1bb", 0, 0).startswith("█" * progress.BAR_WIDTH)
    assert bar(-1) == "░" * progress.BAR_WIDTH and bar(2) == "█" * progress.BAR_WIDTH


def test_plain_lines_for_what_lasts_once_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now_s[0])
    with Line() as line:
        for second in range(20):
            now_s[0] = float(second)
            line.show("a" if second < 10 else "b", lambda: f"{now_s[0]:g} s")
    assert capsys.readouterr().err == "park: 5 s\npark: 15 s\n"
    now_s[0] = 100.0
    with Line() as line:
        line.show("", str)
    assert capsys.readouterr().err == ""
    with Line(quiet=True) as line:
        for second in range(20):
            now_s[0] = float(second)
            line.show("a", str)
    assert capsys.readouterr() == ("", "")


def test_watch_tells_every_change_and_the_end(small: SmallPark, park_client: Park) -> None:
    small.add()
    seen: list[str] = []
    for view in park_client.watch(JOB):
        seen.append(view["state"])
        small.jobs[JOB].update({"queued": {"state": "running"}, "running": ended()}.get(view["state"], {}))
    assert seen == ["queued", "running", "finished"]
    small.add(state="running")
    with pytest.raises(Unavailable, match="still running") as caught:
        list(park_client.watch(JOB, 0.1))
    assert caught.value.code == "timed_out"


@pytest.fixture
def park_client(small: SmallPark) -> Iterator[Park]:
    with Park() as client:
        yield client


def test_quiet_says_nothing_beside_the_output(small: SmallPark, run: Run) -> None:
    small.add(**ended())
    small.log = b"line\n"
    assert (run("wait", JOB, "-q").output, run("logs", "-f", JOB, "--quiet").output) == ("", "line\n")
    assert run("get", JOB, "--quiet").output == ""
    submitted = run("submit", "--quiet", "--", "true")
    assert submitted.output.startswith("job-") and submitted.output.count("\n") == 1


def test_how_far_an_upload_and_a_download_are(small: SmallPark, tmp_path: Path, park_client: Park) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "large").write_bytes(os.urandom(700_000))
    (tmp_path / "folder" / "small").write_bytes(b"x")
    sent: list[Sent] = []
    park_client.submit(["true"], folder=tmp_path / "folder", told=sent.append)
    assert sent[0] == Sent(2, 0, 0) and sent[-1] == Sent(2, 700_001, 700_001)
    assert [item.sent_bytes for item in sent] == sorted(item.sent_bytes for item in sent)
    assert len(sent) >= 5
    small.add(**ended())
    small.outputs = {"model": b"x" * 3_000_000}
    got: list[tuple[str, int, int]] = []
    park_client.get(JOB, to=tmp_path, told=lambda *told: got.append(told))
    assert got[-1] == ("model", 3_000_000, 3_000_000) and len(got) >= 3


@pytest.mark.skipif(os.name == "nt", reason="pseudo-terminals")
def test_a_terminal_gets_a_live_line_and_a_clean_end(small: SmallPark) -> None:
    small.add(reasons=[REASON])
    lead, follower = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "eureka_park.cli", "wait", JOB]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=env) as process:
        os.close(follower)
        seen, end_s = b"", time.monotonic() + 30
        while b"Waits for clean power" not in seen and time.monotonic() < end_s:
            seen += os.read(lead, 4096) if select.select([lead], [], [], 1.0)[0] else b""
        small.jobs[JOB].update(ended())
        reader = threading.Thread(target=lambda: process.wait(30))
        reader.start()
        while process.poll() is None or select.select([lead], [], [], 0.1)[0]:
            try:
                seen += os.read(lead, 4096) if select.select([lead], [], [], 0.2)[0] else b""
            except OSError:
                break
        reader.join()
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(lead)
    assert process.returncode == 0
    assert f"park: {JOB} finished".encode() in seen
    assert STATUS["pace"] == 1.0 and b"until 11:00 UTC" in seen
