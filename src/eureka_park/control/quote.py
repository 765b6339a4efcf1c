"""A quote: what a job would draw, cost and emit if it began at one hour or another. Priced as receipts are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eureka_park.control.pricing import IDLE_TIER, PlanHours, pue_at
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.ledger.core.receipt import machine_credits_per_h

STARTS_WITHIN_S: Final = 48 * HOUR_S
_TIE_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Load:
    """What draws power besides the job that is quoted: IT power of a tier until an instant of park time."""

    tier: str
    it_kw: float
    until_s: float


@dataclass(frozen=True, slots=True)
class QuotedWork:
    """The job that is quoted, on all its nodes: IT power with its share of idle power, and for how long. `n_tasks` such
    run in all.
    """

    tier: str
    rated_kw: float
    time_s: float
    n_gpus: int
    n_cpus: float
    n_tasks: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One possible run, all tasks together. kWh at the site meter."""

    start_s: float
    kwh: float
    machine_credits: float
    energy_credits: float
    gco2: float
    clean_frac: float

    @property
    def credits(self) -> float:
        """The whole price."""
        return self.machine_credits + self.energy_credits


@dataclass(frozen=True, slots=True)
class _Rate:
    """What the job draws and costs in one hour of one plan interval."""

    site_kw: float
    mad_per_h: float
    gco2_per_h: float
    clean_kw: float
    shares: Mapping[str, float]


_ZERO: Final = (0.0, 0.0, 0.0, 0.0)


@dataclass(slots=True)
class Quote:
    """Prices runs of one job under one plan. Beyond the plan the hours of its last day are repeated.

    `idle_kw`: IT power of all machines that no job carries, the quoted job's share taken out. `pace_factor`: park
    seconds per real second; energy is real watts times real time.
    """

    site: Site
    plan: PowerPlan | None
    now_s: float
    work: QuotedWork
    loads: Sequence[Load] = ()
    idle_kw: float = 0.0
    pace_factor: float = 1.0
    hours: PlanHours | None = None  # of this site and plan, where they were read before
    _rates: dict[int, _Rate] = field(default_factory=dict)
    _sums: list[tuple[float, float, float, float]] = field(default_factory=lambda: [_ZERO])
    _step_s: float = float(HOUR_S)
    _origin_s: float = 0.0  # begin of the interval that holds now; intervals are counted from it
    _n_known: int = 1  # intervals that the plan has from there on; without a plan every hour is like this one
    _period: int = 1  # of the last of them, how many are repeated beyond the plan

    def __post_init__(self) -> None:
        plan = self.plan
        if self.hours is None:
            self.hours = PlanHours(self.site, plan)
        if plan is not None and plan.start_s <= self.now_s < plan.end_s:
            first = plan.index_at(self.now_s)
            self._step_s, self._origin_s = plan.step_s, plan.interval_start_s(first)
            self._n_known = plan.n_intervals - first
            self._period = max(1, min(self._n_known, round(DAY_S / plan.step_s)))
        else:
            self._origin_s = self.now_s // HOUR_S * HOUR_S

    def run_at(self, start_s: float) -> Run:
        """The run that begins at an instant, not before the interval of now."""
        begin, end = self._until(start_s), self._until(start_s + self.work.time_s)
        kwh, mad, gco2, clean_kwh = (
            (late - early) * self.work.n_tasks / self.pace_factor for early, late in zip(begin, end, strict=True)
        )
        tier, work = self.work.tier, self.work
        prices = {"mad_per_gpu_h": _by_tier(self.site, "gpu"), "mad_per_cpu_h": _by_tier(self.site, "cpu")}
        machine = machine_credits_per_h(prices, tier, work.n_gpus, work.n_cpus) * work.time_s / HOUR_S * work.n_tasks
        clean_frac = min(1.0, max(0.0, clean_kwh / kwh)) if kwh > 0 else 0.0
        return Run(start_s, max(0.0, kwh), machine, max(0.0, mad), max(0.0, gco2), clean_frac)

    def kwh_by_source(self, start_s: float) -> dict[str, float]:
        """The energy of the run that begins at an instant, by source."""
        hours_of: dict[int, float] = {}
        for index, hours in self._hours(start_s, start_s + self.work.time_s):
            known = self._known_index(index)
            hours_of[known] = hours_of.get(known, 0.0) + hours
        found: dict[str, float] = {}
        for index, hours in hours_of.items():
            rate = self._rate(index)
            for source, frac in rate.shares.items():
                kwh = frac * rate.site_kw * hours * self.work.n_tasks / self.pace_factor
                if kwh > 0:
                    found[source] = found.get(source, 0.0) + kwh
        return found

    def starts(self) -> list[float]:
        """Now, and each interval of the plan that begins in the next 48 hours."""
        begins = (self._origin_s + index * self._step_s for index in range(1, self._n_known))
        return [self.now_s, *(begin_s for begin_s in begins if begin_s < self.now_s + STARTS_WITHIN_S)]

    def goes_beyond(self, start_s: float) -> bool:
        """Whether the run ends after the plan does."""
        return self.plan is not None and start_s + self.work.time_s > self.plan.end_s

    # -- intervals -------------------------------------------------------------------------------------------------
    def _until(self, instant_s: float) -> tuple[float, float, float, float]:
        """What a job at full power would have used and cost from the interval of now until an instant."""
        step_s, passed_s = self._step_s, max(0.0, instant_s - self._origin_s)
        index = int(passed_s // step_s)
        while len(self._sums) <= index:
            self._sums.append(_added(self._sums[-1], self._rate(len(self._sums) - 1), step_s / HOUR_S))
        return _added(self._sums[index], self._rate(index), (passed_s - index * step_s) / HOUR_S)

    def _hours(self, begin_s: float, end_s: float) -> Iterator[tuple[int, float]]:
        """The intervals from that of now on which a run touches, and how many hours of each."""
        step_s = self._step_s
        index = int(max(0.0, begin_s - self._origin_s) // step_s)
        while self._origin_s + index * step_s < end_s:
            from_s = self._origin_s + index * step_s
            yield index, (min(end_s, from_s + step_s) - max(begin_s, from_s)) / HOUR_S
            index += 1

    def _rate(self, index: int) -> _Rate:
        """The rate of an interval, counted from that of now."""
        known = self._known_index(index)
        if known not in self._rates:
            self._rates[known] = self._made_rate(known)
        return self._rates[known]

    def _known_index(self, index: int) -> int:
        if index < self._n_known:
            return index
        return self._n_known - self._period + (index - self._n_known) % self._period

    def _made_rate(self, index: int) -> _Rate:
        middle_s = self._origin_s + (index + 0.5) * self._step_s
        seen_s = middle_s if index else max(middle_s, self.now_s)
        tier, it_kw = self.work.tier, dict[str, float]()
        for load in self.loads:
            if load.until_s > seen_s or (index == 0 and load.until_s > self.now_s):
                it_kw[load.tier] = it_kw.get(load.tier, 0.0) + load.it_kw
        it_kw[tier] = it_kw.get(tier, 0.0) + self.work.rated_kw
        it_kw[IDLE_TIER] = self.idle_kw
        pue = pue_at(sum(it_kw.values()) / 1000.0, self.site.pue)
        load_mw = {name: kw * pue / 1000.0 for name, kw in it_kw.items()}
        assert self.hours is not None
        rates = self.hours.rates(middle_s, load_mw)
        site_kw = self.work.rated_kw * pue
        shares = rates.shares[tier]
        clean_kw = site_kw * sum(frac for source, frac in shares.items() if source != GRID_SOURCE_ID)
        return _Rate(site_kw, site_kw * rates.price_of(tier), site_kw * rates.gco2_of(tier), clean_kw, shares)


def best_of(runs: Sequence[Run], latest_s: float | None = None) -> Run:
    """The cheapest run that begins in time, of equal ones the cleanest, then the first; the first when none is."""
    in_time = [run for run in runs if latest_s is None or run.start_s <= latest_s]
    return min(
        in_time or runs[:1],
        key=lambda run: (round(run.credits, _TIE_DIGITS), round(run.gco2, _TIE_DIGITS), run.start_s),
    )


def _added(sums: tuple[float, float, float, float], rate: _Rate, hours: float) -> tuple[float, float, float, float]:
    kwh, mad, gco2, clean_kwh = sums
    return (
        kwh + rate.site_kw * hours,
        mad + rate.mad_per_h * hours,
        gco2 + rate.gco2_per_h * hours,
        clean_kwh + rate.clean_kw * hours,
    )


def _by_tier(site: Site, what: str) -> dict[str, float]:
    table = site.prices.mad_per_gpu_h if what == "gpu" else site.prices.mad_per_cpu_h
    return {"firm": table.firm, "flex": table.flex, "green": table.green}
