"""A trace of another cluster brought to the load of a site: jobs stay as they are, there are more or fewer of them.

The rule. The offered load is the GPU time that the jobs submitted in the run's days ask for, over the GPU time of the
site in these days. Days beyond the end of the trace begin it again. A trace that offers too little is repeated: whole
copies, and of one more only a part of the jobs. A trace that offers too much keeps a part of its jobs. A part is drawn
evenly over jobs sorted by their GPU time, so that it holds its part of large ones too. Each copy is shifted by whole
weeks where there are as many, else by whole days, and by a drawn part of an hour, and goes round at the end of the run.
Tenants that the trace names are other tenants in each copy; tenants that the seed has drawn are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.twin.core.workload import DTYPES, Floats, Longs, Workload

RULE: Final = "copies and parts of the trace; docs/guide/twin.md, a trace on another site"
LEAST: Final = 1e-3  # of a copy; less is not worth one


@dataclass(frozen=True, slots=True)
class Scaling:
    """How a trace comes to a load: `copies` whole ones and a `part_frac` of one more, begun `repeats` times in time.

    `load_frac_before`: what the trace offers by itself in the run's days, repeats included.
    """

    load_frac_before: float
    repeats: int
    copies: int
    part_frac: float

    def n_jobs(self, n_in_days: int) -> int:
        """About how many jobs there will be, of so many in the run's days."""
        return math.ceil(n_in_days * (self.copies + self.part_frac))

    def to_json(self, load_frac: float) -> dict[str, Any]:
        """As a report tells it; `load_frac` is what came of it."""
        return {
            "rule": RULE,
            "load_frac_before": self.load_frac_before,
            "repeats_in_time": self.repeats,
            "whole_copies": self.copies,
            "part_of_a_copy": self.part_frac,
            "load_frac": load_frac,
        }


def load_frac_of(work: Workload, held: Floats, n_units: float, days: float) -> float:
    """Work asked for over what the site has; `held` is what each job holds of `n_units`, GPUs or CPUs."""
    return float((held * work.run_s).sum()) / (n_units * days * DAY_S)


def scaling_of(load_frac: float, offered_frac: float, repeats: int) -> Scaling:
    """How a trace that offers so much becomes one that offers `load_frac`."""
    ratio = load_frac / offered_frac
    copies = math.floor(ratio + LEAST)
    part = ratio - copies
    return Scaling(offered_frac, repeats, copies, part if part > LEAST else 0.0)


def in_days(work: Workload, days: float) -> tuple[Workload, int]:
    """The jobs of a run of so many days, and how often the trace is begun in them. Raises BadInput when there are none.

    Who came after a job that stands in the repeat before comes after nobody.
    """
    last_s = float(work.submit_s[-1]) if work.n_jobs else 0.0
    span_s, until_s = math.ceil((last_s + 1.0) / DAY_S) * DAY_S, days * DAY_S
    repeats = max(1, math.ceil(until_s / span_s - 1e-9))
    found = (
        work if repeats == 1 else _joined([_moved(work, np.full(work.n_jobs, at * span_s)) for at in range(repeats)])
    )
    if not (found.submit_s < until_s).any():
        raise BadInput("No job of the trace falls into these days.", fix="Run for longer.", field="days")
    return found.rows(found.submit_s < until_s), repeats


def scaled(work: Workload, held: Floats, scaling: Scaling, days: float, tree: SeedTree) -> Workload:
    """The jobs of `in_days` by a scaling, in order of time; `held` is what each holds."""
    tree = tree.child("copies")
    n_copies = scaling.copies + (scaling.part_frac > 0.0)
    names_tenants = "leaf" not in work.filled
    n_images = int(work.image.max()) + 1
    parts = []
    for copy, shift_s in enumerate(shifts_s(n_copies, days, tree)):
        one = work
        if copy == scaling.copies:
            one = work.rows(
                part_of(held * work.run_s, scaling.part_frac, float(tree.child("part").generator().random()))
            )
        if copy:
            one = _round(_named(one, copy, names_tenants), shift_s, days * DAY_S)
            one = replace(one, image=(one.image + copy * n_images).astype(np.int32))
        parts.append(one)
    return _joined(parts)


def part_of(gpu_s: Floats, part_frac: float, begin: float) -> Any:
    """Which jobs a part keeps: evenly over jobs sorted by their GPU time, from a place (0 to 1) on."""
    kept = np.zeros(len(gpu_s), dtype=np.bool_)
    steps = np.floor(begin + part_frac * np.arange(len(gpu_s) + 1))
    kept[np.argsort(gpu_s, kind="stable")[np.diff(steps) > 0.0]] = True
    if not kept.any():
        kept[int(np.argmin(gpu_s))] = True
    return kept


def shifts_s(n_copies: int, days: float, tree: SeedTree) -> list[float]:
    """By how much each copy is shifted; the first is not."""
    n_weeks, n_days = int(days // 7), max(1, int(days))
    unit_s, n_units = (7.0 * DAY_S, n_weeks) if n_copies <= n_weeks else (1.0 * DAY_S, n_days)
    parts = np.round(tree.child("shifts").generator().random(max(1, n_copies)) * HOUR_S, 3)
    return [0.0, *(unit_s * (copy * n_units // n_copies) + float(parts[copy]) for copy in range(1, n_copies))]


def _named(work: Workload, copy: int, is_other: bool) -> Workload:
    """A copy with tenants of its own."""
    if not is_other:
        return work
    return replace(work, leaves=tuple(_renamed(path, copy + 1) for path in work.leaves))


def _renamed(path: str, number: int) -> str:
    first, slash, rest = path.partition("/")
    return f"{first}-copy-{number}{slash}{rest}"


def _round(work: Workload, shift_s: float, until_s: float) -> Workload:
    """Later by `shift_s`; what would come after the end comes at the start. In order of time."""
    at_s = np.round((work.submit_s + shift_s) % until_s, 3)
    return _in_order(_moved(work, at_s - work.submit_s))


def _moved(work: Workload, by_s: Floats) -> Workload:
    return replace(work, submit_s=work.submit_s + by_s, deadline_s=work.deadline_s + by_s)


def _in_order(work: Workload) -> Workload:
    """Rows by submission; who would come after a later job comes after nobody."""
    order = np.argsort(work.submit_s, kind="stable")
    columns = {name: getattr(work, name)[order] for name in DTYPES}
    columns["after"] = _followed(columns["after"], order)
    return replace(work, **columns)


def _followed(after: Any, order: Longs) -> Any:
    """`after` of rows that were put into another order."""
    n = len(order)
    place = np.full(n + 1, -1, dtype=np.int64)
    place[order] = np.arange(n)
    found = place[after]  # -1 stands at the end, and stays
    return np.where(found < np.arange(n), found, -1).astype(np.int32)


def _joined(parts: Sequence[Workload]) -> Workload:
    """Several as one, in order of time; leaves of one name are one."""
    leaves = tuple(dict.fromkeys(path for part in parts for path in part.leaves))
    place = {path: index for index, path in enumerate(leaves)}
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in DTYPES}
    columns["leaf"] = np.concatenate(
        [np.array([place[path] for path in part.leaves], dtype=np.int32)[part.leaf] for part in parts]
    )
    firsts = np.cumsum([0, *(part.n_jobs for part in parts)])
    columns["after"] = np.concatenate(
        [np.where(part.after >= 0, part.after + first, -1) for part, first in zip(parts, firsts, strict=False)]
    ).astype(np.int32)
    return _in_order(replace(parts[0], leaves=leaves, **columns)).validate()
