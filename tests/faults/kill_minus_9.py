"""kill -9 of a real park's processes at random moments while jobs run; then everything is counted.

    python tests/faults/kill_minus_9.py --kills 100 --seed 1

Prints one JSON summary and ends with code 0 when nothing was lost, run twice or told wrongly. It stops by itself.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.running_park import RunningPark

from eureka_park import bootstrap
from eureka_park.client.views import ENDED
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.ids import folder_name
from eureka_park.live.journal import open_state

# What is killed, and how often of a hundred; "all" is parent, live and web in one blow, as when memory runs out.
MOMENTS = {("live",): 46, ("web",): 28, ("live", "web"): 14, ("parent",): 6, ("live", "web", "parent"): 6}
CODES = (0, 0, 0, 3, 7, -9)
JOB = """echo "begin $PARK_JOB_ID $PARK_ATTEMPT"
echo "$PARK_JOB_ID $PARK_ATTEMPT" >> "$PARK_OUTPUT_DIR/marks"
sleep {seconds}
{end}"""
SETTLE_S = 120.0


@dataclass
class Storm:
    """One run: a stream of jobs, a stream of kills, and the count at the end."""

    running: RunningPark
    n_kills: int
    seed: int
    seconds: float
    jobs_per_s: float = 3.0
    meant: dict[str, int] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    n_kills_with_jobs: int = 0
    n_parent_starts: int = 0
    n_refused: int = 0
    _before: frozenset[str] = frozenset()
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> dict[str, Any]:
        """The whole of it; the summary."""
        self._before = frozenset(view["job_id"] for view in self.running.park.jobs())
        sender = threading.Thread(target=self._send_jobs)
        sender.start()
        try:
            self._kill()
        finally:
            self._over.set()
            sender.join(2 * SETTLE_S)  # a submission that is under way gets its answer
        self._look_after_parent()
        unsettled = self._settle()
        self.running.stop()
        return self._count(unsettled)

    # -- the stream of jobs ----------------------------------------------------------------------------------------
    def _send_jobs(self) -> None:
        rng = random.Random(self.seed)
        number = 0
        while not self._over.is_set():
            number += 1
            code, seconds = rng.choice(CODES), rng.choice((0.0, 0.3, 1.0, 2.0, 5.0))
            end = "kill -9 $$" if code == -9 else f"exit {code}"
            text = JOB.format(seconds=seconds, end=end)
            job_id = self._submit(text, f"storm-{self.seed}-{number}")
            if job_id:
                self.meant[job_id] = code
            self._over.wait(rng.expovariate(self.jobs_per_s))

    def _submit(self, text: str, key: str) -> str:
        """Ask until an answer comes: the same key makes one job, however often it is sent."""
        end_s = time.monotonic() + SETTLE_S
        while time.monotonic() < end_s:
            try:
                return self.running.sh(text, idempotency_key=key, cpus=0.05, memory="32MiB")
            except ParkError:
                self.n_refused += 1
                time.sleep(0.2)
        return ""

    # -- the stream of kills ---------------------------------------------------------------------------------------
    def _kill(self) -> None:
        rng = random.Random(self.seed + 1)
        end_s = time.monotonic() + self.seconds
        for index in range(self.n_kills):
            left_s = max(0.0, end_s - time.monotonic()) / (self.n_kills - index)
            time.sleep(rng.uniform(0.05, max(0.1, 2.0 * left_s)))
            names = rng.choices(list(MOMENTS), list(MOMENTS.values()))[0]
            self._wait_for(names)
            if index % 2:  # every other one surely meets jobs, however slow the machine; the rest comes as it comes
                self._wait_until(self._jobs_run)
            with_jobs = self._jobs_run()
            hit = [name for name in names if self.running.kill(name)]
            self.kills.update(hit)
            self.n_kills_with_jobs += with_jobs and bool(hit)
            self._look_after_parent()

    def _jobs_run(self) -> bool:
        return any(one.is_alive() for one in self.running.supervisors().values())

    def _wait_for(self, names: tuple[str, ...]) -> None:
        self._wait_until(lambda: all(self.running.pid(name) for name in names))

    def _wait_until(self, is_so: Callable[[], bool]) -> None:
        end_s = time.monotonic() + 20.0
        while time.monotonic() < end_s and not is_so():
            self._look_after_parent()
            time.sleep(0.02)

    def _look_after_parent(self) -> None:
        """What a service manager does: start `park up` again when it is gone."""
        time.sleep(0.02)
        if self.running.process is not None and self.running.process.poll() is not None:
            self.n_parent_starts += 1
            self.running.start_again()

    # -- the count -------------------------------------------------------------------------------------------------
    def _settle(self) -> int:
        """Wait for all that was taken; how many are left. Lists show a job once `live` has read it in: one taken while
        that was dead is in none yet.
        """
        end_s = time.monotonic() + SETTLE_S
        while time.monotonic() < end_s:
            try:
                states = {view["job_id"]: view["state"] for view in self.running.park.jobs()}
                unsettled = sum(states.get(name) not in ENDED for name in {*states, *self.meant})
                if not unsettled:
                    return 0
            except ParkError:
                unsettled = -1
            time.sleep(0.5)
        return unsettled

    def _count(self, unsettled: int) -> dict[str, Any]:
        return self.running.opened(lambda park: self._count_in(park, unsettled))

    def _count_in(self, park: bootstrap.Park, unsettled: int) -> dict[str, Any]:
        rows = {name: row for name, row in _all_rows(park) if name not in self._before}
        states = Counter(row["state"] for row in rows.values())
        state, _ = open_state(park.db, 0)
        state.validate()
        wrong = {name: self._told(rows[name]) for name, code in self.meant.items() if name in rows}
        wrong = {name: told for name, told in wrong.items() if told != self.meant[name]}
        return {
            "seed": self.seed,
            "kills": {name: self.kills[name] for name in ("live", "web", "parent")},
            "moments": self.n_kills,
            "moments_while_jobs_ran": self.n_kills_with_jobs,
            "park_up_again": self.n_parent_starts,
            "submissions_sent_again": self.n_refused,
            "jobs": len(self.meant),
            "finished": states["finished"],
            "failed_as_meant": states["failed"] - sum(rows[name]["state"] == "failed" for name in wrong),
            "lost": states["lost"],
            "unsettled": unsettled,
            "missing": sorted(set(self.meant) - set(rows)),
            "made_twice": sorted(set(rows) - set(self.meant)),
            "ran_twice": sorted(name for name in self.meant if self._starts(name) > 1),
            "never_ran": sorted(name for name in self.meant if self._starts(name) < 1),
            "exit_codes_wrong": wrong,
            "receipts_missing": sorted(name for name in rows if park.ledger.receipt(name) is None),
            "open_in_state": sorted(state.jobs),
            "verify": park.ledger.verify(),
        }

    @staticmethod
    def _told(row: dict[str, Any]) -> Any:
        if row["state"] not in ("finished", "failed"):
            return row["state"]
        return -row["exit_signal"] if row["exit_signal"] else row["exit_code"]

    def _starts(self, job_id: str) -> int:
        """How often a job began, by all that could know: its log, its own mark, its attempts."""
        folder = self.running.home / "jobs" / folder_name(job_id)
        begun = sum(line.startswith("begin ") for line in self.running.log(job_id).splitlines())
        marks = folder / "out" / "marks"
        marked = len(marks.read_text().splitlines()) if marks.exists() else 0
        attempts = len(list((folder / "attempts").glob("*/claim")))
        return max(begun, marked, attempts) if min(begun, marked, attempts) else 0


def _all_rows(park: bootstrap.Park) -> list[tuple[str, dict[str, Any]]]:
    person_id, _ = park.accounts.ensure_owner()
    owner = bootstrap.Principal(person_id, "owner", True, frozenset())
    rows: list[tuple[str, dict[str, Any]]] = []
    after = None
    while True:
        items, after = park.compute.jobs(owner, limit=500, after=after)
        rows += [(item["job_id"], item) for item in items]
        if after is None:
            return rows


def faults_in(summary: dict[str, Any]) -> dict[str, Any]:
    """What was lost, doubled or told wrongly; nothing, where all is well."""
    bad = ("lost", "unsettled", "missing", "made_twice", "ran_twice", "never_ran", "exit_codes_wrong")
    return {name: summary[name] for name in (*bad, "receipts_missing", "open_in_state", "verify") if summary[name]}


def main() -> int:
    """Read the options, make the storm, print what came out."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--seconds", type=float, default=240.0, help="time for the kills; the count comes after it")
    options.add_argument("--folder", type=Path, default=None, help="keep the home here")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="park-storm-") as folder, RunningPark(given.folder or Path(folder)) as park:
        summary = Storm(park, given.kills, given.seed, given.seconds).run()
    print(json.dumps(summary, indent=1))
    return 1 if faults_in(summary) else 0


if __name__ == "__main__":
    sys.exit(main())
