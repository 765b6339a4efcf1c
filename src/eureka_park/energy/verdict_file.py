"""The study of the verdict as a file: JSON, packed where the name ends in .gz; the same study gives the same bytes."""

from __future__ import annotations

import gzip
import json
import zlib
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, cast

from eureka_park.energy.verdict_schema import SCHEMA, Study
from eureka_park.foundation.errors import BadInput


@cache
def shipped_study() -> Study:
    """The study that comes with the product."""
    return _read((resources.files("eureka_park.energy") / "data" / "verdict.json.gz").read_bytes(), "the shipped study")


def read_study(file: str | Path | None) -> Study:
    """The study in a file; without one, that of the product. Raises BadInput in one line."""
    if file is None:
        return shipped_study()
    try:
        return _read(Path(file).read_bytes(), str(file))
    except OSError as error:
        raise BadInput(
            f"{file} cannot be read: {error.strerror}.", fix="Name a study, or let it be computed."
        ) from None


def write_study(study: Study, file: Path) -> None:
    """Keep a study."""
    text = json.dumps(study, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    file.write_bytes(gzip.compress(text, 9, mtime=0) if file.suffix == ".gz" else text + b"\n")


def _read(content: bytes, name: str) -> Study:
    try:
        found: Any = json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
    except (OSError, EOFError, zlib.error, ValueError):
        raise BadInput(
            f"{name} is not a study of the verdict.", fix="Make one: park energy report --study FILE"
        ) from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise BadInput(f"{name} has the form of another version.", fix="Make it again: park energy report --study FILE")
    return cast(Study, found)
