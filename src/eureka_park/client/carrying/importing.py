"""Files from anywhere into a repository of the park: only what the project does not hold is sent, then one commit.

What was found out is kept in a journal, so that the next try goes on. One file that fails stops the commit, no others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eureka_park.client.carrying.items import Item, Source, digests
from eureka_park.client.carrying.journal import Journal
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

if TYPE_CHECKING:
    from eureka_park.client.data import DataOf, RepositoryName

T = TypeVar("T")
COMMIT_MAX: Final = 20_000  # files of one commit
WINDOW: Final = 500  # files that are looked at together
AT_ONCE: Final = 4  # so many bodies of one person a park takes at a time
SMALL_BYTES_MAX: Final = 64 * 1024  # contents that travel together
GROUP_MAX, GROUP_BYTES_MAX = 250, 4 * 1024 * 1024
_TRIES: Final = 4
_HOPELESS: Final = frozenset((
    "not_reachable", "not_trusted", "unauthorised", "forbidden", "no_such_repository", "quota", "disk_full",
    "project_locked", "read_only",
))  # fmt: skip


@dataclass(slots=True)
class Progress:
    """How far it is. Numbers of files and bytes."""

    n_seen: int = 0
    n_done: int = 0
    n_sent: int = 0
    sent_bytes: int = 0
    n_failed: int = 0


@dataclass(slots=True)
class Report:
    """What came of it: `errors` by path; `commits` as the API gives them."""

    progress: Progress
    errors: list[dict[str, str]] = field(default_factory=list)
    commits: list[dict[str, Any]] = field(default_factory=list)
    n_unchanged: int = 0

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        done = self.progress
        return {
            "n_files": done.n_seen, "n_sent": done.n_sent, "sent_bytes": done.sent_bytes,
            "n_unchanged": self.n_unchanged, "errors": self.errors, "commits": self.commits,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where to: a folder of a branch of a repository."""

    of: RepositoryName
    folder: str = ""
    branch: str = "main"
    title: str = ""

    def path(self, path: str) -> str:
        """A file's path in the repository."""
        folder = self.folder.strip("/")
        return f"{folder}/{path}" if folder else path


class Importing:
    """One import. `told` is called when something has come."""

    def __init__(
        self, park: DataOf, target: Target, journal: Journal, *, at_once: int = AT_ONCE, told: Callable[[], None]
    ) -> None:
        self._park, self._target, self._journal, self._told = park, target, journal, told
        self._at_once = max(1, min(at_once, 16))
        self.progress = Progress()
        self.report = Report(self.progress)
        self._small: dict[str, Path] = {}

    def run(self, source: Source, *, skips_errors: bool = False) -> Report:
        """Bring all, then commit. Raises BadInput (`some_failed`) where files failed; nothing is committed then."""
        there = {one["path"]: one["sha256"] for one in self._tree()}
        changes: list[dict[str, str]] = []
        items = iter(source.items())
        with ThreadPoolExecutor(self._at_once) as pool:
            while window := list(islice(items, WINDOW)):
                self.progress.n_seen += len(window)
                for item, sha256 in self._window(pool, window):
                    path = self._target.path(item.path)
                    if there.get(path) == sha256:
                        self.report.n_unchanged += 1
                    else:
                        changes.append({"path": path, "sha256": sha256})
        if self.report.errors and not skips_errors:
            first = self.report.errors[0]
            raise BadInput(
                f"{len(self.report.errors):,} files failed, such as {first['path'][:200]!a}: {first['message'][:300]}",
                fix="Mend them and run it again; it goes on where it is. Or leave them out: --skip-errors.",
                code="some_failed",
            )
        self._commit(changes, source.note)
        return self.report

    def _tree(self) -> Iterator[dict[str, Any]]:
        return self._park.tree(self._target.of, revision=self._target.branch, recursive=True)

    def _window(self, pool: ThreadPoolExecutor, window: list[Item]) -> list[tuple[Item, str]]:
        """The files of a window with their hashes, once the project holds them."""
        known = self._each(pool, self._known, window)
        held = self._park.held(self._target.of, [sha256 for _, sha256 in known if sha256])
        left = [(item, sha256) for item, sha256 in known if sha256 not in held]
        here = [(pair[0], sha256) for pair, sha256 in self._each(pool, self._brought, left)]
        fresh = [sha256 for item, sha256 in here if item.local is None and not item.sha256]
        held |= self._park.held(self._target.of, fresh)
        sent = self._sent(pool, {sha256: item for item, sha256 in here if sha256 not in held})
        failed = {one["path"] for one in self.report.errors}
        for item, sha256 in here:
            if sha256 not in held | sent and item.path not in failed:  # as another file of the same content
                self._fail(item, Unavailable("Its content could not be sent.", fix="See the other errors."))
            elif item.local is None and sha256 in held | sent:
                self._came(item, sha256)
        done = [pair for pair in (*known, *here) if pair[1] in held | sent]
        done = list({item.path: (item, sha256) for item, sha256 in done}.values())
        self.progress.n_done += len(done)
        self._told()
        return done

    def _sent(self, pool: ThreadPoolExecutor, left: dict[str, Item]) -> set[str]:
        """Send contents, small ones many in a request; the hashes of those that came well."""
        groups = self._groups(left)
        done = {
            sha256 for group, came in self._each(pool, self._send_small, groups) for sha256 in (group if came else ())
        }
        single = [(item, sha256) for sha256, item in left.items() if sha256 not in done]
        return done | {sha256 for _, sha256 in self._each(pool, self._send, single)}

    def _groups(self, left: dict[str, Item]) -> list[list[str]]:
        groups: list[list[str]] = [[]]
        size_bytes = 0
        self._small = {}
        for sha256, item in left.items():
            file = self._file(item)
            n_bytes = file.stat().st_size
            if n_bytes > SMALL_BYTES_MAX:
                continue
            if len(groups[-1]) == GROUP_MAX or size_bytes + n_bytes > GROUP_BYTES_MAX:
                groups.append([])
                size_bytes = 0
            groups[-1].append(sha256)
            self._small[sha256] = file
            size_bytes += n_bytes
        return [group for group in groups if group]

    def _send_small(self, group: list[str]) -> str:
        """Send a group; '' where it did not go well: its files are sent one by one then, each with its own reason."""
        try:
            contents = [self._small[sha256].read_bytes() for sha256 in group]
            if self._park.put_small(self._target.of, contents) != group:
                return ""
        except (ParkError, OSError) as error:
            _stop_where_hopeless(error)
            return ""
        self.progress.n_sent += len(group)
        self.progress.sent_bytes += sum(map(len, contents))
        return "sent"

    def _file(self, item: Item) -> Path:
        return item.local if item.local is not None else self._journal.part(item.path, item.mark)

    def _came(self, item: Item, sha256: str) -> None:
        """What was fetched is held by the project: it need not lie here."""
        self._journal.note(item.path, item.mark, sha256)
        part = self._journal.part(item.path, item.mark)
        part.unlink(missing_ok=True)
        part.with_suffix(".etag").unlink(missing_ok=True)

    def _each(self, pool: ThreadPoolExecutor, work: Callable[[T], str], given: Iterable[T]) -> list[tuple[T, str]]:
        """What comes of each, in order; those that failed are told in the report."""
        asked = [(one, pool.submit(work, one)) for one in given]
        found: list[tuple[T, str]] = []
        try:
            for one, future in asked:
                try:
                    found.append((one, future.result()))
                except (ParkError, OSError) as error:
                    _stop_where_hopeless(error)
                    self._fail(one, error)
                self._told()
        finally:
            for _, future in asked:
                future.cancel()
        return found

    def _fail(self, one: Any, error: ParkError | OSError) -> None:
        item: Item = one if isinstance(one, Item) else one[0]
        self.progress.n_failed += 1
        message = error.line() if isinstance(error, ParkError) else f"{error.strerror or error}"
        self.report.errors.append({"path": item.path, "place": item.place, "message": message})

    def _known(self, item: Item) -> str:
        """The hash of a file, as far as it is known without bringing it; '' else."""
        if item.fault:
            raise BadInput(f"{item.place[:200]}: {item.fault}.", code="bad_file")
        if item.sha256 and item.local is None:
            return item.sha256
        noted = self._journal.known(item.path, item.mark)
        if not noted and item.local is not None:
            noted = digests(item.local)[0]
            self._journal.note(item.path, item.mark, noted)
        if item.sha256 and noted != item.sha256:
            raise _other(item)
        return noted

    def _brought(self, pair: tuple[Item, str]) -> str:
        """Have a file here, as it was promised; its hash. Raises ParkError, OSError."""
        item, sha256 = pair
        if item.local is not None:
            return sha256
        assert item.fetch is not None
        part = self._journal.part(item.path, item.mark)
        item.fetch(part)
        found, git_oid, size_bytes = digests(part)
        wrong = (sha256 and found != sha256) or (item.git_oid and git_oid != item.git_oid)
        if wrong or (item.size_bytes is not None and size_bytes != item.size_bytes):
            part.unlink()  # the next try begins anew
            raise _other(item)
        return found

    def _send(self, pair: tuple[Item, str]) -> str:
        item, sha256 = pair
        file = self._file(item)
        for attempt in range(_TRIES):
            try:
                self._park.put_content(self._target.of, file, sha256)
                break
            except Unavailable as error:
                if attempt + 1 == _TRIES or error.code == "disk_full":
                    raise
                time.sleep(0.5 * 4**attempt)
        self.progress.n_sent += 1
        self.progress.sent_bytes += file.stat().st_size
        return sha256

    def _commit(self, changes: list[dict[str, str]], note: str) -> None:
        """One commit, or several of 20,000 files; each is whole."""
        blocks = [changes[at : at + COMMIT_MAX] for at in range(0, len(changes), COMMIT_MAX)]
        for number, block in enumerate(blocks, 1):
            of_many = f" ({number} of {len(blocks)})" if len(blocks) > 1 else ""
            title = (self._target.title or f"Import {len(changes):,} files from {note}")[:400] + of_many
            body = {
                "branch": self._target.branch, "title": title, "message": f"From {note}"[:2000], "changes": block,
                "sources": [note[:1000]],
            }  # fmt: skip
            self.report.commits.append(self._park.commit(self._target.of, body))


def _stop_where_hopeless(error: ParkError | OSError) -> None:
    """Raise what would meet every other file too."""
    if isinstance(error, ParkError) and error.code in _HOPELESS:
        raise error


def _other(item: Item) -> BadInput:
    return BadInput(
        f"{item.place[:200]} is not what its hash or size says.", fix="Look at its place.", code="hash_mismatch"
    )
