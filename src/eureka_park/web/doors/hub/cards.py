"""What cards say, in the forms that clients of the hub expect: tags with their kinds, filters of lists, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from eureka_park.data.cards.service import facets_of
from eureka_park.data.cards.store import CardFacts
from eureka_park.data.core.card import Card, read_card
from eureka_park.data.core.repository import Commit, Repository
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable
from eureka_park.web.doors.hub.asking import Asked

_FACETS: Final = {
    "language": "language", "license": "licence", "task_categories": "task", "task_ids": "task",
    "size_categories": "size", "base_model": "base_model", "dataset": "dataset", "personal_data": "personal_data",
}  # fmt: skip
_SPECIAL_MAX: Final = 100
_PURPOSE: Final = ("pipeline_tag", "library_name")  # by these clients choose what to run a model with
KEYS: Final = frozenset({"cardData", "tags", *_PURPOSE})


def sought(asked: Asked) -> list[tuple[str, str]] | None:
    """What the filters of a list ask for; None for what no card says, so that nothing is found."""
    query = asked.request.query_params
    given: dict[str, list[str]] = {}
    for text in [*query.getlist("filter"), *(f"task_ids:{task}" for task in query.getlist("pipeline_tag"))]:
        for item in text.split(","):
            kind, colon, value = item.partition(":")
            facet = _FACETS.get(kind) if colon else None
            given.setdefault(facet or "tag", []).append(value if facet else item)
    try:
        return facets_of(given)
    except BadInput as error:
        if error.code == "too_many_conditions":
            raise
        return None


def of_version(asked: Asked, found: Repository, version: Commit) -> dict[str, Any]:
    """`cardData` and `tags` of a version, of a model what it is for; nothing where its card cannot be read now."""
    try:
        card = asked.park.data.cards.card(found, version)
    except (NotFound, Unavailable):
        return {}
    if not card.is_there:
        return {}
    purpose = {name: card.values.get(name) for name in _PURPOSE if found.kind == "model"}
    told = {name: text for name, text in purpose.items() if isinstance(text, str)}
    return {"cardData": dict(card.values), "tags": _tags(card), **told}


def _tags(card: Card) -> list[str]:
    pairs = [
        *(("task_categories", text) for text in card.tasks),
        *(("size_categories", text) for text in card.sizes),
        *(("language", text) for text in card.languages),
        *(("license", text.lower()) for text in card.licence.ids),
        *(("base_model", text) for text in card.base_models),
        *(("dataset", text) for text in card.datasets),
    ]
    if card.personal_data:
        pairs.append(("personal_data", str(card.personal_data)))
    return [*(f"{kind}:{value}" for kind, value in pairs[:_SPECIAL_MAX]), *card.tags[:_SPECIAL_MAX]]


def tags_of_facts(facts: CardFacts) -> list[str]:
    """The same as far as lists know it."""
    tags = [f"language:{tag}" for tag in facts.languages]
    tags += [f"license:{facts.licence.lower()}"] if facts.licence else []
    return [*tags, f"personal_data:{facts.personal_data}"] if facts.personal_data else tags


def warnings_of(content: str, kind: str) -> list[dict[str, str]]:
    """What is wrong with a README.md that is about to be sent: said, and in nobody's way."""
    card = read_card(content.encode("utf-8", "replace"), kind)
    wrong: Sequence[Any] = [finding for finding in card.findings if finding.is_wrong]
    return [{"message": f"{finding.message} {finding.fix}"} for finding in wrong]
