"""Companies pay beforehand: a request, a pro-forma, an invoice, the bank's line, credits.

The parts: here requests and invoices, `bank` the bank's lines, `payouts` what annotators are paid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.bank_numbers import check_ice
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.core.days import day_text
from eureka_park.ledger.core.exact import MICRO, micro
from eureka_park.ledger.core.invoicing import INVOICE, PRO_FORMA, amounts_minor
from eureka_park.ledger.core.money_rules import MoneyRules
from eureka_park.ledger.core.posting import Posting, Transaction
from eureka_park.ledger.events import InvoiceIssued, TopUpRequested
from eureka_park.ledger.grants.store import Grant
from eureka_park.ledger.money import store
from eureka_park.ledger.money.bank import Bank
from eureka_park.ledger.money.payouts import Payouts
from eureka_park.ledger.money.store import Invoice, TopUp
from eureka_park.ledger.money.views import invoice_view, top_up_view
from eureka_park.ledger.repeats.service import repeat_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.grants.service import Grants
    from eureka_park.ledger.ground import Detail, LedgerGround

TOP_UP_MAX: Final = 1e8
ASKED: Final = "asked"
INVOICED: Final = "invoiced"
PAID: Final = "paid"
CANCELLED: Final = "cancelled"


class Money:
    """Top-ups, invoices, the bank and payouts of one park. `rules_of`: the operator's settings as of now."""

    def __init__(self, ground: LedgerGround, grants: Grants, rules: MoneyRules | None = None) -> None:
        self._ground, self._grants = ground, grants
        plain = rules or MoneyRules()
        self.rules_of: Callable[[], MoneyRules] = lambda: plain
        self.bank = Bank(ground, self)
        self.payouts = Payouts(ground, lambda: self.rules.seller)

    @property
    def rules(self) -> MoneyRules:
        """VAT, currencies and seller as of now."""
        return self.rules_of()

    # -- top-ups -------------------------------------------------------------------------------------------------------
    def ask_top_up(
        self, who: Principal, project: str, credits: float, currency: str = "MAD", *, key: str = ""
    ) -> dict[str, Any]:
        """Ask to buy credits for a project; the same `key` gives the same request again. For its leads.

        Raises BadInput, Conflict (`key_reused`), Forbidden, NotFound.
        """
        organisation_id = self._ground.gate.project(Act.SPEND, who, project)
        if not 1 <= credits <= TOP_UP_MAX:
            raise BadInput("A top-up is from 1 credit on.", fix="Name how many.", field="credits", code="bad_amount")
        if currency not in self.rules.mad_per:
            known = ", ".join(sorted(self.rules.mad_per))
            raise BadInput(
                f"Nothing is sold in {currency[:3]}.", fix=f"Choose among {known}.", field="currency",
                code="bad_currency",
            )  # fmt: skip
        now_s = self._ground.clock.park_s()
        asked = TopUp(
            self._ground.new_id("topup"), project, organisation_id, micro(credits), currency, who.person_id, now_s,
            ASKED,
        )  # fmt: skip
        wanted = {"project": project, "micro": asked.amount_micro, "currency": currency}
        repeat = repeat_of(who, key, "top_up", wanted)
        with self._ground.db.write() as conn:
            if before := repeat.done(conn, now_s):
                return top_up_view(self._present(conn, before))
            store.save_top_up(conn, asked)
            detail: Detail = {"credits": credits, "project": project}
            self._ground.gate.note(conn, "top_up.asked", who, asked.top_up_id, detail)
            told = TopUpRequested(asked.top_up_id, project, organisation_id, asked.amount_micro, currency)
            self._ground.bus.tell(conn, told)
            repeat.close(conn, asked.top_up_id)
        return top_up_view(asked)

    def cancel_top_up(self, who: Principal, top_up_id: str, project: str = "") -> dict[str, Any]:
        """Take a request back that has no invoice yet. For its project's leads, and for operators.

        With `project` it must be one of that project. Raises Conflict (`invoiced`), Forbidden, NotFound.
        """
        with self._ground.db.read() as conn:
            asked = self._present(conn, top_up_id)
        self._ground.gate.project(Act.SPEND, who, asked.project)
        if project and asked.project != project:
            raise _no_top_up(top_up_id)
        with self._ground.db.write() as conn:
            asked = self._present(conn, top_up_id)
            if asked.state not in (ASKED, CANCELLED):
                raise Conflict("It has its invoice already.", fix="Ask the park.", code="invoiced")
            store.save_top_up(conn, replace(asked, state=CANCELLED))
            self._ground.gate.note(conn, "top_up.cancelled", who, top_up_id, {"project": asked.project})
        return top_up_view(replace(asked, state=CANCELLED))

    def top_ups(self, who: Principal, project: str = "") -> list[dict[str, Any]]:
        """Requests of a project, for those who see its bill, or of all, for operators; the newest first."""
        self._may_see(who, project)
        with self._ground.db.read() as conn:
            return [top_up_view(item) for item in store.top_ups_of(conn, project)]

    def _may_see(self, who: Principal, project: str) -> None:
        if project:
            self._ground.gate.project(Act.SEE_BILL, who, project)
        else:
            self._ground.gate.park(Act.GRANT, who)

    # -- invoices ------------------------------------------------------------------------------------------------------
    def issue(self, who: Principal, top_up_id: str, kind: str, buyer: Mapping[str, str]) -> Invoice:
        """Issue a pro-forma or the invoice of a request; its number is taken with it, so that none is ever missing.

        `buyer`: name, ice, tax_id, address as they stand on it; a Moroccan company names its ICE. For operators.
        """
        self._ground.gate.park(Act.GRANT, who)
        if kind not in (INVOICE, PRO_FORMA):
            raise BadInput("Issue a pro_forma or an invoice.", fix="Choose one.", field="kind", code="bad_kind")
        if not buyer.get("name", "").strip():
            raise BadInput("An invoice names its buyer.", fix="Write who pays.", field="name", code="no_buyer")
        ice = check_ice(buyer["ice"]) if buyer.get("ice") else ""
        now_s = self._ground.clock.park_s()
        with self._ground.db.write() as conn:
            asked = self._present(conn, top_up_id)
            if asked.state == CANCELLED:
                raise Conflict("It was taken back.", fix="Ask for another one.", code="cancelled")
            if asked.state in (INVOICED, PAID):
                raise Conflict("It has its invoice already.", fix="Look at the invoices.", code="invoiced")
            made = self._made(conn, asked, kind, {**buyer, "ice": ice}, now_s)
            self._keep(conn, who, asked, made)
        return made

    def _keep(self, conn: Connection, who: Principal | str, asked: TopUp, made: Invoice) -> None:
        store.add_invoice(conn, made)
        if made.kind == INVOICE:
            store.save_top_up(conn, replace(asked, state=INVOICED))
        detail: Detail = {"total_minor": made.total_minor, "currency": made.currency}
        self._ground.gate.note(conn, "invoice.issued", who, made.name, detail)
        told = InvoiceIssued(made.name, made.kind, made.project, made.organisation_id, made.total_minor, made.currency)
        self._ground.bus.tell(conn, told)

    def _made(self, conn: Connection, asked: TopUp, kind: str, buyer: Mapping[str, str], now_s: float) -> Invoice:
        rules = self.rules
        mad_per = rules.mad_per.get(asked.currency)
        if mad_per is None:
            raise Conflict(
                f"Nothing is sold in {asked.currency} any more.", fix="Name its rate in accounts.toml.",
                code="bad_currency",
            )  # fmt: skip
        net, vat, total = amounts_minor(asked.amount_micro, mad_per, rules.vat_frac)
        body = {
            "seller": dict(rules.seller),
            "buyer": {name: text for name, text in buyer.items() if text},
            "vat_frac": rules.vat_frac,
            "mad_per_unit": mad_per,
            "lines": [{"text": "Credits", "credits": asked.amount_micro / MICRO, "net_minor": net}],
        }
        series = self._series(kind, now_s)
        return Invoice(
            series, store.next_number(conn, series), kind, asked.top_up_id, asked.organisation_id, asked.project,
            asked.currency, net, vat, total, now_s, now_s + rules.due_days * DAY_S, body,
        )  # fmt: skip

    def _series(self, kind: str, now_s: float) -> str:
        prefix = self.rules.series if kind == INVOICE else self.rules.pro_forma_series
        return f"{prefix}-{day_text(self._ground.day_of(now_s))[:4]}"

    def invoices(self, who: Principal, project: str = "", *, is_unpaid: bool = False) -> list[dict[str, Any]]:
        """Invoices of a project, for those who see its bill, or of all, for operators; the newest first."""
        self._may_see(who, project)
        with self._ground.db.read() as conn:
            return [invoice_view(item) for item in store.invoices_of(conn, project=project, is_unpaid=is_unpaid)]

    def invoice(self, who: Principal, name: str) -> Invoice:
        """An invoice by its name, such as EP-2027-000001, for those who see the project's bill. Raises NotFound."""
        with self._ground.db.read() as conn:
            found = self.named(conn, name)
        self._ground.gate.project(Act.SEE_BILL, who, found.project)
        return found

    @staticmethod
    def named(conn: Connection, name: str) -> Invoice:
        """An invoice or a pro-forma by its name. Raises NotFound."""
        series, _, number = name.rpartition("-")
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        found = store.invoice(conn, series, int(number)) if is_number else None
        if found is None:
            raise NotFound(f"There is no invoice {name[:40]}.", fix="List them.", code="no_such_invoice")
        return found

    def _present(self, conn: Connection, top_up_id: str) -> TopUp:
        found = store.top_up(conn, top_up_id)
        if found is None:
            raise _no_top_up(top_up_id)
        return found

    # -- paid ----------------------------------------------------------------------------------------------------------
    def owed_by(self, conn: Connection, item: Invoice) -> Invoice | None:
        """What a payment for it pays: itself, for a pro-forma its invoice where there is one; None: all is paid."""
        if item.kind == INVOICE:
            return item if item.paid_at_s is None else None
        mine = store.invoices_of(conn, top_up_id=item.top_up_id)
        made = next((other for other in mine if other.kind == INVOICE), None)
        if made is not None:
            return made if made.paid_at_s is None else None
        return item if self._present(conn, item.top_up_id).state == ASKED else None

    def paid_in(self, conn: Connection, item: Invoice, now_s: float, by: Principal | str) -> Invoice:
        """Money is in for an invoice or a pro-forma: it is booked, and the credits that it buys are given.

        A pro-forma becomes the invoice, at its own price and buyer. The invoice that is paid.
        """
        asked = self._present(conn, item.top_up_id)
        invoice = item if item.kind == INVOICE else self._from_pro_forma(conn, asked, item, now_s, by)
        currency, bank = invoice.currency.lower(), f"park:bank:{invoice.currency}"
        paid_to = f"organisation:{invoice.organisation_id}:paid" if invoice.organisation_id else "park:paid"
        net, vat = (amount * (MICRO // 100) for amount in (invoice.net_minor, invoice.vat_minor))
        postings = [Posting(bank, currency, net + vat), Posting(paid_to, currency, -net)]
        postings += [Posting("park:vat", currency, -vat)] if vat else []
        self._ground.post(conn, [Transaction(f"paid:{invoice.name}", invoice.name, now_s, tuple(postings))])
        store.set_paid(conn, invoice, now_s)
        store.save_top_up(conn, replace(asked, state=PAID))
        grant = Grant(
            f"grant-{asked.top_up_id}"[:64], asked.project, "paid", f"Invoice {invoice.name}", asked.amount_micro,
            now_s, None, "", now_s, released_at_s=now_s,
        )  # fmt: skip
        self._grants.give_in(conn, grant)
        return invoice

    def _from_pro_forma(
        self, conn: Connection, asked: TopUp, item: Invoice, now_s: float, by: Principal | str
    ) -> Invoice:
        series = self._series(INVOICE, now_s)
        made = replace(
            item, series=series, number=store.next_number(conn, series), kind=INVOICE, issued_at_s=now_s,
            due_at_s=now_s, body={**item.body, "pro_forma": item.name},
        )  # fmt: skip
        self._keep(conn, by, asked, made)
        return made


def _no_top_up(top_up_id: str) -> NotFound:
    return NotFound(f"There is no request {top_up_id[:64]}.", fix="List them.", code="no_such_top_up")
