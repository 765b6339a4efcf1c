"""A version's files as a tree of immutable nodes, cut where hashes of their paths say so.

Entries lie in the order of their paths in leaves; inner nodes list their children. Where a node ends depends on keys
alone, so equal files give an equal tree whatever happened before, and a change touches few nodes. Nodes come from
`load`, which takes ids and gives nodes; nothing here knows where they are kept.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, TypeAlias

from eureka_park.data.core.entry import Entry

MEAN_ITEMS: Final = 64  # a power of two
ITEMS_MAX: Final = 256
AHEAD: Final = 16  # leaves that a scan asks for at once
PAST_FOLDER: Final = chr(ord("/") + 1)  # what comes after all that lies in a folder
_PACKING: Final = 1


@dataclass(frozen=True, slots=True)
class Child:
    """A node as its parent knows it: its last path, what lies below it."""

    key: str
    node_id: str
    n_files: int
    size_bytes: int


Item: TypeAlias = Entry | Child
Load: TypeAlias = Callable[[Sequence[str]], Mapping[str, "Node"]]
Changes: TypeAlias = list[tuple[str, Item | None]]


@dataclass(frozen=True, slots=True)
class Node:
    """A run of entries (level 0) or of children, in the order of their keys."""

    level: int
    items: tuple[Any, ...]
    node_id: str = field(default="", compare=False)
    content: bytes = field(default=b"", compare=False, repr=False)

    @property
    def n_files(self) -> int:
        """Files at or below."""
        return sum(item.n_files for item in self.items) if self.level else len(self.items)

    @property
    def size_bytes(self) -> int:
        """Bytes of the files at or below."""
        return sum(item.size_bytes for item in self.items)

    def child(self) -> Child:
        """This node as its parent lists it."""
        return Child(_key(self.items[-1]), self.node_id, self.n_files, self.size_bytes)

    def mentions(self) -> list[str]:
        """Ids of its children, or hashes of its files, each once."""
        named = (item.node_id for item in self.items) if self.level else (item.sha256 for item in self.items)
        return list(dict.fromkeys(named))


def make_node(level: int, items: Sequence[Item]) -> Node:
    """A node with its id and packed content."""
    rows = [
        [item.key, item.node_id, item.n_files, item.size_bytes]
        if isinstance(item, Child)
        else [item.path, item.sha256, item.size_bytes, item.git_oid]
        for item in items
    ]
    raw = json.dumps([level, rows], ensure_ascii=False, separators=(",", ":")).encode()
    return Node(level, tuple(items), hashlib.sha256(raw).hexdigest(), zlib.compress(raw, _PACKING))


def read_node(node_id: str, content: bytes) -> Node:
    """Read what `make_node` packed. Raises ValueError for content that is not what its id says."""
    raw = zlib.decompress(content)
    if hashlib.sha256(raw).hexdigest() != node_id:
        raise ValueError(f"node {node_id} is damaged")
    level, rows = json.loads(raw)
    kind: Any = Child if level else Entry
    return Node(level, tuple(kind(*row) for row in rows), node_id, content)


@dataclass(frozen=True, slots=True)
class Listed:
    """What lies directly in a folder: a file, or a folder by its path."""

    path: str
    entry: Entry | None


class Tree:
    """One version of a set of files. `root_id` '' is the empty one."""

    def __init__(self, load: Load, root_id: str = "") -> None:
        self._load, self.root_id = load, root_id

    # -- reading -------------------------------------------------------------------------------------------------------
    def get(self, path: str) -> Entry | None:
        """The file at a path."""
        found = next(self.scan(path), None)
        return found if found is not None and found.path == path else None

    def has_folder(self, path: str) -> bool:
        """Whether files lie below a path; the empty path is always a folder."""
        found = next(self.scan(f"{path}/"), None) if path else None
        return not path or (found is not None and found.path.startswith(f"{path}/"))

    def totals(self) -> tuple[int, int]:
        """How many files there are, and their bytes."""
        root = self._root()
        return (root.n_files, root.size_bytes) if root is not None else (0, 0)

    def scan(self, start: str = "") -> Iterator[Entry]:
        """Every file whose path is `start` or comes after it, in order."""
        root = self._root()
        if root is not None:
            yield from self._below(root, start)

    def in_folder(self, folder: str, start: str = "") -> Iterator[Entry]:
        """Every file below a folder ('' for all), from `start` on."""
        prefix = f"{folder}/" if folder else ""
        for entry in self.scan(max(prefix, start)):
            if not entry.path.startswith(prefix):
                return
            yield entry

    def listed(self, folder: str, start: str = "") -> Iterator[Listed]:
        """What lies directly in a folder, from `start` on: whatever a folder in it holds is stepped over."""
        prefix = f"{folder}/" if folder else ""
        start = max(prefix, start)
        while True:
            for entry in self.in_folder(folder, start):
                name, slash, _ = entry.path[len(prefix) :].partition("/")
                if slash:
                    yield Listed(prefix + name, None)
                    start = prefix + name + PAST_FOLDER
                    break
                yield Listed(entry.path, entry)
            else:
                return

    def _below(self, node: Node, start: str) -> Iterator[Entry]:
        first = bisect_left(node.items, start, key=_key)
        if not node.level:
            yield from islice(node.items, first, None)
            return
        wanted = node.items[first:]
        for begin in range(0, len(wanted), AHEAD):
            # Few are read where one is looked for, many where all are wanted.
            block = wanted[begin : begin + AHEAD] if begin else wanted[:1]
            yield from self._of_block(block, start)
            if not begin:
                yield from self._of_block(wanted[1:AHEAD], start)

    def _of_block(self, block: Sequence[Child], start: str) -> Iterator[Entry]:
        nodes = self._load([child.node_id for child in block]) if block else {}
        for child in block:
            yield from self._below(nodes[child.node_id], start)

    def _root(self) -> Node | None:
        return self._one(self.root_id) if self.root_id else None

    def _one(self, node_id: str) -> Node:
        return self._load([node_id])[node_id]

    # -- changing ------------------------------------------------------------------------------------------------------
    def changed(self, edits: Mapping[str, Entry | None]) -> tuple[str, dict[str, Node]]:
        """The root of this tree with other files (None: without), and the nodes that are new."""
        made: dict[str, Node] = {}
        root = self._root()
        changes: Changes = sorted(edits.items())
        for level in range(0 if root is None else root.level + 1):
            changes = self._changed_level(root, level, changes, made)
        top = {} if root is None else {root.child().key: root.child()}
        items = _merged(tuple(top.values()), changes)
        level = 0 if root is None else root.level + 1
        while items and (len(items) > 1 or isinstance(items[0], Entry)):
            closed, rest = _split(items, level)
            items = [_keep(made, level, run).child() for run in (*closed, *([rest] if rest else []))]
            level += 1
        if not items:
            return "", {}
        top_item = items[0]
        assert isinstance(top_item, Child)
        return self._settled(top_item, made)

    def _settled(self, top: Child, made: dict[str, Node]) -> tuple[str, dict[str, Node]]:
        """Without nodes of one child at the top, and without nodes that nothing mentions."""
        node_id = top.node_id
        while True:
            node = made.get(node_id) or self._one(node_id)
            if not node.level or len(node.items) > 1:
                break
            node_id = node.items[0].node_id
        used, wanted = set[str](), [node_id]
        while wanted:
            found = made.get(wanted.pop())
            if found is not None and found.node_id not in used:
                used.add(found.node_id)
                wanted.extend(found.mentions() if found.level else ())
        return node_id, {name: node for name, node in made.items() if name in used}

    def _changed_level(self, root: Node | None, level: int, changes: Changes, made: dict[str, Node]) -> Changes:
        """Change the nodes of one level; what that means for the children listed one level above."""
        above: dict[str, Item | None] = {}
        place = 0
        while place < len(changes):
            node = self._covering(root, level, changes[place][0])
            run: list[Item] = []
            while node is not None:
                last_key = _key(node.items[-1])
                above[last_key] = None
                follower = self._follower(root, level, last_key)
                end = place
                while end < len(changes) and (follower is None or changes[end][0] <= last_key):
                    end += 1
                run += _merged(node.items, changes[place:end])
                place = end
                closed, run = _split(run, level)
                for items in closed:
                    child = _keep(made, level, items).child()
                    above[child.key] = child
                if not run:
                    break
                if follower is None:
                    child = _keep(made, level, run).child()
                    above[child.key] = child
                node = follower
        return sorted(above.items())

    def _covering(self, root: Node | None, level: int, key: str) -> Node | None:
        """The node of a level in which a key lies or would lie."""
        node = root
        while node is not None and node.level > level:
            child = node.items[min(bisect_left(node.items, key, key=_key), len(node.items) - 1)]
            node = self._one(child.node_id)
        return node

    def _follower(self, root: Node | None, level: int, key: str) -> Node | None:
        """The node of a level that begins after a key."""
        node = root
        while node is not None and node.level > level:
            child = next((item for item in node.items if item.key > key), None)
            node = None if child is None else self._one(child.node_id)
        return node if node is not None and _key(node.items[-1]) > key else None


def differences(old: Tree, new: Tree) -> Iterator[tuple[Entry | None, Entry | None]]:
    """The files that differ, in order, as (before, after); parts that are equal are not read."""
    left, right = _Walk(old), _Walk(new)
    while not (left.is_done and right.is_done):
        a, b = left.top, right.top
        if isinstance(a, Child) and isinstance(b, Child):
            if a.node_id == b.node_id:
                left.drop()
                right.drop()
            elif left.level_of(a) >= right.level_of(b):
                left.expand()
            else:
                right.expand()
        elif isinstance(a, Child):
            left.expand()
        elif isinstance(b, Child):
            right.expand()
        elif b is None or (a is not None and a.path < b.path):
            yield a, None
            left.drop()
        elif a is None or b.path < a.path:
            yield None, b
            right.drop()
        else:
            if a != b:
                yield a, b
            left.drop()
            right.drop()


class _Walk:
    """Where a comparison stands in one tree: what is still to come, the next at the end."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        root = tree._root()
        self._left: list[Item] = [] if root is None else [root.child()]

    @property
    def is_done(self) -> bool:
        return not self._left

    @property
    def top(self) -> Item | None:
        return self._left[-1] if self._left else None

    def drop(self) -> None:
        self._left.pop()

    def level_of(self, child: Child) -> int:
        return self._tree._one(child.node_id).level

    def expand(self) -> None:
        child = self._left.pop()
        assert isinstance(child, Child)
        self._left.extend(reversed(self._tree._one(child.node_id).items))


def _key(item: Item) -> str:
    return item.key if isinstance(item, Child) else item.path


def _ends(key: str, level: int) -> bool:
    """Whether a node of a level ends after this key."""
    digest = hashlib.blake2b(key.encode(), digest_size=1, salt=bytes([level])).digest()
    return digest[0] % MEAN_ITEMS == 0


def _split(items: Sequence[Item], level: int) -> tuple[list[list[Item]], list[Item]]:
    """The runs that are ended, and what is left after them."""
    closed, run = [], list[Item]()
    for item in items:
        run.append(item)
        if len(run) == ITEMS_MAX or _ends(_key(item), level):
            closed.append(run)
            run = []
    return closed, run


def _merged(items: Sequence[Item], changes: Changes) -> list[Item]:
    """Items with changes; both are in order."""
    kept = {_key(item): item for item in items}
    for key, item in changes:
        if item is None:
            kept.pop(key, None)
        else:
            kept[key] = item
    return [kept[key] for key in sorted(kept)]


def _keep(made: dict[str, Node], level: int, items: Sequence[Item]) -> Node:
    node = make_node(level, items)
    made[node.node_id] = node
    return node
