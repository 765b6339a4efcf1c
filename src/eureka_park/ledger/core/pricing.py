"""An operator's price list, and what a job's time costs by it. 1 credit is 1 MAD; energy comes on top, by the hour."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import HOUR_S
from eureka_park.ledger.core.exact import micro

TIERS: Final = ("firm", "flex", "green")
CLASSES: Final = ("batch", "interactive", "service")
ANY: Final = "*"
MAD_PER_H_MAX: Final = 1e6
_NAMES_MAX: Final = 100
_LABEL_CHARS_MAX: Final = 200

Table = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Rates:
    """What an hour of one GPU and of one CPU costs a job, in credits, and since when that list is in force."""

    mad_per_gpu_h: float
    mad_per_cpu_h: float
    label: str
    valid_from_s: float

    def time_micro(self, n_gpus: float, n_cpus: float, ran_s: float) -> int:
        """Micro-credits for so many seconds of GPUs and CPUs."""
        gpus, cpus = micro(n_gpus * max(0.0, ran_s) / HOUR_S), micro(n_cpus * max(0.0, ran_s) / HOUR_S)
        return round(gpus * self.mad_per_gpu_h) + round(cpus * self.mad_per_cpu_h)

    def to_json(self, tier: str) -> dict[str, Any]:
        """As the site's own prices are written, which receipts are made from."""
        return {
            "mad_per_gpu_h": {tier: self.mad_per_gpu_h},
            "mad_per_cpu_h": {tier: self.mad_per_cpu_h},
            "label": self.label,
            "valid_from_s": self.valid_from_s,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], tier: str) -> Rates:
        """Read what `to_json` wrote."""
        gpu_h, cpu_h = float(value["mad_per_gpu_h"][tier]), float(value["mad_per_cpu_h"][tier])
        return cls(gpu_h, cpu_h, str(value["label"]), float(value["valid_from_s"]))


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of an hour of one GPU by type, class of work and tier, of one CPU by class and tier, of a GiB that is
    in storage for a month; MAD.

    `*` stands for any type or class that is not named.
    """

    valid_from_s: float
    mad_per_gpu_h: Table
    mad_per_cpu_h: Mapping[str, Mapping[str, float]]
    label: str = "assumption"
    mad_per_gib_month: float = 0.0

    def rates(self, gpu_type: str, job_class: str, tier: str) -> Rates:
        """The rates of a job. One that takes any type of GPU pays for `*`, or for the dearest where there is none."""
        of_cpu = self.mad_per_cpu_h.get(job_class) or self.mad_per_cpu_h[ANY]
        known = self.mad_per_gpu_h.get(gpu_type) or self.mad_per_gpu_h.get(ANY)
        tables = [known] if known is not None else list(self.mad_per_gpu_h.values())
        of_gpu = max((table.get(job_class) or table[ANY])[tier] for table in tables)
        return Rates(of_gpu, of_cpu[tier], self.label, self.valid_from_s)

    def to_json(self) -> dict[str, Any]:
        """The list as it is kept and shown, without its begin."""
        of_gpu = self.mad_per_gpu_h.items()
        return {
            "mad_per_gpu_h": {kind: {name: dict(row) for name, row in of.items()} for kind, of in of_gpu},
            "mad_per_cpu_h": {name: dict(row) for name, row in self.mad_per_cpu_h.items()},
            "mad_per_gib_month": self.mad_per_gib_month,
            "label": self.label,
        }


def read_price_list(body: Mapping[str, Any], valid_from_s: float) -> PriceList:
    """A checked price list. Raises BadInput with the field that is wrong."""
    unknown = sorted(set(body) - {"mad_per_gpu_h", "mad_per_cpu_h", "mad_per_gib_month", "label"})
    if unknown:
        fix = "Write mad_per_gpu_h, mad_per_cpu_h, mad_per_gib_month and label."
        raise _bad("price list", f"has no '{unknown[0][:40]}'", fix)
    if not math.isfinite(valid_from_s):
        raise _bad("valid_from", "is no instant", "Write it as 2027-03-01.")
    label = str(body.get("label", "assumption")).strip()[:_LABEL_CHARS_MAX]
    gpu = {name: _classes(of, f"mad_per_gpu_h.{name}") for name, of in _named(body, "mad_per_gpu_h").items()}
    cpu = _classes(_named(body, "mad_per_cpu_h"), "mad_per_cpu_h")
    gib = body.get("mad_per_gib_month", 0.0)
    if not _is_price(gib):
        raise _bad("mad_per_gib_month", "is no price", f"Write MAD per GiB and month, from 0 to {MAD_PER_H_MAX:.0f}.")
    return PriceList(valid_from_s, gpu, cpu, label or "assumption", float(gib))


def _is_price(price: Any) -> bool:
    return isinstance(price, int | float) and not isinstance(price, bool) and 0 <= price <= MAD_PER_H_MAX


def _named(body: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = body.get(field)
    if not isinstance(found, Mapping) or not 0 < len(found) <= _NAMES_MAX:
        raise _bad(field, "is missing", f'Write {field} with at least the entry "{ANY}".')
    return {str(name)[:63]: value for name, value in found.items()}


def _classes(found: Any, field: str) -> dict[str, dict[str, float]]:
    """Prices by class of work; the three tiers at once stand for all classes."""
    if not isinstance(found, Mapping) or not found:
        raise _bad(field, "is no table", "Write a price for firm, flex and green.")
    if set(found) <= set(TIERS):
        found = {ANY: found}
    wrong = sorted(set(found) - {ANY, *CLASSES})
    if wrong or ANY not in found:
        what = f"names the class '{str(wrong[0])[:40]}'" if wrong else f'has no entry "{ANY}"'
        raise _bad(field, what, f"Classes are {', '.join(CLASSES)} and {ANY}.")
    return {name: _tiers(row, f"{field}.{name}") for name, row in found.items()}


def _tiers(row: Any, field: str) -> dict[str, float]:
    if not isinstance(row, Mapping) or set(row) != set(TIERS):
        raise _bad(field, "has not one price per tier", "Write a price for firm, flex and green.")
    for tier, price in row.items():
        if not _is_price(price):
            raise _bad(f"{field}.{tier}", "is no price", f"Write MAD per hour, from 0 to {MAD_PER_H_MAX:.0f}.")
    return {tier: float(row[tier]) for tier in TIERS}


def _bad(field: str, what: str, fix: str) -> BadInput:
    return BadInput(f"{field} {what}.", fix=fix, field=field, code="bad_price_list")
