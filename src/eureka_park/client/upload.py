"""Sending files: say what there is, send what is missing, have it confirmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from eureka_park.client.folder import Listing
from eureka_park.client.transport import Transport, patiently
from eureka_park.client.views import SnapshotAnswer, Upload
from eureka_park.foundation.errors import BadInput, Conflict, ParkError


def send(transport: Transport, listing: Listing, *, first_s: float, lost_s: float) -> Upload:
    """Make a snapshot of the listed files; only blobs the park lacks travel. Every step may be repeated."""
    described = [file.described() for file in listing.files]
    sources = {
        item["sha256"]: (file.source, item["size_bytes"]) for file, item in zip(listing.files, described, strict=True)
    }

    def commit() -> SnapshotAnswer:
        return cast(SnapshotAnswer, transport.json("POST", "/snapshots", body={"files": described}))

    sent: set[str] = set()
    answer = patiently(commit, first_s=first_s, lost_s=lost_s)
    # A second round covers blobs that the park cleared away between two questions.
    for _ in range(3):
        if answer["snapshot_id"]:
            return Upload(
                snapshot_id=answer["snapshot_id"],
                n_files=len(described),
                size_bytes=sum(item["size_bytes"] for item in described),
                sent_files=len(sent),
                sent_bytes=sum(sources[sha256][1] for sha256 in sent),
                not_sent=listing.not_sent,
            )
        for sha256 in answer["missing"]:
            _put(transport, sha256, sources, first_s=first_s, lost_s=lost_s)
            sent.add(sha256)
        answer = patiently(commit, first_s=first_s, lost_s=lost_s)
    raise Conflict(
        "The park keeps asking for files that were sent.", fix="Try again; if it stays so, look at the park's log."
    )


def _put(
    transport: Transport, sha256: str, sources: dict[str, tuple[Path, int]], *, first_s: float, lost_s: float
) -> None:
    if sha256 not in sources:
        raise Conflict("The park asks for a file that was not listed.", fix="Check that PARK_URL names a park.")
    source = sources[sha256][0]

    def put() -> Any:
        transport.put_file(f"/blobs/{sha256}", source)

    try:
        patiently(put, first_s=first_s, lost_s=lost_s)
    except ParkError as error:
        if error.code != "hash_mismatch":
            raise
        raise BadInput(
            f"{source} changed while it was being sent.", fix="Submit again when it is still.", code="hash_mismatch"
        ) from None
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror}.", fix="Submit again.") from None
