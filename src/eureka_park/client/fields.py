"""The fields of a job as a person writes them: checked here so that a mistake is told at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from eureka_park.client.scripts import is_python_range, is_requirement
from eureka_park.client.views import CLASSES, TIERS
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.park_uri import read_inputs, read_outputs
from eureka_park.foundation.units import parse_bytes, parse_count, parse_duration_s, parse_when_s

_ENV_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def checked(field: str, value: Any) -> Any:
    """The value of one field of a job request as the API takes it. Raises BadInput with `field` set."""
    try:
        return _CHECKS[field](value)
    except BadInput as error:
        message = error.message if error.message.startswith("'") else f"'{field}' {error.message}"
        if not message.startswith(f"'{field}'"):
            message = f"'{field}': {message}"
        raise BadInput(message, fix=error.fix, code=error.code, field=field) from None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that looks most like `word`, if any does."""
    found = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
    return found[0] if found else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _above_zero(value: Any) -> float:
    if not _is_number(value) or value <= 0:
        raise BadInput(f"must be a number greater than 0, not {_shown(value)}.", fix="Write 1, 0.5 or 4.")
    return float(value)


def _whole(least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        count = parse_count(value) if isinstance(value, str) else value
        if not _is_number(count) or count != int(count) or count < least:
            raise BadInput(
                f"must be a whole number of at least {least}, not {_shown(value)}.", fix=f"Write {least} or more."
            )
        return int(count)

    return check


def _priority(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadInput(f"must be a whole number, not {_shown(value)}.", fix="Write 0 for the usual priority.")
    return value


def _memory(value: Any) -> int | str:
    size_bytes = parse_bytes(value) if isinstance(value, str) else value
    if not _is_number(size_bytes) or size_bytes != int(size_bytes) or size_bytes <= 0:
        raise BadInput(
            f"must be a size greater than 0, not {_shown(value)}.", fix="Write 512MiB, 2GiB or a number of bytes."
        )
    return int(size_bytes)


def _time(value: Any) -> float:
    time_s = parse_duration_s(value) if isinstance(value, str) else value
    if not _is_number(time_s) or time_s <= 0:
        raise BadInput(
            f"must be a duration greater than 0, not {_shown(value)}.",
            fix="Write 90s, 15m, 2h, 3d or a number of seconds.",
        )
    return float(time_s)


def _by(value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value)
    parse_when_s(text, 0.0)
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise BadInput(f"must be text, not {_shown(value)}.", fix='Write it in quotes: "...".')
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadInput(f"must be true or false, not {_shown(value)}.", fix="Write true or false.")
    return value


def _choice(words: tuple[str, ...]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            near = nearest(value, words) if isinstance(value, str) else None
            fix = f"Did you mean '{near}'? " if near else ""
            raise BadInput(f"must be one of {', '.join(words)}, not {_shown(value)}.", fix=f"{fix}Choose one of them.")
        return str(value)

    return check


def _texts(value: Any) -> list[str]:
    if (
        isinstance(value, str)
        or not isinstance(value, list | tuple)
        or not all(isinstance(item, str) for item in value)
    ):
        raise BadInput(f"must be a list of texts, not {_shown(value)}.", fix='Write ["...", "..."].')
    return [_text(item) for item in value]


def _env(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadInput(
            f"must be a table of names and texts, not {_shown(value)}.", fix='Write env = { NAME = "value" }.'
        )
    for name, text in value.items():
        if not isinstance(name, str) or not _ENV_NAME.fullmatch(name):
            raise BadInput(
                f"has a name that no program can read: {_shown(name)}.", fix="Use letters, digits and _ only."
            )
        if not isinstance(text, str) or "\0" in text:
            raise BadInput(f"{name} must be text, not {_shown(text)}.", fix=f'Write {name} = "...".')
    return dict(value)


def _dependencies(value: Any) -> list[str]:
    items = _texts(value)
    for item in items:
        if not is_requirement(item):
            raise BadInput(f"has {_shown(item)}, which is not a requirement.", fix='Write it as "numpy>=2".')
    return items


def _inputs(value: Any) -> list[str]:
    texts = _texts(value)
    read_inputs(texts)
    return texts


def _outputs(value: Any) -> list[str]:
    texts = _texts(value)
    read_outputs(texts)
    return texts


def _requires_python(value: Any) -> str:
    text = _text(value)
    if text and not is_python_range(text):
        raise BadInput(f"must be a range of versions, not {_shown(value)}.", fix='Write ">=3.11".')
    return text


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _text,
    "project": _text,
    "tier": _choice(TIERS),
    "class": _choice(CLASSES),
    "cpus": _above_zero,
    "gpus": _whole(0),
    "nodes": _whole(1),
    "gpu_type": _text,
    "min_gpus": _whole(1),
    "min_nodes": _whole(1),
    "kw": _above_zero,
    "memory": _memory,
    "time": _time,
    "by": _by,
    "array": _whole(1),
    "after": _texts,
    "checkpoint": _flag,
    "env": _env,
    "dependencies": _dependencies,
    "requires_python": _requires_python,
    "priority": _priority,
    "inputs": _inputs,
    "outputs": _outputs,
    "output_always": _flag,
    "command": _texts,
    "script": _text,
    "args": _texts,
    "dir": _text,
}

FIELDS: Final = tuple(_CHECKS)
