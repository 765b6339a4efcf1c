"""Why a job waits, is capped, paused or frozen, in the reader's language: forms by code, numbers filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Formatter
from typing import Any, Final

from eureka_park.foundation.units import GIB, parse_instant_s
from eureka_park.web.pages.words import N_, Words, isolated

REASONS: Final[Mapping[str, str]] = {
    "better_hour": N_("It waits for a better hour: {then} MAD/MWh then (carbon priced in), {now} now."),
    "clean_power": N_("It needs {need} of the park's own sun, wind or salt; {free} is free now."),
    "firm_power": N_("It needs {need} of firm power; {free} can be promised now."),
    "site_power": N_("It needs {need}; plants and grid together leave {free} now."),
    "behind": N_("Jobs of its project before it: {n_ahead}."),
    "just_sent": N_("It has just arrived; the scheduler looks at it next."),
    "in_line": N_("It stands in the line of its project and tier."),
    "next": N_("It is next in its line."),
    "room": N_("It waits for room on a machine: it asks for {asks}; the roomiest has {room} free."),
    "no_such_node": N_("No machine of the park is large enough for it."),
    "dependency": N_("It runs after {after}."),
    "finished": N_("It finished."),
    "running": N_("It runs."),
    "starting": N_("It is being prepared: environment and files."),
    "pausing": N_("It writes a checkpoint before it stops."),
    "failed": N_("It failed."),
    "cancelled": N_("It was cancelled."),
    "lost": N_("It was lost: its node or supervisor died without a last word."),
    "no_plan": N_("There is no power plan yet; one is being made."),
    "capped_power": N_("Its power is capped: the sky gives {short} less than such jobs draw."),
    "paused_power": N_("It is paused at a checkpoint: the sky gives {short} less than such jobs draw."),
    "frozen_power": N_("It is frozen, its work kept: the sky gives {short} less than such jobs draw."),
    "resumed_power": N_("It goes on with full power: sun, wind and salt give {clean} now, enough for it."),
}
_SAYS_MORE: Final = frozenset(
    {"finished", "running", "failed", "lost", "cancelled", "room", "dependency"}
)  # their text says more

_SHOWN: Final = 3  # names of other jobs in a reason
HIDDEN: Final = N_("a job that you may not see")


def reason_text(words: Words, reason: Mapping[str, Any]) -> tuple[str, str]:
    """A reason in this language and the tag of the language it is in: its own English where no form fits."""
    code = str(reason["code"])
    form = REASONS.get(code)
    if form is None or (words.lang == "en" and code in _SAYS_MORE) or words.tag_of(form) == "en" != words.lang:
        return str(reason["text"]), "en"
    values = _spoken(words, reason["values"])
    if not _names(form) <= values.keys():
        return str(reason["text"]), "en"
    return words.say(form, **values), words.tag_of(form)


def said(words: Words, reasons: Sequence[Mapping[str, Any]], now_s: float | None = None) -> dict[str, Any] | None:
    """The first reason in words with its language, and until when; None where there is none."""
    if not reasons:
        return None
    text, lang = reason_text(words, reasons[0])
    until = reasons[0].get("until")
    shown = words.when(parse_instant_s(until), now_s) if until else ""
    return {"code": reasons[0]["code"], "text": text, "lang": lang, "until": shown, "until_at": until or ""}


def _spoken(words: Words, values: Mapping[str, Any]) -> dict[str, str]:
    """The values that forms name, as text with units."""
    found = {}
    for name in ("need", "free", "short", "clean"):
        if (kw := values.get(f"{name}_kw")) is not None:
            found[name] = words.power(max(0.0, float(kw)) / 1000.0)
    for name in ("now", "then"):
        if (price := values.get(f"{name}_mad_per_mwh")) is not None:
            found[name] = words.number(price, 0)
    if "n_ahead" in values:
        found["n_ahead"] = words.number(values["n_ahead"])
    if values.get("after"):
        more = ["…"] if len(values["after"]) > _SHOWN else []
        names = [isolated(str(name)) if name else words.say(HIDDEN) for name in values["after"][:_SHOWN]]
        found["after"] = words.joined([*names, *more])
    if "cpus" in values:
        found["asks"], found["room"] = (_machine(words, values, before) for before in ("", "free_"))
    return found


def _machine(words: Words, values: Mapping[str, Any], before: str) -> str:
    """Processors, GPUs and memory of a wish or of a place, as one figure: `2 CPU · 1 GPU · 4 GiB`."""
    parts = [f"{words.number(values[before + 'cpus'])} CPU"]
    if values.get("gpus"):
        parts.append(f"{words.number(values[before + 'gpus'])} GPU")
    if (memory := values.get(f"{before}memory_bytes")) is not None:
        parts.append(f"{words.number(memory / GIB)} GiB")
    return isolated(" · ".join(parts))


def _names(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}
