"""A bank's CSV: its payments, and the invoices and pro-formas that their references name."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from eureka_park.foundation.errors import BadInput

LINES_MAX: Final = 20_000
NAMES_MAX: Final = 8
# EP-2027-000001, and what banks make of it: EP2027000001, EP 2027/1
_NUMBER: Final = re.compile(
    r"(?<![A-Z0-9])([A-Z][A-Z0-9]{0,11}?)[\s./_-]{0,3}(20[0-9]{2})(?:[\s./_-]{1,3}(?=[0-9]{1,6}(?![0-9]))|(?=[0-9]{6}(?![0-9])))"
    r"([0-9]{1,6})"
)
# whole, or with one or two decimals behind a point or a comma; thousands apart only where decimals say which is which
_AMOUNT: Final = re.compile(
    r"[-+]?(?:\d{1,12}(?:[.,]\d{1,2})?|\d{1,3}(?:,\d{3})+\.\d{1,2}|\d{1,3}(?:\.\d{3})+,\d{1,2})\Z", re.ASCII
)
_HEADS: Final = ("date", "amount", "currency", "reference")
# What banks here call the columns, in small letters without accents.
_CALLED: Final[Mapping[str, tuple[str, ...]]] = {
    "date": (
        "date", "date operation", "date d'operation", "date de l'operation", "date valeur", "date de valeur",
        "booking date", "value date", "التاريخ",
    ),
    "amount": ("amount", "montant", "credit", "montant credit", "credit amount", "المبلغ"),
    "currency": ("currency", "devise", "monnaie", "العملة"),
    "reference": (
        "reference", "libelle", "motif", "communication", "description", "label", "libelle operation",
        "libelle de l'operation", "المرجع", "البيان",
    ),
}  # fmt: skip
_ACCENTS: Final = str.maketrans("éèêëàâîïôûùç’", "eeeeaaiiouuc'")


@dataclass(frozen=True, slots=True)
class Payment:
    """A line of the bank that brings money. `sha256` names it: the same line of the same file is read once."""

    sha256: str
    day: str
    amount_minor: int
    currency: str
    reference: str


def names_in(reference: str) -> list[tuple[str, int]]:
    """Series and number of every invoice and pro-forma that a reference names, in their order, each once."""
    found = [(f"{series}-{year}", int(number)) for series, year, number in _NUMBER.findall(reference.upper())]
    return list(dict.fromkeys(found))[:NAMES_MAX]


def text_of(body: bytes) -> str:
    """The text of a file as banks write them: UTF-8, UTF-16 with its mark, else Windows' Latin letters."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def read_bank(text: str, currency: str = "") -> list[Payment]:
    """The payments of a bank's CSV: columns date, amount, currency, reference in any order; `;`, `,` or tabs between.

    French names of columns are known too. `currency` is that of the account, for a file without such a column. Equal
    lines of one file are told apart by their count. Raises BadInput with the line.
    """
    text = text.lstrip("\N{ZERO WIDTH NO-BREAK SPACE}")
    first = text.split("\n", 1)[0]
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=max(",;\t", key=first.count)))
    except csv.Error:
        raise BadInput(
            "The bank's file is no CSV.", fix=f"Columns: {', '.join(_HEADS)}.", field="file", code="bad_bank"
        ) from None
    heads = [_called(head) for head in rows[0]] if rows else []
    missing = [head for head in _HEADS if head not in heads and not (head == "currency" and currency)]
    if missing or len(rows) > LINES_MAX:
        what = f"has no column '{missing[0]}'" if missing else f"has more than {LINES_MAX} lines"
        raise BadInput(f"The bank's file {what}.", fix=f"Columns: {', '.join(_HEADS)}.", field="file", code="bad_bank")
    found: list[Payment] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows[1:], 2):
        cells = {"currency": currency, **dict(zip(heads, row, strict=False))}
        if any(cell.strip() for cell in row) and not _is_debit(cells, heads, rows[0]):
            found.append(_payment(cells, number, seen))
    return [item for item in found if item.amount_minor > 0]


def _called(head: str) -> str:
    plain = " ".join(head.strip().lower().translate(_ACCENTS).split())
    return next((name for name, called in _CALLED.items() if plain in called), plain)


def _is_debit(cells: Mapping[str, str], heads: list[str], shown: list[str]) -> bool:
    """Whether a line of a file with columns for debit and credit brings nothing: its credit is empty."""
    is_credit = "credit" in shown[heads.index("amount")].lower().translate(_ACCENTS)
    return is_credit and not cells.get("amount", "").strip()


def _payment(row: Mapping[str, str], number: int, seen: dict[str, int]) -> Payment:
    day, currency = _day(row.get("date", "").strip()), row.get("currency", "").strip().upper()
    text = re.sub(r"[\s\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", "", row.get("amount", ""))
    if not _AMOUNT.match(text):
        raise BadInput(
            f"Line {number}: '{text[:20]}' is no amount.", fix="Write 1200.00.", field="file", code="bad_bank"
        )
    whole_part, _, decimals = re.sub(r"[.,](?=\d{1,2}\Z)", "|", text).partition("|")
    amount = int(Decimal(f"{re.sub('[.,]', '', whole_part)}.{decimals or 0}") * 100)
    if not day or not re.match(r"[A-Z]{3}\Z", currency):
        raise BadInput(
            f"Line {number}: date or currency cannot be read.", fix="Write 2027-03-01 and MAD.", field="file",
            code="bad_bank",
        )  # fmt: skip
    reference = " ".join(row.get("reference", "").split())[:200]
    whole = f"{day}|{amount}|{currency}|{reference}"
    seen[whole] = seen.get(whole, 0) + 1
    sha256 = hashlib.sha256(f"{whole}|{seen[whole]}".encode()).hexdigest()
    return Payment(sha256, day, amount, currency, reference)


def _day(text: str) -> str:
    """A day as 2027-03-01, from that or from 01/03/2027 (the day first, as banks here write it); '' for none."""
    if found := re.match(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\Z", text, re.ASCII):
        text = f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}"
    try:
        return date.fromisoformat(text).isoformat() if len(text) == 10 else ""
    except ValueError:
        return ""
