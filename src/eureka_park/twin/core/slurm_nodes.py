"""Slurm's machines: records of `scontrol show node`, lists of hosts, times out of service (`sacctmgr show event`).

`scontrol` tells how machines are now, not how they were: what was out of service a week ago stands only in the events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Final

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.sacct import is_whole, stamp_s, tres_of

COMMAND: Final = "scontrol show node > nodes.txt"
EVENT_FIELDS: Final = ("NodeName", "TimeStart", "TimeEnd", "State", "Reason")
_KEY: Final = re.compile(r"(?:^|\s)(NodeName|Gres|CfgTRES|State|RealMemory|CPUTot|CPUEfctv|ActiveFeatures|Partitions)=")
_GRES: Final = re.compile(r"gpu(?::([^:(),]+))?:(\d{1,9})", re.ASCII)
_OUT_FLAGS: Final = frozenset(
    {"DOWN", "DRAIN", "DRAINED", "DRAINING", "FAIL", "FAILING", "MAINT", "FUTURE", "UNKNOWN", "UNK", "INVAL",
     "INVALID_REG", "ERROR", "NOT_RESPONDING", "REBOOT_ISSUED", "DYNAMIC_FUTURE"}
)  # fmt: skip
_MARKS: Final = {"*": "NOT_RESPONDING", "$": "MAINT", "@": "REBOOT_ISSUED"}  # behind a state, as Slurm writes them
_HOSTS_MAX: Final = 200_000
_RANGES_MAX: Final = 8  # of one name: `a[1-2]b[3-4]`


@dataclass(frozen=True, slots=True)
class SlurmNode:
    """One machine as Slurm knows it. `flags` are the words of its state; `gpu_type` the most frequent kind it has."""

    name: str
    n_gpus: int
    gpu_type: str
    n_cpus: int
    mem_mib: int
    flags: frozenset[str]
    features: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()

    @property
    def is_out(self) -> bool:
        """Whether it takes no jobs now: down, drained, failed, in maintenance. Asleep to save power is not out."""
        return not _OUT_FLAGS.isdisjoint(self.flags)


@dataclass(frozen=True, slots=True)
class OutOfService:
    """A time in which a machine took no jobs; `end_s` inf while it lasts."""

    node: str
    start_s: float
    end_s: float
    state: str
    reason: str


def nodes_of(text: str) -> tuple[SlurmNode, ...]:
    """The machines in the output of `scontrol show node`, with or without `--oneliner`. Raises BadInput without any."""
    found = tuple(_node(record) for record in _records(text))
    if not found:
        raise BadInput(
            "This is no output of 'scontrol show node': no record begins with NodeName=.",
            fix=f"Make the file with: {COMMAND}", code="bad_nodes", field="nodes",
        )  # fmt: skip
    names = [node.name for node in found]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadInput(f"Machine {twice} stands there twice.", fix=f"Make the file with: {COMMAND}", code="bad_nodes")
    return found


def _records(text: str) -> Iterator[str]:
    starts = [found.start() for found in re.finditer(r"^\s*NodeName=", text, re.MULTILINE)]
    for start, end in pairwise([*starts, len(text)]):
        yield text[start:end]


def _node(record: str) -> SlurmNode:
    values: dict[str, str] = {}
    for found in _KEY.finditer(record):
        values.setdefault(found[1], record[found.end() :].split(None, 1)[0] if _has_value(record, found.end()) else "")
    kinds = _kinds(values.get("Gres", ""))
    had = tres_of(values.get("CfgTRES", ""))
    n_gpus = sum(kinds.values()) or had.n_gpus
    gpu_type = max(kinds, key=lambda kind: (kinds[kind], kind)) if kinds else had.gpu_type
    try:
        n_cpus = int(values.get("CPUEfctv") or values.get("CPUTot") or had.n_cpus)
        mem_mib = int(values.get("RealMemory") or had.mem_mib)
    except ValueError:
        told = f"Machine {values['NodeName']}: CPUTot and RealMemory are no whole numbers."
        raise BadInput(told, fix=f"Make the file with: {COMMAND}", code="bad_nodes") from None
    return SlurmNode(
        values["NodeName"], n_gpus, gpu_type, n_cpus, mem_mib, flags_of(values.get("State", "")),
        _list(values.get("ActiveFeatures", "")), _list(values.get("Partitions", "")),
    )  # fmt: skip


def _has_value(record: str, at: int) -> bool:
    return at < len(record) and not record[at].isspace()


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(",") if part and part != "(null)")


def _kinds(gres: str) -> dict[str, int]:
    """GPUs by kind in `gpu:h100:4(S:0-1),shard:32`; a kind without a name is ''."""
    kinds: dict[str, int] = {}
    for kind, n in _GRES.findall(gres):
        kinds[kind.lower()] = kinds.get(kind.lower(), 0) + int(n)
    return kinds


def flags_of(state: str) -> frozenset[str]:
    """The words in `IDLE+DRAIN`, `MIXED*` or `DOWN$`."""
    flags = set()
    for word in state.upper().split("+"):
        flags |= {name for mark, name in _MARKS.items() if mark in word}
        flags.add(re.sub(r"[^A-Z_]", "", word))
    return frozenset(flags - {""})


# Lists of hosts ---------------------------------------------------------------------------------


@lru_cache(maxsize=512)  # a list may name thousands
def hosts_of(text: str) -> tuple[str, ...]:
    """`a[01-03,7],b` as names; () for none. Raises BadInput for what is no list of hosts."""
    if text in {"", "None assigned", "(null)", "None", "Unknown"}:
        return ()
    names: list[str] = []
    for part in _split(text):
        names.extend(_expanded(part))
        _bounded(len(names), text)
    return tuple(names)


def _split(text: str) -> Iterator[str]:
    """Parts between commas that stand outside brackets."""
    depth, begin = 0, 0
    for at, mark in enumerate(text):
        depth += (mark == "[") - (mark == "]")
        if mark == "," and depth == 0:
            yield text[begin:at]
            begin = at + 1
    if depth:
        raise BadInput(f"'{text[:40]}' is no list of machines", code="bad_row")
    yield text[begin:]


def _expanded(part: str) -> list[str]:
    head, bracket, rest = part.partition("[")
    if not bracket:
        return [part] if part else []
    inside, _, tail = rest.partition("]")
    if tail.count("[") >= _RANGES_MAX:
        raise BadInput(f"'{part[:40]}' is no list of machines", code="bad_row")
    tails = _expanded(tail) or [""]
    names: list[str] = []
    for numbers, n_digits in (_numbers(span) for span in inside.split(",")):
        _bounded(len(names) + len(numbers) * len(tails), part)
        names.extend(f"{head}{number:0{n_digits}d}{end}" for number in numbers for end in tails)
    return names


def _bounded(n: int, text: str) -> None:
    """Refuse so many machines before they are written out."""
    if n > _HOSTS_MAX:
        raise BadInput(f"'{text[:40]}' names too many machines", code="bad_row")


def _numbers(span: str) -> tuple[range, int]:
    """The numbers of a range, and how many digits each has at least."""
    first, dash, last = span.partition("-")
    if not is_whole(first) or (dash and not is_whole(last)):
        raise BadInput(f"'[{span[:40]}]' is no range of machines", code="bad_row")
    return range(int(first), int(last or first) + 1), len(first)


# Out of service ---------------------------------------------------------------------------------


def events_of(lines: Iterable[str], zone: tzinfo | None = None) -> tuple[OutOfService, ...]:
    """Times out of service from `sacctmgr --parsable2 show event` with EVENT_FIELDS, without whole clusters'.

    Raises BadInput without the columns that are needed.
    """
    rows = iter(lines)
    names = next(rows, "").rstrip("\r\n").split("|")
    missing = [name for name in EVENT_FIELDS[:3] if name not in names]
    if missing:
        raise BadInput(
            f"The output of sacctmgr has no column {missing[0]}.",
            fix="park observe slurm --commands says what to type on the cluster.", code="bad_events",
        )  # fmt: skip
    return tuple(event for line in rows if (event := _event(names, line, zone)) is not None)


def _event(names: Sequence[str], line: str, zone: tzinfo | None) -> OutOfService | None:
    values = dict(zip(names, line.rstrip("\r\n").split("|", len(names) - 1), strict=False))
    if not values.get("NodeName"):
        return None
    start_s, end_s = stamp_s(values.get("TimeStart", ""), zone), stamp_s(values.get("TimeEnd", ""), zone)
    if start_s != start_s:
        return None
    flags = flags_of(values.get("State", ""))
    if flags and _OUT_FLAGS.isdisjoint(flags):
        return None
    end_s = float("inf") if end_s != end_s else end_s
    return OutOfService(
        values["NodeName"], start_s, max(start_s, end_s), "+".join(sorted(flags)), values.get("Reason", "")
    )
