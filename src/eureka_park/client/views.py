"""The answers of the park's API as types. Instants are ISO 8601 UTC text; units are in the names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NotRequired, TypedDict

State = Literal[
    "queued", "starting", "running", "pausing", "paused", "frozen", "finished", "failed", "cancelled", "lost"
]
Until = Literal["ended", "running", "state-change"]

STATES: Final[tuple[State, ...]] = (
    "queued", "starting", "running", "pausing", "paused", "frozen", "finished", "failed", "cancelled", "lost",
)  # fmt: skip
ENDED: Final[frozenset[str]] = frozenset({"finished", "failed", "cancelled", "lost"})
TIERS: Final = ("firm", "flex", "green")
CLASSES: Final = ("batch", "interactive", "service")


class Reason(TypedDict):
    """Why a job is in its state: a code for programs, a text for people, its numbers, and until when it holds."""

    code: str
    text: str
    values: dict[str, Any]
    until: str | None


class ReceiptSummary(TypedDict):
    """The three figures of a receipt that a job carries with it."""

    kwh: float
    credits: float
    method: str


class JobInputView(TypedDict):
    """Data that a job reads; what one may not know of is None, but for its `mount`."""

    mount: str
    address: str | None
    kind: str | None
    project: str | None
    name: str | None
    commit_id: str | None
    path: str | None


class JobOutputView(TypedDict):
    """Where files of a job are committed to: `state` is pending, due, committed, waiting or none."""

    address: str | None
    kind: str | None
    project: str | None
    name: str | None
    folder: str
    state: str
    commit_id: str | None
    n_files: int
    size_bytes: int
    text: str
    fix: str


# `class` is a word of Python, so this one is written in the functional form.
PredictedPower = TypedDict("PredictedPower", {"predicted_kw": float, "from": str, "n_jobs": int | None})
PredictedPower.__doc__ = """What a job is predicted to draw, and what that rests on: table, declared, learned, meter."""
JobView = TypedDict(
    "JobView",
    {
        "job_id": str,
        "name": str,
        "project": str,
        "state": str,
        "tier": str,
        "class": str,
        "command": list[str],
        "submitted_at": str,
        "started_at": str | None,
        "ended_at": str | None,
        "deadline_at": str | None,
        "exit_code": int | None,
        "exit_signal": int | None,
        "reasons": list[Reason],
        "attempt": int,
        "resume_count": int,
        "cap_frac": float,
        "cpus": float,
        "gpus": int,
        "memory_bytes": int,
        "nodes": NotRequired[int],
        "min_nodes": NotRequired[int],
        "gpu_type": NotRequired[str],
        "kw": NotRequired[float | None],
        "power": NotRequired[PredictedPower | None],
        "time_s": float,
        "checkpoint": bool,
        "node": str | None,
        "held_nodes": NotRequired[list[str]],
        "sandbox_level": str | None,
        "detail": str | None,
        "array_id": str | None,
        "task_index": int | None,
        "n_tasks": NotRequired[int | None],
        "task_states": NotRequired[dict[str, int] | None],
        "after": list[str],
        "inputs": NotRequired[list[JobInputView]],
        "outputs": NotRequired[list[JobOutputView]],
        "output_always": NotRequired[bool],
        "receipt": ReceiptSummary | None,
    },
)
JobView.__doc__ = "One job (or array) as the park shows it."


class ReceiptHour(TypedDict):
    """What a job drew within one hour of park time."""

    hour_at: str
    kwh: float
    it_kwh: float
    kwh_by_source: dict[str, float]
    gco2: float
    credits: float


class ReceiptRefund(TypedDict):
    """Hours of a node that were paid back; `why` is lost_node, disturbed or unknown."""

    at: str
    why: str
    node_h: float
    credits: float


class Receipt(TypedDict):
    """What a job used: `kwh` at the site meter, `it_kwh` after the PUE, by source and hour."""

    job_id: str
    gpu_h: float
    cpu_h: float
    kwh: float
    it_kwh: float
    kwh_by_source: dict[str, float]
    hours: list[ReceiptHour]
    gco2: float
    credits: float
    method: str
    scale_model: bool
    labels: dict[str, str]
    price: dict[str, Any]
    refunds: NotRequired[list[ReceiptRefund]]


class WhyLine(TypedDict):
    """Where a job stands in the line of its project and tier."""

    n_ahead: int


class WhyShare(TypedDict):
    """Of the park: what the job's project has used lately, and what its weight gives it."""

    project: str
    used_frac: float
    due_frac: float


class WhyPromise(TypedDict):
    """The start that a job was promised first, how late it is or was, and the reason code that made it late."""

    promised_at: str
    told_at: NotRequired[str | None]
    late_s: float
    cause: str | None


class WhyEstimate(TypedDict):
    """When a job should start: by `p50_at` in one case of two, by `p90_at` in nine of ten."""

    p50_at: str
    p90_at: str


class Why(TypedDict):
    """The reasons of one job, and what stands behind them; `place_at`: from when a place is kept for it."""

    job_id: str
    state: str
    reasons: list[Reason]
    line: NotRequired[WhyLine | None]
    share: NotRequired[WhyShare | None]
    place_at: NotRequired[str | None]
    promise: NotRequired[WhyPromise | None]
    estimate: NotRequired[WhyEstimate | None]
    advice: NotRequired[list[str]]
    power: NotRequired[PredictedPower | None]


class Cancelled(TypedDict):
    """The state of a job after a request to cancel it."""

    job_id: str
    state: str


class WindowView(TypedDict):
    """A time in which machines are closed to all, or reserved: closed to all but one project, which its members see."""

    window_id: str
    nodes: list[str]
    from_at: str
    to_at: str
    is_reserved: NotRequired[bool]
    project: str | None
    why: str


class NodeJob(TypedDict):
    """A job on a machine; without names for those who may not see it."""

    job_id: str | None
    name: str | None
    state: str
    tier: str


# `class` is a word of Python, so this one is written in the functional form.
NodeView = TypedDict(
    "NodeView",
    {
        "node_id": str,
        "class": str,
        "state": str,
        "why": str,
        "gpus": int,
        "free_gpus": int,
        "cpus": float,
        "free_cpus": float,
        "jobs": list[NodeJob],
        "window": WindowView | None,
    },
)
NodeView.__doc__ = "A machine as the park shows it; `state` is up, drained or down."


class OutputFile(TypedDict):
    """One file that a job left in its PARK_OUTPUT_DIR; `path` is relative to it, with `/`."""

    path: str
    size_bytes: int
    modified_at: str


class PowerNow(TypedDict):
    """The power of this moment, MW at the site meter (`it_mw`: after the PUE)."""

    site_mw: float
    it_mw: float
    clean_available_mw: float
    by_source_mw: dict[str, float]
    sky: str
    scale_model: bool
    sentence: str


class Overview(TypedDict):
    """The park as a whole: jobs by state, the power of now (None before the first plan), what runs, what waits."""

    jobs: dict[str, int]
    now: PowerNow | None
    running: list[JobView]
    waiting: list[JobView]


class PlanView(TypedDict):
    """The newest power plan; `foundation.power_plan.PowerPlan.from_json` reads it too."""

    plan_id: str
    site: str
    issued_at_s: float
    start_s: float
    step_s: float
    load_mw: list[float]
    clean_available_mw_p10: list[float]
    clean_available_mw_p50: list[float]
    clean_available_mw_p90: list[float]
    grid_limit_mw: list[float]
    available_by_source_mw: dict[str, list[float]]
    by_source_mw: dict[str, list[float]]
    export_mw: list[float]
    curtailed_mw: list[float]
    unserved_mw: list[float]
    tes_mwh_th: dict[str, list[float]]
    tes_mwh_th_max: dict[str, float]
    curve: list[list[dict[str, Any]]]
    labels: dict[str, str]
    battery_mwh: dict[str, list[float]]
    battery_mwh_max: dict[str, float]
    calibration: dict[str, dict[str, float]]
    now: PowerNow


class LiveView(TypedDict):
    """Whether the deciding process holds its lease."""

    alive: bool
    lease_until_at: str | None


class PlanStatusView(TypedDict):
    """How the newest power plan stands: none, good, late or over; and why no newer one is followed."""

    standing: str
    issued_at: str | None
    until: str | None
    fault: str
    fault_since: str | None


class StatusView(TypedDict):
    """The park in one answer."""

    version: str
    ready: bool
    park_at: str
    real_at: str
    pace: float
    site: str
    sky: str
    scale_model: bool
    sandbox_level: str
    capabilities: list[str]
    jobs: dict[str, int]
    plan: PlanStatusView
    live: LiveView


class PersonView(TypedDict):
    """Somebody who is signed in."""

    person_id: str
    name: str
    is_operator: bool
    projects: list[str]


class SnapshotFile(TypedDict):
    """One file of a snapshot: relative path with `/`, content id, size and permission bits (0o644 or 0o755)."""

    path: str
    sha256: str
    size_bytes: int
    mode: int


class SnapshotAnswer(TypedDict):
    """What the park says to a list of files: the id once it holds them all, else the blobs it lacks."""

    snapshot_id: str | None
    missing: list[str]


@dataclass(frozen=True, slots=True)
class Upload:
    """A folder that has arrived: its snapshot and what really had to travel."""

    snapshot_id: str
    n_files: int
    size_bytes: int
    sent_files: int
    sent_bytes: int
    not_sent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload on its way: files looked at, bytes that must travel (0: not known yet) and that have."""

    n_files: int
    size_bytes: int
    sent_bytes: int
