"""The store ends at every step it takes on disk or in the database: nothing half-seen, nothing lost, litter goes."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.repository import Operation, Put, Remove
from eureka_park.data.core.tree import Node, Tree
from eureka_park.data.repositories.versions import edited
from eureka_park.foundation.errors import ParkError

DAY_S = 86400.0


class Crash(BaseException):
    """The process ends here."""


class Fuse:
    """Lets so many calls of the store's objects and transactions through, then ends the process in the next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, park: DataPark) -> None:
        self.left: float = float("inf")
        for name in ("keep", "put", "drop", "sync"):
            self._cut(monkeypatch, park.blobs, name)
        self._cut(monkeypatch, park.db, "write")

    def _cut(self, monkeypatch: pytest.MonkeyPatch, of: Any, name: str) -> None:
        real = getattr(of, name)

        def call(*words: Any, **more: Any) -> Any:
            self.left -= 1
            if self.left < 0:
                raise Crash
            return real(*words, **more)

        monkeypatch.setattr(of, name, call)


def test_whatever_step_is_the_last(_migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "park.sqlite3"
    file.write_bytes(_migrated_file.read_bytes())
    db = SqlDatabase(f"sqlite:///{file}")
    park = DataPark(db, tmp_path / "blobs")
    fuse = Fuse(monkeypatch, park)
    numbers = itertools.count()

    def work() -> None:
        number = next(numbers)
        made = park.repository(f"set-{number}")
        park.commit(made, {f"f{n}": b"%d-%d" % (number, n) for n in range(3)})
        park.objects.put("lab", [b"large %d" % number])
        park.commit(made, {"f0": b"again", "f1": None})
        park.repositories.delete(park.lea, made)
        park.clock.step(3 * DAY_S)
        park.data.collector.collect(DAY_S)

    def clear() -> None:
        for one in park.repositories.page(park.owner, "dataset"):
            if one.name != "kept":
                park.repositories.delete(park.lea, one)
        for _ in range(3):
            park.clock.step(3 * DAY_S)
            park.data.collector.collect(DAY_S)

    kept = park.repository("kept")
    files = park.files(park.commit(kept, {"a": b"again", "b": b"0-0"}))
    for n_steps in range(200):
        fuse.left = n_steps
        try:
            work()
            break
        except Crash:
            fuse.left = float("inf")
        assert park.data.collector.scrub().findings == []
        assert park.files(park.versions.at(kept, "main")) == files
        clear()
    else:
        pytest.fail("it never came to its end")
    assert n_steps > 15
    fuse.left = float("inf")
    for stored in (park.folder / "store").rglob("*.*"):
        os.utime(stored, (0.0, 0.0))
    clear()
    assert len(park.objects_kept()) == 2 and park.files(park.versions.at(kept, "main")) == files
    assert park.objects.use("lab")[0] == sum(map(len, files.values()))
    db.close()


NAMES = st.sampled_from(["a", "b", "a/b", "a/c", "a/b/c", "d/e", "d"])
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "put", "put", "remove", "clear"]), NAMES, st.integers(0, 3)), max_size=6
)


@settings(max_examples=100)
@given(st.lists(CHANGES, max_size=5))
def test_a_repository_is_a_dict(commits: list[list[tuple[str, str, int]]]) -> None:
    """Commits of any changes against the same on a plain dict: equal files, or both refuse."""
    nodes: dict[str, Node] = {}

    def load(ids: Sequence[str]) -> dict[str, Node]:
        return {name: nodes[name] for name in ids}

    plain: dict[str, int] = {}
    root = ""
    for changes in commits:
        operations = [_operation(*change) for change in changes]
        tree = Tree(load, root)
        expected = _on_a_dict(plain, changes)
        try:
            edits = edited(tree, operations)
        except ParkError:
            assert expected is None
            continue
        assert expected is not None
        root, made = tree.changed(edits)
        nodes |= made
        plain = expected
        found = Tree(load, root)
        assert {entry.path: entry.size_bytes for entry in found.scan()} == plain


def _operation(what: str, path: str, number: int) -> Operation:
    return Put(path, f"{number:064x}", number) if what == "put" else Remove(path, is_folder=what == "clear")


def _on_a_dict(plain: dict[str, int], changes: list[tuple[str, str, int]]) -> dict[str, int] | None:
    files = dict(plain)
    for what, path, number in changes:
        below = [name for name in files if name.startswith(f"{path}/")]
        if what == "put":
            files[path] = number
        elif (what == "remove" and path not in files) or (what == "clear" and not below):
            return None
        else:
            for name in below if what == "clear" else [path]:
                del files[name]
    clash = any(name.startswith(f"{path}/") for path in files for name in files)
    return None if clash else files
