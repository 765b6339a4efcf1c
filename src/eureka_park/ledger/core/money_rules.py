"""What an operator says of money in the table [money] of the settings file: seller, VAT, currencies, rates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eureka_park.foundation.bank_numbers import check_bic, check_iban, check_ice
from eureka_park.foundation.errors import BadInput

SELLER: Final = ("name", "address", "ice", "tax_id", "trade_register", "email", "phone", "iban", "bic", "bank")
_SERIES: Final = re.compile(r"[A-Z][A-Z0-9]{0,11}")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_CHECKS: Final = {"ice": check_ice, "iban": check_iban, "bic": check_bic}
_FIELDS: Final = ("vat_percent", "due_days", "series", "pro_forma_series", "seller", "mad_per")


@dataclass(frozen=True, slots=True)
class MoneyRules:
    """An operator's own: `mad_per` by currency, the VAT, how long an invoice may stay unpaid, and who issues it."""

    mad_per: Mapping[str, float] = field(default_factory=lambda: {"MAD": 1.0})
    vat_frac: float = 0.2
    due_days: float = 30.0
    series: str = "EP"
    pro_forma_series: str = "PF"
    seller: Mapping[str, str] = field(default_factory=lambda: {"name": "Eureka Park"})

    @property
    def missing(self) -> list[str]:
        """What an invoice in Morocco must tell of its seller (CGI, article 145) and nobody has said yet."""
        return [name for name in ("address", "ice", "tax_id", "iban") if not self.seller.get(name)]


def read_money_rules(table: Mapping[str, Any], file: str = "accounts.toml") -> MoneyRules:
    """What the table says; what it leaves out has its default. Raises BadInput that names the field and the fix."""
    unknown = sorted(set(table) - set(_FIELDS))
    if unknown:
        raise _bad(file, unknown[0], f"there is no such field; fields: {', '.join(_FIELDS)}")
    plain = MoneyRules()
    rules = MoneyRules(
        _rates(file, table.get("mad_per", {})),
        _number(file, "vat_percent", table.get("vat_percent", 20), 0.0, 99.0) / 100.0,
        _number(file, "due_days", table.get("due_days", plain.due_days), 0.0, 365.0),
        _series(file, "series", table.get("series", plain.series)),
        _series(file, "pro_forma_series", table.get("pro_forma_series", plain.pro_forma_series)),
        _seller(file, table.get("seller", {})),
    )
    if rules.series == rules.pro_forma_series:
        raise _bad(file, "pro_forma_series", "must be another one than series")
    return rules


def _rates(file: str, given: Any) -> dict[str, float]:
    if not isinstance(given, Mapping):
        raise _bad(file, "mad_per", "must be a table of currencies, as EUR = 10.8")
    rates = {"MAD": 1.0}
    for name, value in given.items():
        if not _CURRENCY.fullmatch(name):
            raise _bad(file, f"mad_per.{name}", "must be three capital letters, as EUR")
        rates[name] = _number(file, f"mad_per.{name}", value, 1e-4, 1e6)
    if rates["MAD"] != 1.0:
        raise _bad(file, "mad_per.MAD", "is 1: a credit is a dirham")
    return rates


def _number(file: str, name: str, value: Any, least: float, most: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not least <= float(value) <= most:
        raise _bad(file, name, f"must be a number from {least:g} to {most:g}")
    return float(value)


def _series(file: str, name: str, value: Any) -> str:
    if not isinstance(value, str) or not _SERIES.fullmatch(value):
        raise _bad(file, name, "must be 1 to 12 capital letters and digits, a letter first")
    return value


def _seller(file: str, given: Any) -> dict[str, str]:
    if not isinstance(given, Mapping):
        raise _bad(file, "seller", "must be a table")
    seller = {"name": "Eureka Park"}
    for name, value in given.items():
        if name not in SELLER:
            raise _bad(file, f"seller.{name}", f"there is no such field; fields: {', '.join(SELLER)}")
        if not isinstance(value, str) or len(value) > 500:
            raise _bad(file, f"seller.{name}", "must be a text of at most 500 characters")
        try:
            seller[name] = _CHECKS[name](value) if name in _CHECKS and value.strip() else value.strip()
        except BadInput as error:
            raise _bad(file, f"seller.{name}", error.message) from None
    return seller


def _bad(file: str, place: str, why: str) -> BadInput:
    return BadInput(
        f"{file} [money.{place}]: {why.rstrip('.')}.", fix="Change the file; see docs/operate/accounting.md.",
        code="bad_accounts_file", field=f"money.{place}",
    )  # fmt: skip
