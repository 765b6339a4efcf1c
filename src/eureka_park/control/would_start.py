"""Whether a job would start now, told by the very rules that start jobs, over a picture of the park made from rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.board import NONE, Board
from eureka_park.compute.core.job import JobSpec, Reason
from eureka_park.compute.core.machines import mcpu_of, mem_mib_of
from eureka_park.compute.core.placement import job_kw
from eureka_park.compute.core.state import ParkState
from eureka_park.control.policy import Policy
from eureka_park.control.quote import Load
from eureka_park.control.reasons import Teller
from eureka_park.control.supply import Supply
from eureka_park.control.tick import policy_used, set_up
from eureka_park.control.turn import turn
from eureka_park.foundation.ids import JobId

_CANDIDATE: Final = JobId("job-quoted")
_LINES_KEPT: Final = 24  # each with a board of its own


@dataclass(frozen=True, slots=True)
class _Line:
    """The park with a line of jobs in it. `ahead` is kept so that no other rows take its place in memory."""

    state: ParkState
    ahead: Sequence[Mapping[str, Any]]
    supply: Supply


class Picture:
    """The park as far as rows of jobs tell it: who is on the nodes, and who stands before the asker. It is laid out for
    an instant and serves later ones too: what runs goes on in it. Under a `lock` several threads may ask at once.
    """

    def __init__(
        self,
        nodes: tuple[ev.Node, ...],
        running: Sequence[Mapping[str, Any]],
        policy: Policy,
        now_s: float,
        lock: AbstractContextManager[Any] | None = None,
    ) -> None:
        self._state, self._policy, self._now_s = ParkState(), policy, now_s
        self._loads: tuple[Load, ...] | None = None
        self._lock, self._lines = lock or nullcontext(), dict[tuple[str, bool, int], _Line]()
        self._state.apply(policy_used(policy, now_s))
        self._state.apply(ev.NodesDeclared(now_s, nodes))
        for row in running:
            self._place(row)

    def _place(self, row: Mapping[str, Any]) -> None:
        """Put a running job onto its node; one whose node has gone or is full by other rows is left out."""
        state, job_id, spec = self._state, JobId(row["job_id"]), _predicted(row)
        node = state.side.machines.index.get(row["node"], NONE)
        if node == NONE or not self._free(spec)[node]:
            return
        nodes = self._gang(spec, node) if spec.n_nodes > 1 else ()
        if spec.n_nodes > 1 and not nodes:
            return
        state.known_projects.add(spec.project)
        state.apply(ev.JobSubmitted(job_id, row["submitted_s"], spec, row["deadline_s"]))
        state.side.set_done(job_id, row["ran_s"])
        gpus = self._lowest_gpus(node, spec.n_gpus) if not nodes else ()
        cap_frac = row["cap_frac"]
        state.apply(ev.JobStarting(job_id, self._now_s, max(1, row["attempt"]), row["node"], gpus, cap_frac, nodes))
        if row["state"] != "starting":
            since_s = row["started_s"] if row["started_s"] is not None and row["ran_s"] == 0 else self._now_s
            state.apply(ev.JobStarted(job_id, min(self._now_s, since_s)))
        if row["state"] == "frozen":
            state.apply(ev.JobFrozen(job_id, self._now_s))

    def _free(self, spec: JobSpec) -> Any:
        """Which nodes have room for a part of the job now; a gang asks for empty ones."""
        board = self._state.board
        assert board is not None
        nodes = board.nodes
        fits = ((np.int64(self._state.side.machines.classes_for(spec)) >> nodes.klass) & 1).astype(bool)
        if spec.n_nodes > 1:
            return fits & (nodes.n_jobs == 0)
        fits &= (nodes.free_gpus >= spec.n_gpus) & (nodes.free_mcpu >= mcpu_of(spec.n_cpus))
        return fits & (nodes.free_mem_mib >= mem_mib_of(spec.memory_bytes))

    def _gang(self, spec: JobSpec, node: int) -> tuple[str, ...]:
        """The node and empty ones of its class: rows name a gang's first node alone."""
        board, names = self._state.board, self._state.node_ids
        assert board is not None
        same = np.flatnonzero(self._free(spec) & (board.nodes.klass == board.nodes.klass[node]))
        others = [int(other) for other in same if other != node][: spec.n_nodes - 1]
        return tuple(names[at] for at in (node, *others)) if len(others) == spec.n_nodes - 1 else ()

    def _lowest_gpus(self, node: int, n_gpus: int) -> tuple[int, ...]:
        board = self._state.board
        assert board is not None
        mask = int(board.nodes.free_mask[node])
        return tuple(index for index in range(mask.bit_length()) if mask >> index & 1)[:n_gpus]

    def loads(self) -> tuple[Load, ...]:
        """What runs, until its declared end."""
        with self._lock:
            if self._loads is None:
                self._loads = tuple(
                    Load(str(job.spec.tier), job.drawn_kw(), self._now_s + job.left_s(self._now_s))
                    for job in self._state.on_node.values()
                )
            return self._loads

    def idle_kw(self, spec: JobSpec) -> float:
        """Idle power that no job would carry with this one on a node; IT kW."""
        full_kw, dynamic_kw = self.rated_kw(spec)
        carried = sum(job.rated_kw - job.dynamic_kw for job in self._state.on_node.values()) + full_kw - dynamic_kw
        return max(0.0, self._state.nodes_idle_kw - carried)

    def rated_kw(self, spec: JobSpec) -> tuple[float, float]:
        """IT power of a job with its share of idle, and the part above idle, on the node that it would get."""
        machines, board = self._state.side.machines, self._state.board
        assert board is not None
        free = np.flatnonzero(self._free(spec))
        if len(free):
            return job_kw(spec, machines.nodes[int(free[np.argmin(board.nodes.free_gpus[free])])])
        mask = machines.classes_for(spec)
        klass = (mask & -mask).bit_length() - 1 if mask else 0
        return job_kw(spec, machines.nodes[int(board.classes.first[klass])])

    def refusal(
        self,
        spec: JobSpec,
        deadline_s: float | None,
        ahead: Sequence[Mapping[str, Any]],
        supply: Supply,
        now_s: float,
        *,
        is_first: bool,
    ) -> Reason | None:
        """Why the job would not start now behind those `ahead` of it in its line; None when it would. `is_first`: its
        project never had a job.
        """
        state, board, slot = self._asked(spec, deadline_s, ahead, supply, now_s, is_first=is_first)
        turn(board, now_s)
        if board.jobs.node[slot] != NONE:
            return None
        reason = Teller(board, state.node_ids, state.share_paths, supply, now_s).reason(slot)
        return reason or _behind(spec, len(ahead))

    def laid(
        self,
        spec: JobSpec,
        deadline_s: float | None,
        ahead: Sequence[Mapping[str, Any]],
        supply: Supply,
        now_s: float,
        *,
        is_first: bool,
    ) -> tuple[Board, int]:
        """A board of its own with all this and the job on it, before anything is decided, and the job's slot."""
        return self._asked(spec, deadline_s, ahead, supply, now_s, is_first=is_first)[1:]

    def _asked(
        self,
        spec: JobSpec,
        deadline_s: float | None,
        ahead: Sequence[Mapping[str, Any]],
        supply: Supply,
        now_s: float,
        *,
        is_first: bool,
    ) -> tuple[ParkState, Board, int]:
        state = self._line(spec, ahead, supply, now_s, is_first=is_first)
        state.apply(ev.JobSubmitted(_CANDIDATE, now_s, _alone(spec), deadline_s))
        set_up(state, supply, self._policy, now_s)
        assert state.board is not None
        return state, state.board, state.slot_of[_CANDIDATE]

    def _line(
        self, spec: JobSpec, ahead: Sequence[Mapping[str, Any]], supply: Supply, now_s: float, *, is_first: bool
    ) -> ParkState:
        """The park with those ahead of a job in its line, the policy and the plan: a copy to try the job on."""
        key = (spec.project, is_first, id(ahead))
        with self._lock:
            line = self._lines.get(key)
            if line is None or line.supply is not supply:
                if len(self._lines) >= _LINES_KEPT:
                    self._lines.clear()
                line = self._lines[key] = self._new_line(spec, ahead, supply, now_s, is_first)
            state = line.state.copied()
            board = state.board
            assert board is not None and line.state.on_board is not None
            state.on_board = (board.g, *line.state.on_board[1:])  # what is on the board was copied with it
        return state

    def _new_line(
        self, spec: JobSpec, ahead: Sequence[Mapping[str, Any]], supply: Supply, now_s: float, is_first: bool
    ) -> _Line:
        state = self._state.copied()
        if is_first:
            state.known_projects.discard(spec.project)
        else:
            state.known_projects.add(spec.project)
        for row in ahead:
            waiting = _predicted(row)
            state.apply(ev.JobSubmitted(JobId(row["job_id"]), row["submitted_s"], waiting, row["deadline_s"]))
        set_up(state, supply, self._policy, now_s)
        return _Line(state, ahead, supply)


class Pictures:
    """The newest picture of one park: laid out anew when other rows are shown, not for every question."""

    def __init__(
        self, nodes: tuple[ev.Node, ...], policy: Policy, lock: AbstractContextManager[Any] | None = None
    ) -> None:
        self._nodes, self._policy, self._lock = nodes, policy, lock or nullcontext()
        self._running: Sequence[Mapping[str, Any]] | None = None
        self._picture: Picture | None = None

    def of(self, running: Sequence[Mapping[str, Any]], now_s: float) -> Picture:
        """The picture of these rows; the same object of rows has the same picture."""
        with self._lock:
            if self._picture is None or running is not self._running:
                self._picture = Picture(self._nodes, running, self._policy, now_s, self._lock)
                self._running = running
            return self._picture


def _predicted(row: Mapping[str, Any]) -> JobSpec:
    """The declaration of a row's job, with the power that is predicted of it."""
    spec, power = _alone(JobSpec.from_json(row["spec"])), row.get("power")
    return replace(spec, declared_kw=power["predicted_kw"]) if power else spec


def _alone(spec: JobSpec) -> JobSpec:
    """The declaration of one task, that waits for nobody."""
    return replace(spec, is_array=False, n_tasks=1, after=())


def _behind(spec: JobSpec, n_ahead: int) -> Reason:
    return Reason("behind", f"{n_ahead} {spec.tier} jobs of its project stand before it.", {"n_ahead": n_ahead})
