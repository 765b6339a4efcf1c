"""Another hub that speaks the protocol of the Hugging Face Hub: a version's files by plain HTTP, with their hashes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urljoin

from eureka_park.client.address import is_loopback
from eureka_park.client.carrying import web
from eureka_park.client.carrying.items import Item, path_fault
from eureka_park.foundation.errors import BadInput

TOKEN: Final = "HF_TOKEN"
_NEXT: Final = re.compile(r'<([^>]+)>;\s*rel="next"')


@dataclass(frozen=True, slots=True)
class HubPlace:
    """A repository of a hub."""

    base: str
    kind: str
    name: str
    revision: str

    @classmethod
    def of(cls, text: str, kind: str) -> HubPlace:
        """Read `hub://host/org/name@rev`; a hub below a path, as a park's, has it before `org`. Raises BadInput."""
        address, _, revision = text.removeprefix("hub://").partition("@")
        host, *pieces = address.strip("/").split("/")
        if not host or len(pieces) < 2 or not all(pieces):
            raise BadInput(
                f"{text[:200]!a} names no repository of a hub.",
                fix="Write hub://HOST/ORG/NAME@REVISION; of a park hub://HOST/hub/PROJECT/NAME.",
                code="bad_name",
            )
        scheme = "http" if is_loopback(f"http://{host}") else "https"
        base = "/".join([f"{scheme}://{host}", *pieces[:-2]])
        return cls(base, kind, "/".join(pieces[-2:]), revision or "main")

    @property
    def api(self) -> str:
        """Its place in the hub's API."""
        return f"{self.base}/api/{self.kind}s/{quote(self.name)}"

    def file(self, commit_id: str, path: str) -> str:
        """The address of a file."""
        prefix = "datasets/" if self.kind == "dataset" else ""
        return f"{self.base}/{prefix}{quote(self.name)}/resolve/{commit_id}/{quote(path, safe='/')}"


class HubSource:
    """A version of a repository of another hub."""

    def __init__(self, place: HubPlace) -> None:
        token = os.environ.get(TOKEN, "").strip()
        self._place = place
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        info, _ = web.get_json(f"{place.api}/revision/{quote(place.revision, safe='')}", self._headers)
        self._commit_id = str(info.get("sha", "")) if isinstance(info, dict) else ""
        if not self._commit_id:
            raise BadInput(f"{place.base} does not say which version it has.", fix="Check the address.", code="no_hub")
        self.note = f"{place.base}/{place.name}@{self._commit_id}"

    def items(self) -> Iterator[Item]:
        """All files of the version, page after page, with the hashes that the hub gives."""
        url = f"{self._place.api}/tree/{self._commit_id}?recursive=true"
        while url:
            is_its_own = web.is_same_origin(url, self._place.base)  # the token goes nowhere else
            rows, link = web.get_json(url, self._headers if is_its_own else {})
            if not isinstance(rows, list):
                raise BadInput(f"{self._place.base} lists no files.", fix="Check the address.", code="no_hub")
            for row in rows:
                if isinstance(row, dict) and row.get("type") == "file":
                    yield self._item(row)
            following = _NEXT.search(link)
            url = urljoin(url, following.group(1)) if following else ""

    def _item(self, row: dict[str, Any]) -> Item:
        path, oid = str(row.get("path", "")), str(row.get("oid", ""))
        large = row.get("lfs")
        sha256 = str(large.get("oid", "")).lower() if isinstance(large, dict) else ""
        url = self._place.file(self._commit_id, path)
        is_hash = len(sha256) == 64 and all(mark in "0123456789abcdef" for mark in sha256)
        return Item(
            path, url, row.get("size") if isinstance(row.get("size"), int) else None, sha256 if is_hash else "",
            git_oid="" if sha256 else oid, mark=f"{self._commit_id}:{sha256 or oid}",
            fetch=partial(self._fetch, url), fault=path_fault(path),
        )  # fmt: skip

    def _fetch(self, url: str, part: Path) -> None:
        web.fetch(url, part, self._headers)
