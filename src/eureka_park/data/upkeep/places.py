"""In which files of which repositories and buckets contents lie: trees are walked, each node once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from eureka_park.data.core.repository import Repository
from eureka_park.data.core.sealed_form import realm_of
from eureka_park.data.core.tree import Node
from eureka_park.data.files.uploads import store as files
from eureka_park.data.repositories import store as repositories
from eureka_park.data.upkeep.store import Place
from eureka_park.foundation.database import Database

PLACES_MAX: Final = 20  # of one content
BUCKET: Final = "bucket"  # the kind of a place in one
_NODES_MAX: Final = 200_000  # of one repository: some thirteen million files
_BLOCK: Final = 100


def places_of(db: Database, names: Collection[str], project_ids: Sequence[str]) -> dict[str, list[Place]]:
    """Files of some projects in which contents of these hashes lie, in branches and tags first; twenty of each at most.

    Reads a few nodes in each transaction, so that it holds up nobody.
    """
    found: dict[str, list[Place]] = {name: [] for name in names}
    with db.read() as conn:
        known = repositories.of_projects(conn, project_ids)
    for repository in known:
        for revision, node in _leaves(db, repository):
            for entry in node.items:
                places = found.get(entry.sha256)
                if places is not None and len(places) < PLACES_MAX:
                    places.append(
                        Place(repository.project_id, str(repository.kind), repository.name, revision, entry.path)
                    )
        if all(len(places) >= PLACES_MAX for places in found.values()):
            break
    with db.read() as conn:
        for name, project_id, file in files.lying_in(conn, names, project_ids, PLACES_MAX):
            if len(found[name]) < PLACES_MAX:
                found[name].append(Place(project_id, BUCKET, file.bucket, file.version_id, file.key))
    return found


def _leaves(db: Database, repository: Repository) -> Iterator[tuple[str, Node]]:
    """All leaves of all versions, each once, with the first version in which it stands."""
    with db.read() as conn:
        roots = repositories.roots(conn, repository.repository_id)
    seen: set[str] = set()
    for root_id, revision in roots:
        realm, todo = realm_of(root_id), [root_id]
        while todo and len(seen) < _NODES_MAX:
            some, todo = [name for name in todo[-_BLOCK:] if name not in seen], todo[:-_BLOCK]
            seen.update(some)
            for node in _nodes(db, some):
                if node.level:
                    todo += [realm + name for name in node.mentions()]
                else:
                    yield revision, node


def _nodes(db: Database, ids: Sequence[str]) -> list[Node]:
    """Those that are here and whole."""
    found = list[Node]()
    for name in ids:
        with db.read() as conn:
            try:
                found += repositories.nodes(conn, [name]).values()
            except (KeyError, ValueError):
                continue  # collected meanwhile, or damaged itself
    return found
