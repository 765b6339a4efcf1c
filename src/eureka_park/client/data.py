"""Data sets and models of a park: what there is, files brought home, files sent as commits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from eureka_park.client.cards import CardsOf
from eureka_park.client.fetch import safe_target, write_whole
from eureka_park.client.folder import NEVER_SENT
from eureka_park.client.project_keys import KeysOf
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from eureka_park.client.transport import Transport

_PIECE: Final = 1024 * 1024
_ASKED: Final = 1000
_ROUND: Final = 20_000  # changes that one commit takes


@dataclass(frozen=True, slots=True)
class RepositoryName:
    """Which repository: `project/name`, and its kind."""

    project: str
    name: str
    kind: str = "dataset"

    @classmethod
    def of(cls, text: str, kind: str = "dataset") -> RepositoryName:
        """Read `project/name`. Raises BadInput."""
        project, slash, name = text.partition("/")
        if not (project and slash and name) or "/" in name:
            raise BadInput(f"'{text[:200]}' names no repository.", fix="Write it as PROJECT/NAME.", code="bad_name")
        return cls(project, name, kind)

    @property
    def path(self) -> str:
        """Its place in the API."""
        return f"/projects/{quote(self.project, safe='')}/repositories/{self.kind}/{quote(self.name, safe='')}"


class DataOf:
    """What `Park.data` is: answers as the API gives them."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.keys = KeysOf(transport)
        self.cards = CardsOf(transport)

    def repositories(
        self, kind: str = "dataset", *, project: str = "", text: str = "", **sought: str
    ) -> list[dict[str, Any]]:
        """The newest data sets or models that one may know of, the last changed first. `sought`: what their cards say,
        as `tag`, `language`, `licence`, `task`, `personal_data`.
        """
        params = {"kind": kind, "project": project, "text": text, **sought}
        return list(self._ask("GET", "/repositories", params=params)["items"])

    def new_repository(self, of: RepositoryName, visibility: str = "private") -> dict[str, Any]:
        """Begin one."""
        body = {"kind": of.kind, "name": of.name, "visibility": visibility}
        return self._ask("POST", f"/projects/{quote(of.project, safe='')}/repositories", body=body)

    def repository(self, of: RepositoryName) -> dict[str, Any]:
        """A data set or a model. Raises NotFound."""
        return self._ask("GET", of.path)

    def tree(
        self, of: RepositoryName, folder: str = "", *, revision: str = "main", recursive: bool = False
    ) -> Iterator[dict[str, Any]]:
        """What lies in a folder of a version, page after page."""
        params = {"revision": revision, "path": folder, "recursive": "true" if recursive else "false"}
        after = ""
        while True:
            page = self._ask("GET", f"{of.path}/tree", params={**params, "after": after})
            yield from page["items"]
            params["revision"] = page["commit_id"]  # all pages of one version
            if page["next"] is None:
                return
            after = page["next"]

    def history(self, of: RepositoryName, *, revision: str = "main", limit: int = 100) -> list[dict[str, Any]]:
        """A version and those before it."""
        return list(self._ask("GET", f"{of.path}/history", params={"revision": revision, "limit": limit})["items"])

    def diff(self, of: RepositoryName, old: str, new: str = "main") -> Iterator[dict[str, Any]]:
        """The files that differ between two versions."""
        after = ""
        while True:
            page = self._ask("GET", f"{of.path}/diff", params={"old": old, "new": new, "after": after})
            yield from page["items"]
            if page["next"] is None:
                return
            after = page["next"]

    def lineage(self, of: RepositoryName, *, revision: str = "", up: int = 3, down: int = 3) -> dict[str, Any]:
        """What a version ('': all of which something is known) was made from, and what was made from it: `nodes` and
        `edges`, as many steps away.
        """
        return self._ask("GET", f"{of.path}/lineage", params={"rev": revision, "up": up, "down": down})

    def commit_outputs(self, job_id: str) -> dict[str, Any]:
        """Have the outputs of a job that is over committed, where that was not possible; the job."""
        return self._ask("POST", f"/jobs/{quote(job_id, safe='')}/commit")

    def storage(self, project: str) -> dict[str, Any]:
        """What a project keeps and may keep."""
        return self._ask("GET", f"/projects/{quote(project, safe='')}/storage")

    def set_limit(self, project: str, limit_bytes: int | None) -> dict[str, Any]:
        """Say how much a project may keep; None: the park's default. For operators."""
        body = {"limit_bytes": limit_bytes}
        return self._ask("PUT", f"/projects/{quote(project, safe='')}/storage", body=body)

    def rule(self, of: RepositoryName) -> dict[str, Any]:
        """How long versions stay."""
        return self._ask("GET", f"{of.path}/rule")

    def set_rule(self, of: RepositoryName, rule: dict[str, Any]) -> dict[str, Any]:
        """Say how long versions stay, or with `is_preview` what that would take."""
        return self._ask("PUT", f"{of.path}/rule", body=rule)

    def hold(self, of: RepositoryName) -> dict[str, Any]:
        """Whether it is on legal hold."""
        return self._ask("GET", f"{of.path}/hold")

    def set_hold(self, of: RepositoryName, reason: str) -> dict[str, Any]:
        """Put it on legal hold."""
        return self._ask("PUT", f"{of.path}/hold", body={"reason": reason})

    def lift_hold(self, of: RepositoryName) -> None:
        """Lift its legal hold."""
        self._transport.tell("DELETE", f"{of.path}/hold")

    def store(self) -> dict[str, Any]:
        """How the park's store is: what is damaged, how far it was read. For operators."""
        return self._ask("GET", "/storage")

    def get(
        self, of: RepositoryName, path: str, to: Path, *, revision: str = "main", told: Callable[[str], object] = str
    ) -> list[Path]:
        """Bring a file, a folder or ('') all of a version home, below `to`. Raises NotFound, BadInput."""
        commit_id = self.history(of, revision=revision, limit=1)[0]["commit_id"]
        try:
            found = list(self.tree(of, path.strip("/"), revision=commit_id, recursive=True))
        except NotFound as error:
            if error.code != "no_such_entry":
                raise
            found = [{"path": path.strip("/")}]
        targets = [(item["path"], safe_target(to, item["path"])) for item in found]
        for name, target in targets:
            place = f"{of.path}/files/{quote(name, safe='/')}?{urlencode({'revision': commit_id})}"
            told(name)
            try:
                with self._transport.download(place) as chunks:
                    write_whole(target, chunks)
            except OSError as error:
                raise Unavailable(
                    f"{target} cannot be written: {error.strerror}.", fix="Make room, or name another folder."
                ) from None
        return [target for _, target in targets]

    def held(self, of: RepositoryName, hashes: Sequence[str]) -> set[str]:
        """Which of these contents (SHA-256) the project holds already, so that they need not be sent."""
        found: set[str] = set()
        asked = list(dict.fromkeys(hashes))
        for at in range(0, len(asked), _ASKED):
            body = {"sha256": asked[at : at + _ASKED]}
            found.update(self._ask("POST", f"{of.path}/blobs/held", body=body)["held"])
        return found

    @contextmanager
    def content(self, of: RepositoryName, path: str, revision: str) -> Iterator[Iterator[bytes]]:
        """A file of a version in pieces. Raises NotFound."""
        place = f"{of.path}/files/{quote(path, safe='/')}?{urlencode({'revision': revision})}"
        with self._transport.download(place) as chunks:
            yield chunks

    def put_content(self, of: RepositoryName, file: Path, sha256: str) -> None:
        """Send a content for a commit. Raises BadInput (`hash_mismatch`), TooLarge, Unavailable."""
        self._transport.put_file(f"{of.path}/blobs/{sha256}", file)

    def put_small(self, of: RepositoryName, contents: Sequence[bytes]) -> list[str]:
        """Send up to 1,000 contents of up to 64 KiB in one request; their SHA-256 in order."""
        body = b"".join(len(one).to_bytes(4, "big") + one for one in contents)
        return list(self._transport.post_bytes(f"{of.path}/blobs/small", body)["held"])

    def commit(self, of: RepositoryName, body: dict[str, Any]) -> dict[str, Any]:
        """Make a commit of contents that the project holds, as the API takes it."""
        return self._ask("POST", f"{of.path}/commits", body=body)

    def put(
        self,
        of: RepositoryName,
        sources: Sequence[Path],
        *,
        folder: str = "",
        title: str = "",
        branch: str = "main",
        is_again: bool = False,
        told: Callable[[str], object] = str,
    ) -> dict[str, Any]:
        """Send files and folders into a folder of the repository, as one commit; contents that are there are not sent
        again, unless `is_again`, which mends those that were damaged. Raises BadInput for what cannot be read, and for
        more than 20,000 files.
        """
        files = [pair for source in sources for pair in listed(source)]
        if not files or len(files) > _ROUND:
            raise BadInput(f"{len(files):,} files are to be sent.", fix=f"Send 1 to {_ROUND:,} at once.")
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        there = {item["path"]: item["sha256"] for item in self.tree(of, revision=branch, recursive=True)}
        changes = []
        for file, name in files:
            path, sha256 = prefix + name, _sha256(file)
            if there.get(path) == sha256 and not is_again:
                continue
            told(path)
            if is_again or sha256 not in there.values():
                self._transport.put_file(f"{of.path}/blobs/{sha256}", file)
            changes.append({"path": path, "sha256": sha256})
        if not changes:
            return self.history(of, revision=branch, limit=1)[0]
        words = title or (f"Put {changes[0]['path']}" if len(changes) == 1 else f"Put {len(changes):,} files")
        return self._ask("POST", f"{of.path}/commits", body={"branch": branch, "title": words, "changes": changes})

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._transport.json(method, path, **more)
        return found


def listed(source: Path) -> list[tuple[Path, str]]:
    """The files of a file or a folder with their names below it; links and special files stay."""
    if source.is_file():
        return [(source, source.name)]
    if not source.is_dir():
        raise BadInput(f"There is no file or folder {source}.", fix="Check its name.", code="no_file")
    found = []
    for file in sorted(source.rglob("*")):
        parts = file.relative_to(source).parts
        if file.is_file() and not file.is_symlink() and not NEVER_SENT & set(parts):
            found.append((file, "/".join(parts)))
    return found


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as content:
            while piece := content.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", fix="Check its rights.") from None
    return digest.hexdigest()
