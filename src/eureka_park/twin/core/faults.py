"""What goes wrong in a run beside the weather: as it is asked for in words or TOML, and as it is drawn by the seed.

Words, one after the other with commas:

| word | meaning |
| --- | --- |
| `nodes=off`, `nodes=x2` | machines fail never, or twice as often as usual; `x1` where it is not said |
| `network=x1` | racks drop out by their switch, as often as usual; off where it is not said |
| `plants=x1`, `grid=x1` | plants trip, the tie trips, as often as usual; off where it is not said |
| `usual` | all four as often as usual |
| `plant:koudia@5d+6h` | this plant stands still from 5 days after the start of the run on, for 6 hours |
| `grid@10d+2h` | the tie is open |
| `network:rack-12@3d+1h`, `network:pod-0@3d+1h` | the machines of a rack or a pod are cut off |

The truth changes at each of these instants; plans know of an outage, and when it ends, from the trip on.

What is usual. Machines: see `failures`. Racks: 35 of the 419 interruptions of Llama 3's pre-training were of switches
and cables (arXiv 2407.21783, table 5), in 54 days on 2,048 nodes; that each cuts off a rack is an assumption. A plant
trips four times a year as a whole, the tie twice: assumptions. All are mended as machines are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S, parse_duration_s
from eureka_park.twin.core.failures import (
    LLAMA_DAYS,
    LLAMA_NODES,
    NODE_MTBF_S,
    REPAIR_MEDIAN_S,
    REPAIR_SIGMA,
    Failures,
    failures_of,
    no_failures,
)

Floats = npt.NDArray[np.float64]

LLAMA_NETWORK: Final = 35.0
NETWORK_MTBF_S: Final = LLAMA_NODES * LLAMA_DAYS * DAY_S / LLAMA_NETWORK  # of a node's part of its rack's switch
PLANT_TRIPS_PER_YEAR: Final = 4.0  # of a whole plant; assumption
GRID_TRIPS_PER_YEAR: Final = 2.0  # assumption
YEAR_S: Final = 365.0 * DAY_S
KINDS: Final = ("nodes", "network", "plants", "grid")
USUAL: Final = "usual"
GRID: Final = "grid"
RATE_MAX: Final = 1000.0
OUTAGES_MAX: Final = 10_000
FIX: Final = "Write words such as nodes=off, nodes=x2, usual, plant:ID@5d+6h, grid@10d+2h or network:rack-3@1d+1h."
_RATE: Final = re.compile(r"x?(\d+(?:\.\d+)?)")
_PART: Final = re.compile(r"(rack|pod)-(\d{1,9})")


@dataclass(frozen=True, slots=True, order=True)
class Outage:
    """Something that stands still from `at_s` until `back_s` (from the start of the run).

    `what`: `grid`, `plant:ID`, `network:rack-N` or `network:pod-N`.
    """

    at_s: float
    back_s: float
    what: str


@dataclass(frozen=True, slots=True)
class Faults:
    """How often things fail, over what is usual (0: never), and outages that are given, in the order of time."""

    nodes: float = 1.0
    network: float = 0.0
    plants: float = 0.0
    grid: float = 0.0
    outages: tuple[Outage, ...] = ()

    @property
    def of_supply(self) -> tuple[Outage, ...]:
        """Outages of plants and of the tie, in the order of time."""
        return tuple(outage for outage in self.outages if not outage.what.startswith("network:"))

    @property
    def of_network(self) -> tuple[Outage, ...]:
        """Outages of racks and pods."""
        return tuple(outage for outage in self.outages if outage.what.startswith("network:"))

    @property
    def trips_s(self) -> tuple[float, ...]:
        """Instants, each once, sorted, at which a plant or the tie trips or is back: then a new plan is due."""
        return tuple(sorted({at for outage in self.of_supply for at in (outage.at_s, outage.back_s)}))

    def known_at(self, now_s: float) -> Faults:
        """The same with the outages that have begun by an instant: what a plan of that instant may know."""
        return replace(self, outages=tuple(outage for outage in self.outages if outage.at_s <= now_s))

    def running_frac(self, what: str, n_hours: int) -> Floats:
        """By hour of the run, for which part of it a plant (`plant:ID`) or the tie (`grid`) is there."""
        ends_s = HOUR_S * np.arange(n_hours + 1, dtype=np.float64)
        found = np.ones(n_hours)
        for outage in self.outages:
            if outage.what == what:
                found -= np.diff(np.clip(ends_s, outage.at_s, outage.back_s)) / HOUR_S
        return np.clip(found, 0.0, 1.0)


# Reading ----------------------------------------------------------------------------------------


def faults_of(text: str) -> Faults:
    """The faults that words ask for. Raises BadInput with the word that is wrong and the fix."""
    rates: dict[str, float] = {}
    outages: list[Outage] = []
    for word in text.replace(",", " ").split():
        if word == USUAL:
            rates |= dict.fromkeys(KINDS, 1.0)
        elif "@" in word:
            outages.append(_outage(word))
        elif "=" in word:
            kind, _, value = word.partition("=")
            rates[_kind(kind)] = _rate(kind, value)
        else:
            raise _bad(f"'{word}' names no fault.")
    return _made(rates, outages)


def faults_of_toml(text: str, name: str) -> Faults:
    """The faults of a TOML file called `name`. Raises BadInput with what is wrong in it.

    Keys: `nodes`, `network`, `plants`, `grid` (over what is usual; 0: never) and tables `[[outages]]` with `what`, `at`
    and `lasts`, as in words.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad(f"{name} is no TOML: {error}.", "Correct it.") from None
    rows = data.pop("outages", [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise _bad(f"{name}: outages is no list of tables.", "Write [[outages]] with what, at and lasts.")
    try:
        rates = {_kind(kind): _rate(kind, str(value)) for kind, value in data.items()}
        return _made(rates, [_outage_of(row) for row in rows])
    except BadInput as error:
        raise _bad(f"{name}: {error.message}", error.fix) from None


def _made(rates: Mapping[str, float], outages: Iterable[Outage]) -> Faults:
    return Faults(**rates, outages=merged(outages))


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise _bad(f"'{kind}' is nothing that fails at a rate.", f"Write one of: {', '.join(KINDS)}.")
    return kind


def _rate(kind: str, value: str) -> float:
    if value == "off":
        return 0.0
    found = _RATE.fullmatch(value)
    if not found or float(found[1]) > RATE_MAX:
        raise _bad(f"{kind}={value} is no rate.", f"Write {kind}=off or {kind}=x2, up to x{RATE_MAX:g}.")
    return float(found[1])


def _outage(word: str) -> Outage:
    what, _, when = word.partition("@")
    at, plus, lasts = when.partition("+")
    if not plus:
        raise _bad(f"'{word}' does not say for how long.", f"Write {what}@5d+6h: from 5 days on, for 6 hours.")
    return _between(word, what, at, lasts)


def _outage_of(row: Mapping[str, Any]) -> Outage:
    for name in ("what", "at", "lasts"):
        if name not in row:
            raise _bad(f"an outage lacks '{name}'.", "Give what, at and lasts, such as 'grid', '10d' and '2h'.")
    for name in row:
        if name not in ("what", "at", "lasts"):
            raise _bad(f"an outage has '{name}', which is unknown.", "Give what, at and lasts.")
    word = f"{row['what']}@{row['at']}+{row['lasts']}"
    return _between(word, str(row["what"]), str(row["at"]), str(row["lasts"]))


def _between(word: str, what: str, at: str, lasts: str) -> Outage:
    kind, _, rest = what.partition(":")
    is_known = what == GRID or (kind == "plant" and rest) or (kind == "network" and _PART.fullmatch(rest))
    if not is_known:
        raise _bad(
            f"'{what}' is nothing that can stand still.", "Write plant:ID, grid, network:rack-3 or network:pod-0."
        )
    try:
        at_s, lasts_s = 0.0 if at == "0" else parse_duration_s(at), parse_duration_s(lasts)
    except BadInput as error:
        raise _bad(f"'{word}': {error.message}", error.fix) from None
    if lasts_s <= 0.0:
        raise _bad(f"'{word}' lasts no time.", f"Write {what}@{at}+6h.")
    return Outage(at_s, at_s + lasts_s, what)


def _bad(told: str, fix: str = FIX) -> BadInput:
    return BadInput(told, fix=fix, field="faults", code="bad_faults")


def merged(outages: Iterable[Outage]) -> tuple[Outage, ...]:
    """Outages in the order of time; those of one thing that touch or overlap become one."""
    found: dict[str, list[Outage]] = {}
    for outage in sorted(outages):
        mine = found.setdefault(outage.what, [])
        if mine and outage.at_s <= mine[-1].back_s:
            mine[-1] = replace(mine[-1], back_s=max(mine[-1].back_s, outage.back_s))
        else:
            mine.append(outage)
    return tuple(sorted(outage for mine in found.values() for outage in mine))


# A site's ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranges:
    """The machines of a site as a network has them: for each rack and pod its first node and how many there are."""

    racks: tuple[tuple[int, int], ...]
    pods: tuple[tuple[int, int], ...]

    @property
    def n_nodes(self) -> int:
        """All machines."""
        return sum(n_nodes for _first, n_nodes in self.racks)


def ranges_of(classes: Iterable[tuple[int, int, int]]) -> Ranges:
    """The racks and pods of classes of machines: (machines, machines in a rack, racks in a pod); none spans classes."""
    racks: list[tuple[int, int]] = []
    pods: list[tuple[int, int]] = []
    first = 0
    for n_nodes, per_rack, per_pod in classes:
        for found, size in ((racks, per_rack), (pods, per_rack * per_pod)):
            found += [(first + at, min(size, n_nodes - at)) for at in range(0, n_nodes, size)]
        first += n_nodes
    return Ranges(tuple(racks), tuple(pods))


def drawn(faults: Faults, plants: Sequence[str], ranges: Ranges, days: float, tree: SeedTree) -> Faults:
    """The faults with every outage of the run in them: those that were given, and those that the seed draws.

    Raises BadInput for a plant, rack or pod that the site has not, and for an outage after the run.
    """
    for outage in faults.outages:
        _check(outage, plants, ranges, days)
    tree, outages = tree.child("faults"), list(faults.outages)
    rack_s = [NETWORK_MTBF_S / max(1, n_nodes) for _first, n_nodes in ranges.racks]
    wanted = (
        [(f"network:rack-{rack}", faults.network / at_s) for rack, at_s in enumerate(rack_s)] if faults.network else []
    )
    wanted += [(f"plant:{plant}", faults.plants * PLANT_TRIPS_PER_YEAR / YEAR_S) for plant in plants]
    wanted += [(GRID, faults.grid * GRID_TRIPS_PER_YEAR / YEAR_S)]
    if sum(rate for _what, rate in wanted) * days * DAY_S > OUTAGES_MAX:
        raise _bad(f"The faults come to more than {OUTAGES_MAX:,} outages.", "Lower the rates, or run fewer days.")
    for what, per_s in wanted:
        outages += _trips(what, per_s, days, tree.child(what)) if per_s > 0.0 else []
    return replace(faults, network=0.0, plants=0.0, grid=0.0, outages=merged(outages))


def _check(outage: Outage, plants: Sequence[str], ranges: Ranges, days: float) -> None:
    kind, _, rest = outage.what.partition(":")
    if kind == "plant" and rest not in plants:
        raise _bad(f"There is no plant '{rest}'.", f"Plants: {', '.join(plants) or 'none'}.")
    if kind == "network":
        part, _, number = rest.partition("-")
        n_parts = len(ranges.racks if part == "rack" else ranges.pods)
        if int(number) >= n_parts:
            raise _bad(f"There is no {rest}.", f"Name {part}-0 to {part}-{n_parts - 1}.")
    if outage.at_s >= days * DAY_S:
        raise _bad(f"{outage.what} stands still only after the run, which takes {days:g} days.", "Run for longer.")


def _trips(what: str, per_s: float, days: float, tree: SeedTree) -> list[Outage]:
    """Trips as a Poisson process, with log-normal outages."""
    draw, span_s = tree.generator(), days * DAY_S
    n = int(draw.poisson(per_s * span_s))
    at_s = np.round(np.sort(draw.random(n) * span_s), 0)
    lasts_s = np.ceil(REPAIR_MEDIAN_S * np.exp(REPAIR_SIGMA * draw.standard_normal(n)))
    return [Outage(float(at), float(at + lasts), what) for at, lasts in zip(at_s, lasts_s, strict=True)]


def failures_under(faults: Faults, ranges: Ranges, days: float, tree: SeedTree) -> Failures:
    """Machines that fall out: by themselves as often as `faults` says, and with their rack or pod. Raises BadInput."""
    alone = no_failures()
    if faults.nodes > 0.0:
        alone = failures_of(ranges.n_nodes, days, tree, NODE_MTBF_S / faults.nodes)
    cuts = faults.of_network
    if not cuts:
        return alone
    at_s, back_s, node = [alone.at_s], [alone.up_again_s], [alone.node]
    for outage in cuts:
        part, _, number = outage.what.removeprefix("network:").partition("-")
        first, n_nodes = (ranges.racks if part == "rack" else ranges.pods)[int(number)]
        node.append(np.arange(first, first + n_nodes, dtype=np.int32))
        at_s.append(np.full(n_nodes, outage.at_s))
        back_s.append(np.full(n_nodes, outage.back_s))
    return _united(np.concatenate(at_s), np.concatenate(node), np.concatenate(back_s))


def _united(at_s: Floats, node: npt.NDArray[np.int32], back_s: Floats) -> Failures:
    """Failures in the order of time; a machine that falls out again while it is down stays down for both."""
    order = np.lexsort((at_s, node))
    at_s, node, back_s = at_s[order], node[order], back_s[order].copy()
    is_kept = np.ones(len(at_s), dtype=np.bool_)
    last = 0
    for row in range(1, len(at_s)):
        if node[row] == node[last] and at_s[row] <= back_s[last]:
            back_s[last] = max(back_s[last], back_s[row])
            is_kept[row] = False
        else:
            last = row
    by_time = np.argsort(at_s[is_kept], kind="stable")
    return Failures(at_s[is_kept][by_time], node[is_kept][by_time], back_s[is_kept][by_time])


__all__ = [
    "Faults",
    "Outage",
    "Ranges",
    "drawn",
    "failures_under",
    "faults_of",
    "faults_of_toml",
    "merged",
    "ranges_of",
]
