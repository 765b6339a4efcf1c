"""Figures of runs for a terminal: their names in words, their values with units."""

from __future__ import annotations

from typing import Any, Final

from eureka_park.cli.words import N_, _
from eureka_park.foundation.units import duration_text

LABELS: Final = {
    "gpu_h_finished_frac": N_("GPU hours due that finished"),
    "done_frac": N_("work done"),
    "jobs_finished": N_("jobs finished"),
    "wait_s.firm.mean": N_("wait of firm jobs, mean"),
    "wait_s.firm.p50": N_("wait of firm jobs, p50"),
    "wait_s.firm.p95": N_("wait of firm jobs, p95"),
    "wait_s.flex.mean": N_("wait of flex jobs, mean"),
    "wait_s.flex.p50": N_("wait of flex jobs, p50"),
    "wait_s.flex.p95": N_("wait of flex jobs, p95"),
    "wait_s.green.mean": N_("wait of green jobs, mean"),
    "wait_s.green.p50": N_("wait of green jobs, p50"),
    "wait_s.green.p95": N_("wait of green jobs, p95"),
    "wait_s_by_gpu_h.flex.mean": N_("wait of flex jobs by GPU hours, mean"),
    "bounded_slowdown.flex.mean": N_("bounded slowdown of flex jobs, mean"),
    "deadline_hit_frac.flex": N_("deadlines of flex jobs met"),
    "promises_kept_frac": N_("promised starts kept"),
    "cfe_frac": N_("clean energy, matched hour by hour"),
    "cfe_bound_frac": N_("the most that was possible, all known in advance"),
    "cfe_regret_frac": N_("regret: the bound less clean energy"),
    "site_mwh": N_("energy at the site meter"),
    "bought_mwh": N_("bought"),
    "curtailed_mwh": N_("own clean energy not used"),
    "imbalance_mwh": N_("bought beyond plan"),
    "overrun_mwh": N_("energy above the budget"),
    "unserved_mwh": N_("energy owed and not supplied"),
    "gco2_per_kwh": N_("carbon"),
    "kwh_per_gpu_h": N_("energy for a GPU hour of work"),
    "utilisation_frac": N_("GPUs held"),
    "goodput_frac": N_("work done in the time that GPUs were held"),
    "checkpoint_loss_frac": N_("lost to checkpoints and failures"),
    "n_pauses": N_("pauses"),
    "firm_disturbed": N_("firm jobs disturbed by power"),
    "jain_index": N_("fairness by weeks (Jain, 1 is best)"),
    "rho_max": N_("time in the park over time on an own share, worst tenant"),
    "cpu_s": N_("CPU time"),
    "peak_rss_mib": N_("memory"),
}
UNITS: Final = {
    "mwh": ("MWh", 3), "g_per_kwh": ("g/kWh", 1), "kwh_per_gpu_h": ("kWh", 3), "cpu_s": ("s", 1), "mib": ("MiB", 0),
    "1": ("", 3), "count": ("", 0),
}  # fmt: skip


def label_text(name: str) -> str:
    """A figure in words."""
    return _(LABELS[name])


def cell_text(value: Any, unit: str) -> str:
    """A figure with its unit; `-` where there is none."""
    if value is None:
        return "-"
    if unit == "frac":
        return f"{value:.1%}" if abs(value) >= 0.001 or not value else f"{value:.3%}"
    if unit == "s":
        return duration_text(value)
    word, digits = UNITS[unit]
    return f"{value:,.{digits if abs(value) < 1000 else 0}f} {word}".strip()
