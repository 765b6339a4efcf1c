"""What does it cost to ask whether somebody may do something, and why?

    .venv/bin/python benchmarks/permissions.py [--json]

Somebody with roles in 300 projects and through a group asks for every act of the table, in projects of their own and of
others, where the answer is yes and where it is no. Microseconds of CPU for one answer; limit: 50 us. Then the same with
the project read from a SQLite file first, as a request does it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eureka_park.accounts.core.permissions import Held, Principal, Project, may
from eureka_park.accounts.core.roles import Act, Role
from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation.clock import SteppedClock
from eureka_park.migrations import migrate

LIMIT_US, ROUNDS, N = 50.0, 9, 200


def per_call_us(ask: Callable[[], Any], n_calls: int) -> float:
    """CPU microseconds of one call: the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start_s = time.process_time()
        for _ in range(N):
            ask()
        rounds.append((time.process_time() - start_s) / N / n_calls * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    held = (*(Held(Role.MEMBER, f"project:p{at}") for at in range(300)), Held(Role.LEAD, "project:lab", "group-a"))
    who = Principal("person-a", "Ada", False, frozenset({"lab"}), held)
    things = [Project("lab", "Lab", False, 0.0, "um6p"), Project("other", "Other", False, 0.0, "um6p"), None]

    def every() -> None:
        for thing in things:
            for act in Act:
                may(act, who, thing)

    core_us = per_call_us(every, len(things) * len(Act))
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'park.sqlite3'}"
        migrate(url)
        db = SqlDatabase(url)
        accounts = AccountsService(db, SteppedClock(1e9), os.urandom)
        accounts.ensure_project("lab", "Lab", False)
        read_us = per_call_us(lambda: accounts.answer(Act.SUBMIT, who, "lab"), 1)
        db.close()
    found = {"answer_us": round(core_us, 1), "with_the_project_read_us": round(read_us, 1), "limit_us": LIMIT_US}
    print(json.dumps(found) if as_json else found)


if __name__ == "__main__":
    main()
