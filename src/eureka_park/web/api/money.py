"""Top-ups, invoices, the bank and payouts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from eureka_park.accounts.service import Act
from eureka_park.ledger.money.service import invoice_view
from eureka_park.web import bill_schemas, schemas
from eureka_park.web.auth import Someone, ThePark
from eureka_park.web.bill_print import invoice_html, pdf_of

router = APIRouter(tags=["money"], responses=schemas.ERRORS)
TopUpId = Annotated[str, Path(max_length=64, description="The request")]
InvoiceName = Annotated[str, Path(max_length=40, description="The invoice, such as EP-2027-000001")]
ProjectId = Annotated[str, Path(max_length=63, description="The project")]


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
def ask_top_up(park: ThePark, who: Someone, project_id: ProjectId, body: bill_schemas.TopUpRequest) -> dict[str, Any]:
    """Ask to buy credits for a project. For its leads."""
    return park.ledger.money.ask_top_up(who, project_id, body.credits, body.currency)


@router.get("/projects/{project_id}/top-ups", response_model=bill_schemas.TopUpPage, operation_id="project_top_ups")
def project_top_ups(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """A project's requests to buy credits, the newest first. For its members."""
    return {"items": park.ledger.money.top_ups(who, project_id)}


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
    park.accounts.require_park(Act.GRANT, who)
    asked = next((item for item in park.ledger.money.top_ups(who) if item["top_up_id"] == top_up_id), None)
    buyer = {"name": body.name, "ice": body.ice, "address": body.address}
    if asked is not None and asked["organisation"]:
        known = park.accounts.require_organisation(Act.SEE_BILL, who, asked["organisation"])
        buyer = {"name": known.name, **known.billing, **{key: value for key, value in buyer.items() if value}}
    return invoice_view(park.ledger.money.issue(who, top_up_id, body.kind, buyer))


@router.get("/invoices", response_model=bill_schemas.InvoicePage, operation_id="list_invoices")
def list_invoices(park: ThePark, who: Someone) -> dict[str, Any]:
    """All invoices and pro-formas, the newest first. For operators."""
    return {"items": park.ledger.money.invoices(who)}


@router.get("/invoices/{name}", response_model=bill_schemas.InvoiceView, operation_id="get_invoice")
def get_invoice(park: ThePark, who: Someone, name: InvoiceName) -> dict[str, Any]:
    """An invoice. For those who see its project's bill."""
    return invoice_view(park.ledger.money.invoice(who, name))


@router.get("/invoices/{name}/pdf", operation_id="invoice_pdf")
def invoice_pdf(park: ThePark, who: Someone, name: InvoiceName) -> Response:
    """The same as PDF; 503 where the park's machine has no browser to print it."""
    told = invoice_view(park.ledger.money.invoice(who, name))
    head = {"Content-Disposition": f'attachment; filename="{told["name"]}.pdf"'}
    return Response(pdf_of(invoice_html(told)), media_type="application/pdf", headers=head)


@router.post("/bank", response_model=bill_schemas.BankRead, operation_id="read_bank")
def read_bank(park: ThePark, who: Someone, body: bill_schemas.BankRequest) -> dict[str, Any]:
    """Read a bank's file: payments that name an invoice and bring its total give the credits. For operators."""
    return park.ledger.money.read_bank(who, body.csv)
