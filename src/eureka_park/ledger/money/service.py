"""Companies pay beforehand: a request, a pro-forma, an invoice, the bank's line, credits. Annotators are paid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.units import DAY_S, iso_from_s
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import day_text
from eureka_park.ledger.core.exact import MICRO, micro
from eureka_park.ledger.core.invoicing import MoneyRules, amounts_minor, check_ice, payout_csv, payout_xml, read_bank
from eureka_park.ledger.core.posting import Posting, Transaction, transfer
from eureka_park.ledger.events import InvoiceIssued, TopUpRequested
from eureka_park.ledger.grants.store import Grant
from eureka_park.ledger.money import store
from eureka_park.ledger.money.store import INVOICE, PRO_FORMA, BankLine, Invoice, TopUp

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.grants.service import Grants
    from eureka_park.ledger.ground import Detail, LedgerGround

MAD: Final = "mad"
PAYOUTS: Final = "park:payouts"
TOP_UP_MAX: Final = 1e8


class Money:
    """Top-ups, invoices, the bank and payouts of one park."""

    def __init__(self, ground: LedgerGround, grants: Grants, rules: MoneyRules | None = None) -> None:
        self._ground, self._grants, self.rules = ground, grants, rules or MoneyRules()

    # -- top-ups -------------------------------------------------------------------------------------------------------
    def ask_top_up(self, who: Principal, project: str, credits: float, currency: str = "MAD") -> dict[str, Any]:
        """Ask to buy credits for a project. For its leads. Raises BadInput, Forbidden, NotFound."""
        organisation_id = self._ground.gate.project(Act.SPEND, who, project)
        if not 1 <= credits <= TOP_UP_MAX:
            raise BadInput("A top-up is from 1 credit on.", fix="Name how many.", field="credits", code="bad_amount")
        if currency not in self.rules.mad_per:
            known = ", ".join(sorted(self.rules.mad_per))
            raise BadInput(f"Nothing is sold in {currency[:3]}.", fix=f"Choose among {known}.", field="currency")
        asked = TopUp(
            self._ground.new_id("topup"), project, organisation_id, micro(credits), currency, who.person_id,
            self._ground.clock.park_s(), "asked",
        )  # fmt: skip
        with self._ground.db.write() as conn:
            store.save_top_up(conn, asked)
            detail: Detail = {"credits": credits, "project": project}
            self._ground.gate.note(conn, "top_up.asked", who, asked.top_up_id, detail)
            told = TopUpRequested(asked.top_up_id, project, organisation_id, asked.amount_micro, currency)
            self._ground.bus.tell(conn, told)
        return top_up_view(asked)

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
            raise BadInput("Issue a pro_forma or an invoice.", fix="Choose one.", field="kind")
        ice = check_ice(buyer["ice"]) if buyer.get("ice") else ""
        now_s = self._ground.clock.park_s()
        with self._ground.db.write() as conn:
            asked = self._present(conn, top_up_id)
            if kind == INVOICE and any(item.kind == INVOICE for item in store.invoices_of(conn, top_up_id=top_up_id)):
                raise Conflict("It has its invoice already.", fix="Look at the invoices.", code="invoiced")
            made = self._made(conn, asked, kind, {**buyer, "ice": ice}, now_s)
            store.add_invoice(conn, made)
            if kind == INVOICE:
                store.save_top_up(conn, replace(asked, state="invoiced"))
            detail: Detail = {"total_minor": made.total_minor, "currency": made.currency}
            self._ground.gate.note(conn, "invoice.issued", who, made.name, detail)
            told = InvoiceIssued(made.name, kind, made.project, made.organisation_id, made.total_minor, made.currency)
            self._ground.bus.tell(conn, told)
        return made

    def _made(self, conn: Connection, asked: TopUp, kind: str, buyer: Mapping[str, str], now_s: float) -> Invoice:
        rules = self.rules
        net, vat, total = amounts_minor(asked.amount_micro, rules.mad_per[asked.currency], rules.vat_frac)
        prefix = rules.series if kind == INVOICE else rules.pro_forma_series
        series = f"{prefix}-{day_text(self._ground.day_of(now_s))[:4]}"
        body = {
            "seller": dict(rules.seller),
            "buyer": dict(buyer),
            "vat_frac": rules.vat_frac,
            "mad_per_unit": rules.mad_per[asked.currency],
            "lines": [{"text": "Credits", "credits": asked.amount_micro / MICRO, "net_minor": net}],
        }
        return Invoice(
            series, store.next_number(conn, series), kind, asked.top_up_id, asked.organisation_id, asked.project,
            asked.currency, net, vat, total, now_s, now_s + rules.due_days * DAY_S, body,
        )  # fmt: skip

    def invoices(self, who: Principal, project: str = "") -> list[dict[str, Any]]:
        """Invoices of a project, for those who see its bill, or of all, for operators; the newest first."""
        self._may_see(who, project)
        with self._ground.db.read() as conn:
            return [invoice_view(item) for item in store.invoices_of(conn, project=project)]

    def invoice(self, who: Principal, name: str) -> Invoice:
        """An invoice by its name, such as EP-2027-000001, for those who see the project's bill. Raises NotFound."""
        series, _, number = name.rpartition("-")
        with self._ground.db.read() as conn:
            found = store.invoice(conn, series, int(number)) if number.isdigit() and len(number) < 10 else None
        if found is None:
            raise NotFound(f"There is no invoice {name[:40]}.", fix="List them.", code="no_such_invoice")
        self._ground.gate.project(Act.SEE_BILL, who, found.project)
        return found

    def _present(self, conn: Connection, top_up_id: str) -> TopUp:
        found = store.top_up(conn, top_up_id)
        if found is None:
            raise NotFound(f"There is no request {top_up_id[:64]}.", fix="List them.", code="no_such_top_up")
        return found

    # -- the bank ------------------------------------------------------------------------------------------------------
    def read_bank(self, who: Principal, text: str) -> dict[str, Any]:
        """Read a file of the bank: payments that name an invoice and bring its total give the credits.

        Reading a file again changes nothing. For operators. `matched`, `open`: lines; `n_known`: read before.
        """
        self._ground.gate.park(Act.GRANT, who)
        payments, now_s = read_bank(text), self._ground.clock.park_s()
        told: dict[str, Any] = {"matched": [], "open": [], "n_known": 0}
        with self._ground.db.write() as conn:
            known = store.known_lines(conn, [item.sha256 for item in payments])
            for item in payments:
                if item.sha256 in known:
                    told["n_known"] += 1
                    continue
                paid = self._invoice_of(conn, item.invoice, item.amount_minor, item.currency)
                state = "matched" if paid is not None else "open"
                name = paid.name if paid is not None else ""
                line = BankLine(
                    item.sha256, item.day, item.amount_minor, item.currency, item.reference, name, state, now_s
                )
                store.add_line(conn, line)
                if paid is not None:
                    self._paid(conn, paid, now_s)
                told[state].append(line_view(line))
            detail: Detail = {"matched": len(told["matched"]), "open": len(told["open"])}
            self._ground.gate.note(conn, "bank.read", who, "park", detail)
        return told

    @staticmethod
    def _invoice_of(conn: Connection, named: tuple[str, int] | None, amount: int, currency: str) -> Invoice | None:
        found = store.invoice(conn, *named) if named else None
        if found is None or found.kind != INVOICE or found.paid_at_s is not None:
            return None
        return found if (found.total_minor, found.currency) == (amount, currency) else None

    def _paid(self, conn: Connection, invoice: Invoice, now_s: float) -> None:
        """Money is in: it is booked, and the credits that it buys are given."""
        currency, bank = invoice.currency.lower(), f"park:bank:{invoice.currency}"
        paid_to = f"organisation:{invoice.organisation_id}:paid" if invoice.organisation_id else "park:paid"
        net, vat = (amount * (MICRO // 100) for amount in (invoice.net_minor, invoice.vat_minor))
        postings = [Posting(bank, currency, net + vat), Posting(paid_to, currency, -net)]
        postings += [Posting("park:vat", currency, -vat)] if vat else []
        self._ground.post(conn, [Transaction(f"paid:{invoice.name}", invoice.name, now_s, tuple(postings))])
        store.set_paid(conn, invoice, now_s)
        asked = self._present(conn, invoice.top_up_id)
        store.save_top_up(conn, replace(asked, state="paid"))
        grant_id = f"grant-{asked.top_up_id}"[:64]
        grant = Grant(
            grant_id, asked.project, "paid", f"Invoice {invoice.name}", asked.amount_micro, now_s, None, "", now_s,
            released_at_s=now_s,
        )  # fmt: skip
        self._grants.give_in(conn, grant)

    def bank_lines(self, who: Principal) -> list[dict[str, Any]]:
        """Lines of the bank, the newest first. For operators."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            return [line_view(item) for item in store.lines(conn)]

    # -- payouts -------------------------------------------------------------------------------------------------------
    def earn(self, conn: Connection, person_id: str, mad: float, key: str, why: str, at_s: float) -> bool:
        """Note what somebody has earned, inside the caller's transaction, once for each `key`; whether it was new."""
        if not 0 < mad <= TOP_UP_MAX:
            raise BadInput("Pay must be above 0.", fix="Name how much.", field="mad", code="bad_amount")
        deed = transfer(
            f"earn:{key}"[:200], why[:200], at_s, source=PAYOUTS, target=pay_account(person_id), commodity=MAD,
            amount_micro=micro(mad),
        )  # fmt: skip
        return self._ground.post(conn, [deed]) == 1

    def make_batch(self, who: Principal, person_ids: list[str]) -> dict[str, Any]:
        """Gather what these people have earned, in whole centimes, to be paid out together. For operators.

        Raises Conflict where nobody has anything to be paid.
        """
        self._ground.gate.park(Act.GRANT, who)
        now_s, batch_id = self._ground.clock.park_s(), self._ground.new_id("payout")
        with self._ground.db.write() as conn:
            accounts = {pay_account(name): name for name in person_ids}
            held = books.balances_of(conn, list(accounts), MAD)
            cent = MICRO // 100
            amounts = {accounts[name]: left // cent * cent for name, left in held.items() if left >= cent}
            if not amounts:
                raise Conflict("Nobody has anything to be paid.", fix="Wait until somebody has.", code="nothing_to_pay")
            deeds = [
                transfer(
                    f"payout:{batch_id}:{name}", batch_id, now_s, source=pay_account(name), target="park:bank:MAD",
                    commodity=MAD, amount_micro=amount,
                )
                for name, amount in amounts.items()
            ]  # fmt: skip
            self._ground.post(conn, deeds)
            store.add_batch(conn, batch_id, now_s, who.person_id, amounts)
            self._ground.gate.note(conn, "payout.made", who, batch_id, {"n": len(amounts)})
        return {"batch_id": batch_id, "n": len(amounts), "mad": sum(amounts.values()) / MICRO}

    def payout_file(self, who: Principal, batch_id: str, payees: Mapping[str, Mapping[str, str]], form: str) -> str:
        """A batch as the bank takes it, `csv` or `xml` (pain.001). `payees`: name and iban by person, from accounts."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            amounts = store.batch(conn, batch_id)
            made = next((row["made_at_s"] for row in store.batches(conn) if row["batch_id"] == batch_id), 0.0)
        if not amounts:
            raise NotFound(f"There is no batch {batch_id[:64]}.", fix="List them.", code="no_such_batch")
        if form == "xml":
            return payout_xml(batch_id, str(iso_from_s(made)), amounts, payees, self.rules.seller)
        return payout_csv(batch_id, amounts, payees)


def pay_account(person_id: str) -> str:
    """What somebody has earned and was not paid yet."""
    return f"worker:{person_id}:pay"


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


def line_view(line: BankLine) -> dict[str, Any]:
    """A line of the bank as it is shown."""
    return {
        "date": line.day,
        "amount": line.amount_minor / 100,
        "currency": line.currency,
        "reference": line.reference,
        "invoice": line.invoice or None,
        "state": line.state,
    }
