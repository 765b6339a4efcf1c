"""A park's home on disk: what it is made of, its lock, its keys, and the notes by which programs find each other."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import socket
import stat
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.clock import Pace
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, Unavailable

SPACE_MIN_BYTES: Final = 16 * 1024**2  # database, its journal and the logs of a first hour
WATCHED_PACE: Final = 10.0  # from this pace on a home is there to be watched
_FOLDERS: Final = ("keys", "run", "logs", "blobs", "jobs", "envs")


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What is fixed when a home is made."""

    version: str
    site: str
    sky: str
    created_real_s: float
    seed: int = 1
    pace: Pace = field(default_factory=Pace)
    is_bare: bool = False
    is_story: bool = False
    start: str = ""  # as it was asked for

    @property
    def is_watched(self) -> bool:
        """Whether somebody means to watch a day go by."""
        return self.is_story or self.pace.factor >= WATCHED_PACE

    @property
    def story(self) -> str:
        """Name of the jobs that it submits by itself over the day; empty for none."""
        return "story" if self.is_story else "day" if self.is_watched and not self.is_bare else ""

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> HomeFacts:
        """Read what `to_json` wrote."""
        return cls(**{**value, "pace": Pace(**value["pace"])})


class Home:
    """Paths below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def database_url(self) -> str:
        """Where the rows are."""
        return f"sqlite:///{self.folder / 'park.sqlite3'}"

    @property
    def run(self) -> Path:
        """Sockets and notes of a running park."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Logs of the park's own processes."""
        return self.folder / "logs"

    def exists(self) -> bool:
        """Whether a park was made here, wholly."""
        return (self.folder / "home.json").is_file()

    def facts(self) -> HomeFacts:
        """What was fixed at its creation. Raises NotFound, or BadInput for a damaged note."""
        try:
            return HomeFacts.from_json(json.loads((self.folder / "home.json").read_text()))
        except FileNotFoundError:
            raise NotFound(f"There is no park in {self.folder}.", fix="Make one: park up", code="no_home") from None
        except (ValueError, TypeError, KeyError):
            raise BadInput(f"{self.folder / 'home.json'} is damaged.", fix="Put it back from a copy.") from None

    def zone(self) -> str:
        """The time zone of its site; UTC where the site file names none or cannot be read."""
        try:
            return str(tomllib.loads(self.read("site.toml") or "").get("timezone", "UTC"))
        except tomllib.TOMLDecodeError:
            return "UTC"

    def is_empty(self) -> bool:
        """Whether nothing is in the folder."""
        try:
            return not any(self.folder.iterdir())
        except OSError:
            return False

    def make_folders(self) -> None:
        """Make the folder and its parts, readable by the owner alone. Raises Unavailable when the disk will not, and
        leaves nothing new then.
        """
        made: list[Path] = []
        try:
            if not self.folder.exists():
                self.folder.mkdir(parents=True)
                made.append(self.folder)
            for part in (self.folder / name for name in _FOLDERS):
                if not part.exists():
                    part.mkdir(exist_ok=True)
                    made.append(part)
            for name in ("", "keys", "run", "blobs"):
                (self.folder / name).chmod(stat.S_IRWXU)
        except OSError as error:
            with suppress(OSError):
                for path in reversed(made):
                    path.rmdir()
            raise self._unusable("made", error) from None

    def check_space(self) -> None:
        """Raises Unavailable when the disk is too full for a park to start."""
        free_bytes = shutil.disk_usage(self.folder).free
        if free_bytes < SPACE_MIN_BYTES:
            raise self._unusable("used", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def _unusable(self, what: str, error: OSError) -> Unavailable:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return Unavailable(
            f"The home {self.folder} cannot be {what}: {(error.strerror or str(error)).lower()}.",
            fix="Free some space there, or name another folder with --home or PARK_HOME."
            if full
            else "Name another folder with --home or PARK_HOME.",
            code="disk_full" if full else "home_unusable",
        )

    def unmake(self, *, keep_folder: bool) -> None:
        """Take away all that is in the folder, and with `keep_folder` false the folder itself."""
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        with suppress(OSError):
            for path in self.folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()

    def write_facts(self, facts: HomeFacts, site_text: str) -> None:
        """Note what was fixed; written last, so a half-made home is made anew next time."""
        self.write("site.toml", site_text)
        self.write("home.json", json.dumps(facts.to_json(), indent=1))

    def write(self, name: str, text: str, mode: int = 0o600) -> None:
        """Write a small file whole or not at all."""
        path = self.folder / name
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise Unavailable(
                f"{path} cannot be written: {error.strerror}.",
                fix="Free some space." if full else "Check its rights and its disk.",
                code="disk_full" if full else "home_unusable",
            ) from None

    def read(self, name: str) -> str | None:
        """A small file's text, None where there is none."""
        try:
            return (self.folder / name).read_text()
        except OSError:
            return None

    def lock(self) -> Callable[[], None]:
        """Hold the home for one running park; the returned call lets go. Raises Conflict while another holds it."""
        try:
            handle = os.open(self.run / "park.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable("used", error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            note = json.loads(self.read("run/client.json") or "{}")
            at = f" at {note['url']}" if note.get("url") else ""
            raise Conflict(
                f"A park already runs in {self.folder}{at}.",
                fix="Use it, stop it with `park down`, or name another home with --home.",
                code="home_in_use",
            ) from None
        return lambda: os.close(handle)


def wake_sender(run: Path, word: bytes) -> Callable[[], None]:
    """A call that wakes `live` by one datagram; losing it costs at most one turn of the timer."""

    def wake() -> None:
        folder_fd = None
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            folder_fd = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
            # Through the folder's descriptor: a socket's own path may be at most 108 bytes long.
            sender.sendto(word, f"/proc/self/fd/{folder_fd}/live.sock")
        if folder_fd is not None:
            os.close(folder_fd)

    return wake


def wake_receiver(run: Path) -> socket.socket:
    """The socket on which `live` is woken; replaces one left by a process that died."""
    folder_fd = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        (run / "live.sock").unlink(missing_ok=True)
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        receiver.bind(f"/proc/self/fd/{folder_fd}/live.sock")
    finally:
        os.close(folder_fd)
    return receiver
