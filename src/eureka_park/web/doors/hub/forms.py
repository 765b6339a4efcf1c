"""The JSON forms in which clients of the hub expect people, repositories, files and commits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from eureka_park.accounts.service import Principal
from eureka_park.data.core.entry import Entry, pointer
from eureka_park.data.core.repository import Commit, Repository, Visibility
from eureka_park.web.doors.hub.asking import Asked


def instant(at_s: float) -> str:
    """An instant in UTC with milliseconds."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at_s * 1000) % 1000:03d}Z"


def whoami(who: Principal, projects: list[str]) -> dict[str, Any]:
    """Who asks; as `name` the project in which they work, since clients put it before names without one."""
    role = "read" if who.acts is not None and not projects else "write"
    return {
        "type": "user",
        "id": who.person_id,
        "name": projects[0] if projects else who.person_id,
        "fullname": who.name,
        "isPro": False,
        "orgs": [{"type": "org", "id": name, "name": name, "fullname": name} for name in projects],
        "auth": {"type": "access_token", "accessToken": {"displayName": "park", "role": role}},
    }


def repository_form(found: Repository, version: Commit | None, siblings: Iterable[Entry] | None) -> dict[str, Any]:
    """A repository, at a version, with its files where they are wanted."""
    form: dict[str, Any] = {
        "_id": found.repository_id,
        "id": found.full_name,
        "author": found.project_id,
        "private": found.visibility is not Visibility.PUBLIC,
        "gated": str(found.gate) or False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": [],
        "createdAt": instant(found.made_at_s),
        "lastModified": instant(found.changed_at_s),
    }
    if found.kind == "model":
        form["modelId"] = found.full_name
    if version is not None:
        form |= {"sha": version.commit_id, "usedStorage": version.size_bytes}
    if siblings is not None:
        form["siblings"] = [sibling(entry) for entry in siblings]
    return form


def sibling(entry: Entry) -> dict[str, Any]:
    """A file in the list of a repository."""
    form: dict[str, Any] = {"rfilename": entry.path, "size": entry.size_bytes, "blobId": entry.blob_id}
    if entry.is_large:
        form["lfs"] = {"sha256": entry.sha256, "size": entry.size_bytes, "pointerSize": _pointer_size(entry)}
    return form


def file_form(entry: Entry, last: Commit | None = None) -> dict[str, Any]:
    """A file of a tree."""
    form: dict[str, Any] = {
        "type": "file",
        "path": entry.path,
        "size": entry.size_bytes,
        "oid": entry.blob_id,
    }
    if entry.is_large:
        form["lfs"] = {"oid": entry.sha256, "size": entry.size_bytes, "pointerSize": _pointer_size(entry)}
    return {**form, **_last(last)}


def folder_form(path: str, root_id: str, last: Commit | None = None) -> dict[str, Any]:
    """A folder of a tree. Its id changes whenever the version's files do."""
    name = sha256(f"{root_id}\0{path}".encode()).hexdigest()[:40]
    return {"type": "directory", "path": path, "size": 0, "oid": name, **_last(last)}


def _last(commit: Commit | None) -> dict[str, Any]:
    if commit is None:
        return {}
    told = {"id": commit.commit_id, "title": commit.title, "date": instant(commit.made_at_s)}
    return {"lastCommit": told}


def _pointer_size(entry: Entry) -> int:
    return len(pointer(entry.sha256, entry.size_bytes))


def commit_form(commit: Commit, names: Mapping[str, str]) -> dict[str, Any]:
    """A commit of a history; who made it by name, for those who may know."""
    return {
        "id": commit.commit_id,
        "title": commit.title,
        "message": commit.message,
        "date": instant(commit.made_at_s),
        "authors": [{"user": names.get(commit.person_id, "somebody")}],
    }


def refs_form(refs: Iterable[tuple[str, str, str]]) -> dict[str, Any]:
    """Branches and tags."""
    form: dict[str, Any] = {"branches": [], "converts": [], "tags": [], "pullRequests": []}
    for kind, name, commit_id in refs:
        folder, place = ("heads", "branches") if kind == "branch" else ("tags", "tags")
        form[place].append({"name": name, "ref": f"refs/{folder}/{name}", "targetCommit": commit_id})
    return form


def commit_url(asked: Asked, found: Repository, commit_id: str) -> str:
    """The address of a commit."""
    prefix = "datasets/" if found.kind == "dataset" else ""
    return f"{asked.base()}/{prefix}{found.full_name}/commit/{commit_id}"
