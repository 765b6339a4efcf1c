"""The files of a version: a folder at a time, a hundred a page, with what changed each last."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.data.core.repository import Commit
from eureka_park.data.core.tree import Listed
from eureka_park.data.repositories.versions import no_entry
from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Anyone
from eureka_park.web.pages.data_frame import Here, repository_page, shown
from eureka_park.web.pages.forms import Form

PAGE: Final = 100
REFS_SHOWN: Final = 100
REFS_LOOKED: Final = 30  # of them, for whether a path is there
PICTURES: Final = frozenset({"png", "jpg", "jpeg", "gif", "webp", "avif"})
PICTURE_BYTES_MAX: Final = 512 * 1024  # of one that stands in a list


def tree_page(request: Request, who: Anyone) -> Response:
    """The files of a data set or a model."""
    return repository_page(tree_view)(request, who)


def tree_view(here: Here, error: ParkError | None = None, typed: Form | None = None) -> Response:
    """A folder of a version; `error`: what went wrong when it was to be changed, by the form that was `typed`."""
    version = here.version()
    tree, folder = here.versions.tree(version), here.path
    if not tree.has_folder(folder):
        if error is None and tree.get(folder) is not None:
            return RedirectResponse(here.link("file", here.revision, folder), 303)
        if error is None:
            raise no_entry(folder)
        folder = folder.rpartition("/")[0] if tree.has_folder(folder.rpartition("/")[0]) else ""
    after = here.query("after")
    listed = list(islice(tree.listed(folder, after), PAGE + 1))
    rows, following = listed[:PAGE], listed[PAGE] if len(listed) > PAGE else None
    return shown(
        here, "data_tree.html", "files", error, at=version, rows=_rows(here, version, rows), folder=folder,
        crumbs=crumbs_of(here, folder), next=_next(here, folder, following), is_later=bool(after),
        refs=refs_of(here, "tree", folder), is_branch=is_branch(here), typed=typed or Form(),
        pictures=_pictures(here, rows),
    )  # fmt: skip


def _next(here: Here, folder: str, following: Listed | None) -> str:
    if following is None:
        return ""
    after = following.path if following.entry else f"{following.path}/"
    return here.link("tree", here.revision, folder, after=after)


def _rows(here: Here, version: Commit, listed: list[Listed]) -> list[dict[str, Any]]:
    changes = here.versions.last_changes(here.repository, version, [one.path for one in listed]) if listed else {}
    now_s = here.park.clock.real_s()
    found = []
    for one in listed:
        change = changes.get(one.path)
        found.append({
            "path": one.path, "name": one.path.rpartition("/")[2], "is_folder": one.entry is None,
            "link": here.link("file" if one.entry else "tree", here.revision, one.path),
            "size": here.words.size(one.entry.size_bytes) if one.entry else "",
            "raw": here.raw(one.path, download=1) if one.entry else "",
            "title": change.title if change else "", "when": here.words.when(change.made_at_s, now_s) if change else "",
            "commit": here.link("commit", change.commit_id) if change else "",
        })  # fmt: skip
    return found


def _pictures(here: Here, listed: list[Listed]) -> list[dict[str, str]]:
    """Pictures of the folder, small ones, as a strip above its files."""
    return [
        {
            "name": one.path.rpartition("/")[2],
            "link": here.link("file", here.revision, one.path),
            "raw": here.raw(one.path),
        }
        for one in listed
        if one.entry and one.path.rpartition(".")[2].lower() in PICTURES and one.entry.size_bytes <= PICTURE_BYTES_MAX
    ][:12]


def crumbs_of(here: Here, path: str, *, is_file: bool = False) -> list[tuple[str, str]]:
    """The folders on the way to a path by name and address, the repository first; the last has no address."""
    names = [name for name in path.split("/") if name]
    found = [(here.repository.name, here.link("tree", here.revision))]
    for depth, name in enumerate(names, 1):
        found.append((name, here.link("tree", here.revision, "/".join(names[:depth]))))
    found[-1] = (found[-1][0], "" if names or not is_file else found[-1][1])
    return found


def refs_of(here: Here, part: str, path: str = "") -> list[dict[str, Any]]:
    """Branches and tags, with the address of the same page there; where a path is not there, of the whole."""
    found = []
    for index, (kind, name, commit_id) in enumerate(here.versions.refs(here.repository)[:REFS_SHOWN]):
        is_there = not path or (index < REFS_LOOKED and _has(here, commit_id, path))
        link = here.link(part, name, path) if is_there else here.link("tree", name)
        found.append({"kind": kind, "name": name, "link": link, "is_here": name == here.revision})
    return found


def _has(here: Here, commit_id: str, path: str) -> bool:
    tree = here.versions.tree(here.versions.at(here.repository, commit_id))
    return tree.get(path) is not None or tree.has_folder(path)


def is_branch(here: Here) -> bool:
    """Whether the version is asked for by a branch: only there one may go on."""
    return any(kind == "branch" and name == here.revision for kind, name, _ in here.versions.refs(here.repository))


__all__ = ["crumbs_of", "is_branch", "refs_of", "tree_page", "tree_view"]
