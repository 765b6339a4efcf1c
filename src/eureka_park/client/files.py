"""Files of projects: buckets, listed, sent, brought home, deleted, brought back; access keys for S3 clients."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import quote, urlencode

from eureka_park.client.data import listed
from eureka_park.client.fetch import safe_target, write_whole
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport

Told: TypeAlias = Callable[[str, int, int], object]  # key, bytes that have gone, all of them
_FOLDER: Final = "/"


@dataclass(frozen=True, slots=True)
class FileName:
    """Where a file or a folder lies: `bucket/key`; the key may be empty, and may end with `/`."""

    bucket: str
    key: str = ""

    @classmethod
    def of(cls, text: str) -> FileName:
        """Read `BUCKET` or `BUCKET/KEY`. Raises BadInput."""
        bucket, _, key = text.partition("/")
        if not bucket:
            raise BadInput(f"'{text[:200]}' names no bucket.", fix="Write it as BUCKET/KEY.", code="bad_name")
        return cls(bucket, key)


class FilesOf:
    """What `Park.files` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._places: dict[str, str] = {}

    # -- buckets -------------------------------------------------------------------------------------------------------
    def buckets(self) -> list[dict[str, Any]]:
        """The buckets of all projects in which one holds a role."""
        return list(self._ask("GET", "/buckets")["items"])

    def new_bucket(self, project: str, name: str) -> dict[str, Any]:
        """Make a bucket in a project."""
        return self._ask("POST", f"/projects/{quote(project, safe='')}/buckets", body={"name": name})

    def bucket(self, name: str) -> dict[str, Any]:
        """A bucket with its settings. Raises NotFound."""
        return self._ask("GET", self._at(name))

    def change_bucket(self, name: str, **changes: Any) -> dict[str, Any]:
        """Set `versioning`, `rules` or `tags` of a bucket: see the API."""
        return self._ask("PATCH", self._at(name), body=changes)

    def drop_bucket(self, name: str) -> None:
        """Take an empty bucket away."""
        self._transport.tell("DELETE", self._at(name))

    def _at(self, name: str) -> str:
        """Where a bucket is in the API: its project is looked up once."""
        if name not in self._places:
            self._places |= {one["name"]: one["project"] for one in self.buckets()}
        if name not in self._places:
            raise NotFound(
                f"There is no bucket '{name[:80]}' that you can see.", fix="See: park files ls", code="no_such_bucket"
            )
        return f"/projects/{quote(self._places[name], safe='')}/buckets/{quote(name, safe='')}"

    # -- files ---------------------------------------------------------------------------------------------------------
    def files(self, of: FileName, *, recursive: bool = False) -> Iterator[dict[str, Any]]:
        """Files below a prefix and, unless `recursive`, what lies deeper as {"prefix": ...}, in order."""
        params = {"prefix": of.key, "delimiter": "" if recursive else _FOLDER, "after": ""}
        while True:
            page = self._ask("GET", f"{self._at(of.bucket)}/files", params=params)
            found = [*page["items"], *({"prefix": prefix} for prefix in page["prefixes"])]
            yield from sorted(found, key=lambda one: (one.get("key") or one["prefix"]).encode())
            if page["next"] is None:
                return
            params["after"] = page["next"]

    def versions(self, of: FileName) -> Iterator[dict[str, Any]]:
        """All versions and delete markers below a prefix."""
        params = {"prefix": of.key, "after": "", "after_version": ""}
        while True:
            page = self._ask("GET", f"{self._at(of.bucket)}/versions", params=params)
            yield from page["items"]
            if page["next"] is None:
                return
            params |= {"after": page["next"], "after_version": page["next_version"]}

    def put(self, to: FileName, sources: Sequence[Path], *, told: Told = lambda *_: None) -> list[str]:
        """Send files, and what lies in folders, below a folder of a bucket; a single file may be given its key.

        Tells the keys. Raises BadInput for what cannot be read.
        """
        pairs = [pair for source in sources for pair in listed(source)]
        if not pairs:
            raise BadInput("There is nothing to send.", fix="Name files, or folders that hold some.")
        is_key = bool(to.key) and not to.key.endswith(_FOLDER) and len(sources) == 1 and sources[0].is_file()
        keys = [to.key] if is_key else [_below(to.key, name) for _, name in pairs]
        for key, (file, _) in zip(keys, pairs, strict=True):
            size_bytes = file.stat().st_size
            kind = mimetypes.guess_type(file.name)[0]
            params = {"key": key, **({"content_type": kind} if kind else {})}
            place = f"{self._at(to.bucket)}/file?{urlencode(params)}"
            self._transport.put_file(place, file, _heard(told, key, size_bytes))
        return keys

    def get(self, of: FileName, to: Path, *, version: str = "", told: Told = lambda *_: None) -> list[Path]:
        """Bring a file, or all that lies below a folder, home, below `to`. Raises NotFound, BadInput."""
        one_version: Sequence[dict[str, Any]] = [{"key": of.key, "size_bytes": 0}]
        found = one_version if version else self._chosen(of)
        base = of.key.rpartition(_FOLDER)[0]
        names = [one["key"][len(base) + 1 if base else 0 :] for one in found]
        targets = [safe_target(to, name) for name in names]
        for one, target in zip(found, targets, strict=True):
            params = {"key": one["key"], "version": version}
            try:
                with self._transport.download(f"{self._at(of.bucket)}/file?{urlencode(params)}") as chunks:
                    write_whole(target, _counted(chunks, told, one["key"], one["size_bytes"]))
            except OSError as error:
                raise Unavailable(
                    f"{target} cannot be written: {error.strerror}.", fix="Make room, or name another folder."
                ) from None
        return targets

    def _chosen(self, of: FileName) -> Sequence[dict[str, Any]]:
        """The file of that key, else all below it as a folder."""
        if of.key and not of.key.endswith(_FOLDER):
            same = next(self.files(of, recursive=True), None)
            if same is not None and same["key"] == of.key:
                return [same]
            of = FileName(of.bucket, of.key + _FOLDER)
        found = [one for one in self.files(of, recursive=True) if not one["key"].endswith(_FOLDER)]
        if not found:
            raise NotFound(
                f"There is no file '{of.key.rstrip(_FOLDER)[:80]}'.", fix=f"See: park files ls {of.bucket}",
                code="no_such_file",
            )  # fmt: skip
        return found

    def delete(self, of: FileName, version: str = "") -> dict[str, Any]:
        """Delete a file, or one version of it for good."""
        params = urlencode({"key": of.key, "version": version})
        return self._ask("DELETE", f"{self._at(of.bucket)}/file?{params}")

    def delete_below(self, of: FileName) -> int:
        """Delete all files below a prefix; how many."""
        keys = [one["key"] for one in self.files(of, recursive=True)]
        for key in keys:
            self.delete(FileName(of.bucket, key))
        return len(keys)

    def restore(self, of: FileName, version: str = "") -> dict[str, Any]:
        """Make a former version the newest again, the last one before now unless one is named."""
        chosen = version or self._former(of)
        body = {"key": of.key, "version_id": chosen, "to": of.key}
        return self._ask("POST", f"{self._at(of.bucket)}/copies", body=body)

    def _former(self, of: FileName) -> str:
        mine = (one for one in self.versions(of) if one["key"] == of.key)
        former = next((one for one in mine if not one["is_latest"] and not one["is_delete_marker"]), None)
        if former is None:
            raise NotFound(f"'{of.key[:80]}' has no former version.", fix="See: park files versions", code="no_former")
        return str(former["version_id"])

    # -- access keys ---------------------------------------------------------------------------------------------------
    def access_keys(self, project: str = "") -> list[dict[str, Any]]:
        """One's own access keys, of all projects or (for those who manage it: everybody's) of one."""
        path = f"/projects/{quote(project, safe='')}/access-keys" if project else "/access-keys"
        return list(self._ask("GET", path)["items"])

    def new_access_key(self, project: str, **given: Any) -> dict[str, Any]:
        """A fresh key with its `secret`, shown this once. `name`, `scope`, `expires`, `of`: see the API."""
        return self._ask("POST", f"/projects/{quote(project, safe='')}/access-keys", body=given)

    def revoke_access_key(self, access_key_id: str, project: str = "") -> None:
        """End an access key."""
        place = project or next(
            (one["project"] for one in self.access_keys() if one["access_key_id"] == access_key_id), ""
        )
        if not place:
            raise NotFound(
                f"You have no access key '{access_key_id[:40]}'.", fix="Name its project with --project.",
                code="no_such_key",
            )  # fmt: skip
        path = f"/projects/{quote(place, safe='')}/access-keys/{quote(access_key_id, safe='')}"
        self._transport.tell("DELETE", path)

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found


def _below(folder: str, name: str) -> str:
    return f"{folder.rstrip(_FOLDER)}/{name}" if folder else name


def _heard(told: Told, key: str, size_bytes: int) -> Callable[[int], None]:
    def heard(n_bytes: int) -> None:
        told(key, n_bytes, size_bytes)

    return heard


def _counted(chunks: Iterator[bytes], told: Told, key: str, size_bytes: int) -> Iterator[bytes]:
    n_bytes = 0
    for chunk in chunks:
        n_bytes += len(chunk)
        told(key, n_bytes, size_bytes)
        yield chunk
