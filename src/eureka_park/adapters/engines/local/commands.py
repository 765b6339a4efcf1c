"""Commands from the engine to a supervisor: durable numbered files, so that none is lost when
either of the two is killed."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH103, PTH208

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Final

from eureka_park.adapters.engines.local.places import read_json, write_json

FAMILIES: Final = {"cancel": "cancel", "pause": "pause", "freeze": "freeze", "thaw": "freeze", "cap": "cap"}


@dataclass(frozen=True, slots=True)
class Command:
    """cancel, pause (both with `grace_s` real seconds), freeze, thaw, or cap (with `cap_frac` of the job's CPUs)."""

    verb: str
    grace_s: float = 0.0
    cap_frac: float = 1.0


def numbered(folder: str) -> list[int]:
    """The numbers of the commands in a folder, in order."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(int(name[:-5]) for name in names if name.endswith(".json") and name[:-5].isdigit())


def read_command(folder: str, number: int) -> Command | None:
    """One command, or None when it cannot be read."""
    value = read_json(f"{folder}/{number:06d}.json")
    return Command(**value) if isinstance(value, dict) else None


def add_command(folder: str, command: Command) -> None:
    """Write a command after the others, unless the newest one of its family already says the same."""
    os.makedirs(folder, exist_ok=True)
    numbers = numbered(folder)
    for number in reversed(numbers):
        earlier = read_command(folder, number)
        if earlier and FAMILIES[earlier.verb] == FAMILIES[command.verb]:
            if earlier == command:
                return
            break
    write_json(f"{folder}/{(numbers[-1] if numbers else 0) + 1:06d}.json", asdict(command), durable=True)
