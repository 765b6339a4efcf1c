"""Keys of confidential projects: who keeps them, lent for a while, destroyed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport


class KeysOf:
    """What `Park.data.keys` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def state(self, project: str) -> dict[str, Any]:
        """Whether a project is confidential, and whether the park can read it now."""
        return self._ask("GET", project)

    def seal(self, project: str, keeper: str = "park", key: str = "") -> dict[str, Any]:
        """Make an empty project confidential; `key`: 32 bytes in base 64 where the customer keeps it."""
        return self._ask("POST", project, body={"keeper": keeper, "key": key})

    def unlock(self, project: str, key: str, for_s: float, job: str = "") -> dict[str, Any]:
        """Lend the park the customer's key for so many real seconds, and no longer than until `job` is over."""
        return self._ask("POST", project, "/unlock", body={"key": key, "for_s": for_s, "job_id": job})

    def lock(self, project: str) -> dict[str, Any]:
        """Take it back."""
        return self._ask("POST", project, "/lock")

    def rewrap(self, project: str, keeper: str) -> dict[str, Any]:
        """Have it wrapped anew, by `park` or `kms`."""
        return self._ask("PUT", project, body={"keeper": keeper})

    def destroy(self, project: str) -> dict[str, Any]:
        """Destroy it: nothing that the project holds can ever be read again."""
        return self._ask("DELETE", project, params={"confirm": project})

    def _ask(self, method: str, project: str, what: str = "", **more: Any) -> dict[str, Any]:
        path = f"/projects/{quote(project, safe='')}/key{what}"
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found
