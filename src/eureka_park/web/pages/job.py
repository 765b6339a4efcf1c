"""The page of one job: how it stands and why, its life as a picture, log, receipt, outputs, and how to do it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.client.command_line import request_of, submit_line
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.foundation.errors import CannotShow, NotFound
from eureka_park.foundation.units import GIB, iso_from_s, parse_instant_s
from eureka_park.web.api.job_logs import JobIdPath
from eureka_park.web.api.job_outputs import Look, look_at
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.job_data import data_of
from eureka_park.web.pages.job_end import failure_of, happened, promise_of, sentence_of
from eureka_park.web.pages.job_files import FILES_MAX, log_tail, plain, tree_of
from eureka_park.web.pages.job_life import life_of, ran_s_of
from eureka_park.web.pages.job_receipt import receipt_of, used_of
from eureka_park.web.pages.job_why import why_of
from eureka_park.web.pages.reasons import reason_text, said
from eureka_park.web.pages.words import N_, Words, isolated

TASKS_MAX: Final = 400
_AFTER_MAX: Final = 12
_NODES_MAX: Final = 8
_PROMISES: Final[Mapping[str, str]] = {
    "queued": N_("It may start about {when}"),
    "paused": N_("It goes on about {when}"),
    "frozen": N_("It goes on about {when}"),
    "running": N_("This lasts until about {when}"),
}


_PROMISED: Final = N_("Start promised about {when}")


def job_page(request: Request, who: Anyone, job_id: JobIdPath) -> HTMLResponse:
    """One job, or an array with its tasks."""
    park, words = park_of(request), words_of(request)
    job, now_s = park.compute.job(who, job_id), park.clock.park_s()
    history = park.compute.history(who, job_id)
    is_over, is_array = job["state"] in ENDED_NAMES, job["task_states"] is not None
    tail, log_end, is_cut = log_tail(park.compute.log_file(who, history["job_id"]))
    receipt = park.compute.receipt(who, job_id) if is_over else None
    outputs = [] if is_array else park.compute.outputs(who, job_id)
    return page(
        request,
        "job.html",
        "/jobs",
        live="soon" if not is_over else not receipt,
        job=job,
        is_over=is_over,
        sentence=_sentence(words, job, history, now_s),
        used=used_of(words, receipt) if receipt else "",
        reasons=[item for reason in job["reasons"] if (item := said(words, [reason], now_s))] if not is_over else [],
        promise=_promise(words, job, now_s),
        why=None if is_over or is_array else why_of(words, park.compute.why(who, job_id), now_s),
        can_cancel=who is not None and not is_over,
        failure=None if is_array else failure_of(words, job, tail),
        life=None if is_array else life_of(park, words, history, job),
        tasks=_tasks(park, words, who, job) if is_array else None,
        log={"tail": tail, "end": log_end, "is_cut": is_cut} if not is_array else None,
        receipt=receipt_of(park, words, receipt) if receipt else None,
        tree=tree_of(words, job_id, outputs) if outputs else None,
        n_more_outputs=max(0, len(outputs) - FILES_MAX),
        happenings=[] if is_array else _happenings(park, words, who, job_id, now_s),
        facts=_facts(words, job, now_s),
        after=_after(park, who, job["after"]),
        again=submit_line(request_of(job)),
        data=data_of(words, job, who),
    )


def _sentence(words: Words, job: Mapping[str, Any], history: Mapping[str, Any], now_s: float) -> str:
    if job["task_states"] is None:
        return sentence_of(words, job, job["ran_s"] if job["state"] in ENDED_NAMES else ran_s_of(history, now_s))
    n_over = sum(number for name, number in job["task_states"].items() if name in ENDED_NAMES)
    n_all = sum(job["task_states"].values())
    return words.say("Tasks that are over: {n} of {all}.", n=words.number(n_over), all=words.number(n_all))


def cancel_job(request: Request, who: Someone, job_id: JobIdPath) -> RedirectResponse:
    """Cancel from the job's page, then back to it."""
    park_of(request).compute.cancel(who, job_id)
    return RedirectResponse(f"/jobs/{quote(job_id)}", 303)


def output_page(request: Request, who: Anyone, job_id: JobIdPath, path: str) -> HTMLResponse:
    """An output that a person can look at: the begin of a text, or a picture; anything else can be fetched."""
    park = park_of(request)
    with park.compute.open_output(who, job_id, path) as file:
        try:
            shown: Look | None = look_at(file, path)
        except CannotShow:
            shown = None
    return page(
        request,
        "job_output.html",
        "/jobs",
        200 if shown else CannotShow.http_status,
        job=park.compute.job(who, job_id),
        file=path,
        link=f"/api/v1/jobs/{quote(job_id)}/outputs/{quote(path)}",
        **_shown(words_of(request), shown),
    )


def _shown(words: Words, shown: Look | None) -> dict[str, Any]:
    if shown is None:
        return {"kind": "", "text": "", "is_cut": False, "size": ""}
    return {
        "kind": "picture" if shown.picture else "text",
        "text": "" if shown.picture else plain(shown.head.decode("utf-8", "replace")),
        "is_cut": shown.is_cut and not shown.picture,
        "size": words.size(float(shown.size_bytes)),
    }


def _promise(words: Words, job: Mapping[str, Any], now_s: float) -> Markup | None:
    """Until when it waits or is held, with a countdown in park time."""
    until_s, form = promise_of(job, now_s), _PROMISES.get(job["state"])
    if until_s is None or form is None:
        return None
    if job["state"] == "queued" and "promised_at" in job["reasons"][0]["values"]:
        form = _PROMISED
    when = Markup('<time data-until="{0}" datetime="{0}">{1}</time>').format(
        iso_from_s(until_s), words.when(until_s, now_s)
    )
    return words.html(form, when=when)


def _tasks(park: Park, words: Words, who: Principal | None, job: Mapping[str, Any]) -> dict[str, Any]:
    """An array's tasks as a grid: index, state, address; how many are in each state; energy of those that are over."""
    found, _ = park.compute.jobs(who, project=job["project"], text=f"{job['job_id']}[", sort="oldest", limit=TASKS_MAX)
    mine = sorted((item for item in found if item["array_id"] == job["job_id"]), key=lambda item: item["task_index"])
    states = job["task_states"]
    kwh = sum(item["receipt"]["kwh"] for item in mine if item["receipt"])
    return {
        "cells": [
            {
                "n": item["task_index"],
                "state": item["state"],
                "link": f"/jobs/{quote(item['job_id'])}",
                "label": words.say(
                    "task {n}: {state}", n=words.number(item["task_index"]), state=words.say(item["state"])
                ),
            }
            for item in mine
        ],
        "counts": [(name, words.number(number)) for name, number in states.items() if number],
        "n": words.count("{n} task", "{n} tasks", sum(states.values())),
        "n_more": max(0, sum(states.values()) - len(mine)),
        "energy": words.energy(kwh) if kwh else "",
    }


def _happenings(park: Park, words: Words, who: Principal | None, job_id: str, now_s: float) -> list[dict[str, Any]]:
    """What happened, each with its reason in words."""
    found = []
    for row in park.compute.timeline(who, job_id):
        text, lang = happened(words, row)
        reason, reason_lang = reason_text(words, row["reason"]) if row["reason"] else ("", "")
        found.append(
            {
                "at": words.when(row["at_s"], now_s),
                "what": row["what"],
                "text": text,
                "lang": lang,
                "reason": reason,
                "reason_lang": reason_lang,
                "is_past": row["what"] == "starting",  # a start keeps what the job had waited for
            }
        )
    return found


def _after(park: Park, who: Principal | None, names: Sequence[str]) -> list[dict[str, Any]]:
    """The jobs after which it runs; those that the asker may not see are only counted."""
    found = []
    for job_id in names[:_AFTER_MAX]:
        try:
            shown = park.compute.job(who, job_id)
        except NotFound:
            found.append({"job_id": "", "name": "", "state": ""})
        else:
            found.append({name: shown[name] for name in ("job_id", "name", "state")})
    return found


def machines_of(words: Words, job: Mapping[str, Any]) -> str:
    """Where it runs or ran; of a gang how many of its machines it has now, and the first of them."""
    held, n_nodes = job["held_nodes"], job["nodes"]
    if n_nodes == 1 or not held:
        return isolated(job["node"]) if job["node"] else ""
    names = ", ".join(isolated(name) for name in held[:_NODES_MAX]) + (", …" if len(held) > _NODES_MAX else "")
    n, all_of_them = words.number(len(held)), words.number(n_nodes)
    return words.say("runs on {n} of {all} machines: {names}", n=n, all=all_of_them, names=names)


_POWER_FROM: Final[Mapping[str, str]] = {
    "table": N_("{power}, by the table of its machines"),
    "declared": N_("{power}, as declared"),
    "meter": N_("{power}, by its own meter"),
}


def _power(words: Words, power: Mapping[str, Any] | None) -> str:
    """What it is predicted to draw, and what that rests on."""
    if power is None:
        return ""
    said = words.power(power["predicted_kw"] / 1000.0)
    if power["from"] == "learned" and power["n_jobs"]:
        return words.count(
            "{power}, learned from {n} job of its name",
            "{power}, learned from {n} jobs of its name",
            power["n_jobs"],
            power=said,
        )
    return words.say(_POWER_FROM[power["from"]], power=said)


def _facts(words: Words, job: Mapping[str, Any], now_s: float) -> list[tuple[str, str]]:
    asks = [
        words.say("{n} CPU", n=words.number(job["cpus"] * job["nodes"])),
        words.say("{n} GiB", n=words.number(job["memory_bytes"] * job["nodes"] / GIB)),
    ]
    asks += [words.say("{n} GPU", n=words.number(job["gpus"]))] if job["gpus"] else []
    asks += [words.say("{n} whole machines", n=words.number(job["nodes"]))] if job["nodes"] > 1 else []

    def when(name: str) -> str:
        return words.when(parse_instant_s(job[name]), now_s) if job[name] else ""

    found = [
        (words.say("Project"), isolated(job["project"])),
        (words.say("Asks for"), " · ".join(isolated(item) for item in asks)),
        (words.say("Predicted power"), _power(words, job["power"])),
        (words.say("Declared run time"), words.duration(job["time_s"])),
        (words.say("Checkpoints"), words.say("yes: it can be paused") if job["checkpoint"] else ""),
        (words.say("Submitted"), when("submitted_at")),
        (words.say("Started"), when("started_at")),
        (words.say("Ended"), when("ended_at")),
        (words.say("Ran"), words.duration(job["ran_s"]) if job["ran_s"] else ""),
        (words.say("Deadline"), when("deadline_at")),
        (words.say("Exit code"), "" if job["exit_code"] is None else words.number(job["exit_code"])),
        (
            words.say("Resumed"),
            words.count("{n} time", "{n} times", job["resume_count"]) if job["resume_count"] else "",
        ),
        (words.say("Machine"), machines_of(words, job)),
        (words.say("Isolation"), isolated(job["sandbox_level"]) if job["sandbox_level"] else ""),
    ]
    return [(name, value) for name, value in found if value]
