"""Run a job from the browser: a form with templates, a live quote with the best hours, the same as a line."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final
from urllib.parse import quote as url_quote

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.compute.core.site_room import SiteRoom
from eureka_park.compute.own_project import USUAL, may_send_to, with_project
from eureka_park.control.of_site import room_of
from eureka_park.data.service import SnapshotFile
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import Forbidden, NotFound, ParkError, Unauthorised, Unavailable
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.pages import job_templates, quotes
from eureka_park.web.pages.draw import page, part, words_of
from eureka_park.web.pages.form_errors import errors_shown
from eureka_park.web.pages.forms import TheForm
from eureka_park.web.pages.glossary import TERMS
from eureka_park.web.pages.submit_form import (
    SCRIPT_BYTES_MAX,
    TEXTS,
    Typed,
    header_of,
    line_of,
    quotable,
    request_from,
    typed_from,
    typed_like,
    typed_of,
    with_key,
)
from eureka_park.web.pages.words import Words, isolated

FIRST: Final = "hello"
JobId = Annotated[str, Query(alias="from", max_length=80, pattern=r"^[a-z0-9\[\]-]*$")]


def submit_page(
    request: Request, who: Anyone, template: Annotated[str, Query(max_length=40)] = "", like: JobId = ""
) -> HTMLResponse:
    """The form, filled in from a template or from an earlier job."""
    typed = _like(park_of(request), who, like) if like else _begin(template, park_of(request).facts.pace.factor)
    return _draw(request, who, typed)


def submit_quote(request: Request, who: Anyone, form: TheForm) -> HTMLResponse:
    """The quote and the line for what stands in the form now: the inside of #quote."""
    park, words, typed = park_of(request), words_of(request), typed_of(form)
    return part(request, "quote.html", is_part=True, **_asked(park, words, who, typed))


def submit_job(request: Request, who: Anyone, form: TheForm) -> Response:
    """Submit what stands in the form and go to the job; or show the form again with what is wrong beside each field."""
    park, typed = park_of(request), typed_of(form)
    if form.has("show"):
        return _draw(request, who, typed)
    asked, wrong = request_from(typed, park.clock.park_s())
    errors: dict[str, ParkError] = dict(wrong)
    if who is None:
        errors.setdefault("", Unauthorised("Nobody is signed in.", fix="Sign in, then send it.", code="no_token"))
    if not errors and who is not None:
        try:
            return RedirectResponse(f"/jobs/{url_quote(_send(park, who, typed, asked))}", 303)
        except ParkError as error:
            errors[_field_of(park, error, typed)] = error
    found = {error.http_status for error in errors.values()} & {401, 403, 503}
    return _draw(request, who, typed, errors, max(found, default=422))


def _send(park: Park, who: Principal, typed: Typed, asked: Mapping[str, Any]) -> str:
    """Keep the script as a snapshot, submit the job; the same form sent twice is one job."""
    asked = dict(asked)
    if "script" in asked:
        park.accounts.require(Act.SUBMIT, who, with_project(park.accounts, who, asked).get("project", USUAL))
        asked["snapshot_id"] = keep_script(park, typed)
    key = hashlib.sha256(f"{typed.key}:{content_id(asked)}".encode()).hexdigest() if typed.key else None
    return str(park.compute.submit(who, asked, key))


def keep_script(park: Park, typed: Typed) -> str:
    """The snapshot that holds the script, in the folder of the earlier job where there was one."""
    data = typed.script.encode("utf-8", "replace")
    sha256 = hashlib.sha256(data).hexdigest()
    files = [] if not typed.snapshot else [f for f in park.data.snapshot(typed.snapshot) if f.path != typed.file]
    park.data.put_blob(sha256, [data])
    done = park.data.commit_snapshot([*files, SnapshotFile(typed.file, sha256, len(data))])
    if done.snapshot_id is None:
        raise Unavailable("The folder of the earlier job is not whole any more.", fix="Send it anew.", code="lost_blob")
    return str(done.snapshot_id)


def _field_of(park: Park, error: ParkError, typed: Typed) -> str:
    """The field of the form that an error belongs to; the form as a whole where it is not shown."""
    name = {"class": "job_class", "dependencies": "script", "requires_python": "script"}.get(
        error.field or "", error.field or ""
    )
    if name.startswith("files["):
        name = "file"
    name = "script" if name == "command" and typed.is_script else name
    return name if name in TEXTS and name not in _left_out(room_of(park.site)) else ""


def _left_out(most: SiteRoom) -> frozenset[str]:
    """The fields that mean nothing on this site and are not drawn."""
    gpus = set() if most.n_gpus else {"gpus"}
    types = set() if len(most.gpu_types) > 1 else {"gpu_type"}
    gangs = set() if most.n_nodes > 1 else {"nodes", "min_nodes"}
    return frozenset(gpus | types | gangs)


# -- filling in --------------------------------------------------------------------------------------------------------
def _begin(template: str, pace_factor: float) -> Typed:
    offered = job_templates.templates()
    key = template if template in offered else FIRST
    return typed_from(offered[key], key, pace_factor)


def _like(park: Park, who: Principal | None, job_id: str) -> Typed:
    """The form filled in like an earlier job; with its script for those who could have sent it."""
    job = park.compute.job(who, job_id)
    try:
        snapshot_id = park.compute.snapshot_of(who, job_id) or ""
    except (Unauthorised, Forbidden):
        return typed_like(job, None, "")
    return typed_like(job, _script_in(park, snapshot_id, job["command"]), snapshot_id)


def _script_in(park: Park, snapshot_id: str, command: Sequence[str]) -> str | None:
    """The text of the script that a command starts, where it lies in the snapshot and can be shown in a form."""
    files = {item.path: item for item in park.data.snapshot(snapshot_id)} if snapshot_id else {}
    found = files.get(command[1]) if len(command) > 1 and command[0] in {"python", "sh"} else None
    if found is None or found.size_bytes > SCRIPT_BYTES_MAX:
        return None
    try:
        return park.data.blob_path(found.sha256).read_text("utf-8")
    except (UnicodeDecodeError, NotFound):
        return None


# -- drawing -----------------------------------------------------------------------------------------------------------
def _draw(
    request: Request,
    who: Principal | None,
    typed: Typed,
    errors: Mapping[str, ParkError] | None = None,
    status: int = 200,
) -> HTMLResponse:
    park, words = park_of(request), words_of(request)
    projects = _projects(park, words, who)
    typed = with_key(_at_home(typed, who, projects), secrets.token_urlsafe(18))
    most = room_of(park.site)
    return page(
        request,
        "submit.html",
        "/submit",
        status,
        typed=typed,
        is_part=False,
        offered=[(key, *job_templates.NAMES[key], key == typed.template) for key in job_templates.templates()],
        tiers=_tiers(park, words),
        most={"cpus": words.number(most.n_cpus), "memory": words.size(most.memory_bytes), "gpus": most.n_gpus_gang},
        gpu_types=most.gpu_types,
        left_out=_left_out(most),
        projects=projects,
        has_nowhere=who is not None and not projects,
        errors=errors_shown(words, errors or {}, most),
        is_failed=bool(errors),
        n_beside=_beside(park, typed),
        **_asked(park, words, who, typed),
    )


def _beside(park: Park, typed: Typed) -> int:
    """How many files of the earlier job's folder lie beside the script."""
    try:
        files = park.data.snapshot(typed.snapshot) if typed.snapshot else ()
    except NotFound:
        return 0
    return sum(item.path != typed.file for item in files)


def _tiers(park: Park, words: Words) -> list[dict[str, str]]:
    """The three promises with their price of machine time."""
    prices = park.site.prices.mad_per_cpu_h
    return [
        {
            "id": tier,
            "promise": words.say(TERMS[tier][1]),
            "price": words.say("{credits} credits a CPU-hour, and energy", credits=words.number(getattr(prices, tier))),
        }
        for tier in quotes.TIERS
    ]


def _projects(park: Park, words: Words, who: Principal | None) -> list[tuple[str, str]]:
    """Where somebody may send jobs, in the order in which they would; for a visitor what everybody sees."""
    seen = {item.project_id: item for item in park.accounts.projects(who)}
    names = list(seen) if who is None else may_send_to(park.accounts, who)
    return [(name, words.name(seen[name].title or name)) for name in names]


def _at_home(typed: Typed, who: Principal | None, projects: Sequence[tuple[str, str]]) -> Typed:
    """Where no project is named and the usual one is not open to somebody, the first that is."""
    names = [project_id for project_id, _ in projects]
    if who is None or typed.project or not names or USUAL in names:
        return typed
    return replace(typed, project=names[0])


def _asked(park: Park, words: Words, who: Principal | None, typed: Typed) -> dict[str, Any]:
    """The quote, the packages that the script names, and the line; what is missing says why in words."""
    now_s = park.clock.park_s()
    asked, wrong = request_from(typed, now_s)
    error: ParkError | None = next(iter(wrong.values()), None)
    quoted = None
    if error is None:
        try:
            quoted = _quoted(park, words, who, asked)
        except ParkError as refused:
            error = refused
    shown = errors_shown(words, {"": error}, room_of(park.site)) if error else {}
    header = () if "script" in wrong else header_of(typed).dependencies
    line = "" if "script" in wrong or "command" in wrong else line_of(asked)
    return {
        "quote": quoted,
        "no_quote": shown.get(""),
        "packages": header,
        "line": line,
        "words_file": isolated(typed.file),
        "is_script": typed.is_script,
    }


def _quoted(park: Park, words: Words, who: Principal | None, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """What compute answers, for the page; None where this park makes no quotes."""
    try:
        answer = park.compute.quote(who, quotable(asked))
    except NotFound as error:
        if error.code == "no_quotes":
            return None
        raise
    return quotes.quote_context(park, words, answer)
