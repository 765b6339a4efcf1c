"""What projects may spend, the operators' grants and prices, and the door for whoever is new, with its time."""

from __future__ import annotations

import math
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.permissions import may
from eureka_park.accounts.service import Act, Principal
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.units import DAY_S, parse_instant_s
from eureka_park.web.api.bills import project_bill
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.duties import render
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.people_words import show, sign_in_first, told
from eureka_park.web.pages.words import N_, Words

GRANT_KINDS: Final = {
    "try": N_("to try"), "award": N_("award"), "top_up": N_("top-up"), "bridge": N_("bridge"), "paid": N_("paid"),
}  # fmt: skip
STATES: Final = {"open": N_("open"), "ended": N_("ended"), "waiting": N_("not begun")}
STEP_NAMES: Final = {
    "submitted": N_("sent a first job"), "started": N_("saw it start"), "receipt": N_("held its receipt"),
}  # fmt: skip
TIERS: Final = ("firm", "flex", "green")


# -- a project's bill --------------------------------------------------------------------------------------------------
def bill_page(request: Request, who: Anyone, project_id: str) -> Response:
    """What a project may spend: grants, budgets, statements."""
    return sign_in_first(request) if who is None else _bill(request, who, project_id)


def change_bill(request: Request, who: Someone, project_id: str, form: TheForm) -> Response:
    """Set or drop a budget, by the button that was pressed. For leads."""
    grants = park_of(request).ledger.grants
    park_of(request).accounts.require(Act.SEE_BILL, who, project_id)
    try:
        if form.one("do") == "drop":
            grants.drop_budget(who, project_id, form.one("name"))
        else:
            action = "hold" if form.has("hold") else "notify"
            grants.set_budget(
                who,
                project_id,
                form.one("name"),
                _credits(form),
                period="month",
                thresholds=[50, 80, 100],
                action=action,
            )
    except ParkError as error:
        return _bill(request, who, project_id, error)
    return RedirectResponse(f"/projects/{project_id}/bill?done=1", 303)


def _bill(request: Request, who: Principal, project_id: str, error: ParkError | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    project = park.accounts.require(Act.SEE_BILL, who, project_id)
    bill = project_bill(park, who, project_id)
    done = N_("It is done.") if "done" in request.query_params else ""
    return show(
        request, "bill.html", "/projects", error, wrong=told(words, error), done=done, project=project,
        bill={**bill, "grants": _dated(words, bill["grants"])}, kinds=GRANT_KINDS, states=STATES,
        month=words.local(park.clock.park_s()).strftime("%Y-%m"), may_spend=may(Act.SPEND, who, project).is_allowed,
    )  # fmt: skip


def _dated(words: Words, grants: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for item in grants:
        until = words.when(parse_instant_s(item["valid_until"])) if item["valid_until"] else ""
        reclaim = item["reclaim"]
        due = words.when(parse_instant_s(reclaim["due_at"])) if reclaim and reclaim["state"] == "noticed" else ""
        frac = item["used_credits"] / item["given_credits"] if item["given_credits"] else 0.0
        rows.append({**item, "until": until, "due": due, "used_frac": min(1.0, max(0.0, frac))})
    return rows


def _credits(form: Form, name: str = "credits") -> float:
    try:
        value = float(form.one(name).replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0.0 <= value < 1e9:
        raise BadInput("This is no amount of credits.", fix="Write 250, for example.", code="bad_amount", field=name)
    return value


# -- the operators' grants and prices ----------------------------------------------------------------------------------
def grants_page(request: Request, who: Anyone) -> Response:
    """The grants of all projects. For operators and auditors."""
    return sign_in_first(request) if who is None else _grants(request, who)


def change_grants(request: Request, who: Someone, form: TheForm) -> Response:
    """Give, end, or release the second half of a grant. For operators."""
    park = park_of(request)
    park.accounts.require_park(Act.GRANT, who)
    grants, grant_id = park.ledger.grants, form.one("grant")
    try:
        match form.one("do"):
            case "end":
                grants.end(who, grant_id)
            case "half":
                grants.release_second_half(who, grant_id)
            case _:
                days = _credits(form, "days") if form.one("days") else 0.0
                until_s = park.clock.park_s() + days * DAY_S if days else None
                kind = form.one("kind", "award")
                grants.give(
                    who, form.one("project"), _credits(form), kind=kind, title=form.one("title"),
                    valid_until_s=until_s, in_halves=form.has("in_halves"), awaits=form.one("title"),
                )  # fmt: skip
    except ParkError as error:
        return _grants(request, who, error)
    return RedirectResponse("/operate/grants?done=1", 303)


def _grants(request: Request, who: Principal, error: ParkError | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    found = _dated(words, park.ledger.grants.all(who))
    projects = [item.project_id for item in park.accounts.projects(who) if not item.is_closed]
    done = N_("It is done.") if "done" in request.query_params else ""
    return render(
        request, "operate_grants.html", "/operate", error, grants=found, projects=projects, kinds=GRANT_KINDS,
        done=done, states=STATES, may_grant=may(Act.GRANT, who, None).is_allowed,
    )  # fmt: skip


def prices_page(request: Request, who: Anyone) -> Response:
    """The price lists. Operators set the next one here."""
    if who is None:
        return sign_in_first(request)
    park_of(request).accounts.require_park(Act.SEE_PEOPLE, who)
    return _prices(request, who)


def set_prices(request: Request, who: Someone, form: TheForm) -> Response:
    """Set prices from now on. For operators."""
    park = park_of(request)
    park.accounts.require_park(Act.PRICE, who)
    try:
        gpu, cpu = ({tier: _credits(form, f"{unit}_{tier}") for tier in TIERS} for unit in ("gpu", "cpu"))
        before = park.ledger.billing.price_list(park.clock.park_s())
        body = {
            "mad_per_gpu_h": {"*": {"*": gpu}},
            "mad_per_cpu_h": {"*": cpu},
            "mad_per_gib_month": before.mad_per_gib_month if before is not None else 0.0,
            "label": form.one("label") or "assumption",
        }
        park.ledger.billing.set_price_list(who, body)
    except ParkError as error:
        return _prices(request, who, error)
    return RedirectResponse("/operate/prices?done=1", 303)


def _prices(request: Request, who: Principal, error: ParkError | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    lists = [
        {**item, "since": words.when(parse_instant_s(item["valid_from"]))}
        for item in reversed(park.ledger.billing.price_lists())
    ]
    done = N_("It is done.") if "done" in request.query_params else ""
    return render(
        request, "operate_prices.html", "/operate", error, lists=lists, tiers=TIERS, done=done,
        may_price=may(Act.PRICE, who, None).is_allowed,
    )  # fmt: skip


# -- the door for whoever is new ---------------------------------------------------------------------------------------
def try_page(request: Request, who: Anyone) -> Response:
    """The first door: what somebody new gets, in three steps, and how long it took everybody so far."""
    park = park_of(request)
    waits, rules = park.ledger.first_jobs.published(), park.ledger.grants.rules
    steps = [
        {"name": STEP_NAMES.get(name, name), "n": found["n"], "half": found["p50_s"], "most": found["p90_s"]}
        for name, found in waits["steps"].items()
    ]
    return page(
        request, "try.html", "/try", credits=rules.try_credits, days=rules.try_days, steps=steps,
        n_people=waits["n_people"],
    )  # fmt: skip
