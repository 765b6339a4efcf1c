"""The bank: its lines, what they pay; payouts to people, and whereto one's own pay goes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from eureka_park.accounts.service import Act
from eureka_park.web import bank_schemas, bill_schemas, schemas
from eureka_park.web.auth import Someone, ThePark, check_recent

router = APIRouter(tags=["bank"], responses=schemas.ERRORS)
LineId = Annotated[str, Path(max_length=64, description="The line")]
BatchId = Annotated[str, Path(max_length=64, description="The batch")]
LineState = Annotated[Literal["", "open", "matched", "aside"], Query(description="Of which state; all without")]
KINDS = {"csv": "text/csv; charset=utf-8", "xml": "application/xml"}


# -- the bank's lines --------------------------------------------------------------------------------------------------
@router.post("/bank", response_model=bank_schemas.BankRead, operation_id="read_bank")
def read_bank(park: ThePark, who: Someone, body: bank_schemas.BankRequest) -> dict[str, Any]:
    """Read a bank's file: payments that name invoices or pro-formas and bring their total give the credits; all others
    stay open. A line counts once, however often it is read. For operators.
    """
    return park.ledger.money.bank.read(who, body.csv, body.currency)


@router.get("/bank/lines", response_model=bank_schemas.BankLinePage, operation_id="bank_lines")
def bank_lines(park: ThePark, who: Someone, state: LineState = "") -> dict[str, Any]:
    """Lines of the bank: open ones with why they are. For operators."""
    bank = park.ledger.money.bank
    return {"items": bank.lines(who, state), "counts": bank.counts(who)}


@router.post("/bank/again", response_model=bank_schemas.BankAgain, operation_id="try_bank_again")
def try_bank_again(park: ThePark, who: Someone) -> dict[str, Any]:
    """Try every open line again. For operators."""
    return park.ledger.money.bank.again(who)


@router.post("/bank/match", response_model=bank_schemas.BankMatched, operation_id="match_bank_lines")
def match_bank_lines(park: ThePark, who: Someone, body: bank_schemas.BankMatchRequest) -> dict[str, Any]:
    """Say what open lines pay; with `with_difference` a rest is booked apart. For operators."""
    return park.ledger.money.bank.match(who, body.lines, body.invoices, with_difference=body.with_difference)


@router.get("/bank/lines/{line_id}/fitting", response_model=bill_schemas.InvoicePage, operation_id="fitting_invoices")
def fitting_invoices(park: ThePark, who: Someone, line_id: LineId) -> dict[str, Any]:
    """What an open line may pay, what fits best first. For operators."""
    return {"items": park.ledger.money.bank.fitting(who, line_id)}


@router.post("/bank/lines/{line_id}/aside", response_model=bank_schemas.BankLineView, operation_id="set_line_aside")
def set_line_aside(park: ThePark, who: Someone, line_id: LineId, body: bank_schemas.AsideRequest) -> dict[str, Any]:
    """Say that an open line pays no invoice. For operators."""
    return park.ledger.money.bank.set_aside(who, line_id, body.note)


@router.post("/bank/lines/{line_id}/back", response_model=bank_schemas.BankLineView, operation_id="put_line_back")
def put_line_back(park: ThePark, who: Someone, line_id: LineId) -> dict[str, Any]:
    """Open a line again that was set aside. For operators."""
    return park.ledger.money.bank.put_back(who, line_id)


# -- payouts -----------------------------------------------------------------------------------------------------------
@router.get("/payouts/owed", response_model=bank_schemas.OwedPage, operation_id="list_owed")
def list_owed(park: ThePark, who: Someone) -> dict[str, Any]:
    """Whom the park owes for labelling. For operators."""
    return {"items": park.ledger.money.payouts.owed(who)}


@router.get("/payouts", response_model=bank_schemas.BatchPage, operation_id="list_payouts")
def list_payouts(park: ThePark, who: Someone) -> dict[str, Any]:
    """Batches of payouts, the newest first. For operators."""
    return {"items": park.ledger.money.payouts.batches(who)}


@router.post("/payouts", status_code=201, response_model=bank_schemas.BatchView, operation_id="make_payout")
def make_payout(park: ThePark, who: Someone, body: bank_schemas.PayoutRequest) -> dict[str, Any]:
    """Gather what these people are owed in a batch; whoever has not said whereto, or changed it less than three days
    ago, stays owed. For operators.
    """
    return park.ledger.money.payouts.make_batch(who, body.person_ids)


@router.get("/payouts/{batch_id}", response_model=bank_schemas.BatchView, operation_id="get_payout")
def get_payout(park: ThePark, who: Someone, batch_id: BatchId) -> dict[str, Any]:
    """A batch with its payments. For operators."""
    return park.ledger.money.payouts.batch(who, batch_id)


@router.get("/payouts/{batch_id}/file", operation_id="payout_file")
def payout_file(
    park: ThePark, who: Someone, batch_id: BatchId, form: Annotated[Literal["csv", "xml"], Query()] = "xml"
) -> Response:
    """A batch as the bank takes it: CSV, or XML (ISO 20022 pain.001.001.03). For operators."""
    text = park.ledger.money.payouts.file(who, batch_id, form)
    head = {"Content-Disposition": f'attachment; filename="{batch_id}.{form}"'}
    return Response(text.encode(), media_type=KINDS[form], headers=head)


# -- one's own pay -----------------------------------------------------------------------------------------------------
@router.get("/account/bank-account", response_model=bank_schemas.BankAccountView, operation_id="get_bank_account")
def get_bank_account(park: ThePark, who: Someone) -> dict[str, Any]:
    """Whereto one's own pay goes, and what one is owed."""
    found = park.ledger.payees.mine(who) or {"holder": None, "iban": None, "changed_at": None}
    return {**found, "owed_mad": park.ledger.money.payouts.mine(who)}


@router.put("/account/bank-account", response_model=bank_schemas.BankAccountView, operation_id="set_bank_account")
def set_bank_account(
    request: Request, park: ThePark, who: Someone, body: bank_schemas.BankAccountRequest
) -> dict[str, Any]:
    """Say whereto one's own pay goes, in a browser, a short while after signing in: no token is enough. A letter tells
    it, and the first pay goes there three days later. Erasing the account takes it away.
    """
    park.accounts.require_park(Act.ACCOUNT, who)
    check_recent(request, who)
    park.ledger.payees.set(who, body.iban, body.holder)
    return get_bank_account(park, who)


@router.delete("/account/bank-account", status_code=204, operation_id="drop_bank_account")
def drop_bank_account(request: Request, park: ThePark, who: Someone) -> None:
    """Forget it, in a browser, a short while after signing in."""
    park.accounts.require_park(Act.ACCOUNT, who)
    check_recent(request, who)
    park.ledger.payees.drop(who)
