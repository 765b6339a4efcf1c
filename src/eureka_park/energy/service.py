"""Use cases of energy: keep the plans, hand out the newest, say what salt is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eureka_park.energy import store
from eureka_park.energy.events import PlanIssued
from eureka_park.foundation.database import Database
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEEP_PLANS_S = 7 * DAY_S


class EnergyService:
    """The plans of one park. Makes none itself: that is the work of `energy.plan_child`."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._newest: PowerPlan | None = None

    def current_plan(self, now_s: float | None = None) -> PowerPlan | None:
        """The newest plan, or the newest issued by `now_s` (park time); None before the first."""
        with self._db.read() as conn:
            plan_id = store.newest_plan_id(conn, now_s)
            if plan_id is None:
                return None
            if self._newest is None or self._newest.plan_id != plan_id:
                self._newest = store.plan_of(conn, plan_id)
            return self._newest

    def record_plan(self, conn: Connection, plan: PowerPlan) -> PlanIssued:
        """Store a plan in the caller's transaction, forget those older than a week; twice changes nothing."""
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
