"""Invoices, the bank's lines and the files of payouts: amounts in hundredths of a currency, and what is checked."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

from eureka_park.foundation.errors import BadInput
from eureka_park.ledger.core.exact import MICRO

LINES_MAX: Final = 20_000
_ICE: Final = re.compile(r"\d{15}\Z")
_IBAN: Final = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}\Z")
_NUMBER: Final = re.compile(r"\b([A-Z0-9]{1,12}-\d{4})-(\d{6})\b")
# whole, or with one or two decimals behind a point or a comma; thousands apart only where decimals say which is which
_AMOUNT: Final = re.compile(r"-?(?:\d{1,12}(?:[.,]\d{1,2})?|\d{1,3}(?:,\d{3})+\.\d{1,2}|\d{1,3}(?:\.\d{3})+,\d{1,2})\Z")
_HEADS: Final = ("date", "amount", "currency", "reference")


@dataclass(frozen=True, slots=True)
class MoneyRules:
    """An operator's own: `mad_per` by currency, the VAT, how long an invoice may stay unpaid, and who issues it."""

    mad_per: Mapping[str, float] = field(default_factory=lambda: {"MAD": 1.0})
    vat_frac: float = 0.2
    due_days: float = 30.0
    series: str = "EP"
    pro_forma_series: str = "PF"
    seller: Mapping[str, str] = field(default_factory=lambda: {"name": "Eureka Park"})


def check_ice(text: str) -> str:
    """An ICE, the identifier of Moroccan companies: 15 digits, spaces left out. Raises BadInput."""
    found = re.sub(r"[\s.-]", "", text)
    if not _ICE.match(found):
        raise BadInput("An ICE has 15 digits.", fix="Look at the company's papers.", field="ice", code="bad_ice")
    return found


def check_iban(text: str) -> str:
    """An IBAN with its check digits. Raises BadInput."""
    found = re.sub(r"\s", "", text).upper()
    whole = "".join(str(int(letter, 36)) for letter in found[4:] + found[:4]) if _IBAN.match(found) else "0"
    if int(whole) % 97 != 1:
        raise BadInput("This is no IBAN.", fix="Check it letter by letter.", field="iban", code="bad_iban")
    return found


def amounts_minor(credits_micro: int, mad_per: float, vat_frac: float) -> tuple[int, int, int]:
    """Net, VAT and total in hundredths of a currency for so many credits, each rounded half up."""
    net = _half_up(Decimal(credits_micro) / MICRO / Decimal(str(mad_per)) * 100)
    vat = _half_up(Decimal(net) * Decimal(str(vat_frac)))
    return net, vat, net + vat


def _half_up(value: Decimal) -> int:
    return int((value + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR"))


@dataclass(frozen=True, slots=True)
class Payment:
    """A line of the bank that brings money. `sha256` names it: the same line of the same file is read once."""

    sha256: str
    day: str
    amount_minor: int
    currency: str
    reference: str

    @property
    def invoice(self) -> tuple[str, int] | None:
        """Series and number of the invoice that its reference names."""
        found = _NUMBER.search(self.reference.upper())
        return (found[1], int(found[2])) if found else None


def read_bank(text: str) -> list[Payment]:
    """The payments of a bank's CSV: columns date, amount, currency, reference in any order; `;` or `,` between them.

    Equal lines of one file are told apart by their count. Raises BadInput with the line.
    """
    first = text.split("\n", 1)[0]
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ","))
    heads = [head.strip().lower() for head in rows[0]] if rows else []
    missing = [head for head in _HEADS if head not in heads]
    if missing or len(rows) > LINES_MAX:
        what = f"has no column '{missing[0]}'" if missing else f"has more than {LINES_MAX} lines"
        raise BadInput(f"The bank's file {what}.", fix=f"Columns: {', '.join(_HEADS)}.", field="file", code="bad_bank")
    found: list[Payment] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows[1:], 2):
        if any(cell.strip() for cell in row):
            found.append(_payment(dict(zip(heads, row, strict=False)), number, seen))
    return [item for item in found if item.amount_minor > 0]


def _payment(row: Mapping[str, str], number: int, seen: dict[str, int]) -> Payment:
    day, currency = row.get("date", "").strip(), row.get("currency", "").strip().upper()
    text = re.sub(r"[\s\N{NO-BREAK SPACE}]", "", row.get("amount", ""))
    if not _AMOUNT.match(text):
        raise BadInput(f"Line {number}: '{text[:20]}' is no amount.", fix="Write 1200.00.", field="file")
    whole_part, _, decimals = re.sub(r"[.,](?=\d{1,2}\Z)", "|", text).partition("|")
    amount = int(Decimal(f"{re.sub('[.,]', '', whole_part)}.{decimals or 0}") * 100)
    if not re.match(r"\d{4}-\d{2}-\d{2}\Z", day) or not re.match(r"[A-Z]{3}\Z", currency):
        raise BadInput(
            f"Line {number}: date or currency cannot be read.", fix="Write 2027-03-01 and MAD.", field="file"
        )
    reference = " ".join(row.get("reference", "").split())[:200]
    whole = f"{day}|{amount}|{currency}|{reference}"
    seen[whole] = seen.get(whole, 0) + 1
    sha256 = hashlib.sha256(f"{whole}|{seen[whole]}".encode()).hexdigest()
    return Payment(sha256, day, amount, currency, reference)


# -- payouts -----------------------------------------------------------------------------------------------------------
def payout_csv(batch_id: str, amounts_micro: Mapping[str, int], payees: Mapping[str, Mapping[str, str]]) -> str:
    """What a batch pays, for a bank that reads CSV: person, name, IBAN, amount, currency, reference."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["person", "name", "iban", "amount", "currency", "reference"])
    for person_id, amount in sorted(amounts_micro.items()):
        payee = payees.get(person_id, {})
        row = [person_id, payee.get("name", ""), payee.get("iban", ""), money(_minor(amount)), "MAD", batch_id]
        writer.writerow([safe_cell(cell) for cell in row])
    return out.getvalue()


def payout_xml(
    batch_id: str, made_at: str, amounts_micro: Mapping[str, int], payees: Mapping[str, Mapping[str, str]],
    payer: Mapping[str, str],
) -> str:  # fmt: skip
    """What a batch pays as pain.001.001.03. Raises BadInput where an IBAN, also the payer's, is missing or wrong."""
    ibans = {name: check_iban(payees.get(name, {}).get("iban", "")) for name in amounts_micro}
    total = sum(_minor(amount) for amount in amounts_micro.values())
    head = (
        f"<GrpHdr><MsgId>{escape(batch_id[:35])}</MsgId><CreDtTm>{escape(made_at[:19])}</CreDtTm>"
        f"<NbOfTxs>{len(ibans)}</NbOfTxs><CtrlSum>{money(total)}</CtrlSum>"
        f"<InitgPty><Nm>{escape(payer.get('name', '')[:70])}</Nm></InitgPty></GrpHdr>"
    )
    parts = "".join(
        f"<CdtTrfTxInf><PmtId><EndToEndId>{escape(name[-35:])}</EndToEndId></PmtId>"
        f'<Amt><InstdAmt Ccy="MAD">{money(_minor(amounts_micro[name]))}</InstdAmt></Amt>'
        f"<Cdtr><Nm>{escape(payees[name].get('name', '')[:70])}</Nm></Cdtr>"
        f"<CdtrAcct><Id><IBAN>{iban}</IBAN></Id></CdtrAcct></CdtTrfTxInf>"
        for name, iban in sorted(ibans.items())
    )
    debtor = (
        f"<PmtInf><PmtInfId>{escape(batch_id[:35])}</PmtInfId><PmtMtd>TRF</PmtMtd>"
        f"<ReqdExctnDt>{escape(made_at[:10])}</ReqdExctnDt><Dbtr><Nm>{escape(payer.get('name', '')[:70])}</Nm></Dbtr>"
        f"<DbtrAcct><Id><IBAN>{check_iban(payer.get('iban', ''))}</IBAN></Id></DbtrAcct>"
        f"<DbtrAgt><FinInstnId><BIC>{escape(payer.get('bic', 'NOTPROVIDED'))}</BIC></FinInstnId></DbtrAgt>"
    )
    space = 'xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"'
    body = f"<CstmrCdtTrfInitn>{head}{debtor}{parts}</PmtInf></CstmrCdtTrfInitn>"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Document {space}>{body}</Document>\n'


def _minor(amount_micro: int) -> int:
    return amount_micro // (MICRO // 100)


def money(minor: int) -> str:
    """Hundredths as 1234.50."""
    sign, minor = "-" if minor < 0 else "", abs(minor)
    return f"{sign}{minor // 100}.{minor % 100:02d}"


def safe_cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    text = str(value)
    is_number = re.match(r"-?\d+(\.\d+)?\Z", text) is not None
    return f"'{text}" if text[:1] in "=+-@\t\r" and text and not is_number else text


def csv_of(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A CSV file of cells that are only text and numbers."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([[safe_cell(cell) for cell in row] for row in rows])
    return out.getvalue()
