"""GiB-months of storage: whoever keeps data says each day how much lay there, and it is booked and charged once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import day_text, days_of, start_s
from eureka_park.ledger.core.exact import MICRO
from eureka_park.ledger.core.posting import CREDIT, GIB_MONTH, STORE, project_account, used_account
from eureka_park.ledger.core.storing import gib_month_micro, stored, stored_gib

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.billing.service import Billing
    from eureka_park.ledger.grants.service import Grants
    from eureka_park.ledger.ground import LedgerGround

_DAYS_MAX: Final = 31  # made up for at most


class Storage:
    """The storage of one park, as the books see it."""

    def __init__(self, ground: LedgerGround, grants: Grants, billing: Billing) -> None:
        self._ground, self._grants, self._billing = ground, grants, billing

    def book_day(self, conn: Connection, project: str, at_s: float, n_bytes: int) -> int:
        """Book what a project stored on the day (by the site's calendar) that holds `at_s`, and charge it by the list
        in force then; the micro-credits. Said again for that day, nothing happens and it is 0, whatever the size.

        What ends first is spent first. Storage is not refused for want of credit: what is not there the project owes.
        """
        if n_bytes < 0:
            raise BadInput(f"{n_bytes} bytes cannot be stored.", fix="Say how many there are.", field="n_bytes")
        day = self._ground.day_of(at_s)
        amount = gib_month_micro(n_bytes, day)
        if amount == 0 or books.known(conn, [f"{STORE}:{project}:{day}"]):
            return 0
        prices = self._billing.price_list_in(conn, at_s)
        cost = round(amount * prices.mad_per_gib_month) if prices is not None else 0
        purse = self._grants.purse(conn, project, at_s)
        taken = purse.take(min(cost, purse.total_micro))
        owed = cost - sum(taken.values())
        if owed:
            own = project_account(project)
            taken[own] = taken.get(own, 0) + owed
        self._ground.post(conn, [stored(project, day, at_s, amount, taken)])
        if cost:
            self._grants.look_at_budgets(conn, project, at_s)
        return cost

    def days_since(self, last_day: int | None, now_s: float) -> list[tuple[int, float]]:
        """The days after one up to today, with an instant in each; today alone where none was booked yet, and of a long
        while the last month.
        """
        today = self._ground.day_of(now_s)
        first = today if last_day is None else max(last_day + 1, today - _DAYS_MAX)
        past = [(day, start_s(day, self._ground.zone) + DAY_S / 2) for day in range(first, today)]
        return [*past, (today, now_s)] if first <= today else []

    def next_day_s(self, now_s: float) -> float:
        """When the next day begins by the site's calendar."""
        return start_s(self._ground.day_of(now_s) + 1, self._ground.zone)

    def month(self, who: Principal | None, project: str, month: str) -> dict[str, Any]:
        """What a project stored in a month `YYYY-MM`: project, month, gib_months, credits, n_days that were booked."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        first, past = days_of(month)
        with self._ground.db.read() as conn:
            gib_micro, credit_micro, n_days = self.used(conn, project, first, past)
        return {
            "project": project,
            "month": month,
            "gib_months": gib_micro / MICRO,
            "credits": credit_micro / MICRO,
            "n_days": n_days,
        }

    def by_day(self, who: Principal | None, project: str, past_s: float, n_days: int) -> list[tuple[str, float]]:
        """GiB that lay there on each of `n_days` days up to the one that holds `past_s`, as (YYYY-MM-DD, GiB): those
        that were booked. For those who may see the project's bill.
        """
        self._ground.gate.project(Act.SEE_BILL, who, project)
        last = self._ground.day_of(past_s)
        with self._ground.db.read() as conn:
            rows = books.days_of(conn, used_account(project), last - n_days + 1, last + 1)
        return [(day_text(day), stored_gib(amount, day)) for day, what, _, amount, _ in rows if what == GIB_MONTH]

    def used(self, conn: Connection, project: str, first_day: int, past_day: int) -> tuple[int, int, int]:
        """Of the days `[first_day, past_day)`: micro-GiB-months, micro-credits, and how many days were booked."""
        days = books.days_of(conn, used_account(project), first_day, past_day)
        stored_days = [amount for _, commodity, _, amount, _ in days if commodity == GIB_MONTH]
        sums = books.sums_of(conn, self._grants.accounts_of(conn, project), first_day, past_day)
        cost = -sum(amount for _, commodity, kind, amount, _ in sums if (commodity, kind) == (CREDIT, STORE))
        return sum(stored_days), cost, len(stored_days)
