"""Whether a job would start now, told by the very rules that start jobs, over a picture of the park made from rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobSpec, JobState, Reason
from eureka_park.compute.core.placement import job_kw
from eureka_park.compute.core.state import ParkState
from eureka_park.control.admission import Admission
from eureka_park.control.feasible import holds
from eureka_park.control.policy import Policy
from eureka_park.control.quote import Load
from eureka_park.control.supply import Supply
from eureka_park.foundation.ids import JobId

_CANDIDATE: Final = JobId("job-quoted")


class Picture:
    """The park as far as rows of jobs tell it: who is on the nodes, and who stands before the asker."""

    def __init__(self, nodes: tuple[ev.Node, ...], running: Sequence[Mapping[str, Any]], now_s: float) -> None:
        self._state, self._now_s = ParkState(), now_s
        self._state.apply(ev.NodesDeclared(now_s, nodes))
        for row in running:
            self._place(row)

    def _place(self, row: Mapping[str, Any]) -> None:
        """Put a running job onto its node; one whose node has gone or is full by other rows is left out."""
        state, job_id, spec = self._state, JobId(row["job_id"]), _alone(JobSpec.from_json(row["spec"]))
        room = state.rooms.by_node.get(row["node"])
        if room is None or not room.fits(spec):
            return
        state.known_projects.add(spec.project)
        state.apply(ev.JobSubmitted(job_id, row["submitted_s"], spec, row["deadline_s"]))
        gpus = tuple(room.free_gpus[: spec.n_gpus])
        state.apply(ev.JobStarting(job_id, self._now_s, max(1, row["attempt"]), row["node"], gpus, row["cap_frac"]))
        if row["state"] != "starting":
            since_s = row["started_s"] if row["started_s"] is not None and row["ran_s"] == 0 else self._now_s
            state.apply(ev.JobStarted(job_id, min(self._now_s, since_s)))
        state.jobs[job_id].ran_s = row["ran_s"]
        if row["state"] == "frozen":
            state.apply(ev.JobFrozen(job_id, self._now_s))

    def loads(self) -> Iterator[Load]:
        """What runs, until its declared end."""
        for job in self._state.on_node.values():
            yield Load(str(job.spec.tier), job.drawn_kw(), self._now_s + job.left_s(self._now_s))

    def idle_kw(self, spec: JobSpec) -> float:
        """Idle power that no job would carry with this one on a node; IT kW."""
        full_kw, dynamic_kw = self.rated_kw(spec)
        carried = sum(job.rated_kw - job.dynamic_kw for job in self._state.on_node.values()) + full_kw - dynamic_kw
        return max(0.0, sum(node.idle_kw for node in self._state.nodes.values()) - carried)

    def rated_kw(self, spec: JobSpec) -> tuple[float, float]:
        """IT power of a job with its share of idle, and the part above idle, on the node that it would get."""
        rooms = self._state.rooms
        room = rooms.find(spec) or next(
            (room for room in rooms.by_node.values() if holds(room.node, spec)), next(iter(rooms.by_node.values()))
        )
        return job_kw(spec, room.node)

    def refusal(
        self,
        spec: JobSpec,
        deadline_s: float | None,
        ahead: Sequence[Mapping[str, Any]],
        supply: Supply,
        policy: Policy,
        *,
        is_first: bool,
    ) -> Reason | None:
        """Why the job would not start now behind those `ahead` of it in its line; None when it would."""
        state = self._state
        if is_first:
            state.known_projects.discard(spec.project)
        else:
            state.known_projects.add(spec.project)
        for row in ahead:
            waiting = _alone(JobSpec.from_json(row["spec"]))
            state.apply(ev.JobSubmitted(JobId(row["job_id"]), row["submitted_s"], waiting, row["deadline_s"]))
        state.apply(ev.JobSubmitted(_CANDIDATE, self._now_s, _alone(spec), deadline_s))
        reasons: dict[JobId, Reason] = {}
        for _ in Admission(state, supply, policy, self._now_s, reasons).run():
            pass
        refused = state.jobs[_CANDIDATE].state is JobState.QUEUED
        for name in (*(JobId(row["job_id"]) for row in ahead), _CANDIDATE):
            state.apply(ev.JobEnded(name, self._now_s, JobState.CANCELLED))
        state.just_ended.clear()
        return (reasons.get(_CANDIDATE) or _behind(spec, len(ahead))) if refused else None


def _alone(spec: JobSpec) -> JobSpec:
    """The declaration of one task, that waits for nobody."""
    return replace(spec, is_array=False, n_tasks=1, after=())


def _behind(spec: JobSpec, n_ahead: int) -> Reason:
    return Reason("behind", f"{n_ahead} {spec.tier} jobs of its project stand before it.", {"n_ahead": n_ahead})
