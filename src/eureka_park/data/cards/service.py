"""Use cases of cards: show what the card of a version says, check it, set its fields by a commit, seek by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from eureka_park.accounts.service import Principal
from eureka_park.data.cards import store
from eureka_park.data.cards.store import CardFacts
from eureka_park.data.core.card import CARD, CARD_BYTES_MAX, Card, Facet, Finding, no_card
from eureka_park.data.core.card_text import changed
from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.languages import language_tag
from eureka_park.data.core.licence import read_licence
from eureka_park.data.core.repository import MAIN, Commit, Put, Repository, Visibility
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.service import RepositoriesService
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, TooLarge

FACETS_ASKED_MAX: Final = 8


class CardsService:
    """Cards of all repositories. Whoever calls has found the repository for what they want."""

    def __init__(self, db: Database, repositories: RepositoriesService) -> None:
        self._db, self._repositories = db, repositories

    def card(self, repository: Repository, version: Commit) -> Card:
        """What the card of a version says. Raises NotFound or Unavailable where its content cannot be read."""
        versions = self._repositories.versions
        entry = versions.tree(version).get(CARD)
        if entry is None:
            return no_card(repository.kind)
        card = versions.cards.content(repository.project_id, entry.sha256, repository.kind)
        if repository.visibility is Visibility.PUBLIC and card.personal_data.is_about_people:
            message = "It is about people, and everybody can see it."
            fix = "Make it private, or gate it, unless those people agreed to this."
            return replace(card, findings=(Finding("personal_data", message, fix), *card.findings))
        return card

    def facts(self, repositories: Iterable[Repository]) -> dict[str, CardFacts]:
        """What lists show, by repository id; those without a card are left out."""
        with self._db.read() as conn:
            return store.facts(conn, [one.repository_id for one in repositories])

    def set_fields(
        self, who: Principal, repository: Repository, changes: Mapping[str, str], *, branch: str = MAIN, title: str = ""
    ) -> Commit:
        """Set fields of the card by a commit, '' takes one away; a new card has the questions of its template.

        Raises BadInput for a field or a value that is none, TooLarge for a README.md beyond 1 MiB, Conflict where the
        branch changes meanwhile.
        """
        versions = self._repositories.versions
        head = versions.at(repository, branch)
        text = changed(self._text(repository, head), changes, repository.kind, repository.name)
        batch, content = Batch(), text.encode()
        row = self._repositories.objects.put_small(repository.project_id, batch, content)
        put = Put(CARD, row.sha256, row.size_bytes, git_oid(content))
        draft = Draft(branch, title or _title(changes), [put], parent_id=head.commit_id)
        return versions.commit(repository, who, draft, batch)

    def _text(self, repository: Repository, head: Commit) -> str:
        entry = self._repositories.versions.tree(head).get(CARD)
        if entry is None:
            return ""
        if entry.size_bytes > CARD_BYTES_MAX:
            raise TooLarge("README.md is longer than 1 MiB.", fix="Edit it yourself and send it.", field=CARD)
        content = self._repositories.objects.open(repository.project_id, entry.sha256).content()
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise BadInput("README.md is not UTF-8.", fix="Save it as UTF-8 and send it.", field=CARD) from None


def _title(changes: Mapping[str, str]) -> str:
    return f"Set {', '.join(changes)} in the card" if changes else "Begin a card"


def facets_of(given: Mapping[str, Iterable[str]]) -> list[tuple[str, str]]:
    """What somebody seeks, as the index has it: licences as SPDX, languages as tags. Raises BadInput."""
    pairs = [(Facet(name), text.strip()) for name, texts in given.items() for text in texts if text.strip()]
    if len(pairs) > FACETS_ASKED_MAX:
        raise BadInput(f"A search takes {FACETS_ASKED_MAX} conditions.", fix="Name fewer.", code="too_many_conditions")
    return [(str(facet), _value(facet, text)) for facet, text in pairs]


def _value(facet: Facet, text: str) -> str:
    if facet is Facet.LICENCE:
        return text if text.startswith("LicenseRef-") else read_licence(text).expression
    if facet is Facet.LANGUAGE:
        tag = language_tag(text)
        if tag is None:
            raise BadInput(f"{text[:40]!a} is no language.", fix="Write a tag such as fr or ar-MA.", field="language")
        return tag
    value = text if facet in (Facet.BASE_MODEL, Facet.DATASET) else text.lower()
    return value.replace("\0", "")[:200]


__all__ = ["CardsService", "facets_of"]
