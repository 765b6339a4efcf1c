"""The API's bodies, for checking and for OpenAPI. What the values mean is checked by the services."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from eureka_park.web.power_schemas import PredictedPower
from eureka_park.web.request_schemas import Body, ClassName
from eureka_park.web.request_schemas import JobRequest as JobRequest
from eureka_park.web.request_schemas import TierName as TierName

JobStateName = Literal[
    "queued", "starting", "running", "pausing", "paused", "frozen", "finished", "failed", "cancelled", "lost"
]
SortName = Literal["newest", "oldest", "name", "state", "tier", "started", "ended", "energy", "longest"]


class JobId(BaseModel):
    """The id of a job."""

    job_id: str


class JobEnding(JobId):
    """A job that was asked to end, and its state at that moment."""

    state: JobStateName


class CancelRequest(Body):
    """Jobs to be ended."""

    job_ids: list[Annotated[str, Field(max_length=80)]] = Field(max_length=1000, description="Jobs, tasks or arrays")


class CancelError(BaseModel):
    """Why one job could not be cancelled."""

    code: str
    message: str
    fix: str


class CancelAnswer(BaseModel):
    """One job that was to be ended: its state at that moment, or the error it met."""

    job_id: str
    state: JobStateName | None = None
    error: CancelError | None = None


class CancelAnswers(BaseModel):
    """What became of each."""

    items: list[CancelAnswer]
    next: str | None


class Reason(BaseModel):
    """Why something is so."""

    code: str
    text: str
    values: dict[str, Any]
    until: str | None


class QuotedHour(BaseModel):
    """One hour in which a job might start."""

    start_at: str
    credits: float
    machine_credits: float = Field(description="Of the credits, for the time of machines")
    energy_credits: float = Field(description="Of the credits, for energy at that hour's plan")
    ceiling_credits: float | None = Field(
        description="The most that it costs within its declared time, by a price list"
    )
    gco2: float
    clean_frac: float
    in_time: bool = Field(description="Whether the run would end by the deadline")


class WhyEstimate(BaseModel):
    """When a job should start: by `p50_at` in one case of two, by `p90_at` in nine of ten."""

    p50_at: str
    p90_at: str


class TierQuote(BaseModel):
    """A job in one tier. Figures are those of the start to be expected; kWh at the site meter, all tasks together."""

    starts_now: bool
    reason: Reason | None = Field(description="Why it would not start now")
    n_ahead: int = Field(description="Jobs of its project and tier that wait before it")
    estimate: WhyEstimate | None = Field(description="When it should start, where it waits and that is known")
    start_at: str = Field(
        description="The start that the figures are for: now, when the reason ends, or else by the estimate"
    )
    deadline_at: str | None
    rated_kw: float = Field(description="IT power of one task at full draw, its share of idle power included")
    energy_kwh: float
    credits: float
    machine_credits: float
    energy_credits: float
    ceiling_credits: float | None = Field(
        None, description="What is held for it: the most that it costs in its declared time, whenever it starts"
    )
    gco2: float
    clean_frac: float
    kwh_by_source: dict[str, float]
    best_start_at: str = Field(description="The cheapest start in time")
    best_credits: float
    best_gco2: float
    best_hours: list[QuotedHour]


class Quote(BaseModel):
    """What a job would draw, cost and emit. `labels` say what is assumed."""

    tier: TierName = Field(description="The tier that was declared")
    quoted_at: str
    plan_id: str | None
    time_s: float
    n_tasks: int
    tiers: dict[TierName, TierQuote]
    labels: dict[str, str]


class WhyLine(BaseModel):
    """Where a job stands in the line of its project and tier."""

    n_ahead: int


class WhyShare(BaseModel):
    """Of the park: what the job's project has used lately, and what its weight gives it."""

    project: str
    used_frac: float
    due_frac: float


class WhyPromise(BaseModel):
    """The start that a job was promised first, how late it is or was, and the reason code that made it late."""

    promised_at: str
    told_at: str | None = Field(default=None, description="When it was promised")
    late_s: float
    cause: str | None


class Why(JobEnding):
    """The reasons of a job, and what stands behind them."""

    reasons: list[Reason]
    line: WhyLine | None = None
    share: WhyShare | None = None
    place_at: str | None = Field(default=None, description="From when a place is kept for it")
    promise: WhyPromise | None = None
    estimate: WhyEstimate | None = None
    advice: list[str] = Field(default=[], description="What would change it, in English")
    power: PredictedPower | None = None


class ReceiptLine(BaseModel):
    """A receipt in a list."""

    kwh: float
    credits: float
    method: str


class JobInputView(BaseModel):
    """Data that a job reads; all but `mount` is null where the asker may not know of it."""

    mount: str = Field(description="Its folder below $PARK_INPUTS")
    address: str | None = Field(description="With it the same is read again")
    kind: str | None
    project: str | None
    name: str | None
    commit_id: str | None
    path: str | None = Field(description="A folder or a file of the version; empty: all")


class JobOutputView(BaseModel):
    """A repository to which files of a job are committed; names are null where the asker may not know of it."""

    address: str | None
    kind: str | None
    project: str | None
    name: str | None
    folder: str = Field(description="Of the working folder; empty: its folders of outputs")
    state: Literal["pending", "due", "committed", "waiting", "none"] = Field(
        description="pending: the job is not over; waiting: until somebody has it tried again; none: it did not finish"
    )
    commit_id: str | None
    n_files: int
    size_bytes: int
    text: str = Field(description="Why it is not committed yet")
    fix: str


class JobView(BaseModel):
    """A job as it is now."""

    job_id: str
    name: str
    project: str
    state: JobStateName
    tier: TierName
    job_class: ClassName = Field(alias="class")
    command: list[str]
    labels: dict[str, str] = Field(description="Words about it that its sender gave")
    secrets: list[str] = Field(description="Names of its secret variables")
    submitted_at: str
    started_at: str | None
    ended_at: str | None
    deadline_at: str | None
    exit_code: int | None
    exit_signal: int | None
    reasons: list[Reason]
    attempt: int
    resume_count: int
    n_pauses: int
    ran_s: float
    cap_frac: float
    cpus: float = Field(description="CPUs of each node that it runs on")
    gpus: int = Field(description="GPUs of all its nodes together")
    memory_bytes: int = Field(description="Memory of each node that it runs on")
    nodes: int = Field(description="1, or the whole nodes of a gang")
    min_nodes: int = Field(description="How far it may shrink; 0: it does not")
    gpu_type: str = Field(description="Empty: any")
    kw: float | None = Field(description="IT power that was declared")
    power: PredictedPower | None = Field(description="None for a job that the scheduler has not seen yet")
    time_s: float
    checkpoint: bool
    priority: int
    node: str
    held_nodes: list[str] = Field(description="What it runs on now; an elastic gang may have fewer than `nodes`")
    sandbox_level: str
    detail: str
    array_id: str | None
    task_index: int | None
    n_tasks: int | None
    task_states: dict[str, int] | None
    after: list[str] = Field(description="What it runs after; an id is empty where the asker may not see that job")
    inputs: list[JobInputView]
    outputs: list[JobOutputView]
    output_always: bool = Field(description="Whether its outputs are committed when it has failed too")
    receipt: ReceiptLine | None


class JobPage(BaseModel):
    """A page of jobs in the order that was asked for."""

    items: list[JobView]
    next: str | None


class JobSpan(BaseModel):
    """One stretch of a job's life; `capped` and `ending` are told beside the states."""

    state: str
    from_at: str
    until_at: str | None = Field(description="None while it goes on")
    cap_frac: float
    node: str
    reason: Reason | None


class JobPower(BaseModel):
    """A job's energy in one park hour, and its mean power over the time it held a node in it."""

    from_at: str
    until_at: str
    site_w: float
    kwh: float
    by_source_kwh: dict[str, float]
    gco2: float
    method: str


class SkyHour(BaseModel):
    """What sun, wind and salt could give in one hour, by the newest plan issued before its end; MW."""

    from_at: str
    until_at: str
    clean_mw_p50: float
    p10: float
    p90: float
    by_source_mw: dict[str, float]


class JobHistory(BaseModel):
    """A job's life: for an array, that of its first task."""

    job_id: str
    spans: list[JobSpan]
    power: list[JobPower]
    sky: list[SkyHour]


class GanttRow(BaseModel):
    """A job with its spans in a stretch of time."""

    job_id: str
    name: str
    project: str
    tier: TierName
    state: JobStateName
    node: str
    spans: list[JobSpan]


class GanttPage(BaseModel):
    """Jobs, the latest start first."""

    items: list[GanttRow]
    next: str | None


class PowerReading(BaseModel):
    """Mean power between two instants of park time; real watts."""

    from_at: str
    at: str
    site_w: float
    it_w: float
    idle_w: float = Field(description="The part of `site_w` that is no job's")
    method: str


class PowerPage(BaseModel):
    """Power readings, the oldest first."""

    items: list[PowerReading]
    next: str | None


class TodayHour(BaseModel):
    """One hour of the meter."""

    hour_at: str
    kwh: float
    it_kwh: float
    jobs_kwh: float
    idle_kwh: float
    by_source_kwh: dict[str, float]
    gco2: float
    clean_frac: float | None
    method: str


class Today(BaseModel):
    """The meter since midnight; an hour is covered when at least 95 % of it came from the park's own sky."""

    kwh: float
    gco2: float
    by_source_kwh: dict[str, float]
    clean_frac: float | None = Field(description="None before there is energy")
    hours: list[TodayHour]
    covered_hours: int
    n_hours: int
    method: str


class Flow(BaseModel):
    """Energy from a source to a tier, or to `idle`."""

    source: str
    target: str
    kwh: float


class FlowPage(BaseModel):
    """Energy by source and tier, the largest first."""

    items: list[Flow]
    next: str | None


class ReceiptHour(BaseModel):
    """One park hour of a receipt."""

    hour_at: str
    kwh: float
    it_kwh: float
    kwh_by_source: dict[str, float]
    gco2: float
    credits: float


class ReceiptRefund(BaseModel):
    """Node time of a job that was paid back, with its energy."""

    at: str
    why: Literal["lost_node", "disturbed", "unknown"]
    node_h: float
    credits: float


class Receipt(BaseModel):
    """What a job used and what it costs; kWh at the site meter."""

    model_config = ConfigDict(extra="allow")
    job_id: str
    gpu_h: float
    cpu_h: float
    kwh: float
    it_kwh: float
    kwh_by_source: dict[str, float]
    hours: list[ReceiptHour]
    gco2: float
    credits: float
    refunds: list[ReceiptRefund] = Field([], description="What was taken off, where the park failed the job")
    method: Literal["measured", "modelled"]
    scale_model: bool


class SnapshotFile(Body):
    """One file of a folder."""

    path: str = Field(max_length=4096)
    sha256: str = Field(max_length=64)
    size_bytes: int = Field(ge=0, lt=2**63)
    mode: int = Field(0o644, ge=0, le=0o777, description="Permission bits: 420 is 0o644, 493 is 0o755")


class SnapshotRequest(Body):
    """The files of a folder."""

    files: list[SnapshotFile] = Field(max_length=100_000)


class SnapshotAnswer(BaseModel):
    """The snapshot once nothing is missing; until then the blobs to send."""

    snapshot_id: str | None
    missing: list[str]


class Output(BaseModel):
    """A file that a job wrote."""

    path: str
    size_bytes: int
    modified_at: str


class OutputPage(BaseModel):
    """The files that a job wrote."""

    items: list[Output]
    next: str | None


class ErrorBody(BaseModel):
    """What went wrong and what to do."""

    code: str
    message: str
    fix: str
    request_id: str
    field: str | None = None


class Error(BaseModel):
    """The one form of errors."""

    error: ErrorBody


ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": Error, "description": text}
    for code, text in (
        (401, "Nobody is signed in"),
        (403, "Not allowed"),
        (404, "There is no such thing"),
        (409, "It clashes with what is there"),
        (413, "Too large"),
        (422, "What was sent cannot be used"),
        (429, "Too many requests from one place"),
        (503, "Not now"),
    )
}
