"""A ledger under random deeds, some of which are cut off after any statement. `python -m tests.helpers.random_books N`
does N of them on SQLite, or in the database that PARK_DATABASE_URL names, and checks the books.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from eureka_park.accounts.service import Principal
from eureka_park.adapters.database import SqlDatabase
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.ledger.billing.charging import Running
from eureka_park.ledger.billing.service import DISTURBED, LOST_NODE, Bill
from eureka_park.ledger.service import EnergyBooking, EnergyLine, LedgerService, Settlement

OPERATOR = Principal("person-operator", "operator", True, frozenset())
PROJECTS = ("solar", "wind", "salt")
SITE_PRICES = {"mad_per_gpu_h": {"flex": 20.0}, "mad_per_cpu_h": {"flex": 0.4}}
PRICES = {
    "mad_per_gpu_h": {"*": {"firm": 30.0, "flex": 20.0, "green": 10.0}},
    "mad_per_cpu_h": {"*": {"firm": 0.6, "flex": 0.4, "green": 0.2}},
    "mad_per_gib_month": 0.1,
}
BANK_HEAD = "date,amount,currency,reference"


class Crash(Exception):
    """The process is gone."""


class OpenGate:
    """Everybody may do everything, and nothing is noted."""

    def park(self, act: Any, who: Any) -> None:
        """Yes."""

    def project(self, act: Any, who: Any, project: str) -> str:
        """Yes; each project is of an organisation of its own name."""
        return f"org-{project}"

    def organisation(self, act: Any, who: Any, organisation: str) -> None:
        """Yes."""

    def note(self, conn: Any, act: str, who: Any, thing: str, detail: Any) -> None:
        """Nowhere."""


@contextmanager
def crashing_after(n_statements: int) -> Iterator[None]:
    """Raise Crash after so many statements of any engine."""
    left = [n_statements]

    def count(*_args: Any) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise Crash

    event.listen(Engine, "after_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", count)


class RandomBooks:
    """Deeds by chance upon one database."""

    def __init__(self, db: SqlDatabase, seed: int = 1) -> None:
        self.db, self.chance = db, random.Random(seed)
        self.clock = SteppedClock(1.8e9)
        self.ledger = LedgerService(
            db, "Africa/Casablanca", clock=self.clock, gate=OpenGate(), entropy=self.chance.randbytes
        )
        self.jobs: dict[str, Running] = {}
        self.n_jobs = self.n_crashes = self.n_refused = 0
        self.booked_s = self.clock.park_s()

    def step(self, crash_frac: float = 0.2) -> None:
        """One deed, perhaps cut off, and then said again, as a process does that comes back."""
        deed = self.chance.choice(self._deeds())
        self.clock.step(self.chance.choice((60.0, 1800.0, HOUR_S, 6 * HOUR_S, DAY_S)))
        is_cut, n_statements = self.chance.random() < crash_frac, self.chance.randint(1, 14)
        state = self.chance.getstate()
        try:
            if not is_cut:
                deed()
                return
            with crashing_after(n_statements):
                deed()
        except Crash:
            self.n_crashes += 1
            self.chance.setstate(state)
            self._again(deed)
        except ParkError:
            self.n_refused += 1

    def _again(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except ParkError:
            self.n_refused += 1

    def _deeds(self) -> list[Callable[[], None]]:
        often = [self._hold, self._hours, self._hours, self._close, self._close]
        return [*often, self._renew, self._store, self._bridge, self._give, self._old_grant, self._prices,
                self._excuse, self._move, self._end, self._due, self._lost, self._charge_plainly,
                self._buy]  # fmt: skip

    # -- deeds ---------------------------------------------------------------------------------------------------------
    def _give(self) -> None:
        chance, now_s = self.chance, self.clock.park_s()
        until_s = chance.choice((None, now_s + chance.uniform(1, 90) * DAY_S))
        credits, project = chance.choice((0.000001, 5.0, 800.0)), chance.choice(PROJECTS)
        self.ledger.grants.give(
            OPERATOR, project, credits, valid_until_s=until_s, in_halves=chance.random() < 0.3, title="random"
        )

    def _old_grant(self) -> None:
        with self.db.write() as conn:
            self.ledger.grant(conn, self.chance.choice(PROJECTS), 50.0, f"old {self.clock.park_s() // DAY_S}")

    def _prices(self) -> None:
        self.ledger.billing.set_price_list(OPERATOR, PRICES)

    def _hold(self) -> None:
        chance, now_s = self.chance, self.clock.park_s()
        prices = self.ledger.billing.price_list(now_s)
        if prices is None:
            return
        self.n_jobs += 1
        name, project = f"job-{self.n_jobs}", chance.choice(PROJECTS)
        tasks = [name] if chance.random() < 0.7 else [f"{name}[{index}]" for index in range(3)]
        declared_s, n_gpus = chance.choice((600.0, 3 * HOUR_S)), chance.randint(0, 2)
        rates = prices.rates("", "batch", "flex")
        bill = Bill(rates, "flex", "", "batch", declared_s, rates.time_micro(n_gpus, 2.0, declared_s), 2_000_000)
        with self.db.write() as conn:
            self.ledger.billing.hold(conn, name, tasks, "person-a", project, bill, now_s)
        self.jobs |= {task: Running(task, n_gpus, 2.0, 0.0) for task in tasks}
        self.projects = {**getattr(self, "projects", {}), **dict.fromkeys(tasks, project)}

    def _some(self) -> list[Running]:
        names = sorted(self.jobs)
        picked = self.chance.sample(names, min(len(names), 4))
        found = [self.jobs[name] for name in picked]
        more_s = self.chance.choice((300.0, HOUR_S, 5 * HOUR_S))
        return [Running(job.job_id, job.n_gpus, job.n_cpus, job.node_s + more_s) for job in found]

    def _book(self, conn: Any, jobs: list[Running]) -> None:
        end_s = self.clock.park_s()
        energies = {job.job_id: self.chance.randint(0, 3_600_000_000_000) for job in jobs} | {"idle": 10**9}
        shares = {"koudia": 0.7, "grid": 0.3}
        lines = tuple(EnergyLine(name, uj, uj * 6 // 5, shares, "flex") for name, uj in energies.items())
        self.ledger.book_energy(
            conn,
            EnergyBooking(
                end_s - 600.0, end_s, lines, {"koudia": 10.0, "grid": 600.0}, {"koudia": 0.4, "grid": 1.2},
                sum(line.it_uj for line in lines), sum(line.site_uj for line in lines), "measured",
            ),
        )  # fmt: skip

    def _hours(self) -> None:
        jobs, hour_s = self._some(), int(self.clock.park_s() // HOUR_S) * HOUR_S
        with self.db.write() as conn:
            self._book(conn, jobs)
            self.ledger.billing.settle_hours(conn, jobs, hour_s, self.clock.park_s())
            self.ledger.billing.settle_hours(conn, jobs, hour_s, self.clock.park_s())  # a second time: nothing
        self.jobs |= {job.job_id: job for job in jobs}

    def _renew(self) -> None:
        """Work goes on beyond what is held for it: it holds more, or there is no credit for it."""
        jobs = self._some()
        with self.db.write() as conn:
            self._book(conn, jobs)
            unpaid = self.ledger.billing.renew(conn, jobs, self.clock.park_s())
            assert unpaid == self.ledger.billing.renew(conn, jobs, self.clock.park_s())
        self.jobs |= {job.job_id: job for job in jobs}

    def _store(self) -> None:
        project, n_bytes = self.chance.choice(PROJECTS), self.chance.randint(0, 10**15)
        with self.db.write() as conn:
            self.ledger.storage.book_day(conn, project, self.clock.park_s(), n_bytes)
            assert self.ledger.storage.book_day(conn, project, self.clock.park_s(), n_bytes) == 0

    def _bridge(self) -> None:
        until_s = self.clock.park_s() + self.chance.uniform(1, 120) * DAY_S
        self.ledger.grants.give(
            OPERATOR, self.chance.choice(PROJECTS), 40.0, kind="bridge", valid_until_s=until_s, awaits="an award"
        )

    def _excuse(self) -> None:
        jobs, is_all, why = self._some(), self.chance.random() < 0.5, self.chance.choice((LOST_NODE, DISTURBED))
        with self.db.write() as conn:
            self._book(conn, jobs)
            for job in jobs:
                self.ledger.billing.excuse(conn, job, why, self.clock.park_s(), is_all=is_all)
        self.jobs |= {job.job_id: job for job in jobs}

    def _close(self) -> None:
        jobs = self._some()
        over = [self._settlement(job, self.projects[job.job_id]) for job in jobs]
        with self.db.write() as conn:
            self._book(conn, jobs)
            first = self.ledger.settle_all(conn, over)
            assert self.ledger.settle_all(conn, over) == first
        for job in jobs:
            del self.jobs[job.job_id]

    def _settlement(self, job: Running, project: str) -> Settlement:
        return Settlement(
            job.job_id, project, "flex", job.n_gpus, job.n_cpus, job.node_s, self.clock.park_s(), "measured", False,
            SITE_PRICES,
        )  # fmt: skip

    def _charge_plainly(self) -> None:
        self.n_jobs += 1
        with self.db.write() as conn:
            self.ledger.settle(conn, self._settlement(Running(f"job-{self.n_jobs}", 1, 1.0, 60.0), "solar"))

    def _move(self) -> None:
        source, target = self.chance.sample(PROJECTS, 2)
        self.ledger.grants.move(OPERATOR, source, target, self.chance.choice((1.0, 30.0, -1.0, 5000.0)))

    def _end(self) -> None:
        found = self.ledger.grants.all(OPERATOR)
        if found:
            self.ledger.grants.end(OPERATOR, self.chance.choice(found)["grant_id"])

    def _due(self) -> None:
        with self.db.write() as conn:
            self.ledger.grants.step(conn, self.clock.park_s())

    def _lost(self) -> None:
        gone = self.chance.sample(sorted(self.jobs), min(1, len(self.jobs)))
        with self.db.write() as conn:
            known = set(self.jobs) - set(gone)
            self.ledger.billing.release_lost(conn, known.__contains__, self.clock.park_s())
        for name in gone:
            del self.jobs[name]

    def _buy(self) -> None:
        """A top-up, its pro-forma, perhaps its invoice, and the bank's file twice: by number, or matched by hand."""
        money, project = self.ledger.money, self.chance.choice(PROJECTS)
        asked = money.ask_top_up(OPERATOR, project, self.chance.choice((100.0, 0.5, 2500.0)))
        made = money.issue(OPERATOR, asked["top_up_id"], "pro_forma", {"name": "A company"})
        if self.chance.random() < 0.5:
            made = money.issue(OPERATOR, asked["top_up_id"], "invoice", {"name": "A company", "ice": "001234567000089"})
        is_named, over = self.chance.random() < 0.5, self.chance.choice((0.0, -1.5, 2.0))
        paid = made.total_minor / 100 + (0.0 if is_named else over)
        line = f"2027-03-01,{paid:.2f},MAD,{made.name if is_named else asked['top_up_id']}"
        told = money.bank.read(OPERATOR, f"{BANK_HEAD}\n{line}\n")
        assert len(told["matched"]) + len(told["open"]) + told["n_known"] == 1
        assert money.bank.read(OPERATOR, f"{BANK_HEAD}\n{line}\n")["n_known"] == 1
        for ids in ([item["line_id"]] for item in told["open"]):
            money.bank.match(OPERATOR, ids, [made.name], with_difference=True)


def main(n_steps: int) -> int:
    """Do so many deeds, then check the books; what is wrong is printed."""
    from eureka_park.migrations import migrate

    with tempfile.TemporaryDirectory() as folder:
        url = os.environ.get("PARK_DATABASE_URL") or f"sqlite:///{Path(folder) / 'park.sqlite3'}"
        migrate(url)
        books = RandomBooks(SqlDatabase(url))
        for _ in range(n_steps):
            books.step()
        wrong = books.ledger.verify()
        books.db.close()
    told = f"{n_steps} deeds, {books.n_crashes} cut off, {books.n_refused} refused, {books.n_jobs} jobs"
    print(f"{told}: {wrong or 'sound'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
