"""What new supply costs, each figure with unit, label, source and date: `costs.toml` beside this file, read once.

`docs/reference/costs.md` is made from the same file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.plant_data import Fact

_FILE: Final = "costs.toml"
BUILT: Final = "built"
_TITLES: Final[Mapping[str, str]] = {
    "money": "Money",
    "wind": "Wind",
    "pv": "Photovoltaics",
    "csp-tower": "Salt tower",
    "csp-trough": "Parabolic trough",
    "battery": "Battery",
    "grid": "Grid",
}
_INTRODUCTION: Final = """# Costs of new supply

This page is made from `src/eureka_park/foundation/costs.toml` by `python docs/reference/make.py`. `park energy size`
reads the same file. Dollars are those of each source's year; no inflation is put between them. Labels: published (read,
directly or as quoted where the source says so), default (of a named tool), modelled, assumption.
"""


def cost_sections() -> tuple[str, ...]:
    """Names of the parts of the table, without what plants that stand have cost."""
    return tuple(name for name in _data() if name != BUILT)


def cost_facts(section: str) -> Mapping[str, Fact]:
    """The figures of a part by name. Raises NotFound."""
    try:
        return _data()[section]
    except KeyError:
        known = ", ".join(cost_sections())
        raise NotFound(f"There is no cost of '{section}'.", fix=f"Known: {known}.", code="no_such_cost") from None


def cost_numbers() -> dict[str, float]:
    """Every figure as `section.name`."""
    return {
        f"{section}.{name}": float(fact.value)
        for section in cost_sections()
        for name, fact in _data()[section].items()
        if isinstance(fact.value, float)
    }


def built_musd() -> Mapping[str, Fact]:
    """What plants that stand have cost, by plant; M USD. For comparison only."""
    return _data()[BUILT]


def cost_reference_markdown() -> str:
    """The table as a page."""
    return "\n".join([_INTRODUCTION, *_tables()])


def _tables() -> Iterator[str]:
    for section in cost_sections():
        yield f"## {_TITLES.get(section, section)}\n"
        yield from _table(_data()[section])
    yield "## What plants that stand have cost\n\nFor comparison; nothing is computed from it.\n"
    yield from _table(built_musd())


def _table(facts: Mapping[str, Fact]) -> Iterator[str]:
    yield "| figure | value | unit | label | source | looked up |\n| --- | --- | --- | --- | --- | --- |"
    for name, fact in facts.items():
        yield f"| `{name}` | {fact.value:.10g} | {fact.unit} | {fact.label} | {fact.source} | {fact.date} |"
    yield ""


@cache
def _data() -> Mapping[str, Mapping[str, Fact]]:
    text = (resources.files("eureka_park.foundation") / _FILE).read_text("utf-8")
    read = tomllib.loads(text)
    built = {plant: _fact(block["capital_musd"]) for plant, block in read.pop(BUILT).items()}
    sections = {name: {key: _fact(item) for key, item in block.items()} for name, block in read.items()}
    return {**sections, BUILT: built}


def _fact(item: Mapping[str, Any]) -> Fact:
    return Fact(float(item["value"]), item["unit"], item["label"], item["source"], item["date"])
