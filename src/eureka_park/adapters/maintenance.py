"""The operator's notice of maintenance: a small file in the home, written by a command, read by the pages."""

from __future__ import annotations

import json
from typing import Any, Final

from eureka_park.adapters.home import Home

NOTE: Final = "maintenance.json"
_CALENDAR_END_S: Final = 253_370_764_800.0  # 9999-01-01


def read_maintenance(home: Home, now_real_s: float) -> dict[str, Any] | None:
    """`message`, `since_s` and `until_s` (None for open end), real time; None without a notice or after its end.

    A damaged note counts as a notice without words: its writer meant to keep people out.
    """
    try:
        text = home.read(NOTE)  # may be no text at all
        if text is None:
            return None
        value = json.loads(text)
        until_s = None if value["until_s"] is None else float(value["until_s"])
        note = {"message": str(value["message"]), "since_s": float(value["since_s"]), "until_s": until_s}
    except (ValueError, KeyError, TypeError):
        return {"message": "", "since_s": now_real_s, "until_s": None}
    if until_s is not None and not until_s < _CALENDAR_END_S:  # NaN too: pages could not tell such an end
        return {**note, "until_s": None}
    return None if until_s is not None and until_s <= now_real_s else note


def write_maintenance(home: Home, message: str, since_s: float, until_s: float | None) -> None:
    """Put up a notice, or change the one that is there. Raises Unavailable when the disk will not."""
    home.write(NOTE, json.dumps({"message": message, "since_s": since_s, "until_s": until_s}))


def end_maintenance(home: Home) -> bool:
    """Take the notice away; whether there was one."""
    was_there = (home.folder / NOTE).exists()
    (home.folder / NOTE).unlink(missing_ok=True)
    return was_there
