"""Figures of jobs that really ran, as they were and as other policies would have run them: the same for all columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.site_file import Site
from eureka_park.foundation.units import HOUR_S
from eureka_park.twin.core.metrics import told_waits
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.slurm_power import ByHour
from eureka_park.twin.core.slurm_workload import Rows

Floats = npt.NDArray[np.float64]
STEP_S: Final = 60.0  # of the samples in which idle GPUs are counted
RECORDED: Final = "recorded"


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What the figures of all columns rest on. Hours count from `from_s`, a full one; `clean_kw` and the carbon of
    bought power are those of each, at the site meter. `n_units`: GPUs of each kind, or all CPUs where there is no GPU.
    """

    from_s: float
    to_s: float
    n_units: Floats
    clean_kw: Floats
    gco2_per_kwh: Floats
    clean_gco2_per_kwh: float = 0.0
    unit: Literal["gpu", "cpu"] = "gpu"


def clean_carbon(site: Site | None) -> float:
    """Carbon of the plants' own energy: the mean of their life cycles; g/kWh."""
    plants = [plant.life_cycle_gco2_per_kwh for plant in site.plants] if site else []
    return float(np.mean(plants)) if plants else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One way in which the jobs ran, in UTC epoch seconds; nan for what did not come to pass by `until_s`. `done_s`:
    work done, at full speed.
    """

    start_s: Floats
    end_s: Floats
    until_s: float
    done_s: Floats
    n_pauses: int = 0
    digest: str = ""

    @classmethod
    def of_play(cls, played: Played, from_s: float) -> Column:
        """What was played from an instant on."""
        return cls(
            played.first_start_s + from_s, played.end_s + from_s, from_s + played.until_s, played.done_s,
            int(played.n_pauses.sum()), played.digest,
        )  # fmt: skip


def figures_of(
    column: Column, rows: Rows, basis: Basis, is_open: npt.NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Waits, energy, carbon and idle GPUs; jobs that did not start have waited until the end. `is_open`: jobs of which
    the record only knows that they waited still; their waits count until its end in every column.
    """
    counts, started = rows.counts, np.isfinite(column.start_s)
    starts_s = np.where(started, column.start_s, column.until_s)
    ends_s = np.where(np.isfinite(column.end_s), column.end_s, column.until_s)
    counted_s = starts_s if is_open is None else np.where(is_open, np.minimum(starts_s, basis.to_s), starts_s)
    wait_s = np.maximum(0.0, counted_s - rows.eligible_s)[counts]
    first_s = np.maximum(starts_s, basis.from_s)
    span_s = np.maximum(1.0, ends_s - first_s)
    by_hour = ByHour(basis.from_s, len(basis.clean_kw), 1)
    work = rows.kw * np.minimum(column.done_s, rows.run_s)
    by_hour.add(np.zeros(len(starts_s), dtype=np.int64), first_s, ends_s, work / span_s)
    kw = by_hour.hours()[0]
    clean = np.minimum(kw, basis.clean_kw)
    waits, has_units = told_waits(wait_s), rows.n_gpus[counts].any()
    idle_h = _idle_h(starts_s, ends_s, rows, basis)
    return {
        "wait_s": waits,
        "wait_s_by_gpu_h": told_waits(wait_s, (rows.n_gpus * rows.run_s)[counts]) if has_units else waits,
        "kwh": float(kw.sum()),
        "clean_kwh": float(clean.sum()),
        "gco2_kg": float(((kw - clean) * basis.gco2_per_kwh + clean * basis.clean_gco2_per_kwh).sum()) / 1000.0,
        "idle_while_waiting_gpu_h": idle_h if basis.unit == "gpu" else 0.0,
        **({"idle_while_waiting_cpu_h": idle_h} if basis.unit == "cpu" else {}),
        # in a play jobs may start after the last day: the record could not see that of any
        "n_never_started": int((counts & ~(started & (column.start_s <= basis.to_s))).sum()),
        "n_pauses": column.n_pauses,
        "digest": column.digest,
    }


def _idle_h(start_s: Floats, end_s: Floats, rows: Rows, basis: Basis) -> float:
    """GPU hours (or CPU hours) free while as many were waited for, in these days; kind by kind."""
    n = int(np.ceil((basis.to_s - basis.from_s) / STEP_S))
    wasted = 0.0
    for kind, n_units in enumerate(basis.n_units):
        mine = (rows.kind == kind) & (rows.n_gpus > 0)
        units = rows.n_gpus[mine].astype(np.int64)
        held, asked = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
        for cells, begin_s, until_s in (
            (held, start_s[mine], end_s[mine]), (asked, rows.eligible_s[mine], start_s[mine])
        ):  # fmt: skip
            first, last = (
                np.clip(np.ceil((at - basis.from_s) / STEP_S), 0, n).astype(np.int64) for at in (begin_s, until_s)
            )
            np.add.at(cells, first, units)
            np.subtract.at(cells, last, units)
        free = np.maximum(0, int(n_units) - np.cumsum(held)[:n])
        wasted += float(np.minimum(free, np.cumsum(asked)[:n]).sum()) * STEP_S / HOUR_S
    return wasted


def change_of(was: Mapping[str, Any], then: Mapping[str, Any]) -> dict[str, float]:
    """What another policy would have changed: its figures less the record's."""
    names = [name for name in ("kwh", "gco2_kg", "idle_while_waiting_gpu_h", "idle_while_waiting_cpu_h") if name in was]
    return {
        **{f"wait_{name}_s": then["wait_s"][name] - was["wait_s"][name] for name in ("p50", "p95", "mean")},
        **{name: then[name] - was[name] for name in names},
    }
