"""What a job reads and makes, on its page: versions with their places, and outputs that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse

from eureka_park.accounts.service import Principal
from eureka_park.compute.service import ENDED_NAMES
from eureka_park.web.api.job_logs import JobIdPath
from eureka_park.web.auth import Someone, park_of
from eureka_park.web.pages.words import N_, Words

_STATES: Final[Mapping[str, str]] = {
    "pending": N_("committed when it has finished"),
    "due": N_("being committed"),
    "waiting": N_("not committed yet"),
    "committed": N_("committed"),
    "none": N_("not committed: it did not finish"),
}
_SHORT: Final = 12


def data_of(words: Words, job: Mapping[str, Any], who: Principal | None) -> dict[str, Any]:
    """The inputs and outputs of a job's view for its page; what its reader may not know of has no name."""
    inputs = [{**_named(one), "path": one["path"], "mount": one["mount"]} for one in job["inputs"]]
    outputs = [
        {**_named(one), "state": words.say(_STATES[one["state"]]), "text": f"{one['text']} {one['fix']}".strip()}
        for one in job["outputs"]
    ]
    is_open = any(one["state"] in ("waiting", "none") for one in job["outputs"])
    is_over = job["state"] in ENDED_NAMES and job["task_states"] is None
    return {"inputs": inputs, "outputs": outputs, "can_commit": who is not None and is_over and is_open}


def _named(one: Mapping[str, Any]) -> dict[str, Any]:
    if not one["name"]:
        return {"name": "", "link": "", "commit": ""}
    name, commit_id = f"{one['project']}/{one['name']}", one["commit_id"] or ""
    place = "/".join(quote(piece, safe="") for piece in (f"{one['kind']}s", one["project"], one["name"]))
    return {"name": name, "link": f"/data/{place}/tree/{commit_id}" if commit_id else "", "commit": commit_id[:_SHORT]}


def commit_outputs(request: Request, who: Someone, job_id: JobIdPath) -> RedirectResponse:
    """Have a job's outputs committed after all, then back to its page."""
    park_of(request).compute.commit_outputs(who, job_id)
    return RedirectResponse(f"/jobs/{quote(job_id)}#data", 303)
