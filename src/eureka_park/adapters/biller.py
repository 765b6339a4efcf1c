"""What compute asks about money, answered by the price list and the plan: the bill of a job, and quotes by the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eureka_park.compute.core.job import JobSpec
from eureka_park.compute.neighbours import Quoter
from eureka_park.compute.quote_rows import QuoteRows
from eureka_park.control.ceiling import CeilingDesk
from eureka_park.foundation.ids import JobId, task_id
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger.core.exact import MICRO, micro
from eureka_park.ledger.service import Bill, LedgerService

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.core.pricing import PriceList, Rates


@dataclass(frozen=True, slots=True)
class ParkBiller:
    """One park's. A park without a price list holds nothing, and quotes by its site's prices."""

    ledger: LedgerService
    desk: CeilingDesk
    plan: Callable[[], PowerPlan | None]

    def bill(self, conn: Connection, spec: JobSpec, now_s: float) -> Bill | None:
        """What a job may cost; None where no price list is in force."""
        prices = self.ledger.billing.price_list_in(conn, now_s)
        if prices is None:
            return None
        rates = rates_of(prices, spec)
        energy = self.desk.ceiling(self.plan(), spec, now_s).most_credits
        node_s = spec.time_s * spec.n_nodes
        return Bill(
            rates,
            str(spec.tier),
            spec.gpu_type,
            str(spec.job_class),
            node_s,
            rates.time_micro(spec.n_gpus, spec.n_cpus, node_s),
            micro(energy) + 1,
        )

    def submitted(self, conn: Connection, job_id: str, spec: JobSpec, bill: Bill | None, now_s: float) -> None:
        """Hold what a job may cost, in the transaction that submits it. Raises Conflict where there is no credit."""
        if bill is None:
            self.ledger.grants.check_budgets(conn, spec.project, now_s)
        else:
            tasks = [task_id(JobId(job_id), index) for index in range(spec.n_tasks)] if spec.is_array else [job_id]
            self.ledger.billing.hold(conn, job_id, tasks, spec.person, spec.project, bill, now_s)
        self.ledger.first_jobs.note(conn, spec.person, "submitted")

    def quoting(self, quoter: Quoter) -> Quoter:
        """The quoter, with time and energy told apart for every start, by the price list where there is one."""

        def quote(
            specs: Mapping[str, JobSpec],
            deadlines_s: Mapping[str, float | None],
            chosen: str,
            now_s: float,
            rows: QuoteRows,
            is_visitor: bool,
        ) -> dict[str, Any]:
            answer = quoter(specs, deadlines_s, chosen, now_s, rows, is_visitor=is_visitor)
            prices = self.ledger.billing.price_list(now_s)
            for tier, told in answer["tiers"].items():
                self._price(told, specs[tier], prices, now_s)
            if prices is not None:
                answer["labels"] = {**answer["labels"], "prices": prices.label}
            return answer

        return quote

    def _price(self, told: dict[str, Any], spec: JobSpec, prices: PriceList | None, now_s: float) -> None:
        """Put the lines of one tier apart; with a list, its time costs what the list says and there is a ceiling."""
        site_machine = machine = told["machine_credits"]
        ceilings: dict[str | None, float] = {}
        if prices is not None:
            machine = _time_credits(rates_of(prices, spec), spec)
            ceiling = self.desk.ceiling(self.plan(), spec, now_s)
            energies = ceiling.credits_by_start_s.items()
            ceilings = {iso_from_s(start_s): machine + credits * spec.n_tasks for start_s, credits in energies}
            told["ceiling_credits"] = machine + ceiling.most_credits * spec.n_tasks
        for hour in told["best_hours"]:
            energy = hour["credits"] - site_machine
            hour |= {"credits": machine + energy, "machine_credits": machine, "energy_credits": energy}
            hour["ceiling_credits"] = ceilings.get(hour["start_at"])
        told["best_credits"] += machine - site_machine
        told["credits"] = machine + told["energy_credits"]
        told["machine_credits"] = machine


def rates_of(prices: PriceList, spec: JobSpec) -> Rates:
    """What an hour of a job costs by the list."""
    return prices.rates(spec.gpu_type, str(spec.job_class), str(spec.tier))


def _time_credits(rates: Rates, spec: JobSpec) -> float:
    node_s = spec.time_s * spec.n_nodes
    return rates.time_micro(spec.n_gpus, spec.n_cpus, node_s) / MICRO * spec.n_tasks
