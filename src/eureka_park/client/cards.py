"""Cards of data sets and models, and who sees these: requests and their answers as the API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eureka_park.client.data import RepositoryName
    from eureka_park.client.transport import Transport


class CardsOf:
    """What `Park.data.cards` is."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def card(self, of: RepositoryName, *, revision: str = "main") -> dict[str, Any]:
        """What the card of a version says, and what is wrong with it. Raises NotFound."""
        return self._ask("GET", f"{of.path}/card", params={"revision": revision})

    def set_fields(
        self, of: RepositoryName, fields: Mapping[str, str], *, branch: str = "main", title: str = ""
    ) -> dict[str, Any]:
        """Set fields by a commit, '' takes one away; a new card where there is none. Raises BadInput."""
        body = {"fields": dict(fields), "branch": branch, "title": title}
        return self._ask("PATCH", f"{of.path}/card", body=body)

    def croissant(self, of: RepositoryName, *, revision: str = "main") -> dict[str, Any]:
        """A version as Croissant (JSON-LD). Raises NotFound."""
        return self._ask("GET", f"{of.path}/croissant", params={"revision": revision})

    def open_to(self, of: RepositoryName, **changes: Any) -> dict[str, Any]:
        """Change `visibility`, `gate`; `confirms_personal_data` for one about people. Raises Conflict, Forbidden."""
        return self._ask("PATCH", of.path, body=changes)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found
