"""Lists of web addresses: a text with an address on each line, or a CSV with the columns url, path and sha256."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from eureka_park.client.carrying import web
from eureka_park.client.carrying.items import Item, check_sha256, path_fault
from eureka_park.foundation.errors import BadInput

LIST_BYTES_MAX: Final = 256 * 1024 * 1024
LINES_MAX: Final = 1_000_000


class UrlList:
    """Files at web addresses. In a text each line holds an address, then perhaps a path and a SHA-256."""

    def __init__(self, rows: list[tuple[str, str, str]], note: str) -> None:
        self._rows, self.note = rows, note

    @classmethod
    def one(cls, url: str) -> UrlList:
        """A list of one address."""
        parts = urlsplit(url)
        return cls([(url, "", "")], f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")

    @classmethod
    def read(cls, file: Path) -> UrlList:
        """Read a list. Raises BadInput for what is none."""
        if file.stat().st_size > LIST_BYTES_MAX:
            raise BadInput(f"{file} is too long for a list.", fix="Split it.", code="bad_list")
        try:
            text = file.read_text("utf-8-sig")
        except UnicodeDecodeError:
            raise BadInput(
                f"{file} is no text.", fix="Name a folder or a list of addresses.", code="bad_list"
            ) from None
        rows = _csv_rows(text) if _is_csv(text) else _text_rows(text)
        if not rows or len(rows) > LINES_MAX:
            raise BadInput(f"{file} lists {len(rows):,} addresses.", fix="List 1 to 1,000,000.", code="bad_list")
        return cls(rows, file.name)

    def items(self) -> Iterator[Item]:
        """A file for each address; two with one path are a fault."""
        seen: set[str] = set()
        for url, path, sha256 in self._rows:
            path = path or unquote(urlsplit(url).path.rpartition("/")[2])
            fault = path_fault(path)
            if urlsplit(url).scheme not in ("http", "https"):
                fault = "it is no http or https address"
            elif path in seen:
                fault = "the list has this path twice"
            seen.add(path)
            try:
                known = check_sha256(sha256) if sha256 else ""
            except BadInput as error:
                known, fault = "", error.message
            mark = f"{url} {known}" if known else ""  # without a hash nothing tells whether it is still the same
            yield Item(path or url, url, sha256=known, mark=mark, fetch=partial(_fetch, url), fault=fault)


def _fetch(url: str, part: Path) -> None:
    web.fetch(url, part, {})


def _is_csv(text: str) -> bool:
    head = text.partition("\n")[0].strip().lower()
    return head == "url" or (head.startswith(("url,", "path,", "sha256,")) and "url" in head.split(","))


def _csv_rows(text: str) -> list[tuple[str, str, str]]:
    try:
        rows = list(csv.DictReader(text.splitlines()))
    except csv.Error as error:
        raise BadInput(f"The list is no CSV: {error}.", fix="Write the columns url,path,sha256.") from None
    named = [{(name or "").strip().lower(): str(value or "").strip() for name, value in row.items()} for row in rows]
    return [(row.get("url", ""), row.get("path", ""), row.get("sha256", "")) for row in named if row.get("url")]


def _text_rows(text: str) -> list[tuple[str, str, str]]:
    rows = []
    for line in text.splitlines():
        words = line.split()
        if words and not words[0].startswith("#"):
            url, path, sha256 = [*words, "", ""][:3]
            rows.append((url, path, sha256))
    return rows
