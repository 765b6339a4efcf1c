"""Licences: what a card says, as an SPDX expression."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from eureka_park.foundation.errors import BadInput

LICENCE_CHARS_MAX: Final = 200
# What the hub's clients write and SPDX writes otherwise. Of licences in several versions the one that clients mean.
_HUB: Final = {
    "agpl-3.0": "AGPL-3.0-only", "gpl": "GPL-1.0-or-later", "gpl-2.0": "GPL-2.0-only", "gpl-3.0": "GPL-3.0-only",
    "lgpl": "LGPL-2.0-or-later", "lgpl-2.1": "LGPL-2.1-only", "lgpl-3.0": "LGPL-3.0-only",
    "gfdl": "GFDL-1.1-or-later", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "odc-by": "ODC-By-1.0", "c-uda": "C-UDA-1.0",
    "cdla-permissive-1.0": "CDLA-Permissive-1.0", "cdla-sharing-1.0": "CDLA-Sharing-1.0", "bsl-1.0": "BSL-1.0",
    "etalab-2.0": "etalab-2.0", "lgpl-lr": "LGPLLR", "intel-research": "LicenseRef-intel-research",
}  # fmt: skip
# Licences that the hub names and SPDX does not list.
_HUB_OWN: Final = frozenset((
    "openrail", "creativeml-openrail-m", "openrail++", "bigscience-bloom-rail-1.0", "bigscience-openrail-m",
    "bigcode-openrail-m", "bsd", "cc", "deepfloyd-if-license", "llama2", "llama3", "llama3.1", "llama3.2", "llama3.3",
    "llama4", "gemma", "apple-ascl", "apple-amlr", "grok2-community", "h-research", "open-mdw",
    "fair-noncommercial-research-license",
))  # fmt: skip
_UNKNOWN: Final = frozenset(("unknown", "noassertion", "none", ""))
_NAME: Final = re.compile(r"[^A-Za-z0-9.-]+")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
_WORDS: Final = frozenset(("AND", "OR", "WITH"))


@dataclass(frozen=True, slots=True)
class Licence:
    """An SPDX expression, and the licences that it names."""

    expression: str
    ids: tuple[str, ...]

    @property
    def url(self) -> str:
        """Where SPDX shows the text of a single licence that it lists; '' for others."""
        is_listed = (
            len(self.ids) == 1 and self.ids[0] == self.expression and not self.expression.startswith("LicenseRef-")
        )
        return f"https://spdx.org/licenses/{self.expression}.html" if is_listed else ""


def read_licence(text: str, name: str = "") -> Licence:
    """A licence as a card gives it: an SPDX expression, or what the hub writes. `name`: that of licence 'other'.

    Raises BadInput (`unknown_licence`).
    """
    given = text.strip()
    plain = given.lower()
    if plain == "other" and name.strip():
        return _single(f"LicenseRef-{_ref(name)}")
    if plain == "other" or plain in _HUB_OWN:
        return _single(f"LicenseRef-{_ref(plain)}")
    try:
        if len(given) > LICENCE_CHARS_MAX or plain in _UNKNOWN:
            raise InvalidLicenseExpression(given)
        expression = str(canonicalize_license_expression(_HUB.get(plain, given)))
    except (InvalidLicenseExpression, RecursionError, MemoryError):
        raise BadInput(
            f"{given[:60]!a} is no licence of the SPDX list.",
            fix="Write its id, such as cc-by-4.0 (spdx.org/licenses), or 'other' with license_name.",
            code="unknown_licence",
            field="license",
        ) from None
    return Licence(expression, _ids(expression))


def read_licences(texts: list[str], name: str = "") -> Licence:
    """Several licences of a card, which all hold. Raises BadInput (`unknown_licence`)."""
    found = [read_licence(text, name) for text in texts[:20]]
    if len(found) == 1:
        return found[0]
    parts = [f"({one.expression})" if " " in one.expression else one.expression for one in found]
    return Licence(" AND ".join(parts)[:LICENCE_CHARS_MAX], tuple(dict.fromkeys(i for one in found for i in one.ids)))


def _single(name: str) -> Licence:
    return Licence(name, (name,))


def _ref(name: str) -> str:
    return _NAME.sub("-", name.strip()).strip("-")[:60] or "other"


def _ids(expression: str) -> tuple[str, ...]:
    words = [word for word in _ID.findall(expression) if word not in _WORDS]
    return tuple(dict.fromkeys(words))
