"""The routes of pages about people, projects and the park's operators."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from eureka_park.web.pages import (
    account,
    duties,
    groups,
    money,
    months,
    notices,
    operate,
    permissions,
    places,
    set_up,
    spend,
    till,
)

PAGES: Final[tuple[tuple[str, Any], ...]] = (
    ("/account", account.account_page),
    ("/account/tokens", account.tokens_page),
    ("/account/sessions", account.sessions_page),
    ("/account/notices", notices.notices_page),
    ("/projects", places.projects_page),
    ("/projects/{project_id}", places.project_page),
    ("/projects/{project_id}/bill", money.bill_page),
    ("/projects/{project_id}/transfers", spend.transfers_page),
    ("/projects/{project_id}/top-ups", spend.top_ups_page),
    ("/projects/{project_id}/months", months.project_months),
    ("/projects/{project_id}/carbon", months.carbon_page),
    ("/organisations/{organisation_id}/months", months.organisation_months),
    ("/account/pay", till.own_pay_page),
    ("/operate/money", till.money_page),
    ("/operate/bank", till.bank_page),
    ("/operate/payouts", till.payouts_page),
    ("/organisations/{organisation_id}", places.organisation_page),
    ("/groups", groups.groups_page),
    ("/groups/{group_id}", groups.group_page),
    ("/permissions", permissions.permissions_page),
    ("/operate", operate.operate_page),
    ("/set-up", set_up.set_up_page),
    ("/operate/people", operate.people_page),
    ("/operate/grants", money.grants_page),
    ("/operate/prices", money.prices_page),
    ("/operate/audit", operate.audit_page),
    ("/try", money.try_page),
    ("/operate/duties", duties.duties_page),
)
DEEDS: Final[tuple[tuple[str, Any], ...]] = (
    ("/account", account.change_account),
    ("/account/erase", account.erase_account),
    ("/account/email", account.ask_address),
    ("/account/tokens", account.make_token),
    ("/account/tokens/end", account.end_token),
    ("/account/sessions", account.end_sessions),
    ("/account/notices", notices.change_notices),
    ("/groups", groups.make_group),
    ("/groups/{group_id}", groups.change_group),
    ("/projects", places.found),
    ("/projects/{project_id}", places.change_project),
    ("/organisations/{organisation_id}", places.change_organisation),
    ("/projects/{project_id}/bill", money.change_bill),
    ("/projects/{project_id}/transfers", spend.move),
    ("/projects/{project_id}/top-ups", spend.buy),
    ("/account/pay", till.change_own_pay),
    ("/operate/money", till.change_money),
    ("/operate/bank", till.change_bank),
    ("/operate/payouts", till.make_payout),
    ("/operate/people", operate.change_people),
    ("/set-up", set_up.keep_step),
    ("/operate/grants", money.change_grants),
    ("/operate/prices", money.set_prices),
)


def add_people_pages(app: FastAPI) -> None:
    """Put these pages into the application."""
    for ways, method in ((PAGES, "GET"), (DEEDS, "POST")):
        for path, endpoint in ways:
            app.add_api_route(path, endpoint, methods=[method], include_in_schema=False, response_class=HTMLResponse)
