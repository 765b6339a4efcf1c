"""How long does the statement of a month with a million postings take, on SQLite or in the database that is named?

    .venv/bin/python benchmarks/ledger_statement.py [--postings 1000000] [--url postgresql://...]

Jobs of one project end all through the month: each is charged (two postings), and what it used is booked (six). Prints
the seconds of a statement, median and longest of five.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.helpers.random_books import OPERATOR, OpenGate

from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.core.posting import (
    CREDIT,
    INCOME,
    PLANT,
    Posting,
    Transaction,
    held_account,
    transfer,
    used_account,
)
from eureka_park.ledger.service import LedgerService
from eureka_park.migrations import migrate

BLOCK = 2_000
N_OF_JOB = 8  # postings
START_S, MONTH, N_DAYS = 1_801_440_000.0, "2027-02", 28


def deeds_of(number: int, n_jobs: int) -> list[Transaction]:
    """What one job leaves in the books."""
    at_s = START_S + number / n_jobs * N_DAYS * DAY_S
    charge = transfer(
        f"settle:job-{number}", "job", at_s, source=held_account("solar"), target=INCOME, commodity=CREDIT,
        amount_micro=1_234_567,
    )  # fmt: skip
    amounts = {"gpu_h:h100": 250_000, "kwh:koudia": 700_001, "gco2": 123_000_000}
    used = [Posting(used_account("solar"), name, amount) for name, amount in amounts.items()]
    used += [Posting(PLANT, name, -amount) for name, amount in amounts.items()]
    return [charge, Transaction(f"use:job-{number}", "job", at_s, tuple(used))]


def main() -> None:
    """Fill the books, ask, and print one JSON document."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--postings", type=int, default=1_000_000)
    options.add_argument("--url", default="")
    given = options.parse_args()
    n_jobs = given.postings // N_OF_JOB
    with tempfile.TemporaryDirectory(prefix="park-statement-") as folder:
        url = given.url or f"sqlite:///{Path(folder) / 'park.sqlite3'}"
        migrate(url)
        db = SqlDatabase(url)
        ledger = LedgerService(db, "Africa/Casablanca", gate=OpenGate())
        begun_s = time.monotonic()
        for first in range(0, n_jobs, BLOCK):
            with db.write() as conn:
                numbers = range(first, min(first + BLOCK, n_jobs))
                ledger.post(conn, [deed for number in numbers for deed in deeds_of(number, n_jobs)])
        filled_s, costs = time.monotonic() - begun_s, []
        for _ in range(5):
            begun_s = time.perf_counter()
            told = ledger.statements.of_project(OPERATOR, "solar", MONTH)
            costs.append(time.perf_counter() - begun_s)
        db.close()
    found: dict[str, Any] = {"postings": n_jobs * N_OF_JOB, "filled_s": round(filled_s, 1), "days": len(told["days"])}
    print(json.dumps(found | {"statement_s": round(median(costs), 4), "longest_s": round(max(costs), 4)}, indent=1))


if __name__ == "__main__":
    main()
