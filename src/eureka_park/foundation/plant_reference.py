"""The reference page of the plant data, made from `plants.toml` itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from eureka_park.foundation.plant_data import Fact, facts, known_plants, plant_types, type_facts

_INTRODUCTION: Final = """# Plant data

This page is made from `src/eureka_park/foundation/plants.toml` by `python docs/reference/make.py`. The models of
`energy/core`, the pages, the verdict and `park energy check-sam` read the same file; no figure of a plant stands
anywhere else.

A site file names a known plant by `known_as = "noor-i"`, or describes one by its type, its size and its place: what it
leaves out comes from the type. It may set any figure of a type: a field of [the site file](site-file.md#plants), or
`parameters = { shear_exponent = 0.1 }`. `park site show FILE` lists what known plants add.

Labels: *measured* by those who run it; *published* by a register, a maker, a paper or the press; *announced* before it
was there; *modelled* by a run of ours; *default* of a named tool; *assumption* where nobody published a figure where we
looked. The date is the month in which it was looked up.
"""
_TYPE_TITLES: Final[Mapping[str, str]] = {
    "csp-trough": "Parabolic trough with salt", "csp-tower": "Salt tower", "pv": "Photovoltaics", "wind": "Wind farm",
    "battery": "Battery",
}  # fmt: skip
_SERIES_SHOWN: Final = 12


def plant_reference_markdown() -> str:
    """All types and known plants as Markdown tables: name, value, unit, label, source, date."""
    types = [_table(f"`{name}`: {_TYPE_TITLES[name]}", type_facts(name)) for name in plant_types()]
    known = [_table(f"`{name}`: {facts(name)['title'].value}", facts(name)) for name in known_plants()]
    return "\n".join([_INTRODUCTION, *types, *known])


def _table(title: str, found: Mapping[str, Fact]) -> str:
    lines = [
        f"## {title}",
        "",
        "| name | value | unit | label | source | date |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, fact in found.items():
        cells = (f"`{name}`", _value(fact), fact.unit or "", fact.label, fact.source, fact.date)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def _value(fact: Fact) -> str:
    """A value, or the first and last of a long series with its length."""
    values = fact.value if isinstance(fact.value, tuple) else (fact.value,)
    words = [f"{item:.10g}" if isinstance(item, float) else item for item in values]
    if len(words) <= _SERIES_SHOWN:
        return ", ".join(words)
    return f"{', '.join(words[:3])} ... {', '.join(words[-2:])} ({len(words)} values)"
