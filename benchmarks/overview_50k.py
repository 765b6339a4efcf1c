"""What do the pages cost the park with 50,000 jobs in the queue? CPU seconds of services, API and pages.

    .venv/bin/python benchmarks/overview_50k.py [--jobs 50000] [--rounds 5]

Makes a home in a temporary folder, writes the rows of that many queued jobs of 20 projects (and a tenth of it ended
ones), a plan and a day of meter readings, then asks in this very process, without a network. The median of the rounds
counts; the first question, which warms up, is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from eureka_park import bootstrap
from eureka_park.accounts.service import Principal
from eureka_park.compute import store
from eureka_park.compute.core.job import Job, JobSpec, JobState, Reason, Tier
from eureka_park.compute.core.listing import Sort
from eureka_park.energy.core.power_plan import make_plan
from eureka_park.energy.plan_child import read_request
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.site_file import site_to_json
from eureka_park.ledger.service import EnergyBooking, EnergyLine
from eureka_park.web.app import make_app

N_PROJECTS = 20
PATHS = ("/", "/jobs", "/jobs?state=queued", "/jobs?sort=name", "/wall", "/api/v1/status", "/api/v1/jobs?sort=energy")
REASON = Reason("clean_power", "It needs 20 W of the park's own sun, wind or salt; 3 W is free now.", {"need_kw": 0.02})


def seeded(folder: Path, n_jobs: int) -> bootstrap.Park:
    """A home with so many jobs in its queue."""
    home = folder / "home"
    bootstrap.make_home(home, now_real_s=time.time() - 86400.0, is_bare=True)
    bootstrap.prepare(home)
    park = bootstrap.open_park(home)
    for number in range(N_PROJECTS):
        park.accounts.ensure_project(f"p{number:02d}", f"Project {number}", number % 2 == 0)
    now_s, tiers = park.clock.park_s(), list(Tier)
    n_ended = n_jobs // 10
    rows = []
    for number in range(n_jobs + n_ended):
        is_over = number < n_ended
        spec = JobSpec(
            f"p{number % N_PROJECTS:02d}", f"training run {number}", ("python", "train.py"), tier=tiers[number % 3]
        )
        job = Job(JobId(f"job-{number:016d}"), spec, number, now_s - 86400.0 + number)
        if is_over:
            job.state, job.first_started_s, job.ended_s = JobState.FINISHED, now_s - 9000.0, now_s - number
            job.ran_s, job.exit_code = 60.0 + number % 977, 0
        rows.append(store.row_of(job, None, None, [REASON] if number % 50 == 0 and not is_over else []))
    full_mw = park.site.site_kw_rated / 1000 / park.site.factor
    request = {
        "site": site_to_json(park.site), "now_s": now_s, "demand_mw": [full_mw] * 48, "tes_mwh_th": None, "seed": 1,
        "without": [], "horizon_h": 48,
    }  # fmt: skip
    with park.db.write() as conn:
        for at in range(0, len(rows), 5000):
            store.save_jobs(conn, rows[at : at + 5000])
        park.energy.record_plan(conn, make_plan(*read_request(request)))
        book_a_day(park, conn, now_s)
    return park


def book_a_day(park: bootstrap.Park, conn: Any, now_s: float) -> None:
    """Energy of 200 jobs in each of the last 24 hours, and a reading for every minute."""
    sources = park.site.source_ids
    shares = {name: 1 / len(sources) for name in sources}
    rates = dict.fromkeys(sources, 0.4)
    for hour in range(24):
        begin_s = now_s - (24 - hour) * 3600.0
        lines = tuple(
            EnergyLine(f"job-{number:016d}", 10**9, 12 * 10**8, shares, ("firm", "flex", "green")[number % 3])
            for number in range(hour * 200, hour * 200 + 200)
        )
        sums = (sum(line.it_uj for line in lines), sum(line.site_uj for line in lines))
        park.ledger.book_energy(conn, EnergyBooking(begin_s, begin_s + 3600.0, lines, rates, rates, *sums, "modelled"))
    for minute in range(1440):
        at_s = now_s - (1440 - minute) * 60.0
        line = EnergyLine("idle", 10**9, 12 * 10**8, shares, "idle")
        booking = EnergyBooking(at_s - 60.0, at_s, (line,), rates, rates, line.it_uj, line.site_uj, "modelled")
        park.ledger.note_power(conn, [booking], at_s, 1.0)


def measured(ask: Callable[[], Any], rounds: int) -> float:
    """Milliseconds of CPU for one question."""
    ask()
    costs = []
    for _ in range(rounds):
        begin_s = time.process_time()
        ask()
        costs.append(time.process_time() - begin_s)
    return round(statistics.median(costs) * 1000, 1)


def services(park: bootstrap.Park, who: Principal | None) -> dict[str, Callable[[], Any]]:
    """Questions to the services."""
    compute, now_s = park.compute, park.clock.park_s()
    waiting = ["queued", "paused"]
    asks: dict[str, Callable[[], Any]] = {
        "counts": compute.counts,
        "counts of what one sees": lambda: compute.counts(who),
        "12 that wait": lambda: compute.jobs(who, states=waiting, limit=12),
        "100 that wait": lambda: compute.jobs(who, states=waiting, limit=100),
        "count what a text matches": lambda: compute.count_matching(who, text="run 49"),
        "100 by text": lambda: compute.jobs(who, text="run 4999", limit=100),
        "quote": lambda: compute.quote(None, {"command": ["true"], "project": "p00", "time": "2h"}),
        "today": lambda: park.ledger.today(now_s),
        "6 h of readings": lambda: park.ledger.readings(now_s - 6 * 3600, now_s),
        "gantt of a day": lambda: compute.gantt(who, now_s - 86400, now_s, 100),
    }
    for sort in Sort:
        asks[f"100 by {sort}"] = lambda sort=sort: compute.jobs(who, sort=sort, limit=100)
    return asks


def main() -> None:
    """Print the figures as JSON: milliseconds of CPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="park-bench-") as folder:
        park = seeded(Path(folder), options.jobs)
        person_id, _ = park.accounts.ensure_owner()
        owner = Principal(person_id, "owner", True, frozenset())
        figures: dict[str, Any] = {"queued_jobs": park.compute.counts()["queued"]}
        for name, who in (("owner", owner), ("visitor", None)):
            figures[f"services_{name}"] = {
                told: measured(ask, options.rounds) for told, ask in services(park, who).items()
            }
        client = TestClient(make_app(park), base_url="http://localhost:8386")
        token = park.accounts.new_token(person_id, "bench")
        headers = {"Authorization": f"Bearer {token}"}
        paths = (
            "/",
            "/jobs",
            "/jobs?state=queued",
            "/jobs?sort=name",
            "/wall",
            "/api/v1/status",
            "/api/v1/jobs?sort=energy",
        )
        for path in paths:
            answer = client.get(path, headers=headers)
            cost = measured(lambda path=path: client.get(path, headers=headers), options.rounds)
            figures.setdefault("requests", {})[path] = cost if answer.status_code == 200 else answer.status_code
        park.close()
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
