"""A version of a repository brought elsewhere: a bag of files with their hashes, a bucket, another hub.

What is there already and the same is not sent again; the list of hashes is written last, so that what broke off is no
whole bag.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from eureka_park.client.carrying.folders import BAG, MANIFEST, PAYLOAD, manifest_line, walked
from eureka_park.client.carrying.importing import AT_ONCE, WINDOW, Progress, Report
from eureka_park.client.carrying.items import digests
from eureka_park.client.carrying.journal import Journal
from eureka_park.client.fetch import safe_target, write_whole
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

if TYPE_CHECKING:
    from eureka_park.client.carrying.buckets import Bucket
    from eureka_park.client.data import DataOf, RepositoryName

BAG_TEXT: Final = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
INFO: Final = "bag-info.txt"
_IDENTIFIER: Final = "External-Identifier: "
Row = dict[str, Any]


class Goal(Protocol):
    """Where a version goes."""

    def has(self, row: Row) -> bool:
        """Whether a file is there already and the same."""

    def put(self, row: Row, pieces: Iterator[bytes]) -> None:
        """Write a file. Raises ParkError, OSError."""

    def end(self, rows: list[Row], note: str) -> None:
        """All files are there."""


class Exporting:
    """One export of a version. `told` is called when something has come."""

    def __init__(
        self, park: DataOf, of: RepositoryName, revision: str, *, at_once: int = AT_ONCE, told: Callable[[], None]
    ) -> None:
        self._park, self._of, self._told, self._at_once = park, of, told, max(1, min(at_once, 16))
        self.commit_id = park.history(of, revision=revision, limit=1)[0]["commit_id"]
        self.progress = Progress()
        self.report = Report(self.progress)

    def run(self, goal: Goal) -> Report:
        """Bring all files. Raises BadInput (`some_failed`) where files failed; no list of hashes is written then."""
        rows: list[Row] = []
        found = self._park.tree(self._of, revision=self.commit_id, recursive=True)
        with ThreadPoolExecutor(self._at_once) as pool:
            while window := list(islice(found, WINDOW)):
                self.progress.n_seen += len(window)
                for future in [pool.submit(self._carry, goal, row) for row in window]:
                    future.result()
                    self._told()
                rows += window
        if self.report.errors:
            first = self.report.errors[0]
            raise BadInput(
                f"{len(self.report.errors):,} files failed, such as {first['path'][:200]!a}: {first['message'][:300]}",
                fix="Mend what is wrong and run it again; it goes on where it is.",
                code="some_failed",
            )
        goal.end(rows, f"{self._of.project}/{self._of.name}@{self.commit_id}")
        return self.report

    def _carry(self, goal: Goal, row: Row) -> None:
        try:
            if goal.has(row):
                self.report.n_unchanged += 1
            else:
                with self._park.content(self._of, row["path"], self.commit_id) as pieces:
                    goal.put(row, _checked(row, pieces))
                self.progress.n_sent += 1
                self.progress.sent_bytes += row["size_bytes"]
            self.progress.n_done += 1
        except (ParkError, OSError) as error:
            message = error.line() if isinstance(error, ParkError) else f"{error.strerror or error}"
            self.progress.n_failed += 1
            self.report.errors.append({"path": row["path"], "place": row["path"], "message": message})


def _checked(row: Row, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file; it ends with an error where they are not what the version says."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
        yield piece
    if digest.hexdigest() != row["sha256"]:
        raise Unavailable(f"{row['path']!a} did not come as it was kept.", fix="Try again.", code="hash_mismatch")


class Bag:
    """A folder as a bag (BagIt): files below `data`, their hashes in manifest-sha256.txt."""

    def __init__(self, folder: Path, journal: Journal, name: str) -> None:
        self._folder, self._journal = folder, journal
        mine = f"{_IDENTIFIER}{name}@"
        if folder.exists() and any(folder.iterdir()) and not _text(folder / INFO).startswith(mine):
            raise BadInput(
                f"{folder} is not empty, and no bag of {name}.", fix="Name another folder.", code="not_empty"
            )
        (folder / PAYLOAD).mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)  # from now on it is no whole bag
        write_whole(folder / INFO, iter([f"{mine}\n".encode()]))

    def has(self, row: Row) -> bool:
        """Whether it lies there with its hash; one that was not written just now is read."""
        file = safe_target(self._folder / PAYLOAD, row["path"])
        if not file.is_file() or file.is_symlink() or file.stat().st_size != row["size_bytes"]:
            return False
        mark = f"{row['size_bytes']}:{file.stat().st_mtime_ns}"
        found = self._journal.known(row["path"], mark) or digests(file)[0]
        self._journal.note(row["path"], mark, found)
        return bool(found == row["sha256"])

    def put(self, row: Row, pieces: Iterator[bytes]) -> None:
        """Write a file whole or not at all."""
        write_whole(safe_target(self._folder / PAYLOAD, row["path"]), pieces)

    def end(self, rows: list[Row], note: str) -> None:
        """Take away what is not of this version, then write the tags and hashes."""
        named = {row["path"] for row in rows}
        for file, path in list(walked(self._folder / PAYLOAD)):
            if path not in named:
                file.unlink()
        total = sum(row["size_bytes"] for row in rows)
        tags = {
            BAG: BAG_TEXT,
            INFO: f"{_IDENTIFIER}{note}\nPayload-Oxum: {total}.{len(rows)}\n",
            MANIFEST: "".join(manifest_line(row["sha256"], f"{PAYLOAD}/{row['path']}") for row in rows),
        }
        for name, text in tags.items():
            write_whole(self._folder / name, iter([text.encode()]))
        lines = [manifest_line(hashlib.sha256(text.encode()).hexdigest(), name) for name, text in tags.items()]
        write_whole(self._folder / "tagmanifest-sha256.txt", iter(["".join(lines).encode()]))


def _text(file: Path) -> str:
    return file.read_text("utf-8", "replace") if file.is_file() else ""


class BucketGoal:
    """Keys below a prefix of a bucket, their hashes in manifest-sha256.txt beside them."""

    def __init__(self, bucket: Bucket, journal: Journal) -> None:
        self._bucket, self._journal = bucket, journal
        self._there = bucket.sizes()

    def has(self, row: Row) -> bool:
        """Whether an earlier try of this export wrote it, and it is still there."""
        is_there = bool(self._there.get(row["path"]) == row["size_bytes"])
        return is_there and bool(self._journal.known(row["path"], self._bucket.note) == row["sha256"])

    def put(self, row: Row, pieces: Iterator[bytes]) -> None:
        """Write a key; the file lies here meanwhile, as its hash is known only at its end."""
        with _held(pieces) as file:
            self._bucket.put(row["path"], file)
        self._journal.note(row["path"], self._bucket.note, row["sha256"])

    def end(self, rows: list[Row], note: str) -> None:
        """Write the hashes."""
        del note
        self._bucket.put_text(MANIFEST, "".join(manifest_line(row["sha256"], row["path"]) for row in rows))


@contextmanager
def _held(pieces: Iterator[bytes]) -> Iterator[Path]:
    with TemporaryDirectory(prefix="park-export-") as folder:
        file = Path(folder) / "part"
        write_whole(file, pieces)
        yield file


class HubGoal:
    """A repository of another hub, by its own client library; one commit for every few hundred files."""

    COMMIT_MAX: Final = 200
    COMMIT_BYTES_MAX: Final = 4 * 1024**3

    def __init__(self, base: str, name: str, kind: str, revision: str, title: str) -> None:
        try:
            from huggingface_hub import HfApi
        except ImportError:
            raise BadInput(
                "Another hub needs its client.", fix="Install it: pip install huggingface_hub", code="no_hub_client"
            ) from None
        self._api = HfApi(endpoint=base)
        self._at: dict[str, Any] = {"repo_id": name, "repo_type": kind}
        self._revision, self._title = revision, title
        with _its_errors():
            self._api.create_repo(**self._at, exist_ok=True, private=True)
            tree = self._api.list_repo_tree(**self._at, revision=revision, recursive=True)
            large = {one.path: getattr(one, "lfs", None) for one in tree}
        self._there = {path: str(lfs["sha256"]) for path, lfs in large.items() if lfs}
        self._folder = TemporaryDirectory(prefix="park-export-")
        self._waiting: list[tuple[Row, Path]] = []
        self._lock = Lock()

    def has(self, row: Row) -> bool:
        """Whether the hub has it: of large files it says the SHA-256; small ones are sent again within the commit."""
        return bool(self._there.get(row["path"]) == row["sha256"])

    def put(self, row: Row, pieces: Iterator[bytes]) -> None:
        """Keep a file for the next commit."""
        file = Path(self._folder.name) / hashlib.sha256(row["path"].encode()).hexdigest()
        write_whole(file, pieces)
        with self._lock:
            self._waiting.append((row, file))
            if len(self._waiting) >= self.COMMIT_MAX or self._bytes() >= self.COMMIT_BYTES_MAX:
                self._send()

    def _bytes(self) -> int:
        return sum(int(row["size_bytes"]) for row, _ in self._waiting)

    def _send(self) -> None:
        from huggingface_hub import CommitOperationAdd

        operations = [CommitOperationAdd(row["path"], str(file)) for row, file in self._waiting]
        more: dict[str, Any] = {"commit_message": self._title, "revision": self._revision}
        with _its_errors():
            self._api.create_commit(**self._at, operations=operations, **more)
        for _, file in self._waiting:
            file.unlink(missing_ok=True)
        self._waiting.clear()

    def end(self, rows: list[Row], note: str) -> None:
        """Send what waits still."""
        del rows, note
        with self._lock:
            if self._waiting:
                self._send()
        self._folder.cleanup()


@contextmanager
def _its_errors() -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # what goes wrong over the line is an OSError there
        words = " ".join(str(error).split())[:300]
        raise Unavailable(
            f"The hub refuses: {words}", fix="Check the address and HF_TOKEN.", code="hub_refuses"
        ) from None
