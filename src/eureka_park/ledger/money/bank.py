"""The bank's lines: those that name what they pay and bring its sum give credits; all others wait here for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.ledger.core.bank_file import NAMES_MAX, names_in, read_bank
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.posting import transfer
from eureka_park.ledger.money import store
from eureka_park.ledger.money.store import ASIDE, MATCHED, OPEN, BankLine, Invoice
from eureka_park.ledger.money.views import closeness, invoice_view, line_view, why_open

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.ground import Detail, LedgerGround
    from eureka_park.ledger.money.service import Money

FITTING_MAX: Final = 40


class Bank:
    """Lines of the bank of one park."""

    def __init__(self, ground: LedgerGround, money: Money) -> None:
        self._ground, self._money = ground, money

    # -- reading -------------------------------------------------------------------------------------------------------
    def read(self, who: Principal, text: str, currency: str = "") -> dict[str, Any]:
        """Read a file of the bank: payments that name invoices or pro-formas and bring their total give the credits.

        A line counts once, however often it is read; one that is still open is tried again. For operators.
        `matched`, `open`: lines; `n_known`: read before. `currency`: of the account, where no column says it.
        """
        self._ground.gate.park(Act.GRANT, who)
        payments, now_s = read_bank(text, currency), self._ground.clock.park_s()
        told: dict[str, Any] = {"matched": [], "open": [], "n_known": 0}
        with self._ground.db.write() as conn:
            known = store.known_lines(conn, [item.sha256 for item in payments])
            told["n_known"] = sum(item.sha256 in known for item in payments)
            for item in payments:
                if item.sha256 in known:
                    continue
                line = BankLine(
                    item.sha256, item.day, item.amount_minor, item.currency, item.reference, "", OPEN, now_s
                )
                store.add_line(conn, line)
                line, why = self._tried(conn, who, line, now_s)
                told[line.state].append(line_view(line, why))
            told["matched"] += self._open_again(conn, who, sorted(known), now_s)
            detail: Detail = {"matched": len(told["matched"]), "open": len(told["open"])}
            self._ground.gate.note(conn, "bank.read", who, "park", detail)
        return told

    def again(self, who: Principal) -> dict[str, Any]:
        """Try every open line again, as after an invoice was issued late. `matched`: lines; `n_open`: still open."""
        self._ground.gate.park(Act.GRANT, who)
        now_s, matched = self._ground.clock.park_s(), list[dict[str, Any]]()
        with self._ground.db.write() as conn:
            ids = [line.line_sha256 for line in store.lines(conn, OPEN, limit=100_000)]
            matched = self._open_again(conn, who, ids, now_s)
            self._ground.gate.note(conn, "bank.tried_again", who, "park", {"matched": len(matched)})
            n_open = store.n_lines(conn).get(OPEN, 0)
        return {"matched": matched, "n_open": n_open}

    def _open_again(self, conn: Connection, who: Principal, line_ids: Sequence[str], now_s: float) -> list[Any]:
        found = []
        for start in range(0, len(line_ids), 500):
            for line in store.lines_named(conn, line_ids[start : start + 500]):
                if line.state == OPEN:
                    tried, _ = self._tried(conn, who, line, now_s)
                    found += [line_view(tried)] if tried.state == MATCHED else []
        return found

    def _tried(self, conn: Connection, who: Principal, line: BankLine, now_s: float) -> tuple[BankLine, str]:
        """A line after it was tried: matched, or open with the reason."""
        names = names_in(line.reference)
        found = [item for item in (store.invoice(conn, *name) for name in names) if item is not None]
        owed = list({item.name: item for item in self._owed(conn, found)}.values())
        is_all = bool(owed) and all(item.currency == line.currency for item in owed)
        if is_all and sum(item.total_minor for item in owed) == line.amount_minor:
            return self._match(conn, who, [line], owed, now_s, by="")[0], ""
        return line, why_open(line, found, len(names))

    def _owed(self, conn: Connection, named: Sequence[Invoice]) -> list[Invoice]:
        found = (self._money.owed_by(conn, item) for item in named)
        return [item for item in found if item is not None]

    def _match(
        self,
        conn: Connection,
        who: Principal,
        lines: Sequence[BankLine],
        owed: Sequence[Invoice],
        now_s: float,
        by: str,
    ) -> list[BankLine]:
        paid = [self._money.paid_in(conn, item, now_s, who).name for item in owed]
        done = [replace(line, invoice=" ".join(paid), state=MATCHED, closed_at_s=now_s, closed_by=by) for line in lines]
        for line in done:
            store.save_line(conn, line)
        return done

    # -- by hand -------------------------------------------------------------------------------------------------------
    def match(
        self, who: Principal, line_ids: Sequence[str], names: Sequence[str], *, with_difference: bool = False
    ) -> dict[str, Any]:
        """Say what open lines pay: one or several lines, one or several invoices or pro-formas. For operators.

        Where their sums differ (a bank kept its fee), `with_difference` books the rest apart and takes the invoices as
        paid. Raises BadInput, Conflict (`other_currency`, `other_amount`, `paid_before`, `not_open`), NotFound.
        """
        self._ground.gate.park(Act.GRANT, who)
        if not 0 < len(set(line_ids)) <= 50 or not 0 < len(set(names)) <= NAMES_MAX:
            raise BadInput("Name lines, and what they pay.", fix="Choose an invoice.", code="nothing_chosen")
        now_s = self._ground.clock.park_s()
        with self._ground.db.write() as conn:
            lines = self._open_lines(conn, line_ids)
            owed = self._chosen(conn, names)
            over = _difference(lines, owed)
            if over and not with_difference:
                raise Conflict(
                    f"It brings {_money(over, lines[0].currency)} {'more' if over > 0 else 'less'} than is asked for.",
                    fix="Choose other ones, or say that the difference is accepted.", code="other_amount",
                    field="with_difference",
                )  # fmt: skip
            done = self._match(conn, who, lines, owed, now_s, by=who.person_id)
            if over:
                self._book_difference(conn, done[0], over, now_s)
            detail: Detail = {"invoices": done[0].invoice, "lines": len(lines), "difference_minor": over}
            self._ground.gate.note(conn, "bank.matched", who, done[0].line_sha256[:16], detail)
        return {"matched": [line_view(line) for line in done], "difference": over / 100}

    def _chosen(self, conn: Connection, names: Sequence[str]) -> list[Invoice]:
        owed = {}
        for name in dict.fromkeys(names):
            item = self._money.owed_by(conn, self._money.named(conn, name))
            if item is None:
                raise Conflict(f"{name[:40]} is paid already.", fix="Choose another one.", code="paid_before")
            owed[item.name] = item
        return list(owed.values())

    def _book_difference(self, conn: Connection, line: BankLine, over_minor: int, now_s: float) -> None:
        deed = transfer(
            f"difference:{line.line_sha256}", line.invoice[:200], now_s, source="park:differences",
            target=f"park:bank:{line.currency}", commodity=line.currency.lower(),
            amount_micro=over_minor * (MICRO // 100),
        )  # fmt: skip
        self._ground.post(conn, [deed])

    def set_aside(self, who: Principal, line_id: str, note: str = "") -> dict[str, Any]:
        """Say that an open line pays no invoice (interest, a refund): it is kept with a note. For operators."""
        return self._turned(who, line_id, OPEN, ASIDE, note)

    def put_back(self, who: Principal, line_id: str) -> dict[str, Any]:
        """Open a line again that was set aside. For operators. Raises Conflict, NotFound."""
        return self._turned(who, line_id, ASIDE, OPEN, "")

    def _turned(self, who: Principal, line_id: str, old: str, new: str, note: str) -> dict[str, Any]:
        self._ground.gate.park(Act.GRANT, who)
        now_s = self._ground.clock.park_s()
        with self._ground.db.write() as conn:
            line = self._lines_in(conn, [line_id], old)[0]
            closed_at_s, by = (now_s, who.person_id) if new == ASIDE else (None, "")
            line = replace(line, state=new, note=note.strip()[:200], closed_at_s=closed_at_s, closed_by=by)
            store.save_line(conn, line)
            self._ground.gate.note(conn, f"bank.{'set_aside' if new == ASIDE else 'put_back'}", who, line_id[:16], {})
        return line_view(line)

    def _open_lines(self, conn: Connection, line_ids: Sequence[str]) -> list[BankLine]:
        return self._lines_in(conn, line_ids, OPEN)

    @staticmethod
    def _lines_in(conn: Connection, line_ids: Sequence[str], state: str) -> list[BankLine]:
        wanted = sorted(set(line_ids))
        found = store.lines_named(conn, wanted)
        if len(found) < len(wanted):
            raise NotFound("There is no such line of the bank.", fix="List them.", code="no_such_line")
        if any(line.state != state for line in found):
            raise Conflict("That line was dealt with already.", fix="Look at the list again.", code="not_open")
        return found

    # -- looking -------------------------------------------------------------------------------------------------------
    def lines(self, who: Principal, state: str = "", limit: int = 500) -> list[dict[str, Any]]:
        """Lines of the bank, open ones with why they are, the oldest first; others with the newest first."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            return [line_view(line, self._why(conn, line)) for line in store.lines(conn, state, limit)]

    def counts(self, who: Principal) -> dict[str, int]:
        """How many lines there are: `open`, `matched`, `aside`."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            return {OPEN: 0, MATCHED: 0, ASIDE: 0, **store.n_lines(conn)}

    def fitting(self, who: Principal, line_id: str) -> list[dict[str, Any]]:
        """What an open line may pay, what fits best first: unpaid invoices, and pro-formas without an invoice."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            line = self._open_lines(conn, [line_id])[0]
            unpaid = self._unpaid(conn)
        return [invoice_view(item) for item in sorted(unpaid, key=lambda item: closeness(line, item))[:FITTING_MAX]]

    def unpaid(self, who: Principal) -> list[dict[str, Any]]:
        """All that somebody may still pay, the newest first."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            return [invoice_view(item) for item in self._unpaid(conn)]

    def _unpaid(self, conn: Connection) -> list[Invoice]:
        found = store.invoices_of(conn, is_unpaid=True, limit=2000)
        return [item for item in found if self._money.owed_by(conn, item) == item]

    @staticmethod
    def _why(conn: Connection, line: BankLine) -> str:
        if line.state != OPEN:
            return ""
        names = names_in(line.reference)
        found = [item for item in (store.invoice(conn, *name) for name in names) if item is not None]
        return why_open(line, found, len(names))


def _difference(lines: Sequence[BankLine], owed: Sequence[Invoice]) -> int:
    """By how many hundredths lines bring more than is asked for. Raises Conflict where currencies are mixed."""
    if len({*(line.currency for line in lines), *(item.currency for item in owed)}) > 1:
        raise Conflict("They are in different currencies.", fix="Choose others.", code="other_currency")
    return sum(line.amount_minor for line in lines) - sum(item.total_minor for item in owed)


def _money(minor: int, currency: str) -> str:
    return f"{abs(minor) / 100:,.2f} {currency}"
