"""Forms that bring files: bodies of multipart/form-data, read whole and within limits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request

from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.web.pages.forms import FORM_BYTES_MAX, Form, read_form

_KIND: Final = "multipart/form-data"
_PARTS_MAX: Final = 200
_BOUNDARY: Final = re.compile(r'boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
_NAME: Final = re.compile(r'[;\s]name="([^"\r\n]*)"')
_FILE: Final = re.compile(r'[;\s]filename="')


@dataclass(frozen=True, slots=True)
class Upload:
    """A form and the files that came with it, by the field's name."""

    form: Form = field(default_factory=Form)
    files: dict[str, bytes] = field(default_factory=dict)


async def read_upload(request: Request) -> Upload:
    """The form of a request, with files or without. Raises TooLarge, BadInput for another kind of body."""
    kind = request.headers.get("content-type", "")
    if kind.split(";")[0].strip().lower() != _KIND:
        return Upload(await read_form(request))
    found = _BOUNDARY.search(kind)
    if found is None:
        raise _broken()
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise TooLarge("The file is too large.", fix="Send the bank's lines of fewer days at once.", field="file")
    return _read(body, (found[1] or found[2]).encode("latin-1", "replace"))


def _read(body: bytes, boundary: bytes) -> Upload:
    fields: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for head, content in _parts(body, boundary):
        named = _NAME.search(head)
        if named is None:
            raise _broken()
        if _FILE.search(head):
            files[named[1]] = content
        else:
            fields.setdefault(named[1], []).append(content.decode("utf-8", "replace"))
    return Upload(Form(fields), files)


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Head and content of each part (RFC 7578)."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 2 or len(pieces) > _PARTS_MAX or not pieces[-1].startswith(b"--"):
        raise _broken()
    for piece in pieces[1:-1]:
        head, gap, content = piece.partition(b"\r\n\r\n")
        if not gap:
            raise _broken()
        yield head.decode("utf-8", "replace"), content


def _broken() -> BadInput:
    return BadInput("That is not a form of these pages.", fix="Send it from the page.", code="bad_form")


TheUpload = Annotated[Upload, Depends(read_upload)]
