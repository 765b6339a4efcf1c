"""A newcomer's first hour with a park, told as a transcript: what they type, what they read, with which exit code.

The stored transcript is tests/stories/expected/first_park.txt; ids, instants, figures of energy and other things that
differ from run to run are masked. PARK_STORY_UPDATE=1 writes it anew.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

from tests.helpers.running_park import RunningPark, wait_for

EXPECTED = Path(__file__).parent / "expected" / "first_park.txt"
MASKS = (
    # What goes on meanwhile is told when it lasts: on a slow machine more of it.
    (r"^park: job-[A-Z](?: (?:waits|runs), .* so far.*| is being prepared.*)\n", ""),
    (r"http://localhost:\d+", "http://localhost:PORT"),
    (r"code=\S+", "code=CODE"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "INSTANT"),
    (r"\[[\d.]+ s\]", "[N s]"),
    (r"ran \d+ s", "ran N s"),
    (r"[\d.]+(e-\d+)? (m|k|M)?Wh\b", "N Wh"),
    (r"[\d.]+(e-\d+)? credits", "N credits"),
    (r"\b(measured|modelled)\b", "METHOD"),
    (r"\b(rlimits|landlock|container|container-cgroup)$", "LEVEL"),
    (r"\./park ", "park "),  # as it is called in a clone
    (r" {2,}", "  "),
)
SMALL = ("--cpus", "0.1", "--memory", "64MiB")


class Transcript:
    """Types commands and writes down what comes back."""

    def __init__(self, running: RunningPark, folder: Path) -> None:
        self.running, self.folder = running, folder
        self.text = ""
        self._names: dict[str, str] = {}

    def note(self, line: str) -> None:
        """A line between the commands."""
        self.text += f"\n# {line}\n"

    def type(self, *words: str, code: int = 0) -> str:
        """One `park` command; its standard output, unmasked."""
        done = self.running.ask(*words, folder=self.folder)
        self.text += self.mask(f"$ park {shlex.join(words)}\n{done.stdout}{done.stderr}[{done.exit_code}]\n")
        assert done.exit_code == code, self.text
        return done.stdout

    def submit(self, *words: str) -> str:
        """`park submit`; the id."""
        return self.type("submit", *words).strip()

    def said(self, text: str) -> None:
        """What `park up` itself said."""
        self.text += self.mask(text)

    def mask(self, text: str) -> str:
        """Take out what differs from run to run."""
        for found in re.findall(r"job-[a-z0-9]{16}", text):
            self._names.setdefault(found, f"job-{chr(ord('A') + len(self._names))}")
        for found, name in self._names.items():
            text = text.replace(found, name)
        text = text.replace(str(self.running.home), "HOME")
        text = "".join(f"{line.rstrip()}\n" for line in text.splitlines())
        for pattern, word in MASKS:
            text = re.sub(pattern, word, text, flags=re.MULTILINE)
        return text


def check_receipt(receipt: dict[str, Any]) -> None:
    """A receipt adds up: by source, by hour, and in money."""
    assert receipt["kwh"] > 0
    assert receipt["kwh"] > receipt["it_kwh"] > 0
    assert abs(sum(receipt["kwh_by_source"].values()) - receipt["kwh"]) < 1e-8
    assert abs(sum(hour["kwh"] for hour in receipt["hours"]) - receipt["kwh"]) < 1e-8
    for hour in receipt["hours"]:
        assert abs(sum(hour["kwh_by_source"].values()) - hour["kwh"]) < 1e-8
    assert abs(sum(hour["gco2"] for hour in receipt["hours"]) - receipt["gco2"]) < 2e-6
    assert receipt["scale_model"] is True


def test_the_first_hour(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "measure.sh").write_text(
        'echo "measuring with $1"\nprintf "1\\n2\\n3\\n" > "$PARK_OUTPUT_DIR/table.txt"\n'
        'mkdir "$PARK_OUTPUT_DIR/raw"; head -c 300000 /dev/zero | tr "\\0" x > "$PARK_OUTPUT_DIR/raw/signal"\n'
    )
    with RunningPark(tmp_path) as running:
        tale = Transcript(running, folder)
        tale.said(running.said.read_text())
        tell_of_one_job(tale)
        tell_of_exit_codes(tale)
        tell_of_arrays_and_order(tale)
        tell_of_leaving_and_coming_back(tale)
    if os.environ.get("PARK_STORY_UPDATE"):
        EXPECTED.write_text(tale.text)
    assert tale.text == EXPECTED.read_text()


def tell_of_one_job(tale: Transcript) -> None:
    tale.note("one script, from submission to receipt")
    tale.type("jobs")
    job = tale.submit("measure.sh", *SMALL, "--name", "first", "--", "care")
    tale.type("wait", job)
    tale.type("logs", job)
    tale.type("jobs")
    tale.type("show", job)
    tale.type("why", job)
    done = tale.running.ask("receipt", job, "--json")
    check_receipt(json.loads(done.stdout))
    tale.type("get", job, "--to", "results")
    written = tale.running.home / "jobs" / job / "out"
    for name in ("table.txt", "raw/signal"):
        assert (tale.folder / "results" / name).read_bytes() == (written / name).read_bytes()
    assert (tale.folder / "results" / "table.txt").read_text() == "1\n2\n3\n"


def tell_of_exit_codes(tale: Transcript) -> None:
    tale.note("the exit code of wait is the job's own")
    tale.type("submit", *SMALL, "--wait", "--", "sh", "-c", "exit 7", code=7)
    job = tale.submit(*SMALL, "--", "sh", "-c", "kill -9 $$")
    tale.type("wait", job, code=137)
    job = tale.submit(*SMALL, "--name", "long", "--", "sleep", "600")
    tale.running.park.wait(job, 20.0, until="running")
    tale.type("wait", job, "--timeout", "1s", code=124)
    tale.type("cancel", job)
    tale.type("wait", job, code=143)
    tale.type("wait", "job-0000000000000000", code=125)


def tell_of_arrays_and_order(tale: Transcript) -> None:
    tale.note("many tasks, and one that comes after")
    array = tale.submit(*SMALL, "--name", "many", "--array", "3", "--", "sh", "-c", "echo task $PARK_ARRAY_INDEX")
    after = tale.submit(*SMALL, "--name", "last", "--after", array, "--", "echo", "all tasks are done")
    tale.type("wait", after)
    for index in range(3):
        tale.type("logs", f"{array}[{index}]")
    views = [tale.running.park.view(f"{array}[{index}]") for index in range(3)]
    begin = tale.running.park.view(after)["started_at"]
    assert begin is not None
    assert all(view["ended_at"] is not None and view["ended_at"] <= begin for view in views)
    bad = tale.submit(*SMALL, "--", "sh", "-c", "sleep 3; exit 1")
    never = tale.submit(*SMALL, "--after", bad, "--", "echo", "never")
    tale.type("wait", never, code=143)
    tale.type("why", never)
    tale.type("submit", "--after", bad, "--", "echo", "never", code=1)
    assert tale.running.log(never) == ""


def tell_of_leaving_and_coming_back(tale: Transcript) -> None:
    running = tale.running
    tale.note("the park is stopped by SIGTERM; its jobs run on and are found again")
    soon = tale.submit(*SMALL, "--name", "soon", "--", "sh", "-c", "echo begin; sleep 3; exit 5")
    long = tale.submit(*SMALL, "--name", "long", "--", "sh", "-c", "echo begin; sleep 600")
    running.says(soon, "begin")
    running.says(long, "begin")
    tale.said(running.stop())
    assert running.supervisor(long).is_alive()
    tale.type("jobs", code=125)
    wait_for(lambda: not running.supervisor(soon).is_alive(), "the short job ends while there is no park")
    running.start_again()
    tale.type("wait", soon, code=5)
    assert running.log(soon) == running.log(long) == "begin\n", "neither began a second time"
    assert running.park.view(long)["state"] == "running"
    tale.type("down", "--jobs")
    tale.type("down", code=125)
    assert not running.supervisor(long).is_alive()
    states = running.opened(lambda park: park.compute.counts())
    assert "running" not in states
    assert running.opened(lambda park: park.ledger.verify()) == []
