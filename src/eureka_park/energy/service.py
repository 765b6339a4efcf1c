"""Use cases of energy: keep the plans, hand out the newest, say what salt is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eureka_park.energy import store
from eureka_park.energy.events import PlanIssued
from eureka_park.foundation.database import Database
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.foundation.units import DAY_S, HOUR_S, iso_from_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEEP_PLANS_S = 8 * DAY_S  # a week can be rehearsed, and the day before it is known
_HOURS_REMEMBERED: Final = 2_000


class EnergyService:
    """The plans of one park. Makes none itself: that is the work of `energy.plan_child`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._newest: PowerPlan | None = None
        self._hours: dict[tuple[str, float], dict[str, Any]] = {}  # by plan and start of the interval

    def current_plan(self, now_s: float | None = None) -> PowerPlan | None:
        """The newest plan, or the newest issued by `now_s` (park time); None before the first."""
        with self._db.read() as conn:
            plan_id = store.newest_plan_id(conn, now_s)
            if plan_id is None:
                return None
            if self._newest is None or self._newest.plan_id != plan_id:
                self._newest = store.plan_of(conn, plan_id)
            return self._newest

    def sky_between(self, since_s: float, until_s: float) -> list[dict[str, Any]]:
        """What sun, wind and salt could give in the hours that touch `[since_s, until_s)`, as far as plans are kept.

        Each hour is told by the newest plan issued before its end: from_at, until_at, clean_mw_p50, p10, p90,
        by_source_mw.
        """
        found = []
        with self._db.read() as conn:
            known = store.plans_over(conn, since_s, until_s)
            start_s = since_s // HOUR_S * HOUR_S
            while start_s < until_s:
                ids = (
                    name for name, issued, begin, end in known if issued < start_s + HOUR_S and begin <= start_s < end
                )
                plan_id = next(ids, None)
                if plan_id is not None:
                    found.append(self._hour(conn, plan_id, start_s))
                start_s += HOUR_S
        return found

    def plans_between(self, since_s: float, until_s: float, gap_s: float = 0.0) -> list[PowerPlan]:
        """The kept plans issued in `[since_s, until_s)` and the newest before, oldest first; of those that follow each
        other within `gap_s` the first.
        """
        found: list[PowerPlan] = []
        with self._db.read() as conn:
            before = store.newest_plan_id(conn, since_s)
            plan = store.plan_of(conn, before) if before else None
            found += [plan] if plan is not None else []
            for plan_id, issued_at_s in store.plans_issued(conn, since_s, until_s):
                if plan_id != before and (not found or issued_at_s - found[-1].issued_at_s >= gap_s):
                    plan = store.plan_of(conn, plan_id)
                    found += [plan] if plan is not None else []
        return found

    def _hour(self, conn: Connection, plan_id: str, start_s: float) -> dict[str, Any]:
        """One hour of a kept plan; those asked for lately are remembered, as reading a plan takes longer."""
        if (plan_id, start_s) not in self._hours:
            plan = store.plan_of(conn, plan_id)
            assert plan is not None
            while len(self._hours) >= _HOURS_REMEMBERED:
                self._hours.pop(next(iter(self._hours)), None)
            self._hours[plan_id, start_s] = _hour_view(plan, start_s)
        return self._hours[plan_id, start_s]

    def record_plan(self, conn: Connection, plan: PowerPlan) -> PlanIssued:
        """Store a plan in the caller's transaction, forget those older than eight days; twice changes nothing."""
        if store.add_plan(conn, plan):
            store.drop_plans_before(conn, plan.issued_at_s - KEEP_PLANS_S)
        return PlanIssued(plan.plan_id, plan.site, plan.issued_at_s, plan.start_s, plan.end_s)

    def salt_at(self, now_s: float, factor: float = 1.0) -> dict[str, float] | None:
        """Salt (MWh of heat) at the start of the hour that holds `now_s`, by the newest plan begun before it.

        None without such a plan. `factor` is the site's: the answer is on the scale of the full site.
        """
        with self._db.read() as conn:
            plan_id = store.newest_plan_id(conn, now_s, started_before_s=now_s // HOUR_S * HOUR_S)
            plan = store.plan_of(conn, plan_id) if plan_id else None
        salt = plan.salt_before(now_s) if plan else None
        return None if salt is None else {name: value / factor for name, value in salt.items()}


def _hour_view(plan: PowerPlan, start_s: float) -> dict[str, Any]:
    index = plan.index_at(start_s)
    return {
        "from_at": iso_from_s(plan.interval_start_s(index)),
        "until_at": iso_from_s(plan.interval_start_s(index) + plan.step_s),
        "clean_mw_p50": plan.clean_available_mw_p50[index],
        "p10": plan.clean_available_mw_p10[index],
        "p90": plan.clean_available_mw_p90[index],
        "by_source_mw": {
            name: series[index] for name, series in plan.available_by_source_mw.items() if name != GRID_SOURCE_ID
        },
    }
