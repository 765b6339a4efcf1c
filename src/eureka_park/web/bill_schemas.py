"""Bodies of the API of prices, grants, budgets, statements, invoices and payouts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body

Credits = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False, description="Credits; 1 credit is 1 MAD")]
Id = Annotated[str, Field(min_length=1, max_length=80)]
Instant = Annotated[str, Field(max_length=40, description="An instant, such as 2027-03-01T00:00:00Z")]
Prices = dict[str, dict[str, float]]


class PriceListRequest(Body):
    """Prices of an hour by tier: of one GPU by type and class of work, of one CPU by class; `*` is any."""

    mad_per_gpu_h: dict[str, dict[str, Any]] = Field(examples=[{"*": {"*": {"firm": 30, "flex": 20, "green": 10}}}])
    mad_per_cpu_h: dict[str, dict[str, Any]] = Field(examples=[{"*": {"firm": 0.6, "flex": 0.4, "green": 0.2}}])
    mad_per_gib_month: float = Field(
        0.0, ge=0, le=1e6, allow_inf_nan=False, description="Of a GiB that is stored for a month"
    )
    label: str = Field("assumption", max_length=200, description="What the prices rest on")
    valid_from: Instant | None = Field(None, description="Since when they hold; default: now")


class PriceListView(BaseModel):
    """A price list as it is kept."""

    valid_from: str
    mad_per_gpu_h: dict[str, Prices]
    mad_per_cpu_h: Prices
    mad_per_gib_month: float = 0.0
    label: str


class PriceListPage(BaseModel):
    """All price lists, the oldest first."""

    items: list[PriceListView]
    next: str | None = None


class GrantRequest(Body):
    """Credits for a project."""

    project: Id
    credits: Credits
    kind: Literal["award", "top_up", "bridge"] = "award"
    title: str = Field("", max_length=200)
    valid_from: Instant | None = None
    valid_until: Instant | None = None
    in_halves: bool = Field(False, description="The second half comes by a report: when half of the first is spent")
    awaits: str = Field("", max_length=200, description="Of a bridge: the grant that it reaches to, and ends with")
    conditions: str = Field("", max_length=2000)


class ReclaimView(BaseModel):
    """What goes back of a grant that is little used."""

    noticed_at: str
    due_at: str
    credits: float
    state: str


class GrantView(BaseModel):
    """A grant, and what is left of it."""

    grant_id: str
    project: str
    kind: str
    title: str
    credits: float
    given_credits: float
    left_credits: float
    used_credits: float
    second_half: Literal["none", "open", "given"]
    valid_from: str
    valid_until: str | None
    conditions: str
    awaits: str
    state: str
    given_at: str
    reclaim: ReclaimView | None


class UsedBy(BaseModel):
    """A part of what was spent of a grant."""

    n_jobs: int
    credits: float
    gpu_h: float
    cpu_h: float
    kwh: float
    gco2: float


class UsedByPerson(UsedBy):
    """By one person."""

    person_id: str


class UsedByWork(UsedBy):
    """For one kind of work."""

    tier: str
    work_class: str = Field(alias="class")
    gpu_type: str = Field(description="Empty: none, or any type")


class UsedByMonth(UsedBy):
    """In one month."""

    month: str


class UsageReport(BaseModel):
    """What was really spent of a grant: by whom, on what, when. What jobs hold or what was moved does not count."""

    grant_id: str
    project: str
    title: str
    at: str
    given_credits: float
    spent_credits: float
    held_credits: float
    left_credits: float
    storage_credits: float = Field(description="Of what was spent, for storage")
    moved_credits: float = Field(description="Moved to other projects, or gone back")
    n_jobs: int
    first_at: str | None
    last_at: str | None
    people: list[UsedByPerson]
    work: list[UsedByWork]
    months: list[UsedByMonth]


class GrantReport(UsageReport):
    """As of now; `released_by` is the report by which the second half came."""

    released_by: UsageReport | None


class GrantPage(BaseModel):
    """Grants."""

    items: list[GrantView]
    next: str | None = None


class TransferRequest(Body):
    """Credits that move to another project of yours."""

    to: Id
    credits: Credits


class BudgetRequest(Body):
    """What a project means to spend."""

    credits: Credits
    period: Literal["month", "total"] = "month"
    thresholds: list[Annotated[int, Field(ge=1, le=100)]] = Field([50, 80, 100], min_length=1, max_length=10)
    action: Literal["notify", "hold"] = Field("notify", description="hold: when it is spent, new jobs are refused")


class BudgetView(BaseModel):
    """A budget, and what is spent of it in its period."""

    name: str
    credits: float
    spent_credits: float
    period: str
    since: str
    thresholds: list[int]
    action: str


class RefundView(BaseModel):
    """What was taken off the bill of a job that the park failed."""

    job_id: str
    at: str
    why: Literal["lost_node", "disturbed", "unknown"]
    node_h: float = Field(description="Hours of a node that were paid back, with their energy")
    credits: float


class StorageMonth(BaseModel):
    """What a project stored in a month."""

    project: str
    month: str
    gib_months: float
    credits: float
    n_days: int = Field(description="Days that are booked")


class Bill(BaseModel):
    """What a project may spend, and by which grants and budgets."""

    project: str
    usable_credits: float
    account_credits: float = Field(description="Credits without end; below zero where it owes")
    grants: list[GrantView]
    budgets: list[BudgetView]
    refunds: list[RefundView] = Field(description="The newest, the newest first")


class StatementDay(BaseModel):
    """One day."""

    date: str
    credits: float
    gpu_h: float
    kwh: float


class Statement(BaseModel):
    """A month of a project or an organisation."""

    project: str | None
    organisation: str | None
    month: str
    n_jobs: int
    credits: float
    gpu_h: dict[str, float]
    cpu_h: float
    kwh_by_source: dict[str, float]
    gco2: float
    gib_months: float = Field(description="Of storage")
    storage_credits: float = Field(description="Not among the credits of jobs")
    days: list[StatementDay]


class CarbonByPlace(BaseModel):
    """As if all energy had come from the public grid."""

    gco2: float
    gco2_per_kwh: float


class CarbonByHour(BaseModel):
    """By the sources of each hour."""

    gco2: float
    gco2_per_kwh: float | None
    matched_kwh: float
    matched_frac: float | None
    kwh_by_source: dict[str, float]


class Carbon(BaseModel):
    """The carbon of a project in a month, two ways that are never added."""

    project: str
    month: str
    kwh: float
    location_based: CarbonByPlace
    hour_matched: CarbonByHour


class TopUpRequest(Body):
    """Credits to be bought for a project."""

    credits: Annotated[float, Field(ge=1, le=1e8, allow_inf_nan=False)]
    currency: str = Field("MAD", min_length=3, max_length=3)


class TopUpView(BaseModel):
    """A request to buy credits."""

    top_up_id: str
    project: str
    organisation: str
    credits: float
    currency: str
    asked_by: str
    asked_at: str
    state: str


class TopUpPage(BaseModel):
    """Requests, the newest first."""

    items: list[TopUpView]
    next: str | None = None


class InvoiceRequest(Body):
    """An invoice or a pro-forma to be issued; the buyer as it stands on it, else as the organisation's billing says."""

    kind: Literal["invoice", "pro_forma"]
    name: str = Field("", max_length=200)
    ice: str = Field("", max_length=32)
    address: str = Field("", max_length=500)


class InvoiceView(BaseModel):
    """An invoice or a pro-forma."""

    name: str
    kind: str
    project: str
    organisation: str
    top_up_id: str
    currency: str
    net: float
    vat: float
    total: float
    issued_at: str
    due_at: str
    paid_at: str | None
    body: dict[str, Any]


class InvoicePage(BaseModel):
    """Invoices, the newest first."""

    items: list[InvoiceView]
    next: str | None = None


class MoneyRulesView(BaseModel):
    """What the operator says of money: `missing` names what invoices need of the seller and nobody has said yet."""

    vat_percent: float
    due_days: float
    series: str
    pro_forma_series: str
    mad_per: dict[str, float]
    seller: dict[str, str]
    missing: list[str]


class HourOfDay(BaseModel):
    """What flowed in one hour of the day over a month."""

    hour: int
    kwh_by_source: dict[str, float]
    gco2: float


class CarbonMonth(BaseModel):
    """A month's energy and carbon by the sources of each hour."""

    month: str
    kwh: float
    grid_kwh: float
    gco2: float


class CarbonHours(BaseModel):
    """A project's energy by hour of the day, and its last twelve months."""

    project: str
    month: str
    hours: list[HourOfDay]
    months: list[CarbonMonth]


class FirstJobStep(BaseModel):
    """How long people waited for one step."""

    n: int
    p50_s: float | None
    p90_s: float | None
    within: list[int] | None


class FirstJobs(BaseModel):
    """Time to first job, of everybody; nobody is named."""

    n_people: int
    bounds_s: list[float]
    steps: dict[str, FirstJobStep]
