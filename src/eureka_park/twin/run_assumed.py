"""What a run takes for granted: each assumption with its value and what it rests on, for the report of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eureka_park.twin.core.arrivals import tenant_paths
from eureka_park.twin.core.failures import NODE_MTBF_S, REPAIR_MEDIAN_S
from eureka_park.twin.core.faults import GRID_TRIPS_PER_YEAR, NETWORK_MTBF_S, PLANT_TRIPS_PER_YEAR
from eureka_park.twin.core.mix import Mix
from eureka_park.twin.core.workload import TIER_NAMES, Workload

if TYPE_CHECKING:
    from eureka_park.twin.run import TwinRequest

ASSUMPTION: Final = "assumption"
PHILLY: Final = "Microsoft Philly, 82,247 jobs of 2017 (CC BY 4.0)"
ENDINGS: Final = "Microsoft Philly, 112,956 jobs, as told by Acme's authors (CC BY 4.0)"
VENUS: Final = "Helios Venus, 125,214 GPU jobs of 2020 (CC BY 4.0)"
FITTED: Final = f"fitted to {VENUS}: dispersion about 39 at its rate, docs/results/generator.md"
OPENB: Final = "Alibaba openb, 7,064 GPU pods of 2023"
ACME: Final = "Acme, 2023: a fleet's GPUs draw 42 to 48 % of their rating"
LLAMA: Final = "Llama 3: interruptions in 54 days on 16,384 GPUs (arXiv 2407.21783)"
FORECASTS: Final = "beam: Nonnenmacher 2016, growth: Lopes 2020; wind: assumption"
Row = tuple[str, Any, str]


def assumptions_of(request: TwinRequest, work: Workload, mix: Mix, load_frac: float) -> dict[str, dict[str, Any]]:
    """By name: `value` and `source`. Of a trace only what the seed has filled is an assumption."""
    is_trace = request.trace is not None
    rows: list[Row] = []
    if not is_trace:
        rows += [
            ("load_frac", load_frac if request.load_frac is None else request.load_frac, _asked(request.load_frac))
        ]
        rows += _of_generator(mix, work)
    for column, more in _by_column(mix, work).items():
        if not is_trace or column in work.filled:
            rows += more
    rows += _of_world(request)
    return {name: {"value": value, "source": source} for name, value, source in rows}


def _asked(value: Any) -> str:
    return ASSUMPTION if value is None else "as asked"


def _of_generator(mix: Mix, work: Workload) -> list[Row]:
    """When jobs come, how large they are, how they end."""
    return [
        ("sizes_and_run_times", "by bins of GPU count and quantiles of run times", PHILLY),
        ("arrivals_week", "share of hours and days", VENUS),
        ("arrivals_burst_cv", mix.burst_cv, FITTED),
        ("arrivals_burst_lag1", mix.burst_lag1, FITTED),
        ("arrivals_burst_tilt", mix.burst_tilt, FITTED),
        ("sweep_jobs_mean", mix.sweep_jobs, ASSUMPTION),
        ("run_days_max", mix.run_s_max / 86_400.0, ASSUMPTION),
        ("interactive_frac_of_small", mix.interactive_frac, ASSUMPTION),
        ("service_frac_of_small", mix.service_frac, ASSUMPTION),
        ("elastic_frac_of_gangs_with_checkpoints", mix.elastic_frac, ASSUMPTION),
        ("after_another_frac", mix.after_frac, ASSUMPTION),
        *_of_tails(mix, work),
    ]


def _of_tails(mix: Mix, work: Workload) -> list[Row]:
    """What only jobs have that are drawn one by one."""
    rows: list[Row] = []
    if bool((work.gpu_milli < 1000).any()):
        rows += [
            ("fractional_frac_of_one_gpu_jobs", mix.part_frac, OPENB),
            ("fraction_milli", [milli for milli, _weight in mix.parts], OPENB),
        ]
    if bool((work.ending > 0).any()):
        rows += [
            ("ending_by_jobs", dict(zip(("finished", "cancelled", "failed"), mix.ending_jobs, strict=True)), ENDINGS),
            ("ending_by_gpu_h", dict(zip(("finished", "cancelled", "failed"), mix.ending_gpu_h, strict=True)), ENDINGS),
        ]
    return rows


def _by_column(mix: Mix, work: Workload) -> dict[str, list[Row]]:
    """What each column rests on where the seed draws it."""
    n_organisations = len({path.partition("/")[0] for path in work.leaves})
    of_leaves = ASSUMPTION if work.leaves[:1] == tenant_paths(1) else "the site's shares"
    return {
        "tier": [("tier_frac_of_gpu_h", dict(zip(TIER_NAMES, mix.tier_frac, strict=True)), ASSUMPTION)],
        "deadline_s": [
            ("deadline_frac_of_flex", mix.deadline_frac, ASSUMPTION),
            ("deadline_slack_h_median", mix.slack_median_s / 3600.0, ASSUMPTION),
            ("deadline_slack_sigma", mix.slack_sigma, ASSUMPTION),
        ],
        "checkpoint": [("checkpoint_frac_of_batch", mix.checkpoint_frac, ASSUMPTION)],
        "time_s": [("declared_over_run_time_max", mix.declared_max, ASSUMPTION)],
        "power_frac": [
            ("gpu_power_frac_mean", float(work.power_frac.mean()), ACME),
            ("gpu_power_frac_ranges", [list(mix.low_power), list(mix.high_power)], ASSUMPTION),
        ],
        "priority": [("priority_frac", list(mix.priority_frac), ASSUMPTION)],
        "leaf": [
            ("projects", len(work.leaves), of_leaves),
            ("organisations", n_organisations, of_leaves),
            ("tenant_zipf_power", mix.tenant_power, ASSUMPTION),
        ],
        "mcpu": [("cores_and_memory_frac_of_gpus_part", list(mix.cores_frac), ASSUMPTION)],
    }


def _of_world(request: TwinRequest) -> list[Row]:
    """Failures, and what plans know."""
    return [
        ("node_mtbf_days", NODE_MTBF_S / 86_400.0, LLAMA),
        ("rack_switch_mtbf_days_of_a_node", NETWORK_MTBF_S / 86_400.0, LLAMA),
        ("repair_h_median", REPAIR_MEDIAN_S / 3600.0, ASSUMPTION),
        ("plant_trips_per_year_where_asked", PLANT_TRIPS_PER_YEAR, ASSUMPTION),
        ("grid_trips_per_year_where_asked", GRID_TRIPS_PER_YEAR, ASSUMPTION),
        ("plan_every_h", request.plan_every_h, "as the live park plans"),
        ("forecast_errors", "of published size, drawn by the seed", FORECASTS),
    ]
