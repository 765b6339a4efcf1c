"""Whether a repository may be opened to everybody: one about people not without a second thought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eureka_park.data.cards import store
from eureka_park.data.core.repository import Repository
from eureka_park.foundation.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection


def check_opening(conn: Connection, repository: Repository, *, is_confirmed: bool) -> dict[str, str]:
    """Inside the transaction that opens it: raise Conflict (`personal_data`, `card_unread`) unless it may be; what the
    audit log is to say beside it.
    """
    known = store.facts(conn, [repository.repository_id]).get(repository.repository_id)
    if known is None:
        return {}
    if not known.is_read and not is_confirmed:
        raise Conflict(
            f"The card of {repository.full_name} was not read yet.", fix="Try again in a moment.", code="card_unread"
        )
    if known.personal_data.is_about_people and not is_confirmed:
        raise Conflict(
            f"{repository.full_name} is about people: its card says personal_data: {known.personal_data}.",
            fix="Confirm it if they agreed to its being public: park data open --to public --confirm-personal-data.",
            code="personal_data",
            field="confirms_personal_data",
        )
    return {"personal_data": str(known.personal_data)} if known.personal_data.is_about_people else {}
