"""Names that people give: e-mail addresses that two people cannot share, names without hidden signs, ids of places."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from eureka_park.foundation.errors import BadInput

EMAIL_CHARS_MAX: Final = 254
NAME_CHARS_MAX: Final = 200
_LOCAL_CHARS_MAX: Final = 64
_LOCAL: Final = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f]+")
_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])", re.ASCII)
_SCRIPTS: Final = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "CHEROKEE"}
)  # letters of one look like another's
# Letters of other scripts that nobody tells from these of the Latin one (Unicode TR 39, the common ones).
_LOOK_ALIKE: Final = str.maketrans(
    "аеіјорсухѕһԁԛԝьӏոսցօαικνορτυχ",
    "aeijopcyxshdqwblnugoaikvoptux",
)
ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
RESERVED: Final = frozenset(
    {"account", "admin", "administrator", "api", "audit", "auditor", "eureka-park", "eureka", "expo", "hub",
     "iozera", "genv", "help", "login", "logout", "me", "new", "null", "operate", "operator", "park", "public",
     "root", "ryse", "s3", "security", "set-up", "settings", "sign-in", "sign-out", "sign-up", "static", "status",
     "support", "system", "try", "undefined", "welcome", "www"}
)  # fmt: skip


def email_key(text: str) -> str:
    """What makes an address one address: two that nobody can tell apart have one key. Raises BadInput.

    NFKC, case folded, the domain in its ASCII form. Letters that pass for those of another script are refused.
    """
    plain = unicodedata.normalize("NFKC", text.strip())
    local, _, domain = plain.rpartition("@")
    if len(plain) > EMAIL_CHARS_MAX or not 0 < len(local) <= _LOCAL_CHARS_MAX or not _LOCAL.fullmatch(local):
        raise _bad_email(text)
    try:
        ascii_domain = domain.casefold().encode("idna").decode("ascii")
        shown_domain = ascii_domain.encode("ascii").decode("idna")  # labels may have come as xn--
    except UnicodeError:
        raise _bad_email(text) from None
    if any(map(_is_disguised, [local, *shown_domain.split(".")])):
        raise _bad_email(text, "has letters that pass for those of another alphabet.")
    if not _DOMAIN.fullmatch(ascii_domain) or not local.isprintable() or ".." in f".{local}.":
        raise _bad_email(text)
    return f"{local.casefold()}@{ascii_domain}"


def _is_disguised(text: str) -> bool:
    """Whether letters of one alphabet stand among those of another, or all of them pass for Latin ones."""
    letters = [mark for mark in text.casefold() if mark.isalpha()]
    scripts = {unicodedata.name(mark, "?").partition(" ")[0] for mark in letters}
    if len(scripts & _SCRIPTS) > 1:
        return True
    return "LATIN" not in scripts and bool(letters) and "".join(letters).translate(_LOOK_ALIKE).isascii()


def _bad_email(text: str, why: str = "is not an e-mail address.") -> BadInput:
    shown = "".join(mark for mark in text if mark.isprintable())[:80]
    return BadInput(f"'{shown}' {why}", fix="Write it as name@example.org.", code="bad_email", field="email")


def clean_name(text: str, field: str = "name") -> str:
    """A name as it is kept: composed, single spaces, no signs that hide or turn text round. Raises BadInput."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not 0 < len(name) <= NAME_CHARS_MAX or any(unicodedata.category(mark) in _HIDDEN for mark in name):
        raise BadInput(
            "This cannot be a name.",
            fix=f"Use 1 to {NAME_CHARS_MAX} letters, digits and signs, none of them invisible.",
            code="bad_name",
            field=field,
        )
    return name


_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def check_id(text: str, what: str) -> None:
    """Raise BadInput unless the text can name an organisation or a project that people found themselves."""
    if not ID.fullmatch(text) or text in RESERVED:
        raise BadInput(
            f"'{text[:80]}' cannot name {what}.",
            fix="Use 1 to 63 small letters, digits and dashes, and no word that the park needs itself.",
            code=f"bad_{what.rpartition(' ')[2]}",
            field=what.rpartition(" ")[2],
        )
