"""The runs of policies.py: two recorded clusters on a site of their size, under the weather of three seeds.

**Jobs.** Philly's: four weeks from its 22nd day on (before, hardly anybody is there). PAI's: the first 24 weeks of the
sample, six times as fast, which undoes the stretching of two months to a year by those who drew it; four weeks then as
well. Sizes and run times are the traces'. What they do not tell is drawn once: by jobs firm 20, flex 60, green 20 %;
flex deadlines a log-normal slack (median 12 h, sigma 1) after the declared end; 70 % with checkpoints; declared are 1
to 3 times the run time. Both are brought to a load of 0.8 by the twin's rule for traces (`scaled_trace`).

**Site.** eureka-park with 311 of its machines (2,488 GPUs, about Philly's), tie and reserve smaller alike, plants
scaled until the mean power asked for is 0.8 of what they give (`own_supply`).
"""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.helpers.shared_data import PAI, PHILLY  # noqa: E402

from eureka_park.compute.core.board_setup import ClassRow  # noqa: E402
from eureka_park.control.of_site import policy_of  # noqa: E402
from eureka_park.control.policy import Policy  # noqa: E402
from eureka_park.foundation.seeds import SeedTree  # noqa: E402
from eureka_park.foundation.site_file import Site  # noqa: E402
from eureka_park.foundation.site_reading import parse_site, site_text  # noqa: E402
from eureka_park.foundation.units import DAY_S, HOUR_S  # noqa: E402
from eureka_park.foundation.wire.engine import Capability  # noqa: E402
from eureka_park.twin.core.baselines import CODES  # noqa: E402
from eureka_park.twin.core.bound import bound_figures  # noqa: E402
from eureka_park.twin.core.bound_work import served_of  # noqa: E402
from eureka_park.twin.core.metrics import report  # noqa: E402
from eureka_park.twin.core.opening import class_rows, opening_of, site_gpu_types  # noqa: E402
from eureka_park.twin.core.play import play  # noqa: E402
from eureka_park.twin.core.played import Played  # noqa: E402
from eureka_park.twin.core.sky_series import SkySeries, flat_sky  # noqa: E402
from eureka_park.twin.core.workload import FLEX, TIER_NAMES, Workload  # noqa: E402
from eureka_park.twin.run import TwinRequest, World, make_world, park_of  # noqa: E402

TRACES: Final = {"philly": PHILLY, "pai": PAI}
POLICIES: Final = tuple(CODES)
SEEDS: Final = (1, 2, 3)
DAYS: Final = 28.0
LOAD_FRAC: Final = 0.8
DEMAND_OF_SUPPLY: Final = 0.8
N_NODES: Final = 311
PHILLY_FROM_S: Final = 21 * DAY_S
PAI_PACE: Final = 6.0
JOBS_SEED: Final = 7  # of what the traces do not tell; the same under every weather
MOST_KW: Final = 3.0  # times what all machines draw at most: power without limit
SLACK_H: Final = 12.0
TIER_FRAC: Final = (0.2, 0.6, 0.2)
CHECKPOINT_FRAC: Final = 0.7
DECLARED_MAX: Final = 3.0
QUARTER_S: Final = 900.0
Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

FIGURES: Final = (
    "cfe_frac", "cfe_bound_frac", "cfe_bound_same_salt_frac", "overrun_mwh", "firm_disturbed", "gpu_h_finished_frac",
    "jain_index", "rho_max", "n_pauses", "checkpoint_loss_frac", "utilisation_frac", "curtailed_mwh", "unserved_mwh",
    "done_frac", "digest",
)  # fmt: skip


# Jobs and site ------------------------------------------------------------------------------------


def recorded(name: str, days: float) -> dict[str, Any]:
    """Submission (s from the start), run time (s), GPUs and tenant of a trace's jobs in the days that are run."""
    from pyarrow import parquet

    table = parquet.read_table(TRACES[name])
    if name == "philly":
        at_s = table["submit_time"].to_numpy().astype("datetime64[ms]").astype(np.int64) / 1000.0
        at_s, gpus = at_s - at_s.min() - PHILLY_FROM_S, table["num_gpus"].to_numpy()
        leaf = np.array([f"vc-{value}" for value in table["vc"].to_pylist()])
    else:
        at_s, gpus = table["submit_s"].to_numpy().astype(np.float64) / PAI_PACE, table["demand_units"].to_numpy()
        leaf = np.full(len(at_s), "")
    rows = np.flatnonzero((at_s >= 0.0) & (at_s < days * DAY_S))
    rows = rows[np.argsort(at_s[rows], kind="stable")]
    run_s = np.maximum(1.0, table["duration_s"].to_numpy().astype(np.float64))
    return {"submit_s": at_s[rows], "run_s": run_s[rows], "gpus": gpus[rows], "leaf": leaf[rows]}


def promised(name: str, jobs: dict[str, Any]) -> dict[str, Any]:
    """What a trace does not tell of its jobs."""
    n, draw = len(jobs["submit_s"]), SeedTree(JOBS_SEED).child(name).generator()
    tier = np.searchsorted(np.cumsum(TIER_FRAC), draw.random(n), side="right").clip(0, len(TIER_FRAC) - 1)
    declared = jobs["run_s"] * (1.0 + (DECLARED_MAX - 1.0) * draw.random(n))
    time_s = np.ceil(declared / QUARTER_S) * QUARTER_S
    slack_s = SLACK_H * HOUR_S * np.exp(draw.standard_normal(n))
    has_checkpoint = draw.random(n) < CHECKPOINT_FRAC
    deadline = [f"{value:.0f}" for value in np.ceil(jobs["submit_s"] + time_s + slack_s)]
    return {
        "tier": [TIER_NAMES[value] for value in tier],
        "time_s": time_s,
        "deadline_s": [text if value == FLEX else "" for text, value in zip(deadline, tier, strict=True)],
        "checkpoint": ["true" if value else "false" for value in has_checkpoint],
    }


def write_trace(name: str, days: float, folder: Path) -> Path:
    """The jobs as a trace that `park twin run --trace` takes too."""
    jobs = recorded(name, days)
    jobs |= promised(name, jobs)
    if name == "pai":
        del jobs["leaf"]  # the sample names no tenants: the seed draws them
    path = folder / f"{name}-{days:g}.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(jobs)
        table.writerows(zip(*jobs.values(), strict=True))
    return path


@cache
def site_of(n_nodes: int = N_NODES) -> Site:
    """eureka-park with so many machines."""
    text, _called = site_text("eureka-park")
    part = n_nodes / int(re.findall(r"(?m)^n_nodes = (\d+)", text)[0])
    text = re.sub(r"(?m)^n_nodes = \d+", f"n_nodes = {n_nodes}", text)
    for name in ("site_mw_max", "import_mw_max", "export_mw_max", "service_reserve_mw"):
        text = re.sub(
            rf"(?m)^{name} = ([\d.]+)", lambda found: f"{found[0].split('=')[0]}= {float(found[1]) * part:.6g}", text
        )
    return parse_site(text, "eureka-park.toml")


# Runs ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Which runs: a trace, a weather seed, how long."""

    trace: str
    seed: int
    days: float = DAYS


def world_of(asked: Asked, folder: Path, n_nodes: int = N_NODES) -> World:
    """Jobs, sky and failures of a run."""
    path = folder / f"{asked.trace}-{asked.days:g}.csv"
    if not path.is_file():
        path = write_trace(asked.trace, asked.days, folder)
    request = TwinRequest(
        days=asked.days, seed=asked.seed, trace=path, load_frac=LOAD_FRAC, demand_of_supply=DEMAND_OF_SUPPLY
    )
    return make_world(site_of(n_nodes), request)


def rules_of(site: Site) -> Policy:
    """The park's policy as `park twin run` has it for a trace."""
    return policy_of(site, frozenset(Capability))


def played_under(world: World, sky: SkySeries, policy: Policy, name: str) -> Played:
    """One run under a sky."""
    opening = opening_of(world.site, world.work, world.shares, half_life_s=policy.half_life_s)
    return play(opening, world.work, sky, world.failures, policy, policy.tick_s, name, by_leaf=name == "park")


def rows_of(asked: Asked, folder: Path, names: Sequence[str] = POLICIES, n_nodes: int = N_NODES) -> Iterator[Row]:
    """A row for each policy, as each is done."""
    world = world_of(asked, folder, n_nodes)
    policy, classes = rules_of(world.site), class_rows(world.site)
    most_kw = MOST_KW * sum(kind.n_nodes * kind.rated_kw for kind in classes)
    gives_all = flat_sky(most_kw, asked.days, most_kw, world.sky.hour0_s)
    for name in names:
        without = played_under(world, gives_all, policy, name)
        played = played_under(world, world.sky, policy, name)
        yield {
            "trace": asked.trace, "seed": asked.seed, "days": asked.days, "policy": name,
            **_figures(world, policy, played, classes),
            **delays_h(world.work, played, without),
            "gpu_h_finished_without_frac": report(world.work, without, world.shares)["gpu_h_finished_frac"],
            **{one: world.told[one] for one in ("demand_of_supply", "plants_factor", "load_frac")},
            "jobs": world.work.n_jobs,
        }  # fmt: skip


def _figures(world: World, policy: Policy, played: Played, classes: Sequence[ClassRow]) -> Row:
    world = replace(world, sky=played.sky or world.sky)  # with tanks as the run has left them
    found = report(world.work, played, world.shares, park_of(world.site, world))
    served = served_of(world.work, played, classes, site_gpu_types(world.site), world.failures, tick_s=policy.tick_s)
    curve = policy.cap_curve if policy.can_cap else ()
    bounds: Row = {**bound_figures(served, world.sky, curve, found["cfe_frac"])}
    both = found | bounds
    return {
        **{name: both[name] for name in FIGURES},
        "hit_frac": found["deadline_hit_frac"]["flex"],
        **{f"wait_{tier}_h": found["wait_s"][tier]["mean"] / HOUR_S for tier in TIER_NAMES},
        "turnaround_flex_h": found["turnaround_s"]["flex"]["mean"] / HOUR_S,
    }


def delays_h(work: Workload, played: Played, without: Played) -> Row:
    """How much later flex jobs end than under unlimited power, h; a job that has not ended ends with the run."""
    until_s = min(played.until_s, without.until_s)
    late_h = (_ends(played, until_s) - _ends(without, until_s)) / HOUR_S
    rows = (work.tier == FLEX) & (work.submit_s < until_s)
    weights = work.gpu_s[rows]
    return {
        "delay_h": float(late_h[rows].mean()),
        "delay_by_gpu_h_h": float((late_h[rows] * weights).sum() / weights.sum()),
        "delay_p95_h": float(np.quantile(late_h[rows], 0.95)),
    }


def _ends(played: Played, until_s: float) -> Floats:
    return np.where(np.isfinite(played.end_s), np.minimum(played.end_s, until_s), until_s)


def mark_of_code() -> str:
    """Of the code and the site that the rows come from: another one makes other rows."""
    parts = ("foundation", "energy", "compute", "control", "twin", "sites")
    found = hashlib.sha256(Path(__file__).read_bytes())
    for part in parts:
        for path in sorted((ROOT / "src" / "eureka_park" / part).rglob("*")):
            if path.suffix in (".py", ".toml"):
                found.update(path.read_bytes())
    return found.hexdigest()[:16]
