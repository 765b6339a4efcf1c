"""Money for those who run the park: requests and invoices, the bank's lines, payouts to people."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.service import Act, Principal
from eureka_park.foundation.errors import BadInput, NotFound, ParkError
from eureka_park.foundation.units import parse_instant_s
from eureka_park.ledger.core.bank_file import text_of
from eureka_park.web.api.money import buyer_of
from eureka_park.web.auth import Anyone, Someone, check_recent, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.duties import OPERATE_PAGES
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.money_words import INVOICE_KINDS, TOP_UP_STATES, WHY_OPEN, told_of_money
from eureka_park.web.pages.papers import grouped, money_text
from eureka_park.web.pages.people_words import show, sign_in_first
from eureka_park.web.pages.uploads import TheUpload
from eureka_park.web.pages.words import N_, Words

SELLER_NAMES: Final = (
    ("name", N_("Name")), ("address", N_("Address")), ("ice", N_("ICE")), ("tax_id", N_("Tax number")),
    ("trade_register", N_("Trade register")), ("bank", N_("Bank")), ("iban", N_("IBAN")), ("bic", N_("BIC")),
    ("email", N_("E-mail")), ("phone", N_("Phone")),
)  # fmt: skip
_DONE: Final = N_("It is done.")
_LINES_SHOWN: Final = 100
_FITTING_SHOWN: Final = 8
State = Annotated[str, Query(max_length=8)]


def _render(request: Request, template: str, error: ParkError | None, **more: Any) -> Response:
    wrong = told_of_money(words_of(request), error)
    done = more.pop("done", "") or (_DONE if "done" in request.query_params else "")
    return show(request, template, "/operate", error, wrong=wrong, done=done, operate_pages=OPERATE_PAGES, **more)


# -- requests and invoices ---------------------------------------------------------------------------------------------
def money_page(request: Request, who: Anyone) -> Response:
    """Requests to buy credits, invoices, and what accounts.toml says of money. For operators."""
    return sign_in_first(request) if who is None else _money(request, who)


def change_money(request: Request, who: Someone, form: TheForm) -> Response:
    """Issue a pro-forma or an invoice, or take a request back, by the button that was pressed. For operators."""
    park = park_of(request)
    park.accounts.require_park(Act.GRANT, who)
    try:
        if form.one("do") == "cancel":
            park.ledger.money.cancel_top_up(who, form.one("top_up"))
        else:
            given = {name: form.one(name) for name in ("name", "ice", "address")}
            buyer = buyer_of(park, who, form.one("top_up"), given)
            park.ledger.money.issue(who, form.one("top_up"), form.one("do"), buyer)
    except ParkError as error:
        return _money(request, who, error, form)
    return RedirectResponse("/operate/money?done=1", 303)


def _money(request: Request, who: Principal, error: ParkError | None = None, form: Form | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    money = park.ledger.money
    papers = [_paper(words, item, park.clock.park_s()) for item in money.invoices(who)]
    waiting = [
        {**item, "when": words.when(parse_instant_s(item["asked_at"])), "buyer": _known_buyer(request, who, item),
         "papers": [paper for paper in papers if paper["top_up_id"] == item["top_up_id"]]}
        for item in money.top_ups(who)
        if item["state"] == "asked"
    ]  # fmt: skip
    rules = money.rules
    return _render(
        request, "operate_money.html", error, waiting=waiting, papers=papers, kinds=INVOICE_KINDS,
        states=TOP_UP_STATES, typed=form or Form(), rules=rules, vat=words.percent(rules.vat_frac),
        names=park.accounts.people.names([item["asked_by"] for item in waiting]),
        seller=[(label, _seller(rules.seller, name)) for name, label in SELLER_NAMES if rules.seller.get(name)],
        missing=rules.missing,
        missing_said=[words.say(label) for name, label in SELLER_NAMES if name in rules.missing],
    )  # fmt: skip


def _seller(seller: Any, name: str) -> str:
    return grouped(seller[name]) if name == "iban" else str(seller[name])


def _known_buyer(request: Request, who: Principal, item: dict[str, Any]) -> dict[str, str]:
    try:
        found = buyer_of(park_of(request), who, item["top_up_id"], {})
    except NotFound:
        found = {}
    return {name: found.get(name, "") for name in ("name", "ice", "address")}


def _paper(words: Words, item: dict[str, Any], now_s: float) -> dict[str, Any]:
    is_late = not item["paid_at"] and item["kind"] == "invoice" and parse_instant_s(item["due_at"]) < now_s
    return {
        **item, "shown": money_text(words, item["total"], item["currency"]), "is_late": is_late,
        "buyer": item["body"]["buyer"].get("name", ""), "issued": words.day(parse_instant_s(item["issued_at"])),
        "due": words.day(parse_instant_s(item["due_at"])),
        "paid": words.day(parse_instant_s(item["paid_at"])) if item["paid_at"] else "",
    }  # fmt: skip


# -- the bank ----------------------------------------------------------------------------------------------------------
def bank_page(request: Request, who: Anyone, state: State = "open") -> Response:
    """The bank's lines: what matched, what waits, and what it may pay. For operators."""
    return sign_in_first(request) if who is None else _bank(request, who, state=state)


def change_bank(request: Request, who: Someone, upload: TheUpload) -> Response:
    """Read a file, try again, match by hand, set aside or put back, by the button that was pressed. For operators."""
    park, form = park_of(request), upload.form
    park.accounts.require_park(Act.GRANT, who)
    bank = park.ledger.money.bank
    try:
        match form.one("do"):
            case "read":
                text = text_of(upload.files.get("file", b"")) or form.one("text")
                if not text.strip():
                    raise BadInput("No file was chosen.", fix="Choose one.", code="no_file", field="file")
                return _bank(request, who, brought=bank.read(who, text, form.one("currency")))
            case "again":
                found = bank.again(who)
                return _bank(request, who, brought={"matched": found["matched"], "open": [], "n_known": 0})
            case "match":
                names = [*form.all("invoice"), *form.one("more").upper().replace(",", " ").split()]
                bank.match(who, form.all("line"), [*filter(None, names)], with_difference=form.has("with_difference"))
            case "aside":
                bank.set_aside(who, form.one("line"), form.one("note"))
            case "back":
                bank.put_back(who, form.one("line"))
            case _:
                raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="bad_form")
    except ParkError as error:
        return _bank(request, who, error)
    return RedirectResponse("/operate/bank?done=1", 303)


def _bank(
    request: Request, who: Principal, error: ParkError | None = None, *, state: str = "open",
    brought: dict[str, Any] | None = None,
) -> Response:  # fmt: skip
    park, words = park_of(request), words_of(request)
    bank = park.ledger.money.bank
    state = state if state in ("open", "matched", "aside") else "open"
    unpaid = [
        {"name": item["name"], "kind": item["kind"], "buyer": item["body"]["buyer"].get("name", ""),
         "shown": money_text(words, item["total"], item["currency"]), "total": item["total"],
         "currency": item["currency"]}
        for item in bank.unpaid(who)
    ]  # fmt: skip
    lines = [_line(words, item, unpaid) for item in bank.lines(who, state, _LINES_SHOWN)]
    return _render(
        request, "operate_bank.html", error, lines=lines, state=state, counts=bank.counts(who), why=WHY_OPEN,
        kinds=INVOICE_KINDS, currencies=sorted(park.ledger.money.rules.mad_per, key=lambda name: (name != "MAD", name)),
        brought=_brought(words, brought), n_unpaid=len(unpaid),
        names=park.accounts.people.names([item["closed_by"] for item in lines if item["closed_by"]]),
    )  # fmt: skip


def _line(words: Words, item: dict[str, Any], unpaid: list[dict[str, Any]]) -> dict[str, Any]:
    """A line with what it may pay, the same money first, then what its reference names."""
    reference = item["reference"].upper()
    fitting = sorted(
        unpaid,
        key=lambda other: (
            not _asks_for(other, item),
            other["name"] not in reference,
            other["currency"] != item["currency"],
        ),
    )
    return {
        **item, "shown": money_text(words, item["amount"], item["currency"]), "fitting": fitting[:_FITTING_SHOWN],
        "day": words.long_date(item["date"]),
        "is_sure": bool(fitting) and (_asks_for(fitting[0], item) or fitting[0]["name"] in reference),
    }  # fmt: skip


def _asks_for(paper: dict[str, Any], line: dict[str, Any]) -> bool:
    return bool((paper["total"], paper["currency"]) == (line["amount"], line["currency"]))


def _brought(words: Words, brought: dict[str, Any] | None) -> dict[str, Any] | None:
    if brought is None:
        return None
    matched = [{**item, "shown": money_text(words, item["amount"], item["currency"])} for item in brought["matched"]]
    return {"matched": matched, "n_open": len(brought["open"]), "n_known": brought["n_known"]}


# -- payouts -----------------------------------------------------------------------------------------------------------
def payouts_page(request: Request, who: Anyone) -> Response:
    """Whom the park owes, and batches for the bank. For operators."""
    return sign_in_first(request) if who is None else _payouts(request, who)


def make_payout(request: Request, who: Someone, form: TheForm) -> Response:
    """Gather what people are owed in a batch. For operators."""
    park = park_of(request)
    park.accounts.require_park(Act.GRANT, who)
    try:
        park.ledger.money.payouts.make_batch(who, form.all("person"))
    except ParkError as error:
        return _payouts(request, who, error)
    return RedirectResponse("/operate/payouts?done=1", 303)


def _payouts(request: Request, who: Principal, error: ParkError | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    pay = park.ledger.money.payouts
    owed = [{**item, "shown": money_text(words, item["mad"], "MAD")} for item in pay.owed(who)]
    batches = [
        {**item, "shown": money_text(words, item["mad"], "MAD"), "when": words.when(parse_instant_s(item["made_at"]))}
        for item in pay.batches(who)
    ]
    ids = sorted({item["person_id"] for item in owed} | {item["made_by"] for item in batches})
    return _render(
        request, "operate_payouts.html", error, owed=owed, batches=batches, names=park.accounts.people.names(ids),
        has_iban=bool(park.ledger.money.rules.seller.get("iban")),
        total=money_text(words, sum(item["mad"] for item in owed), "MAD"),
    )  # fmt: skip


# -- one's own pay -----------------------------------------------------------------------------------------------------
def own_pay_page(request: Request, who: Anyone) -> Response:
    """What oneself has earned, and whereto it is paid."""
    return sign_in_first(request) if who is None else _own_pay(request, who)


def change_own_pay(request: Request, who: Someone, form: TheForm) -> Response:
    """Say whereto one's own pay goes, or have it forgotten, by the button that was pressed. Takes a fresh sign-in."""
    payees = park_of(request).ledger.payees
    try:
        check_recent(request, who)
        if form.one("do") == "drop":
            payees.drop(who)
        else:
            payees.set(who, form.one("iban"), form.one("holder"))
    except ParkError as error:
        return _own_pay(request, who, error, form)
    return RedirectResponse("/account/pay?done=1", 303)


def _own_pay(request: Request, who: Principal, error: ParkError | None = None, form: Form | None = None) -> Response:
    park, words = park_of(request), words_of(request)
    found = park.ledger.payees.mine(who)
    return show(
        request, "account_pay.html", "/account/pay", error, wrong=told_of_money(words, error),
        done=_DONE if "done" in request.query_params else "", found=found, typed=form or Form(),
        changed=words.when(parse_instant_s(found["changed_at"])) if found else "",
        owed=money_text(words, park.ledger.money.payouts.mine(who), "MAD"),
    )  # fmt: skip
