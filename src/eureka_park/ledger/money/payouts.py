"""What people have earned by labelling: owed, gathered in batches, and written as the bank takes it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.units import iso_from_s
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.exact import MICRO, micro
from eureka_park.ledger.core.payout_files import payout_csv, payout_xml
from eureka_park.ledger.core.posting import transfer
from eureka_park.ledger.money import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.ground import LedgerGround

MAD: Final = "mad"
PAYOUTS: Final = "park:payouts"
PAY_MAX: Final = 1e8
CENT: Final = MICRO // 100
FORMS: Final = ("csv", "xml")
Payees = Mapping[str, Mapping[str, str]]


class Payouts:
    """Pay of one park. `payees` tells name and IBAN by person, from accounts: the ledger keeps neither; `fresh` those
    of some people whose account was changed so short ago that nothing is paid there yet.
    """

    def __init__(self, ground: LedgerGround, payer: Callable[[], Mapping[str, str]]) -> None:
        self._ground, self._payer = ground, payer
        self.payees: Callable[[Connection, Sequence[str]], Payees] = lambda _conn, _ids: {}
        self.fresh: Callable[[Connection, Sequence[str]], Collection[str]] = lambda _conn, _ids: ()

    def earn(self, conn: Connection, person_id: str, mad: float, key: str, why: str, at_s: float) -> bool:
        """Note what somebody has earned, inside the caller's transaction, once for each `key`; whether it was new."""
        if not 0 < mad <= PAY_MAX:
            raise BadInput("Pay must be above 0.", fix="Name how much.", field="mad", code="bad_amount")
        deed = transfer(
            f"earn:{key}"[:200], why[:200], at_s, source=PAYOUTS, target=pay_account(person_id), commodity=MAD,
            amount_micro=micro(mad),
        )  # fmt: skip
        return self._ground.post(conn, [deed]) == 1

    def mine(self, who: Principal) -> float:
        """What oneself has earned and was not paid yet, MAD."""
        with self._ground.db.read() as conn:
            return books.balance_micro(conn, pay_account(who.person_id), MAD) / MICRO

    def owed(self, who: Principal) -> list[dict[str, Any]]:
        """Whom the park owes a centime or more: person_id, mad, has_account (it is known whereto), is_fresh (since so
        short that it is not paid yet). For operators.
        """
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            found = {
                account.split(":")[1]: left for account, left in store.owed(conn, pay_account("%"), MAD, CENT).items()
            }
            known, fresh = self.payees(conn, list(found)), self.fresh(conn, list(found))
        return [
            {"person_id": name, "mad": left // CENT / 100, "has_account": name in known, "is_fresh": name in fresh}
            for name, left in sorted(found.items())
        ]

    def make_batch(self, who: Principal, person_ids: Sequence[str]) -> dict[str, Any]:
        """Gather what these people have earned, in whole centimes, to be paid out together. For operators.

        Whoever has not said whereto, or changed it a short while ago, stays owed.
        Raises Conflict where nobody has anything that can be paid.
        """
        self._ground.gate.park(Act.GRANT, who)
        now_s, batch_id = self._ground.clock.park_s(), self._ground.new_id("payout")
        with self._ground.db.write() as conn:
            wanted = list(dict.fromkeys(person_ids))
            known, fresh = self.payees(conn, wanted), self.fresh(conn, wanted)
            accounts = {pay_account(name): name for name in known if name not in fresh}
            held = books.balances_of(conn, list(accounts), MAD)
            amounts = {accounts[name]: left // CENT * CENT for name, left in held.items() if left >= CENT}
            if not amounts:
                raise Conflict(
                    "Nobody of them has anything that can be paid.",
                    fix="Wait until somebody has, and has said whereto.", code="nothing_to_pay",
                )  # fmt: skip
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
        return self.batch(who, batch_id)

    def batches(self, who: Principal) -> list[dict[str, Any]]:
        """Batches, the newest first. For operators."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            return [_view(row) for row in store.batches(conn)]

    def batch(self, who: Principal, batch_id: str) -> dict[str, Any]:
        """A batch, with `payments`: person_id, mad. For operators. Raises NotFound."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.read() as conn:
            row, amounts = self._row(conn, batch_id), store.batch(conn, batch_id)
        payments = [{"person_id": name, "mad": amount / MICRO} for name, amount in amounts.items()]
        return {**_view(row), "payments": payments}

    @staticmethod
    def _row(conn: Connection, batch_id: str) -> dict[str, Any]:
        found = store.batches(conn, batch_id)
        if not found:
            raise NotFound(f"There is no batch {batch_id[:64]}.", fix="List them.", code="no_such_batch")
        return found[0]

    def file(self, who: Principal, batch_id: str, form: str) -> str:
        """A batch as the bank takes it, `csv` or `xml` (pain.001), dated as it was made. For operators.

        Raises BadInput where an account, also the park's own, is not known; NotFound.
        """
        self._ground.gate.park(Act.GRANT, who)
        if form not in FORMS:
            raise BadInput("A bank's file is csv or xml.", fix="Choose one.", field="form", code="bad_form")
        with self._ground.db.write() as conn:
            row, amounts = self._row(conn, batch_id), store.batch(conn, batch_id)
            payees, fresh = self.payees(conn, list(amounts)), self.fresh(conn, list(amounts))
            self._ground.gate.note(conn, "payout.file", who, batch_id, {"form": form})
        missing = sum(name not in payees for name in amounts)
        if missing:
            raise Conflict(
                f"{missing} of them have taken their bank account away since.",
                fix="Pay them by hand, from the list of the batch.", code="payee_gone",
            )  # fmt: skip
        if fresh:
            raise Conflict(
                f"{len(fresh)} of them have changed their bank account in the last three days.",
                fix="Take the file when three days have passed, or ask them.", code="payee_fresh",
            )  # fmt: skip
        if form == "xml":
            return payout_xml(batch_id, str(iso_from_s(row["made_at_s"])), amounts, payees, self._payer())
        return payout_csv(batch_id, amounts, payees)


def _view(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "batch_id": row["batch_id"], "made_at": iso_from_s(row["made_at_s"]), "made_by": row["made_by"],
        "n": row["n"], "mad": row["total_micro"] / MICRO,
    }  # fmt: skip


def pay_account(person_id: str) -> str:
    """What somebody has earned and was not paid yet."""
    return f"worker:{person_id}:pay"
