"""Numbers by which companies and bank accounts are known: what can be checked without asking anybody."""

from __future__ import annotations

import re
from typing import Final

from eureka_park.foundation.errors import BadInput

_ICE: Final = re.compile(r"[0-9]{15}\Z")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")
_BIC: Final = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?\Z")
# How long an IBAN is where it is often seen here; of other countries only its check digits are looked at.
_LENGTHS: Final = {"MA": 28, "FR": 27, "ES": 24, "DE": 22, "BE": 16, "TN": 24, "DZ": 26, "MR": 27, "GB": 22, "IT": 27}


def check_ice(text: str) -> str:
    """An ICE, the identifier of Moroccan companies: 15 digits, spaces left out. Raises BadInput."""
    found = re.sub(r"[\s.-]", "", text)
    if not _ICE.match(found):
        raise BadInput("An ICE has 15 digits.", fix="Look at the company's papers.", field="ice", code="bad_ice")
    return found


def check_iban(text: str) -> str:
    """An IBAN with its check digits (ISO 13616: the number modulo 97 is 1), without spaces. Raises BadInput."""
    found = re.sub(r"\s", "", text).upper()
    is_formed = _IBAN.match(found) is not None and len(found) == _LENGTHS.get(found[:2], len(found))
    whole = "".join(str(int(letter, 36)) for letter in found[4:] + found[:4]) if is_formed else "0"
    if int(whole) % 97 != 1:
        raise BadInput("This is no IBAN.", fix="Check it letter by letter.", field="iban", code="bad_iban")
    return found


def check_bic(text: str) -> str:
    """A bank's BIC: 8 or 11 letters and digits. Raises BadInput."""
    found = re.sub(r"\s", "", text).upper()
    if not _BIC.match(found):
        raise BadInput("A BIC has 8 or 11 letters and digits.", fix="Ask the bank.", field="bic", code="bad_bic")
    return found


def hidden_iban(iban: str) -> str:
    """An IBAN as it is shown: its country and its last four characters."""
    return f"{iban[:4]} … {iban[-4:]}" if iban else ""
