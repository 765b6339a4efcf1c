"""Folders on their way in: which blobs are missing, the blobs, the snapshot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.web import schemas
from eureka_park.web.auth import Someone, ThePark
from eureka_park.web.doors.streams import take_in

router = APIRouter(tags=["snapshots"], responses=schemas.ERRORS)
Sha256 = Annotated[str, Path(max_length=64, pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex")]


@router.post("/snapshots", response_model=schemas.SnapshotAnswer, operation_id="make_snapshot")
def make_snapshot(park: ThePark, who: Someone, body: schemas.SnapshotRequest) -> dict[str, Any]:
    """Name the files of a folder: the blobs to send, or the snapshot once none is missing."""
    files = [SnapshotFile(item.path, item.sha256, item.size_bytes, item.mode) for item in body.files]
    done = park.data.commit_snapshot(files)
    return {"snapshot_id": done.snapshot_id, "missing": list(done.missing)}


@router.put("/blobs/{sha256}", status_code=204, response_class=Response, operation_id="put_blob")
async def put_blob(request: Request, park: ThePark, who: Someone, sha256: Sha256) -> Response:
    """Send a blob; it is kept only if its bytes have that hash."""
    await take_in(request, lambda pieces: park.data.put_blob(sha256, pieces), by=who.person_id)
    return Response(status_code=204)
