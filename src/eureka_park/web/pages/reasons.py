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
    "promised": N_("A start was promised to it."),
    "reserved": N_("There is room, but it is promised to jobs before it."),
    "window": N_("It would reach into the maintenance of {closed}, from {from} to {to}."),
    "shrunk_power": N_("It goes on with fewer machines, {nodes} now: the sky gives {short} less than such jobs draw."),
    "no_credit": N_(
        "Its {paid} are used up; to go on it takes {credits} credits, and {project} has {left}. It is paused until "
        "there are more."
    ),
    "fetching_inputs": N_("Its inputs are being fetched: {size} of {all_size}."),
    "fetched_inputs": N_("Its inputs ({size}) took {took} to come."),
    "reclaimed": N_(
        "It is paused at a checkpoint: {share} has lent it the power and asks for it back; {floor} are sure to that "
        "share."
    ),
}
_VARIANTS: Final[Mapping[str, tuple[str, str]]] = {  # by code, the value that asks for another form, and that form
    "no_credit": (
        "ends",
        N_(
            "Its {paid} are used up; to go on it takes {credits} credits, and {project} has {left}. It is ended unless "
            "there are more by then."
        ),
    ),
    "room": ("nodes", N_("It needs {nodes} whole free machines; {free_nodes} are free.")),
    "resumed_power": (
        "nodes",
        N_("It has {nodes} machines now: nobody waits for them, and sun, wind and salt give {clean}."),
    ),
    "window": ("is_reserved", N_("It would reach into the time of {closed} that is reserved, from {from} to {to}.")),
}
_USED: Final = N_("Its project has used {used} of the park lately; {due} is due to it.")
_KEPT: Final = N_("The plan keeps its salt for dearer hours.")
_EMPTY: Final = N_("The salt is empty.")
_SAYS_MORE: Final = frozenset(
    {"finished", "running", "failed", "lost", "cancelled", "room", "dependency"}
)  # their text says more

_SHOWN: Final = 3  # names of other jobs in a reason
HIDDEN: Final = N_("a job that you may not see")


def reason_text(words: Words, reason: Mapping[str, Any]) -> tuple[str, str]:
    """A reason in this language and the tag of the language it is in: its own English where no form fits."""
    code = str(reason["code"])
    form = REASONS.get(code)
    if code in _VARIANTS and reason["values"].get(_VARIANTS[code][0]):
        form = _VARIANTS[code][1]
    if form is None or (words.lang == "en" and code in _SAYS_MORE) or words.tag_of(form) == "en" != words.lang:
        return str(reason["text"]), "en"
    values = _spoken(words, reason["values"])
    if not _names(form) <= values.keys():
        return str(reason["text"]), "en"
    more = [words.say(extra, **values) for extra in _more(reason["values"])]
    return " ".join([words.say(form, **values), *more]), words.tag_of(form)


def _more(values: Mapping[str, Any]) -> list[str]:
    """What the values say beyond the form of their code."""
    found = [_USED] if "used_frac" in values else []
    if "short_kw" in values or "need_kw" in values:
        short_kw = float(values.get("short_kw", values.get("need_kw", 0.0) - max(0.0, values.get("free_kw", 0.0))))
        if values.get("kept_kw", 0.0) > short_kw:
            found.append(_KEPT)
        elif values.get("salt") == "empty":
            found.append(_EMPTY)
    return found


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
    for name in ("n_ahead", "nodes", "free_nodes"):
        if name in values:
            found[name] = words.number(values[name])
    for name in ("used", "due"):
        if (frac := values.get(f"{name}_frac")) is not None:
            found[name] = words.percent(frac)
    if (floor_kw := values.get("floor_kw")) is not None:
        found["floor"] = words.power(float(floor_kw) / 1000.0)
    if values.get("share"):
        found["share"] = isolated(str(values["share"]))
    if "need_credits" in values:
        found["credits"], found["left"] = (words.number(values[f"{name}_credits"], 2) for name in ("need", "left"))
        found["paid"], found["project"] = words.duration(values["paid_s"]), isolated(str(values["project"]))
    for name, key in (("size", "n_bytes"), ("all_size", "of_bytes")):
        if key in values:
            found[name] = words.size(float(values[key]))
    if "took_s" in values:
        found["took"] = words.duration(values["took_s"])
    found |= _closed(words, values)
    if values.get("after"):
        more = ["…"] if len(values["after"]) > _SHOWN else []
        names = [isolated(str(name)) if name else words.say(HIDDEN) for name in values["after"][:_SHOWN]]
        found["after"] = words.joined([*names, *more])
    if "cpus" in values:
        found["asks"], found["room"] = (_machine(words, values, before) for before in ("", "free_"))
    return found


def _closed(words: Words, values: Mapping[str, Any]) -> dict[str, str]:
    """The machines of a window and its times."""
    if not values.get("closed"):
        return {}
    more = ["…"] if len(values["closed"]) > _SHOWN else []
    names = words.joined([*(isolated(str(name)) for name in values["closed"][:_SHOWN]), *more])
    times = {name: words.when(parse_instant_s(values[name])) for name in ("from", "to") if values.get(name)}
    return {"closed": names, **times}


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
