"""From a recorded trace to a workload: columns recognised by their header, what is missing filled by the seed.

Own columns (CSV, Parquet; in any order, `submit_s`, `run_s` and `gpus` are needed, an empty cell counts as missing):

| column | meaning |
| --- | --- |
| `submit_s` | seconds from the start of the trace; Unix time or instants with an offset, from the first on |
| `run_s` | true run time at full speed, s |
| `gpus`, `n_nodes` | GPUs on each of `n_nodes` nodes; more than a node has becomes a gang of whole nodes |
| `n_nodes_min` | nodes with which it can run too; 0: not elastic |
| `mcpu`, `mem_mib` | thousandths of a CPU, and MiB, on each node |
| `leaf` | path in the share tree, such as `physics/lattice` |
| `tier`, `job_class` | firm, flex, green; batch, interactive, service |
| `checkpoint`, `priority` | true or false; a whole number |
| `time_s`, `deadline_s` | declared run time; instant as that of `submit_s` |
| `power_frac` | true dynamic power over the rated one, 0.1 to 1 |
| `job`, `after` | a name for the job; the name of one that must have ended first |
| `ending` | how it ended when its run time was over: finished, cancelled, failed |

Philly's columns (`submit_time, duration_s, num_gpus, vc`), those of the PAI sample (`submit_s, duration_s,
demand_units`) and SWF (Parallel Workloads Archive) become these. Jobs that never ran (SWF: no run time or no
processors) are left out and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from eureka_park.foundation.cycles import chain_text, find_cycle
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import parse_instant_s
from eureka_park.twin.core.arrivals import tenant_paths
from eureka_park.twin.core.mix import Mix
from eureka_park.twin.core.promises import asked, chosen, largest, powers, promises, slack_deadlines_s
from eureka_park.twin.core.workload import (
    BATCH,
    CANCELLED,
    CLASS_NAMES,
    DTYPES,
    ENDING_NAMES,
    FAILED,
    FINISHED,
    TIER_NAMES,
    Flags,
    Floats,
    Longs,
    NodeShape,
    Workload,
    workload_of,
)

NEEDED: Final = ("submit_s", "run_s", "gpus")
OWN: Final = frozenset({*DTYPES, "job"} - {"image", "gpu_type", "gpu_milli"})
PHILLY: Final = frozenset({"submit_time", "duration_s", "num_gpus", "vc"})
PAI: Final = frozenset({"submit_s", "duration_s", "demand_units"})
SWF_FIELDS: Final = (
    "job", "submit_s", "wait_s", "run_s", "procs", "cpu_s", "used_kib", "procs_asked", "time_s", "kib_asked", "status",
    "user", "group", "executable", "queue", "partition", "after", "think_s",
)  # fmt: skip
_PATH: Final = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*")
_STAMP: Final = re.compile(r"\s*\d{4}-\d\d-\d\d")
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
UNIX_S: Final = 1e9  # seconds that are as many are Unix time: 2001 and later
_FIX: Final = "The columns of a trace are described in docs/guide/twin.md."
_UNKNOWN_FIX: Final = "Name the columns that count: --map submit_s=THEIRS,run_s=THEIRS,gpus=THEIRS"
_SWF_ENDINGS: Final = {0: FAILED, 5: CANCELLED}  # its `status`; any other counts as finished
# What `Workload.filled` tells beside columns that the seed drew: jobs and lines of a trace that count otherwise or not.
NOTES: Final = ("left_out", "too_late", "after_unknown", "wrong_lines")
_TRUE: Final = frozenset({"true", "1", "yes", "True", "1.0"})


@dataclass(frozen=True, slots=True)
class Table:
    """A trace as it was read: text or numbers by column, and where each row stands in its file."""

    name: str
    columns: Mapping[str, Any]  # sequences or arrays
    lines: Sequence[int]
    is_swf: bool = False
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills a trace: the site's machines, the mix, and a seed."""

    shapes: tuple[NodeShape, ...]
    tree: SeedTree
    mix: Mix = field(default_factory=Mix)
    leaves: tuple[str, ...] = ()


def workload_from(table: Table, filling: Filling) -> Workload:
    """The workload of a trace, sorted by submission, checked against the site. Raises BadInput with the line."""
    own = _own(table)
    for name in NEEDED:
        if name not in own.columns:
            raise BadInput(f"{table.name} has no column '{name}'.", fix=_FIX, field=name, code="bad_trace")
    if not len(own.lines):
        raise BadInput(f"{table.name} holds no jobs.", fix=_FIX, code="bad_trace")
    own = _in_order(own)
    columns, leaves, filled = _columns(own, filling)
    columns["after"], n_unknown = _after(own, filled)
    notes = {**filled, **own.notes, **({"after_unknown": n_unknown} if n_unknown else {})}
    try:
        return workload_of(leaves, columns, filled=notes).fitted(filling.shapes)
    except BadInput as error:
        raise _with_line(error, own) from None


def _with_line(error: BadInput, table: Table) -> BadInput:
    """An error that names a job, with the line at which that job stands."""
    found = re.match(r"Job (\d+)(.*)", error.message, re.DOTALL)
    if not found:
        return error
    told = f"{table.name}, line {table.lines[int(found[1]) - 1]}: the job{found[2]}"
    return BadInput(told, fix=error.fix, field=error.field, code=error.code)


def _bad(table: Table, row: int, what: str, name: str) -> BadInput:
    return BadInput(f"{table.name}, line {table.lines[row]}: {what}.", fix=_FIX, field=name, code="bad_trace")


# Headers ----------------------------------------------------------------------------------------


def _own(table: Table) -> Table:
    """The table with the park's own columns."""
    header = frozenset(table.columns)
    if table.is_swf:
        return _from_swf(table)
    if header >= PHILLY:
        return _from_philly(table)
    if header >= PAI:
        given = table.columns
        return replace(
            table,
            columns={"submit_s": given["submit_s"], "run_s": given["duration_s"], "gpus": given["demand_units"]},
        )
    unknown = sorted(header - OWN)
    if unknown:
        told = f"{table.name} has a column '{unknown[0]}', which is none of a trace."
        raise BadInput(told, fix=_UNKNOWN_FIX, field=unknown[0], code="bad_trace")
    return _from_the_first(table)


def renamed(table: Table, columns: Mapping[str, str]) -> Table:
    """The table under the park's names: `columns` says for each of these what the trace calls it; others are left out.

    Raises BadInput for a name that either side has not.
    """
    if table.is_swf:
        raise BadInput(f"{table.name} names no columns.", fix="Leave out --map.", field="map", code="bad_trace")
    for own, theirs in columns.items():
        if own not in OWN:
            raise BadInput(
                f"'{own}' is no column of the park.",
                fix=f"Write OURS=THEIRS, with ours one of: {', '.join(sorted(OWN))}.",
                field="map",
                code="bad_trace",
            )
        if theirs not in table.columns:
            has = ", ".join(str(name) for name in table.columns)
            told = f"{table.name} has no column '{theirs}'."
            raise BadInput(told, fix=f"It has: {has}.", field="map", code="bad_trace")
    return replace(table, columns={own: table.columns[theirs] for own, theirs in columns.items()})


def _from_the_first(table: Table) -> Table:
    """Instants become seconds from the first submission; seconds from the start of the trace stay."""
    given = table.columns.get("submit_s")
    if given is None or not len(given):
        return table
    at_s = _instants(table, "submit_s")
    if float(at_s.min()) < UNIX_S:
        return table
    columns = {**table.columns, "submit_s": at_s - at_s.min()}
    if "deadline_s" in columns:
        columns["deadline_s"] = _instants(table, "deadline_s", allow_empty=True) - at_s.min()
    return replace(table, columns=columns)


def _instants(table: Table, name: str, *, allow_empty: bool = False) -> Floats:
    """A column of instants: numbers, or text with an offset. Raises BadInput for local time, with the line."""
    given = np.asarray(table.columns[name])
    if given.dtype.kind == "M":
        raise _without_zone(table, 0, name)
    if given.dtype.kind not in "USO" or not any(_STAMP.match(str(value)) for value in given):
        return _numbers(table, name, {}, allow_empty=allow_empty)
    found = np.full(len(given), np.nan)
    for row, value in enumerate(given):
        text = str(value).strip()
        if text and not _STAMP.match(text):
            raise _bad(table, row, f"{name} = '{text[:40]}' is no time", name)
        if text:
            found[row] = _instant(table, row, name, text)
        elif not allow_empty:
            raise _bad(table, row, f"{name} is empty", name)
    return found


def _instant(table: Table, row: int, name: str, text: str) -> float:
    try:
        return parse_instant_s(text)
    except BadInput as error:
        if _LOCAL.fullmatch(text):
            raise _without_zone(table, row, name) from None
        raise _bad(table, row, f"{name} = '{text[:40]}' is no time", name) from error


def _without_zone(table: Table, row: int, name: str) -> BadInput:
    """Local time: an hour of it comes twice a year, and nobody knows where it is."""
    told = f"{table.name}, line {table.lines[row]}: {name} = '{str(table.columns[name][row])[:40]}' names no time zone."
    fix = "Write each with its offset, such as 2026-03-02T08:00:00+01:00, or in seconds."
    return BadInput(told, fix=fix, field=name, code="bad_trace")


def _from_philly(table: Table) -> Table:
    given = table.columns
    try:
        at = np.asarray(given["submit_time"]).astype("datetime64[ms]").astype(np.int64) / 1000.0
    except ValueError:
        row = _first(given["submit_time"], _is_no_time)
        raise _bad(table, row, f"submit_time = '{given['submit_time'][row]}' is no time", "submit_time") from None
    columns = {
        "submit_s": at - at.min() if len(at) else at,
        "run_s": given["duration_s"],
        "gpus": given["num_gpus"],
        "leaf": [f"vc-{name}" for name in given["vc"]],
    }
    return replace(table, columns=columns)


def _is_no_time(value: Any) -> bool:
    try:
        return bool(np.isnat(np.datetime64(value)))
    except ValueError:
        return True


def _from_swf(table: Table) -> Table:
    """Processors become CPUs, requested values go before used ones, users of groups become leaves."""
    given = {name: _numbers(table, name, {}) for name in SWF_FIELDS}
    procs = np.where(given["procs_asked"] > 0, given["procs_asked"], given["procs"])
    ran = np.flatnonzero((procs > 0) & (given["run_s"] > 0) & (given["submit_s"] >= 0))
    kib = np.where(given["kib_asked"] > 0, given["kib_asked"], given["used_kib"])
    columns: dict[str, Any] = {
        "job": given["job"].astype(np.int64),
        "submit_s": given["submit_s"],
        "run_s": given["run_s"],
        "gpus": np.zeros(len(procs)),
        "mcpu": procs * 1000.0,
        "mem_mib": np.where(kib > 0, np.ceil(procs * kib / 1024.0), np.nan),
        "time_s": np.where(given["time_s"] > 0, given["time_s"], np.nan),
        "after": np.where(given["after"] > 0, given["after"], -1).astype(np.int64),
        "ending": np.array([str(_SWF_ENDINGS.get(int(status), FINISHED)) for status in given["status"]]),
        "leaf": np.array([f"group-{max(0, int(group))}/user-{max(0, int(user))}"
                          for group, user in zip(given["group"], given["user"], strict=True)]),
    }  # fmt: skip
    kept = {name: np.asarray(values)[ran] for name, values in columns.items()}
    kept["submit_s"] = kept["submit_s"] - kept["submit_s"].min() if len(ran) else kept["submit_s"]
    kept["after"] = np.array([str(name) if name > 0 else "" for name in kept["after"]])
    kept["job"] = kept["job"].astype(str)
    left_out = len(procs) - len(ran)
    notes = {**table.notes, **({"left_out": left_out} if left_out else {})}
    return replace(table, columns=kept, lines=np.asarray(table.lines)[ran].tolist(), notes=notes)


# Columns ----------------------------------------------------------------------------------------


def _in_order(table: Table) -> Table:
    """The same rows by submission; ties keep their order."""
    at = _numbers(table, "submit_s", {})
    order = np.argsort(at, kind="stable")
    if bool(np.all(order[1:] > order[:-1])):
        return table
    columns = {name: np.asarray(values)[order] for name, values in table.columns.items()}
    return replace(table, columns=columns, lines=np.asarray(table.lines)[order].tolist())


def _columns(table: Table, filling: Filling) -> tuple[dict[str, Any], tuple[str, ...], dict[str, int]]:
    """The workload's columns but `after`, the leaves, and how many rows of each column the seed filled."""
    filled: dict[str, int] = {}
    n = len(table.lines)
    run_s = _numbers(table, "run_s", {})
    columns: dict[str, Any] = {"submit_s": _numbers(table, "submit_s", {}), "run_s": run_s}
    columns |= _machines(table, filling, filled)
    columns["leaf"], leaves = _leaves(table, filling, filled)
    columns["job_class"] = _words(table, "job_class", CLASS_NAMES, np.full(n, BATCH), filled)
    rows = np.arange(n)
    drawn = promises(filling.mix, columns, rows, n, filling.tree.child("promises"))
    drawn |= powers(filling.mix, columns["leaf"], rows, n, len(leaves), filling.tree.child("power"))
    columns["tier"] = _words(table, "tier", TIER_NAMES, drawn["tier"], filled)
    columns["ending"] = _words(table, "ending", ENDING_NAMES, np.full(n, FINISHED), {})
    columns["checkpoint"] = _flags(table, "checkpoint", drawn["checkpoint"], filled)
    for name in ("priority", "time_s", "power_frac"):
        columns[name] = _given_or(table, name, drawn[name], filled)
    columns["n_nodes_min"] = _given_or(table, "n_nodes_min", np.zeros(n), {})
    due_s = slack_deadlines_s(
        columns["submit_s"], columns["time_s"], columns["tier"], filling.mix, filling.tree.child("slack")
    )
    columns["deadline_s"] = _deadlines(table, due_s, filled)
    columns["image"] = drawn["image"]
    return columns, leaves, filled


def _deadlines(table: Table, drawn: Floats, filled: dict[str, int]) -> Floats:
    """Where the trace has a column of deadlines, an empty one is none; else those of flex jobs are drawn."""
    if "deadline_s" in table.columns:
        given = _numbers(table, "deadline_s", {}, allow_empty=True)
        return np.where(np.isnan(given), np.inf, given)
    filled["deadline_s"] = int(np.isfinite(drawn).sum())
    return drawn


def _machines(table: Table, filling: Filling, filled: dict[str, int]) -> dict[str, Any]:
    """GPUs, nodes, CPUs and memory; more than a node has becomes a gang of whole nodes."""
    shape, n = largest(filling.shapes), len(table.lines)
    gpus = _whole(table, "gpus")
    n_nodes = _whole(table, "n_nodes") if "n_nodes" in table.columns else np.ones(n, dtype=np.int64)
    mcpu = _numbers(table, "mcpu", {}, allow_empty=True) if "mcpu" in table.columns else np.full(n, np.nan)
    in_all = np.maximum(1, gpus)
    drawn = asked(filling.shapes, filling.mix, in_all, filling.tree.child("cores").generator().random(n))
    gangs = np.where(gpus > 0, -(-gpus // max(1, shape.gpus)), np.ceil(np.nan_to_num(mcpu, nan=1.0) / shape.mcpu))
    is_gang = (n_nodes == 1) & (gangs > 1)
    if shape.gpus == 0 and bool((gpus > 0).any()):
        raise _bad(table, int(np.argmax(gpus > 0)), "the job asks for GPUs; this site has none", "gpus")
    found = {
        "n_nodes": np.where(is_gang, gangs, n_nodes).astype(np.int64),
        "gpus": np.where(is_gang & (gpus > 0), shape.gpus, gpus),
    }
    mem = _given_or(table, "mem_mib", np.where(np.isnan(mcpu) | (gpus > 0), drawn["mem_mib"], 1024.0), filled)
    found["mcpu"] = np.where(is_gang, shape.mcpu, _given_or(table, "mcpu", drawn["mcpu"], filled)).astype(np.int64)
    found["mem_mib"] = np.where(is_gang, np.minimum(shape.mem_mib, np.maximum(mem, 1)), mem).astype(np.int64)
    whole = is_gang & (gpus > 0)
    found["mem_mib"] = np.where(whole, shape.mem_mib, found["mem_mib"])
    return found


def _leaves(table: Table, filling: Filling, filled: dict[str, int]) -> tuple[Longs, tuple[str, ...]]:
    """Each row's leaf, and the leaves: those of the trace by name, or tenants drawn by rank."""
    n = len(table.lines)
    if "leaf" in table.columns:
        names, leaf = np.unique(np.asarray(table.columns["leaf"], dtype=str), return_inverse=True)
        for index, name in enumerate(names):
            if not _PATH.fullmatch(str(name)):
                row = int(np.argmax(leaf == index))
                raise _bad(table, row, f"leaf = '{name}' is no path such as physics/lattice", "leaf")
        return leaf.astype(np.int64), tuple(map(str, names))
    leaves = filling.leaves or tenant_paths()
    weights = np.arange(1, len(leaves) + 1, dtype=np.float64) ** -filling.mix.tenant_power
    filled["leaf"] = n
    return chosen(weights, filling.tree.child("leaves").generator().random(n)), leaves


def _given_or(table: Table, name: str, drawn: Any, filled: dict[str, int]) -> Floats:
    """A column of numbers; what is missing is drawn, and counted."""
    n = len(table.lines)
    given = _numbers(table, name, {}, allow_empty=True) if name in table.columns else np.full(n, np.nan)
    missing = np.isnan(given)
    if missing.any():
        filled[name] = int(missing.sum())
    return np.where(missing, drawn, given)


def _words(table: Table, name: str, words: Sequence[str], drawn: Any, filled: dict[str, int]) -> Longs:
    """A column of words (or their numbers); an empty cell is drawn."""
    n = len(table.lines)
    places = {**{word: index for index, word in enumerate(words)}, **{str(index): index for index in range(len(words))}}
    texts = [str(value).strip() for value in table.columns.get(name, ())] or [""] * n
    for row, text in enumerate(texts):
        if text and text not in places:
            raise _bad(table, row, f"{name} = '{text}' is none of {', '.join(words)}", name)
    missing = np.array([not text for text in texts], dtype=np.bool_)
    if missing.any():
        filled[name] = int(missing.sum())
    return np.where(missing, drawn, [places.get(text, 0) for text in texts]).astype(np.int64)


def _flags(table: Table, name: str, drawn: Flags, filled: dict[str, int]) -> Flags:
    n = len(table.lines)
    texts = [str(value).strip() for value in table.columns.get(name, ())] or [""] * n
    missing = np.array([not text for text in texts], dtype=np.bool_)
    if missing.any():
        filled[name] = int(missing.sum())
    return np.where(missing, drawn, [text in _TRUE for text in texts]).astype(np.bool_)


def _whole(table: Table, name: str) -> Longs:
    """A column of whole numbers of at least 0."""
    values = _numbers(table, name, {})
    wrong = (values < 0) | (values != np.floor(values)) | (values > 1e9)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise _bad(table, row, f"{name} = {values[row]:g} is no whole number from 0 on", name)
    return values.astype(np.int64)


def _numbers(table: Table, name: str, plain: Mapping[str, float], *, allow_empty: bool = False) -> Floats:
    """A column as numbers; an empty cell is nan where that is allowed. Raises BadInput with the line."""
    values = table.columns[name]
    array = np.asarray(values)
    if array.dtype.kind in "USO":
        try:
            array = np.array([value if value not in ("", None) else "nan" for value in values]).astype(np.float64)
        except ValueError:
            row = _first(values, _is_no_number)
            raise _bad(table, row, f"{name} = '{str(values[row])[:40]}' is no number", name) from None
    found = array.astype(np.float64)
    wrong = np.isinf(found) | (np.isnan(found) & (not allow_empty))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise _bad(table, row, f"{name} is {'empty' if np.isnan(found[row]) else 'infinite'}", name)
    return found


def _first(values: Sequence[Any], is_wrong: Callable[[Any], bool]) -> int:
    return next(row for row, value in enumerate(values) if is_wrong(value))


def _is_no_number(value: Any) -> bool:
    try:
        float(value if value not in ("", None) else "nan")
    except (TypeError, ValueError):
        return True
    return False


# Dependencies -----------------------------------------------------------------------------------


def _after(table: Table, filled: dict[str, int]) -> tuple[Longs, int]:
    """For each row the row it comes after, or -1, and how many name a job that is not there.

    Raises BadInput for a cycle, for two jobs of one name, and for a job that comes after a later submission.
    """
    n = len(table.lines)
    if "after" not in table.columns:
        return np.full(n, -1, dtype=np.int64), 0
    if "job" not in table.columns:
        raise BadInput(f"{table.name} has 'after' but no column 'job'.", fix=_FIX, field="job", code="bad_trace")
    names, wanted = [str(name) for name in table.columns["job"]], [str(name) for name in table.columns["after"]]
    place: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in place:
            raise _bad(table, row, f"job '{name}' stands also at line {table.lines[place[name]]}", "job")
        place[name] = row
    cycle = find_cycle({name: (first,) for name, first in zip(names, wanted, strict=True) if first in place})
    if cycle:
        raise _bad(table, place[cycle[0]], f"jobs wait for each other: {chain_text(cycle)}", "after")
    found, n_unknown = np.full(n, -1, dtype=np.int64), 0
    for row, first in enumerate(wanted):
        if first and first in place:
            found[row] = place[first]
            if place[first] > row:
                raise _bad(table, row, f"the job comes after '{first}', which is submitted later", "after")
        n_unknown += bool(first) and first not in place
    return found, n_unknown
