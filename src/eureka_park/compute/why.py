"""Everything that answers "why": the reasons of a job, its place in line, what is promised to it, what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from eureka_park.compute.core.job import ENDED, LATE_S
from eureka_park.foundation.units import iso_from_s, parse_instant_s

_WAITING: Final = frozenset({"queued", "paused"})
# Nobody stands before these.
_OUT_OF_LINE: Final = frozenset({"dependency", "better_hour", "no_plan", "just_sent", "no_credit"})
_PLACE_CODES: Final = frozenset({"room", "reserved"})  # their `until` is when a place is kept for the job
_NONE: Final = ""
_NO_REASON: Final[Mapping[str, Any]] = {"code": _NONE, "values": {}, "until": None}

_LESS: Final = "Ask for less power, or declare what it really draws with --kw."
_FIRM: Final = "In tier firm the grid carries it: dearer, but no cloud holds it."
_NEVER_HELD: Final = "Jobs of tier firm are never capped, paused or frozen by the plan."
_SHORTER: Final = "Declare a shorter time (--time), if it needs less: a short job may pass through a gap."
_ADVICE: Final[Mapping[str, tuple[str, ...]]] = {
    "room": ("Ask for fewer GPUs, CPUs or memory on one machine.", _SHORTER),
    "reserved": (_SHORTER,),
    "window": ("Declare a time (--time) that ends before the window begins, or let it wait for its end.",),
    "firm_power": ("In tier flex or green it waits for sun, wind or salt and needs no firm power.", _LESS),
    "site_power": (_LESS,),
    "clean_power": (_FIRM, _LESS),
    "better_hour": ("Name an earlier deadline with --by: it then starts sooner, at a higher price.", _FIRM),
    "behind": ("Give it a higher --priority to pass other jobs of its project.",),
    "no_such_node": ("Submit it again and ask for less of one machine.",),
    "dependency": ("It starts when they have finished; should one fail, this job is cancelled.",),
    "no_plan": ("Nothing need be done: the first plan is there within minutes.",),
    "capped_power": (_NEVER_HELD,),
    "paused_power": (_NEVER_HELD,),
    "frozen_power": (_NEVER_HELD,),
    "shrunk_power": (_NEVER_HELD,),
    "no_credit": (
        "A top-up of its project, or a transfer from another one, lets it go on.",
        "Declare the time that it takes (--time): that is held before it starts.",
    ),
    "reclaimed": (_NEVER_HELD, "Within its own share nobody asks it to give way."),
}
_GANG: Final = (
    "Ask for fewer machines (--nodes or --gpus).",
    "With checkpoints it may begin on fewer machines: --min-nodes.",
    _SHORTER,
)
_OVER_SHARE: Final = "What its project has used counts less from day to day; its turn comes back by itself."
_DEADLINE: Final = "With a deadline (--by) it runs in time for it, by then on the grid."
ALL_ADVICE: Final = tuple(
    dict.fromkeys([*(text for texts in _ADVICE.values() for text in texts), *_GANG, _OVER_SHARE, _DEADLINE])
)


def why_answer(
    shown: Mapping[str, Any],
    reasons: Sequence[Mapping[str, Any]],
    timeline: Sequence[Mapping[str, Any]],
    n_ahead: int | None,
    share: Mapping[str, float] | None,
    now_s: float,
) -> dict[str, Any]:
    """The answer about one job. `shown`: its view; `n_ahead`: of its line, None when it is not queued; `share`: what
    its project has used and is due, where that is known.

    `line`, `share`, `place_at`, `promise`, `estimate` and `power` are None where there is nothing to say.
    """
    is_waiting = shown["state"] in _WAITING
    first = reasons[0] if reasons else _NO_REASON
    is_in_line = first["code"] not in _OUT_OF_LINE
    return {
        "job_id": shown["job_id"],
        "state": shown["state"],
        "reasons": list(reasons),
        "line": {"n_ahead": n_ahead} if n_ahead is not None and is_in_line else None,
        "share": {"project": shown["project"], **share} if share and is_waiting and is_in_line else None,
        "place_at": first["until"] if is_waiting and first["code"] in _PLACE_CODES else None,
        "promise": promise_of(first, timeline, now_s),
        "estimate": estimate_of(first) if is_waiting else None,
        "advice": advice_of(shown, first, share),
        "power": None if shown["state"] in ENDED else shown.get("power"),
    }


def promise_of(first: Mapping[str, Any], timeline: Sequence[Mapping[str, Any]], now_s: float) -> dict[str, Any] | None:
    """The start that a job was promised, when it was told so (None: not known), and how late that was kept, with the
    cause; None where nothing was promised.

    The timeline tells promises; before the job starts, its reason does too. A start keeps there what it had waited for.
    """
    at, cause, start_s, told_s = first["values"].get("promised_at"), first["code"], now_s, None
    before: tuple[str, str, float, float | None] | None = None  # of the last start that had been promised
    for row in timeline:
        values = (row["reason"] or {}).get("values", {})
        if row["what"] == "promised":
            at, told_s = values.get("promised_at"), float(row["at_s"])
        elif row["what"] == "starting":
            promised = values.get("promised_at") or (at if told_s is not None else None)
            if promised:
                before = promised, (row["reason"] or _NO_REASON)["code"], float(row["at_s"]), told_s
            at, told_s = first["values"].get("promised_at"), None
    if not at:
        if before is None:
            return None
        at, cause, start_s, told_s = before
    late_s = start_s - parse_instant_s(at)
    is_broken = late_s > LATE_S
    return {
        "promised_at": at,
        "told_at": None if told_s is None else iso_from_s(told_s),
        "late_s": max(0.0, late_s) if is_broken else 0.0,
        "cause": cause if is_broken else None,
    }


def estimate_of(reason: Mapping[str, Any]) -> dict[str, Any] | None:
    """When it should start: by `p50_at` in one case of two, by `p90_at` in nine of ten; None where nobody knows."""
    values = reason["values"]
    if not values.get("start_p50") or not values.get("start_p90"):
        return None
    return {"p50_at": values["start_p50"], "p90_at": values["start_p90"]}


def advice_of(shown: Mapping[str, Any], first: Mapping[str, Any], share: Mapping[str, float] | None) -> list[str]:
    """What would change it, the most useful first; English, as reasons are."""
    code = first["code"]
    found = list(_GANG if code == "room" and shown.get("nodes", 1) > 1 else _ADVICE.get(code, ()))
    if code in {"clean_power", "better_hour"} and shown["deadline_at"] is None and shown["tier"] != "green":
        found.append(_DEADLINE)
    if shown["tier"] == "firm":
        found = [text for text in found if text not in (_FIRM, _NEVER_HELD)]
    if share and code in {"behind", "next", "in_line"} and share["used_frac"] > share["due_frac"]:
        found.append(_OVER_SHARE)
    return found
