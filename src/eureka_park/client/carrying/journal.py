"""What was found out on the way: lines of JSON in a folder of one's own, so that a carrying that broke off goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_FILE: Final = "journal.jsonl"


def work_folder(*told: str) -> Path:
    """The folder of one carrying: the same from the same place to the same place."""
    from platformdirs import user_cache_path

    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]
    return user_cache_path("eureka-park") / "carrying" / key


class Journal:
    """Hashes by path, as long as the file's mark is the same. May be used by several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, threading.Lock()
        (folder / "parts").mkdir(parents=True, exist_ok=True)
        self._known: dict[str, tuple[str, str]] = {}
        file = folder / _FILE
        if file.is_file():
            for line in file.read_text("utf-8", "replace").splitlines():
                with suppress(ValueError, TypeError, KeyError):  # the last line may have been torn
                    one = json.loads(line)
                    self._known[str(one["path"])] = (str(one["mark"]), str(one["sha256"]))
        self._stream = file.open("a", encoding="utf-8")
        self._stream.write("\n")  # behind a torn line

    def known(self, path: str, mark: str) -> str:
        """The hash of a file that was looked at before; '' where it was not, or has changed."""
        found = self._known.get(path)
        return found[1] if found is not None and mark and found[0] == mark else ""

    def note(self, path: str, mark: str, sha256: str) -> None:
        """Keep a hash."""
        if not mark:
            return
        line: dict[str, Any] = {"path": path, "mark": mark, "sha256": sha256}
        with self._lock:
            self._known[path] = (mark, sha256)
            self._stream.write(json.dumps(line) + "\n")
            self._stream.flush()

    def part(self, path: str, mark: str) -> Path:
        """Where a file is written while it comes; one whose mark changed begins anew."""
        return self._folder / "parts" / hashlib.sha256(f"{path}\0{mark}".encode("utf-8", "replace")).hexdigest()[:40]

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_told: object) -> None:
        self.close()

    def close(self) -> None:
        """Keep all of it for the next time."""
        self._stream.close()

    def end(self) -> None:
        """All is done: nothing of it is needed."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)
