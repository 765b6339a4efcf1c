"""Energy of a run at the site meter: what of it was clean hour by hour, bought, left unused, or not as planned.

The sky of a run knows clean power by hour and not by plant: what batteries and salt give counts as clean, for only the
park's own plants fill them, and what they take is not available in that hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.twin.core.counted import Counted
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.sky_series import SkySeries
from eureka_park.twin.core.workload import Workload

Floats = npt.NDArray[np.float64]

HOUR_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Meter:
    """From machines to the site meter: IT power times `per_it`, and `fixed_kw`; carbon of a kWh there, g.

    `own_gco2_per_kwh` is one figure for all plants of the site, for the sky does not say which of them gave.
    """

    per_it: float = 1.0
    fixed_kw: float = 0.0
    grid_gco2_per_kwh: float = 0.0
    own_gco2_per_kwh: float = 0.0


PLAIN_METER: Final = Meter()


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """IT energy hour by hour, kWh: drawn, clean power that was there, and what of it met the other."""

    load_kwh: Floats
    clean_kwh: Floats

    @property
    def matched_kwh(self) -> Floats:
        """Clean energy that was drawn in its hour."""
        return np.minimum(self.load_kwh, self.clean_kwh)

    @property
    def bought_kwh(self) -> Floats:
        """What clean power did not cover in its hour."""
        return self.load_kwh - self.matched_kwh


def matched(counted: Counted, sky: SkySeries) -> Matched:
    """The load of a run beside the clean power of its hours."""
    n_hours = len(counted.load_kwh)
    return Matched(counted.load_kwh, sky.true_clean_kw[:n_hours] * counted.hour_s / HOUR_S)


def imbalance_kwh(counted: Counted, sky: SkySeries) -> float:
    """IT energy bought beyond plan: above what each hour's load would have bought under the clean power that the newest
    plan of its begin expected.
    """
    hours = matched(counted, sky)
    planned = Matched(hours.load_kwh, planned_clean_kw(sky, len(hours.load_kwh)) * counted.hour_s / HOUR_S)
    return float(np.maximum(0.0, hours.bought_kwh - planned.bought_kwh).sum())


def planned_clean_kw(sky: SkySeries, n_hours: int) -> Floats:
    """Clean power (p50) of each hour in the newest plan that was issued by its begin and covers it; IT kW."""
    found = np.zeros(n_hours)
    for hour in range(n_hours):
        plan = sky.plan_at(sky.hour0_s + HOUR_S * hour)
        while plan > 0 and sky.plan_first_hour[plan] > hour:
            plan -= 1
        at = min(max(0, hour - int(sky.plan_first_hour[plan])), sky.plan_clean_kw.shape[1] - 1)
        found[hour] = sky.plan_clean_kw[plan, at]
    return found


def energy_figures(played: Played, sky: SkySeries | None, meter: Meter, done_gpu_h: float) -> dict[str, Any]:
    """Figures of a run's energy; None for what was not counted."""
    names = ("site_mwh", "cfe_frac", "curtailed_mwh", "bought_mwh", "imbalance_mwh", "gco2", "gco2_per_kwh",
             "kwh_per_gpu_h")  # fmt: skip
    found: dict[str, Any] = dict.fromkeys(names)
    found["overrun_mwh"] = played.overrun_mwh * meter.per_it
    if sky is None or "it_kwh" not in played.totals:
        return found
    load_kwh, clean_kwh = played.totals["it_kwh"], played.totals["clean_kwh"]
    ends_s = np.clip(HOUR_S * np.arange(sky.n_hours + 1), 0.0, played.until_s)
    available_kwh = float((sky.true_clean_kw * np.diff(ends_s)).sum()) / HOUR_S
    spilt_kwh = 0.0 if sky.tanks is None or sky.tanks.spilt_kwh is None else float(sky.tanks.spilt_kwh.sum())
    if played.counted is not None:
        hours = matched(played.counted, sky)
        load_kwh, clean_kwh = float(hours.load_kwh.sum()), float(hours.matched_kwh.sum())
        available_kwh = float(hours.clean_kwh.sum())
        found["imbalance_mwh"] = imbalance_kwh(played.counted, sky) * meter.per_it / 1000.0
    site_kwh = load_kwh * meter.per_it + meter.fixed_kw * played.until_s / HOUR_S
    bought_kwh = (load_kwh - clean_kwh) * meter.per_it
    gco2 = bought_kwh * meter.grid_gco2_per_kwh + (site_kwh - bought_kwh) * meter.own_gco2_per_kwh
    return found | {
        "site_mwh": site_kwh / 1000.0,
        "cfe_frac": clean_kwh / load_kwh if load_kwh > 0.0 else 1.0,
        "curtailed_mwh": (max(0.0, available_kwh - clean_kwh) + spilt_kwh) * meter.per_it / 1000.0,
        "bought_mwh": bought_kwh / 1000.0,
        "gco2": gco2,
        "gco2_per_kwh": gco2 / site_kwh if site_kwh > 0.0 else 0.0,
        "kwh_per_gpu_h": site_kwh / done_gpu_h if done_gpu_h > 0.0 else None,
    }


def kw_of_jobs(work: Workload, classes: Sequence[ClassRow], types: Sequence[str]) -> Floats:
    """IT power of each job while it runs without a cap, its part of its nodes' idle power included; kW.

    On the first class of machines that it fits, as the board rates it; 0 for who fits on none.
    """
    kw, is_open = np.zeros(work.n_jobs), np.ones(work.n_jobs, np.bool_)
    named = [types.index(name) if name in types else -2 for name in work.gpu_types]
    wanted = np.array([*named, -1])[work.gpu_type]
    is_gang = work.n_nodes > 1
    for kind in classes:
        fits = is_open & (work.gpus <= kind.n_gpus) & (work.mcpu <= kind.mcpu) & (work.mem_mib <= kind.mem_mib)
        fits &= (wanted == -1) | (wanted == kind.gpu_type)
        fits &= ~is_gang | ((work.gpus == kind.n_gpus) & (work.least_nodes <= kind.n_nodes))
        of_cpus = np.where(is_gang, 1.0, work.mcpu / kind.mcpu)
        gpus_kw = min(kind.gpu_kw_max * kind.n_gpus, kind.rated_kw - kind.idle_kw)
        dynamic_kw = (kind.rated_kw - kind.idle_kw - gpus_kw) * of_cpus
        of_idle = of_cpus
        if kind.n_gpus:
            of_gpus = work.gpus * work.gpu_milli / 1000.0 / kind.n_gpus
            dynamic_kw = dynamic_kw + gpus_kw * of_gpus
            of_idle = np.where(work.gpus > 0, of_gpus, of_cpus)
        each_kw = kind.idle_kw * np.minimum(1.0, of_idle) + dynamic_kw * work.power_frac
        kw[fits] = (work.n_nodes * each_kw)[fits]
        is_open &= ~fits
    return kw
