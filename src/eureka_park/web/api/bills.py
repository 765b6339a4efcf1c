"""Prices, grants, budgets and statements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger.statements import statement_csv
from eureka_park.web import bill_schemas, schemas
from eureka_park.web.auth import Anyone, Someone, ThePark
from eureka_park.web.pages.papers import language_of, pdf_of, statement_html

router = APIRouter(tags=["bills"], responses=schemas.ERRORS)
ProjectId = Annotated[str, Path(max_length=63, description="The project")]
OrganisationId = Annotated[str, Path(max_length=63, description="The organisation")]
GrantId = Annotated[str, Path(max_length=64, description="The grant")]
Month = Annotated[str, Path(max_length=7, description="A month, such as 2027-03")]
IdempotencyKey = Annotated[
    str | None, Header(max_length=200, description="Names the request: said again, it is done once")
]
Lang = Annotated[str, Query(max_length=8, description="fr, ar or en; else as the browser asks")]
BudgetName = Annotated[str, Path(max_length=63, description="The budget")]


# -- prices ------------------------------------------------------------------------------------------------------------
@router.get("/prices", response_model=bill_schemas.PriceListPage, operation_id="list_prices")
def list_prices(park: ThePark, _who: Anyone) -> dict[str, Any]:
    """The price lists, the oldest first; none where the park holds nothing for work."""
    return {"items": park.ledger.billing.price_lists()}


@router.post("/prices", status_code=201, response_model=bill_schemas.PriceListView, operation_id="set_prices")
def set_prices(park: ThePark, who: Someone, body: bill_schemas.PriceListRequest) -> dict[str, Any]:
    """Set the prices from an instant on. Jobs that were submitted keep theirs. For operators."""
    given = body.model_dump(exclude={"valid_from"})
    made = park.ledger.billing.set_price_list(who, given, _instant(body.valid_from))
    return next(
        item for item in park.ledger.billing.price_lists() if item["valid_from"] == iso_from_s(made.valid_from_s)
    )


# -- grants ------------------------------------------------------------------------------------------------------------
@router.get("/grants", response_model=bill_schemas.GrantPage, operation_id="list_grants")
def list_grants(park: ThePark, who: Someone) -> dict[str, Any]:
    """The grants of all projects. For operators and auditors."""
    return {"items": park.ledger.grants.all(who)}


@router.post("/grants", status_code=201, response_model=bill_schemas.GrantView, operation_id="give_grant")
def give_grant(
    park: ThePark, who: Someone, body: bill_schemas.GrantRequest, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Give credits to a project; the same Idempotency-Key gives the same grant again. For operators."""
    made = park.ledger.grants.give(
        who,
        body.project,
        body.credits,
        kind=body.kind,
        title=body.title,
        valid_from_s=_instant(body.valid_from),
        valid_until_s=_instant(body.valid_until),
        in_halves=body.in_halves,
        conditions=body.conditions,
        awaits=body.awaits,
        key=idempotency_key or "",
    )
    return park.ledger.grants.grant(who, made.grant_id)


@router.post("/grants/{grant_id}/end", response_model=bill_schemas.GrantView, operation_id="end_grant")
def end_grant(park: ThePark, who: Someone, grant_id: GrantId) -> dict[str, Any]:
    """End a grant now; what jobs hold of it stays theirs. For operators."""
    park.ledger.grants.end(who, grant_id)
    return park.ledger.grants.grant(who, grant_id)


@router.post("/grants/{grant_id}/second-half", response_model=bill_schemas.GrantView, operation_id="release_half")
def release_half(park: ThePark, who: Someone, grant_id: GrantId) -> dict[str, Any]:
    """Give the second half of a grant before its report. For operators."""
    park.ledger.grants.release_second_half(who, grant_id)
    return park.ledger.grants.grant(who, grant_id)


@router.get("/grants/{grant_id}/report", response_model=bill_schemas.GrantReport, operation_id="grant_report")
def grant_report(park: ThePark, who: Someone, grant_id: GrantId) -> dict[str, Any]:
    """What was really spent of a grant, by whom and on what. For those who see its project's bill."""
    return park.ledger.grants.report(who, grant_id)


# -- projects ----------------------------------------------------------------------------------------------------------
@router.get("/projects/{project_id}/bill", response_model=bill_schemas.Bill, operation_id="project_bill")
def project_bill(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """What a project may spend, its grants and budgets, and what was paid back. For its members."""
    grants, budgets = park.ledger.grants.of_project(who, project_id), park.ledger.grants.budgets(who, project_id)
    return {
        "project": project_id,
        "usable_credits": park.ledger.grants.usable(project_id, park.clock.park_s()),
        "account_credits": park.ledger.balance(project_id),
        "grants": grants,
        "budgets": budgets,
        "refunds": park.ledger.billing.refunds(who, project_id),
    }


@router.post("/projects/{project_id}/transfers", response_model=bill_schemas.Bill, operation_id="move_credits")
def move_credits(
    park: ThePark,
    who: Someone,
    project_id: ProjectId,
    body: bill_schemas.TransferRequest,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Move credits to another project that one leads; what is left. The same Idempotency-Key moves them once."""
    park.ledger.grants.move(who, project_id, body.to, body.credits, key=idempotency_key or "")
    return project_bill(park, who, project_id)


@router.put("/projects/{project_id}/budgets/{name}", status_code=204, operation_id="set_budget")
def set_budget(
    park: ThePark, who: Someone, project_id: ProjectId, name: BudgetName, body: bill_schemas.BudgetRequest
) -> None:
    """Set a budget. For leads."""
    park.ledger.grants.set_budget(
        who, project_id, name, body.credits, period=body.period, thresholds=body.thresholds, action=body.action
    )


@router.delete("/projects/{project_id}/budgets/{name}", status_code=204, operation_id="drop_budget")
def drop_budget(park: ThePark, who: Someone, project_id: ProjectId, name: BudgetName) -> None:
    """Forget a budget. For leads."""
    park.ledger.grants.drop_budget(who, project_id, name)


# -- statements --------------------------------------------------------------------------------------------------------
@router.get(
    "/projects/{project_id}/statements/{month}", response_model=bill_schemas.Statement, operation_id="statement"
)
def statement(park: ThePark, who: Someone, project_id: ProjectId, month: Month) -> dict[str, Any]:
    """What a project used and paid in a month. For its members."""
    return park.ledger.statements.of_project(who, project_id, month)


@router.get("/projects/{project_id}/statements/{month}/csv", operation_id="statement_csv")
def statement_as_csv(park: ThePark, who: Someone, project_id: ProjectId, month: Month) -> Response:
    """The same as CSV."""
    told = park.ledger.statements.of_project(who, project_id, month)
    return _file(statement_csv(told).encode(), "text/csv; charset=utf-8", f"{project_id}-{month}.csv")


@router.get("/projects/{project_id}/statements/{month}/pdf", operation_id="statement_pdf")
def statement_as_pdf(
    request: Request, park: ThePark, who: Someone, project_id: ProjectId, month: Month, lang: Lang = ""
) -> Response:
    """The same as PDF, in French, Arabic or English; 503 where the park's machine has no browser to print it."""
    told = park.ledger.statements.of_project(who, project_id, month)
    made = pdf_of(statement_html(told, language_of(request, lang), park), who.person_id)
    return _file(made, "application/pdf", f"{project_id}-{month}.pdf")


@router.get(
    "/projects/{project_id}/storage/{month}", response_model=bill_schemas.StorageMonth, operation_id="storage_month"
)
def storage_month(park: ThePark, who: Someone, project_id: ProjectId, month: Month) -> dict[str, Any]:
    """What a project stored in a month, and what that cost. For its members."""
    return park.ledger.storage.month(who, project_id, month)


@router.get("/projects/{project_id}/carbon/{month}", response_model=bill_schemas.Carbon, operation_id="carbon")
def carbon(park: ThePark, who: Someone, project_id: ProjectId, month: Month) -> dict[str, Any]:
    """The carbon of a project in a month, by place and by hour. For its members."""
    return park.ledger.statements.carbon(who, project_id, month, park.site.grid.gco2_per_kwh)


@router.get(
    "/projects/{project_id}/carbon/{month}/hours", response_model=bill_schemas.CarbonHours, operation_id="carbon_hours"
)
def carbon_hours(park: ThePark, who: Someone, project_id: ProjectId, month: Month) -> dict[str, Any]:
    """A project's energy by source and hour of the day over a month, and its twelve months up to it."""
    statements = park.ledger.statements
    hours, months = statements.by_hour_of_day(who, project_id, month), statements.months(who, project_id, month)
    return {"project": project_id, "month": month, "hours": hours, "months": months}


@router.get(
    "/organisations/{organisation_id}/statements/{month}",
    response_model=bill_schemas.Statement,
    operation_id="organisation_statement",
)
def organisation_statement(
    park: ThePark, who: Someone, organisation_id: OrganisationId, month: Month
) -> dict[str, Any]:
    """What an organisation's projects used and paid in a month. For its leads."""
    return park.ledger.statements.of_organisation(who, organisation_id, month)


@router.get("/organisations/{organisation_id}/statements/{month}/csv", operation_id="organisation_statement_csv")
def organisation_statement_csv(park: ThePark, who: Someone, organisation_id: OrganisationId, month: Month) -> Response:
    """The same as CSV."""
    told = park.ledger.statements.of_organisation(who, organisation_id, month)
    return _file(statement_csv(told).encode(), "text/csv; charset=utf-8", f"{organisation_id}-{month}.csv")


@router.get("/organisations/{organisation_id}/statements/{month}/pdf", operation_id="organisation_statement_pdf")
def organisation_statement_pdf(
    request: Request, park: ThePark, who: Someone, organisation_id: OrganisationId, month: Month, lang: Lang = ""
) -> Response:
    """The same as PDF, in French, Arabic or English; 503 where the park's machine has no browser to print it."""
    told = park.ledger.statements.of_organisation(who, organisation_id, month)
    made = pdf_of(statement_html(told, language_of(request, lang), park), who.person_id)
    return _file(made, "application/pdf", f"{organisation_id}-{month}.pdf")


@router.get("/time-to-first-job", response_model=bill_schemas.FirstJobs, operation_id="time_to_first_job")
def time_to_first_job(park: ThePark, _who: Anyone) -> dict[str, Any]:
    """How long people waited for their first job: submitted, started, receipt. For everybody; nobody is named."""
    return park.ledger.first_jobs.published()


def _instant(text: str | None) -> float | None:
    """An instant with its zone, as the API writes them. Raises BadInput."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or not 1971 < read.year < 9000:
        raise BadInput(f"'{text[:40]}' is no instant.", fix="Write it as 2027-03-01T00:00:00Z.", code="bad_instant")
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _file(body: bytes, kind: str, name: str) -> Response:
    return Response(body, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
