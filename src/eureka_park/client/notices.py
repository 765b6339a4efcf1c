"""What one is told, and by which way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport


class NoticesOf:
    """What `Park.notices` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def settings(self) -> dict[str, Any]:
        """`items` (kinds with the ways by which one hears of them), `webhooks`, `has_mail`."""
        return self._ask("GET", "/account/notices")

    def choose(self, kind: str, way: str, is_on: bool) -> dict[str, Any]:
        """Hear of one kind by one way (`email`, or a webhook's id), or no more."""
        return self._ask("PUT", "/account/notices", body={"kind": kind, "way": way, "is_on": is_on})

    def add_webhook(self, url: str, name: str = "", kinds: list[str] | None = None) -> dict[str, Any]:
        """Have notices sent to an address; `secret` is shown this once."""
        return self._ask("POST", "/account/webhooks", body={"url": url, "name": name, "kinds": kinds or []})

    def set_on(self, webhook_id: str, is_on: bool) -> dict[str, Any]:
        """Turn a webhook off, or on again."""
        return self._ask("PATCH", f"/account/webhooks/{_part(webhook_id)}", body={"is_on": is_on})

    def end_webhook(self, webhook_id: str) -> None:
        """Forget a webhook."""
        self._transport.tell("DELETE", f"/account/webhooks/{_part(webhook_id)}")

    def renew_secret(self, webhook_id: str) -> str:
        """A new secret; for a day both sign."""
        return str(self._ask("POST", f"/account/webhooks/{_part(webhook_id)}/secret")["secret"])

    def test(self, way: str = "email") -> str:
        """Have a test sent; the message's id."""
        return str(self._ask("POST", "/account/notices/test", body={"way": way})["delivery_id"])

    def deliveries(self, limit: int = 50) -> list[dict[str, Any]]:
        """What was sent, the newest first."""
        return list(self._ask("GET", "/account/deliveries", params={"limit": str(limit)})["items"])

    def send_again(self, delivery_id: str) -> None:
        """Have a message sent once more."""
        self._transport.tell("POST", f"/account/deliveries/{_part(delivery_id)}/again")

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found


def _part(text: str) -> str:
    return quote(text, safe="") if text not in {"", ".", ".."} else "-"
