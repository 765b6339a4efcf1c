"""The receipt of a job: its energy by hour and source, its carbon and its price. Totals are the sums of their hours.

All sums are whole numbers: kWh to the billionth, grams and credits to the millionth; floats appear in the last step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eureka_park.foundation.units import HOUR_S, iso_from_s
from eureka_park.ledger.core.exact import MICRO, UJ_PER_KWH, micro, split
from eureka_park.ledger.core.metering import MEASURED, MODELLED

NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HourLine:
    """What one account used in one hour from one source: energy in uJ, carbon in ng, cost in nMAD."""

    hour_s: int
    source: str
    it_uj: int
    site_uj: int
    gco2_ng: int
    cost_nmad: int
    method: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """A job that is over, to be settled. `ran_s` is its run time in park seconds, all attempts together; of a gang on
    all the nodes that it held, where `n_gpus` and `n_cpus` are those of each.

    `prices`: `{"mad_per_gpu_h": {tier: MAD}, "mad_per_cpu_h": {tier: MAD}, "label": text}`, as in the site's file.
    `at_s`: park time of the settling, which gives a job without energy its hour.
    """

    job_id: str
    project: str
    tier: str
    n_gpus: int
    n_cpus: float
    ran_s: float
    at_s: float
    method: str
    is_scale_model: bool
    prices: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    gpu_type: str = ""
    person_id: str = ""


def build_receipt(settlement: Settlement, lines: Sequence[HourLine]) -> tuple[dict[str, Any], int]:
    """The receipt of a job from its hour lines, as JSON, and its price in whole micro-credits.

    Credits are GPU and CPU hours at the tier's price, spread over the hours by their energy, plus each hour's cost of
    energy.
    """
    gpu_uh, cpu_uh = _micro_hours(settlement.n_gpus, settlement), _micro_hours(settlement.n_cpus, settlement)
    per_gpu_h, per_cpu_h = _hourly(settlement.prices, settlement.tier)
    time_ucredits = round(gpu_uh * per_gpu_h) + round(cpu_uh * per_cpu_h)
    hours = _hours(lines, time_ucredits, settlement.at_s)
    credits_ucredits = sum(hour.ucredits for hour in hours)
    is_measured = settlement.method == MEASURED and all(line.method == MEASURED for line in lines)
    receipt = {
        "job_id": settlement.job_id,
        "gpu_h": gpu_uh / MICRO,
        "cpu_h": cpu_uh / MICRO,
        "kwh": sum(hour.site_nkwh for hour in hours) / NANO,
        "it_kwh": sum(hour.it_nkwh for hour in hours) / NANO,
        "kwh_by_source": _kwh_by_source(hours),
        "hours": [hour.to_json() for hour in hours],
        "gco2": sum(hour.gco2_ug for hour in hours) / MICRO,
        "credits": credits_ucredits / MICRO,
        "method": MEASURED if is_measured else MODELLED,
        "scale_model": settlement.is_scale_model,
        "labels": dict(settlement.labels),
        "price": {
            "tier": settlement.tier,
            "mad_per_gpu_h": per_gpu_h,
            "mad_per_cpu_h": per_cpu_h,
            "mad_per_credit": 1.0,
            "time_credits": time_ucredits / MICRO,
            "energy_credits": (credits_ucredits - time_ucredits) / MICRO,
            "label": str(settlement.prices.get("label", "")),
        },
    }
    return receipt, credits_ucredits


def machine_credits_per_h(prices: Mapping[str, Any], tier: str, n_gpus: int, n_cpus: float) -> float:
    """What an hour of GPUs and CPUs costs in a tier, without the energy; credits."""
    per_gpu_h, per_cpu_h = _hourly(prices, tier)
    return n_gpus * per_gpu_h + n_cpus * per_cpu_h


def _hourly(prices: Mapping[str, Any], tier: str) -> tuple[float, float]:
    return float(prices["mad_per_gpu_h"][tier]), float(prices["mad_per_cpu_h"][tier])


@dataclass(frozen=True, slots=True)
class _Hour:
    hour_s: int
    it_nkwh: int
    nkwh_by_source: Mapping[str, int]
    gco2_ug: int
    ucredits: int

    @property
    def site_nkwh(self) -> int:
        return sum(self.nkwh_by_source.values())

    def to_json(self) -> dict[str, Any]:
        return {
            "hour_at": iso_from_s(self.hour_s),
            "kwh": self.site_nkwh / NANO,
            "it_kwh": self.it_nkwh / NANO,
            "kwh_by_source": {source: nkwh / NANO for source, nkwh in self.nkwh_by_source.items()},
            "gco2": self.gco2_ug / MICRO,
            "credits": self.ucredits / MICRO,
        }


def _hours(lines: Sequence[HourLine], time_ucredits: int, at_s: float) -> list[_Hour]:
    """The hours of the lines in order, every column rounded so that it adds up; without lines the hour of `at_s`."""
    of_hour: dict[int, list[HourLine]] = {} if lines else {int(at_s // HOUR_S) * HOUR_S: []}
    for line in sorted(lines, key=lambda line: (line.hour_s, line.source)):
        of_hour.setdefault(line.hour_s, []).append(line)
    groups = list(of_hour.values())
    energies_uj = [sum(line.it_uj for line in group) for group in groups]
    columns = zip(
        of_hour,
        _rounded(energies_uj, UJ_PER_KWH // NANO),
        _site_nkwh(groups),
        _rounded([sum(line.gco2_ng for line in group) for group in groups], 1000),
        _rounded([sum(line.cost_nmad for line in group) for group in groups], 1000),
        split(time_ucredits, energies_uj if any(energies_uj) else [1] * len(groups)),
        strict=True,
    )
    return [_Hour(hour_s, it, by_source, gco2, cost + time) for hour_s, it, by_source, gco2, cost, time in columns]


def _site_nkwh(groups: Sequence[Sequence[HourLine]]) -> list[dict[str, int]]:
    """By hour and source, energy at the site meter in billionths of a kWh."""
    cells: dict[tuple[int, str], int] = {}
    for index, group in enumerate(groups):
        for line in group:
            cells[index, line.source] = cells.get((index, line.source), 0) + line.site_uj
    by_hour: list[dict[str, int]] = [{} for _ in groups]
    for (index, source), nkwh in zip(cells, _rounded(list(cells.values()), UJ_PER_KWH // NANO), strict=True):
        by_hour[index][source] = nkwh
    return by_hour


def _rounded(amounts: Sequence[int], divisor: int) -> list[int]:
    """Amounts in a unit `divisor` times larger: their rounded sum, split over them exactly."""
    total = (sum(amounts) + divisor // 2) // divisor
    return split(total, amounts) if total else [0] * len(amounts)


def _micro_hours(count: float, settlement: Settlement) -> int:
    return micro(count * max(0.0, settlement.ran_s) / HOUR_S)


def _kwh_by_source(hours: Sequence[_Hour]) -> dict[str, float]:
    sums: dict[str, int] = {}
    for hour in hours:
        for source, nkwh in hour.nkwh_by_source.items():
            sums[source] = sums.get(source, 0) + nkwh
    return {source: nkwh / NANO for source, nkwh in sums.items()}
