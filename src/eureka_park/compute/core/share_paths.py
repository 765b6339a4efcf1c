"""The share tree as rows: what the site lists, the parents it leaves out, and a leaf for whoever sends a job.

A row's index never changes and parents stand before their children, so that arrays can hold the tree. Work lies at
leaves alone, and a leaf stays one: a job counts for its person below its project, or for `-` there when it names none.
Names hold no `/`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

ROOT: Final = 0
NOBODY: Final = "-"  # the person of jobs that name none; no listed path can hold it

Declared = tuple[str, float, float]  # path, weight, floor_frac


class ShareRow(NamedTuple):
    """A node of the tree. `parent` is an index, -1 for the root; the weight counts among siblings, the floor is a part
    of all the power that the forecast gives."""

    path: str
    parent: int
    weight: float
    floor_frac: float


def share_rows(shares: Sequence[Declared]) -> tuple[ShareRow, ...]:
    """The root and all that is listed, parents before children and siblings by name, whatever the order of the list.

    A parent that is not listed gets weight 1 and the sum of the floors of its children. Paths are distinct.
    """
    listed = {path: (weight, floor_frac) for path, weight, floor_frac in shares}
    parts = sorted({tuple(path.split("/")[:n]) for path in listed for n in range(1, path.count("/") + 2)})
    floors = _floors(parts, listed)
    index = {part: at for at, part in enumerate(parts, start=1)}
    rows = [ShareRow("", -1, 1.0, 1.0)]
    for part in parts:
        path = "/".join(part)
        weight = listed[path][0] if path in listed else 1.0
        rows.append(ShareRow(path, index.get(part[:-1], ROOT), weight, floors[part]))
    return tuple(rows)


def _floors(
    parts: Sequence[tuple[str, ...]], listed: Mapping[str, tuple[float, float]]
) -> dict[tuple[str, ...], float]:
    """Every floor: its own where listed, else the sum of its children's; children come first."""
    sums: dict[tuple[str, ...], float] = {}
    floors: dict[tuple[str, ...], float] = {}
    for part in sorted(parts, key=len, reverse=True):
        own = listed.get("/".join(part))
        floors[part] = sums.get(part, 0.0) if own is None else own[1]
        sums[part[:-1]] = sums.get(part[:-1], 0.0) + floors[part]
    return floors


class ShareTree:
    """The rows, and the leaves that jobs have asked for, in the order in which they first asked."""

    def __init__(self, shares: Iterable[Declared] = ()) -> None:
        self.shares: tuple[Declared, ...] = tuple(shares)
        self.rows: list[ShareRow] = list(share_rows(self.shares))
        self._n_listed = len(self.rows)
        self._index = {row.path: at for at, row in enumerate(self.rows)}
        self._leaves: dict[tuple[str, str], int] = {}
        self._asked: list[tuple[str, str]] = []  # what rows were made for, in order; no person: for a project alone
        self._project_rows: dict[str, int] = {}
        for at, row in sorted(enumerate(self.rows[1:], start=1), key=lambda item: (item[1].path.count("/"), item[0])):
            self._project_rows.setdefault(row.path.rpartition("/")[2], at)

    def project_row(self, project: str) -> int:
        """The row of a project: the highest listed path that ends in its name, the first by name of several; else a
        new row under the root, with weight 1 and no floor.
        """
        at = self._project_rows.get(project)
        if at is None:
            at = self._project_rows[project] = self._grown(ROOT, project)
            self._asked.append((project, ""))
        return at

    def leaf(self, project: str, person: str = "") -> int:
        """The row that a job of this person in this project counts for; it is made, with weight 1, when it is new."""
        key = (project, person or NOBODY)
        at = self._leaves.get(key)
        if at is None:
            at = self._leaves[key] = self._leaf_below(self.project_row(project), key[1])
            self._asked.append(key)
        return at

    def leaves(self) -> dict[tuple[str, str], int]:
        """Rows by (project, person), oldest first; `-` for no person."""
        return dict(self._leaves)

    def redeclared(self, shares: Iterable[Declared]) -> tuple[ShareTree, dict[int, int]]:
        """The tree under other shares with the same leaves, and where each leaf's row went: old index to new."""
        tree = ShareTree(shares)
        return tree, {at: tree.leaf(project, person) for (project, person), at in self._leaves.items()}

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value for the snapshot."""
        return {"shares": [list(share) for share in self.shares], "leaves": [list(key) for key in self._asked]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ShareTree:
        """Read what `to_json` wrote: the same rows at the same indices."""
        tree = cls((path, weight, floor_frac) for path, weight, floor_frac in value["shares"])
        for project, person in value["leaves"]:
            if person:
                tree.leaf(project, person)
            else:
                tree.project_row(project)
        return tree

    def _leaf_below(self, parent: int, person: str) -> int:
        """The person's row. Nothing that is listed is a leaf, as more may come below it: its own work lies there too.

        A listed `a/b` is person b of project a, and project b where no higher path is: both work at one leaf then.
        """
        at = self._grown(parent, person)
        return self._grown(at, NOBODY) if at < self._n_listed else at

    def _grown(self, parent: int, name: str) -> int:
        above = self.rows[parent].path
        path = f"{above}/{name}" if above else name
        at = self._index.setdefault(path, len(self.rows))
        if at == len(self.rows):
            self.rows.append(ShareRow(path, parent, 1.0, 0.0))
        return at
