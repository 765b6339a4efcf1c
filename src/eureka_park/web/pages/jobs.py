"""The list of jobs: find, sort, choose, cancel many; and the same jobs as lines over a day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.compute.service import CANCEL_MAX, ENDED_NAMES
from eureka_park.foundation.units import parse_instant_s
from eureka_park.web.auth import Anyone, Someone, park_of
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.job_gantt import gantt_of
from eureka_park.web.pages.overview import RUNNING, WAITING, row_of
from eureka_park.web.pages.words import N_, Words
from eureka_park.web.schemas import JobStateName, SortName, TierName

PAGE: Final = 50
_NAMED: Final = 20  # of those to be cancelled, that are shown by name
STATES: Final[tuple[str, ...]] = JobStateName.__args__  # type: ignore[attr-defined]
TIERS: Final[tuple[str, ...]] = TierName.__args__  # type: ignore[attr-defined]
SORTS: Final[Mapping[str, str]] = {
    "newest": N_("newest first"),
    "oldest": N_("oldest first"),
    "name": N_("by name"),
    "state": N_("by state"),
    "tier": N_("by tier"),
    "started": N_("latest start first"),
    "ended": N_("latest end first"),
    "longest": N_("longest run first"),
    "energy": N_("most energy first"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """Which jobs the list is asked for, and how."""

    state: str = ""
    tier: str = ""
    project: str = ""
    text: str = ""
    sort: str = "newest"

    @property
    def filters(self) -> dict[str, Any]:
        """The same for the service."""
        return {
            "states": [self.state] if self.state else [],
            "tier": self.tier or None,
            "project": self.project or None,
            "text": self.text,
        }

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves jobs out."""
        return bool(self.state or self.tier or self.project or self.text)

    def link(self, **more: str) -> str:
        """The address of this list; what is usual is left out."""
        fields = {"state": self.state, "tier": self.tier, "project": self.project, "text": self.text, "sort": self.sort}
        kept = {
            name: value for name, value in {**fields, **more}.items() if value and (name, value) != ("sort", "newest")
        }
        return "/jobs" + (f"?{urlencode(kept)}" if kept else "")


def job_list(
    request: Request,
    who: Anyone,
    state: Literal["", JobStateName] = "",
    tier: Literal["", TierName] = "",
    project: Annotated[str, Query(max_length=128)] = "",
    text: Annotated[str, Query(max_length=200)] = "",
    sort: SortName = "newest",
    after: Annotated[str, Query(max_length=1000)] = "",
    view: Literal["list", "gantt"] = "list",
    cancelled: Annotated[int, Query(ge=0, le=CANCEL_MAX)] = 0,
    spared: Annotated[int, Query(ge=0, le=CANCEL_MAX)] = 0,
) -> HTMLResponse:
    """Jobs as rows, or as lines over the last day."""
    park, words = park_of(request), words_of(request)
    asked = Asked(state, tier, project, text.strip(), sort)
    if view == "gantt":
        return page(request, "jobs.html", "/jobs", live=True, view=view, asked=asked, **gantt_of(park, words, who))
    now_s = park.clock.park_s()
    items, next_ = park.compute.jobs(who, **asked.filters, sort=sort, limit=PAGE, after=after or None)
    rows = [_row(words, job, now_s) for job in items]
    counts = park.compute.counts(who)
    n_open = sum(number for name, number in counts.items() if name not in ENDED_NAMES)
    return page(
        request,
        "jobs.html",
        "/jobs",
        live=not after,
        view=view,
        asked=asked,
        jobs=rows,
        lead=_lead(words, counts),
        found=_found(park, words, who, asked),
        pills=_pills(words, asked, counts),
        tiers=TIERS,
        projects=[item.project_id for item in park.accounts.projects(who)],
        sorts=SORTS,
        next=asked.link(after=next_) if next_ else "",
        is_later=bool(after),
        can_cancel=who is not None and n_open > 0,
        may_cancel_found=asked.is_filtered and state not in ENDED_NAMES,
        notices=_notices(words, cancelled, spared),
    )


def _row(words: Words, job: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    row = row_of(words, job, now_s)
    energy = words.energy(job["receipt"]["kwh"]) if job["receipt"] else ""
    submitted = words.when(parse_instant_s(job["submitted_at"]), now_s)
    code = job["exit_code"] if job["state"] == "failed" else None
    ended = words.say("exit code {n}", n=words.number(code)) if code is not None else ""
    is_open = job["state"] not in ENDED_NAMES
    return {**row, "submitted": submitted, "energy": energy, "is_open": is_open, "ended": ended}


def _lead(words: Words, counts: Mapping[str, int]) -> str:
    """How many run, wait and are over, in words."""
    n_running, n_waiting, n_over = (
        sum(counts.get(name, 0) for name in names) for names in (RUNNING, WAITING, ENDED_NAMES)
    )
    return words.say(
        "Running: {running} · waiting: {waiting} · over: {over}",
        running=words.number(n_running),
        waiting=words.number(n_waiting),
        over=words.number(n_over),
    )


def _found(park: Park, words: Words, who: Principal | None, asked: Asked) -> str:
    if not asked.is_filtered:
        return ""
    return words.count("{n} job matches", "{n} jobs match", park.compute.count_matching(who, **asked.filters))


def _pills(words: Words, asked: Asked, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """A filter for each state that some job is in; with its count, where nothing else filters."""
    is_counted = not (asked.tier or asked.project or asked.text)
    total = words.number(sum(counts.values())) if is_counted else ""
    pills = [{"name": N_("all"), "link": replace(asked, state="").link(), "n": total, "is_here": not asked.state}]
    for name in STATES:
        if counts.get(name) or name == asked.state:
            shown = words.number(counts.get(name, 0)) if is_counted else ""
            link = replace(asked, state=name).link()
            pills.append({"name": name, "link": link, "n": shown, "is_here": name == asked.state})
    return pills


def _notices(words: Words, cancelled: int, spared: int) -> list[str]:
    found = []
    if cancelled:
        found.append(words.count("{n} job was asked to end.", "{n} jobs were asked to end.", cancelled))
    if spared:
        found.append(
            words.count(
                "{n} job was left as it is: it was over, or is not yours.",
                "{n} jobs were left as they are: they were over, or are not yours.",
                spared,
            )
        )
    return found


# -- cancelling many ---------------------------------------------------------------------------------------------------
def cancel_many(request: Request, who: Someone, form: TheForm) -> Response:
    """Ask whether the chosen jobs shall end; with `sure`, end them and go back to the list."""
    park, words = park_of(request), words_of(request)
    asked = _asked_in(form)
    chosen = _chosen(park, who, form, asked)
    if chosen and form.has("sure"):
        answers = park.compute.cancel_many(who, chosen)
        n_done = sum("state" in answer for answer in answers)
        found = {"cancelled": str(n_done or ""), "spared": str(len(answers) - n_done or "")}
        return RedirectResponse(asked.link(**found), 303)
    names = {job["job_id"]: job["name"] for job in park.compute.jobs(who, **_open(asked), limit=1000)[0]}
    return page(
        request,
        "jobs_cancel.html",
        "/jobs",
        asked=asked,
        back=asked.link(),
        chosen=chosen,
        shown=[{"job_id": job_id, "name": names.get(job_id, job_id)} for job_id in chosen[:_NAMED]],
        n_more=max(0, len(chosen) - _NAMED),
        question=words.count("End {n} job?", "End {n} jobs?", len(chosen)),
        limit=words.number(CANCEL_MAX),
    )


def _asked_in(form: Form) -> Asked:
    """The list from which the form was sent; what it cannot be is left out."""
    state, tier, sort = form.one("state"), form.one("tier"), form.one("sort")
    return Asked(
        state if state in STATES else "",
        tier if tier in TIERS else "",
        form.one("project")[:128],
        form.one("text")[:200].strip(),
        sort if sort in SORTS else "newest",
    )


def _open(asked: Asked) -> dict[str, Any]:
    """The filters of those in the list that can still be cancelled."""
    states: Sequence[str] = [name for name in STATES if name not in ENDED_NAMES]
    return {**asked.filters, "states": [asked.state] if asked.state in states else states}


def _chosen(park: Park, who: Principal, form: Form, asked: Asked) -> list[str]:
    """The ids that were ticked; with `every`, all of the list that are not over, up to what one call ends."""
    if not form.has("every"):
        return list(dict.fromkeys(form.all("job")))[:CANCEL_MAX]
    return [job["job_id"] for job in park.compute.jobs(who, **_open(asked), limit=CANCEL_MAX)[0]]


__all__ = ["Asked", "cancel_many", "job_list"]
