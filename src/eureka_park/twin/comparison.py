"""Runs side by side: figures in rows, runs in columns, the best of each marked; runs that differ in seed alone are one.

Figures are compared between runs of the same world: the same site, days, work and sky. Where runs differ in more than
policy, that is told first, and nothing is called best.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.metrics import flattened
from eureka_park.twin.core.workload import TIER_NAMES
from eureka_park.twin.run_files import RUN, read_run
from eureka_park.twin.sweep import RUNS
from eureka_park.twin.sweep_tables import JSON

Better = Literal["low", "high", ""]
Unit = Literal["frac", "s", "mwh", "kg", "g_per_kwh", "kwh_per_gpu_h", "1", "count", "cpu_s", "mib"]
ALIKE_FRAC: Final = 0.005  # of GPU hours finished: a run that finished less may not be cleaner by it
SAME_FRAC: Final = 1e-9  # figures closer than that are the same


@dataclass(frozen=True, slots=True)
class Figure:
    """A row: the figure's name in a run's answer, its unit, and which end is better; "": neither."""

    name: str
    unit: Unit
    better: Better = ""


FIGURES: Final = (
    Figure("gpu_h_finished_frac", "frac", "high"),
    Figure("done_frac", "frac", "high"),
    Figure("jobs_finished", "count", "high"),
    *(Figure(f"wait_s.{tier}.{part}", "s", "low") for tier in TIER_NAMES for part in ("mean", "p50", "p95")),
    Figure("wait_s_by_gpu_h.flex.mean", "s", "low"),
    Figure("bounded_slowdown.flex.mean", "1", "low"),
    Figure("deadline_hit_frac.flex", "frac", "high"),
    Figure("promises_kept_frac", "frac", "high"),
    Figure("cfe_frac", "frac", "high"),
    Figure("cfe_bound_frac", "frac"),
    Figure("cfe_regret_frac", "frac", "low"),
    Figure("site_mwh", "mwh"),
    Figure("bought_mwh", "mwh", "low"),
    Figure("curtailed_mwh", "mwh", "low"),
    Figure("imbalance_mwh", "mwh", "low"),
    Figure("overrun_mwh", "mwh", "low"),
    Figure("unserved_mwh", "mwh", "low"),
    Figure("gco2_per_kwh", "g_per_kwh", "low"),
    Figure("kwh_per_gpu_h", "kwh_per_gpu_h", "low"),
    Figure("utilisation_frac", "frac", "high"),
    Figure("goodput_frac", "frac", "high"),
    Figure("checkpoint_loss_frac", "frac", "low"),
    Figure("n_pauses", "count", "low"),
    Figure("firm_disturbed", "count", "low"),
    Figure("jain_index", "1", "high"),
    Figure("rho_max", "1", "low"),
    Figure("cpu_s", "cpu_s"),
    Figure("peak_rss_mib", "mib"),
)  # fmt: skip
NOT_THE_WORLD: Final = frozenset({"policy", "seed", "bound", "out", "policy_file", "days", "n_jobs", "trace", "site"})


@dataclass(slots=True)
class Column:
    """Runs that differ in nothing but their seed. `world`: what they were made of; `sent`: by seed, the work."""

    policy: str
    world: dict[str, Any]
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    name: str = ""

    @property
    def seeds(self) -> list[int]:
        """The seeds, rising."""
        return sorted(self.runs)

    @property
    def sent(self) -> dict[int, tuple[Any, ...]]:
        """Jobs and GPU hours that were sent, by seed."""
        return {seed: (run.get("jobs"), _rounded(run.get("gpu_h"))) for seed, run in sorted(self.runs.items())}

    def values(self, name: str) -> dict[str, float] | None:
        """Mean, least and most of a figure; None where a run has none."""
        found = [run.get(name) for run in self.runs.values()]
        if not found or any(not isinstance(one, int | float) for one in found):
            return None
        numbers = [float(one) for one in found if one is not None]
        return {"mean": sum(numbers) / len(numbers), "min": min(numbers), "max": max(numbers)}


def compared(runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> dict[str, Any]:
    """Runs (figures, and what was asked for) side by side. Raises BadInput for fewer than two."""
    columns = _columns(runs)
    if len(columns) == 1:  # seeds of one policy: each is looked at by itself
        one = columns[0]
        columns = [Column(one.policy, one.world, {seed: one.runs[seed]}) for seed in one.seeds]
    if len(columns) < 2:
        raise BadInput("There is only one run to look at.", fix="Name two runs or two policies at least.")
    differ = _differ(columns)
    _name(columns, differ)
    rows = [_row(figure, columns, is_comparable=not differ) for figure in FIGURES]
    return {
        "is_comparable": not differ,
        "differ": differ,
        "columns": [
            {"name": one.name, "policy": one.policy, "seeds": one.seeds, "n_runs": len(one.runs), **one.world}
            for one in columns
        ],
        "figures": [row for row in rows if any(row["values"])],
    }


def _columns(runs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Column]:
    found: list[Column] = []
    for figures, request in runs:
        flat, world, policy = flattened(figures), _world(figures, request), str(figures.get("policy"))
        seed = int(figures.get("seed") or 0)
        same = (one for one in found if (one.policy, one.world) == (policy, world) and seed not in one.runs)
        column = next(same, None)
        if column is None:
            column = Column(policy, world)
            found.append(column)
        column.runs[seed] = flat
    return found


def _world(figures: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """What a run was made of, but for its policy and seed."""
    asked = {name: value for name, value in sorted(request.items()) if name not in NOT_THE_WORLD}
    told = {name: figures.get(name) for name in ("site", "n_nodes", "days", "trace")}
    if figures.get("is_whole") is False:
        told["days_played"] = figures.get("days_played")
    return {**told, **{name: _plain(value) for name, value in asked.items()}}


def _plain(value: Any) -> Any:
    """A value that may stand in a table: names with their values as one text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {one}" for name, one in sorted(value.items())) or None
    return value


def _differ(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Names in which columns differ though they may not, with the values that each has."""
    names = dict.fromkeys(name for one in columns for name in one.world)
    found = [{"name": name, "values": [one.world.get(name) for one in columns]} for name in names
             if any(one.world.get(name) != columns[0].world.get(name) for one in columns)]  # fmt: skip
    if any(one.seeds != columns[0].seeds for one in columns):
        found.append({"name": "seed", "values": [one.seeds for one in columns]})
    elif any(one.sent != columns[0].sent for one in columns):
        found.append({"name": "work", "values": [[list(sent) for sent in one.sent.values()] for one in columns]})
    return found


def _name(columns: Sequence[Column], differ: Sequence[Mapping[str, Any]]) -> None:
    """Call each by its policy, and by what else it differs in where that is not enough."""
    used: dict[str, int] = {}
    for at, one in enumerate(columns):
        same = [other for other in columns if other.policy == one.policy]
        more = [f"{item['name']} {_short(item['values'][at])}" for item in differ if item["name"] != "work"]
        name = ", ".join([one.policy, *more]) if len(same) > 1 else one.policy
        used[name] = used.get(name, 0) + 1
        one.name = name if used[name] == 1 else f"{name} ({used[name]})"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(figure: Figure, columns: Sequence[Column], *, is_comparable: bool) -> dict[str, Any]:
    values = [one.values(figure.name) for one in columns]
    counts = _count(figure, columns)
    best = _best(figure, values, counts) if is_comparable else []
    return {"name": figure.name, "unit": figure.unit, "better": figure.better, "values": values, "best": best,
            "counts": counts}  # fmt: skip


def _count(figure: Figure, columns: Sequence[Column]) -> list[bool]:
    """Whether each column's figure counts: a regret only of who finished about as much as the others."""
    done = [one.values("gpu_h_finished_frac") for one in columns]
    if figure.name != "cfe_regret_frac" or any(one is None for one in done):
        return [True] * len(columns)
    most = max(one["mean"] for one in done if one is not None)
    return [one is not None and one["mean"] >= most - ALIKE_FRAC for one in done]


def _best(figure: Figure, values: Sequence[dict[str, float] | None], counts: Sequence[bool]) -> list[int]:
    """The columns with the best mean; none where all have the same."""
    known = {at: one["mean"] for at, one in enumerate(values) if one is not None and counts[at]}
    if not figure.better or len(known) < 2:
        return []
    best = min(known.values()) if figure.better == "low" else max(known.values())
    found = [at for at, one in known.items() if abs(one - best) <= SAME_FRAC * max(1.0, abs(best))]
    return found if len(found) < len(known) or not all(counts) else []


def _rounded(value: Any) -> Any:
    return round(value, 6) if isinstance(value, float) else value


def read_folders(folders: Sequence[Path]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The runs in these folders: of a run, or of a sweep as it was asked for last. Raises BadInput."""
    found = []
    for folder in folders:
        for one in _of_sweep(folder) if not (folder / RUN).exists() else [folder]:
            record = read_run(one)
            found.append((record.figures, record.request))
    return found


def _of_sweep(folder: Path) -> list[Path]:
    """The folders of a sweep's finished runs; the folder itself where it is none of a sweep."""
    try:
        table = json.loads((folder / JSON).read_text("utf-8"))
        names = [str(row["run"]) for row in table if row["state"] == "finished"]
    except (OSError, ValueError, TypeError, KeyError):
        return [folder]
    return [folder / RUNS / name for name in names] or [folder]
