"""What the simple figures of the verdict rest on, and the formulas that make them: one text for Python, sheet and page.

A formula knows `+ - * / ( )`, numbers, names of assumptions and of earlier figures, and `floor`. It is read by the
report, written into the spreadsheet as a live formula, and worked out anew in the browser when a value is changed.
"""

from __future__ import annotations

import ast
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from operator import add, mul, sub, truediv
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.errors import BadInput

FILE: Final = "verdict.toml"
VALUE_MAX: Final = 1e15
_OPERATORS: Final[dict[type[ast.operator], Callable[[float, float], float]]] = {
    ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.Div: truediv,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Assumption:
    """One value with its unit, what it rests on (`published` or `assumption`), date and source."""

    name: str
    text: str
    value: float
    unit: str
    kind: str
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure by formula, in the order in which figures may use each other."""

    name: str
    text: str
    unit: str
    formula: str


@dataclass(frozen=True, slots=True)
class Assumptions:
    """All values and formulas by name."""

    values: Mapping[str, Assumption]
    figures: Mapping[str, Figure]

    def worked_out(self) -> dict[str, float]:
        """Every value and every figure by name. Raises BadInput where a value makes a formula meaningless."""
        found = {name: item.value for name, item in self.values.items()}
        for name, figure in self.figures.items():
            try:
                found[name] = evaluated(figure.formula, found)
            except (ZeroDivisionError, OverflowError):
                raise BadInput(
                    f"With these assumptions '{name}' = {figure.formula} has no value.",
                    fix="Look for a zero among its parts.",
                    field=name,
                ) from None
        return found

    def with_values(self, given: Mapping[str, float]) -> Assumptions:
        """The same with other values; each changed one is marked as the reader's. Raises BadInput on unknown names."""
        unknown = sorted(set(given) - set(self.values))
        if unknown:
            raise BadInput(
                f"There is no assumption '{unknown[0]}'.", fix=f"Known: {', '.join(self.values)}.", field=unknown[0]
            )
        changed = {
            name: replace(self.values[name], value=value, kind="yours", source="", date="")
            for name, value in given.items()
            if value != self.values[name].value
        }
        return Assumptions({**self.values, **changed}, self.figures)


@cache
def shipped() -> Assumptions:
    """The assumptions that come with the product."""
    text = (resources.files("eureka_park.energy") / "data" / FILE).read_text("utf-8")
    found = tomllib.loads(text)
    return Assumptions(
        {name: Assumption(name, **item) for name, item in found["assumptions"].items()},
        {name: Figure(name, **item) for name, item in found["figures"].items()},
    )


def read(file: Path) -> Assumptions:
    """The shipped assumptions with the values of a file. Raises BadInput in one line on what cannot be read."""
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", fix="Name a file of assumptions.") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(
            f"{file} is not TOML: {error}.", fix="See: park energy report --write-assumptions FILE"
        ) from None
    return shipped().with_values({name: _value(name, item) for name, item in _table(found).items()})


def to_toml(assumptions: Assumptions) -> str:
    """Values with unit, kind, date and source as a file that `read` reads back."""
    lines = ["# Change a value; then: park energy report --assumptions THIS_FILE --out verdict.html", ""]
    for name, item in assumptions.values.items():
        lines += [f"[assumptions.{name}]", f"# {item.text}", f"value = {item.value!r}", f'unit = "{item.unit}"']
        lines += [f'kind = "{item.kind}"', f'date = "{item.date}"', f"source = {_quoted(item.source)}", ""]
    return "\n".join(lines)


def evaluated(formula: str, values: Mapping[str, float]) -> float:
    """A formula's value. Raises BadInput on anything but arithmetic with known names."""
    try:
        return _value_of(ast.parse(formula, mode="eval").body, values)
    except (SyntaxError, KeyError) as error:
        raise BadInput(
            f"The formula '{formula}' cannot be read: {error}.", fix="Use + - * / ( ) and known names."
        ) from None


def _value_of(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
            return _OPERATORS[type(operator)](_value_of(left, values), _value_of(right, values))
        case ast.Call(func=ast.Name(id="floor"), args=[only], keywords=[]):
            return float(math.floor(_value_of(only, values)))
    raise KeyError(ast.unparse(node))


def _table(found: Mapping[str, Any]) -> Mapping[str, Any]:
    table = found.get("assumptions", {})
    if not isinstance(table, dict):
        raise BadInput("'assumptions' is not a table.", fix="Write [assumptions.NAME] and value = NUMBER.")
    return table


def _value(name: str, item: Any) -> float:
    value = item.get("value") if isinstance(item, dict) else item
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= VALUE_MAX:
        raise BadInput(
            f"'{name}' is not a number from 0 to {VALUE_MAX:g}: {repr(value)[:40]}.", fix="Write value = NUMBER.",
            field=name,
        )  # fmt: skip
    return float(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
