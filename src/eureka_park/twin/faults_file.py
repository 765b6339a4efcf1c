"""Faults as they are asked for: in words, or in a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from eureka_park.foundation.errors import BadInput, NotFound, TooLarge, Unavailable
from eureka_park.twin.core.faults import Faults, faults_of, faults_of_toml

FILE_BYTES_MAX: Final = 4 * 1024 * 1024


def asked_faults(asked: str | Path) -> Faults:
    """The faults that words ask for, or a TOML file. Raises BadInput, NotFound, TooLarge and Unavailable."""
    if isinstance(asked, str):
        return faults_of(asked)
    try:
        with asked.open("rb") as stream:
            raw = stream.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise NotFound(f"There is no file '{asked}'.", fix="Check the path.", code="no_such_file") from None
    except OSError as error:
        raise Unavailable(f"'{asked}' cannot be read: {error.strerror}.", fix="Check the path.") from None
    if len(raw) > FILE_BYTES_MAX:
        raise TooLarge(f"{asked.name} has more than {FILE_BYTES_MAX // 2**20} MiB.", fix="Cut it.", field="faults")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{asked.name} is no readable text.", fix="Save it as UTF-8.", field="faults") from None
    return faults_of_toml(text, asked.name)
