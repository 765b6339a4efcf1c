"""Prices, grants, budgets, statements and invoices of a park, as far as one may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport


class Bills:
    """What `Park.bills` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def prices(self) -> list[dict[str, Any]]:
        """The price lists, the oldest first."""
        return self._items("/prices")

    def set_prices(self, body: dict[str, Any]) -> dict[str, Any]:
        """Set the prices from an instant on. For operators."""
        return self._ask("POST", "/prices", body=body)

    def bill(self, project: str) -> dict[str, Any]:
        """What a project may spend, its grants and budgets."""
        return self._ask("GET", f"/projects/{_part(project)}/bill")

    def give(self, project: str, credits: float, **more: Any) -> dict[str, Any]:
        """Give credits to a project. For operators."""
        given = {key: value for key, value in more.items() if value}
        return self._ask("POST", "/grants", body={"project": project, "credits": credits, **given})

    def report(self, grant_id: str) -> dict[str, Any]:
        """What was really spent of a grant, by whom and on what."""
        return self._ask("GET", f"/grants/{_part(grant_id)}/report")

    def storage(self, project: str, month: str) -> dict[str, Any]:
        """What a project stored in a month."""
        return self._ask("GET", f"/projects/{_part(project)}/storage/{_part(month)}")

    def end_grant(self, grant_id: str) -> dict[str, Any]:
        """End a grant. For operators."""
        return self._ask("POST", f"/grants/{_part(grant_id)}/end", body={})

    def move(self, source: str, target: str, credits: float) -> dict[str, Any]:
        """Move credits between projects that one leads; the bill of the first."""
        return self._ask("POST", f"/projects/{_part(source)}/transfers", body={"to": target, "credits": credits})

    def statement(self, project: str, month: str) -> dict[str, Any]:
        """What a project used and paid in a month."""
        return self._ask("GET", f"/projects/{_part(project)}/statements/{_part(month)}")

    def carbon(self, project: str, month: str) -> dict[str, Any]:
        """The carbon of a project in a month, by place and by hour."""
        return self._ask("GET", f"/projects/{_part(project)}/carbon/{_part(month)}")

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found

    def _items(self, path: str) -> list[dict[str, Any]]:
        return list(self._ask("GET", path)["items"])


def _part(text: str) -> str:
    """One part of a path, whatever it holds."""
    return quote(text, safe="") if text not in {"", ".", ".."} else "-"
