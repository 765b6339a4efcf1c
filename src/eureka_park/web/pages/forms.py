"""Reading what a form sends: fields by name, as text, within limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from eureka_park.foundation.errors import BadInput, TooLarge

FORM_BYTES_MAX: Final = 2 * 1024**2  # a script of 256 KiB stays below it, however its letters are written
VALUE_CHARS_MAX: Final = 64 * 1024  # of any field but a script: as long as a command may be
_FIELDS_MAX: Final = 2000
_KIND: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """The fields that were sent; a name may come several times."""

    fields: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def one(self, name: str, default: str = "") -> str:
        """The last value of a name, its lines ended by a bare newline."""
        values = self.fields.get(name)
        return values[-1].replace("\r\n", "\n").replace("\r", "\n") if values else default

    def all(self, name: str) -> list[str]:
        """All values of a name, in their order."""
        return list(self.fields.get(name, ()))

    def has(self, name: str) -> bool:
        """Whether the name was sent: a box is sent only when it is ticked."""
        return name in self.fields


async def read_form(request: Request) -> Form:
    """The form of a request. Raises TooLarge, or BadInput for another kind of body."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != _KIND:
        raise BadInput("That is not a form of these pages.", fix="Send it from the page.", code="bad_form")
    body = await request.body()
    if len(body) > FORM_BYTES_MAX:
        raise TooLarge("The form is too large.", fix="Send long input with park submit.", field="script")
    return await run_in_threadpool(parse_form, body)  # two mebibytes of signs take a while


def parse_form(body: bytes) -> Form:
    """The fields of a form's body. Raises BadInput when there are too many, TooLarge for one that is too long."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=_FIELDS_MAX
        )
    except ValueError:
        raise BadInput("The form has too many fields.", fix="Choose fewer at once.", code="bad_form") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if len(value) > VALUE_CHARS_MAX and name != "script":
            field = name[:40]
            raise TooLarge(f"What stands in '{field}' is too long.", fix="Put long input into a file.", field=field)
        found.setdefault(name, []).append(value)
    return Form(found)


TheForm = Annotated[Form, Depends(read_form)]
