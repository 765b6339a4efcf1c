"""Lists of files and of versions, page by page: each page reads what it shows, however much the bucket holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from eureka_park.data.core.bucket import PAGE_MAX, Bucket, FileVersion, Page, VersionPage, end_of_prefix, text_bytes
from eureka_park.data.files import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

_EACH_MOST: Final = 100  # keys whose versions are looked up at once


def list_files(conn: Connection, bucket: Bucket, prefix: str, delimiter: str, after: str, most: int) -> Page:
    """A page of files. Raises BadInput for what is no text."""
    head, mark = text_bytes(prefix), text_bytes(delimiter)
    most = max(0, min(most, PAGE_MAX))
    if most == 0:
        return Page((), (), None)
    start = _start(head, mark, text_bytes(after))
    if not mark:
        rows = store.current_files(conn, bucket, start, end_of_prefix(head), most + 1)
        files = tuple(row.file for row in rows[:most])
        return Page(files, (), files[-1].key if len(rows) > most else None)
    shown = [
        _shown(key, head, mark)
        for key in store.steps(conn, bucket.bucket_id, head, mark, start, most + 1, is_current=True)
    ]
    keys = [key for key, is_folder in shown[:most] if not is_folder]
    rows = store.current_files_of(conn, bucket, keys)
    prefixes = tuple(key.decode() for key, is_folder in shown[:most] if is_folder)
    return Page(tuple(row.file for row in rows), prefixes, shown[most - 1][0].decode() if len(shown) > most else None)


def list_versions(
    conn: Connection, bucket: Bucket, prefix: str, delimiter: str, after: tuple[str, str] | None, most: int
) -> VersionPage:
    """A page of versions, the newest of each key first."""
    head, mark = text_bytes(prefix), text_bytes(delimiter)
    most = max(0, min(most, PAGE_MAX))
    if most == 0:
        return VersionPage((), (), None)
    start, found = _start(head, mark, text_bytes(after[0]) if after else b""), list[FileVersion | str]()
    if after is not None and after[1] and (key := text_bytes(after[0])) >= head:
        rank = _rank_after(conn, bucket, key, after[1])
        found += [row.file for row in store.all_versions(conn, bucket, (key, rank), key + b"\0", most + 1)]
    if len(found) <= most and not mark:
        rows = store.all_versions(conn, bucket, (start, store.BEFORE_RANKS), end_of_prefix(head), most + 1 - len(found))
        found += [row.file for row in rows]
    elif len(found) <= most:
        found += _by_folder(conn, bucket, head, mark, start, most + 1 - len(found))
    files = tuple(one for one in found[:most] if isinstance(one, FileVersion))
    prefixes = tuple(one for one in found[:most] if isinstance(one, str))
    last = found[most - 1] if len(found) > most else None
    following = (last, "") if isinstance(last, str) else (last.key, last.version_id) if last is not None else None
    return VersionPage(files, prefixes, following)


def _by_folder(
    conn: Connection, bucket: Bucket, head: bytes, mark: bytes, start: bytes, most: int
) -> list[FileVersion | str]:
    """Versions of keys that lie in no folder, and folders, in order."""
    found, waiting = list[FileVersion | str](), list[bytes]()

    def look_up() -> None:
        found.extend(_versions_of(conn, bucket, waiting, most - len(found)))
        waiting.clear()

    for key in store.steps(conn, bucket.bucket_id, head, mark, start, most, is_current=False):
        shown, is_folder = _shown(key, head, mark)
        if not is_folder:
            waiting.append(key)
        if waiting and (is_folder or len(waiting) >= _EACH_MOST):
            look_up()
        if is_folder:
            found.append(shown.decode())
        if len(found) >= most:
            return found[:most]
    look_up()
    return found[:most]


def _versions_of(conn: Connection, bucket: Bucket, keys: Sequence[bytes], most: int) -> list[FileVersion]:
    """Versions of keys that follow each other."""
    found = list[FileVersion]()
    for key in keys if most > 0 else ():
        found += [row.file for row in store.versions_of(conn, bucket, key, most - len(found))]
        if len(found) >= most:
            break
    return found


def _rank_after(conn: Connection, bucket: Bucket, key: bytes, version_id: str) -> int:
    """Where the versions of a key go on after one of them, which may be no more."""
    row = store.version(conn, bucket, key, version_id)
    rank = row.rank if row is not None else store.rank_of(version_id)
    return 0 if rank is None else rank + 1  # ranks are below 0


def _start(prefix: bytes, delimiter: bytes, after: bytes) -> bytes:
    """The first key that may be shown."""
    if not after:
        return prefix
    rest = after[len(prefix) :] if after.startswith(prefix) else b""
    if delimiter and rest and rest.find(delimiter) == len(rest) - len(delimiter):
        return end_of_prefix(after) or after
    return max(prefix, after + b"\0")


def _shown(key: bytes, prefix: bytes, delimiter: bytes) -> tuple[bytes, bool]:
    """A key as a list by folders shows it, and whether that is a folder."""
    at = key.find(delimiter, len(prefix))
    return (key, False) if at < 0 else (key[: at + len(delimiter)], True)
