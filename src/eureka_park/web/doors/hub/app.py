"""The door as an application of its own below /hub: its routes, and errors in the form of the hub."""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from eureka_park.foundation.errors import Internal, NotFound, ParkError
from eureka_park.web.doors.hub import (
    buckets,
    committing,
    fetching,
    files,
    jobs,
    keeping,
    links,
    looking,
    sending,
    stock,
)
from eureka_park.web.doors.hub.asking import PREFIX, refusal

_log = logging.getLogger("eureka_park.web")
_R: Final = "/api/{kinds}/{project}/{name}"
_JOBS: Final = "/api/jobs/{project}"
_BUCKET: Final = "/api/buckets/{project}/{name}"
_PAGES: Final = ("", "/commit/{commit_id}", "/tree/{rest:path}")
ROUTES: Final[tuple[tuple[str, str, Any], ...]] = (
    ("GET", "/api/whoami-v2", looking.whoami),
    ("POST", "/api/validate-yaml", looking.validate_yaml),
    ("POST", "/api/repos/create", keeping.create),
    ("DELETE", "/api/repos/delete", keeping.delete),
    ("POST", "/api/repos/move", keeping.move),
    ("GET", "/api/settings/repositories", stock.of_mine),
    ("GET", "/api/organizations/{project}/settings/repositories", stock.of_project),
    ("GET", "/api/jobs/hardware", jobs.hardware),
    ("GET", f"{_JOBS}", jobs.jobs),
    ("POST", f"{_JOBS}", jobs.submit),
    ("GET", f"{_JOBS}/{{job_id}}", jobs.job),
    ("POST", f"{_JOBS}/{{job_id}}/cancel", jobs.cancel),
    ("GET", f"{_JOBS}/{{job_id}}/logs", jobs.log),
    ("GET", "/jobs/{project}/{job_id}", links.job),
    ("POST", f"{_BUCKET}", buckets.make),
    ("GET", f"{_BUCKET}", buckets.info),
    ("GET", f"{_BUCKET}/xet-write-token", buckets.token),
    ("POST", f"{_BUCKET}/batch", buckets.batch),
    ("GET", "/api/{kinds}", looking.repositories),
    ("GET", _R, looking.info),
    ("GET", f"{_R}/revision/{{rest:path}}", looking.info_at),
    ("GET", "/api/datasets/{project}/{name}/croissant", looking.croissant),
    ("GET", f"{_R}/refs", looking.refs),
    ("GET", f"{_R}/commits/{{rest:path}}", looking.commits),
    ("GET", f"{_R}/tree/{{rest:path}}", looking.tree),
    ("POST", f"{_R}/paths-info/{{rest:path}}", looking.paths_info),
    ("PUT", f"{_R}/settings", keeping.settings),
    ("GET", f"{_R}/auth-check", keeping.auth_check),
    ("GET", f"{_R}/auth-check/write", keeping.auth_check_write),
    ("POST", f"{_R}/branch/{{rest:path}}", keeping.add_branch),
    ("DELETE", f"{_R}/branch/{{rest:path}}", keeping.drop_branch),
    ("POST", f"{_R}/tag/{{rest:path}}", keeping.add_tag),
    ("DELETE", f"{_R}/tag/{{rest:path}}", keeping.drop_tag),
    ("POST", f"{_R}/super-squash/{{rest:path}}", keeping.squash),
    ("POST", f"{_R}/user-access-request/handle", keeping.answer),
    ("POST", f"{_R}/user-access-request/grant", keeping.answer),
    ("GET", f"{_R}/user-access-request/{{state}}", keeping.requests),
    ("POST", f"{_R}/preupload/{{rest:path}}", committing.preupload),
    ("POST", f"{_R}/commit/{{rest:path}}", committing.commit),
    ("GET", f"{_R}/xet-write-token/{{rest:path}}", sending.xet_token),
    ("GET", f"{_R}/xet-read-token/{{rest:path}}", fetching.read_token),
    ("POST", "/datasets/{project}/{name}.git/info/lfs/objects/batch", sending.batch_dataset),
    ("POST", "/{project}/{name}.git/info/lfs/objects/batch", sending.batch_model),
    ("PUT", "/lfs/{token}", sending.put_object),
    ("POST", "/lfs/{token}", sending.end_object),
    ("GET", "/xet/v1/chunks/{prefix}/{digest}", sending.find_chunk),
    ("POST", "/xet/v1/xorbs/{prefix}/{digest}", sending.put_pack),
    ("POST", "/xet/v1/shards", sending.put_shard),
    ("GET", "/xet/v1/reconstructions/{digest}", fetching.rebuild_v1),
    ("GET", "/xet/v2/reconstructions/{digest}", fetching.rebuild_v2),
    ("GET", "/xet/packs/{token}", fetching.get_pack),
    ("GET", "/datasets/{project}/{name}/resolve/{rest:path}", files.resolve_dataset),
    ("HEAD", "/datasets/{project}/{name}/resolve/{rest:path}", files.resolve_dataset),
    ("GET", "/{project}/{name}/resolve/{rest:path}", files.resolve_model),
    ("HEAD", "/{project}/{name}/resolve/{rest:path}", files.resolve_model),
    ("POST", "/datasets/{project}/{name}/ask-access", keeping.ask_in_dataset),
    ("POST", "/{project}/{name}/ask-access", keeping.ask_in_model),
    ("GET", "/buckets/{project}/{name}", links.dataset),
    *(("GET", f"/datasets/{{project}}/{{name}}{rest}", links.dataset) for rest in _PAGES),
    *(("GET", f"/{{project}}/{{name}}{rest}", links.model) for rest in _PAGES),
)


def add_hub_door(park_app: FastAPI) -> None:
    """Open the door: it knows what the park's application knows."""
    door = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    door.state = park_app.state
    for method, path, call in ROUTES:
        door.add_api_route(path, call, methods=[method], response_model=None)

    @door.exception_handler(ParkError)
    async def park_error(request: Request, error: ParkError) -> Response:
        if isinstance(error, Internal):
            _log.error("%s %s: %s", request.method, request.url.path, error.message)
        answer = refusal(error)
        if error.code == "disk_full" and "/xet/" in request.url.path:
            answer.status_code = 413  # who sends packs tries a 5xx again for five minutes before telling of it
        return answer

    @door.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        missing = NotFound(f"There is nothing at {request.url.path[:200]}.", fix="See the guide of the hub door.")
        answered = refusal(missing)
        answered.status_code = error.status_code
        return answered

    park_app.mount(PREFIX, door)
