"""What pages of money share: states and reasons in words, amounts and keys of their forms."""

from __future__ import annotations

import math
import secrets
from collections.abc import Mapping
from typing import Final

from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.pages.forms import Form
from eureka_park.web.pages.people_words import told
from eureka_park.web.pages.words import N_, Words

TOP_UP_STATES: Final = {
    "asked": N_("asked for"), "invoiced": N_("invoiced"), "paid": N_("paid"), "cancelled": N_("taken back"),
}  # fmt: skip
INVOICE_KINDS: Final = {"pro_forma": N_("pro-forma"), "invoice": N_("invoice")}
WHY_OPEN: Final = {
    "no_name": N_("Its reference names no invoice."),
    "unknown_name": N_("There is no invoice of the number in its reference."),
    "other_amount": N_("It brings another amount than is asked for."),
    "other_currency": N_("It is in another currency than the invoice."),
    "paid_before": N_("What it names is paid already."),
}
_SENTENCES: Final[Mapping[str, str]] = {
    "no_credit": N_("There is less than that left to spend."),
    "key_reused": N_("This form was sent before. Load the page again, then look whether it is done."),
    "bad_bank": N_("This is not a bank’s file as the park reads it. It needs columns for date, amount and reference."),
    "no_file": N_("No file was chosen."),
    "other_amount": N_("The amounts differ. Choose other invoices, or say that the difference is accepted."),
    "other_currency": N_("They are in different currencies."),
    "paid_before": N_("What you chose is paid already."),
    "not_open": N_("That line was dealt with already."),
    "nothing_chosen": N_("Choose what the line pays."),
    "no_buyer": N_("An invoice names its buyer. Write who pays."),
    "invoiced": N_("It has its invoice already."),
    "cancelled": N_("It was taken back."),
    "nothing_to_pay": N_("Nobody of them has anything that can be paid."),
    "payee_gone": N_("Somebody of them has taken their bank account away since. Pay them by hand."),
    "payee_fresh": N_("Somebody of them changed their bank account in the last three days. Take the file after that."),
    "no_payer_iban": N_("The park has no bank account of its own yet. Name it in accounts.toml, under [money.seller]."),
    "bad_iban": N_("This is no IBAN. Compare it letter by letter."),
    "no_such_invoice": N_("There is no such invoice."),
    "bad_month": N_("This is no month. Write it as 2027-03."),
    "no_browser": N_("The park’s machine has no browser that prints. Take the CSV."),
    "too_large": N_("The file is too large. Send fewer days at once."),
}
_KEY_BYTES: Final = 12


def told_of_money(words: Words, error: ParkError | None) -> dict[str, str] | None:
    """What went wrong, and the language it is said in."""
    form = _SENTENCES.get(error.code) if error is not None else None
    return {"text": words.say(form), "lang": words.tag_of(form)} if form else told(words, error)


def amount_of(form: Form, name: str = "credits") -> float:
    """An amount above 0, with a point or a comma. Raises BadInput."""
    try:
        value = float(form.one(name).replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", "."))
    except ValueError:
        value = math.nan
    if not 0.0 < value < 1e9:
        raise BadInput("This is no amount.", fix="Write 250, for example.", code="bad_amount", field=name)
    return value


def fresh_key() -> str:
    """Names a form as it is sent out: however often it comes back, it is done once."""
    return secrets.token_hex(_KEY_BYTES)


def key_of(form: Form) -> str:
    """The key of a form that came back; '' where it has none."""
    key = form.one("key")[:64]
    return f"page-{key}" if key else ""
