"""The twin's page: a run is asked for, followed, ended early, looked at, and played back; beside it another policy."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.twin.run_desk import PARTS, RunDesk, RunStatus
from eureka_park.twin.run_question import DAYS_MAX, EXAMPLE, LOAD_FRACS, NEW_MOST_MW, POLICIES, Question, sizes_of
from eureka_park.web.api.twin import desk_of
from eureka_park.web.auth import Someone, check_same_origin
from eureka_park.web.pages.draw import KIND_NAMES, page, someone, words_of
from eureka_park.web.pages.energy_year import SCENARIO_NAMES
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.twin_view import (
    POLICY_NAMES,
    Shown,
    answer_of,
    beside_told,
    days_told,
    pictures_of,
    policy_name,
    table_of,
    work_told,
)
from eureka_park.web.pages.words import N_, Words

PAGE: Final = "/twin"
LISTED: Final = 12
PART_NAMES: Final = dict(
    zip(
        PARTS,
        (
            N_("waiting for another park on this machine"),
            N_("making machine code, once"),
            N_("making the jobs"),
            N_("making weather and plans"),
            N_("playing"),
            N_("measuring"),
            N_("working out what was possible"),
        ),
        strict=True,
    )
)
WRONG: Final = {
    "run_too_large": N_("That is too large for a page. Ask for fewer days, or for a smaller part of the machines."),
    "own_runs_wait": N_("Two of your runs are not played yet. Wait for one, or cancel it."),
    "line_is_full": N_("Too many runs are in line. Come back in a while."),
}  # fmt: skip
# What the play-back says, by the name under which its island looks for it.
SAID: Final = {
    "play": N_("Play"),
    "pause": N_("Pause"),
    "clean": N_("Sun, wind and salt carry all of the work."),
    "salt": N_("The salt carries {share} of the work."),
    "grid": N_("{share} of the work is bought from the grid."),
    "unused": N_("All of the work is clean, and {mw} of clean power find none."),
    "still": N_("No work runs."),
    "hour": N_("{when}: {sentence}"),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address names: the run that is looked at and the one beside it, where they stand."""

    run: RunStatus | None
    beside: RunStatus | None

    @property
    def both(self) -> list[RunStatus]:
        """Those that are there."""
        return [item for item in (self.run, self.beside) if item is not None]


def twin_page(request: Request) -> HTMLResponse:
    """The page for the runs in the address, else for the newest that is kept."""
    return _page(request, _form_of(request))


def _page(
    request: Request, asked: Question, wrong: ParkError | None = None, beside: str = "", status: int = 200
) -> HTMLResponse:
    desk, words = desk_of(request), words_of(request)
    everything = desk.all()
    chosen = _chosen(request, desk, everything)
    shown = _shown(desk, chosen)
    first = shown[0] if shown else None
    going = [_going(request, words, item) for item in chosen.both if not item.is_over]
    query = {name: value for name, value in request.query_params.items() if name in ("run", "beside")}
    return page(
        request,
        "twin.html",
        PAGE,
        status,
        **_headline(words, first, is_going=bool(going)),
        answer=answer_of(words, first) if first else "",
        beside=beside_told(words, *shown) if len(shown) > 1 else "",
        work=work_told(words, first.status) if first else "",
        is_cut=bool(first and first.status.state == "stopped"),
        cut=days_told(words, first.hours.n / 24.0) if first else "",
        going=going,
        failed=[{"error": item.error, "fix": item.fix} for item in chosen.both if item.state == "failed"],
        figures=table_of(words, shown) if shown else None,
        pictures=pictures_of(words, first, request.query_params.get("week"), query) if first else None,
        tracks=[_track(words, item) for item in shown],
        said={name: _form_said(words, text) for name, text in SAID.items()},
        kinds=[[kind, words.say(KIND_NAMES[kind])] for kind in first.hours.by_kind_mw] if first else [],
        form=_form_view(words, desk, asked, beside),
        wrong=_wrong(words, wrong) if wrong else None,
        runs=[_listed(words, desk, item, first) for item in everything[:LISTED]],
        has_example=desk.shelf.has(EXAMPLE.run_id),
        example=days_told(words, EXAMPLE.days),
    )  # fmt: skip


# -- what is asked -----------------------------------------------------------------------------------------------------
def ask_for_run(request: Request, who: Someone, form: TheForm) -> Response:
    """Have a run played, and the same work under another policy where that is asked for; then its page."""
    desk, beside = desk_of(request), form.one("beside")
    try:
        asked = question_in(form)
        first = desk.ask(asked, str(who.person_id)).question
        query = {"run": first.run_id}
        if beside in POLICIES and beside != first.policy:
            query["beside"] = desk.ask(replace(first, policy=beside), str(who.person_id)).question.run_id
    except ParkError as error:
        return _page(request, _brought_inside(form), error, beside, error.http_status)
    return RedirectResponse(f"{PAGE}?{urlencode(query)}", 303)


def ask_for_example(request: Request) -> Response:
    """Have the example played: for everybody, since it is one run, and kept."""
    check_same_origin(request)
    return RedirectResponse(f"{PAGE}?{urlencode({'run': desk_of(request).example().question.run_id})}", 303)


def cancel_run(request: Request, who: Someone, form: TheForm) -> Response:
    """Take a run out of the line or end it early; then its page."""
    desk, run_id = desk_of(request), form.one("run")
    desk.cancel(run_id, str(who.person_id), is_operator=who.is_operator)
    return RedirectResponse(f"{PAGE}?{urlencode({'run': run_id})}", 303)


def question_in(form: Form) -> Question:
    """The question that a form asks. Raises BadInput for what is no number; what is out of range, the desk refuses."""
    usual = Question()
    return Question(
        one_in=_whole(form, "one_in", usual.one_in),
        days=_whole(form, "days", usual.days),
        month=_whole(form, "month", usual.month),
        load_frac=_number(form, "load", 100.0 * usual.load_frac) / 100.0,
        demand_of_supply=_number(form, "demand", 0.0) / 100.0,
        scenario=form.one("scenario", usual.scenario),
        wind_mw=_number(form, "wind", 0.0),
        pv_mw=_number(form, "pv", 0.0),
        policy=form.one("policy", usual.policy),
        seed=_whole(form, "seed", usual.seed),
    )


def _whole(form: Form, name: str, usual: int) -> int:
    text = form.one(name).strip() or str(usual)
    if not (text.isascii() and text.isdecimal() and len(text) <= 10):
        raise BadInput(f"{name} = '{text[:40]}' is no whole number.", fix="Write one, such as 14.", field=name)
    return int(text)


def _number(form: Form, name: str, usual: float) -> float:
    text = form.one(name).strip().replace(",", ".") or str(usual)
    try:
        value = float(text) if text.isascii() and len(text) <= 20 else float("nan")
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e6:
        raise BadInput(f"{name} = '{text[:40]}' is no number.", fix="Write one, such as 80.", field=name)
    return value


def _brought_inside(form: Form) -> Question:
    """What the form said, field by field, where it can be read at all; for the page that says what is wrong."""
    found = Question()
    for name in ("one_in", "days", "month", "load", "demand", "scenario", "wind", "pv", "policy", "seed"):
        try:
            one = question_in(Form({name: form.all(name)}))
        except BadInput:
            continue
        found = replace(found, **{item.name: getattr(one, item.name) for item in fields(one)
                                  if getattr(one, item.name) != getattr(Question(), item.name)})  # fmt: skip
    return found


def _form_of(request: Request) -> Question:
    """The form is filled in like the run that is looked at."""
    status = desk_of(request).status(_id(request, "run")) if _id(request, "run") else None
    return status.question if status else Question()


# -- what is shown -----------------------------------------------------------------------------------------------------
def _id(request: Request, name: str) -> str:
    text = request.query_params.get(name, "")
    return text if len(text) == 20 and set(text) <= set("0123456789abcdef") else ""


def _chosen(request: Request, desk: RunDesk, everything: list[RunStatus]) -> Chosen:
    run, beside = (desk.status(name) if (name := _id(request, key)) else None for key in ("run", "beside"))
    if run is None:
        run = next((item for item in everything if item.state in ("done", "stopped")), None)
    if run is None and everything:
        run = everything[0]
    if beside is not None and (run is None or beside.question.work_id != run.question.work_id or beside == run):
        beside = None
    return Chosen(run, beside)


def _shown(desk: RunDesk, chosen: Chosen) -> list[Shown]:
    records = [(item, desk.shelf.record(item.question.run_id)) for item in chosen.both if item.is_over]
    return [Shown.of(item, record) for item, record in records if record is not None and record.n_hours]


def _headline(words: Words, first: Shown | None, *, is_going: bool) -> dict[str, Any]:
    if first is None and is_going:
        return {"headline": N_("The twin is at work."), "headline_values": {}}
    if first is None:
        return {"headline": N_("Play a fortnight of this park, or a year."), "headline_values": {}}
    values = {
        "share": words.percent(first.figures.get("cfe_frac")),
        "days": days_told(words, first.hours.n / 24.0),
    }
    return {"headline": N_("Sun, wind and salt carried {share} of the work of {days}."), "headline_values": values}


def _going(request: Request, words: Words, status: RunStatus) -> dict[str, Any]:
    """Where a run stands that is not over, and whether the one who looks may end it."""
    who = someone(request)
    return {
        "run_id": status.question.run_id,
        "work": work_told(words, status),
        "policy": policy_name(words, status.question.policy),
        "told": _state_told(words, status),
        "done_frac": f"{status.done_frac:.3f}",
        "may_cancel": bool(who and (who.is_operator or str(who.person_id) == status.asker)),
    }


def _state_told(words: Words, status: RunStatus) -> str:
    if status.state == "waiting":
        return words.count("{n} run is played before it.", "{n} runs are played before it.", max(1, status.place))
    if status.state == "stopping":
        return words.say("Ending early; its days until now are kept.")
    if status.part == "play":
        day = 1 + int(status.played_frac * status.question.days)
        return words.say("Playing day {n} of {of}.", n=words.number(min(day, status.question.days)),
                         of=words.number(status.question.days))  # fmt: skip
    return words.say("Beginning.") if not status.part else words.say(PART_NAMES.get(status.part, PART_NAMES["work"]))


def _track(words: Words, shown: Shown) -> dict[str, str]:
    question = shown.status.question
    return {"url": f"/api/v1/twin/runs/{question.run_id}/hours", "name": policy_name(words, question.policy)}


def _form_said(words: Words, text: str) -> str:
    """A text with its {names} left open, for the island to fill in."""
    names = [part.partition("}")[0] for part in text.split("{")[1:]]
    return words.say(text, **{name: "{" + name + "}" for name in names})


def _form_view(words: Words, desk: RunDesk, asked: Question, beside: str) -> dict[str, Any]:
    n_gpus = sum(kind.n_nodes * kind.n_gpus for kind in desk.site.nodes)
    sizes = [
        (one_in, words.say("all of it: {n} GPUs", n=words.number(n_gpus)) if one_in == 1 else
         words.say("one in {n}: {gpus} GPUs", n=words.number(one_in), gpus=words.number(n_gpus // one_in)))
        for one_in in sizes_of(desk.site)
    ]  # fmt: skip
    return {
        "sizes": [(one_in, text, one_in == asked.one_in) for one_in, text in sizes],
        "months": [(index + 1, name, index + 1 == asked.month) for index, name in enumerate(words.months("wide"))],
        "scenarios": [(name, words.say(SCENARIO_NAMES[name]), name == asked.scenario) for name in desk.scenarios],
        "policies": [(name, words.say(POLICY_NAMES[name]), name == asked.policy) for name in POLICIES],
        "besides": [(name, words.say(POLICY_NAMES[name]), name == beside) for name in POLICIES],
        "days": asked.days, "days_max": DAYS_MAX, "load": f"{100 * asked.load_frac:.6g}", "seed": asked.seed,
        "load_min": f"{100 * LOAD_FRACS[0]:g}", "load_max": f"{100 * LOAD_FRACS[1]:g}",
        "demand": f"{100 * asked.demand_of_supply:.6g}" if asked.demand_of_supply else "",
        "wind": f"{asked.wind_mw:.6g}", "pv": f"{asked.pv_mw:.6g}", "new_max": f"{NEW_MOST_MW:g}",
        "has_more": bool(asked.demand_of_supply) or asked.seed != EXAMPLE.seed,
    }  # fmt: skip


def _wrong(words: Words, error: ParkError) -> dict[str, str]:
    form = WRONG.get(error.code)
    if form is None or words.lang == "en":
        return {"text": error.line(), "lang": "en"}
    return {"text": words.say(form), "lang": words.tag_of(form)}


def _listed(words: Words, desk: RunDesk, status: RunStatus, first: Shown | None) -> dict[str, Any]:
    """A line of the list; a run of the same work under another policy may be put beside the one that is shown."""
    question, summary = status.question, desk.shelf.summary(status.question.run_id) if status.is_over else None
    is_here = first is not None and question.run_id == first.status.question.run_id
    can_compare = first is not None and not is_here and question.work_id == first.status.question.work_id
    beside = {"run": first.status.question.run_id, "beside": question.run_id} if first and can_compare else {}
    return {
        "link": "?" + urlencode({"run": question.run_id}),
        "work": work_told(words, status),
        "policy": policy_name(words, question.policy),
        "state": _state_word(words, status),
        "clean": words.percent(summary.figures.get("cfe_frac")) if summary else "–",
        "is_here": is_here,
        "beside": "?" + urlencode(beside) if beside else "",
    }


def _state_word(words: Words, status: RunStatus) -> str:
    names = {"waiting": N_("in line"), "running": N_("being played"), "stopping": N_("ending"), "done": N_("played"),
             "failed": N_("failed"), "stopped": N_("ended early")}  # fmt: skip
    return words.say(names[status.state])
