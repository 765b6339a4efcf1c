"""What happens to grants by itself: ends and their notice, the second half by its report, what goes back, bridges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from eureka_park.foundation.errors import BadInput, Conflict
from eureka_park.foundation.units import DAY_S
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.posting import CREDIT, GRANTS, Transaction, grant_account, transfer
from eureka_park.ledger.core.rules import (
    AWAITED,
    BRIDGE,
    GrantRules,
    is_under_used,
    notice_s,
    reclaimed_micro,
)
from eureka_park.ledger.events import GrantEnding, GrantGiven, GrantReclaimed, GrantReclaimNoticed
from eureka_park.ledger.grants import store
from eureka_park.ledger.grants.store import Grant, Reclaim
from eureka_park.ledger.grants.usage import Use, report, use_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.ledger.ground import LedgerGround

_NEVER_RECLAIMED = frozenset({"paid", "try", BRIDGE})


class ByRule:
    """The rules at work upon the grants of one park. `rules`: those that hold now."""

    def __init__(self, ground: LedgerGround, rules: Callable[[], GrantRules]) -> None:
        self._ground, self._rules = ground, rules

    def step(self, conn: Connection, at_s: float) -> None:
        """What falls due: ends and their notice, second halves by report, under-use. Once an hour is enough; said
        again, nothing happens twice.
        """
        for grant in store.past_end(conn, at_s):
            self.end(conn, grant, at_s)
        self.end_bridges(conn, at_s)
        for grant in store.open_grants(conn):
            use = use_of(conn, grant)
            if grant.released_at_s is None and use.spent_micro >= self._rules().half_used_frac * grant.given_micro:
                grant, use = self.release(conn, grant, at_s), use_of(conn, grant)
            self._reclaim(conn, grant, use, at_s)
            self._tell_end(conn, grant, use, at_s)

    # -- ends ----------------------------------------------------------------------------------------------------------
    def end(self, conn: Connection, grant: Grant, at_s: float) -> Grant:
        """End a grant: what is left goes back to the park; what jobs hold of it stays theirs."""
        left = books.balance_micro(conn, grant_account(grant.grant_id), CREDIT)
        if grant.state == store.ENDED:
            return grant
        if left:
            self._ground.post(conn, [_back(f"end:{grant.grant_id}", grant, left, at_s, "The grant is over")])
        ended = replace(grant, state=store.ENDED)
        store.save(conn, ended)
        until_s = grant.valid_until_s if grant.valid_until_s is not None else at_s
        self._ground.bus.tell(conn, GrantEnding(grant.grant_id, grant.project, left, until_s, is_over=True))
        return ended

    def _tell_end(self, conn: Connection, grant: Grant, use: Use, at_s: float) -> None:
        """A week before a grant ends its project is told, once."""
        until_s = grant.valid_until_s
        if until_s is None or grant.ending_told_s is not None or not use.left_micro:
            return
        if at_s >= max(until_s - self._rules().ending_days * DAY_S, (grant.valid_from_s + until_s) / 2):
            store.save(conn, replace(grant, ending_told_s=at_s))
            told = GrantEnding(grant.grant_id, grant.project, use.left_micro, until_s, is_over=False)
            self._ground.bus.tell(conn, told)

    # -- bridges -------------------------------------------------------------------------------------------------------
    def check_bridge(
        self, conn: Connection, project: str, awaits: str, until_s: float | None, now_s: float, *, in_halves: bool
    ) -> None:
        """Raise BadInput or Conflict unless a project may be given a bridge: it names the grant that it reaches to, has
        an end not too far, comes whole, and is the only one.
        """
        days = self._rules().bridge_days
        if not awaits.strip():
            raise BadInput(
                "A bridge reaches to a grant that is awaited.", fix="Name it, such as 'award of March'.", field="awaits"
            )
        if until_s is None or until_s > now_s + days * DAY_S:
            raise BadInput(
                f"A bridge ends within {days:.0f} days.", fix="Name an end before that.", field="valid_until"
            )
        if in_halves:
            raise BadInput("A bridge comes whole.", fix="Give it without halves.", field="in_halves")
        if any(item.kind == BRIDGE and item.is_valid(now_s) for item in store.of_project(conn, project)):
            raise Conflict(
                f"{project} has a bridge already.", fix="End that one first.", code="bridge_open", field="project"
            )

    def end_bridges(self, conn: Connection, at_s: float, project: str = "") -> None:
        """End bridges whose awaited grant has come: the first award, or the first that was paid for, given after them
        and valid now. What was spent stays spent, and nothing is taken off what has come.
        """
        for bridge in store.open_bridges(conn, project):
            others = store.of_project(conn, bridge.project)
            if any(_has_come(bridge, item, at_s) for item in others):
                self.end(conn, bridge, at_s)

    # -- halves --------------------------------------------------------------------------------------------------------
    def release(self, conn: Connection, grant: Grant, at_s: float) -> Grant:
        """Give the second half, and keep the report that it came by."""
        store.save_report(conn, grant.grant_id, at_s, report(conn, self._ground, grant, at_s))
        deed = transfer(
            f"half:{grant.grant_id}",
            f"{grant.title}, second half"[:200],
            at_s,
            source=GRANTS,
            target=grant_account(grant.grant_id),
            commodity=CREDIT,
            amount_micro=grant.second_micro,
        )
        self._ground.post(conn, [deed])
        released = replace(grant, released_at_s=at_s)
        store.save(conn, released)
        self._ground.bus.tell(
            conn, GrantGiven(grant.grant_id, grant.project, grant.kind, grant.second_micro, grant.valid_until_s)
        )
        return released

    # -- under-use -----------------------------------------------------------------------------------------------------
    def _reclaim(self, conn: Connection, grant: Grant, use: Use, at_s: float) -> None:
        rules, amount, used = self._rules(), use.base_micro, use.spent_micro
        found = store.reclaims_of(conn, [grant.grant_id])
        last = found[-1] if found else None
        is_low = is_under_used(rules, amount, used, grant.valid_from_s, grant.valid_until_s, at_s)
        is_open = last is None or last.state == "undone"  # what was undone may come about again
        if is_open and is_low and grant.kind not in _NEVER_RECLAIMED:
            due_s, back = at_s + notice_s(rules), reclaimed_micro(rules, amount, used, use.left_micro)
            store.save_reclaim(conn, Reclaim(grant.grant_id, at_s, due_s, back, "noticed"))
            self._ground.bus.tell(conn, GrantReclaimNoticed(grant.grant_id, grant.project, back, due_s))
        elif last is not None and last.state == "noticed" and not is_low:
            store.save_reclaim(conn, replace(last, state="undone"))
        elif last is not None and last.state == "noticed" and at_s >= last.due_at_s:
            self._take_back(conn, grant, last, use, at_s)

    def _take_back(self, conn: Connection, grant: Grant, due: Reclaim, use: Use, at_s: float) -> None:
        back = reclaimed_micro(self._rules(), use.base_micro, use.spent_micro, use.left_micro)
        if back:
            key = f"reclaim:{grant.grant_id}:{due.noticed_at_s:.0f}"
            self._ground.post(conn, [_back(key, grant, back, at_s, "Under-used")])
        store.save_reclaim(conn, replace(due, amount_micro=back, state="done"))
        self._ground.bus.tell(conn, GrantReclaimed(grant.grant_id, grant.project, back))


def _has_come(bridge: Grant, other: Grant, at_s: float) -> bool:
    return other.kind in AWAITED and other.given_at_s >= bridge.given_at_s and other.is_valid(at_s)


def _back(key: str, grant: Grant, amount: int, at_s: float, why: str) -> Transaction:
    return transfer(
        key, why, at_s, source=grant_account(grant.grant_id), target=GRANTS, commodity=CREDIT, amount_micro=amount
    )
