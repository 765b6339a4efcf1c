"""What jobs are like: sizes and run times by bins of GPU count, and the shares of tiers, classes and promises.

Sizes and run times have the shape of Microsoft's Philly cluster (82,247 jobs of 2017; CC BY 4.0): each bin a log-normal
with the bin's median and, through its share of all GPU hours, its mean. Two-GPU jobs are two kinds (their median is
21 s, their mean 8 h). What no trace tells (tiers, deadlines, checkpoints, elasticity, priorities) is an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from eureka_park.foundation.units import DAY_S, HOUR_S


@dataclass(frozen=True, slots=True)
class SizeBin:
    """Jobs of one size: their share of all jobs, their GPU counts with weights, median and sigma of the run time.

    In streamed workloads run times have the `quantiles` (share of jobs, s), where there are any.
    """

    jobs_frac: float
    gpus: tuple[int, ...]
    weights: tuple[float, ...]
    median_s: float
    sigma: float
    quantiles: tuple[tuple[float, float], ...] = ()


PHILLY_BINS: Final = (
    SizeBin(0.932, (1,), (1.0,), 1117.0, 2.00),
    SizeBin(0.016, (2,), (1.0,), 19.0, 0.80),
    SizeBin(0.006, (2,), (1.0,), 30_000.0, 1.70),
    SizeBin(0.023, (4, 3), (0.97, 0.03), 17_410.0, 1.74),
    SizeBin(0.020, (8, 6, 5), (0.96, 0.02, 0.02), 23_683.0, 1.84),
    SizeBin(0.0025, (16, 12), (0.95, 0.05), 37_188.0, 1.52),
    SizeBin(0.0009, (32, 24), (0.9, 0.1), 5_320.0, 1.86),
    SizeBin(0.0001, (64, 128, 256, 512), (0.5, 0.3, 0.15, 0.05), 5_320.0, 1.86),
)

# The same for streamed workloads: one-GPU jobs keep the quantiles of all of Philly's jobs, larger ones have quantiles
# of their own, as many of them end at once. Those above the median are such that each bin has its share of GPU hours.
YEAR_BINS: Final = (
    *PHILLY_BINS[:3],
    SizeBin(0.023, (4, 3), (0.97, 0.03), 17_410.0, 1.74, (
        (0.10, 150.0), (0.25, 730.0), (0.50, 17_410.0), (0.75, 84_000.0), (0.90, 176_000.0), (0.99, 990_000.0),
    )),
    SizeBin(0.020, (8, 6, 5), (0.96, 0.02, 0.02), 23_683.0, 1.84, (
        (0.10, 200.0), (0.25, 990.0), (0.50, 23_683.0), (0.75, 184_000.0), (0.90, 378_000.0), (0.99, 1_120_000.0),
    )),
    SizeBin(0.0025, (16, 12), (0.95, 0.05), 37_188.0, 1.52, (
        (0.10, 50.0), (0.25, 290.0), (0.50, 37_188.0), (0.75, 136_000.0), (0.90, 377_000.0), (0.99, 1_100_000.0),
    )),
    *PHILLY_BINS[6:],
)  # fmt: skip

# Helios Venus, 125,214 GPU jobs of April to September 2020: shares of the hours of a day and of the days of a week; %
VENUS_HOURS: Final = (
    3.7, 2.7, 2.5, 1.6, 1.1, 0.9, 0.8, 0.9, 1.6, 3.3, 5.4, 6.1,
    4.9, 5.4, 6.5, 6.9, 7.2, 7.2, 5.3, 5.5, 5.6, 5.7, 4.8, 4.3,
)  # fmt: skip
VENUS_DAYS: Final = (14.7, 15.3, 18.3, 17.3, 13.6, 9.8, 11.1)
VENUS_BURST_CV: Final = 1.0
VENUS_BURST_LAG1: Final = 0.54

# Philly: run times below which a share of all jobs stays (82,247 jobs), and the longest of 112,956; s
PHILLY_RUN_QUANTILES: Final = (
    (0.10, 61.0), (0.25, 115.0), (0.50, 1_144.0), (0.75, 2_932.0), (0.90, 11_265.0), (0.95, 43_646.0),
    (0.99, 254_758.0), (0.999, 1_186_278.0),
)  # fmt: skip
PHILLY_RUN_S_MAX: Final = 4_240_676.0
# Philly, 112,956 jobs (in the summary of Acme, 2023): done, cancelled, failed, by jobs and by GPU time
PHILLY_ENDING_JOBS: Final = (0.604, 0.090, 0.305)
PHILLY_ENDING_GPU_H: Final = (0.321, 0.294, 0.386)
# Alibaba's openb (cluster-trace-gpu-v2023): of 7,064 pods with GPUs 98.9 % have one, 43.6 % a part of one, on average
# 0.56 of it. Thousandths and weights are rounded to five levels.
OPENB_PART_FRAC: Final = 0.44
OPENB_PARTS: Final = ((200, 0.10), (320, 0.13), (470, 0.29), (630, 0.13), (810, 0.35))


@dataclass(frozen=True, slots=True)
class Mix:
    """The shares of a generated workload; `sweep_jobs` is the mean number of jobs that one tenant submits at once.

    Tiers are shares of GPU hours. All but bins, hours, days, burst, run times, fractions and endings are assumptions.
    What stands below `cores_frac` is read for streamed workloads alone.
    """

    bins: tuple[SizeBin, ...] = PHILLY_BINS
    hours: tuple[float, ...] = VENUS_HOURS
    days: tuple[float, ...] = VENUS_DAYS
    burst_cv: float = VENUS_BURST_CV
    burst_lag1: float = VENUS_BURST_LAG1
    burst_tilt: float = 0.0
    sweep_jobs: float = 2.0
    sweep_gap_s: float = 2.0
    alike_sigma: float = 0.5  # spread of run times inside a sweep, of the logarithm
    tenant_power: float = 0.8  # job share of the k-th tenant is as k**-tenant_power
    tier_frac: tuple[float, float, float] = (0.2, 0.5, 0.3)
    interactive_frac: float = 0.03
    service_frac: float = 0.0005
    checkpoint_frac: float = 0.6
    elastic_frac: float = 0.15  # of gangs with checkpoints; they can run on half of their nodes
    deadline_frac: float = 0.7  # of flex jobs
    after_frac: float = 0.02
    priority_frac: tuple[float, float, float] = (0.9, 0.07, 0.03)  # priorities 0, 1 and 2
    declared_max: float = 3.0  # times the run time; evenly from 1 on
    run_s_min: float = 10.0
    run_s_max: float = 14.0 * DAY_S
    interactive_s_max: float = 8.0 * HOUR_S
    images_per_leaf: int = 8
    low_power: tuple[float, float] = (0.1, 0.3)  # half of the images feed their GPUs badly
    high_power: tuple[float, float] = (0.5, 0.95)
    cores_frac: tuple[float, float] = field(default=(0.5, 1.0))  # of the node's CPUs and memory per GPU
    run_quantiles: tuple[tuple[float, float], ...] = PHILLY_RUN_QUANTILES  # of all jobs; () keeps the bins log-normal
    part_frac: float = OPENB_PART_FRAC  # of jobs with one GPU; they ask for a part of it
    parts: tuple[tuple[int, float], ...] = OPENB_PARTS
    slack_median_s: float = 12.0 * HOUR_S  # from the declared end of a flex job to its deadline; log-normal
    slack_sigma: float = 1.0
    ending_jobs: tuple[float, float, float] = PHILLY_ENDING_JOBS
    ending_gpu_h: tuple[float, float, float] = PHILLY_ENDING_GPU_H


# What a year of the park is drawn from. Bursts are such that counts of 28.8 jobs an hour are as those of Venus.
YEAR_MIX: Final = Mix(
    bins=YEAR_BINS,
    burst_cv=0.915,
    burst_lag1=0.5,
    burst_tilt=0.33,
    sweep_jobs=1.9,
    tenant_power=1.0,
    tier_frac=(0.2, 0.6, 0.2),
    checkpoint_frac=0.7,
    deadline_frac=1.0,
)
YEAR_TENANTS: Final = 1000  # projects, five to an organisation
