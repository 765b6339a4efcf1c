"""What a sweep is asked for: names with one value or several each, whose product are its runs; or a table of such.

A file has, in TOML, names with their values at the top, and tables `[[runs]]` that add to them or differ; each table is
a product of its own:

    site = "eureka-park"
    days = 7
    seed = "1..3"

    [[runs]]
    policy = ["park", "fcfs-easy"]
    load = [0.5, 0.8]
"""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast, get_args

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.policy_file import policy_file_text, read_policy
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import parsed_toml
from eureka_park.twin.run_request import PolicyName, TwinRequest
from eureka_park.twin.sweep import N_MAX, Wanted

POLICIES: Final[tuple[str, ...]] = get_args(PolicyName)
_RANGE: Final = re.compile(r"(\d{1,9})(?:\.\.|-)(\d{1,9})")
_FIX: Final = "See the guide to the twin: docs/guide/twin.md#many-runs."
_FILE_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Reads:
    """How words become what they name: sites, weather files by place (`[PLACE=]FILE`), columns (`OURS=THEIRS`)."""

    site: Callable[[str], Site]
    weather: Callable[[Site, Sequence[str]], Mapping[str, Path]]
    columns: Callable[[Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Axis:
    """A name that runs may differ in: the field of a request, and how a value is read. `is_whole`: commas part
    nothing; `is_set`: all values together are one, the same for all runs of a product.
    """

    field: str
    read: Callable[[Any], Any]
    is_whole: bool = False
    is_set: bool = False


def _whole(value: Any) -> int:
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError(value)
    return int(value)


def _number(value: Any) -> float:
    found = float(value)
    if isinstance(value, bool) or not math.isfinite(found):
        raise ValueError(value)
    return found


def _count(value: Any) -> int:
    return _whole(float(value))  # 100e6 is a way to say it


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(value)
    return value


def _path(value: Any) -> Path:
    return Path(_text(value))


def _words_or_path(value: Any) -> str | Path:
    return Path(value) if isinstance(value, str) and value.endswith(".toml") else str(value)


def _yes(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


AXES: Final[Mapping[str, Axis]] = {
    "site": Axis("site", _text),
    "policy": Axis("policy", _text),
    "seed": Axis("seed", _whole),
    "load": Axis("load_frac", _number),
    "days": Axis("days", _number),
    "jobs": Axis("n_jobs", _count),
    "trace": Axis("trace", _path, True),
    "demand_of_supply": Axis("demand_of_supply", _number),
    "weather": Axis("weather", _text, is_set=True),
    "scenario": Axis("scenario", _text),
    "faults": Axis("faults", _words_or_path, True),
    "map": Axis("columns", _text, is_set=True),
    "bound": Axis("bound", _yes),
}
_PATHS: Final = frozenset(
    {"site", "policy", "trace", "weather", "faults"}
)  # relative ones in a file count from its folder


def values_of(name: str, value: Any) -> tuple[Any, ...]:
    """The values of a name: one, a list, or a text such as `park,fcfs-easy` or `1..3`. Raises BadInput."""
    axis = AXES.get(name)
    if axis is None:
        near = difflib.get_close_matches(name, AXES, n=1)
        meant = f"Did you mean '{near[0]}'?" if near else f"Name some of {', '.join(AXES)}."
        raise BadInput(f"'{name}' is nothing that runs may differ in.", fix=meant, field=name)
    given = value if isinstance(value, list | tuple) else (value,)
    found: list[Any] = []
    for one in given:
        parts = _parts(one) if isinstance(one, str) and not axis.is_whole else (one,)
        for part in parts:
            try:
                found.append(axis.read(part))
            except (TypeError, ValueError, OverflowError):
                raise BadInput(f"{name} = {part!r} is not right.", fix=_FIX, field=name) from None
    if not found:
        raise BadInput(f"{name} has no value.", fix=_FIX, field=name)
    found = list(dict.fromkeys(found))
    return (tuple(found),) if axis.is_set else tuple(found)


def _parts(text: str) -> list[Any]:
    found: list[Any] = []
    for word in (one.strip() for one in text.split(",")):
        match = _RANGE.fullmatch(word)
        if match is None:
            found.append(word)
            continue
        first, last = int(match[1]), int(match[2])
        if last < first or last - first >= N_MAX:
            raise BadInput(f"'{word}' is no range.", fix=f"Write 1..3, of at most {N_MAX:,} values.")
        found += range(first, last + 1)
    return found


def read_file(path: Path) -> list[dict[str, Any]]:
    """The products of a file, names with their values. Raises BadInput."""
    try:
        with path.open("rb") as file:
            text = file.read(_FILE_BYTES_MAX + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadInput(f"{path} cannot be read: {why}.", fix="Give a TOML file of runs.", field="file") from None
    if len(text) > _FILE_BYTES_MAX:
        raise BadInput(f"'{path}' has more than 1 MiB.", fix="Give a TOML file of runs.", field="file")
    top = parsed_toml(text, path.name, fix=_FIX, code="bad_sweep_file")
    tables = top.pop("runs", [{}])
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise BadInput(f"{path.name}: runs is no list of tables.", fix="Write each as [[runs]].", code="bad_sweep_file")
    return [{name: _beside(path, name, value) for name, value in {**top, **one}.items()} for one in tables]


def _beside(path: Path, name: str, value: Any) -> Any:
    """Files that a file names lie beside it."""
    if name not in _PATHS:
        return value
    given = value if isinstance(value, list) else [value]
    is_whole = AXES[name].is_whole
    words = [part for one in given for part in (one.split(",") if isinstance(one, str) and not is_whole else [one])]
    return [_found_beside(path.parent, one) for one in words]


def _found_beside(folder: Path, word: Any) -> Any:
    if not isinstance(word, str):
        return word
    head, equals, tail = word.strip().rpartition("=")  # of weather: PLACE=FILE
    return f"{head}{equals}{folder / tail}" if _is_beside(folder, tail) else word


def _is_beside(folder: Path, word: Any) -> bool:
    return isinstance(word, str) and not Path(word.strip()).is_absolute() and (folder / word.strip()).is_file()


def product(asked: Mapping[str, Any], reads: Reads) -> list[Wanted]:
    """The runs of one product; the last name turns quickest. Raises BadInput and NotFound."""
    values = {name: values_of(name, value) for name, value in asked.items()}
    n_runs = math.prod(len(one) for one in values.values())
    if n_runs > N_MAX:
        raise BadInput(f"That makes {n_runs:,} runs.", fix=f"Ask for at most {N_MAX:,}.")
    sites = {name: reads.site(name) for name in values.get("site", ())}
    found = []
    for chosen in itertools.product(*values.values()):
        one = dict(zip(values, chosen, strict=True))
        found.append(_wanted(one, sites[one["site"]], reads))
    return found


def _wanted(one: Mapping[str, Any], site: Site, reads: Reads) -> Wanted:
    named = {AXES[name].field: value for name, value in one.items() if name not in ("site", "policy")}
    if "weather" in named:
        named["weather"] = reads.weather(site, named["weather"])
    if "columns" in named:
        named["columns"] = reads.columns(named["columns"])
    policy = str(one.get("policy", POLICIES[0]))
    check_policy(policy)
    if policy in POLICIES:
        return Wanted.of(site, TwinRequest(**named, policy=cast(PolicyName, policy)))
    path = Path(policy)
    under = read_policy(policy_file_text(path), path.name).over(site, path.name)
    return Wanted.of(under, TwinRequest(**named), policy_file=path.stem)


def check_policy(name: str) -> None:
    """Raise BadInput for what is neither a policy nor named as a policy file is."""
    if name not in POLICIES and not name.endswith(".toml"):
        raise BadInput(
            f"There is no policy '{name}'.", fix=f"Name one of {', '.join(POLICIES)}, or a policy file FILE.toml.",
            field="policy",
        )  # fmt: skip
