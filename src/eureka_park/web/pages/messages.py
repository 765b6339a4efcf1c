"""What pages say when something is wrong: errors in words, without a connection, during maintenance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from eureka_park.foundation.errors import ParkError
from eureka_park.web.assets import BUILT
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.words import N_

_HEADLINES: Final[Mapping[int, str]] = {
    401: N_("You are not signed in."),
    403: N_("This is not yours to do."),
    404: N_("There is nothing here."),
    405: N_("This address takes no such request."),
    409: N_("That does not fit what is there now."),
    413: N_("That is too large."),
    422: N_("That could not be read."),
    500: N_("Something in the park went wrong."),
    503: N_("Not now."),
}
# What to do, by the code of the error; any other error tells its own English words.
_ADVICE: Final[Mapping[str, str]] = {
    "not_found": N_("The address may have been mistyped, or what stood here has been moved. Start from the overview."),
    "no_such_job": N_("This job is not there, or you may not see it. The list shows those that you may."),
    "no_token": N_("Open the link that `park up` printed, or ask the operator for one."),
    "bad_sign_in_link": N_(
        "The link has been used or has grown old. "
        "The command that starts the park prints a new one, also while it runs."
    ),
    "cross_site": N_("The request came from another site. Use the park's own pages."),
    "internal": N_("Try again in a moment. If it stays, tell the operator the number of the request below."),
    "no_browser": N_("The park’s machine has no browser that prints. Take the CSV."),
    "printer_busy": N_("Other papers are being printed. Try again in a few seconds."),
    "method_not_allowed": N_("Go back and use the page's own buttons."),
}


def error_page(request: Request, error: ParkError) -> Response:
    """An error for people: what it is, what to do, and the number under which it is logged."""
    advice = _ADVICE.get(error.code)
    return page(
        request,
        "message.html",
        status=error.http_status,
        headline=_HEADLINES.get(error.http_status, _HEADLINES[500]),
        advice=advice,
        text="" if advice and error.code != "no_such_job" else f"{error.message} {error.fix}".strip(),
        until="",
        request_id=str(getattr(request.state, "request_id", "")),
    )


def offline(request: Request) -> HTMLResponse:
    """What the browser shows when the park cannot be reached; it keeps this page for that."""
    return page(
        request,
        "message.html",
        headline=N_("The park cannot be reached."),
        advice=N_("Jobs that run go on without you. Try again in a moment."),
        text="",
        until="",
        request_id="",
    )


def maintenance_page(request: Request, note: Mapping[str, Any]) -> HTMLResponse:
    """The operator is at work: what they say, and until when."""
    words = words_of(request)
    until_s = note.get("until_s")
    advice = N_("Jobs that run go on. Come back in a little while.")
    answer = page(
        request,
        "message.html",
        status=503,
        headline=N_("The park is being looked after."),
        advice=advice,
        text=str(note.get("message", "")),
        until=words.when(until_s) if until_s else "",
        request_id="",
    )
    answer.headers["Retry-After"] = "60"
    return answer


def service_worker(_request: Request) -> Response:
    """The small program that shows the page above; always fresh, so that a new version takes over at once."""
    return FileResponse(BUILT / "sw.js", media_type="text/javascript", headers={"Cache-Control": "no-cache"})
