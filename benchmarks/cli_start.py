"""What does one `park` command cost from cold, in CPU seconds, and what is left of it beyond a bare Python?

    .venv/bin/python benchmarks/cli_start.py [--runs 15]

`jobs` and `show` are answered by a small server in this process, so that only the command is counted; `complete` is
what a shell waits for when somebody presses Tab after `park logs`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any

JOB: dict[str, Any] = {
    "job_id": "job-aaaabbbbccccdddd", "name": "digits", "project": "welcome", "state": "running", "tier": "flex",
    "class": "batch", "command": ["true"], "submitted_at": "2026-11-22T10:00:00.000Z",
    "started_at": "2026-11-22T10:00:30.000Z", "ended_at": None, "deadline_at": None, "reasons": [], "cpus": 1.0,
    "gpus": 0,
    "memory_bytes": 2**30, "time_s": 3600.0, "attempt": 1,
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/api/v1/jobs": {"items": [JOB] * 50, "next": None},
    "/api/v1/jobs/job-aaaabbbbccccdddd": JOB,
    "/api/v1/status": {"park_at": "2026-11-22T10:03:00.000Z", "pace": 1.0},
}
CASES = {
    "a bare python": ["-c", "pass"],
    "park --help": ["-m", "eureka_park.cli", "--help"],
    "park version": ["-m", "eureka_park.cli", "version"],
    "park jobs (table of 50)": ["-m", "eureka_park.cli", "jobs"],
    "park jobs --json": ["-m", "eureka_park.cli", "jobs", "--json"],
    "park show": ["-m", "eureka_park.cli", "show", "job-aaaabbbbccccdddd"],
    "complete `park logs job-`": ["-m", "eureka_park.cli"],
    "park --help, in French": ["-m", "eureka_park.cli", "--help"],
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        data = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


def cpu_s(words: list[str], env: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], check=True, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="park-start-") as folder:
        park = {"PARK_URL": f"http://127.0.0.1:{server.server_address[1]}", "PARK_TOKEN": "park_x", "HOME": folder}
        env = {**os.environ, **park, "PARK_LANG": "en"}
        tab = {"_PARK_COMPLETE": "bash_complete", "COMP_WORDS": "park\nlogs\njob-", "COMP_CWORD": "2"}
        found = {}
        for name, words in CASES.items():
            more = tab if name.startswith("complete") else {"PARK_LANG": "fr"} if "French" in name else {}
            costs = [cpu_s(words, {**env, **more}) for _ in range(runs + 1)][1:]  # the first one compiles
            found[name] = {"median_cpu_s": round(median(costs), 3), "max_cpu_s": round(max(costs), 3)}
    server.shutdown()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
