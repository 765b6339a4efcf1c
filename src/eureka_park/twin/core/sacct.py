"""Slurm's accounting as jobs: lines of `sacct --parsable2`, one allocation each; steps are skipped.

What Slurm 20.11 to 25 print is read; forms were checked against 22.05 and SchedMD's manual of sacct(1). A name may hold
the separator, so it is asked for last. `Reason` is what was true when the job started or last: it often says `None` for
a job that waited hours, so it decides nothing here but what made a job ineligible.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final

from eureka_park.foundation.errors import BadInput

# The one place that names what is asked of sacct. `Planned` (earlier `Reserved`) is not: its name changed, and it
# follows from Eligible and Start.
FIELDS: Final = (
    "JobID", "User", "Account", "Partition", "QOS", "State", "Submit", "Eligible", "Start", "End", "ElapsedRaw",
    "Timelimit", "NNodes", "AllocCPUS", "ReqCPUS", "ReqMem", "ReqTRES", "AllocTRES", "Reason", "ConsumedEnergyRaw",
    "NodeList", "JobName",
)  # fmt: skip
NEEDED: Final = ("JobID", "State", "Submit", "Start", "End", "AllocTRES")
OPTIONS: Final = ("--allusers", "--allocations", "--duplicates", "--noconvert", "--parsable2")
TIME_FORMAT: Final = "%s"  # of SLURM_TIME_FORMAT: seconds of the epoch, which no clock change makes ambiguous
_FIX: Final = "park observe slurm --commands says what to type on the cluster."
_STAMP_FIX: Final = "Print stamps as seconds: SLURM_TIME_FORMAT=%s sacct ..., or say --timezone Europe/Paris."
_NO_TIME: Final = frozenset({"", "Unknown", "None", "N/A", "NONE", "Invalid"})
_JOB_ID: Final = re.compile(r"(\d+)(?:_(\d+|\[[^\]]*\]?)|\+(\d+))?", re.ASCII)
_SPAN: Final = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?", re.ASCII)
_MEM: Final = re.compile(r"(\d{1,15}(?:\.\d+)?)([KMGTPE]?)([nc]?)", re.ASCII)
_MIB: Final = {"": 1.0, "K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3, "E": 1024.0**4}
_DIGITS_MAX: Final = 15  # of a whole number; sacct prints 2^64 - 2 where no energy was measured
_STAMP_DIGITS_MAX: Final = 11  # seconds of the epoch until the year 5138

WAITING_STATES: Final = frozenset({"PENDING", "REQUEUE_HOLD", "REQUEUE_FED", "RESV_DEL_HOLD", "SPECIAL_EXIT"})
RUNNING_STATES: Final = frozenset(
    {"RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING", "STOPPED", "SIGNALING", "STAGE_OUT"}
)
AGAIN_STATES: Final = frozenset({"REQUEUED", "PREEMPTED", "NODE_FAIL", "BOOT_FAIL", "RESIZING"})  # may run again
ENDED_STATES: Final = frozenset(
    {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "REVOKED", *AGAIN_STATES}
)


@dataclass(slots=True)
class SlurmJob:
    """One allocation, or one attempt of it. Instants are UTC epoch seconds, nan where there is none.

    `limit_s` is inf for no limit, nan where unknown; `n_gpus` and `gpu_type` are what it had, else what it asked for;
    `asked_type` only what it asked for. `n_tasks`: tasks of an array that wait as one row. `energy_j` is 0 where Slurm
    measured none.
    """

    job_id: str
    user: str
    account: str
    partition: str
    qos: str
    state: str
    submit_s: float
    eligible_s: float
    start_s: float
    end_s: float
    elapsed_s: float
    limit_s: float
    n_nodes: int
    n_cpus: int
    n_gpus: int
    gpu_type: str
    asked_type: str
    mem_mib: float
    reason: str
    energy_j: float
    node_list: str
    name: str
    n_tasks: int = 1

    @property
    def has_started(self) -> bool:
        """Whether it ever ran."""
        return not math.isnan(self.start_s)


@dataclass(frozen=True, slots=True)
class Tres:
    """Trackable resources of a job: nodes, CPUs, memory, GPUs and their kind (of several the most frequent)."""

    n_nodes: int = 0
    n_cpus: int = 0
    mem_mib: float = 0.0
    n_gpus: int = 0
    gpu_type: str = ""
    n_shards: int = 0


class Header:
    """Where each field stands in a line, from the first line of the output."""

    def __init__(self, line: str) -> None:
        names = [name.strip() for name in line.rstrip("\r\n").split("|")]
        if "JobID" not in names:
            raise BadInput(
                "This is no output of sacct: its first line has no JobID.", fix=_FIX, field="JobID", code="bad_trace"
            )
        self.is_ended_by_bar = names[-1] == ""  # --parsable
        names = names[:-1] if self.is_ended_by_bar else names
        self.n_fields = len(names)
        self.names = tuple(names)
        self._place = {name: place for place, name in enumerate(names)}
        for name in NEEDED:
            if name not in self._place:
                raise BadInput(f"The output of sacct has no column {name}.", fix=_FIX, field=name, code="bad_trace")
        self.at = tuple(self._place.get(name, -1) for name in FIELDS)
        self.id_at, self.stamps_at = self._place["JobID"], [self._place[name] for name in ("Submit", "Start", "End")]

    def split(self, line: str) -> list[str]:
        """The values of a line; what is too much belongs to the last. Raises BadInput where values are missing."""
        values = line.rstrip("\r\n").split("|", self.n_fields - 1)
        if len(values) < self.n_fields:
            raise BadInput(f"there are {len(values)} values, not {self.n_fields}", code="bad_row")
        if self.is_ended_by_bar:
            values[-1] = values[-1].removesuffix("|")
        return values


def is_step(job_id: str) -> bool:
    """Whether a row is a step of a job: `12.batch`, `12_3.0`, `12+1.extern`; but not `12_[1,2,...]`, a list cut off."""
    return "." in job_id and "[" not in job_id


def job_of(header: Header, line: str, zone: tzinfo | None = None) -> SlurmJob | None:
    """The job of a line; None for a step. `zone`: of stamps without an offset.

    Raises BadInput: code `bad_row` for a line that contradicts itself, another one for what makes all lines doubtful.
    """
    values = header.split(line)
    if is_step(values[header.id_at]):
        return None
    (
        job_id, user, account, partition, qos, state, submit, eligible, start, end, elapsed, limit, nodes, cpus,
        req_cpus, req_mem, req_tres, alloc_tres, reason, energy, node_list, name,
    ) = [values[place] if place >= 0 else "" for place in header.at]  # fmt: skip
    had, asked = tres_of(alloc_tres), tres_of(req_tres)
    n_nodes = had.n_nodes or asked.n_nodes or _count(nodes) or 1
    n_cpus = had.n_cpus or asked.n_cpus or _count(cpus) or _count(req_cpus)
    submit_s = stamp_s(submit, zone)
    if math.isnan(submit_s):
        raise BadInput(f"job {job_id} has no time of submission", code="bad_row")
    job = SlurmJob(
        job_id, user, account, partition, qos, state_of(state), submit_s, stamp_s(eligible, zone),
        stamp_s(start, zone), stamp_s(end, zone), 0.0, limit_s_of(limit), n_nodes, n_cpus,
        had.n_gpus or asked.n_gpus, had.gpu_type or asked.gpu_type, asked.gpu_type,
        had.mem_mib or asked.mem_mib or memory_mib(req_mem, n_nodes, n_cpus), reason, _energy_j(energy),
        node_list, name, n_tasks_of(job_id),
    )  # fmt: skip
    return _checked(job, elapsed)


def _checked(job: SlurmJob, elapsed: str) -> SlurmJob:
    """A job whose instants do not contradict each other; one that never ran has no start."""
    if job.state in WAITING_STATES or job.node_list == "None assigned":  # cancelled ones carry a start that was none
        job.start_s = math.nan
    if job.state in WAITING_STATES or job.state in RUNNING_STATES:
        job.end_s = math.nan
    if not job.start_s >= job.submit_s and job.has_started:
        raise BadInput(f"job {job.job_id} starts before it was submitted", code="bad_row")
    if job.end_s < job.start_s or job.end_s < job.submit_s:
        raise BadInput(f"job {job.job_id} ends before it begins", code="bad_row")
    if job.has_started:
        spent_s = duration_s(elapsed)
        job.elapsed_s = spent_s if spent_s == spent_s else max(0.0, job.end_s - job.start_s)
        if job.elapsed_s < 0.0:
            raise BadInput(f"job {job.job_id} ran for {elapsed} s", code="bad_row")
    return job


def state_of(text: str) -> str:
    """`CANCELLED by 1000` and `CANCELLED+` are CANCELLED."""
    return text.split(" ", 1)[0].rstrip("+").upper() if text else ""


def n_tasks_of(job_id: str) -> int:
    """Tasks in an id such as `12_[3-9,20-40:4%2]`; else 1. A list that Slurm cut off counts as it stands."""
    if not (found := _JOB_ID.fullmatch(job_id)):
        raise BadInput(f"'{job_id[:40]}' is no id of a job", code="bad_row")
    tasks = found[2] or ""
    if not tasks.startswith("["):
        return 1
    n = 0
    for first, last, step in (one.groups() for one in _SPAN.finditer(tasks.strip("[]").partition("%")[0])):
        if max(len(first), len(last or ""), len(step or "")) > _DIGITS_MAX:
            raise BadInput(f"'{job_id[:40]}' is no id of a job", code="bad_row")
        n += 1 + (int(last or first) - int(first)) // max(1, int(step or 1))
    return max(1, n)


# Instants and durations -------------------------------------------------------------------------


def stamp_s(text: str, zone: tzinfo | None) -> float:
    """An instant: seconds of the epoch, or ISO 8601 with an offset, or in a zone; nan where there is none.

    Raises BadInput for a local stamp without a zone, and for one that its zone's clock shows twice or never.
    """
    if is_whole(text):
        if len(text) > _STAMP_DIGITS_MAX:
            raise BadInput(f"'{text[:40]}' is no time", code="bad_row")
        return float(text) if text != "0" else math.nan
    if text in _NO_TIME:
        return math.nan
    return _minute_s(text[:16], text[16:], zone)


def _minute_s(minute: str, rest: str, zone: tzinfo | None) -> float:
    seconds = rest[1:3] if rest[:1] == ":" else ""
    if rest and not (is_whole(seconds) and len(rest) == 3):  # with an offset
        try:
            instant = datetime.fromisoformat(minute + rest)
        except ValueError:
            raise BadInput(f"'{minute + rest}' is no time", code="bad_row") from None
        if instant.tzinfo is not None:
            return instant.timestamp()
        return _local_s(minute, zone) + instant.second
    return _local_s(minute, zone) + (int(seconds) if seconds else 0)


@lru_cache(maxsize=65_536)
def _local_s(minute: str, zone: tzinfo | None) -> float:
    try:
        local = datetime.fromisoformat(minute)
    except ValueError:
        raise BadInput(f"'{minute}' is no time", code="bad_row") from None
    if zone is None:
        raise BadInput(
            f"'{minute}' is local time, and nothing says of which zone.", fix=_STAMP_FIX, code="local_time",
            field="timezone",
        )  # fmt: skip
    early, late = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        back = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        why = "twice" if back == local else "never"
        raise BadInput(
            f"The clock of {zone} shows '{minute}' {why}: it is changed then.",
            fix="Print stamps as seconds: SLURM_TIME_FORMAT=%s sacct ...", code="ambiguous_time", field="timezone",
        )  # fmt: skip
    return early.timestamp()


@lru_cache(maxsize=16_384)
def limit_s_of(text: str) -> float:
    """A time limit; inf for none, nan where it is not known (`Partition_Limit`). A bare number counts minutes."""
    if is_whole(text):
        return float(text) * 60.0
    if text.upper() in {"UNLIMITED", "INFINITE"}:
        return math.inf
    return duration_s(text)


def duration_s(text: str) -> float:
    """`[days-]hours:minutes:seconds`, `days-hours`, `minutes:seconds` or seconds; nan for anything else."""
    if is_whole(text):
        return float(text)
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    if not all(_is_number(part) for part in parts) or (dash and not is_whole(days)) or len(parts) > 3:
        return math.nan
    numbers = [float(part) for part in parts]
    if dash:
        hours, minutes, seconds = [*numbers, 0.0, 0.0][:3]
    else:
        hours, minutes, seconds = [0.0, 0.0, *numbers][-3:]
    return (float(days) if dash else 0.0) * 86_400.0 + hours * 3600.0 + minutes * 60.0 + seconds


def _is_number(text: str) -> bool:
    return is_whole(text.replace(".", "", 1))


def is_whole(text: str) -> bool:
    """Whether it is a whole number as Slurm prints them; other scripts have digits too, and a long one is none."""
    return text.isdigit() and text.isascii() and len(text) <= _DIGITS_MAX


# Resources --------------------------------------------------------------------------------------


@lru_cache(maxsize=65_536)
def tres_of(text: str) -> Tres:
    """`cpu=4,gres/gpu:h100=2,gres/gpu=2,mem=4G,node=1` as numbers; what is not known is left out."""
    if not text:
        return Tres()
    values = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    kinds = {name[9:]: _count(value) for name, value in values.items() if name.startswith("gres/gpu:")}
    in_all = _count(values.get("gres/gpu", "")) or sum(kinds.values())
    most = max(kinds, key=lambda kind: (kinds[kind], kind)) if kinds else ""
    return Tres(
        _count(values.get("node", "")), _count(values.get("cpu", "")), memory_mib(values.get("mem", "")), in_all,
        most.lower(), _count(values.get("gres/shard", "")),
    )  # fmt: skip


def memory_mib(text: str, n_nodes: int = 1, n_cpus: int = 1) -> float:
    """`4G`, `62.50G`, `4000Mn` (for each node) or `2Gc` (for each CPU), of the whole job; 0 for anything else. MiB."""
    found = _MEM.fullmatch(text.strip())
    if not found:
        return 0.0
    times = {"n": n_nodes, "c": n_cpus}.get(found[3], 1)
    return float(found[1]) * _MIB[found[2]] * times


def _count(text: str) -> int:
    return int(text) if is_whole(text) else 0


def _energy_j(text: str) -> float:
    return float(text) if is_whole(text) else 0.0
