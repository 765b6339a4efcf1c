"""How a job stands in one sentence; how it failed in plain words, and what to try."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.pages.words import N_, Words, isolated

_TAIL_LINES: Final = 12
_SENTENCES: Final[Mapping[str, str]] = {
    "queued": N_("It waits for its turn."),
    "starting": N_("It is being prepared: environment and files."),
    "running": N_("It has run for {ran} of the {declared} it declared."),
    "capped": N_("It runs at {cap} of its power; {ran} of the {declared} it declared are done."),
    "pausing": N_("It writes a checkpoint before it stops."),
    "paused": N_("It is paused at a checkpoint after {ran} of work; nothing is lost."),
    "frozen": N_("It is frozen after {ran} of work; nothing is lost."),
    "finished": N_("It finished after {ran} of work."),
    "failed": N_("It failed after {ran}."),
    "cancelled": N_("It was cancelled after {ran}."),
    "lost": N_("It was lost after {ran}: its node or supervisor died without a last word."),
}
_NEVER_RAN: Final[Mapping[str, str]] = {
    "cancelled": N_("It was cancelled before it ran."),
    "failed": N_("It failed before it ran."),
    "lost": N_("It was lost before it ran."),
}
_CODES: Final[Mapping[int, tuple[str, str]]] = {
    1: (
        N_("The program itself reported an error (exit code 1)."),
        N_("Read the last lines of its log: they usually name the place that failed."),
    ),
    2: (
        N_("The command did not understand how it was called (exit code 2)."),
        N_("Check its arguments and the names of its files."),
    ),
    126: (
        N_("The command was found, but it may not be run (exit code 126)."),
        N_("Make the script executable, or run it with sh or python."),
    ),
    127: (
        N_("The command was not found (exit code 127)."),
        N_("Check how it is spelled, or send the folder that holds it with --dir."),
    ),
}
_SIGNALS: Final[Mapping[int, tuple[str, str]]] = {
    6: (N_("The program gave itself up (signal 6)."), N_("Read the last lines of its log: they say what it met.")),
    9: (
        N_("The system ended it (signal 9), most often because it needed more memory than it asked for."),
        N_("Ask for more memory, for instance with --memory 4GiB."),
    ),
    11: (
        N_("The program crashed: it reached for memory that was not its own (signal 11)."),
        N_("Try another version of its compiled packages, or report it to those who make it."),
    ),
    15: (N_("It was asked to end (signal 15)."), N_("If nobody asked on purpose, run it again.")),
}
_OTHER: Final = (
    N_("The program ended with exit code {code}; what that means is the program's own."),
    N_("Read the last lines of its log, and the program's own manual."),
)
_OTHER_SIGNAL: Final = (N_("The program was ended by signal {code}."), N_("Read the last lines of its log."))
_SEEN: Final = (
    (
        re.compile(r"No module named '([\w.]{1,60})'"),
        N_("A Python package is missing: {name}. Add it with --with {name}."),
    ),
    (
        re.compile(r"MemoryError|[Oo]ut of memory|Cannot allocate memory"),
        N_("It ran out of memory. Ask for more with --memory."),
    ),
    (
        re.compile(r"No such file or directory: '?([^'\n]{1,80})"),
        N_("It looked for {name}, which is not there. Files that it needs go along with --dir."),
    ),
    (
        re.compile(r"Permission denied"),
        N_("It wrote where it may not. Its own folders are PARK_OUTPUT_DIR and the working folder."),
    ),
    (
        re.compile(r"No space left on device"),
        N_("The disk of its machine was full. Write less, or remove what is no longer needed."),
    ),
)
_TIME_OUT: Final = "It ran longer than its declared"


def sentence_of(words: Words, job: Mapping[str, Any], ran_s: float) -> str:
    """What the job does now, or how it ended, in one sentence."""
    state = job["state"]
    if state == "running" and job["cap_frac"] < 1.0:
        state = "capped"
    if job["started_at"] is None and state in _NEVER_RAN:
        return words.say(_NEVER_RAN[state])
    form = _SENTENCES.get(state, _SENTENCES["queued"])
    declared, cap = words.duration(job["time_s"]), words.percent(job["cap_frac"])
    return words.say(form, ran=words.duration(ran_s), declared=declared, cap=cap)


def failure_of(words: Words, job: Mapping[str, Any], tail: str) -> dict[str, Any] | None:
    """What a failure means, what to try and the last lines of the log; None for a job that did not fail."""
    if job["state"] not in {"failed", "lost"}:
        return None
    meaning, first = _meaning(words, job)
    tries = [first] if first else []
    is_too_long = job["detail"].startswith(_TIME_OUT)
    for pattern, form in _SEEN:
        found = pattern.search(tail)
        if found:
            name = isolated(found[1]) if pattern.groups else ""
            tries.insert(0, words.say(form, name=name))
    lines = [line for line in tail.splitlines() if line.strip()][-_TAIL_LINES:]
    return {
        "meaning": meaning,
        "tries": tries,
        "lines": "\n".join(lines),
        "detail": "" if is_too_long else job["detail"],
    }


def _meaning(words: Words, job: Mapping[str, Any]) -> tuple[str, str]:
    declared = words.duration(job["time_s"])
    if job["state"] == "lost":
        text = words.say("Its machine or supervisor stopped without a last word. This is not the fault of the program.")
        return text, words.say("Run it again; with checkpoints it goes on where it was.")
    if job["detail"].startswith(_TIME_OUT):
        text = words.say("It needed more than the {declared} it declared, so it was ended.", declared=declared)
        return text, words.say("Declare more time with --time, or let it write checkpoints.")
    if job["exit_code"] is None and job["exit_signal"] is None:
        return words.say("It could not be started."), words.say("The line below says why.") if job["detail"] else ""
    signal = job["exit_signal"] or (job["exit_code"] - 128 if 128 < (job["exit_code"] or 0) < 160 else 0)
    if signal:
        meaning, attempt = _SIGNALS.get(signal, _OTHER_SIGNAL)
        return words.say(meaning, code=signal), words.say(attempt)
    meaning, attempt = _CODES.get(job["exit_code"], _OTHER)
    return words.say(meaning, code=words.number(job["exit_code"])), words.say(attempt)


def happened(words: Words, row: Mapping[str, Any]) -> tuple[str, str]:
    """A line of the timeline in words and the language it is in; what has no form keeps its English text."""
    forms: dict[str, str] = {
        "queued": N_("It was submitted."),
        "starting": N_("It was admitted; its place on {node} is held."),
        "running": N_("It runs."),
        "capped": N_("Its power is capped at {cap}."),
        "pausing": N_("It was asked to write a checkpoint."),
        "paused": N_("It is paused; its checkpoint is kept."),
        "frozen": N_("It is frozen in place; its work is kept."),
        "ending": N_("It is being ended."),
        "finished": N_("It finished."),
        "failed": N_("It failed."),
        "cancelled": N_("It was cancelled."),
        "lost": N_("It was lost: its node or supervisor died without a last word."),
    }
    form = forms.get(row["what"])
    if form is None:
        return row["text"], "en"
    if row["what"] == "capped" and row["cap_frac"] == 1.0:
        form = N_("It may use its full power again.")
    node, cap = isolated(row["node"] or "–"), words.percent(row["cap_frac"])
    return words.say(form, node=node, cap=cap), words.tag_of(form)


def promise_of(job: Mapping[str, Any], now_s: float) -> float | None:
    """Until when its first reason holds; None where it does not say, or that is past."""
    until = job["reasons"][0].get("until") if job["reasons"] else None
    until_s = parse_instant_s(until) if until else None
    return until_s if until_s is not None and until_s > now_s else None
