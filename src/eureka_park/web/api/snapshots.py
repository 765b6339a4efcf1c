"""Folders on their way in: which blobs are missing, the blobs, the snapshot."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from eureka_park.bootstrap import Park
from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.foundation.errors import BadInput
from eureka_park.web import schemas
from eureka_park.web.auth import Someone, ThePark

router = APIRouter(tags=["snapshots"], responses=schemas.ERRORS)
Sha256 = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex")]
_uploads = asyncio.Semaphore(12)  # each holds a thread while its sender sends; the rest of the API needs some too
_PATIENCE_S: Final = 30.0
_WAITING_CHUNKS: Final = 8  # what an upload may hold in memory before its sender must wait


@router.post("/snapshots", response_model=schemas.SnapshotAnswer, operation_id="make_snapshot")
def make_snapshot(park: ThePark, who: Someone, body: schemas.SnapshotRequest) -> dict[str, Any]:
    """Name the files of a folder: the blobs to send, or the snapshot once none is missing."""
    files = [SnapshotFile(item.path, item.sha256, item.size_bytes, item.mode) for item in body.files]
    done = park.data.commit_snapshot(files)
    return {"snapshot_id": done.snapshot_id, "missing": list(done.missing)}


@router.put("/blobs/{sha256}", status_code=204, response_class=Response, operation_id="put_blob")
async def put_blob(request: Request, park: ThePark, who: Someone, sha256: Sha256) -> Response:
    """Send a blob; it is kept only if its bytes have that hash."""
    async with _uploads:
        return await _take_in(request, park, sha256)


async def _take_in(request: Request, park: Park, sha256: str) -> Response:
    chunks: queue.Queue[bytes | Exception | None] = queue.Queue(_WAITING_CHUNKS)
    keeper = asyncio.create_task(run_in_threadpool(park.data.put_blob, sha256, _taken(chunks)))
    try:
        async for chunk in request.stream():
            if chunk and not await _hand_over(chunks, chunk, keeper):
                break
        await _hand_over(chunks, None, keeper)
    except ClientDisconnect:
        broken = BadInput("The upload broke off.", fix="Send it again.", code="upload_broken")
        await _hand_over(chunks, broken, keeper)
    await keeper
    return Response(status_code=204)


async def _hand_over(
    chunks: queue.Queue[bytes | Exception | None], item: bytes | Exception | None, keeper: asyncio.Task[None]
) -> bool:
    """Give one piece to the writing thread; False when that has ended, done or failed."""
    while not keeper.done():
        try:
            chunks.put_nowait(item)
            return True
        except queue.Full:
            await asyncio.sleep(0.002)
    return False


def _taken(chunks: queue.Queue[bytes | Exception | None]) -> Iterator[bytes]:
    while True:
        try:
            item = chunks.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise BadInput("The upload stood still.", fix="Send it again.", code="upload_broken") from None
        if item is None:
            return
        if isinstance(item, Exception):
            raise item
        yield item
