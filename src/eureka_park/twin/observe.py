"""A Slurm cluster looked at: receipts and reasons of its last days, from one reading of its record in bounded memory.

What is kept: sums by hour and name, histograms of waits, what was held at each sample on each machine, and at most
KEPT_MAX jobs that waited long enough to ask why (of more, an even part by the hash of their ids, and that is told).
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.units import DAY_S, HOUR_S, iso_from_s
from eureka_park.twin.core.sacct import AGAIN_STATES, RUNNING_STATES, WAITING_STATES, SlurmJob
from eureka_park.twin.core.slurm_nodes import SlurmNode, hosts_of
from eureka_park.twin.core.slurm_power import ByHour, PowerModel
from eureka_park.twin.core.slurm_use import Use, step_of
from eureka_park.twin.core.slurm_waits import (
    REASONS,
    TURN,
    TURN_S,
    Machines,
    Wait,
    spans_of,
    told,
)
from eureka_park.twin.core.wait_hist import WaitHist
from eureka_park.twin.slurm_files import Counts, SlurmSource, last_instant_s, read_jobs

Floats = npt.NDArray[np.float64]
DAYS_MAX: Final = 400.0
KEPT_MAX: Final = 200_000
NAMES_MAX: Final = 2_000  # accounts and partitions that are told apart
OTHERS: Final = "(others)"
N_LONGEST: Final = 12
BATCH: Final = 50_000
CPU_ONLY: Final = "cpu"
UNKNOWN_KIND: Final = "gpu"
Told = Callable[[int], None]
OnReceipt = Callable[[Mapping[str, Any]], None]


@dataclass(slots=True)
class Sums:
    """What jobs of one name used and waited for."""

    n_jobs: int = 0
    gpu_h: float = 0.0
    cpu_h: float = 0.0
    kwh: float = 0.0
    gco2: float = 0.0
    waits: WaitHist = field(default_factory=WaitHist)

    def told(self, name: str) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "name": name, "n_jobs": self.n_jobs, "gpu_h": self.gpu_h, "cpu_h": self.cpu_h, "kwh": self.kwh,
            "gco2_kg": self.gco2 / 1000.0, "wait_s": self.waits.told(),
        }  # fmt: skip


@dataclass(slots=True)
class Seen:
    """A machine that only the record of jobs tells of: the most one job held there, kinds and partitions."""

    gpus: int = 0
    cpus: int = 0
    mem_mib: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    partitions: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ObserveRequest:
    """What to look at. `now_s`: when "now" is, for sacct itself; a file of jobs ends with its last instant."""

    source: SlurmSource
    power: PowerModel
    now_s: float
    told: Told = lambda _n: None
    on_receipt: OnReceipt | None = None
    keep: Callable[[SlurmJob], None] | None = None  # hears every job that lies in the days


class Observer:
    """One reading. `take` each job, then `report`."""

    def __init__(self, request: ObserveRequest, nodes: Sequence[SlurmNode], to_s: float) -> None:
        self.request, self.nodes, self.to_s = request, tuple(nodes), to_s
        self.from_s = to_s - request.source.days * DAY_S
        self.use = Use(self.from_s, to_s, step_of(to_s - self.from_s, max(1_000, len(nodes))))
        for node in nodes:
            self.use.place_of(node.name)
        self.kind_of = {node.name: node.gpu_type for node in nodes}
        kinds = {node.gpu_type for node in nodes if node.n_gpus}
        self.usual_kind = kinds.pop() if len(kinds) == 1 else UNKNOWN_KIND
        self.hour0_s = self.from_s // HOUR_S * HOUR_S
        self.n_hours = math.ceil((to_s - self.hour0_s) / HOUR_S)
        self.by_hour = ByHour(self.hour0_s, self.n_hours, 2)  # kW, GPUs
        self.carbon = request.power.intensities(self.hour0_s, self.n_hours)
        self._carbon: list[float] = self.carbon.tolist()  # plain numbers are read quicker one by one
        self._carbon_until: list[float] = [0.0, *np.cumsum(self.carbon).tolist()]
        self._kw: dict[tuple[str, int, int], float] = {}
        self.groups: dict[str, dict[str, Sums]] = {"account": {}, "partition": {}, "kind": {}}
        self.all = Sums()
        self.states: Counter[str] = Counter()
        self.users: set[str] = set()
        self.seen: dict[str, Seen] = {}
        self.kept: list[SlurmJob] = []
        self.mask = 0
        self.short_n, self.short_s = 0, 0.0
        self.before: dict[str, list[float]] = {}
        self.n_outside = self.n_again = self.n_shards = 0
        self.again_kwh = 0.0
        self.measured = [0, 0.0, 0.0]  # jobs that Slurm measured, their kWh by Slurm, and by the model
        self._batch: list[tuple[float, float, float, int]] = []

    # Taking jobs in -----------------------------------------------------------------------------

    def take(self, job: SlurmJob) -> None:
        """Enter a job; one that neither waited nor ran in these days is left out."""
        submit_s, eligible_s, start_s = spans_of(job, self.to_s)
        ended_s = self._end_s(job, start_s)
        if ended_s <= self.from_s or submit_s >= self.to_s:
            self.n_outside += 1
            return
        if not job.gpu_type and job.n_gpus:
            job.gpu_type = self._kind(job)
        self.states[job.state] += job.n_tasks
        self.users.add(job.user)
        if self.request.keep is not None:
            self.request.keep(job)
        sums = self._sums(job)
        if submit_s >= self.from_s:
            self._take_wait(job, (submit_s, eligible_s, start_s), sums)
        elif start_s > self.from_s:
            self.use.add_wait(eligible_s, start_s, job.n_gpus, job.n_tasks)
        if job.has_started:
            self._take_run(job, ended_s, sums)

    def _end_s(self, job: SlurmJob, start_s: float) -> float:
        if not job.has_started:
            return start_s
        return min(self.to_s, job.end_s if job.end_s == job.end_s else self.to_s)

    def _kind(self, job: SlurmJob) -> str:
        """The kind of GPU where the record names none: that of the machine it ran on, or the only one there is."""
        hosts = hosts_of(job.node_list) if job.node_list else ()
        return next((kind for host in hosts[:1] if (kind := self.kind_of.get(host))), self.usual_kind)

    def _sums(self, job: SlurmJob) -> tuple[Sums, ...]:
        names = (job.account, job.partition, job.gpu_type if job.n_gpus else CPU_ONLY)
        found = [self.all]
        for group, name in zip(self.groups.values(), names, strict=True):
            known = group.get(name)
            if known is None:
                known = group.setdefault(name if len(group) < NAMES_MAX else OTHERS, Sums())
            found.append(known)
        for sums in found:
            sums.n_jobs += job.n_tasks
        return tuple(found)

    def _take_wait(self, job: SlurmJob, spans: tuple[float, float, float], sums: Sequence[Sums]) -> None:
        submit_s, eligible_s, start_s = spans
        for one in sums:
            one.waits.add(start_s - eligible_s, job.n_tasks)
        self.use.add_wait(eligible_s, start_s, job.n_gpus, job.n_tasks)
        if max(start_s - eligible_s, eligible_s - submit_s) <= TURN_S:
            self.short_n += job.n_tasks
            self.short_s += job.n_tasks * (start_s - submit_s)
        elif zlib.crc32(job.job_id.encode()) & self.mask == 0:
            self.kept.append(job)
            if len(self.kept) > KEPT_MAX:
                self.mask = 2 * self.mask + 1
                self.kept = [one for one in self.kept if zlib.crc32(one.job_id.encode()) & self.mask == 0]

    def _take_run(self, job: SlurmJob, end_s: float, sums: Sequence[Sums]) -> None:
        first_s = max(job.start_s, self.from_s)
        hours = max(0.0, end_s - first_s) / HOUR_S
        kw = self._kw_of(job)
        gco2 = kw * (self._carbon_at(end_s) - self._carbon_at(first_s)) if hours else 0.0
        for one in sums:
            one.gpu_h += job.n_gpus * hours
            one.cpu_h += job.n_cpus * hours
            one.kwh += kw * hours
            one.gco2 += gco2
        self._batch.append((first_s, end_s, kw, job.n_gpus))
        if len(self._batch) >= BATCH:
            self._flush()
        hosts = hosts_of(job.node_list)
        self.use.add(hosts, first_s, end_s, job.n_gpus, job.n_cpus, math.ceil(job.mem_mib / 1024.0))
        if not self.nodes:
            self._see(job, hosts)
        if job.state in AGAIN_STATES:
            self.n_again += 1
            self.again_kwh += kw * hours
        if job.energy_j > 0.0:
            self.measured[0] += 1
            self.measured[1] += job.energy_j / 3.6e6
            self.measured[2] += kw * hours
        if self.request.on_receipt is not None:
            self.request.on_receipt(self._receipt(job, first_s, end_s, kw, gco2))

    def _carbon_at(self, instant_s: float) -> float:
        """The integral of carbon intensity from the first hour on; g/kWh times h."""
        hours = min(float(self.n_hours), max(0.0, (instant_s - self.hour0_s) / HOUR_S))
        whole = int(hours)
        part = (hours - whole) * self._carbon[whole] if whole < self.n_hours else 0.0
        return self._carbon_until[whole] + part

    def _kw_of(self, job: SlurmJob) -> float:
        key = (job.gpu_type, job.n_gpus, job.n_cpus)
        if (known := self._kw.get(key)) is None:
            if len(self._kw) > BATCH:
                self._kw.clear()
            known = self._kw[key] = self.request.power.job_kw(*key)
        return known

    def _receipt(self, job: SlurmJob, first_s: float, end_s: float, kw: float, gco2: float) -> dict[str, Any]:
        """A job's receipt for the part of it that lies in these days."""
        hours = (end_s - first_s) / HOUR_S
        _submit_s, eligible_s, start_s = spans_of(job, self.to_s)
        return {
            "job": job.job_id, "user": job.user, "account": job.account, "partition": job.partition,
            "state": job.state, "start_at": iso_from_s(job.start_s), "end_at": iso_from_s(end_s),
            "wait_s": round(start_s - eligible_s), "gpu_type": job.gpu_type, "gpu_h": round(job.n_gpus * hours, 4),
            "cpu_h": round(job.n_cpus * hours, 4), "kwh": round(kw * hours, 4), "gco2_g": round(gco2, 1),
            "method": "modelled",
        }  # fmt: skip

    def _see(self, job: SlurmJob, hosts: Sequence[str]) -> None:
        n = max(1, len(hosts))
        for host in hosts:
            seen = self.seen.setdefault(host, Seen())
            seen.gpus = max(seen.gpus, -(-job.n_gpus // n))
            seen.cpus, seen.mem_mib = max(seen.cpus, -(-job.n_cpus // n)), max(seen.mem_mib, int(job.mem_mib / n))
            seen.partitions.add(job.partition)
            if job.n_gpus:
                seen.kinds[job.gpu_type] += 1

    def _flush(self) -> None:
        if self._batch:
            start_s, end_s, kw, gpus = np.array(self._batch, dtype=np.float64).T
            self._batch.clear()
            for row, amount in enumerate((kw, gpus)):
                self.by_hour.add(np.full(len(kw), row, dtype=np.int64), start_s, end_s, amount)

    # Telling ------------------------------------------------------------------------------------

    def close(self) -> None:
        """No job comes any more."""
        self._flush()
        self.use.close()
        if not self.nodes:
            self.nodes = self._inferred()

    def _inferred(self) -> tuple[SlurmNode, ...]:
        """Machines as the record shows them: the most that was ever held there at a sample, or by one job."""
        held = [cells.max(axis=0) for cells in self.use.held()] if self.seen else []
        found = []
        for name, seen in self.seen.items():
            place = self.use.places.get(name)
            most = [int(part[place]) for part in held] if place is not None else [0, 0, 0]
            kind = seen.kinds.most_common(1)[0][0] if seen.kinds else ""
            found.append(
                SlurmNode(
                    name, max(seen.gpus, most[0]), kind, max(1, seen.cpus, most[1]),
                    max(1024, seen.mem_mib, most[2] * 1024), frozenset({"SEEN"}), (), tuple(sorted(seen.partitions)),
                )
            )  # fmt: skip
        return tuple(found)

    def report(self, counts: Counts) -> dict[str, Any]:
        """All figures, as plain JSON values."""
        if not self.all.n_jobs:
            raise NotFound(
                f"No job was waiting or running from {iso_from_s(self.from_s)} to {iso_from_s(self.to_s)}.",
                fix="Look at more days: --days 90; without root Slurm may show your own jobs only.", code="empty_span",
            )  # fmt: skip
        outs = self.request.source.outs()
        machines = Machines(self.nodes, self.use, outs)
        waits = [(job, machines.wait_of(job, self.to_s)) for job in self.kept]
        return {
            "source": self.request.source.name,
            "from_at": iso_from_s(self.from_s),
            "to_at": iso_from_s(self.to_s),
            "days": self.request.source.days,
            "rows": {
                "n_lines": counts.n_lines, "n_steps": counts.n_steps, "n_wrong": counts.n_wrong,
                "first_wrong": counts.first_wrong, "n_outside": self.n_outside,
            },
            "jobs": self._jobs(),
            "machines": self._machines(len(outs)),
            "energy": self._energy(),
            "wait_s": self.all.waits.told(),
            **self._idle(machines),
            "reasons": self._reasons(waits),
            "longest": [self._long(job, wait) for job, wait in _longest(waits)],
            **{f"by_{name}": _table(group) for name, group in self.groups.items()},
            "assumed": self._assumed(),
        }  # fmt: skip

    def _jobs(self) -> dict[str, Any]:
        return {
            "n": self.all.n_jobs,
            "n_users": len(self.users - {""}),
            "n_running": sum(n for state, n in self.states.items() if state in RUNNING_STATES),
            "n_waiting": sum(n for state, n in self.states.items() if state in WAITING_STATES),
            "n_run_again": self.n_again,
            "by_state": dict(self.states.most_common()),
        }

    def _machines(self, n_events: int) -> dict[str, Any]:
        kinds: dict[str, list[int]] = {}
        for node in self.nodes:
            one = kinds.setdefault(node.gpu_type or (UNKNOWN_KIND if node.n_gpus else CPU_ONLY), [0, 0])
            one[0] += 1
            one[1] += node.n_gpus
        is_told = bool(self.nodes) and "SEEN" not in self.nodes[0].flags
        return {
            "n_nodes": len(self.nodes),
            "n_gpus": sum(node.n_gpus for node in self.nodes),
            "n_cpus": sum(node.n_cpus for node in self.nodes),
            "n_out_now": sum(node.is_out for node in self.nodes),
            "n_events": n_events,
            "known_from": "scontrol" if is_told else "jobs",
            "by_kind": {kind: {"n_nodes": n, "n_gpus": gpus} for kind, (n, gpus) in sorted(kinds.items())},
        }

    def _energy(self) -> dict[str, Any]:
        kwh, gpu_h = self.by_hour.hours()
        n_measured, measured_kwh, modelled_kwh = self.measured
        return {
            "kwh": self.all.kwh,
            "gco2_kg": self.all.gco2 / 1000.0,
            "gpu_h": self.all.gpu_h,
            "cpu_h": self.all.cpu_h,
            "run_again_kwh": self.again_kwh,
            "method": "modelled",
            "slurm_measured": {"n_jobs": n_measured, "kwh": measured_kwh, "modelled_kwh": modelled_kwh},
            "by_hour": [
                {"at": iso_from_s(self.hour0_s + hour * HOUR_S), "kwh": round(float(kwh[hour]), 4),
                 "gco2_g": round(float(kwh[hour] * self.carbon[hour]), 1), "gpu_h": round(float(gpu_h[hour]), 4)}
                for hour in range(self.n_hours)
            ],
        }  # fmt: skip

    def _idle(self, machines: Machines) -> dict[str, Any]:
        """GPUs free, and free while somebody waited for GPUs: at most as many as were asked for."""
        step_h = self.use.step_s / HOUR_S
        free, (n_waiting, gpus_waiting) = machines.free_gpus(), self.use.waiting()
        n_gpus = sum(node.n_gpus for node in self.nodes)
        installed_h = n_gpus * (self.to_s - self.from_s) / HOUR_S
        wasted = np.minimum(free, gpus_waiting)
        idle_kw = sum(
            node.n_gpus * self.request.power.gpu(node.gpu_type).idle_w / 1000.0 for node in self.nodes if node.n_gpus
        )
        mean_free = float(free.mean()) / n_gpus if n_gpus else 0.0
        return {
            "step_s": self.use.step_s,
            "gpu_h_installed": installed_h,
            "gpu_h_free": float(free.sum()) * step_h,
            "idle_while_waiting_gpu_h": float(wasted.sum()) * step_h,
            "free_kwh": idle_kw * mean_free * self.request.power.pue * self.request.source.days * 24.0,
            "busy_frac": self.all.gpu_h / installed_h if installed_h else 0.0,
            "waiting_frac": float((n_waiting > 0).mean()),
            "by_day": _by_day(self, free, gpus_waiting, wasted),
        }

    def _reasons(self, waits: Sequence[tuple[SlurmJob, Wait]]) -> list[dict[str, Any]]:
        """Hours waited by reason; a job counts for the reason of its longer part. Largest first."""
        times = self.mask + 1
        rows: dict[str, list[float]] = {}
        for job, wait in waits:
            n = job.n_tasks * times
            rows.setdefault(wait.main, [0.0, 0.0, 0.0])[0] += n
            parts = ((wait.before, wait.before_s), (wait.queued.reason, wait.queued_s))
            for reason, seconds in parts:
                row = rows.setdefault(reason, [0.0, 0.0, 0.0])
                row[1] += n * seconds / HOUR_S
                row[2] += n * seconds / HOUR_S * job.n_gpus
        turn = rows.setdefault(TURN, [0.0, 0.0, 0.0])
        turn[0] += self.short_n
        turn[1] += self.short_s / HOUR_S
        in_all = sum(row[1] for row in rows.values())
        found = [
            {"reason": reason, "n_jobs": round(row[0]), "wait_h": row[1], "gpu_wait_h": row[2],
             "frac": row[1] / in_all if in_all else 0.0}
            for reason, row in rows.items() if row[0] or row[1]
        ]  # fmt: skip
        return sorted(found, key=lambda row: (-row["wait_h"], REASONS.index(row["reason"])))

    def _long(self, job: SlurmJob, wait: Wait) -> dict[str, Any]:
        return {
            "job": job.job_id, "user": job.user, "account": job.account, "partition": job.partition,
            "submit_at": iso_from_s(job.submit_s), "has_started": job.has_started, "n_gpus": job.n_gpus,
            "gpu_type": job.gpu_type if job.n_gpus else "", "n_nodes": job.n_nodes, "n_cpus": job.n_cpus,
            "slurm_reason": job.reason, **told(wait),
        }  # fmt: skip

    def _assumed(self) -> dict[str, Any]:
        power = self.request.power
        kinds = sorted({name for name in self.groups["kind"] if name not in {CPU_ONLY, OTHERS}})
        gpus = {kind: power.gpu(kind) for kind in kinds}
        return {
            "power_frac": power.power_frac,
            "cpu_frac": power.cpu_frac,
            "pue": power.pue,
            "gco2_per_kwh": power.gco2_per_kwh,
            "gco2_source": power.gco2_source,
            "is_gco2_hourly": bool(power.gco2_by_hour),
            "gpu_w": {
                kind: {"idle": one.idle_w, "rated": one.rated_w, "held": one.held_w(power.power_frac),
                       "source": one.source}
                for kind, one in gpus.items()
            },
            "kept_frac": 1.0 / (self.mask + 1),
            "machines_from": self._machines(0)["known_from"],
        }  # fmt: skip


def observe(request: ObserveRequest) -> dict[str, Any]:
    """Look at a cluster. Raises BadInput, NotFound and Unavailable, each with what to do."""
    observer, counts = read(request)
    return observer.report(counts)


def read(request: ObserveRequest) -> tuple[Observer, Counts]:
    """One reading of the record; the observer is closed."""
    to_s = observe_range(request.source, request.now_s)[1]
    observer, counts = Observer(request, request.source.machines(), to_s), Counts()
    for job in read_jobs(request.source, counts, request.told):
        observer.take(job)
    observer.close()
    return observer, counts


def observe_range(source: SlurmSource, now_s: float) -> tuple[float, float]:
    """From when to when a record is looked at; a file ends with its last instant. Raises BadInput."""
    if not 0.0 < source.days <= DAYS_MAX:
        raise BadInput(
            f"{source.days:g} days cannot be looked at.", fix=f"Give 0.1 to {DAYS_MAX:g} days.", field="days"
        )
    to_s = last_instant_s(source) + 1.0 if source.jobs else now_s
    return to_s - source.days * DAY_S, to_s


def _longest(waits: Sequence[tuple[SlurmJob, Wait]]) -> list[tuple[SlurmJob, Wait]]:
    """The longest waits for machines, one of each user, account, size and reason."""
    found: dict[tuple[Any, ...], tuple[SlurmJob, Wait]] = {}
    for job, wait in sorted(waits, key=lambda pair: (-pair[1].queued_s, pair[0].job_id)):
        key = (job.user, job.account, job.n_gpus, job.n_nodes, wait.main)
        if wait.queued_s > TURN_S:
            found.setdefault(key, (job, wait))
        if len(found) == N_LONGEST:
            break
    return list(found.values())


def _table(group: Mapping[str, Sums]) -> list[dict[str, Any]]:
    rows = [sums.told(name) for name, sums in group.items()]
    return sorted(rows, key=lambda row: (-row["kwh"], row["name"]))


def _by_day(observer: Observer, free: Any, asked: Any, wasted: Any) -> list[dict[str, Any]]:
    """Means of days from the beginning on: GPUs free, GPUs asked for by waiting jobs, GPUs free while asked for."""
    per_day = max(1, round(DAY_S / observer.use.step_s))
    return [
        {"at": iso_from_s(observer.use.instant_of(first)),
         "free": float(free[first : first + per_day].mean()), "asked": float(asked[first : first + per_day].mean()),
         "wasted": float(wasted[first : first + per_day].mean())}
        for first in range(0, len(free), per_day)
    ]  # fmt: skip
