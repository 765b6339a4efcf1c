"""Statements and invoices on paper, in French, Arabic and English: pages that bring all they need, and PDF."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from markupsafe import Markup

from eureka_park.adapters.browser_print import print_pdf
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.foundation.units import parse_instant_s
from eureka_park.ledger.core.invoicing import PRO_FORMA
from eureka_park.ledger.statements import matched_frac
from eureka_park.web.alone import sheet, templates
from eureka_park.web.auth import park_of
from eureka_park.web.charts.shapes import star
from eureka_park.web.pages.draw import names_of
from eureka_park.web.pages.words import LANGUAGES, N_, Words, isolated
from eureka_park.web.pages.words import words_of as chosen_words

IDS: Final = (("ice", N_("ICE")), ("tax_id", N_("Tax number")), ("trade_register", N_("Trade register")))
CONTACT: Final = (("email", N_("E-mail")), ("phone", N_("Phone")))
WAIT_S: Final = 5.0  # for the browser to be free; whoever waits holds a thread that all requests share
N_WAITING_MAX: Final = 4  # people, the one whose paper is printed among them
_ONE_AT_A_TIME: Final = threading.Lock()
_ASKING: Final[set[str]] = set()  # whose papers are printed, or wait for it
_GUARD: Final = threading.Lock()
_NOTHING: Final = dict.fromkeys(
    ("name", "address", "ice", "tax_id", "trade_register", "email", "phone", "iban", "bic", "bank"), ""
)


def language_of(request: Request, lang: str = "") -> Words:
    """The language of a paper: the one that is named, else the reader's; what is written in no PDF falls back."""
    zone = park_of(request).site.timezone
    if lang and lang not in LANGUAGES:
        raise BadInput(f"'{lang}' is no language of this park.", fix="Choose fr, ar or en.", field="lang")
    code = lang or chosen_words(request, zone).lang
    return Words(LANGUAGES[code].fallback or code, zone)


def pdf_of(html: str, person_id: str) -> bytes:
    """The page as PDF, for the person who asks. One is printed at a time, and one of a person.

    Raises Unavailable where no browser prints; `printer_busy` where others are being printed, or one of theirs.
    """
    with _turn_of(person_id), tempfile.TemporaryDirectory(prefix="park-bill-") as folder:
        page, made = Path(folder) / "page.html", Path(folder) / "page.pdf"
        page.write_text(html, encoding="utf-8")
        print_pdf(page, made, "the CSV")
        return made.read_bytes()


@contextmanager
def _turn_of(person_id: str) -> Iterator[None]:
    """The browser, for a while. Raises Unavailable after a short wait, or at once where too many wait already."""
    with _GUARD:
        if person_id in _ASKING or len(_ASKING) >= N_WAITING_MAX:
            raise _busy()
        _ASKING.add(person_id)
    try:
        if not _ONE_AT_A_TIME.acquire(timeout=WAIT_S):
            raise _busy()
        try:
            yield
        finally:
            _ONE_AT_A_TIME.release()
    finally:
        with _GUARD:
            _ASKING.discard(person_id)


def _busy() -> Unavailable:
    error = Unavailable("Other papers are being printed.", fix="Try again in a few seconds.", code="printer_busy")
    error.retry_after_s = WAIT_S
    return error


def money_text(words: Words, amount: float, currency: str) -> str:
    """An amount with two decimals and its currency, in one piece."""
    return isolated(f"{words.number(amount, 2)}\N{NO-BREAK SPACE}{currency}")


def month_name(words: Words, month: str) -> str:
    """A month YYYY-MM in words."""
    return words.say(N_("{month} {year}"), month=words.months("wide")[int(month[5:]) - 1], year=isolated(month[:4]))


def share_text(words: Words, frac: float | None) -> str:
    """A share in whole percent; what is not all is never told as all."""
    return words.percent(frac if frac is None or frac >= 1.0 else min(frac, 0.99))


# -- statements --------------------------------------------------------------------------------------------------------
def statement_html(told: Mapping[str, Any], words: Words, park: Park) -> str:
    """A statement as a page."""
    kwh = sum(told["kwh_by_source"].values())
    whose = told["project"] or told["organisation"]
    figures = [
        (words.say(N_("Credits")), words.number(told["credits"], 2)),
        (words.say(N_("Jobs")), words.number(told["n_jobs"])),
        (words.say(N_("Energy")), words.energy(kwh)),
    ]
    if told["gib_months"]:
        figures.append((words.say(N_("Storage, GiB-months")), words.number(told["gib_months"], 2)))
        figures.append((words.say(N_("Credits for storage")), words.number(told["storage_credits"], 2)))
    hours = [(f"{kind} (GPU)", _hours(words, amount)) for kind, amount in told["gpu_h"].items()]
    hours += [("CPU", _hours(words, told["cpu_h"]))] if told["cpu_h"] else []
    names = names_of(park, words)
    sources = [
        (names.get(name, name), words.energy(amount), words.percent(amount / kwh if kwh else None))
        for name, amount in sorted(told["kwh_by_source"].items(), key=lambda item: -item[1])
    ]
    days = [
        {"date": words.long_date(row["date"]), "kwh": words.number(row["kwh"], 3),
         **{name: words.number(row[name], 2) for name in ("credits", "gpu_h")}}
        for row in told["days"]
    ]  # fmt: skip
    head = words.say(N_("Statement of {month}"), month=month_name(words, told["month"]))
    return _paper(
        "statement_print.html", words, head, whose, park.ledger.money.rules.seller.get("name", ""), figures=figures,
        hours=hours, sources=sources, days=days, carbon=_carbon(told, kwh, words, park),
        made=words.when(park.clock.park_s()),
    )  # fmt: skip


def _hours(words: Words, amount: float) -> str:
    return isolated(words.say(N_("{n} h"), n=words.number(amount, 2)))


def _carbon(told: Mapping[str, Any], kwh: float, words: Words, park: Park) -> dict[str, str]:
    matched = matched_frac(told["kwh_by_source"])
    if matched is None:
        return {}
    per_kwh = park.site.grid.gco2_per_kwh
    return {
        "place": words.grams(kwh * per_kwh),
        "grid": words.number(per_kwh),
        "hours": words.grams(told["gco2"]),
        "matched": share_text(words, matched),
    }


# -- invoices ----------------------------------------------------------------------------------------------------------
def invoice_html(told: Mapping[str, Any], words: Words) -> str:
    """An invoice or a pro-forma as a page, as it was issued."""
    body, currency, is_offer = told["body"], told["currency"], told["kind"] == PRO_FORMA
    seller, buyer = {**_NOTHING, **body["seller"]}, {**_NOTHING, **body["buyer"]}
    lines = [
        {"credits": words.number(row["credits"], 2), "price": _price(words, body["mad_per_unit"], currency),
         "net": money_text(words, row["net_minor"] / 100, currency)}
        for row in body["lines"]
    ]  # fmt: skip
    head = words.say(N_("Pro-forma invoice") if is_offer else N_("Invoice"))
    amounts = {name: money_text(words, told[name], currency) for name in ("net", "vat", "total")}
    return _paper(
        "invoice_print.html", words, head, told["name"], seller["name"],
        told={**told, "body": {"pro_forma": "", **body}},
        seller=seller, buyer=buyer, ids=IDS, contact=CONTACT, lines=lines, is_offer=is_offer, **amounts,
        issued=_date(words, told["issued_at"]), due=_date(words, told["due_at"]),
        paid=_date(words, told["paid_at"]) if told["paid_at"] and not is_offer else "",
        vat_percent=words.percent(body["vat_frac"]), iban=grouped(seller["iban"]),
        rate=words.number(body["mad_per_unit"]),
    )  # fmt: skip


def grouped(iban: str) -> str:
    """An IBAN in groups of four, as it is printed."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


def _price(words: Words, mad_per: float, currency: str) -> str:
    price = 1.0 / mad_per
    digits = 2 if round(price, 2) == price else 4
    return isolated(f"{words.number(price, digits)}\N{NO-BREAK SPACE}{currency}")


def _date(words: Words, instant: str) -> str:
    return words.long_date(words.local(parse_instant_s(instant)).strftime("%Y-%m-%d"))


def _style(lang: str) -> Markup:
    return Markup("<style>{}</style>").format(Markup(sheet(lang, "bill_print.css")))


def _paper(template: str, words: Words, head: str, number: str, issuer: str, **more: Any) -> str:
    return templates().get_template(template).render(
        _=words.say, words=words, style=_style(words.lang), star=star(24, 24, 23), head=head,
        number=number, title=f"{head} {number}", issuer=issuer, **more,
    )  # fmt: skip
