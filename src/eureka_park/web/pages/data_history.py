"""How a repository came to be what it is: its commits, what each changed, and what lies between two versions."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any, Final

from fastapi import Request
from fastapi.responses import Response

from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import MAIN, Commit
from eureka_park.foundation.errors import NotFound
from eureka_park.web.auth import Anyone
from eureka_park.web.pages.data_frame import Here, repository_page, shown
from eureka_park.web.pages.data_tree import refs_of
from eureka_park.web.pages.words import N_, isolated
from eureka_park.web.preview import changes
from eureka_park.web.preview.kinds import HEAD_BYTES, kind_of
from eureka_park.web.preview.texts import decoded

PAGE: Final = 50
FILES_SHOWN: Final = 100
FILES_LOOKED: Final = 5000
COMPARING_S: Final = 2.5  # for all of them; what is left then is not compared
SHOWN_INSIDE: Final = 12  # files whose inside is compared on one page
CHANGES: Final = {"added": N_("added"), "changed": N_("changed"), "removed": N_("removed")}


def history_page(request: Request, who: Anyone) -> Response:
    """The commits of a version and before it."""
    return repository_page(_history)(request, who)


def _history(here: Here) -> Response:
    found = here.versions.history(here.repository, here.version(), PAGE + 1)
    return shown(
        here, "data_history.html", "history", commits=commits_of(here, found[:PAGE]), refs=refs_of(here, "history"),
        next=here.link("history", found[PAGE].commit_id) if len(found) > PAGE else "",
    )  # fmt: skip


def commits_of(here: Here, found: list[Commit]) -> list[dict[str, Any]]:
    """Commits as rows: what, who, when, by which job, and which branches and tags are there."""
    names, now_s = here.names(*found), here.park.clock.real_s()
    made = here.park.data.lineage.made_by(here.who, here.repository, [one.commit_id for one in found])
    at: dict[str, list[tuple[str, str]]] = {}
    for kind, name, commit_id in here.versions.refs(here.repository):
        at.setdefault(commit_id, []).append((kind, name))
    return [
        {
            "commit_id": one.commit_id, "short": one.commit_id[:10], "title": one.title,
            "by": names.get(one.person_id, ""),
            "when": here.words.when(one.made_at_s, now_s), "link": here.link("commit", one.commit_id),
            "tree": here.link("tree", one.commit_id), "refs": at.get(one.commit_id, [])[:6],
            "job_id": (made.get(one.commit_id) or {}).get("job_id") or "",
            "size": here.words.size(one.size_bytes), "n_files": one.n_files,
        }
        for one in found
    ]  # fmt: skip


def commit_page(request: Request, who: Anyone) -> Response:
    """One commit: what it changed."""
    return repository_page(_commit)(request, who)


def _commit(here: Here) -> Response:
    new = here.version()
    old = here.versions.at(here.repository, new.parent_id) if new.parent_id else None
    return shown(
        here, "data_commit.html", "history", commit=commits_of(here, [new])[0], message=new.message,
        parent=here.link("commit", old.commit_id) if old else "", **_between(here, old, new),
    )  # fmt: skip


def compare_page(request: Request, who: Anyone) -> Response:
    """What lies between two versions."""
    return repository_page(_compare)(request, who)


def _compare(here: Here) -> Response:
    versions, found = here.versions, here.repository
    wanted = {name: here.query(name, 200).strip() for name in ("old", "new")}
    error = None
    try:
        new = versions.at(found, wanted["new"] or MAIN)
        old = versions.at(found, wanted["old"] or new.parent_id or new.commit_id)
    except NotFound as unknown:
        error, new = unknown, versions.at(found, MAIN)
        old = new
    choices = [(name, name) for _, name, _ in versions.refs(found)[:100]]
    choices += [
        (one.commit_id, isolated(f"{one.commit_id[:10]} {one.title[:60]}")) for one in versions.history(found, new, 20)
    ]
    chosen = {"old": wanted["old"] or old.commit_id, "new": wanted["new"] or MAIN}
    known = {value for value, _ in choices}
    choices += [(value, value[:40]) for value in dict.fromkeys(chosen.values()) if value not in known]
    return shown(
        here, "data_compare.html", "history", error, choices=choices, chosen=chosen, **_between(here, old, new)
    )


# -- differences -------------------------------------------------------------------------------------------------------
def _between(here: Here, old: Commit | None, new: Commit) -> dict[str, Any]:
    after = here.query("after", 1200)
    pairs = here.versions.differences(old, new) if old else ((None, entry) for entry in here.versions.tree(new).scan())
    looked = list(islice(pairs, FILES_LOOKED + 1))
    counts = {"added": 0, "changed": 0, "removed": 0}
    for before, now in looked[:FILES_LOOKED]:
        counts[_change(before, now)] += 1
    rest = [pair for pair in looked[:FILES_LOOKED] if _path(*pair) > after]
    files, end_s = [], time.monotonic() + COMPARING_S
    for index, (before, now) in enumerate(rest[:FILES_SHOWN]):
        is_inside = index < SHOWN_INSIDE and time.monotonic() < end_s
        files.append(_file(here, old, new, before, now, index, is_inside=is_inside))
    told = [(name, CHANGES[name], here.words.number(number)) for name, number in counts.items() if number]
    return {
        "files": files, "counts": told,
        "is_more": len(looked) > FILES_LOOKED, "change_names": CHANGES,
        "next": files[-1]["path"] if len(rest) > FILES_SHOWN else "",
    }  # fmt: skip


def _change(before: Entry | None, now: Entry | None) -> str:
    return "added" if before is None else "removed" if now is None else "changed"


def _path(before: Entry | None, now: Entry | None) -> str:
    entry = now or before
    assert entry is not None
    return entry.path


def _file(
    here: Here, old: Commit | None, new: Commit, before: Entry | None, now: Entry | None, index: int, *, is_inside: bool
) -> dict[str, Any]:
    path, change = _path(before, now), _change(before, now)
    at = new if now else old
    sizes = [here.words.size(entry.size_bytes) if entry else "" for entry in (before, now)]
    inside = _inside(here, before, now) if is_inside else {}
    return {
        "path": path, "change": change, "old_size": sizes[0], "new_size": sizes[1], "id": f"change-{index}",
        "link": here.link("file", at.commit_id, path) if at else "", "lines": None, "rows": None, **inside,
    }  # fmt: skip


def _inside(here: Here, before: Entry | None, now: Entry | None) -> dict[str, Any]:
    """What differs within a file: rows of a table, else lines of a text; nothing for others and for large ones."""
    if any(entry is not None and entry.size_bytes > changes.DIFF_BYTES_MAX for entry in (before, now)):
        return {}
    old, new = (_content(here, entry) for entry in (before, now))
    kinds = {kind_of(_path(before, now), content[:HEAD_BYTES]).name for content in (old, new) if content}
    if not kinds or not kinds <= {"text", "markdown", "csv", "json", "jsonl"}:
        return {}
    if kinds == {"csv"} and before and now:
        first = decoded(new[:4096])[0].split("\n", 1)[0]
        table = changes.row_changes(old, new, max(",;\t|", key=first.count))
        if table is not None:
            return {"header": table[0], "rows": table[1][: changes.LINES_SHOWN]}
    lines = changes.line_changes(old, new)
    return {"lines": lines[: changes.LINES_SHOWN]} if lines is not None else {}


def _content(here: Here, entry: Entry | None) -> bytes:
    return here.park.data.objects.open(here.repository.project_id, entry.sha256).content() if entry else b""


__all__ = ["commit_page", "commits_of", "compare_page", "history_page"]
