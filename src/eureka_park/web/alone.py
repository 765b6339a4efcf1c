"""Files that need nothing beside them: the park's tokens and fonts with a sheet of their own, as one text."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from eureka_park.foundation.errors import Internal
from eureka_park.web.assets import BUILT

_ROOT: Final = re.compile(r":root\{[^}]*\}")
_FACE: Final = re.compile(r"@font-face\{[^}]*\}")
_FILE: Final = re.compile(r'url\("?\.?/?(fonts/[^")]+)"?\)')
# What the names of a language's font files have in them.
FONTS: Final[Mapping[str, tuple[str, ...]]] = {
    "fr": ("-latin-wght",), "en": ("-latin-wght",), "ar": ("-latin-wght", "-arabic-wght"),
    "zgh": ("-latin-wght", "-tifinagh-400"),
}  # fmt: skip


@cache
def templates() -> Environment:
    """The templates of such files: what they name must be there, and is escaped."""
    return Environment(
        loader=PackageLoader("eureka_park.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def sheet(lang: str, own: str) -> str:
    """Tokens and fonts of the park's sheet, the fonts inside, and the sheet `own` of the built ones."""
    park, more = built("park.css").decode(), built(own).decode().strip()
    root = _ROOT.search(park)
    faces = [face for face in _FACE.findall(park) if any(font in face for font in FONTS[lang])]
    if root is None or len(faces) != len(FONTS[lang]):
        raise Internal("The park's sheet holds no tokens or fonts.", fix="Build it: python hatch_build.py")
    return root[0] + "".join(_FILE.sub(_inlined, face) for face in faces) + more


def _inlined(found: re.Match[str]) -> str:
    return f'url("data:font/woff2;base64,{base64.b64encode(built(found[1])).decode()}")'


def built(name: str) -> bytes:
    """A built file of the pages. Raises Internal where the pages are not built."""
    try:
        return (BUILT / name).read_bytes()
    except OSError:
        raise Internal(
            f"The pages' file {name} is not there.", fix="Run ./park again: it builds the pages.", code="not_built"
        ) from None
