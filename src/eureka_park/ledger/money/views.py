"""Requests, invoices and lines of the bank as they are shown."""

from __future__ import annotations

from typing import Any

from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger.core.bank_file import names_in
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.invoicing import PRO_FORMA
from eureka_park.ledger.money.store import BankLine, Invoice, TopUp


def top_up_view(item: TopUp) -> dict[str, Any]:
    """A request as it is shown."""
    return {
        "top_up_id": item.top_up_id,
        "project": item.project,
        "organisation": item.organisation_id,
        "credits": item.amount_micro / MICRO,
        "currency": item.currency,
        "asked_by": item.asked_by,
        "asked_at": iso_from_s(item.asked_at_s),
        "state": item.state,
    }


def invoice_view(item: Invoice) -> dict[str, Any]:
    """An invoice as it is shown."""
    return {
        "name": item.name,
        "kind": item.kind,
        "project": item.project,
        "organisation": item.organisation_id,
        "top_up_id": item.top_up_id,
        "currency": item.currency,
        "net": item.net_minor / 100,
        "vat": item.vat_minor / 100,
        "total": item.total_minor / 100,
        "issued_at": iso_from_s(item.issued_at_s),
        "due_at": iso_from_s(item.due_at_s),
        "paid_at": iso_from_s(item.paid_at_s),
        "body": dict(item.body),
    }


def line_view(line: BankLine, why: str = "") -> dict[str, Any]:
    """A line of the bank as it is shown; `why` it is open, by code."""
    return {
        "line_id": line.line_sha256,
        "date": line.day,
        "amount": line.amount_minor / 100,
        "currency": line.currency,
        "reference": line.reference,
        "invoice": line.invoice or None,
        "invoices": line.invoice.split(),
        "state": line.state,
        "why": why,
        "note": line.note,
        "closed_at": iso_from_s(line.closed_at_s),
        "closed_by": line.closed_by,
    }


def why_open(line: BankLine, named: list[Invoice], n_names: int) -> str:
    """Why a line gave no credits by itself, by code; `named`: what its reference names and is there."""
    if not n_names:
        return "no_name"
    if not named:
        return "unknown_name"
    if all(item.paid_at_s is not None for item in named):
        return "paid_before"
    if any(item.currency != line.currency for item in named):
        return "other_currency"
    return "other_amount"


def closeness(line: BankLine, item: Invoice) -> tuple[int, int, int, float]:
    """How well an invoice fits a line, the best first: the same money, named by it, an invoice, the oldest."""
    is_same = (item.total_minor, item.currency) == (line.amount_minor, line.currency)
    is_named = (item.series, item.number) in names_in(line.reference)
    return (not is_same, not is_named, item.kind == PRO_FORMA, item.issued_at_s)
