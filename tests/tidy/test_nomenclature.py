"""docs/nomenclature.md owns the words: its tables equal enums, reason codes, events, policy, receipts and labels."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from eureka_park.accounts.core.roles import Act, Role
from eureka_park.compute.core import event
from eureka_park.compute.core.job import JobClass, JobState, Tier
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.reasons import CODES as KERNEL_CODES
from eureka_park.energy.core.scenarios import SCENARIOS
from eureka_park.energy.core.year import YearResult
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.wire.engine import Capability, Outcome, Phase
from eureka_park.ledger.core.receipt import Settlement, build_receipt
from eureka_park.sandbox.levels import Level
from eureka_park.twin.core.baselines import CODES
from eureka_park.twin.core.metrics import report
from eureka_park.twin.core.played import Played
from eureka_park.twin.core.workload import workload_of
from eureka_park.twin.run_bound import no_bound

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src" / "eureka_park"


@cache
def tables() -> dict[str, set[str]]:
    """The words in the first column of each table, by the word that heads the column."""
    found: dict[str, set[str]] = {}
    head = ""
    for line in (ROOT / "docs" / "nomenclature.md").read_text().splitlines():
        if not line.startswith("|"):
            head = ""
            continue
        first = line.split("|")[1].strip()
        if not head:
            head = first
            assert head in {"term", "suffix", "name"} or head not in found, f"two tables are headed '{head}'"
            found.setdefault(head, set())
        elif not first.startswith("---"):
            found[head] |= set(re.findall(r"`([^`]+)`", first)) or {first}
    return found


def reason_codes() -> set[str]:
    """Codes given to `Reason(...)` or `_reason(...)`, and those of reasons written as plain JSON."""
    codes: set[str] = set()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Reason", "_reason"}:
                codes |= set(_texts(node.args[:1]))
            elif isinstance(node, ast.Dict):
                keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
                if {"code", "text", "until"} <= set(keys):
                    codes |= set(_texts([node.values[keys.index("code")]]))
    return codes


def _texts(nodes: Iterable[ast.expr]) -> Iterable[str]:
    return (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def receipt_keys() -> set[str]:
    prices = {"mad_per_gpu_h": {"flex": 1.0}, "mad_per_cpu_h": {"flex": 1.0}, "label": "assumption"}
    settlement = Settlement("job-a", "welcome", "flex", 0, 1.0, 60.0, 0.0, "modelled", False, prices)
    return set(build_receipt(settlement, [])[0])


def measures() -> set[str]:
    """What is told of a simulated run, beside the counts of its loop."""
    nothing = np.zeros(1)
    work = workload_of(("a",), {"submit_s": nothing, "run_s": [1.0]})
    played = Played(nothing, nothing, np.zeros(1, np.int32), nothing, 1.0, 0, 0.0, "none")
    # of the counts of its loop the energy of its machines alone; jobs of a trace that are left out come from reading it
    return {*report(work, played, ()), *no_bound(), "it_kwh", "left_out"}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("tier", lambda: {str(one) for one in Tier}),
        ("class", lambda: {str(one) for one in JobClass}),
        ("role", lambda: {str(one) for one in Role}),
        ("act", lambda: {str(one) for one in Act}),
        ("state", lambda: {str(one) for one in JobState}),
        ("sky", lambda: {str(one) for one in Sky}),
        ("level", lambda: {one.word for one in Level}),
        ("capability", lambda: {str(one) for one in Capability}),
        ("phase", lambda: {str(one) for one in Phase}),
        ("outcome", lambda: {str(one) for one in Outcome}),
        ("scenario", lambda: {one.name for one in SCENARIOS}),
        ("measure", measures),
        ("policy of a run", lambda: set(CODES)),
        ("figure", lambda: {item.name for item in fields(YearResult)}),
        ("code", lambda: reason_codes() | KERNEL_CODES),
        ("event", lambda: {kind.__name__ for kind in event.Event.__args__}),
        ("key", receipt_keys),
        ("id", lambda: set(load_site("eureka-park").source_ids)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_table_is_the_code(head: str, words: Callable[[], set[str]]) -> None:
    found = words()
    assert found and tables()[head] == found


def test_policy_is_told() -> None:
    assert {item.name for item in fields(Policy)} - {"sky"} == tables()["name"]


def test_labels_of_a_plan_are_told() -> None:
    tree = ast.parse((SRC / "energy" / "core" / "power_plan.py").read_text())
    made = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "_labels")
    given = next(node for node in ast.walk(made) if isinstance(node, ast.Dict))
    assert set(_texts(key for key in given.keys if key is not None)) == tables()["label"]
