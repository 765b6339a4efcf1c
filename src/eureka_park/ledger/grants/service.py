"""Credits that projects are given: grants in one or two halves, transfers, budgets, and what goes back by rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.foundation.units import DAY_S, iso_from_s
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import day_text, days_of, month_text
from eureka_park.ledger.core.exact import MICRO, micro
from eureka_park.ledger.core.holding import Purse, moved
from eureka_park.ledger.core.posting import (
    CREDIT,
    GRANTS,
    STORE,
    Transaction,
    grant_account,
    held_account,
    project_account,
    transfer,
)
from eureka_park.ledger.core.rules import AWAITED, BRIDGE, KINDS, GrantRules
from eureka_park.ledger.events import BudgetReached, GrantGiven
from eureka_park.ledger.grants import store
from eureka_park.ledger.grants.by_rule import ByRule
from eureka_park.ledger.grants.store import Budget, Grant
from eureka_park.ledger.grants.usage import report, use_of
from eureka_park.ledger.repeats.service import repeat_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.service import AccountsService
    from eureka_park.ledger.ground import Detail, LedgerGround

CREDITS_MAX: Final = 1e9
THRESHOLDS: Final = (50, 80, 100)
TRY_PROJECT: Final = "try"


class Trial(Protocol):
    """What an operator says of the small grant for whoever is new."""

    @property
    def try_credits(self) -> float:
        """How many credits; 0: none are given."""

    @property
    def try_days(self) -> float:
        """For how many days."""


class Grants:
    """Grants and budgets of one park."""

    def __init__(self, ground: LedgerGround, rules: GrantRules | None = None) -> None:
        self._ground, self.rules = ground, rules or GrantRules()
        self._by_rule = ByRule(ground, lambda: self.rules)
        self.organisation_of: Callable[[Connection, str], str] = lambda _conn, _project: ""
        self.trial: Callable[[], Trial] = lambda: self.rules  # the operator's word of the small grant, as of now

    # -- what can be spent ---------------------------------------------------------------------------------------------
    def purse(self, conn: Connection, project: str, at_s: float) -> Purse:
        """What new work of a project may spend, what ends first before what ends later; credits without end last."""
        accounts = [grant_account(item.grant_id) for item in store.of_project(conn, project) if item.is_valid(at_s)]
        accounts.append(project_account(project))
        held = books.balances_of(conn, accounts, CREDIT)
        return Purse({account: held[account] for account in accounts if held.get(account, 0) > 0})

    def usable(self, project: str, at_s: float) -> float:
        """Credits that new work of a project may spend."""
        with self._ground.db.read() as conn:
            return self.purse(conn, project, at_s).total_micro / MICRO

    def ended_accounts(self, conn: Connection, accounts: Sequence[str]) -> set[str]:
        """Which of these accounts are of grants that were ended: nothing goes back there."""
        ids = [account.removeprefix("grant:") for account in accounts if account.startswith("grant:")]
        found = (store.grant(conn, name) for name in ids)
        return {grant_account(item.grant_id) for item in found if item is not None and item.state == store.ENDED}

    def accounts_of(self, conn: Connection, project: str) -> list[str]:
        """All accounts out of which a project ever spent: its own, and those of its grants."""
        return accounts_of(conn, project)

    # -- giving --------------------------------------------------------------------------------------------------------
    def give(
        self,
        who: Principal,
        project: str,
        credits: float,
        *,
        kind: str = "award",
        title: str = "",
        valid_from_s: float | None = None,
        valid_until_s: float | None = None,
        in_halves: bool = False,
        conditions: str = "",
        key: str = "",
        awaits: str = "",
    ) -> Grant:
        """Give credits to a project. With `in_halves` the second half comes by a report of what was used. A bridge
        `awaits` a grant, and ends when that has come. For operators.

        The same `key` gives the same grant again. Raises Forbidden, NotFound, BadInput, Conflict (`key_reused`).
        """
        self._ground.gate.park(Act.GRANT, who)
        self._ground.gate.project(Act.SEE, who, project)
        now_s = self._ground.clock.park_s()
        if kind not in KINDS:
            raise BadInput(f"There is no kind '{kind[:20]}'.", fix=f"Kinds: {', '.join(KINDS)}.", field="kind")
        from_s = now_s if valid_from_s is None else valid_from_s
        if valid_until_s is not None and valid_until_s <= max(from_s, now_s):
            raise BadInput("It would end before it begins.", fix="Name a later end.", field="valid_until")
        amount = _amount(credits)
        grant = Grant(
            self._ground.new_id("grant"),
            project,
            kind,
            (title.strip() or kind)[:200],
            amount,
            from_s,
            valid_until_s,
            who.person_id,
            now_s,
            amount // 2 if in_halves else 0,
            None if in_halves else now_s,
            conditions.strip()[:2000],
            awaits=awaits.strip()[:200] if kind == BRIDGE else "",
        )
        wanted = {
            "project": project, "micro": amount, "kind": kind, "title": grant.title, "from_s": valid_from_s,
            "until_s": valid_until_s, "second_micro": grant.second_micro, "conditions": grant.conditions,
            "awaits": grant.awaits,
        }  # fmt: skip
        repeat = repeat_of(who, key, "grant", wanted)
        with self._ground.db.write() as conn:
            if before := repeat.done(conn, now_s):
                return self._present(conn, before)
            if kind == BRIDGE:
                self._by_rule.check_bridge(conn, project, awaits, valid_until_s, now_s, in_halves=in_halves)
            self.give_in(conn, grant)
            detail: Detail = {"credits": credits, "kind": kind, "project": project}
            self._ground.gate.note(conn, "grant.given", who, grant.grant_id, detail)
            repeat.close(conn, grant.grant_id)
        return grant

    def give_in(self, conn: Connection, grant: Grant) -> bool:
        """Give a grant inside the caller's transaction; False when it was given before."""
        deed = transfer(
            f"grant:{grant.project}:{grant.grant_id}"[:200],
            grant.title,
            grant.given_at_s,
            source=GRANTS,
            target=grant_account(grant.grant_id),
            commodity=CREDIT,
            amount_micro=grant.given_micro,
        )
        if not self._ground.post(conn, [deed]):
            return False
        store.save(conn, grant)
        self._ground.bus.tell(
            conn, GrantGiven(grant.grant_id, grant.project, grant.kind, grant.given_micro, grant.valid_until_s)
        )
        if grant.kind in AWAITED:
            self._by_rule.end_bridges(conn, grant.given_at_s, grant.project)
        return True

    def give_try(self, conn: Connection, person_id: str, project: str) -> bool:
        """The small grant that comes by itself, once for each person who is known to be one; False the next time."""
        now_s, trial = self._ground.clock.park_s(), self.trial()
        if trial.try_credits <= 0:
            return False
        grant = Grant(
            f"grant-try-{person_id}"[:64],
            project,
            "try",
            "Try",
            micro(trial.try_credits),
            now_s,
            now_s + trial.try_days * DAY_S,
            "",
            now_s,
            released_at_s=now_s,
        )
        return self.give_in(conn, grant)

    def open_try_door(
        self,
        conn: Connection,
        accounts: AccountsService,
        person_id: str,
    ) -> None:
        """Whoever is known to be a person has a project of their own with a small grant, once; no credits: no door."""
        if self.trial().try_credits <= 0:
            return
        project = f"{TRY_PROJECT}-{person_id.removeprefix('person-')}"[:63]
        accounts.places.open_own_project(conn, person_id, project, "Try")
        self.give_try(conn, person_id, project)

    def end(self, who: Principal, grant_id: str) -> Grant:
        """End a grant now: what is left goes back to the park; what jobs hold of it stays theirs. For operators."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.write() as conn:
            grant = self._present(conn, grant_id)
            ended = self._by_rule.end(conn, grant, self._ground.clock.park_s())
            self._ground.gate.note(conn, "grant.ended", who, grant_id, {})
        return ended

    def release_second_half(self, who: Principal, grant_id: str) -> Grant:
        """Give the second half of a grant before its report. For operators."""
        self._ground.gate.park(Act.GRANT, who)
        with self._ground.db.write() as conn:
            grant = self._present(conn, grant_id)
            if grant.released_at_s is not None or grant.state == store.ENDED:
                raise Conflict("It has no half left to give.", fix="Give another grant.", code="no_second_half")
            released = self._by_rule.release(conn, grant, self._ground.clock.park_s())
            self._ground.gate.note(conn, "grant.released", who, grant_id, {})
        return released

    # -- moving --------------------------------------------------------------------------------------------------------
    def move(self, who: Principal, source: str, target: str, credits: float, key: str = "") -> None:
        """Move credits from one project to another; both must be of whoever may spend there. Ends move with them.

        The same `key` moves them once. Raises BadInput for an amount that is not above 0, Conflict where it is not
        there or the key asked for something else (`key_reused`), Forbidden, NotFound.
        """
        self._ground.gate.project(Act.SPEND, who, source)
        amount = _amount(credits)
        if source == target:
            raise BadInput("Both projects are the same.", fix="Name another one.", field="to")
        self._ground.gate.project(Act.SPEND, who, target)
        now_s = self._ground.clock.park_s()
        deed_key = f"move:{source}:{self._ground.new_id('move')}"
        repeat = repeat_of(who, key, "move", {"from": source, "to": target, "micro": amount})
        with self._ground.db.write() as conn:
            if repeat.done(conn, now_s):
                return
            purse = self.purse(conn, source, now_s)
            if purse.total_micro < amount:
                raise Conflict(
                    f"{source} has {purse.total_micro / MICRO:,.2f} credits left to spend.",
                    fix="Move less.",
                    code="no_credit",
                    field="credits",
                )
            taken = purse.take(amount)
            self._post_move(conn, deed_key, taken, source, target, who, now_s)
            detail: Detail = {"credits": credits, "to": target}
            self._ground.gate.note(conn, "credits.moved", who, f"project:{source}", detail)
            repeat.close(conn, "moved")

    def _post_move(
        self, conn: Connection, key: str, taken: dict[str, int], source: str, target: str, who: Principal, now_s: float
    ) -> None:
        """What has an end keeps it: it becomes a grant of the other project with the same one."""
        for index, (account, amount) in enumerate(taken.items()):
            old = store.grant(conn, account.removeprefix("grant:")) if account.startswith("grant:") else None
            into = project_account(target)
            if old is not None:
                kept = Grant(
                    self._ground.new_id("grant"), target, old.kind, old.title, amount, now_s, old.valid_until_s,
                    who.person_id, now_s, released_at_s=now_s, conditions=old.conditions,
                )  # fmt: skip
                store.save(conn, kept)
                into = grant_account(kept.grant_id)
            why = f"{source} to {target}"
            part = key if index == 0 else f"{key}:{index}"[:200]
            self._ground.post(conn, [Transaction(part, why, now_s, moved({account: amount}, into, CREDIT))])

    # -- what happens by itself ----------------------------------------------------------------------------------------
    def step(self, conn: Connection, at_s: float) -> None:
        """What falls due: ends and their notice, second halves by their report, notices of under-use and what goes
        back, bridges. Once an hour is enough; said again, nothing happens twice.
        """
        self._by_rule.step(conn, at_s)

    # -- budgets -------------------------------------------------------------------------------------------------------
    def set_budget(
        self,
        who: Principal,
        project: str,
        name: str,
        credits: float,
        *,
        period: str = "month",
        thresholds: Sequence[int] = THRESHOLDS,
        action: str = "notify",
    ) -> Budget:
        """Set what a project means to spend. At each threshold it is told; at 100 % new jobs may be held. For leads."""
        self._ground.gate.project(Act.SPEND, who, project)
        if period not in ("month", "total") or action not in ("notify", "hold"):
            raise BadInput("A budget is by month or total, and notifies or holds.", fix="Choose among them.")
        if not thresholds or len(thresholds) > 10 or not all(1 <= pct <= 100 for pct in thresholds):
            raise BadInput("Thresholds are percent from 1 to 100.", fix="Write 50, 80, 100.", field="thresholds")
        budget = Budget(project, name[:63], _amount(credits), period, tuple(sorted(set(thresholds))), action)
        with self._ground.db.write() as conn:
            store.save_budget(conn, budget)
            detail: Detail = {"credits": credits, "period": period, "action": action}
            self._ground.gate.note(conn, "budget.set", who, f"project:{project}", detail)
        return budget

    def drop_budget(self, who: Principal, project: str, name: str) -> None:
        """Forget a budget. For leads. Raises NotFound."""
        self._ground.gate.project(Act.SPEND, who, project)
        with self._ground.db.write() as conn:
            if not store.drop_budget(conn, project, name):
                raise NotFound(f"{project} has no budget {name[:63]}.", fix="List them.", code="no_such_budget")
            self._ground.gate.note(conn, "budget.dropped", who, f"project:{project}", {})

    def check_budgets(self, conn: Connection, project: str, at_s: float) -> None:
        """Raise Conflict where a budget that holds new jobs is spent."""
        for budget in store.budgets_of(conn, project):
            if budget.action == "hold" and self._spent(conn, budget, at_s) >= budget.amount_micro:
                raise Conflict(
                    f"The budget '{budget.name}' of {project} is spent, and it holds new jobs.",
                    fix="Wait for the next month, or ask a lead to raise it.",
                    code="budget",
                    field="project",
                )

    def look_at_budgets(self, conn: Connection, project: str, at_s: float) -> None:
        """Tell what thresholds were reached, each once in its period."""
        for budget in store.budgets_of(conn, project):
            spent, day = self._spent(conn, budget, at_s), self._period_days(budget, at_s)[0]
            reached = [pct for pct in budget.thresholds if spent * 100 >= budget.amount_micro * pct]
            fresh = sorted(set(reached) - store.marks_of(conn, budget, day))
            store.mark(conn, budget, day, fresh, at_s)
            if fresh:
                is_held = budget.action == "hold" and spent >= budget.amount_micro
                told = BudgetReached(project, budget.name, fresh[-1], spent, budget.amount_micro, is_held)
                self._ground.bus.tell(conn, told)

    def _period_days(self, budget: Budget, at_s: float) -> tuple[int, int]:
        if budget.period == "total":
            return 0, 1 << 30
        return days_of(month_text(self._ground.day_of(at_s)))

    def _spent(self, conn: Connection, budget: Budget, at_s: float) -> int:
        """Charged in the period."""
        first, past = self._period_days(budget, at_s)
        return spent_micro(conn, budget.project, first, past)

    # -- looking -------------------------------------------------------------------------------------------------------
    def of_project(self, who: Principal | None, project: str) -> list[dict[str, Any]]:
        """The grants of a project with what is left, those that end first before others."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        with self._ground.db.read() as conn:
            return [self._view(conn, item) for item in store.of_project(conn, project)]

    def all(self, who: Principal, limit: int = 200, after: str = "") -> list[dict[str, Any]]:
        """Grants of all projects by id. For operators and auditors."""
        self._ground.gate.park(Act.SEE_PEOPLE, who)
        with self._ground.db.read() as conn:
            return [self._view(conn, item) for item in store.all_grants(conn, limit, after)]

    def grant(self, who: Principal, grant_id: str) -> dict[str, Any]:
        """One grant. Raises NotFound."""
        with self._ground.db.read() as conn:
            grant = self._present(conn, grant_id)
            self._ground.gate.project(Act.SEE_BILL, who, grant.project)
            return self._view(conn, grant)

    def report(self, who: Principal | None, grant_id: str) -> dict[str, Any]:
        """What was used of a grant, by whom and on what, as of now; `released_by`: the report by which its second half
        came. For those who see the project's bill. Raises NotFound.
        """
        with self._ground.db.read() as conn:
            grant = self._present(conn, grant_id)
            self._ground.gate.project(Act.SEE_BILL, who, grant.project)
            told = report(conn, self._ground, grant, self._ground.clock.park_s())
            return {**told, "released_by": store.kept_report(conn, grant_id)}

    def budgets(self, who: Principal | None, project: str) -> list[dict[str, Any]]:
        """The budgets of a project with what is spent of them."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        at_s = self._ground.clock.park_s()
        with self._ground.db.read() as conn:
            return [
                {
                    "name": item.name,
                    "credits": item.amount_micro / MICRO,
                    "spent_credits": self._spent(conn, item, at_s) / MICRO,
                    "period": item.period,
                    "since": day_text(self._period_days(item, at_s)[0]),
                    "thresholds": list(item.thresholds),
                    "action": item.action,
                }
                for item in store.budgets_of(conn, project)
            ]

    def _view(self, conn: Connection, grant: Grant) -> dict[str, Any]:
        use, found = use_of(conn, grant), store.reclaims_of(conn, [grant.grant_id])
        return {
            "grant_id": grant.grant_id,
            "project": grant.project,
            "kind": grant.kind,
            "title": grant.title,
            "credits": grant.amount_micro / MICRO,
            "given_credits": grant.given_micro / MICRO,
            "left_credits": use.left_micro / MICRO,
            "used_credits": use.spent_micro / MICRO,
            "second_half": "none" if not grant.second_micro else "given" if grant.released_at_s is not None else "open",
            "valid_from": iso_from_s(grant.valid_from_s),
            "valid_until": iso_from_s(grant.valid_until_s),
            "conditions": grant.conditions,
            "awaits": grant.awaits,
            "state": grant.state,
            "given_at": iso_from_s(grant.given_at_s),
            "reclaim": {
                "noticed_at": iso_from_s(found[-1].noticed_at_s),
                "due_at": iso_from_s(found[-1].due_at_s),
                "credits": found[-1].amount_micro / MICRO,
                "state": found[-1].state,
            }
            if found
            else None,
        }

    def _present(self, conn: Connection, grant_id: str) -> Grant:
        found = store.grant(conn, grant_id)
        if found is None:
            raise NotFound(f"There is no grant {grant_id[:64]}.", fix="List them.", code="no_such_grant", field="grant")
        return found


def spent_micro(conn: Connection, project: str, first_day: int, past_day: int) -> int:
    """What a project was charged over some days for jobs and storage, refunds taken off; in micro-credits."""
    accounts = [held_account(project), *accounts_of(conn, project)]
    sums = books.sums_of(conn, accounts, first_day, past_day)
    return -sum(amount for _, commodity, kind, amount, _ in sums if commodity == CREDIT and kind in ("settle", STORE))


def accounts_of(conn: Connection, project: str) -> list[str]:
    """All accounts out of which a project ever spent: its own, and those of its grants."""
    return [project_account(project), *(grant_account(item.grant_id) for item in store.of_project(conn, project))]


def _amount(credits: float) -> int:
    if not 0 < credits <= CREDITS_MAX:  # also refuses NaN
        raise BadInput("Credits must be above 0.", fix="Name how many.", field="credits", code="bad_amount")
    return max(1, micro(credits))
