"""Top-ups, invoices, and what the operator says of money."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.ledger.money.views import invoice_view
from eureka_park.web import bill_schemas, schemas
from eureka_park.web.api.bills import IdempotencyKey, Lang
from eureka_park.web.auth import Someone, ThePark
from eureka_park.web.pages.papers import invoice_html, language_of, pdf_of

router = APIRouter(tags=["money"], responses=schemas.ERRORS)
TopUpId = Annotated[str, Path(max_length=64, description="The request")]
InvoiceName = Annotated[str, Path(max_length=40, description="The invoice, such as EP-2027-000001")]
ProjectId = Annotated[str, Path(max_length=63, description="The project")]


@router.get("/money/rules", response_model=bill_schemas.MoneyRulesView, operation_id="money_rules")
def money_rules(park: ThePark, _who: Someone) -> dict[str, Any]:
    """VAT, currencies with their rates, and the seller, as accounts.toml says them."""
    rules = park.ledger.money.rules
    return {
        "vat_percent": rules.vat_frac * 100,
        "due_days": rules.due_days,
        "series": rules.series,
        "pro_forma_series": rules.pro_forma_series,
        "mad_per": dict(rules.mad_per),
        "seller": dict(rules.seller),
        "missing": rules.missing,
    }


@router.get("/top-ups", response_model=bill_schemas.TopUpPage, operation_id="list_top_ups")
def list_top_ups(park: ThePark, who: Someone) -> dict[str, Any]:
    """All requests to buy credits, the newest first. For operators."""
    return {"items": park.ledger.money.top_ups(who)}


@router.post(
    "/projects/{project_id}/top-ups",
    status_code=201,
    response_model=bill_schemas.TopUpView,
    operation_id="ask_top_up",
)
def ask_top_up(
    park: ThePark,
    who: Someone,
    project_id: ProjectId,
    body: bill_schemas.TopUpRequest,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Ask to buy credits for a project; the same Idempotency-Key gives the same request again. For its leads."""
    return park.ledger.money.ask_top_up(who, project_id, body.credits, body.currency, key=idempotency_key or "")


@router.get("/projects/{project_id}/top-ups", response_model=bill_schemas.TopUpPage, operation_id="project_top_ups")
def project_top_ups(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """A project's requests to buy credits, the newest first. For its members."""
    return {"items": park.ledger.money.top_ups(who, project_id)}


@router.post(
    "/projects/{project_id}/top-ups/{top_up_id}/cancel",
    response_model=bill_schemas.TopUpView,
    operation_id="cancel_top_up",
)
def cancel_top_up(park: ThePark, who: Someone, project_id: ProjectId, top_up_id: TopUpId) -> dict[str, Any]:
    """Take a request back that has no invoice yet. For its leads."""
    park.accounts.require(Act.SPEND, who, project_id)
    return park.ledger.money.cancel_top_up(who, top_up_id, project_id)


@router.get("/projects/{project_id}/invoices", response_model=bill_schemas.InvoicePage, operation_id="project_invoices")
def project_invoices(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """A project's invoices and pro-formas, the newest first. For its members."""
    return {"items": park.ledger.money.invoices(who, project_id)}


@router.post(
    "/top-ups/{top_up_id}/invoices",
    status_code=201,
    response_model=bill_schemas.InvoiceView,
    operation_id="issue_invoice",
)
def issue_invoice(park: ThePark, who: Someone, top_up_id: TopUpId, body: bill_schemas.InvoiceRequest) -> dict[str, Any]:
    """Issue a pro-forma or the invoice of a request. For operators."""
    given = {"name": body.name, "ice": body.ice, "address": body.address}
    buyer = buyer_of(park, who, top_up_id, given)
    return invoice_view(park.ledger.money.issue(who, top_up_id, body.kind, buyer))


def buyer_of(park: Park, who: Principal, top_up_id: str, given: dict[str, str]) -> dict[str, str]:
    """Who pays a request: what is given, before what the organisation says for its invoices. For operators."""
    park.accounts.require_park(Act.GRANT, who)
    asked = next((item for item in park.ledger.money.top_ups(who) if item["top_up_id"] == top_up_id), None)
    known: dict[str, str] = {}
    if asked is not None and asked["organisation"]:
        place = park.accounts.require_organisation(Act.SEE_BILL, who, asked["organisation"])
        known = {"name": place.name, **place.billing}
    return {**known, **{key: value.strip() for key, value in given.items() if value.strip()}}


@router.get("/invoices", response_model=bill_schemas.InvoicePage, operation_id="list_invoices")
def list_invoices(park: ThePark, who: Someone) -> dict[str, Any]:
    """All invoices and pro-formas, the newest first. For operators."""
    return {"items": park.ledger.money.invoices(who)}


@router.get("/invoices/{name}", response_model=bill_schemas.InvoiceView, operation_id="get_invoice")
def get_invoice(park: ThePark, who: Someone, name: InvoiceName) -> dict[str, Any]:
    """An invoice. For those who see its project's bill."""
    return invoice_view(park.ledger.money.invoice(who, name))


@router.get("/invoices/{name}/pdf", operation_id="invoice_pdf")
def invoice_pdf(request: Request, park: ThePark, who: Someone, name: InvoiceName, lang: Lang = "") -> Response:
    """The same as PDF, in French, Arabic or English; 503 where the park's machine has no browser to print it."""
    told = invoice_view(park.ledger.money.invoice(who, name))
    head = {"Content-Disposition": f'attachment; filename="{told["name"]}.pdf"'}
    made = pdf_of(invoice_html(told, language_of(request, lang)), who.person_id)
    return Response(made, media_type="application/pdf", headers=head)
