"""What invoices ask for: amounts in hundredths of a currency, and CSV that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from eureka_park.ledger.core.exact import MICRO

INVOICE: Final = "invoice"
PRO_FORMA: Final = "pro_forma"


def amounts_minor(credits_micro: int, mad_per: float, vat_frac: float) -> tuple[int, int, int]:
    """Net, VAT and total in hundredths of a currency for so many credits, each rounded half up."""
    net = _half_up(Decimal(credits_micro) / MICRO / Decimal(str(mad_per)) * 100)
    vat = _half_up(Decimal(net) * Decimal(str(vat_frac)))
    return net, vat, net + vat


def _half_up(value: Decimal) -> int:
    return int((value + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR"))


def minor(amount_micro: int) -> int:
    """Micro-units as whole hundredths, what is less left out."""
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
