"""How long until a log of a gigabyte is there? CPU and wall milliseconds of its page, its end, a line, a search.

    .venv/bin/python benchmarks/log_1gb.py [--real] [--mb 1000]

Makes one ended job in a temporary home and gives it a log. By default all but the last 64 MB of it is a hole in a
sparse file, which costs no disk; with --real every line is there. Asks in this very process, without a network, each
the first time (so with cold indexes), in the order of a person: page, end, counting, a line in the middle, a search.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from eureka_park import bootstrap
from eureka_park.compute import store
from eureka_park.compute.core.job import Job, JobSpec, JobState
from eureka_park.foundation.ids import JobId
from eureka_park.web.app import make_app

LINE = b"2026-11-22T12:00:00Z epoch %08d loss 0.123456 accuracy 0.987654 seconds 1.234\n"
BLOCK_LINES = 10_000
REAL_TAIL_BYTES = 64_000_000


def write_log(path: Path, size_bytes: int, is_real: bool) -> None:
    """A log of lines, or a hole with lines behind it."""
    block = b"".join(LINE % number for number in range(BLOCK_LINES))
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        if not is_real:
            file.seek(max(0, size_bytes - REAL_TAIL_BYTES))
            file.write(b"\n")
        while file.tell() < size_bytes:
            file.write(block)


def timed(ask: Any) -> tuple[dict[str, float], Any]:
    """CPU and wall milliseconds of one question, and its answer."""
    cpu_s, wall_s = time.process_time(), time.perf_counter()
    answer = ask()
    found = {"cpu_ms": (time.process_time() - cpu_s) * 1000, "wall_ms": (time.perf_counter() - wall_s) * 1000}
    return {name: round(value, 1) for name, value in found.items()}, answer


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=1000)
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="park-bench-") as folder:
        home = Path(folder) / "home"
        bootstrap.make_home(home, now_real_s=time.time() - 3600.0, is_bare=True)
        bootstrap.prepare(home)
        park = bootstrap.open_park(home)
        job = Job(JobId("job-aaaaaaaaaaaaaaaa"), JobSpec("welcome", "long log", ("true",)), 1, park.clock.park_s())
        job.state, job.ended_s, job.exit_code = JobState.FINISHED, park.clock.park_s(), 0
        with park.db.write() as conn:
            store.save_jobs(conn, [store.row_of(job, None, None, [])])
        write_log(home / "jobs" / job.job_id / "log.txt", options.mb * 1_000_000, options.real)
        client = TestClient(make_app(park), base_url="http://localhost:8386")
        client.get("/jobs")  # templates and the like are read once per process
        figures: dict[str, Any] = {"log_mb": options.mb, "is_real": options.real}
        base = f"/api/v1/jobs/{job.job_id}/logs"
        for name, path in (
            ("job page", f"/jobs/{job.job_id}"),
            ("last 64 KiB", f"{base}?offset=-65536"),
            ("last 200 lines", f"{base}/lines?from_line=-200"),
            ("search backwards from the end", f"{base}/search?text=epoch 00009999&before={options.mb * 1_000_000}"),
        ):
            figures[name], answer = timed(lambda path=path: client.get(path))
            assert answer.status_code == 200, (path, answer.text[:200])
        begin_s = time.perf_counter()
        while (found := client.get(f"{base}/lines?from_line=-1").json())["n_lines"] is None:
            time.sleep(0.02)
        figures["counting in the background, wall s"] = round(time.perf_counter() - begin_s, 2)
        figures["n_lines"] = found["n_lines"]
        middle = found["n_lines"] // 2
        figures["200 lines from the middle"], answer = timed(lambda: client.get(f"{base}/lines?from_line={middle}"))
        assert len(answer.json()["lines"]) == 200
        figures["search 64 MiB for what is not there"], _ = timed(lambda: client.get(f"{base}/search?text=nowhere"))
        park.close()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
