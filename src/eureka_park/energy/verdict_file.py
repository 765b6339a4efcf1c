"""The study of the verdict as a file: JSON, packed where the name ends in .gz; the same study gives the same bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache
from importlib import resources
from io import BytesIO
from pathlib import Path
from typing import Any, Final, cast

from eureka_park.energy.verdict_schema import SCHEMA, Study
from eureka_park.energy.weather_file import read_bytes, write_whole
from eureka_park.foundation.errors import BadInput

BYTES_MAX: Final = 64 * 1024 * 1024
_LONG: Final = 100  # items of a list that is a series, whose length is part of the form


@cache
def shipped_study() -> Study:
    """The study that comes with the product."""
    return _read((resources.files("eureka_park.energy") / "data" / "verdict.json.gz").read_bytes(), "the shipped study")


def read_study(file: str | Path | None) -> Study:
    """The study in a file; without one, that of the product. Raises BadInput in one line."""
    if file is None:
        return shipped_study()
    found, like = _read(read_bytes(Path(file)), str(file)), shipped_study()
    strange = _strange(found, like)
    if not strange and _cells(found) != _cells(like):
        strange = "cells"
    if strange:
        raise BadInput(
            f"{file} is no whole study: '{strange}' is not as it should be.",
            fix="Make it again: park energy report --study FILE",
        )
    return found


def _cells(study: Study) -> list[tuple[str, str]]:
    return sorted((cell["row"], cell["scenario"]) for cell in study["cells"])


def write_study(study: Study, file: Path) -> None:
    """Keep a study, whole or not at all. Raises Unavailable."""
    text = json.dumps(study, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    write_whole(file, gzip.compress(text, 9, mtime=0) if file.suffix == ".gz" else text + b"\n")


def _read(content: bytes, name: str) -> Study:
    try:
        found: Any = json.loads(_unpacked(content), parse_constant=_no_number)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        raise BadInput(
            f"{name} is not a study of the verdict.", fix="Make one: park energy report --study FILE"
        ) from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise BadInput(f"{name} has the form of another version.", fix="Make it again: park energy report --study FILE")
    return cast(Study, found)


def _unpacked(content: bytes) -> bytes:
    """The bytes behind a packed file; few of them may stand for very many, so that there is a limit."""
    if content[:2] != b"\x1f\x8b":
        return content
    with gzip.open(BytesIO(content)) as stream:
        found = stream.read(BYTES_MAX + 1)
    if len(found) > BYTES_MAX:
        raise ValueError
    return found


def _no_number(text: str) -> float:
    raise ValueError(text)


def _strange(found: Any, like: Any, at: str = "") -> str:
    """Where a value has another form than the shipped study; empty where it has not."""
    if found is None and at.endswith(".additions"):  # the largest loads have none
        return ""
    if isinstance(like, dict):
        if not isinstance(found, dict) or not set(like) <= set(found):
            return at or "study"
        told = (_strange(found[key], item, f"{at}.{key}".lstrip(".")) for key, item in like.items())
        return next(filter(None, told), "")
    if isinstance(like, list):
        is_series = len(like) > _LONG
        if not isinstance(found, list) or not found or (is_series and len(found) != len(like)):
            return at
        told = (_strange(item, like[0], f"{at}[{index}]") for index, item in enumerate(found))
        return next(filter(None, told), "")
    is_number = isinstance(like, int | float) and not isinstance(like, bool)
    return "" if isinstance(found, (int, float) if is_number else type(like)) else at
