"""The door as an application of its own: who asks, which operation, and errors in the form of S3."""

from __future__ import annotations

import inspect
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, cast

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from eureka_park.accounts.service import Asked as AskedFrom
from eureka_park.accounts.service import asked as asked_from
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import Internal, ParkError
from eureka_park.web.doors.s3 import answers, buckets, listing, parts, reading, writing
from eureka_park.web.doors.s3.asking import Asked, door_hosts, query_of, sent_of, target_of
from eureka_park.web.doors.s3.faults import Fault
from eureka_park.web.doors.s3.signing import Sent, claim_of, encoded, prove
from eureka_park.web.hosts import network_of
from eureka_park.web.limits import Limits

_log = logging.getLogger("eureka_park.web")

Operation: TypeAlias = Callable[[Asked], Response] | Callable[[Asked], Awaitable[Response]]
WEIGHT: Final = 0.1  # of a request beside one of the API: clients ask once or more for each file
ON_BUCKET: Final[Mapping[tuple[str, str], Operation]] = {
    ("PUT", ""): buckets.create,
    ("HEAD", ""): buckets.head,
    ("GET", ""): listing.files,
    ("DELETE", ""): buckets.delete,
    ("GET", "location"): buckets.location,
    ("GET", "versions"): listing.versions,
    ("GET", "versioning"): buckets.versioning,
    ("PUT", "versioning"): buckets.set_versioning,
    ("GET", "lifecycle"): buckets.get_lifecycle,
    ("PUT", "lifecycle"): buckets.set_lifecycle,
    ("DELETE", "lifecycle"): buckets.drop_lifecycle,
    ("GET", "tagging"): buckets.tags,
    ("PUT", "tagging"): buckets.set_tags,
    ("DELETE", "tagging"): buckets.drop_tags,
    ("GET", "acl"): buckets.acl,
    ("GET", "uploads"): parts.uploads,
    ("POST", "delete"): writing.delete_many,
}
ON_FILE: Final[Mapping[tuple[str, str], Operation]] = {
    ("GET", ""): reading.get,
    ("HEAD", ""): reading.get,
    ("PUT", ""): writing.put,
    ("PUT", "copy"): writing.copy,
    ("DELETE", ""): writing.delete,
    ("GET", "tagging"): reading.tags,
    ("PUT", "tagging"): writing.set_tags,
    ("DELETE", "tagging"): writing.drop_tags,
    ("GET", "acl"): buckets.acl,
    ("GET", "attributes"): reading.attributes,
    ("POST", "uploads"): parts.create,
    ("GET", "uploadId"): parts.parts,
    ("PUT", "uploadId"): parts.put_part,
    ("PUT", "uploadId copy"): parts.copy_part,
    ("POST", "uploadId"): parts.complete,
    ("DELETE", "uploadId"): parts.abort,
}
# What addresses may ask of a bucket or a file on S3; a parameter that is not among them changes no operation.
_PARTS: Final = (
    "uploadId", "uploads", "acl", "delete", "lifecycle", "location", "tagging", "versioning", "versions", "attributes",
    "accelerate", "analytics", "cors", "encryption", "intelligent-tiering", "inventory", "legal-hold", "logging",
    "metadataTable", "metadataConfiguration", "metrics", "notification", "object-lock", "ownershipControls", "policy",
    "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention",
    "select", "session", "torrent", "website", "abac",
)  # fmt: skip
_SHARING: Final = {  # what a page elsewhere may do with an address that was signed for it; there is nothing else to use
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "*",
}
_PREFLIGHT: Final = {
    **_SHARING,
    "Access-Control-Allow-Methods": "GET, PUT, HEAD, POST, DELETE",
    "Access-Control-Max-Age": "3600",
    "Vary": "Origin, Access-Control-Request-Headers",
}


class S3Door:
    """Serves buckets of one park. `limits`: those of the web process, so that one counts the same at every door."""

    def __init__(self, park: Park, limits: Limits) -> None:
        self._park, self._limits, self._hosts = park, limits, door_hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        request_id, address = secrets.token_hex(8).upper(), (scope.get("client") or ("",))[0]
        asked_from.set(AskedFrom(request_id, address))

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-amz-request-id"] = request_id
                headers["x-amz-id-2"] = request_id
                if "origin" in request.headers:
                    headers.update(_SHARING)
            await send(message)

        answer = await self._answer(request, address, request_id)
        await answer(scope, receive, send_named)

    async def _answer(self, request: Request, address: str, request_id: str) -> Response:
        try:
            self._limits.take("address", network_of(address), WEIGHT)
            if request.method == "OPTIONS":
                return _preflight(request)
            sent = sent_of(request)
            asked = await run_in_threadpool(self._asked, request, sent)
            operation = _operation(asked)
            if inspect.iscoroutinefunction(operation):
                streamed: Response = await operation(asked)
                return streamed
            return await run_in_threadpool(cast(Callable[[Asked], Response], operation), asked)
        except ParkError as error:
            if isinstance(error, Internal):
                _log.error("%s %s: %s", request.method, request.url.path, error.message)
            fault = answers.fault_of(error)
            if fault.code == "PreconditionFailed" and not fault.told:
                fault.told["Condition"] = "If-None-Match" if "if-none-match" in request.headers else "If-Match"
            return _refused(request, fault, request_id)
        except Exception as error:
            _log.exception("request %s", request_id, exc_info=error)
            fault = Fault("InternalError", "We encountered an internal error. Please try again.")
            return _refused(request, fault, request_id)

    def _asked(self, request: Request, sent: Sent) -> Asked:
        """Who asks, once the signature holds. Raises Fault, RateLimited."""
        park = self._park
        claim = claim_of(sent, park.clock.real_s())
        if claim is None:
            raise Fault("AccessDenied", "Access Denied: nobody reads here without a key's signature.")
        query = query_of(sent)
        if "x-amz-security-token" in {name for name, _ in sent.headers} or "X-Amz-Security-Token" in query:
            raise Fault("InvalidToken", "There are no session tokens here.")
        try:
            key = park.data.files.keys.key_of(claim.key_id)
        except ParkError:
            raise Fault(
                "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
            ) from None
        proof = prove(sent, claim, key.secret)
        self._limits.take("token", key.access_key_id, WEIGHT)
        note = park.maintenance()
        if note is not None and not key.principal.is_operator and request.method not in ("GET", "HEAD"):
            raise Fault("ServiceUnavailable", str(note.get("message") or "The park is being looked after."))
        park.data.files.keys.used(key)
        asked = Asked(
            request, park, sent, target_of(sent, self._hosts), query, key.principal, key.project_id, claim.key_id, proof
        )
        buckets.check_owner(asked)
        return asked


def _operation(asked: Asked) -> Operation:
    """What is asked for. Raises Fault for what the door does not do."""
    method, target = asked.sent.method, asked.target
    part = next((name for name in _PARTS if name in asked.query), "")
    if not target.bucket:
        if method == "GET" and not part:
            return buckets.list_buckets
        raise Fault("MethodNotAllowed", "The specified method is not allowed against this resource.")
    if target.key and method == "PUT" and asked.header("x-amz-copy-source"):
        part = f"{part} copy".strip()
    found = (ON_FILE if target.key else ON_BUCKET).get((method, part))
    if found is None:
        what = f"{method} of a {'file' if target.key else 'bucket'}{f' with {part}' if part else ''}"
        raise Fault("NotImplemented", f"The door does not do this: {what[:200]}.")
    return found


def _preflight(request: Request) -> Response:
    """Whether a page elsewhere may send what it wants to: it may, as only a signature opens anything here."""
    wanted = request.headers.get("access-control-request-headers", "")
    allowed = {"Access-Control-Allow-Headers": wanted} if wanted and wanted.isprintable() else {}
    return answers.nothing(200, {**_PREFLIGHT, **allowed})


def _refused(request: Request, fault: Fault, request_id: str) -> Response:
    resource = encoded(request.scope["path"].encode("utf-8", "replace"), keep_slash=True)  # a key may be no XML
    return answers.refusal(fault, resource, request_id, has_body=request.method != "HEAD")
