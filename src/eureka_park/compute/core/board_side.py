"""The board beside the state: which job stands in which slot, and the moves that events make there.

Whatever the board needs comes from events, so that replaying the journal gives a board that decides the same.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from eureka_park.compute.core import board as board_of
from eureka_park.compute.core import event as ev
from eureka_park.compute.core import happen as what
from eureka_park.compute.core.board import INF, NONE, Array, Board, board_from_json, board_to_json, grown, with_runs
from eureka_park.compute.core.board_setup import clear_slot, new_board, with_shares
from eureka_park.compute.core.ends import roll_calendar
from eureka_park.compute.core.job import LATE_S, Job, JobClass, JobState, Tier
from eureka_park.compute.core.machines import Machines, mcpu_of, mem_mib_of
from eureka_park.compute.core.moves import held_back
from eureka_park.compute.core.rooms import set_up
from eureka_park.compute.core.share_paths import ShareTree
from eureka_park.foundation.cap_curve import CAP_CURVE, power_frac, speed_frac
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import DAY_S, HOUR_S

HALF_LIFE_S: Final = 7.0 * DAY_S  # until a policy says otherwise
CAPS: Final = tuple((frac, power_frac(frac, CAP_CURVE), speed_frac(frac, CAP_CURVE)) for frac in (1.0, 0.62, 0.5))
SLOTS: Final = 1024
LEARNED_MAX: Final = 10_000  # names of which is remembered what they draw; those not heard of for longest go first
ROLL_S: Final = 12.0 * HOUR_S  # of park time between two looks at the calendar while a journal is replayed

TIERS: Final = {Tier.FIRM: board_of.FIRM, Tier.FLEX: board_of.FLEX, Tier.GREEN: board_of.GREEN}
CLASSES: Final = {
    JobClass.BATCH: board_of.BATCH,
    JobClass.INTERACTIVE: board_of.INTERACTIVE,
    JobClass.SERVICE: board_of.SERVICE,
}
STATES: Final = {
    JobState.QUEUED: board_of.QUEUED, JobState.STARTING: board_of.STARTING, JobState.RUNNING: board_of.RUNNING,
    JobState.PAUSING: board_of.PAUSING, JobState.PAUSED: board_of.PAUSED, JobState.FROZEN: board_of.FROZEN,
}  # fmt: skip
SKIES: Final = {"green": board_of.SKY_GREEN, "binding": board_of.SKY_BINDING, "observed": board_of.SKY_OBSERVED}
UP: Final = "up"
_NODE_STATES: Final = {UP: board_of.UP, ev.DRAINED: board_of.DRAINED, ev.DOWN: board_of.DOWN}

_CARRIED: Final = (
    "ran_s", "since_s", "began_s", "last_pause_s", "n_pauses", "power_frac", "declared_kw", "ending", "promised_s",
    "refused_room_s", "broken_s", "broken_why", "reason", "reason_a", "reason_b", "reason_until_s", "told", "told_s",
    "told_until_s",
)  # fmt: skip
_COUNTERS: Final = ("growth_epoch_s", "reclaimed_s", "turn", "turn_s", "n_broken", "n_promised", "sky", "n_caps")


class Learned(NamedTuple):
    """What jobs of one name draw: a part of their nameplate's dynamic power, and of how many that was seen."""

    frac: float
    n_jobs: int


class BoardSide:
    """A board with the names of what stands on it; without nodes there is none (`board` is None)."""

    def __init__(self) -> None:
        self.board: Board | None = None
        self.machines = Machines()
        self.tree = ShareTree()
        self.slots: dict[JobId, int] = {}
        self.jobs_at: dict[int, JobId] = {}
        self.policy: ev.PolicyUsed | None = None
        self.learned: dict[tuple[str, str], Learned] = {}
        self.has_floors = False
        self.windows_until_s = INF  # when another window comes to hold somewhere
        self._columns: dict[str, Array] = {}  # fields of job slots: plain arrays are many times quicker to reach
        self._sums: dict[str, Array] = {}
        self._rolled_s = -INF

    # -- the board itself ------------------------------------------------------------------------------------------
    def _take(self, board: Board) -> None:
        """Work on this board from now on."""
        self.board = board
        self._columns = {name: np.asarray(board.jobs[name]) for name in board.jobs.dtype.names}
        self._sums = {name: np.asarray(board.g[name]) for name in ("free_head", "next_order")}

    def _the(self) -> Board:
        assert self.board is not None, "no nodes have been declared"
        return self.board

    def copied(self) -> BoardSide:
        """The same with arrays of its own, for a look at what would happen."""
        other = copy.copy(self)
        other.tree = copy.deepcopy(self.tree)
        other.slots, other.jobs_at, other.learned = dict(self.slots), dict(self.jobs_at), dict(self.learned)
        if self.board is not None:
            other._take(Board(*(array.copy() for array in self.board)))
        return other

    def roll(self, at_s: float) -> None:
        """Let time pass on the calendar of ends; a journal may tell of months."""
        if self.board is not None and at_s >= self._rolled_s + ROLL_S:
            self._rolled_s = at_s
            roll_calendar(self.board, at_s)

    def _share_rows(self) -> list[tuple[int, float, float]]:
        return [(row.parent, row.weight, row.floor_frac) for row in self.tree.rows]

    def _grow_tree(self) -> None:
        board = self._the()
        if len(self.tree.rows) > board.shares.shape[0]:
            self._take(with_shares(board, self._share_rows()))

    def rebuild(
        self, jobs: Iterable[Job], on_node: Iterable[Job], held: Mapping[JobId, Job], now_s: float, used: Array | None
    ) -> None:
        """Lay out the board anew for the machines and shares as they are now, and put every job back onto it.

        `on_node`: in order of their starts, each with nodes that are there; `used`: what each share has used, None to
        keep it.
        """
        old, old_columns, old_slots = self.board, self._columns, self.slots
        half_life_s = self.policy.half_life_s if self.policy else HALF_LIFE_S
        n_slots = SLOTS if old is None else old.jobs.shape[0]
        board = new_board(self.machines.classes, self._share_rows(), n_slots, half_life_s)
        self._take(with_runs(board, n_slots + 1))
        self._place_nodes()
        self._set_caps()
        if old is not None:
            for name in _COUNTERS:
                board.g[name] = old.g[name]
        self._rolled_s = -INF
        self.roll(now_s)
        self.slots, self.jobs_at = {}, {}
        runs_on = {job.job_id for job in on_node}
        for job in jobs:
            carried = {}
            if job.job_id in old_slots:
                at = old_slots[job.job_id]
                carried = {name: old_columns[name][at] for name in (*_CARRIED, "where", "wake_key", "target_s")}
            self._put_back(job, carried, job.job_id not in runs_on, job.job_id in held)
        for job in on_node:
            self._put_on_node(job, now_s)
        if used is None and old is not None:
            used = old.used
        if used is not None:
            self._the().used[: used.shape[0]] = used

    def _place_nodes(self) -> None:
        board, nodes = self._the(), self.machines.nodes
        board.nodes["rack"] = [node.rack for node in nodes]
        board.nodes["pod"] = [node.pod for node in nodes]
        board.classes["layout"] = 0
        board.g.n_racks[0] = 1 + int(board.nodes.rack.max())
        board.g.n_pods[0] = 1 + int(board.nodes.pod.max())

    def _put_back(self, job: Job, carried: Mapping[str, Any], is_waiting: bool, is_held: bool) -> None:
        slot = self._declared(job)
        for name in _CARRIED:
            if name in carried:
                self._columns[name][slot] = carried[name]
        if not is_waiting:
            return
        self._happen(slot, what.PUT_BACK_WAITING, 0.0, n=is_held, step=STATES[job.state])
        if carried and carried["where"] == board_of.DEFERRED:
            self._happen(slot, what.DEFERRED, 0.0, a=carried["wake_key"], b=carried["target_s"])

    def _put_on_node(self, job: Job, now_s: float) -> None:
        board, slot = self._the(), self.slots[job.job_id]
        places = [self.machines.index[name] for name in job.nodes or (job.node,)]
        mask = self._free_mask(places[0], job) if not job.nodes else 0
        board.pick[: len(places)] = places
        step = self.step_of(job.cap_frac)
        self._happen(slot, what.PUT_BACK, now_s, n=len(places), mask=mask, step=step, a=STATES[job.state])

    def _free_mask(self, node: int, job: Job) -> int:
        """The job's GPUs that are there still and free; what it lacks it does without until it waits again."""
        free = int(self._the().nodes.free_mask[node])
        mask = sum(1 << index for index in job.gpu_indices) & free
        self._columns["gpus"][self.slots[job.job_id]] = mask.bit_count()
        return mask

    # -- policy ----------------------------------------------------------------------------------------------------
    @property
    def caps(self) -> tuple[tuple[float, float, float], ...]:
        """Cap, power and speed by step, the first without a cap."""
        return self.policy.caps if self.policy else CAPS

    def step_of(self, cap_frac: float) -> int:
        """The step that caps to so much; of a cap that the policy does not know the next deeper one."""
        fracs = [row[0] for row in self.caps[: board_of.CAP_STEPS_MAX]]
        if cap_frac in fracs:
            return fracs.index(cap_frac)
        return next((at for at, frac in enumerate(fracs) if frac < cap_frac), len(fracs) - 1)

    def _set_caps(self) -> None:
        board = self._the()
        rows = self.caps[: board_of.CAP_STEPS_MAX]
        board.g.n_caps[0] = len(rows)
        for at, (cap, power, speed) in enumerate(rows):
            board.caps.cap_frac[at], board.caps.power_frac[at], board.caps.speed_frac[at] = cap, power, speed
        if self.policy is not None:
            board.g.sky[0] = SKIES[self.policy.sky]

    def use_policy(self, event: ev.PolicyUsed, on_node: Iterable[Job]) -> None:
        """Caps, the sky's hold and the half-life change for all that runs."""
        half_life_s = self.policy.half_life_s if self.policy else HALF_LIFE_S
        self.policy = event
        if self.board is None:
            return
        self._set_caps()
        for job in on_node:
            self._happen(self.slots[job.job_id], what.REPOWERED, event.at_s, step=self.step_of(job.cap_frac))
        if event.half_life_s != half_life_s:
            self._set_half_life(half_life_s, event.half_life_s, event.at_s)

    def _set_half_life(self, was_s: float, half_life_s: float, now_s: float) -> None:
        """What has been used is worth what it is now, and falls by the new half-life from now on."""
        board = self._the()
        if board.g.growth_epoch_s[0] >= 0.0:
            hours = max(0.0, (now_s - float(board.g.growth_epoch_s[0])) // HOUR_S)
            board.used[:] /= 2.0 ** (hours * HOUR_S / was_s)
            board.g.growth_epoch_s[0] = now_s // HOUR_S * HOUR_S
        n_hours = int(np.ceil(64.0 * half_life_s / HOUR_S)) + 1
        board.g.half_life_s[0] = half_life_s
        self._take(board._replace(growth=2.0 ** (np.arange(n_hours) * (HOUR_S / half_life_s))))

    # -- jobs ------------------------------------------------------------------------------------------------------
    def _declared(self, job: Job) -> int:
        """A slot with what the job declares."""
        leaf = self.tree.leaf(job.spec.project, job.spec.person)
        self._grow_tree()
        if self._sums["free_head"][0] == NONE:
            n_slots = 2 * self._the().jobs.shape[0]
            self._take(with_runs(grown(self._the(), n_slots), n_slots + 1))
        slot = int(self._sums["free_head"][0])
        self._sums["free_head"][0] = self._columns["next"][slot]
        clear_slot(self._the(), slot)
        self.slots[job.job_id], self.jobs_at[slot] = slot, job.job_id
        spec, columns = job.spec, self._columns
        written = {
            "order": job.order, "leaf": leaf, "n_nodes": spec.n_nodes, "n_nodes_min": spec.n_nodes_min,
            "gpus": spec.n_gpus, "mcpu": mcpu_of(spec.n_cpus), "mem_mib": mem_mib_of(spec.memory_bytes),
            "tier": TIERS[spec.tier], "job_class": CLASSES[spec.job_class], "checkpoint": spec.checkpoint,
            "priority": spec.priority, "time_s": spec.time_s, "submitted_s": job.submitted_s,
            "deadline_s": INF if job.deadline_s is None else job.deadline_s, "is_first": job.is_first,
            "classes": self.machines.classes_for(spec), "gang": spec.n_nodes > 1,
            "power_frac": self._learned_frac(job), "declared_kw": spec.declared_kw or 0.0,
        }  # fmt: skip
        for name, value in written.items():
            columns[name][slot] = value
        self._sums["next_order"][0] = job.order + 1
        return slot

    def _learned_frac(self, job: Job) -> float:
        """What is predicted of a job that enters the queue, unless it declares a power."""
        known = self.learned.get((job.spec.project, job.spec.name))
        if job.spec.declared_kw:
            job.power_from = "declared"
        elif known is not None:
            job.power_from, job.n_learned_from = "learned", known.n_jobs
        return 1.0 if known is None else known.frac

    def submit(self, job: Job, *, is_held: bool) -> None:
        """A job enters its line, or is held back for others."""
        slot = self._declared(job)
        self._happen(slot, what.SUBMITTED, job.submitted_s, n=is_held)

    def release(self, job: Job, now_s: float) -> None:
        """What a job was held back for has ended well; what has been learned by now is predicted of it."""
        slot, frac = self.slots[job.job_id], self._learned_frac(job)
        if not job.spec.declared_kw:
            self._happen(slot, what.POWER_LEARNED, now_s, a=frac)
        self._happen(slot, what.RELEASED, 0.0)

    def set_done(self, job_id: JobId, done_s: float) -> None:
        """Work that a waiting job has done before, in seconds at full speed."""
        self._columns["ran_s"][self.slots[job_id]] = done_s

    def mirror(self, job: Job) -> None:
        """Copy what the board has worked out about a job."""
        slot = self.slots.get(job.job_id)
        if slot is None:
            return
        columns = self._columns
        job.dynamic_kw = float(columns["dynamic_kw"][slot])
        job.rated_kw = float(columns["idle_kw"][slot]) + job.dynamic_kw
        job.now_kw = float(columns["drawn_kw"][slot])
        job.done_s, job.mark_s = float(columns["ran_s"][slot]), float(columns["since_s"][slot])
        job.speed = float(columns["speed"][slot])

    # -- moves -----------------------------------------------------------------------------------------------------
    def _happen(
        self, slot: int, code: int, at_s: float, *, n: int = 0, mask: int = 0, step: int = 0, a: float = 0.0,
        b: float = 0.0,
    ) -> None:  # fmt: skip
        what.happen(self._the(), slot, code, int(n), mask, step, float(a), float(b), float(at_s))

    def move(self, event: Any) -> None:
        """Let an event of one job happen on the board too."""
        _MOVES[type(event)](self, self.slots[event.job_id], event)

    def _starting(self, slot: int, event: ev.JobStarting) -> None:
        board = self._the()
        places = [self.machines.index[name] for name in event.nodes or (event.node,)]
        mask = sum(1 << index for index in event.gpu_indices) if not event.nodes else 0
        if mask & ~int(board.nodes.free_mask[places[0]]):
            raise ValueError(f"a GPU of {event.node} is held already, {event.job_id} cannot have it")
        board.pick[: len(places)] = places
        late_s = event.at_s - float(self._columns["promised_s"][slot])
        if late_s > LATE_S:
            board.g.n_broken[0] += 1
            self._columns["broken_s"][slot] = late_s
        step = self.step_of(event.cap_frac)
        self._happen(slot, what.START, event.at_s, n=len(places), mask=mask, step=step)
        self._columns["promised_s"][slot] = self._columns["refused_room_s"][slot] = INF

    def _started(self, slot: int, event: ev.JobStarted) -> None:
        self._happen(slot, what.STARTED, event.at_s)

    def _capped(self, slot: int, event: ev.JobCapped) -> None:
        self._happen(slot, what.CAPPED, event.at_s, step=self.step_of(event.cap_frac))

    def _pausing(self, slot: int, event: ev.JobPausing) -> None:
        self._happen(slot, what.PAUSING_ASKED, event.at_s)
        if event.why == "reclaim":
            self._the().g.reclaimed_s[0] = event.at_s

    def _frozen(self, slot: int, event: ev.JobFrozen) -> None:
        self._happen(slot, what.FROZEN, event.at_s)

    def _thawed(self, slot: int, event: ev.JobThawed) -> None:
        self._happen(slot, what.THAWED, event.at_s)

    def _ending(self, slot: int, event: ev.JobEnding) -> None:
        self._happen(slot, what.ENDING, event.at_s)

    def _ended(self, slot: int, event: ev.JobEnded) -> None:
        self._happen(slot, what.ENDED, event.at_s)
        del self.slots[event.job_id], self.jobs_at[slot]

    def _deferred(self, slot: int, event: ev.JobDeferred) -> None:
        self._happen(slot, what.DEFERRED, event.at_s, a=event.until_s, b=event.target_s)

    def _held(self, slot: int, event: ev.JobHeld) -> None:
        held_back(self._the(), slot)
        self._columns["promised_s"][slot] = self._columns["refused_room_s"][slot] = INF

    def _resized(self, slot: int, event: ev.JobResized) -> None:
        n_more = event.n_nodes - int(self._columns["n_held"][slot])
        if n_more > 0:
            self._the().pick[:n_more] = [self.machines.index[name] for name in event.nodes[-n_more:]]
            self._happen(slot, what.WIDENED, event.at_s, n=n_more)
        else:
            self._happen(slot, what.RESIZED, event.at_s, n=event.n_nodes)

    def _metered(self, slot: int, event: ev.JobMetered) -> None:
        self._happen(slot, what.POWER_LEARNED, event.at_s, a=event.frac)

    def _promised(self, slot: int, event: ev.JobPromised) -> None:
        self._the().g.n_promised[0] += 1
        self._columns["promised_s"][slot] = event.start_s

    def _blocked(self, slot: int, event: ev.JobBlocked) -> None:
        self._columns["refused_room_s"][slot] = event.since_s

    def may_claim(self, job: Job) -> bool:
        """Whether a floor is guaranteed to a share that the job counts for."""
        rows, at = self.tree.rows, self.tree.leaf(job.spec.project, job.spec.person)
        while at > 0:
            if rows[at].floor_frac > 0.0:
                return True
            at = rows[at].parent
        return False

    def learn(self, event: ev.PowerLearned) -> None:
        """What jobs of one name draw, for those that enter the queue from now on."""
        key = event.project, event.name
        self.learned.pop(key, None)
        self.learned[key] = Learned(event.frac, event.n_jobs)
        if len(self.learned) > LEARNED_MAX:
            del self.learned[next(iter(self.learned))]

    def predicted_frac(self, job_id: JobId) -> float:
        """The part of its rated dynamic power that is predicted of a job; of a declared one as that comes to."""
        columns, slot = self._columns, self.slots[job_id]
        if columns["declared_kw"][slot] <= 0.0:
            return float(columns["power_frac"][slot])
        full_kw = float(columns["full_kw"][slot])
        return float(columns["dynamic_kw"][slot]) / full_kw if full_kw > 0.0 else 1.0

    def rating(self, job_id: JobId) -> tuple[float, float]:
        """Of a job on nodes: dynamic kW at nameplate, and the part of it that its cap leaves."""
        columns, slot = self._columns, self.slots[job_id]
        cap_frac, power_part, _ = self.caps[int(columns["cap_step"][slot])]
        return float(columns["full_kw"][slot]), power_part if columns["gpus"][slot] > 0 else cap_frac

    # -- nodes and shares --------------------------------------------------------------------------------------------
    def set_node(self, node_id: str, state: str) -> None:
        """A node is up, drained or down."""
        index = self.machines.index.get(node_id)
        if index is not None and self.board is not None:
            set_up(self.board, index, _NODE_STATES[state])

    def show_windows(self, windows: Iterable[ev.WindowSet], now_s: float) -> None:
        """Write the window that each node meets next; windows of one owner that touch are one."""
        if self.board is None:
            return
        by_node: dict[int, tuple[float, float, str]] = {}
        for window in sorted(windows, key=lambda item: (item.from_s, item.window_id)):
            if window.project and window.to_s > now_s:
                self.tree.project_row(window.project)  # known from its event on, so that a replay gives the same rows
            for node in (self.machines.index.get(name, NONE) for name in window.node_ids):
                if node == NONE or window.to_s <= now_s:
                    continue
                first = by_node.setdefault(node, (window.from_s, window.to_s, window.project))
                if window.from_s <= first[1] and window.project == first[2]:
                    by_node[node] = (first[0], max(first[1], window.to_s), first[2])
        owners = {name: self.tree.project_row(name) if name else NONE for _, _, name in by_node.values()}
        self._grow_tree()
        nodes = self._the().nodes
        nodes["window_from_s"], nodes["window_to_s"], nodes["window_owner"] = INF, -INF, NONE
        for node, (from_s, to_s, project) in by_node.items():
            nodes.window_from_s[node], nodes.window_to_s[node], nodes.window_owner[node] = from_s, to_s, owners[project]
        self.windows_until_s = min((to_s for _, to_s, _ in by_node.values()), default=INF)

    def declare_shares(self, shares: Sequence[tuple[str, float, float]]) -> Array | None:
        """Take another share tree; what each row of it has used if rows have moved, for `rebuild`, else None."""
        tree, moved = self.tree.redeclared(shares)
        were, self.tree = self.tree.rows, tree
        self.has_floors = any(row.floor_frac > 0.0 for row in tree.rows[1:])
        if self.board is None:
            return None
        if [(row.path, row.parent) for row in were] == [(row.path, row.parent) for row in tree.rows[: len(were)]]:
            self._take(with_shares(self.board, self._share_rows()))
            return None
        used = np.zeros((len(tree.rows), self.board.used.shape[1]))
        for before, after in moved.items():
            used[after] = self.board.used[before]
        for at in range(len(tree.rows) - 1, 0, -1):
            used[tree.rows[at].parent] += used[at]
        return used

    # -- snapshot --------------------------------------------------------------------------------------------------
    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; nodes and jobs are kept by the state."""
        policy = self.policy
        return {
            "board": None if self.board is None else board_to_json(self.board),
            "slots": dict(self.slots),
            "tree": self.tree.to_json(),
            "gpu_types": list(self.machines.gpu_types),
            "policy": None if policy is None else ev.event_to_json(policy)[1],
            "learned": [[*names, *known] for names, known in self.learned.items()],
            "rolled_s": self._rolled_s if self._rolled_s > -INF else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], nodes: Iterable[ev.Node]) -> BoardSide:
        """Read what `to_json` wrote. Raises ValueError for a board of another layout."""
        side = cls()
        if value["board"] is not None:
            side._take(board_from_json(value["board"]))
        side.slots = dict(value["slots"])
        side.jobs_at = {slot: job_id for job_id, slot in side.slots.items()}
        side.tree = ShareTree.from_json(value["tree"])
        side.has_floors = any(row.floor_frac > 0.0 for row in side.tree.rows[1:])
        side.machines = Machines.of(nodes, value["gpu_types"])
        if value["policy"] is not None:
            policy = ev.event_from_json("PolicyUsed", value["policy"])
            assert isinstance(policy, ev.PolicyUsed)
            side.policy = policy
        side.learned = {(project, name): Learned(frac, n_jobs) for project, name, frac, n_jobs in value["learned"]}
        side._rolled_s = -INF if value["rolled_s"] is None else value["rolled_s"]
        return side


_MOVES: Final[dict[type[Any], Callable[[BoardSide, int, Any], None]]] = {
    ev.JobStarting: BoardSide._starting,
    ev.JobStarted: BoardSide._started,
    ev.JobCapped: BoardSide._capped,
    ev.JobPausing: BoardSide._pausing,
    ev.JobPaused: lambda side, slot, event: side._happen(slot, what.PAUSED, event.at_s),
    ev.JobRequeued: lambda side, slot, event: side._happen(slot, what.REQUEUED, event.at_s),
    ev.JobFrozen: BoardSide._frozen,
    ev.JobThawed: BoardSide._thawed,
    ev.JobEnding: BoardSide._ending,
    ev.JobEnded: BoardSide._ended,
    ev.JobDeferred: BoardSide._deferred,
    ev.JobHeld: BoardSide._held,
    ev.JobReleased: lambda side, slot, event: side._happen(slot, what.RELEASED, event.at_s),
    ev.JobBlocked: BoardSide._blocked,
    ev.JobPromised: BoardSide._promised,
    ev.JobResized: BoardSide._resized,
    ev.JobMetered: BoardSide._metered,
    ev.JobRegrouped: lambda _side, _slot, _event: None,  # its nodes, its power and its speed stay what they are
}
