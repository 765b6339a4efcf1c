"""What other rooms tell, as notices to people: the one place that says which fact is which notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eureka_park.accounts.events import RoleGiven, SignedIn, TokenMade
from eureka_park.accounts.notices.service import Notices
from eureka_park.foundation.bus import Bus
from eureka_park.ledger import events as ledger

if TYPE_CHECKING:
    from sqlalchemy import Connection


def listen(bus: Bus, notices: Notices) -> None:
    """Have facts of accounts and ledger told to whom they are about, in the transactions in which they come about."""
    bus.on(SignedIn, lambda conn, it: notices.signed_in(conn, it.person_id, it.address, it.client, it.method))
    bus.on(TokenMade, lambda conn, it: _token_made(notices, conn, it))
    bus.on(RoleGiven, lambda conn, it: _role_given(notices, conn, it))
    bus.on(ledger.HoldRefused, lambda conn, it: _unpaid(notices, conn, it))
    bus.on(ledger.BudgetReached, lambda conn, it: _budget(notices, conn, it))
    bus.on(ledger.GrantGiven, lambda conn, it: _grant_given(notices, conn, it))
    bus.on(ledger.GrantEnding, lambda conn, it: _grant_ending(notices, conn, it))
    bus.on(ledger.GrantReclaimNoticed, lambda conn, it: _reclaim(notices, conn, it))
    bus.on(ledger.GrantReclaimed, lambda conn, it: _reclaimed(notices, conn, it))
    bus.on(ledger.InvoiceIssued, lambda conn, it: _invoice(notices, conn, it))
    bus.on(ledger.TopUpRequested, lambda conn, it: _top_up(notices, conn, it))


def _token_made(notices: Notices, conn: Connection, it: TokenMade) -> None:
    notices.tell_person(conn, "token.made", it.person_id, it.token_id, name=it.name)


def _role_given(notices: Notices, conn: Connection, it: RoleGiven) -> None:
    notices.role_given(conn, it.holder_id, it.role, it.scope)


def _unpaid(notices: Notices, conn: Connection, it: ledger.HoldRefused) -> None:
    notices.tell_person(conn, "job.unpaid", it.person_id, it.job_id, project=it.project)


def _budget(notices: Notices, conn: Connection, it: ledger.BudgetReached) -> None:
    notices.tell_project(
        conn, "budget.reached", it.project, it.project, name=it.name, threshold_pct=it.threshold_pct,
        spent_micro=it.spent_micro, amount_micro=it.amount_micro, is_held=it.is_held,
    )  # fmt: skip


def _grant_given(notices: Notices, conn: Connection, it: ledger.GrantGiven) -> None:
    if it.kind != "try":  # whoever gets it has just come and sees it
        notices.tell_project(
            conn, "grant.given", it.project, it.grant_id, amount_micro=it.amount_micro, valid_until_s=it.valid_until_s
        )


def _grant_ending(notices: Notices, conn: Connection, it: ledger.GrantEnding) -> None:
    notices.tell_project(
        conn, "grant.ending", it.project, it.grant_id, left_micro=it.left_micro, valid_until_s=it.valid_until_s,
        is_over=it.is_over,
    )  # fmt: skip


def _reclaim(notices: Notices, conn: Connection, it: ledger.GrantReclaimNoticed) -> None:
    notices.tell_project(
        conn, "grant.reclaim_noticed", it.project, it.grant_id, amount_micro=it.amount_micro, due_at_s=it.due_at_s
    )


def _reclaimed(notices: Notices, conn: Connection, it: ledger.GrantReclaimed) -> None:
    notices.tell_project(conn, "grant.reclaimed", it.project, it.grant_id, amount_micro=it.amount_micro)


def _invoice(notices: Notices, conn: Connection, it: ledger.InvoiceIssued) -> None:
    notices.tell_project(
        conn, "invoice.issued", it.project, it.name, kind=it.kind, total_minor=it.total_minor, currency=it.currency
    )


def _top_up(notices: Notices, conn: Connection, it: ledger.TopUpRequested) -> None:
    notices.tell_operators(
        conn, "top_up.requested", it.top_up_id, project=it.project, amount_micro=it.amount_micro, currency=it.currency
    )
