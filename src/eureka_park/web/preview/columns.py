"""Columns of a table as people look at them: what kind of values, how many are missing, how they are spread."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

BARS: Final = 14
TOP: Final = 4
CELL_CHARS_MAX: Final = 200
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,60}(?:\.\d{0,60})?|\.\d{1,60})(?:[eE][+-]?\d{1,3})?|nan|NaN|-?inf")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_TRUTHS: Final = frozenset({"true", "false", "True", "False", "TRUE", "FALSE"})


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `kind`: whole, number, truth, date, text, list, group, bytes; `low`, `high` of its values; `bars`: how
    many fall into each of equal steps between them; `top`: the most frequent values, of columns with few.
    """

    name: str
    kind: str
    n_values: int
    n_missing: int
    n_distinct: int
    low: str = ""
    high: str = ""
    mean: float | None = None
    bars: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Column:
        """Read what `to_json` wrote."""
        top = tuple((str(name), int(number)) for name, number in value.pop("top"))
        return cls(**{**value, "bars": tuple(value["bars"])}, top=top)


@dataclass(frozen=True, slots=True)
class Table:
    """Some rows of a table. `next_at` where the rows after these begin ('' at the end), `first` the number of the first
    shown, `n_rows` of the whole where that is known; `n_looked` rows were looked at for the columns.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[str | None, ...], ...]
    first: int = 0
    next_at: str = ""
    n_rows: int | None = None
    n_looked: int = 0
    n_left_out: int = 0  # columns beyond those that are shown


def column_of(name: str, values: Sequence[str | None], kind: str = "") -> Column:
    """A column by its values as texts; None and '' are missing."""
    there = [value for value in values if value]
    kind = kind or guessed(there)
    n_missing, counts = len(values) - len(there), Counter(there)
    common: dict[str, Any] = {"n_values": len(values), "n_missing": n_missing, "n_distinct": len(counts)}
    if kind in ("whole", "number"):
        numbers = [number for number in map(_float, there) if math.isfinite(number)]
        return Column(name, kind, **common, **_spread(numbers))
    if kind == "date" and there:
        return Column(name, kind, **common, low=min(there), high=max(there))
    is_few = len(counts) <= max(12, len(there) // 10) and kind in ("text", "truth")
    top = tuple((value[:CELL_CHARS_MAX], number) for value, number in counts.most_common(TOP)) if is_few else ()
    return Column(name, kind, **common, top=top)


def guessed(there: Sequence[str]) -> str:
    """The kind of values that all of these are."""
    if not there:
        return "text"
    for kind, fits in (
        ("truth", _TRUTHS.__contains__), ("whole", _WHOLE.fullmatch), ("number", _NUMBER.fullmatch),
        ("date", _DATE.fullmatch),
    ):  # fmt: skip
        if all(fits(value.strip()) for value in there):
            return kind
    return "text"


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _spread(numbers: Sequence[float]) -> dict[str, Any]:
    if not numbers:
        return {}
    low, high = min(numbers), max(numbers)
    mean = math.fsum(number / len(numbers) for number in numbers)
    bars = [0] * (BARS if high > low else 1)
    width = high - low
    for number in numbers:
        share = (number - low) / width if 0 < width < math.inf else 0.0
        bars[min(len(bars) - 1, int(share * len(bars)))] += 1
    return {"low": repr(low), "high": repr(high), "mean": mean, "bars": tuple(bars)}
