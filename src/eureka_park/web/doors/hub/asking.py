"""What every route of the door shares: who asks, about what, the door's own address, signed words, errors."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park, key_of
from eureka_park.data.core.repository import Repository
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput, NotFound, ParkError, Unauthorised
from eureka_park.web.auth import limits_of, park_of, url_of
from eureka_park.web.errors import headers_of

PREFIX: Final = "/hub"
KINDS: Final = {"models": "model", "datasets": "dataset"}
ADDRESS: Final = {"model": "", "dataset": "datasets/"}
FILE_WEIGHT: Final = 0.1  # a file of many counts for less than a question: clients bring thousands home at once
_DIGEST_CHARS: Final = 43
_STATUS: Final = {"disk_full": 507, "parent_changed": 412, "no_such_blob": 400}
_CODES: Final = {
    "no_such_repository": "RepoNotFound", "no_such_project": "RepoNotFound", "no_such_revision": "RevisionNotFound",
    "no_such_entry": "EntryNotFound", "gated": "GatedRepo",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: the park, who asks (None: nobody), and the pieces of its path after the door's own prefix."""

    request: Request
    park: Park
    who: Principal | None
    path: tuple[str, ...]

    def find(self, want: Want, kinds: str, project_id: str, name: str) -> Repository:
        """The repository that the path names. Raises as the service does."""
        kind = KINDS.get(kinds)
        if kind is None:
            raise NotFound(f"There are no {kinds[:40]} here.", fix="Use models or datasets.", code="no_such_repository")
        return self.park.data.repositories.find(want, self.who, kind, project_id, name)

    def base(self) -> str:
        """The door's address as the client knows it."""
        return f"{url_of(self.request)}{PREFIX}"

    def someone(self) -> Principal:
        """Who asks. Raises Unauthorised for nobody."""
        if self.who is None:
            raise Unauthorised("Nobody is signed in.", fix="Set HF_TOKEN to a token of this park.", code="no_token")
        return self.who


def asked_of(request: Request) -> Asked:
    """Read a request. Raises Unauthorised for a wrong token, RateLimited. The door takes tokens, never cookies."""
    park = park_of(request)
    return Asked(request, park, _who(request, park), path_of(request))


def path_of(request: Request) -> tuple[str, ...]:
    """The pieces of the path, each decoded by itself: a branch may hold a slash."""
    raw = bytes(request.scope.get("raw_path") or request.scope["path"].encode()).decode("ascii", "replace")
    pieces = raw.partition("?")[0].strip("/").split("/")
    return tuple(unquote(piece, errors="replace") for piece in pieces[1:])


def rest(asked: Asked, n_before: int) -> tuple[str, str]:
    """A revision, and the path behind it, after so many pieces."""
    pieces = asked.path[n_before:]
    return (pieces[0] if pieces else ""), "/".join(pieces[1:])


def _who(request: Request, park: Park) -> Principal | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not kind:
        return None
    if kind.lower() != "bearer":
        raise bad_token()
    try:
        who = park.accounts.principal_of_token(token.strip())
    except Unauthorised:
        raise bad_token() from None
    weight = FILE_WEIGHT if "/resolve/" in request.url.path else 1.0
    limits_of(request).take("token", who.token_id, weight)
    return who


def bad_token() -> Unauthorised:
    """In the very words by which clients tell a wrong token from a missing repository."""
    return Unauthorised("Invalid credentials in Authorization header", code="bad_token")


# -- signed words ------------------------------------------------------------------------------------------------------
def signed(park: Park, purpose: str, words: dict[str, Any], ttl_s: float) -> str:
    """Words that come back unchanged, for one purpose and a while."""
    until_s = park.clock.real_s() + ttl_s
    text = json.dumps({**words, "until_s": round(until_s)}, separators=(",", ":"))
    body = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return f"{body}.{_signature(park, purpose, body)}"


def read_signed(park: Park, purpose: str, text: str) -> dict[str, Any]:
    """What was signed. Raises Unauthorised for anything else, and when its time is over."""
    body, _, signature = text.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(park, purpose, body).encode()):
        raise bad_token()
    words: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if words["until_s"] < park.clock.real_s():
        raise bad_token()
    return words


def _signature(park: Park, purpose: str, body: str) -> str:
    digest = hmac.new(key_of(park.home), f"hub {purpose}\0{body}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode()[:_DIGEST_CHARS]


# -- answers -----------------------------------------------------------------------------------------------------------
def refusal(error: ParkError, commit_id: str = "") -> Response:
    """An error as clients of the hub know it: a code in a header makes their own exception of it."""
    status = _STATUS.get(error.code, 400 if error.http_status == 422 else error.http_status)
    said = error.line().encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")
    headers = {"X-Error-Message": said[:1000], **headers_of(error)}
    if error.code in _CODES:
        headers["X-Error-Code"] = _CODES[error.code]
    if commit_id:
        headers["X-Repo-Commit"] = commit_id
    return JSONResponse({"error": said}, status, headers)


def json_object(content: bytes) -> dict[str, Any]:
    """A JSON object. Raises BadInput."""
    try:
        value = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise BadInput("The body is no JSON object.", fix="Send one.", code="bad_json")
    return value


def text_of(value: dict[str, Any], name: str, otherwise: str = "") -> str:
    """A text of a JSON object. Raises BadInput for something else."""
    found = value.get(name)
    if found is None:
        return otherwise
    if not isinstance(found, str):
        raise BadInput(f"'{name}' is no text.", fix="Send a text.", field=name)
    return found
