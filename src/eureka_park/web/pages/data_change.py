"""Changing the files of a branch by forms: send, make a folder, write a text, rename, take away. Each is one commit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import Commit, Operation, Put, Remove, clean_path
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.web.auth import Someone
from eureka_park.web.doors.hub.committing import REGULAR_BYTES_MAX, SMALL_BYTES_MAX
from eureka_park.web.doors.streams import take_in
from eureka_park.web.multipart import Part, boundary_of, parts
from eureka_park.web.pages.data_file import file_view
from eureka_park.web.pages.data_frame import Here, here_of
from eureka_park.web.pages.data_tree import tree_view
from eureka_park.web.pages.forms import Form, TheForm

FILES_MAX: Final = 1000  # of one form
KEEP: Final = ".gitkeep"  # what stands in a folder that is to be there while it is empty
_OWN: Final = frozenset({400, 404, 409, 413, 422, 503})  # errors that are told on the page itself


async def upload(request: Request, who: Someone) -> Response:
    """Take in the files of a form, as they come, and commit all of them at once."""

    def find() -> Here:
        here = here_of(request, who, Want.WRITE)
        here.version()
        return here

    here = await run_in_threadpool(find)  # nobody who may not write gets as far as a place for their body
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
        await take_in(request, lambda pieces: _take(here, parts(pieces, boundary)), by=who.person_id)
    except ParkError as error:
        if error.http_status not in _OWN:
            raise
        return await run_in_threadpool(tree_view, here, error)
    return RedirectResponse(here.link("tree", here.revision, here.path, done="committed"), 303)


def _take(here: Here, found: Iterator[Part]) -> Commit:
    batch, operations, fields = Batch(), dict[str, Operation](), dict[str, str]()
    for part in found:
        if part.file_name is None:
            fields[part.name] = part.text()
        elif part.file_name:
            folder = "/".join(piece for piece in (here.path, fields.get("folder", "").strip().strip("/")) if piece)
            path = clean_path(f"{folder}/{part.file_name}" if folder else part.file_name)
            operations[path] = _file(here, batch, path, part.content)
        if len(operations) > FILES_MAX:
            raise BadInput(f"A form takes {FILES_MAX:,} files.", fix="Use park data put.", code="too_many_files")
    if not operations:
        raise BadInput("No file came.", fix="Choose some.", code="no_files")
    first = next(iter(operations)).rpartition("/")[2]
    title = fields.get("title", "").strip() or (
        f"Add {first}" if len(operations) == 1 else f"Add {len(operations)} files"
    )
    return _commit(here, title, list(operations.values()), batch)


def _file(here: Here, batch: Batch, path: str, content: Iterator[bytes]) -> Put:
    """One file: a small one within the commit, a large one before it, in the memory of a mebibyte."""
    project, begin = here.repository.project_id, bytearray()
    for piece in content:
        begin += piece
        if len(begin) > REGULAR_BYTES_MAX:
            break
    is_whole = len(begin) <= REGULAR_BYTES_MAX
    if is_whole and (len(begin) <= SMALL_BYTES_MAX or _is_text(begin)):
        row = here.park.data.objects.put_small(project, batch, bytes(begin))
        return Put(path, row.sha256, row.size_bytes, git_oid(bytes(begin)))
    row = here.park.data.objects.put(project, chain([bytes(begin)], content))
    return Put(path, row.sha256, row.size_bytes)


def _is_text(content: bytearray) -> bool:
    try:
        return b"\0" not in content and bool(content.decode())
    except UnicodeDecodeError:
        return False


# -- without files -----------------------------------------------------------------------------------------------------
def change(request: Request, who: Someone, form: TheForm) -> Response:
    """Make a folder, write a text, rename or take away, by the button that was pressed."""
    here = here_of(request, who, Want.WRITE)
    try:
        back = _changed(here, form)
    except ParkError as error:
        if error.http_status not in _OWN:
            raise
        if form.one("do") == "write" and not form.has("name") and error.code == "parent_changed":
            return file_view(here, error, form.one("text"))
        return tree_view(here, error, form)
    return RedirectResponse(back, 303)


def _changed(here: Here, form: Form) -> str:
    do, title = form.one("do"), form.one("title").strip()
    if do == "folder":
        folder = _joined(here.path, form.one("name"))
        _write(here, f"{folder}/{KEEP}", b"", title or f"Make the folder {folder}")
        return here.link("tree", here.revision, folder, done="committed")
    if do == "write":
        path = _joined(here.path, form.one("name")) if form.has("name") else here.path
        _write(here, path, form.one("text").encode(), title or f"Write {path}", form.one("parent"))
        return here.link("file", here.revision, path, done="committed")
    if do == "rename":
        return _renamed(here, clean_path(form.one("path")), clean_path(form.one("to").strip().strip("/")), title)
    if do == "remove":
        return _removed(here, form.all("path"), title)
    raise BadInput("The form says nothing to do.", fix="Use its buttons.", code="nothing_to_do")


def _joined(folder: str, name: str) -> str:
    name = clean_path(name.strip().strip("/"))
    return f"{folder}/{name}" if folder else name


def _write(here: Here, path: str, content: bytes, title: str, parent: str = "") -> None:
    batch = Batch()
    row = here.park.data.objects.put_small(here.repository.project_id, batch, content)
    operation = Put(clean_path(path), row.sha256, row.size_bytes, git_oid(content))
    _commit(here, title, [operation], batch, parent)


def _renamed(here: Here, path: str, to: str, title: str) -> str:
    if to == path:
        raise BadInput("It has this name already.", fix="Write another.", code="same_file")
    entry = here.versions.entry(here.version(), path)
    put = Put(to, entry.sha256, entry.size_bytes, entry.git_oid)
    _commit(here, title or f"Rename {path} to {to}", [Remove(path), put])
    return here.link("file", here.revision, to, done="committed")


def _removed(here: Here, paths: list[str], title: str) -> str:
    if not paths:
        raise BadInput("Nothing was chosen.", fix="Choose files.", code="no_files")
    operations = [Remove(path.rstrip("/"), is_folder=path.endswith("/")) for path in dict.fromkeys(paths)]
    shown = paths[0] if len(paths) == 1 else f"{len(paths)} files and folders"
    _commit(here, title or f"Remove {shown}", operations)
    above = here.path if here.path and here.path not in paths else paths[0].rstrip("/").rpartition("/")[0]
    tree = here.versions.tree(here.version())
    while above and not tree.has_folder(above):
        above = above.rpartition("/")[0]
    return here.link("tree", here.revision, above, done="committed")


def _commit(
    here: Here, title: str, operations: Sequence[Operation], batch: Batch | None = None, parent: str = ""
) -> Commit:
    assert here.who is not None
    draft = Draft(here.revision, title, operations, parent_id=parent)
    made: Commit = here.versions.commit(here.repository, here.who, draft, batch)
    return made


__all__ = ["change", "upload"]
