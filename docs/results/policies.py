"""Writes policies.md, the park's policy beside five others: `.venv/bin/python docs/results/policies.py`.

Two recorded clusters, three seeds of weather, demand 0.8 of the own supply (see policies_runs.py). Each row is kept in
policies.json as soon as it is there, so a run that was stopped goes on where it was; rows of other code are made anew.
`--quick`: a week of one cluster under one seed, told and not kept. tests/unit/twin/test_policies.py holds the page to
its rows, and the park to the claims below.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from policies_runs import DAYS, POLICIES, SEEDS, TRACES, Asked, Row, mark_of_code, rows_of  # noqa: E402

KEPT: Final = HERE / "policies.json"
PAGE: Final = HERE / "policies.md"
QUICK: Final = Asked("philly", 1, 7.0)
FINISHED_SLACK: Final = 0.005  # of GPU hours: a regret counts where no more than this is left undone

# name, words, digits, factor, whether less is better
Column = tuple[str, str, int, float, bool]
COLUMNS: Final[tuple[Column, ...]] = (
    ("cfe_frac", "clean, %", 2, 100.0, False),
    ("cfe_bound_frac", "bound, %", 2, 100.0, False),
    ("regret", "regret, points", 2, 100.0, True),
    ("delay_h", "flex later by, h", 2, 1.0, True),
    ("delay_by_gpu_h_h", "by GPU hours, h", 2, 1.0, True),
    ("hit_frac", "flex deadlines met, %", 2, 100.0, False),
    ("gpu_h_finished_frac", "GPU hours finished, %", 2, 100.0, False),
    ("firm_disturbed", "firm disturbed", 0, 1.0, True),
    ("overrun_mwh", "overrun, MWh", 2, 1.0, True),
    ("jain_index", "Jain", 3, 1.0, False),
    ("rho_max", "max rho", 2, 1.0, True),
    ("n_pauses", "pauses", 0, 1.0, True),
)
JUDGED: Final = ("cfe_frac", "regret", "delay_h", "delay_by_gpu_h_h", "hit_frac", "jain_index", "rho_max", "n_pauses")
CLAIMS: Final[tuple[tuple[str, Callable[[Row], bool]], ...]] = (
    ("regret of at most 2 points", lambda row: regret(row) <= 0.02),
    ("flex work later by at most 2 h on average", lambda row: float(row["delay_h"]) <= 2.0),
    ("no firm job disturbed", lambda row: row["firm_disturbed"] == 0),
    ("no energy above the budget", lambda row: row["overrun_mwh"] <= 1e-9),
    ("a bound that holds", lambda row: row["cfe_frac"] <= row["cfe_bound_frac"] + 1e-9),
)


def regret(row: Row) -> float:
    """By how much it is less clean than its bound."""
    return float(row["cfe_bound_frac"]) - float(row["cfe_frac"])


def counts(row: Row) -> bool:
    """Whether its regret counts: as much is finished as without any limit of power."""
    return bool(row["gpu_h_finished_frac"] >= row["gpu_h_finished_without_frac"] - FINISHED_SLACK)


def value_of(row: Row, name: str) -> float:
    """A figure of a row."""
    return regret(row) if name == "regret" else float(row[name] or 0.0)


# Rows, kept as they come --------------------------------------------------------------------------


def kept_rows(mark: str, path: Path = KEPT) -> list[Row]:
    """Rows of the same code that are there already."""
    if not path.is_file():
        return []
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return list(found["rows"]) if found["code"] == mark else []


def keep(rows: Sequence[Row], mark: str, path: Path = KEPT) -> None:
    """Write all rows; a reader never sees half a file."""
    text = json.dumps({"code": mark, "rows": list(rows)}, indent=1, sort_keys=True)
    part = path.with_suffix(".part")
    part.write_text(text + "\n", "utf-8")
    part.replace(path)


def missing(rows: Sequence[Row]) -> list[tuple[Asked, tuple[str, ...]]]:
    """Which runs are still to be done."""
    done = {(row["trace"], row["seed"], row["policy"]) for row in rows}
    asked = []
    for trace in TRACES:
        for seed in SEEDS:
            names = tuple(name for name in POLICIES if (trace, seed, name) not in done)
            if names:
                asked.append((Asked(trace, seed, DAYS), names))
    return asked


def run_all(mark: str) -> list[Row]:
    """All rows: those that are kept, and the others one by one."""
    rows = kept_rows(mark)
    with tempfile.TemporaryDirectory() as folder:
        for asked, names in missing(rows):
            begun_s = time.process_time()
            for row in rows_of(asked, Path(folder), names):
                rows.append(row)
                keep(rows, mark)
                print(
                    f"{asked.trace} {asked.seed} {row['policy']}: {time.process_time() - begun_s:.0f} CPU s", flush=True
                )
    return sorted(rows, key=_place)


def _place(row: Row) -> tuple[int, int, int]:
    return list(TRACES).index(row["trace"]), int(row["seed"]), POLICIES.index(row["policy"])


# The page -----------------------------------------------------------------------------------------

HEAD = """\
# Policies on the same runs

Made by `docs/results/policies.py`; rows are in `policies.json`. Two recorded clusters (Philly 2017, Jeon et al., ATC
2019, CC BY 4.0; a sample of Alibaba PAI 2020, Weng et al., NSDI 2022, CC BY 4.0, by GAIA, MIT), four weeks from 2 March
2026 at a load of 0.8 on 2,488 GPUs, under the synthetic weather of three seeds, plants so large that 0.8 of what they
give is asked for. What traces do not tell of jobs (tiers, deadlines, checkpoints, declared times) is drawn once; see
`docs/results/policies_runs.py`.

*Clean*: share of the machines' energy that own clean power met in its hour; *bound*: the most that a clairvoyant could
have had for the same served work (decision 0028); *regret*: the difference, in brackets where more than half a point of
GPU hours whose deadline fell inside the run was left undone. *Later by*: how much later flex jobs ended, on average,
than under the same policy with unlimited power. *rho*: time in the park over time on an own share, worst tenant
(Themis). The other policies: decision 0031. Of those `fcfs-easy` and `lowest-window` know no budget: they buy.
"""


def _cell(row: Row, column: Column) -> str:
    name, _words, digits, factor, _less = column
    text = f"{factor * value_of(row, name):,.{digits}f}"
    return f"({text})" if name == "regret" and not counts(row) else text


def table(rows: Sequence[Row]) -> str:
    """Policies as lines, figures as columns."""
    lines = [f"| policy | {' | '.join(column[1] for column in COLUMNS)} |", "| --- " * (1 + len(COLUMNS)) + "|"]
    lines += [f"| {row['policy']} | {' | '.join(_cell(row, column) for column in COLUMNS)} |" for row in rows]
    return "\n".join(lines)


def worlds(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each trace and seed."""
    found: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        found.setdefault((row["trace"], row["seed"]), []).append(row)
    return list(found.values())


def means(rows: Sequence[Row]) -> list[Row]:
    """Each policy's mean over all worlds; firm jobs, overruns and pauses are sums."""
    found = []
    for name in POLICIES:
        own = [row for row in rows if row["policy"] == name]
        if own:
            sums = {key: sum(float(row[key] or 0.0) for row in own) for key in own[0] if _is_number(own[0][key])}
            mean: Row = {key: value / len(own) for key, value in sums.items()}
            mean |= {key: sums[key] for key in ("firm_disturbed", "overrun_mwh", "n_pauses")}
            found.append(mean | {"policy": name})
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def wins(rows: Sequence[Row]) -> list[str]:
    """Where another policy does better than the park, in words; and where it does so only by leaving work undone."""
    lines = []
    for name, words, digits, factor, is_less in (column for column in COLUMNS if column[0] in JUDGED):
        better: dict[str, int] = {}
        for world in worlds(rows):
            park = next(row for row in world if row["policy"] == "park")
            for row in world:
                gain = factor * (value_of(row, name) - value_of(park, name)) * (-1.0 if is_less else 1.0)
                if row["policy"] != "park" and gain > 0.5 * 10.0**-digits:
                    better[row["policy"]] = better.get(row["policy"], 0) + 1
        n = len(worlds(rows))
        told = ", ".join(f"{policy} in {count} of {n}" for policy, count in better.items())
        lines.append(f"- *{words}*: {told or 'none'}.")
    return lines


def claims(rows: Sequence[Row]) -> str:
    """What the park is held to, world by world."""
    park = [row for row in rows if row["policy"] == "park"]
    heads = " | ".join(f"{row['trace']} {row['seed']}" for row in park)
    lines = [f"| claim | {heads} |", "| --- " * (1 + len(park)) + "|"]
    for words, is_met in CLAIMS:
        lines.append(f"| {words} | {' | '.join('yes' if is_met(row) else 'no' for row in park)} |")
    return "\n".join(lines)


def page(rows: Sequence[Row]) -> str:
    """The text of policies.md."""
    parts = [HEAD, "## All six worlds\n", "Means; of firm jobs disturbed, overrun and pauses the sums.\n"]
    parts += [table(means(rows)), "\n## What the park is held to\n", claims(rows)]
    parts += ["\n## Where others do better than the park\n", *wins(rows)]
    for world in worlds(rows):
        first = world[0]
        parts.append(f"\n## {first['trace']}, weather {first['seed']}\n")
        parts.append(f"{first['jobs']:,} jobs.\n")
        parts.append(table(world))
    return "\n".join(parts) + "\n"


def main(words: Sequence[str]) -> None:
    """Make the page, or with `--quick` tell a week."""
    absent = [str(path) for path in TRACES.values() if not path.is_file()]
    if absent:
        sys.exit(f"{absent[0]} is not there: name the folder of its traces' data in PARK_TEST_DATA.")
    if "--quick" in words:
        with tempfile.TemporaryDirectory() as folder:
            print(table(list(rows_of(QUICK, Path(folder)))))
        return
    rows = run_all(mark_of_code())
    PAGE.write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
