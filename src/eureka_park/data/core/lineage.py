"""What was made from what: a making ties a version to its sources, by a job, an import or somebody's word."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from eureka_park.foundation.canonical import canonical_json
from eureka_park.foundation.units import iso_from_s

SOURCES_MAX: Final = 200  # of one making
TEXT_CHARS_MAX: Final = 300
HIDDEN_TEXT: Final = "something not visible to you"


class Way(StrEnum):
    """How one knows that something was made from something else."""

    JOB = "job"
    IMPORT = "import"
    DECLARED = "declared"
    HISTORY = "history"  # a later version of the same repository; follows from its commits, is never kept


class Relation(StrEnum):
    """What the source was for what was made."""

    INPUT = "input"
    BASE_MODEL = "base_model"
    DATASET = "dataset"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Source:
    """A version of the park, or with `text` something outside it."""

    relation: Relation
    repository_id: str = ""
    commit_id: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Making:
    """How a version came about; it may have had no source that is known."""

    repository_id: str
    commit_id: str
    way: Way
    made_at_s: float
    sources: tuple[Source, ...] = ()
    job_id: str = ""
    job_project: str = ""
    person_id: str = ""

    @property
    def making_id(self) -> str:
        """The same for the same version, way and job: noted twice it stands once."""
        told = [self.repository_id, self.commit_id, str(self.way), self.job_id]
        return hashlib.sha256(canonical_json(told)).hexdigest()[:40]


@dataclass(frozen=True, slots=True)
class Node:
    """A version in a graph, something outside the park (`text`), or something that its reader may not see."""

    node_id: str
    kind: str  # dataset, model, outside, hidden
    project: str = ""
    name: str = ""
    commit_id: str = ""
    text: str = ""
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """`to` was made from `source`. `job_id` '' where no job did it, or one that its reader may not see."""

    source: str
    to: str
    way: Way
    relation: str = ""
    job_id: str = ""
    made_at_s: float | None = None


@dataclass(slots=True)
class Graph:
    """A lineage as somebody may see it. `is_cut`: there is more than is shown."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str, str, str], Edge] = field(default_factory=dict)
    is_cut: bool = False

    def link(self, edge: Edge) -> None:
        """Add an edge once; one from a node to itself says nothing."""
        if edge.source != edge.to:
            self.edges.setdefault((edge.source, edge.to, str(edge.way), edge.job_id), edge)

    def to_json(self) -> dict[str, Any]:
        """Nodes and edges in the order in which they were found."""
        return {
            "nodes": [{name: getattr(one, name) for name in Node.__slots__} for one in self.nodes.values()],
            "edges": [
                {
                    "source": one.source, "to": one.to, "way": str(one.way), "relation": one.relation,
                    "job_id": one.job_id or None, "made_at": iso_from_s(one.made_at_s),
                }
                for one in self.edges.values()
            ],
            "is_cut": self.is_cut,
        }  # fmt: skip


def clean_outside(text: str) -> str:
    """The name or address of something outside the park, without what an address may hide: passwords and signatures."""
    text = " ".join(text.replace("\0", "").split())
    if "://" in text:
        try:
            parts = urlsplit(text)
            text = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        except ValueError:
            text = text.partition("?")[0]
    return text[:TEXT_CHARS_MAX]


def nearest(chain: Sequence[str], wanted: Callable[[str], bool]) -> str:
    """The first version before the newest of a history that is wanted; '' for none."""
    return next((commit_id for commit_id in chain[1:] if wanted(commit_id)), "")


def reaches(
    starts: Iterable[tuple[str, str]],
    target: tuple[str, str],
    before: Callable[[tuple[str, str]], Iterable[tuple[str, str]]],
    most: int,
) -> bool:
    """Whether going back from some versions one comes to another; also when there are more than `most` to look at."""
    left, seen = list(starts), set[tuple[str, str]]()
    while left:
        here = left.pop()
        if here == target or len(seen) >= most:
            return True
        if here not in seen:
            seen.add(here)
            left += [one for one in before(here) if one not in seen]
    return False
