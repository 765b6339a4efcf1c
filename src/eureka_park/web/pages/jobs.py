"""The list of jobs and the page of one job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from eureka_park.bootstrap import Park
from eureka_park.client.command_line import request_of, submit_line
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.foundation.units import GIB, parse_instant_s
from eureka_park.web.api.jobs import JobIdPath
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.charts.tank import bar
from eureka_park.web.logs import read_range
from eureka_park.web.pages.draw import colours_of, names_of, page, words_of
from eureka_park.web.pages.reasons import said
from eureka_park.web.pages.words import Words
from eureka_park.web.schemas import JobStateName

_TAIL_BYTES = 64 * 1024
_SHOWN_OUTPUTS = 200


def job_list(
    request: Request,
    who: Anyone,
    state: JobStateName | None = None,
    after: Annotated[str | None, Query(max_length=20, pattern=r"^\d+$")] = None,
) -> HTMLResponse:
    """Jobs, newest first."""
    park, words = park_of(request), words_of(request)
    items, next_ = park.compute.jobs(who, states=[state] if state else [], after=after)
    rows = [
        {
            **job,
            "submitted": _when(words, job["submitted_at"]),
            "energy": words.energy(job["receipt"]["kwh"]) if job["receipt"] else "",
            "reason": said(words, job["reasons"]),
        }
        for job in items
    ]
    counts = park.compute.counts()
    states = [(name, counts[name]) for name in JobStateName.__args__ if counts.get(name)]  # type: ignore[attr-defined]
    return page(
        request, "jobs.html", "/jobs", live=after is None, jobs=rows, next=next_, states=states, chosen=state or ""
    )


def job_page(request: Request, who: Anyone, job_id: JobIdPath) -> HTMLResponse:
    """One job: facts, reasons, log, receipt, outputs, what happened."""
    park, words = park_of(request), words_of(request)
    job = park.compute.job(who, job_id)
    chunk, begin, _ = read_range(park.compute.log_file(who, job_id), -_TAIL_BYTES, _TAIL_BYTES)
    reasons = park.compute.why(who, job_id)["reasons"]
    receipt = park.compute.receipt(who, job_id) if job["state"] in ENDED_NAMES else None
    outputs = park.compute.outputs(who, job_id)[:_SHOWN_OUTPUTS]
    return page(
        request,
        "job.html",
        "/jobs",
        job=job,
        reasons=[item for item in (said(words, [reason]) for reason in reasons) if item],
        can_cancel=who is not None and job["state"] not in ENDED_NAMES,
        facts=_facts(words, job),
        log=chunk.decode("utf-8", "replace"),
        log_end=begin + len(chunk),
        over=job["state"] in ENDED_NAMES,
        receipt=_receipt(park, words, receipt) if receipt else None,
        outputs=[{"path": item["path"], "size": words.size(item["size_bytes"])} for item in outputs],
        timeline=[{**item, "at": _when(words, item["at"])} for item in park.compute.timeline_view(who, job_id)],
        again=submit_line(request_of(job)),
    )


def cancel_job(request: Request, who: Someone, job_id: JobIdPath) -> RedirectResponse:
    """Cancel from the job's page, then back to it."""
    park_of(request).compute.cancel(who, job_id)
    return RedirectResponse(f"/jobs/{quote(job_id)}", 303)


def _facts(words: Words, job: Mapping[str, Any]) -> list[tuple[str, str]]:
    asks = [f"{job['cpus']:g} CPU", f"{job['memory_bytes'] / GIB:.3g} GiB"]
    asks += [f"{job['gpus']} GPU"] if job["gpus"] else []
    found = [
        (words.say("Project"), job["project"]),
        (words.say("Tier"), words.say(job["tier"])),
        (words.say("Asks for"), ", ".join(asks)),
        (words.say("Declared run time"), words.duration(job["time_s"])),
        (words.say("Submitted"), _when(words, job["submitted_at"])),
        (words.say("Started"), _when(words, job["started_at"])),
        (words.say("Ended"), _when(words, job["ended_at"])),
        (words.say("Ran"), words.duration(job["ran_s"]) if job["ran_s"] else ""),
        (words.say("Deadline"), _when(words, job["deadline_at"])),
        (words.say("Exit code"), "" if job["exit_code"] is None else str(job["exit_code"])),
        (words.say("Resumed"), str(job["resume_count"]) if job["resume_count"] else ""),
        (words.say("Isolation"), job["sandbox_level"]),
        (words.say("Detail"), job["detail"]),
    ]
    return [(name, value) for name, value in found if value]


def _receipt(park: Park, words: Words, receipt: Mapping[str, Any]) -> dict[str, Any]:
    names, colours = names_of(park, words), colours_of(park)
    total = receipt["kwh"]
    ids = [name for name in park.site.source_ids if receipt["kwh_by_source"].get(name)]
    amounts = receipt["kwh_by_source"]
    sources = [
        {
            "css": colours[name],
            "name": names[name],
            "energy": words.energy(amounts[name]),
            "share": words.percent(amounts[name] / total if total else None),
        }
        for name in ids
    ]
    rows = []
    for hour in receipt["hours"]:
        cells = [words.energy(hour["kwh_by_source"].get(name, 0.0)) for name in ids]
        cells += [words.energy(hour["kwh"]), words.grams(hour["gco2"]), f"{hour['credits']:.6f}"]
        rows.append({"hour": _when(words, hour["hour_at"]), "cells": cells})
    return {
        "energy": words.energy(total),
        "it_energy": words.energy(receipt["it_kwh"]),
        "gco2": words.grams(receipt["gco2"]),
        "credits": f"{receipt['credits']:.6f}",
        "method": receipt["method"],
        "scale_model": receipt["scale_model"],
        "bar": bar([(colours[name], names[name], amounts[name]) for name in ids], words.say("Receipt")),
        "sources": sources,
        "rows": rows,
    }


def _when(words: Words, at: str | None) -> str:
    return words.when(parse_instant_s(at)) if at else ""
