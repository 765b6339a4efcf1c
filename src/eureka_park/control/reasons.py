"""What the kernels decided, in words: each code with its two numbers becomes a reason that a newcomer understands.

Kernels keep a code, two numbers and an instant per job (`control/codes.py`, `say.py`); the words are made here, for the
few jobs that are told, from the board as it stands after the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np

from eureka_park.compute.core.board import INF, JOB, NONE, UP, Array, Board
from eureka_park.compute.core.job import Reason
from eureka_park.control import codes
from eureka_park.control.supply import Supply
from eureka_park.foundation.units import MIB, duration_text, iso_from_s, power_text

SALT_EMPTY_FRAC: Final = 0.02  # of what the tanks hold; below it nothing comes out
_NODES_NAMED: Final = 3


class Room(NamedTuple):
    """GPUs, CPUs and memory: what a job asks of one node, or what is free there."""

    n_gpus: int = 0
    n_cpus: float = 0.0
    memory_bytes: int = 0


NO_ROOM: Final = Room()


class Closed(NamedTuple):
    """Nodes that would be free for a job but for a window: maintenance, or another project's time."""

    node_ids: tuple[str, ...]
    from_s: float
    to_s: float
    is_reserved: bool = False  # for a project that the reason does not name: whose time it is, its members know


@dataclass(frozen=True, slots=True)
class Facts:
    """What a reason is told from beside its code and two numbers. kW, park time."""

    asks: Room = NO_ROOM
    free: Room = NO_ROOM  # of the roomiest node that it may run on
    is_gang: bool = False
    latest_s: float = INF  # when it must start to end by its deadline
    now_s: float = 0.0
    clean_kw: float = 0.0
    kept_kw: float = 0.0  # salt power that the plan keeps for dearer hours
    is_salt_empty: bool = False
    share: str = ""  # of the share that reclaims
    closed: Closed | None = None
    is_all_down: bool = False  # no node of its kind takes jobs
    promised_s: float = INF  # the start that it was told first


Told = tuple[str, str, dict[str, Any]]  # code, text, values
_Words = Callable[[float, float, Facts], Told]


def reason_from(code: int, a: float, b: float, until_s: float, facts: Facts) -> Reason:
    """The reason behind a code of `control.codes` and its numbers `a` and `b`. Raises KeyError for an unknown code."""
    name, text, values = _WORDS[code](a, b, facts)
    if facts.promised_s < INF:
        values["promised_at"] = iso_from_s(facts.promised_s)
    if facts.closed is not None and name == "window":
        until_s = min(until_s, facts.closed.to_s)
    return Reason(name, text, values, until_s if until_s < INF else None)


def with_estimate(reason: Reason, p50_s: float, p90_s: float) -> Reason:
    """The reason with the start to be expected: by `p50_s` in one case of two, `p90_s` in nine of ten."""
    return replace(reason, values={**reason.values, "start_p50": iso_from_s(p50_s), "start_p90": iso_from_s(p90_s)})


# -- power -------------------------------------------------------------------------------------------------------------


def _firm(a: float, b: float, _facts: Facts) -> Told:
    text = f"It needs {_power(a)} of firm power; {_power(max(0.0, b))} can be promised now."
    return "firm_power", text, _need(a, b)


def _site(a: float, b: float, _facts: Facts) -> Told:
    text = f"It needs {_power(a)}; plants and grid together leave {_power(max(0.0, b))} now."
    return "site_power", text, _need(a, b)


def _clean(a: float, b: float, facts: Facts) -> Told:
    text = f"It needs {_power(a)} of the park's own sun, wind or salt; {_power(max(0.0, b))} is free now."
    kept = {"kept_kw": _round(facts.kept_kw)} | _salt(facts)
    return "clean_power", text + _of_salt(a - max(0.0, b), facts), _need(a, b) | kept


def _hour(a: float, b: float, facts: Facts) -> Told:
    text = f"It waits for a better hour: {b:.0f} MAD/MWh then (carbon priced in), {a:.0f} now"
    if facts.latest_s < INF:
        text += f"; its deadline leaves {duration_text(max(0.0, facts.latest_s - facts.now_s))}"
    return "better_hour", text + ".", {"now_mad_per_mwh": a, "then_mad_per_mwh": b}


def _short(code: str, what: str, short_kw: float, facts: Facts, than: str, **more: Any) -> Told:
    text = f"{what}: the sky gives {_power(short_kw)} less than {than}."
    values = {
        "short_kw": _round(short_kw),
        "clean_kw": _round(facts.clean_kw),
        "kept_kw": _round(facts.kept_kw),
        **_salt(facts),
        **more,
    }
    return code, text + _of_salt(short_kw, facts), values


_BOUND: Final = "the bound work draws"


def _capped(a: float, b: float, facts: Facts) -> Told:
    return _short("capped_power", f"It is capped to {b:.0%} of its power", a, facts, _BOUND, cap_frac=b)


def _paused(a: float, _b: float, facts: Facts) -> Told:
    return _short("paused_power", "It is paused at a checkpoint", a, facts, _BOUND)


def _frozen(a: float, _b: float, facts: Facts) -> Told:
    return _short("frozen_power", "It is frozen in place, its work kept", a, facts, _BOUND)


def _shrunk(a: float, b: float, facts: Facts) -> Told:
    what = "It goes on with 1 node" if b == 1 else f"It goes on with {b:.0f} nodes"
    return _short("shrunk_power", what, a, facts, _BOUND, nodes=int(b))


def _stays_frozen(a: float, _b: float, facts: Facts) -> Told:
    what = "It stays frozen in place, its work kept"
    return _short("frozen_power", what, a, facts, "it needs to go on")


def _stays_capped(a: float, b: float, facts: Facts) -> Told:
    what = f"It stays capped to {b:.0%} of its power"
    return _short("capped_power", what, a, facts, "the rest needs", cap_frac=b)


def _resumed(a: float, b: float, _facts: Facts) -> Told:
    """`b` is 1 for a job that was frozen, more for a gang that has so many nodes now."""
    if b > 1:
        text = f"It has {b:.0f} nodes now: nobody waits for them, and sun, wind and salt give {_power(a)}."
        return "resumed_power", text, {"clean_kw": _round(a), "nodes": int(b)}
    what = "It goes on" if b else "It has its full power again"
    text = f"{what}: sun, wind and salt give {_power(a)} now, enough for it."
    return "resumed_power", text, {"clean_kw": _round(a)}


def _reclaimed(_a: float, b: float, facts: Facts) -> Told:
    text = (
        f"It is paused at a checkpoint: {facts.share or 'another share'} has lent it the power and asks for it back; "
        f"{_power(b)} are sure to that share."
    )
    return "reclaimed", text, {"share": facts.share, "floor_kw": _round(b)}


def _need(need_kw: float, free_kw: float) -> dict[str, Any]:
    return {"need_kw": _round(need_kw), "free_kw": _round(free_kw)}


def _of_salt(short_kw: float, facts: Facts) -> str:
    """Said when the salt could give it, but the plan has a better use for it; or when the tanks are empty."""
    if facts.kept_kw > short_kw:
        return " The plan keeps its salt for dearer hours."
    return " The salt is empty." if facts.is_salt_empty else ""


def _salt(facts: Facts) -> dict[str, Any]:
    return {"salt": "empty"} if facts.is_salt_empty else {}


# -- room --------------------------------------------------------------------------------------------------------------


def _no_such_node(_a: float, _b: float, _facts: Facts) -> Told:
    return "no_such_node", "No node of the park is large enough for it.", {}


def _room(a: float, b: float, facts: Facts) -> Told:
    """`a` whole nodes of which `b` are free; for a part of a node GPUs and the most that are free on one."""
    if facts.closed is not None:
        return _window(a, b, facts)
    if facts.is_all_down:
        return "room", "Every node that it may run on is drained or down.", _parts(a, b, facts)
    if facts.is_gang:
        free = "1 is" if b == 1 else f"{b:.0f} are" if b else "none is"
        text = f"It needs {a:.0f} whole free nodes; {free} free."
        return "room", text, _parts(a, b, facts)
    if facts.asks.n_gpus > b:
        text = f"It needs {a:.0f} GPU on one node; the most that are free on one: {b:.0f}."
    else:
        text = f"It needs {_room_text(facts.asks)} on one node; the roomiest has {_room_text(facts.free)} free."
    return "room", text, _parts(a, b, facts)


def _reserved(a: float, b: float, facts: Facts) -> Told:
    text = "There is room, but it is promised to jobs before it."
    return "reserved", text, _parts(a, b, facts)


def _window(a: float, b: float, facts: Facts) -> Told:
    values = _parts(a, b, facts)
    closed = facts.closed
    if closed is None:
        return "window", "The nodes that it needs are closed for a while.", values
    more = len(closed.node_ids) - _NODES_NAMED
    nodes = ", ".join(closed.node_ids[:_NODES_NAMED]) + (f" and {more} more" if more > 0 else "")
    span = f"from {_instant(closed.from_s)} to {_instant(closed.to_s)}"
    if closed.is_reserved:
        text = f"It would reach into the time of {nodes} that is reserved, {span}."
    else:
        text = f"It would reach into the maintenance of {nodes}, {span}."
    values |= {
        "closed": list(closed.node_ids), "from": iso_from_s(closed.from_s), "to": iso_from_s(closed.to_s),
        "is_reserved": closed.is_reserved,
    }  # fmt: skip
    return "window", text, values


def _parts(a: float, b: float, facts: Facts) -> dict[str, Any]:
    if facts.is_gang:
        return {"nodes": int(a), "free_nodes": int(b)}
    asks, free = facts.asks, facts.free
    return {
        "cpus": asks.n_cpus, "free_cpus": free.n_cpus, "gpus": asks.n_gpus, "free_gpus": free.n_gpus,
        "memory_bytes": asks.memory_bytes, "free_memory_bytes": free.memory_bytes,
    }  # fmt: skip


def _room_text(room: Room) -> str:
    parts = [f"{room.n_gpus} GPU"] if room.n_gpus else []
    parts.append(f"{room.n_cpus:g} CPU")
    return ", ".join(parts) + f" and {room.memory_bytes / 1024**3:.3g} GiB"


_WORDS: Final[Mapping[int, _Words]] = {
    codes.FIRM_POWER: _firm, codes.SITE_POWER: _site, codes.CLEAN_POWER: _clean, codes.BETTER_HOUR: _hour,
    codes.ROOM: _room, codes.NO_SUCH_NODE: _no_such_node, codes.RESERVED: _reserved, codes.WINDOW: _window,
    codes.CAPPED: _capped, codes.PAUSED_FOR_POWER: _paused, codes.FROZEN_FOR_POWER: _frozen, codes.RESUMED: _resumed,
    codes.SHRUNK: _shrunk, codes.RECLAIMED: _reclaimed, codes.STAYS_FROZEN: _stays_frozen,
    codes.STAYS_CAPPED: _stays_capped,
}  # fmt: skip
_OF_ROOM: Final = frozenset({codes.ROOM, codes.RESERVED, codes.WINDOW})


def _power(kw: float) -> str:
    return power_text(kw / 1000.0)


def _round(kw: float) -> float:
    return round(float(kw), 6)


def _instant(instant_s: float) -> str:
    return f"{(iso_from_s(instant_s) or '')[:16].replace('T', ' ')} UTC"


CODES: Final = frozenset(words(1.0, 0.5, Facts())[0] for words in _WORDS.values())  # all that are told here


# -- from the board ----------------------------------------------------------------------------------------------------


_PLACE: Final = {name: at for at, name in enumerate(JOB.names or ())}
_REASON, _A, _B, _UNTIL_S = (_PLACE[name] for name in ("reason", "reason_a", "reason_b", "reason_until_s"))
_TIME_S, _RAN_S, _DEADLINE_S, _PROMISED_S = (_PLACE[name] for name in ("time_s", "ran_s", "deadline_s", "promised_s"))
_CLASSES, _GANG, _GPUS, _MCPU, _MEM_MIB = (_PLACE[name] for name in ("classes", "gang", "gpus", "mcpu", "mem_mib"))


@dataclass(slots=True)
class Teller:
    """Tells the reasons of one turn. `node_ids` by node of the board, `share_paths` by share; both may be empty."""

    board: Board
    node_ids: Sequence[str] = ()
    share_paths: Sequence[str] = ()
    supply: Supply | None = None
    now_s: float = 0.0
    _roomiest: dict[int, Room] = field(default_factory=dict)
    _allowed: dict[int, Array] = field(default_factory=dict)
    _has_windows: bool | None = None
    _sky: Facts | None = None
    _jobs: Array | None = None

    def reason(self, slot: int) -> Reason | None:
        """The reason that a job's slot holds; None where it holds none."""
        row = self._row(slot)
        code = int(row[_REASON])
        if code == codes.NO_REASON:
            return None
        return reason_from(code, row[_A], row[_B], row[_UNTIL_S], self.facts(slot, row))

    def told(self) -> list[tuple[int, Reason]]:
        """The slots whose reasons are news in this turn, with them."""
        slots = (int(slot) for slot in self.board.told[: int(self.board.g.n_told[0])])
        return [(slot, reason) for slot in slots if (reason := self.reason(slot)) is not None]

    def facts(self, slot: int, row: tuple[Any, ...] = ()) -> Facts:
        """What the reason of a job is told from; `row` is its record, where that was read already."""
        row = row or self._row(slot)
        if self._sky is None:
            self._sky = self._facts_of_sky()
        code, left_s = row[_REASON], max(0.0, row[_TIME_S] - row[_RAN_S])
        if code in _OF_ROOM:
            return self._facts_of_room(slot, row)
        share = self._share(int(row[_A])) if code == codes.RECLAIMED else ""
        return replace(self._sky, latest_s=row[_DEADLINE_S] - left_s, share=share)

    def _facts_of_sky(self) -> Facts:
        now = self.supply.now if self.supply is not None else None
        return Facts(
            now_s=self.now_s,
            clean_kw=float(self.board.sky.clean_kw[0]) if self.board.g.n_sky[0] else 0.0,
            kept_kw=now.kept_kw if now is not None else 0.0,
            is_salt_empty=now is not None and now.salt_frac is not None and now.salt_frac < SALT_EMPTY_FRAC,
        )

    def _facts_of_room(self, slot: int, row: tuple[Any, ...]) -> Facts:
        classes, is_gang = int(row[_CLASSES]), bool(row[_GANG])
        return Facts(
            asks=Room(int(row[_GPUS]), row[_MCPU] / 1000.0, int(row[_MEM_MIB]) * MIB),
            free=NO_ROOM if is_gang else self._room(classes),
            is_gang=is_gang,
            now_s=self.now_s,
            closed=self._closed(slot) if row[_REASON] != codes.RESERVED else None,
            is_all_down=not self._may(classes).any(),
            promised_s=row[_PROMISED_S],
        )

    def _row(self, slot: int) -> tuple[Any, ...]:
        if self._jobs is None:
            self._jobs = np.asarray(self.board.jobs).view(np.ndarray)
        row: tuple[Any, ...] = self._jobs[slot].item()
        return row

    def _left_s(self, slot: int) -> float:
        jobs = self.board.jobs
        return max(0.0, float(jobs.time_s[slot] - jobs.ran_s[slot]))

    def _share(self, share: int) -> str:
        return self.share_paths[share] if 0 <= share < len(self.share_paths) else ""

    def _may(self, classes: int) -> Array:
        """Which nodes are up and of these classes."""
        if classes not in self._allowed:
            nodes = self.board.nodes
            self._allowed[classes] = (nodes.up == UP) & ((np.int64(classes) >> nodes.klass) & 1).astype(bool)
        return self._allowed[classes]

    def _room(self, classes: int) -> Room:
        """What is free on the roomiest node of these classes: most GPUs, then most CPUs."""
        if classes not in self._roomiest:
            nodes = self.board.nodes
            key = np.where(self._may(classes), nodes.free_gpus * 1e12 + nodes.free_mcpu, -1.0)
            at = int(np.argmax(key))
            free = Room(int(nodes.free_gpus[at]), nodes.free_mcpu[at] / 1000.0, int(nodes.free_mem_mib[at]) * MIB)
            self._roomiest[classes] = free if key[at] >= 0.0 else Room()
        return self._roomiest[classes]

    def _closed(self, slot: int) -> Closed | None:
        """The nodes whose window alone keeps a job from starting now; None where that is not why it waits."""
        nodes, job = self.board.nodes, self.board.jobs[slot]
        if self._has_windows is None:
            self._has_windows = bool((nodes.window_to_s > self.now_s).any())
        if not self._has_windows:
            return None
        soon = (nodes.window_to_s > self.now_s) & (nodes.window_from_s < self.now_s + self._left_s(slot))
        if not soon.any():
            return None
        if job.gang:
            fits = self._may(int(job.classes)) & (nodes.n_jobs == 0)
            full = [
                int(klass) for klass in np.unique(nodes.klass) if (fits & (nodes.klass == klass)).sum() >= job.n_nodes
            ]
            fits &= np.isin(nodes.klass, full)
        else:
            fits = self._may(int(job.classes)) & (nodes.free_gpus >= job.gpus) & (nodes.free_mcpu >= job.mcpu)
            fits &= nodes.free_mem_mib >= job.mem_mib
        mine = self._shares_of(int(job.leaf))
        found = np.flatnonzero(fits & soon & ~np.isin(nodes.window_owner, mine))
        if not len(found):
            return None
        first = int(found[np.argmin(nodes.window_to_s[found])])
        same = found[nodes.window_owner[found] == nodes.window_owner[first]]
        names = tuple(self.node_ids[at] if at < len(self.node_ids) else f"node {at}" for at in same)
        is_reserved = int(nodes.window_owner[first]) != NONE
        return Closed(names, float(nodes.window_from_s[same].min()), float(nodes.window_to_s[same].max()), is_reserved)

    def _shares_of(self, leaf: int) -> list[int]:
        found = []
        while leaf != NONE:
            found.append(leaf)
            leaf = int(self.board.shares.parent[leaf])
        return found
