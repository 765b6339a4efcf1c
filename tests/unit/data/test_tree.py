"""A version's tree against a plain dict: equal files give equal trees, whatever happened before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.data.core import tree as module
from eureka_park.data.core.entry import Entry, git_oid, pointer
from eureka_park.data.core.tree import Node, Tree, differences, read_node

PATHS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join) | st.text("ab/é", min_size=1, max_size=5)
EDITS = st.dictionaries(PATHS, st.none() | st.integers(0, 3), max_size=12)


class Shelf:
    """Nodes by id, and how many were asked for."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.n_asked = 0

    def load(self, ids: Sequence[str]) -> Mapping[str, Node]:
        self.n_asked += len(ids)
        return {name: read_node(name, self.nodes[name].content) for name in ids}

    def changed(self, root_id: str, edits: Mapping[str, Entry | None]) -> str:
        root_id, made = Tree(self.load, root_id).changed(edits)
        self.nodes |= made
        return root_id


def entry(path: str, what: int) -> Entry:
    return Entry(path, f"{what:064x}", what, "" if what % 2 else f"{what:040x}")


def as_entries(edits: Mapping[str, int | None]) -> dict[str, Entry | None]:
    return {path: None if what is None else entry(path, what) for path, what in edits.items()}


@pytest.fixture(autouse=True)
def _small_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEAN_ITEMS", 2)
    monkeypatch.setattr(module, "ITEMS_MAX", 4)
    monkeypatch.setattr(module, "AHEAD", 2)


@settings(max_examples=100)
@given(st.lists(EDITS, max_size=6))
def test_a_tree_is_a_dict(steps: list[dict[str, int | None]]) -> None:
    shelf, plain, root = Shelf(), dict[str, Entry](), ""
    for step in steps:
        before, old_root = dict(plain), root
        edits = as_entries(step)
        plain.update({path: item for path, item in edits.items() if item is not None})
        for path in [path for path, item in edits.items() if item is None]:
            plain.pop(path, None)
        root = shelf.changed(root, edits)
        assert root == Shelf().changed("", dict(plain)), "equal files, equal trees"
        tree = Tree(shelf.load, root)
        assert list(tree.scan()) == [plain[path] for path in sorted(plain)]
        assert tree.totals() == (len(plain), sum(item.size_bytes for item in plain.values()))
        told = {(a or b).path: (a, b) for a, b in differences(Tree(shelf.load, old_root), tree)}  # type: ignore[union-attr]
        paths = {path for path in {*before, *plain} if before.get(path) != plain.get(path)}
        assert told == {path: (before.get(path), plain.get(path)) for path in paths}
    for path in {*plain, "a", "b", "zz"}:
        tree = Tree(shelf.load, root)
        assert tree.get(path) == plain.get(path)
        below = [name for name in sorted(plain) if name.startswith(f"{path}/")]
        assert [item.path for item in tree.in_folder(path)] == below and tree.has_folder(path) is bool(below)
        names = {name[len(path) + 1 :].partition("/")[::2] for name in below}
        names = {(name, "/" if f"{path}/{name}" not in plain or rest else "") for name, rest in names}
        found = [(item.path[len(path) + 1 :], "" if item.entry else "/") for item in tree.listed(path)]
        assert sorted(found) == sorted(names) and len(set(found)) == len(found)


def test_a_change_in_a_large_tree_touches_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    shelf = Shelf()
    root = shelf.changed("", {f"d{n % 7}/f{n:06}": entry(f"d{n % 7}/f{n:06}", n) for n in range(20_000)})
    shelf.n_asked = 0
    changed, made = Tree(shelf.load, root).changed({"d3/new": entry("d3/new", 1)})
    assert len(made) <= 4 and shelf.n_asked < 20
    shelf.nodes |= made
    shelf.n_asked = 0
    assert [b.path for _, b in differences(Tree(shelf.load, root), Tree(shelf.load, changed)) if b] == ["d3/new"]
    assert shelf.n_asked < 400
    shelf.n_asked = 0
    assert [item.path for item in Tree(shelf.load, changed).listed("")] == [f"d{n}" for n in range(7)]
    assert shelf.n_asked < 80


def test_a_damaged_node_is_found_out() -> None:
    shelf = Shelf()
    root = shelf.changed("", {"a": entry("a", 1)})
    with pytest.raises(ValueError, match="damaged"):
        read_node("0" * 64, shelf.nodes[root].content)


def test_names_are_those_that_git_gives() -> None:
    assert git_oid(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert pointer("0" * 64, 5).decode().splitlines()[1:] == [f"oid sha256:{'0' * 64}", "size 5"]
