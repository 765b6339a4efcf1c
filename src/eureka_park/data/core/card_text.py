"""Changes to the text of a card, or a new one from the template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from eureka_park.data.core.card import NAME_CHARS_MAX, WHY_CHARS_MAX, PersonalData
from eureka_park.data.core.card_template import template
from eureka_park.data.core.front_matter import clean, with_values
from eureka_park.data.core.languages import language_tag
from eureka_park.data.core.licence import read_licence
from eureka_park.foundation.errors import BadInput

LISTS: Final = ("language", "tags", "task_categories", "size_categories", "base_model", "datasets")
TEXTS: Final = (
    "license", "license_name", "license_link", "pretty_name", "pipeline_tag", "personal_data", "personal_data_why",
)  # fmt: skip
SETTABLE: Final = (*TEXTS, *LISTS)
ITEMS_MAX: Final = 100


def changed(text: str, changes: Mapping[str, str], kind: str, name: str) -> str:
    """The text of a card with other values, '' to take one away; a new one from the template where there is none.

    Raises BadInput for a field that is not set so, or a value that would be wrong.
    """
    values = {key: value_of(key, given) for key, given in changes.items()}
    if not text.strip():
        return template(kind, name, {key: value for key, value in values.items() if value is not None})
    return with_values(text, values)


def value_of(key: str, given: str) -> Any:
    """The value of a field from what somebody wrote for it; None for ''. Raises BadInput."""
    if key not in SETTABLE:
        raise BadInput(
            f"{key[:40]!a} is not set so.",
            fix=f"Choose among {', '.join(SETTABLE)}, or edit README.md.",
            code="bad_card",
            field=key[:40],
        )
    given = clean(given).strip()
    if not given:
        return None
    if key in LISTS:
        items = [item.strip() for item in given.split(",") if item.strip()]
        if len(items) > ITEMS_MAX or any(len(item) > NAME_CHARS_MAX for item in items):
            raise BadInput(f"{key} takes {ITEMS_MAX} items.", fix="Name fewer.", code="bad_card", field=key)
        _check_languages(key, items)
        return items
    if len(given) > WHY_CHARS_MAX:
        raise BadInput(f"{key} takes {WHY_CHARS_MAX:,} letters.", fix="Write less.", code="bad_card", field=key)
    if key == "license":
        read_licence(given)
    if key == "personal_data" and given not in [str(item) for item in PersonalData if item]:
        choices = ", ".join(item for item in PersonalData if item)
        raise BadInput(f"{given[:40]!a} is no personal_data.", fix=f"Choose among: {choices}.", field=key)
    return given


def _check_languages(key: str, items: list[str]) -> None:
    wrong = [item for item in items if key == "language" and language_tag(item) is None]
    if wrong:
        raise BadInput(
            f"{wrong[0][:40]!a} is no language.", fix="Write tags such as fr, ar or ar-MA.", code="bad_card", field=key
        )
