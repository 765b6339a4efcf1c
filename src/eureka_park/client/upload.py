"""Sending files: say what there is, send what is missing, have it confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from eureka_park.client.folder import Listing
from eureka_park.client.transport import Transport, patiently
from eureka_park.client.views import Sent, SnapshotAnswer, Upload
from eureka_park.foundation.errors import BadInput, Conflict, ParkError

Told = Callable[[Sent], None]


def send(
    transport: Transport, listing: Listing, *, first_s: float, lost_s: float, told: Told = lambda _sent: None
) -> Upload:
    """Make a snapshot of the listed files; only blobs the park lacks travel. Every step may be repeated.

    `told` hears how far it is.
    """
    told(Sent(len(listing.files), 0, 0))
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
        missing = [sha256 for sha256 in answer["missing"] if sha256 in sources]
        count = _Count(len(described), sum(sources[sha256][1] for sha256 in missing), told)
        for sha256 in answer["missing"]:
            _put(transport, sha256, sources, count, first_s=first_s, lost_s=lost_s)
            sent.add(sha256)
        answer = patiently(commit, first_s=first_s, lost_s=lost_s)
    raise Conflict(
        "The park keeps asking for files that were sent.", fix="Try again; if it stays so, look at the park's log."
    )


@dataclass
class _Count:
    """Bytes that have arrived, and those of the file that is on its way."""

    n_files: int
    size_bytes: int
    told: Told
    done_bytes: int = 0

    def hear(self, part_bytes: int) -> None:
        self.told(Sent(self.n_files, self.size_bytes, min(self.size_bytes, self.done_bytes + part_bytes)))


def _put(
    transport: Transport,
    sha256: str,
    sources: dict[str, tuple[Path, int]],
    count: _Count,
    *,
    first_s: float,
    lost_s: float,
) -> None:
    if sha256 not in sources:
        raise Conflict("The park asks for a file that was not listed.", fix="Check that PARK_URL names a park.")
    source = sources[sha256][0]

    def put() -> Any:
        transport.put_file(f"/blobs/{sha256}", source, count.hear)

    try:
        patiently(put, first_s=first_s, lost_s=lost_s)
        count.done_bytes += sources[sha256][1]
        count.hear(0)
    except ParkError as error:
        if error.code != "hash_mismatch":
            raise
        raise BadInput(
            f"{source} changed while it was being sent.", fix="Submit again when it is still.", code="hash_mismatch"
        ) from None
    except OSError as error:
        raise BadInput(f"{source} cannot be read: {error.strerror}.", fix="Submit again.") from None
