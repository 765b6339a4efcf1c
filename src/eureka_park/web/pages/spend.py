"""A project's money beyond its bill: moving credits to another project, and buying them."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.permissions import Project, may
from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.foundation.units import parse_instant_s
from eureka_park.ledger.core.invoicing import amounts_minor
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.money_words import (
    INVOICE_KINDS,
    TOP_UP_STATES,
    amount_of,
    fresh_key,
    key_of,
    told_of_money,
)
from eureka_park.web.pages.papers import money_text
from eureka_park.web.pages.people_words import show, sign_in_first
from eureka_park.web.pages.words import N_, Words

_MISSING: Final = {"ice": N_("ICE"), "address": N_("Address on invoices")}


# -- moving ------------------------------------------------------------------------------------------------------------
def transfers_page(request: Request, who: Anyone, project_id: str) -> Response:
    """Credits that go from this project to another of one's own."""
    return sign_in_first(request) if who is None else _transfers(request, who, project_id)


def move(request: Request, who: Someone, project_id: str, form: TheForm) -> Response:
    """Move credits. For leads of both projects; the button pressed twice moves once."""
    park = park_of(request)
    park.accounts.require(Act.SPEND, who, project_id)
    try:
        park.ledger.grants.move(who, project_id, form.one("to"), amount_of(form), key=key_of(form))
    except ParkError as error:
        return _transfers(request, who, project_id, error, form)
    return RedirectResponse(f"/projects/{project_id}/transfers?done=1", 303)


def _transfers(
    request: Request, who: Principal, project_id: str, error: ParkError | None = None, form: Form | None = None
) -> Response:
    park = park_of(request)
    project = park.accounts.require(Act.SEE_BILL, who, project_id)
    now_s = park.clock.park_s()
    targets = [
        {"id": item.project_id, "title": item.title, "usable": park.ledger.grants.usable(item.project_id, now_s)}
        for item in park.accounts.projects(who)
        if item.project_id != project_id and not item.is_closed and _spends(who, item)
    ]
    return show(
        request, "transfers.html", "/projects", error, wrong=told_of_money(words_of(request), error),
        done=_done(request),
        choices=[(item["id"], f"{item['title']} ({item['id']})") for item in targets],
        project=project, usable=park.ledger.grants.usable(project_id, now_s), targets=targets,
        typed=form or Form(), may_spend=may(Act.SPEND, who, project).is_allowed, key=fresh_key(),
    )  # fmt: skip


def _spends(who: Principal, project: Project) -> bool:
    return may(Act.SPEND, who, project).is_allowed


def _done(request: Request) -> str:
    return N_("It is done.") if "done" in request.query_params else ""


# -- buying ------------------------------------------------------------------------------------------------------------
def top_ups_page(request: Request, who: Anyone, project_id: str) -> Response:
    """Credits that a project buys: requests, pro-formas, invoices."""
    return sign_in_first(request) if who is None else _top_ups(request, who, project_id)


def buy(request: Request, who: Someone, project_id: str, form: TheForm) -> Response:
    """Ask for a top-up, or take a request back, by the button that was pressed. For leads."""
    park = park_of(request)
    park.accounts.require(Act.SPEND, who, project_id)
    money = park.ledger.money
    try:
        if form.one("do") == "cancel":
            money.cancel_top_up(who, form.one("top_up"), project_id)
        else:
            money.ask_top_up(who, project_id, amount_of(form), form.one("currency", "MAD"), key=key_of(form))
    except ParkError as error:
        return _top_ups(request, who, project_id, error, form)
    return RedirectResponse(f"/projects/{project_id}/top-ups?done=1", 303)


def _top_ups(
    request: Request, who: Principal, project_id: str, error: ParkError | None = None, form: Form | None = None
) -> Response:
    park, words = park_of(request), words_of(request)
    project, money = park.accounts.require(Act.SEE_BILL, who, project_id), park.ledger.money
    invoices = money.invoices(who, project_id)
    requests = [
        {**item, "when": words.when(parse_instant_s(item["asked_at"])),
         "papers": [_paper(words, paper) for paper in reversed(invoices) if paper["top_up_id"] == item["top_up_id"]]}
        for item in money.top_ups(who, project_id)
    ]  # fmt: skip
    seat, rates = _seat(park, who, project), _rates(words, park)
    done = N_("It is asked for. The invoice comes from the operators of this park.")
    return show(
        request, "top_ups.html", "/projects", error, wrong=told_of_money(words, error),
        done=done if "done" in request.query_params else "", project=project, requests=requests, typed=form or Form(),
        states=TOP_UP_STATES, kinds=INVOICE_KINDS, rates=rates, seat=seat,
        currencies=[(row["currency"], row["currency"]) for row in rates],
        missing_names=[words.say(_MISSING[name]) for name in seat["missing"]] if seat else [],
        vat=words.percent(money.rules.vat_frac), may_spend=may(Act.SPEND, who, project).is_allowed,
        key=fresh_key(),
    )  # fmt: skip


def _paper(words: Words, item: dict[str, Any]) -> dict[str, Any]:
    return {
        **item, "shown": money_text(words, item["total"], item["currency"]),
        "due": words.day(parse_instant_s(item["due_at"])),
        "paid": words.day(parse_instant_s(item["paid_at"])) if item["paid_at"] else "",
    }  # fmt: skip


def _rates(words: Words, park: Park) -> list[dict[str, str]]:
    """By currency, what a hundred credits come to with VAT."""
    rules, rows = park.ledger.money.rules, []
    for currency, mad_per in sorted(rules.mad_per.items(), key=lambda item: (item[0] != "MAD", item[0])):
        _, _, total = amounts_minor(100_000_000, mad_per, rules.vat_frac)
        rows.append({"currency": currency, "hundred": money_text(words, total / 100, currency)})
    return rows


def _seat(park: Park, who: Principal, project: Project) -> dict[str, Any] | None:
    """The organisation that is billed, and what its invoices miss; None where the project has none."""
    if not project.organisation_id:
        return None
    try:
        seat = park.accounts.require_organisation(Act.SEE_BILL, who, project.organisation_id)
    except ParkError:  # one of the project, not of the organisation
        return {"id": project.organisation_id, "name": project.organisation_id, "missing": [], "is_seen": False}
    missing = [name for name in ("ice", "address") if not seat.billing.get(name)]
    return {"id": seat.organisation_id, "name": seat.name, "missing": missing, "is_seen": True}
