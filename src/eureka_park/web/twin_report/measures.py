"""The measures of a run: how each is told, and what it means. docs/nomenclature.md has their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.web.pages.words import N_, Words, isolated

TIERS: Final = {"firm": N_("firm"), "flex": N_("flexible"), "green": N_("green")}
ENDS: Final = {
    "finished": N_("finished well"), "failed": N_("failed ones"), "cancelled": N_("cancelled ones"),
    "timed_out": N_("out of time"),
}  # fmt: skip
QUANTILES: Final = ("mean", "p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure by its name in a run's answer: how it is told (`FORMS`), what it is called, and what it means."""

    name: str
    form: str
    title: str
    meaning: str


FORMS: Final = frozenset({"count", "frac", "s", "mwh", "g", "g_per_kwh", "gpu_h", "kwh_per_gpu_h", "ratio"})
# By groups, in the order of the report.
GROUPS: Final[Mapping[str, tuple[Measure, ...]]] = {
    N_("Energy"): (
        Measure(
            "cfe_frac", "frac", N_("clean share, hour by hour"),
            N_(
                "Of the machines’ energy, what own sun, wind and salt could give in the very hour it was drawn. "
                "What is left over in one hour covers none of the next."
            ),
        ),
        Measure(
            "cfe_bound_frac", "frac", N_("the most that was possible"),
            N_(
                "The largest clean share with which anybody who knew weather and jobs in advance could have "
                "served what the run has served, at the energy that it drew."
            ),
        ),
        Measure(
            "cfe_bound_same_salt_frac", "frac", N_("the same, with salt used as it was"),
            N_("That bound with salt drawn as in the run: what no order of jobs alone could have passed."),
        ),
        Measure(
            "cfe_regret_frac", "frac", N_("missed clean share"),
            N_(
                "The most that was possible less the clean share. It counts only beside runs that finished about "
                "the same."
            ),
        ),
        Measure(
            "site_mwh", "mwh", N_("energy at the site meter"),
            N_("Machines, cooling and supply together, in mild weather."),
        ),
        Measure(
            "bought_mwh", "mwh", N_("bought from the grid"),
            N_("What own clean power of the hour did not cover, at the site meter."),
        ),
        Measure(
            "curtailed_mwh", "mwh", N_("clean power without work"),
            N_("Own clean power that the machines did not draw and the tanks could not keep: unused, or sold."),
        ),
        Measure(
            "imbalance_mwh", "mwh", N_("bought beyond plan"),
            N_("What was bought above what the same load would have bought had the newest plan come true."),
        ),
        Measure(
            "overrun_mwh", "mwh", N_("drawn above the budget"),
            N_("Energy above clean power and what the grid tie then gives, in means of five minutes."),
        ),
        Measure(
            "unserved_mwh", "mwh", N_("owed and not supplied"),
            N_(
                "Energy of work left at its deadline, and of firm work that could have been done by the end of "
                "the run and was not."
            ),
        ),
        Measure(
            "gco2", "g", N_("carbon"),
            N_("Bought energy at the grid’s mean, the rest at the life cycle of the site’s own plants."),
        ),
        Measure(
            "gco2_per_kwh", "g_per_kwh", N_("carbon of a kWh"),
            N_("Carbon over the energy at the site meter."),
        ),
        Measure(
            "kwh_per_gpu_h", "kwh_per_gpu_h", N_("energy of a GPU hour"),
            N_("Energy at the site meter, idle machines and cooling included, over GPU hours of work done."),
        ),
    ),
    N_("Work"): (
        Measure(
            "jobs", "count", N_("jobs sent"),
            N_("Jobs that came in the run."),
        ),
        Measure(
            "jobs_started", "count", N_("jobs begun"),
            N_("Jobs that have started at least once."),
        ),
        Measure(
            "jobs_finished", "count", N_("jobs ended"),
            N_("Jobs that ended, at their own end or at that of their declared time."),
        ),
        Measure(
            "jobs_ended", "count", N_("how they ended"),
            N_("As the seed draws or the trace tells; out of time: at the end of their declared time."),
        ),
        Measure(
            "gpu_h_ended", "gpu_h", N_("their work, by how they ended"),
            N_("GPU hours at full speed that these jobs did."),
        ),
        Measure(
            "gpu_h_failed_frac", "frac", N_("work of jobs that failed"),
            N_("Of the GPU hours of all jobs that ended, those of jobs that failed: 8 to 39 % in published clusters."),
        ),
        Measure(
            "gpu_h", "gpu_h", N_("work sent"),
            N_("GPU hours at full speed that all jobs asked for."),
        ),
        Measure(
            "gpu_h_done", "gpu_h", N_("work done"),
            N_("GPU hours at full speed that are done by the end of the run."),
        ),
        Measure(
            "done_frac", "frac", N_("share of work done"),
            N_("Of all work sent, what is done by the end of the run."),
        ),
        Measure(
            "gpu_h_finished_frac", "frac", N_("due work that ended"),
            N_(
                "Of GPU hours whose deadline lies inside the run, those of jobs that ended by the run’s end, late "
                "ones too."
            ),
        ),
        Measure(
            "utilisation_frac", "frac", N_("GPUs held"),
            N_("GPU time held by jobs over that of all GPUs installed."),
        ),
        Measure(
            "goodput_frac", "frac", N_("useful part of held time"),
            N_("Work done at full speed over GPU time held: caps, freezes, checkpoints and undone work lower it."),
        ),
        Measure(
            "checkpoint_loss_frac", "frac", N_("lost to checkpoints and failures"),
            N_("GPU time spent on writing checkpoints, or on work that a failure undid, over GPU time held."),
        ),
    ),
    N_("Promises to people"): (
        Measure(
            "deadline_hit_frac", "frac", N_("deadlines met"),
            N_("Of jobs whose deadline lies inside the run, those that ended by it; all where there is none."),
        ),
        Measure(
            "deadline_hit_frac_by_gpu_h", "frac", N_("deadlines met, by GPU hours"),
            N_("The same, each job counted by its work."),
        ),
        Measure(
            "promises_kept_frac", "frac", N_("promised starts kept"),
            N_(
                "Of starts that waiting jobs were told, those that came no later than promised, by the tolerance "
                "of a promise."
            ),
        ),
        Measure(
            "firm_disturbed", "count", N_("firm jobs disturbed by power"),
            N_("Caps, pauses and freezes of firm jobs for want of power."),
        ),
        Measure(
            "n_pauses", "count", N_("pauses"),
            N_("Pauses of jobs, freezes included."),
        ),
    ),
    N_("Fairness"): (
        Measure(
            "jain_index", "ratio", N_("evenness (Jain)"),
            N_(
                "How evenly tenants were served beside what was due to them by their shares, week by week: 1 is "
                "even; one over the number of tenants, where one had all."
            ),
        ),
        Measure(
            "jain_index_min", "ratio", N_("the least even week"),
            N_("The same of the week in which it was lowest."),
        ),
        Measure(
            "jain_index_contested", "ratio", N_("evenness where wanted"),
            N_("The same of those hours alone in which a tenant wanted more than was due to it."),
        ),
        Measure(
            "n_demanding", "count", N_("tenants that wanted more"),
            N_("Tenants with at least one hour in which they wanted more than was due to them."),
        ),
        Measure(
            "rho_max", "ratio", N_("time over that on own machines, worst tenant"),
            N_(
                "Time of a tenant’s jobs from submission to end, over the same on machines of its own as large as "
                "its share, always with power. Above 1 it would do better alone."
            ),
        ),
        Measure(
            "rho_max_by_gpu_h", "ratio", N_("the same, by GPU hours"),
            N_("The same, each job counted by its work: by jobs it is the short ones that decide."),
        ),
    ),
}  # fmt: skip
# Figures by tier and quantile.
SPREADS: Final = (
    Measure(
        "wait_s", "s", N_("wait"),
        N_("From submission to the first start; who has not started has waited until the end of the run."),
    ),
    Measure(
        "turnaround_s", "s", N_("turnaround"),
        N_("From submission to end, of jobs that ended."),
    ),
    Measure(
        "bounded_slowdown", "ratio", N_("slowdown"),
        N_("Turnaround over run time at full speed (10 s at least), of jobs that ended; never below 1."),
    ),
)  # fmt: skip
BY_GPU_H: Final = "_by_gpu_h"
_DUST_MWH: Final = 1e-9


def told(value: Any, form: str, words: Words) -> str:
    """A figure in the reader's language; a dash where it was not counted."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return "–"
    if form == "frac":
        return percent(value, words)
    if form == "s":
        return words.duration(value)
    if form == "mwh":
        return energy(value, words)
    if form == "g":
        return words.grams(value)
    if form == "g_per_kwh":
        return isolated(words.say("{n} g/kWh", n=words.number(value, 0)))
    if form == "kwh_per_gpu_h":
        return isolated(words.say("{n} kWh", n=words.number(value, 2)))
    if form == "gpu_h":
        return isolated(words.say("{n} GPU-h", n=words.number(value, 0)))
    return words.number(value, 0) if form == "count" else words.number(value, 2)


def energy(energy_mwh: float, words: Words) -> str:
    """An energy; what rounding leaves of nothing is nothing."""
    return words.energy(1000.0 * energy_mwh if abs(energy_mwh) > _DUST_MWH else 0.0)


def percent(frac: float, words: Words) -> str:
    """A share with one digit after the point, and two where the last per cent decides; never a whole that is none."""
    digits = 2 if 0.995 <= frac < 0.99995 or 0.00005 < frac < 0.005 else 1
    shown = round(100.0 * frac, digits)
    if shown == round(shown):
        digits = 0
    form = words.percent(1.0).strip("\u2068\u2069").replace("100", "{n}")
    return isolated(form.format(n=words.number(shown, digits)))


def value_of(figures: Mapping[str, Any], path: str) -> Any:
    """A figure by its dotted name; none where it is not there."""
    found: Any = figures
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
