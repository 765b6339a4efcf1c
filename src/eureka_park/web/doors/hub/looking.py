"""Questions about repositories: who asks, what there is, trees with pages, histories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.compute.own_project import may_send_to, own_project
from eureka_park.data.core.repository import clean_path
from eureka_park.data.core.tree import Listed, Tree
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import no_entry
from eureka_park.foundation.errors import BadInput, NotFound, ParkError
from eureka_park.web.croissant import CroissantResponse, described
from eureka_park.web.doors.hub import cards, forms
from eureka_park.web.doors.hub.asking import KINDS, asked_of, json_object, rest, text_of
from eureka_park.web.doors.hub.pages import page, read_cursor
from eureka_park.web.doors.streams import body_of

TREE_PAGE: Final = 1000
TREE_PAGE_EXPANDED: Final = 50
COMMITS_PAGE: Final = 50
LIST_PAGE: Final = 100
SIBLINGS_MAX: Final = 50_000
PATHS_BYTES_MAX: Final = 8 * 1024**2
PATHS_MAX: Final = 10_000
YAML_BYTES_MAX: Final = 4 * 1024**2


def whoami(request: Request) -> dict[str, Any]:
    """Who the token is of."""
    asked = asked_of(request)
    who = asked.someone()
    mine = [*asked.park.data.repositories.writable(who), *may_send_to(asked.park.accounts, who)]
    own = own_project(who)  # a newcomer's small one: not what others mean who have more
    return forms.whoami(who, sorted(dict.fromkeys(mine), key=lambda name: name == own))


async def validate_yaml(request: Request) -> dict[str, Any]:
    """The head of a README.md: the park takes any, and says what it cannot use of it."""
    value = json_object(await body_of(request, YAML_BYTES_MAX))
    warnings = await run_in_threadpool(cards.warnings_of, text_of(value, "content"), text_of(value, "repoType"))
    return {"errors": [], "warnings": warnings}


def repositories(request: Request, kinds: str) -> Response:
    """Repositories that one may know of, in pages."""
    asked = asked_of(request)
    if kinds not in KINDS:
        raise NotFound("There are none of these here.", fix="Use models or datasets.")
    query = request.query_params
    most = _number(query.get("limit", ""), LIST_PAGE)
    before: tuple[float, str] = (math.inf, "")
    if query.get("cursor"):
        at_s, _, name = read_cursor(query["cursor"]).partition(" ")
        before = (_float(at_s), name)
    facets = cards.sought(asked)
    if facets is None:
        return page(asked, [], "")
    found = asked.park.data.repositories.page(
        asked.who, KINDS[kinds], project_id=query.get("author", ""), text=query.get("search", ""), before=before,
        most=min(most, LIST_PAGE), facets=facets,
    )  # fmt: skip
    following = f"{found[-1].changed_at_s!r} {found[-1].repository_id}" if len(found) == min(most, LIST_PAGE) else ""
    facts = asked.park.data.cards.facts(found)
    tags = {name: cards.tags_of_facts(one) for name, one in facts.items()}
    rows = [forms.repository_form(one, None, None) | {"tags": tags.get(one.repository_id, [])} for one in found]
    return page(asked, rows, following)


def info(request: Request, kinds: str, project: str, name: str) -> dict[str, Any]:
    """A repository as it is now."""
    return _info(request, kinds, project, name, "main")


def info_at(request: Request, kinds: str, project: str, name: str) -> dict[str, Any]:
    """A repository at a revision."""
    asked = asked_of(request)
    return _info(request, kinds, project, name, rest(asked, 5)[0])


def _info(request: Request, kinds: str, project: str, name: str, revision: str) -> dict[str, Any]:
    asked = asked_of(request)
    found = asked.find(Want.KNOW, kinds, project, name)
    versions = asked.park.data.repositories.versions
    version = versions.at(found, revision)
    if not asked.park.data.repositories.can(Want.READ, asked.who, found):
        return forms.repository_form(found, version, None)  # behind its gate: what it is, not what it holds
    expand = request.query_params.getlist("expand") + request.query_params.getlist("expand[]")
    wants_files = not expand or "siblings" in expand
    files = islice(versions.tree(version).scan(), SIBLINGS_MAX) if wants_files else None
    form = forms.repository_form(found, version, files)
    if not expand or cards.KEYS & set(expand):
        form |= cards.of_version(asked, found, version)
    kept = {"_id", "id", *expand} if expand else set(form)
    return {key: value for key, value in form.items() if key in kept}


def croissant(request: Request, project: str, name: str) -> Response:
    """A data set as Croissant, as it is now or at the revision that is asked for."""
    asked = asked_of(request)
    revision = request.query_params.get("revision", "main")
    return CroissantResponse(described(request, asked.park, asked.who, "dataset", project, name, revision))


def refs(request: Request, kinds: str, project: str, name: str) -> dict[str, Any]:
    """Branches and tags."""
    asked = asked_of(request)
    found = asked.find(Want.KNOW, kinds, project, name)
    return forms.refs_form(asked.park.data.repositories.versions.refs(found))


def commits(request: Request, kinds: str, project: str, name: str) -> Response:
    """The history of a revision, in pages."""
    asked = asked_of(request)
    found = asked.find(Want.READ, kinds, project, name)
    versions = asked.park.data.repositories.versions
    version = versions.at(found, rest(asked, 5)[0])
    if request.query_params.get("cursor"):
        version = versions.at(found, read_cursor(request.query_params["cursor"]))
    history = versions.history(found, version, COMMITS_PAGE + 1)
    names = asked.park.data.repositories.names_of(asked.who, found, history)
    following = history[COMMITS_PAGE].commit_id if len(history) > COMMITS_PAGE else ""
    return page(asked, [forms.commit_form(one, names) for one in history[:COMMITS_PAGE]], following)


# -- trees -------------------------------------------------------------------------------------------------------------
def tree(request: Request, kinds: str, project: str, name: str) -> Response:
    """What lies in a folder of a version, or below it, in pages."""
    asked = asked_of(request)
    found = asked.find(Want.READ, kinds, project, name)
    versions = asked.park.data.repositories.versions
    revision, path = rest(asked, 5)
    version = versions.at(found, revision)
    folder = _folder(path)
    files = versions.tree(version)
    if not files.has_folder(folder):
        raise no_entry(path)
    query = request.query_params
    expand = query.get("expand", "").lower() == "true"
    start = read_cursor(query["cursor"]) if query.get("cursor") else ""
    most = min(_number(query.get("limit", ""), TREE_PAGE), TREE_PAGE_EXPANDED if expand else TREE_PAGE)
    is_deep = query.get("recursive", "").lower() in ("true", "1")
    items = _deep(files, folder, start, most) if is_deep else list(islice(files.listed(folder, start), most + 1))
    following = _following(items, most, is_deep) if len(items) > most else ""
    last = versions.last_changes(found, version, [item.path for item in items[:most]]) if expand else {}
    rows = [
        forms.file_form(item.entry, last.get(item.path))
        if item.entry is not None
        else forms.folder_form(item.path, version.root_id, last.get(item.path))
        for item in items[:most]
    ]
    return page(asked, rows, following)


def _deep(files: Tree, folder: str, start: str, most: int) -> list[Listed]:
    """Files below a folder with the folders above them, each told once, where it is first met."""
    start, _, before = start.partition("\0")  # where to go on, and the last file that was told
    told = _above(before, folder)
    items: list[Listed] = []
    for entry in files.in_folder(folder, start):
        above = _above(entry.path, folder)
        items += [Listed(path, None) for path in above if path not in told]
        items.append(Listed(entry.path, entry))
        told = above
        if len(items) > most:
            break
    return items


def _above(path: str, folder: str) -> list[str]:
    pieces = path.split("/")
    n_shown = folder.count("/") + 1 if folder else 0
    return ["/".join(pieces[:depth]) for depth in range(n_shown + 1, len(pieces))]


def _following(items: Sequence[Listed], most: int, is_deep: bool) -> str:
    """Where the next page begins; below folders also what was told last, so that no folder is told twice."""
    item = items[most]
    start = item.path if item.entry is not None else f"{item.path}/"
    last = items[most - 1]
    told = last.path if last.entry is not None else f"{last.path}/"
    return f"{start}\0{told}" if is_deep else start


def _folder(path: str) -> str:
    if not path.strip("/"):
        return ""
    try:
        return clean_path(path.strip("/"))
    except BadInput:
        raise no_entry(path) from None


async def paths_info(request: Request, kinds: str, project: str, name: str) -> Response:
    """What lies at some paths; those where there is nothing are left out."""
    content = await body_of(request, PATHS_BYTES_MAX)
    return await run_in_threadpool(_paths_info, request, kinds, project, name, content)


def _paths_info(request: Request, kinds: str, project: str, name: str, content: bytes) -> Response:
    asked = asked_of(request)
    found = asked.find(Want.READ, kinds, project, name)
    versions = asked.park.data.repositories.versions
    version = versions.at(found, rest(asked, 5)[0])
    paths, expand = _asked_paths(request, content)
    files = versions.tree(version)
    last = versions.last_changes(found, version, paths) if expand else {}
    rows = []
    for path in paths:
        try:
            folder = _folder(path)
        except ParkError:
            continue
        entry = files.get(folder) if folder else None
        if entry is not None:
            rows.append(forms.file_form(entry, last.get(path)))
        elif folder and files.has_folder(folder):
            rows.append(forms.folder_form(folder, version.root_id, last.get(path)))
    return JSONResponse(rows)


def _asked_paths(request: Request, content: bytes) -> tuple[list[str], bool]:
    if "json" in request.headers.get("content-type", ""):
        value = json_object(content)
        paths, expand = value.get("paths", []), bool(value.get("expand"))
        paths = [paths] if isinstance(paths, str) else paths
    else:
        form = parse_qs(content.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=PATHS_MAX + 10)
        paths, expand = form.get("paths", []), form.get("expand", [""])[0].lower() == "true"
    if not isinstance(paths, list) or len(paths) > PATHS_MAX or not all(isinstance(path, str) for path in paths):
        raise BadInput(f"'paths' is no list of up to {PATHS_MAX:,} texts.", fix="Ask for fewer.", field="paths")
    return paths, expand


def _number(text: str, otherwise: int) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else otherwise


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput("That is no place to go on from.", fix="Follow the Link header.", field="cursor") from None
