"""What does a watched day show? Starts `park up --story` in a new home, watches it, and tells what happened.

    .venv/bin/python benchmarks/watch_day.py --pace 240 --out day.json

At pace 60 a story takes about 28 minutes, at 240 about 7. Written to --out: states of all jobs over park time, every
reason once, the chapters, the salt, kWh by source, and CPU seconds of the park's own processes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from eureka_park import bootstrap
from eureka_park.accounts.service import Principal
from eureka_park.foundation.units import iso_from_s

EVERY_S = 1.0
PATIENCE_S = 4.0  # real seconds by which a reason may lag: a turn of the loop, and a look


def main() -> None:
    asks = argparse.ArgumentParser(description=__doc__)
    asks.add_argument("--pace", type=float, default=60.0)
    asks.add_argument("--home", type=Path, default=None)
    asks.add_argument("--until", type=float, default=1.0, help="progress of the story at which to stop")
    asks.add_argument("--no-story", action="store_true", help="a paced home without the guided story")
    asks.add_argument("--out", type=Path, default=None)
    given = asks.parse_args()
    home = given.home or Path(tempfile.mkdtemp(prefix="park-day-")) / "home"
    words = [sys.executable, "-m", "eureka_park.cli", "up", "--home", str(home), "--port", "0"]
    words += ["--pace", f"{given.pace:g}", *([] if given.no_story else ["--story"])]
    began_s = time.monotonic()
    with (home.parent / "said.txt").open("ab") as out:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        while " serves http" not in (home.parent / "said.txt").read_text():
            if process.poll() is not None:
                raise SystemExit((home.parent / "said.txt").read_text())
            time.sleep(0.1)
        print(f"ready after {time.monotonic() - began_s:.1f} s: {home}", flush=True)
        found = watch(home, process, given.until)
    finally:
        if process.poll() is None:
            end = [sys.executable, "-m", "eureka_park.cli", "down", "--jobs", "--home", str(home)]
            subprocess.run(end, check=False, timeout=150.0)
        process.wait(60.0)
    if given.out is not None:
        given.out.write_text(json.dumps(found, indent=1))


class Watcher:
    """Looks at a running home once a second and tells what has changed."""

    def __init__(self, home: Path) -> None:
        self.park = bootstrap.open_park(home)
        person_id, _ = self.park.accounts.ensure_owner()
        self.who = Principal(person_id, "owner", True, frozenset())
        self.states: dict[str, str] = {}
        self.reasons: dict[tuple[str, str], str] = {}
        self.chapters: list[dict[str, Any]] = []
        self.salt: list[tuple[str, float, float]] = []
        self.lines: list[str] = []
        self.lag: Counter[str] = Counter()

    def say(self, text: str) -> None:
        self.lines.append(text)
        print(text, flush=True)

    def look(self) -> float:
        """How far the story has come."""
        now_s = self.park.clock.park_s()
        at = at_iso(now_s)[5:16]
        told = self.park.story_now()
        assert told is not None, "this home is not watched"
        if not self.chapters or self.chapters[-1]["chapter"] != told["chapter"]:
            self.chapters.append({"at": at, **told})
            self.say(f"== {at} {told['title']} (next: {told['next_title']} at {at_iso(told['next_s'])[5:16]})")
        self.look_at_sky(now_s, at)
        for job in self.park.compute.jobs(self.who, limit=500)[0]:
            self.look_at_job(job, now_s, at)
        return float(told["progress"])

    def look_at_sky(self, now_s: float, at: str) -> None:
        plan = self.park.energy.current_plan()
        if plan is None or not plan.start_s <= now_s < plan.end_s:
            return
        self.lag["looks at a plan older than an hour"] += now_s - plan.issued_at_s > 3600
        if self.salt and self.salt[-1][0] == at[:8]:
            return
        index, most = plan.index_at(now_s), sum(plan.tes_mwh_th_max.values())
        level = sum(series[index] for series in plan.tes_mwh_th.values()) / most if most else 0.0
        clean_w = plan.clean_available_mw_p50[index] * 1e6
        self.salt.append((at[:8], round(level, 3), round(clean_w, 2)))
        self.say(f"   {at} salt {level:.0%}, clean {clean_w:.1f} W, jobs {self.park.compute.counts()}")

    def look_at_job(self, job: dict[str, Any], now_s: float, at: str) -> None:
        slack_s = PATIENCE_S * self.park.facts.pace.factor
        is_over = job["state"] in ("finished", "failed", "cancelled", "lost")
        for reason in job["reasons"]:
            until_at, code = reason["until"], reason["code"]
            if not is_over and until_at and until_at < at_iso(now_s - slack_s):
                self.lag["reasons with a past until"] += 1
                code = f"PAST {code}"
            self.reasons.setdefault((job["name"], code), f"{at} {reason['text']} [until {until_at}]")
        if self.states.get(job["job_id"]) != job["state"]:
            self.states[job["job_id"]] = job["state"]
            why = job["reasons"][0]["text"] if job["reasons"] else job.get("detail") or ""
            self.say(f"{at} {job['tier']:5} {job['state']:9} {job['name'][:44]:44} {why[:110]}")


def watch(home: Path, process: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
    watcher = Watcher(home)
    while process.poll() is None and watcher.look() < until:
        time.sleep(EVERY_S)
    return {
        **summary(watcher.park, watcher.who, process.pid),
        "lag": dict(watcher.lag),
        "chapters": watcher.chapters,
        "salt": watcher.salt,
        "lines": watcher.lines,
        "reasons": [f"{name}: {code}: {text}" for (name, code), text in watcher.reasons.items()],
    }


def at_iso(instant_s: float) -> str:
    return iso_from_s(instant_s) or ""


def summary(park: bootstrap.Park, who: Principal, pid: int) -> dict[str, Any]:
    what: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    kwh: Counter[str] = Counter()
    lines = {}
    for job in park.compute.jobs(who, limit=1000)[0]:
        rows = park.compute.timeline(who, job["job_id"])
        what.update(row["what"] for row in rows)
        ended[job["state"]] += 1
        lines[job["name"]] = [f"{(iso_from_s(row['at_s']) or '')[5:16]} {row['what']}" for row in rows]
        receipt = park.ledger.receipt(job["job_id"])
        kwh.update((receipt or {}).get("kwh_by_source", {}))
    seconds = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for child in [pid, *children(pid)]:
        words = Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()
        name = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()[-60:]
        seconds[f"{child} {name}"] = [sum(map(int, words[11:13])) / ticks, sum(map(int, words[13:15])) / ticks]
    found = {"events": dict(what), "states": dict(ended), "kwh_by_source": dict(kwh), "cpu_s own, children": seconds,
             "verify": park.ledger.verify(), "timelines": lines}  # fmt: skip
    print(json.dumps({key: value for key, value in found.items() if key != "timelines"}, indent=1))
    return found


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    main()
