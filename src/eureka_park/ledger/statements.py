"""Statements of a month: what a project or an organisation used and paid, its carbon, and the park's whole balance.

All comes from sums by day, so that a month of a million postings reads a few thousand rows.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.site_file import GRID_SOURCE_ID
from eureka_park.ledger import store as meter
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import day_text, days_of, start_s
from eureka_park.ledger.core.exact import MICRO, UJ_PER_KWH
from eureka_park.ledger.core.invoicing import csv_of
from eureka_park.ledger.core.posting import CREDIT, GIB_MONTH, STORE, held_account, project_account, used_account
from eureka_park.ledger.grants.service import accounts_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from eureka_park.ledger.ground import LedgerGround

_PPM: Final = 1_000_000


class Statements:
    """Statements of one park."""

    def __init__(self, ground: LedgerGround) -> None:
        self._ground = ground

    def of_project(self, who: Principal | None, project: str, month: str) -> dict[str, Any]:
        """What a project used and paid in a month `YYYY-MM`. For those who see its bill."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        with self._ground.db.read() as conn:
            return {"project": project, "organisation": None, **self._statement(conn, [project], month)}

    def of_organisation(self, who: Principal, organisation: str, month: str) -> dict[str, Any]:
        """The same of all projects that belonged to an organisation when their jobs ended."""
        self._ground.gate.organisation(Act.SEE_BILL, who, organisation)
        first, past = days_of(month)
        with self._ground.db.read() as conn:
            projects = meter.projects_of_organisation(conn, organisation, first, past)
            told = self._statement(conn, projects, month)
        return {"project": None, "organisation": organisation, **told}

    def _statement(self, conn: Connection, projects: Sequence[str], month: str) -> dict[str, Any]:
        first, past = days_of(month)
        by_day: dict[int, dict[str, float]] = {}
        used: dict[str, int] = {}
        for project in projects:
            for day, commodity, _kind, amount, _n in books.days_of(conn, used_account(project), first, past):
                used[commodity] = used.get(commodity, 0) + amount
                if commodity.startswith("kwh:"):
                    _add(by_day, day, "kwh", amount)
                elif commodity.startswith("gpu_h:"):
                    _add(by_day, day, "gpu_h", amount)
            for account in (held_account(project), project_account(project)):
                for day, commodity, kind, amount, _n in books.days_of(conn, account, first, past):
                    if commodity == CREDIT and kind == "settle":
                        _add(by_day, day, "credits", -amount)
        accounts = [account for project in projects for account in accounts_of(conn, project)]
        sums = books.sums_of(conn, accounts, first, past) if used.get(GIB_MONTH) else []
        stored = -sum(amount for _, commodity, kind, amount, _ in sums if (commodity, kind) == (CREDIT, STORE))
        n_jobs = sum(meter.n_receipts(conn, project, first, past) for project in projects)
        days = [
            {"date": day_text(day), **{name: row.get(name, 0) / MICRO for name in ("credits", "gpu_h", "kwh")}}
            for day, row in sorted(by_day.items())
        ]
        return {
            "month": month,
            "n_jobs": n_jobs,
            "credits": sum(row.get("credits", 0) for row in by_day.values()) / MICRO,
            "gpu_h": {name[6:]: amount / MICRO for name, amount in sorted(used.items()) if name.startswith("gpu_h:")},
            "cpu_h": used.get("cpu_h", 0) / MICRO,
            "kwh_by_source": {name[4:]: amount / MICRO for name, amount in sorted(used.items()) if name[:4] == "kwh:"},
            "gco2": used.get("gco2", 0) / MICRO,
            "gib_months": used.get(GIB_MONTH, 0) / MICRO,
            "storage_credits": stored / MICRO,
            "days": days,
        }

    def carbon(self, who: Principal | None, project: str, month: str, grid_gco2_per_kwh: float) -> dict[str, Any]:
        """The carbon of a project in a month, two ways that are never added: location-based, as if all of it had come
        from the public grid; and hour-matched, by the sources of each hour.
        """
        told = self.of_project(who, project, month)
        by_source: Mapping[str, float] = told["kwh_by_source"]
        kwh, grid = sum(by_source.values()), by_source.get(GRID_SOURCE_ID, 0.0)
        return {
            "project": project,
            "month": month,
            "kwh": kwh,
            "location_based": {"gco2": kwh * grid_gco2_per_kwh, "gco2_per_kwh": grid_gco2_per_kwh},
            "hour_matched": {
                "gco2": told["gco2"],
                "gco2_per_kwh": told["gco2"] / kwh if kwh else None,
                "matched_kwh": kwh - grid,
                "matched_frac": matched_frac(by_source),
                "kwh_by_source": dict(by_source),
            },
        }

    def by_hour_of_day(self, who: Principal | None, project: str, month: str) -> list[dict[str, Any]]:
        """The energy of the jobs of a month's statement by the hour of the day in which it flowed, site time.

        24 rows from midnight on: `hour`, `kwh_by_source`, `gco2` (hour-matched).
        """
        self._ground.gate.project(Act.SEE_BILL, who, project)
        first, past = days_of(month)
        rows: list[dict[str, Any]] = [{"hour": hour, "kwh_by_source": {}, "gco2": 0.0} for hour in range(24)]
        with self._ground.db.read() as conn:
            found = meter.project_hours(conn, project, first, past)
        for hour_s, source, site_uj, gco2_ng in found:
            row = rows[datetime.fromtimestamp(hour_s, UTC).astimezone(self._ground.zone).hour]
            row["kwh_by_source"][source] = row["kwh_by_source"].get(source, 0.0) + site_uj / UJ_PER_KWH
            row["gco2"] += gco2_ng / 1e9
        return rows

    def months(self, who: Principal | None, project: str, last: str, n_months: int = 12) -> list[dict[str, Any]]:
        """Energy and carbon of a project by month, the last one last: `month`, `kwh`, `grid_kwh`, `gco2`."""
        self._ground.gate.project(Act.SEE_BILL, who, project)
        names = [last]
        while len(names) < n_months:
            names.insert(0, _month_before(names[0]))
        rows: dict[str, dict[str, Any]] = {
            name: {"month": name, "kwh": 0.0, "grid_kwh": 0.0, "gco2": 0.0} for name in names
        }
        with self._ground.db.read() as conn:
            found = books.days_of(conn, used_account(project), days_of(names[0])[0], days_of(last)[1])
        for day, commodity, _kind, amount, _n in found:
            row = rows[day_text(day)[:7]]
            if commodity.startswith("kwh:"):
                row["kwh"] += amount / MICRO
                row["grid_kwh"] += amount / MICRO if commodity == f"kwh:{GRID_SOURCE_ID}" else 0.0
            elif commodity == "gco2":
                row["gco2"] += amount / MICRO
        return list(rows.values())

    def balance(self, month: str, line_loss_frac: Mapping[str, float]) -> dict[str, Any]:
        """All energy of the park in a month, in whole microjoules: receipts + open jobs + idle + losses = plants.

        `line_loss_frac`: by source, what is lost between it and the site meter; sources left out lose nothing.
        """
        first, past = (start_s(day, self._ground.zone) for day in days_of(month))
        sums = {"receipts_uj": 0, "open_uj": 0, "idle_uj": 0, "losses_uj": 0, "plants_uj": 0}
        with self._ground.db.read() as conn:
            found = meter.energy_by_use(conn, first, past)
            meter_uj = sum(site for hour_s, (_, site) in meter.meter_by_hour(conn).items() if first <= hour_s < past)
        by_source: dict[str, int] = {}
        for use, source, site_uj in found:
            sums[f"{use}_uj"] += site_uj
            by_source[source] = by_source.get(source, 0) + site_uj
        for source, site_uj in by_source.items():
            lost = round(line_loss_frac.get(source, 0.0) * _PPM)
            plant_uj = -(-site_uj * _PPM // (_PPM - lost))
            sums["losses_uj"] += plant_uj - site_uj
            sums["plants_uj"] += plant_uj
        kwh = {name[:-3]: uj / UJ_PER_KWH for name, uj in sums.items()}
        return {"month": month, **sums, "meter_uj": meter_uj, "kwh": kwh}


def _month_before(month: str) -> str:
    """The month before a `YYYY-MM`."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year - (number == 1):04d}-{12 if number == 1 else number - 1:02d}"


def _add(by_day: dict[int, dict[str, float]], day: int, name: str, amount: int) -> None:
    row = by_day.setdefault(day, {})
    row[name] = row.get(name, 0) + amount


def statement_csv(told: Mapping[str, Any]) -> str:
    """A statement as CSV: a line for each day, then the sums by commodity."""
    rows: list[list[Any]] = [["day", row["date"], row["credits"], row["gpu_h"], row["kwh"]] for row in told["days"]]
    gpu_h, kwh = sum(told["gpu_h"].values()), sum(told["kwh_by_source"].values())
    rows.append(["sum", told["month"], told["credits"], gpu_h, kwh])
    rows += [["gpu_h", kind, "", hours, ""] for kind, hours in told["gpu_h"].items()]
    rows += [["kwh", source, "", "", kwh] for source, kwh in told["kwh_by_source"].items()]
    rows.append(["cpu_h", "", "", told["cpu_h"], ""])
    if told["gib_months"]:
        rows.append(["gib_months", "", told["storage_credits"], told["gib_months"], ""])
    rows.append(["gco2", "", told["gco2"], "", ""])
    return csv_of(["what", "which", "credits_or_g", "hours", "kwh"], rows)


def matched_frac(kwh_by_source: Mapping[str, float]) -> float | None:
    """The part of some energy that was clean in the hour in which it was drawn, 0 to 1; None without any energy."""
    kwh = sum(kwh_by_source.values())
    return (kwh - kwh_by_source.get(GRID_SOURCE_ID, 0.0)) / kwh if kwh else None
