"""Rows of cards: what the card of each repository's newest version says. Each function is a part of its caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Double,
    Index,
    Integer,
    String,
    Table,
    delete,
    exists,
    insert,
    select,
    update,
)

from eureka_park.data.core.card import Card, Facet, PersonalData
from eureka_park.data.store import metadata
from eureka_park.foundation.store import insert_or_replace

FEW_MAX: Final = 3000  # repositories that are looked at one by one; of more a list by time meets some soon
_BLOCK: Final = 500

cards = Table(
    "cards",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("is_sealed", Integer, nullable=False),  # 1: it lies in a confidential project
    Column("readme_sha256", String(64), nullable=False),
    Column("due_at_s", Double),  # it is still to be read since, or again from then on
    Column("pretty_name", String(200), nullable=False),
    Column("licence", String(200), nullable=False),
    Column("languages", String(400), nullable=False),  # with blanks between them
    Column("personal_data", String(16), nullable=False),
    Column("n_findings", Integer, nullable=False),
    Index("cards_due", "due_at_s"),
)
card_facets = Table(
    "card_facets",
    metadata,
    Column("facet", String(16), primary_key=True),
    Column("value", String(160), primary_key=True),
    Column("repository_id", String(40), primary_key=True),
    Index("facets_of_repository", "repository_id"),
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What lists of repositories show of a card. `is_read` False: it is newer than what is known of it."""

    pretty_name: str = ""
    licence: str = ""
    languages: tuple[str, ...] = ()
    personal_data: PersonalData = PersonalData.UNSAID
    n_findings: int = 0
    is_read: bool = True


@dataclass(frozen=True, slots=True)
class Due:
    """A card that is to be read."""

    repository_id: str
    readme_sha256: str
    is_sealed: bool = False


def set_due(conn: Connection, due: Due, now_s: float) -> None:
    """Note, with the version that brings it, that a README.md is to be read; until then what was known stays."""
    row = {
        "repository_id": due.repository_id,
        "readme_sha256": due.readme_sha256, "is_sealed": int(due.is_sealed), "due_at_s": now_s,
    }  # fmt: skip
    blank = {"pretty_name": "", "licence": "", "languages": "", "personal_data": "", "n_findings": 0}
    insert_or_replace(conn, cards, [{**row, **blank}], fixed=list(blank))


def drop(conn: Connection, repository_id: str) -> None:
    """Forget a card."""
    for table in (cards, card_facets):
        conn.execute(delete(table).where(table.c.repository_id == repository_id))


def all_due(conn: Connection, now_s: float, most: int) -> list[Due]:
    """Cards that are to be read now, those first that have waited longest."""
    query = select(cards).where(cards.c.due_at_s <= now_s).order_by(cards.c.due_at_s).limit(most)
    return [_due(row) for row in conn.execute(query)]


def due_of(conn: Connection, repository_id: str) -> Due | None:
    """The card of a repository, if it is to be read."""
    query = select(cards).where(cards.c.repository_id == repository_id, cards.c.due_at_s.is_not(None))
    row = conn.execute(query).one_or_none()
    return None if row is None else _due(row)


def _due(row: Any) -> Due:
    return Due(row.repository_id, row.readme_sha256, bool(row.is_sealed))


def postpone(conn: Connection, read: Due, until_s: float) -> None:
    """Try again later: its content could not be read."""
    conn.execute(update(cards).where(*_still(read)).values(due_at_s=until_s))


def keep(conn: Connection, read: Due, card: Card) -> bool:
    """Keep what a card says, unless a newer one has come meanwhile (False). Of one that is sealed nothing is kept in
    clear beside what has to be known: whether it is about people, and its licence.
    """
    values = {
        "due_at_s": None, "pretty_name": "" if read.is_sealed else card.pretty_name, "licence": card.licence.expression,
        "languages": "" if read.is_sealed else _languages(card), "personal_data": str(card.personal_data),
        "n_findings": len(card.findings),
    }  # fmt: skip
    if not conn.execute(update(cards).where(*_still(read)).values(**values)).rowcount:
        return False
    conn.execute(delete(card_facets).where(card_facets.c.repository_id == read.repository_id))
    pairs = [pair for pair in card.facets() if not read.is_sealed or pair[0] is Facet.PERSONAL_DATA]
    rows = [{"facet": str(facet), "value": value, "repository_id": read.repository_id} for facet, value in pairs]
    if rows:
        conn.execute(insert(card_facets), rows)
    return True


def _still(read: Due) -> tuple[ColumnElement[bool], ...]:
    of = cards.c
    return (
        of.repository_id == read.repository_id,
        of.readme_sha256 == read.readme_sha256,
        of.due_at_s.is_not(None),
    )


def _languages(card: Card) -> str:
    text = ""
    for tag in card.languages:
        if len(text) + len(tag) < 400:
            text = f"{text} {tag}".strip()
    return text


def facts(conn: Connection, repository_ids: Iterable[str]) -> dict[str, CardFacts]:
    """What is known of cards, by repository; those without a card are left out."""
    asked, found = list(dict.fromkeys(repository_ids)), {}
    for at in range(0, len(asked), _BLOCK):
        query = select(cards).where(cards.c.repository_id.in_(asked[at : at + _BLOCK]))
        for row in conn.execute(query):
            found[row.repository_id] = CardFacts(
                row.pretty_name, row.licence, tuple(row.languages.split()), PersonalData(row.personal_data),
                row.n_findings, row.due_at_s is None,
            )  # fmt: skip
    return found


def few(conn: Connection, facets: Sequence[tuple[str, str]]) -> list[str] | None:
    """The repositories that have all of these, where one of them is rare; None where all are frequent, so that a list
    by time meets such repositories soon.
    """
    of, rarest = card_facets.c, None
    for facet, value in facets:
        query = select(of.repository_id).where(of.facet == str(facet), of.value == value).limit(FEW_MAX + 1)
        ids = list(conn.execute(query).scalars())
        if len(ids) <= FEW_MAX and (rarest is None or len(ids) < len(rarest)):
            rarest = ids
    return rarest


def having(repository_id: ColumnElement[str], facets: Sequence[tuple[str, str]]) -> list[ColumnElement[bool]]:
    """Conditions under which a repository has all of these."""
    of = card_facets.c
    return [
        exists().where(of.facet == str(facet), of.value == value, of.repository_id == repository_id)
        for facet, value in facets
    ]
