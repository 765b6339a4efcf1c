"""Languages by their tags (BCP 47, with the codes of ISO 639)."""

from __future__ import annotations

from typing import Final

SPECIAL: Final = {"multilingual": "mul", "code": "zxx"}  # what the hub writes for several languages, and for programs
_TAG_CHARS_MAX: Final = 40


def language_tag(text: str) -> str | None:
    """The tag in its usual form ('fr', 'ar-MA'); None for what is no language."""
    from langcodes import standardize_tag, tag_is_valid  # a list that is long to read

    given = SPECIAL.get(text.strip().lower(), text.strip())
    if not given or len(given) > _TAG_CHARS_MAX or not given.isascii():
        return None
    try:
        if not tag_is_valid(given):
            return None
        return str(standardize_tag(given))
    except (ValueError, LookupError, AttributeError):
        return None


def primary(tag: str) -> str:
    """The language alone, without script, country or variant."""
    return tag.split("-", 1)[0]
