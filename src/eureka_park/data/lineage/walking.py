"""The walk from a version to what it was made from and to what was made from it, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from eureka_park.data.core.lineage import HIDDEN_TEXT, Edge, Graph, Making, Node, Source, Way, nearest
from eureka_park.data.core.repository import Repository
from eureka_park.data.lineage import store

if TYPE_CHECKING:
    from sqlalchemy import Connection

NODES_MAX: Final = 200
HISTORY_MAX: Final = 1_000  # versions that lineage goes back in one repository
_TOLD_MAX: Final = 50  # versions of one repository in a graph of all of them
_STEP_MAX: Final = 100  # makings of one version in a graph

T = TypeVar("T")
Version = tuple[str, str]  # repository and commit


class Walk:
    """One look at the lineage. `known`: those of some repositories that the reader may know of; `is_seen`: whether they
    may see the job of a making.
    """

    def __init__(
        self,
        conn: Connection,
        known: Callable[[Iterable[str]], Mapping[str, Repository]],
        is_seen: Callable[[Making], bool],
    ) -> None:
        self._conn, self._ask, self._is_seen = conn, known, is_seen
        self._known: dict[str, Repository | None] = {}
        self._chains: dict[Version, list[str]] = {}
        self._keys: dict[Version, str] = {}  # of shown versions, to their nodes
        self.graph = Graph()

    def told_versions(self, repository: Repository, head_id: str) -> list[str]:
        """The head, and the versions of which it is known from what they were made or what was made from them."""
        made = store.made_versions(self._conn, repository.repository_id, _TOLD_MAX)
        used = store.used_versions(self._conn, repository.repository_id, _TOLD_MAX)
        return list(dict.fromkeys([head_id, *made, *used]))[:_TOLD_MAX]

    def around(self, repository: Repository, starts: Sequence[str], up: int, down: int) -> Graph:
        """The graph around some versions of a repository."""
        self._known[repository.repository_id] = repository
        versions = [(repository.repository_id, commit_id) for commit_id in starts]
        for version in versions:
            self._shown(version, is_start=True)
        for version in versions:
            self._after(version, self._before(version, ()))
        self._go(versions, up, self._sources)
        self._go(versions, down, self._made)
        return self.graph

    def _go(self, starts: Sequence[Version], depth: int, step: Callable[[Version], list[tuple[Version, int]]]) -> None:
        """Walk, the nearest first; a step through a history costs no depth."""
        best: dict[Version, int] = dict.fromkeys(starts, depth)
        left = list(best)
        while left:
            here = left.pop(0)
            if best[here] <= 0:
                continue
            for version, cost in step(here):
                rest = best[here] - cost
                if rest > best.get(version, -1):
                    best[version] = rest
                    left.append(version)

    # -- steps ---------------------------------------------------------------------------------------------------------
    def _sources(self, here: Version) -> list[tuple[Version, int]]:
        """What a version was made from, and the version before it of which there is more to say."""
        repository_id, commit_id = here
        chain = self._chain(here)
        makings = self._limited(store.makings_of(self._conn, repository_id, chain, 10 * _STEP_MAX), 10 * _STEP_MAX)
        found: list[tuple[Version, int]] = []
        before = self._before(here, {made.commit_id for made in makings})
        if before and self._after(here, before):
            found.append(((repository_id, before), 0))
        for made in [one for one in makings if one.commit_id == commit_id][:_STEP_MAX]:
            for source in made.sources:
                found += self._link(made, source)
        return found

    def _link(self, made: Making, source: Source) -> list[tuple[Version, int]]:
        """Show one source of a making; the version to go on from, if there is one."""
        to = self._keys[made.repository_id, made.commit_id]
        if not source.repository_id:
            key = self._outside(source.text)
        else:
            key = self._shown((source.repository_id, source.commit_id)) or self._hidden(f"before {to}")
        if not key:
            return []
        self._edge(key, to, made, str(source.relation))
        version = (source.repository_id, source.commit_id)
        return [(version, 1)] if self._keys.get(version) == key else []

    def _made(self, here: Version) -> list[tuple[Version, int]]:
        """What was made from a version, and later versions of its repository from which something was made."""
        repository_id, commit_id = here
        found: list[tuple[Version, int]] = []
        used = self._limited(store.used_versions(self._conn, repository_id, _STEP_MAX), _STEP_MAX)
        notable = {commit_id, *used}
        for later in used:
            version = (repository_id, later)
            is_next = later != commit_id and nearest(self._chain(version), notable.__contains__) == commit_id
            if is_next and self._shown(version) and self._after(version, commit_id):
                found.append((version, 0))
        for made in self._limited(store.made_from(self._conn, repository_id, commit_id, _STEP_MAX), _STEP_MAX):
            version = (made.repository_id, made.commit_id)
            key = self._shown(version) or self._hidden(f"after {self._keys[here]}")
            if not key:
                continue
            relation = next(str(one.relation) for one in made.sources if (one.repository_id, one.commit_id) == here)
            self._edge(self._keys[here], key, made, relation)
            if self._keys.get(version) == key:
                found.append((version, 1))
        return found

    # -- showing -------------------------------------------------------------------------------------------------------
    def _edge(self, source: str, to: str, made: Making, relation: str) -> None:
        is_hidden = "hidden" in (self.graph.nodes[source].kind, self.graph.nodes[to].kind)
        job_id = made.job_id if self._is_seen(made) else ""
        self.graph.link(Edge(source, to, made.way, relation, job_id, None if is_hidden else made.made_at_s))

    def _before(self, here: Version, told: Collection[str]) -> str:
        """The nearest version before another in its history that is shown, or of which there is something to say."""
        return nearest(self._chain(here), lambda one: one in told or (here[0], one) in self._keys)

    def _after(self, later: Version, before_id: str) -> bool:
        """Show that a version follows another of its repository."""
        before = self._shown((later[0], before_id)) if before_id else ""
        if before:
            self.graph.link(Edge(before, self._keys[later], Way.HISTORY))
        return bool(before)

    def _shown(self, version: Version, *, is_start: bool = False) -> str:
        """The node of a version; '' for one that may not be seen, or for which there is no room any more."""
        if version in self._keys:
            return self._keys[version]
        repository = self._repository(version[0])
        if repository is None:
            return ""
        names = (str(repository.kind), repository.project_id, repository.name, version[1])
        key = self._add("v", *names, is_start=is_start)
        if key:
            self._keys[version] = key
        return key

    def _outside(self, text: str) -> str:
        return self._keys.get(("", text)) or self._remember(("", text), self._add("o", "outside", text=text))

    def _hidden(self, where: str) -> str:
        """One node for all on one side of a version that may not be seen: not even how many there are is told."""
        key = ("hidden", where)
        return self._keys.get(key) or self._remember(key, self._add("h", "hidden", text=HIDDEN_TEXT))

    def _remember(self, version: Version, key: str) -> str:
        if key:
            self._keys[version] = key
        return key

    def _add(
        self, letter: str, kind: str, project: str = "", name: str = "", commit_id: str = "", *, text: str = "",
        is_start: bool = False,
    ) -> str:  # fmt: skip
        nodes = self.graph.nodes
        if len(nodes) >= NODES_MAX:
            self.graph.is_cut = True
            return ""
        key = f"{letter}{len(nodes) + 1}"
        nodes[key] = Node(key, kind, project, name, commit_id, text, is_start)
        return key

    def _repository(self, repository_id: str) -> Repository | None:
        if repository_id not in self._known:
            self._known[repository_id] = self._ask([repository_id]).get(repository_id)
        return self._known[repository_id]

    def _chain(self, version: Version) -> list[str]:
        if version not in self._chains:
            self._chains[version] = store.chain(self._conn, *version, HISTORY_MAX)
        return self._chains[version]

    def _limited(self, found: list[T], most: int) -> list[T]:
        self.graph.is_cut = self.graph.is_cut or len(found) >= most
        return found
