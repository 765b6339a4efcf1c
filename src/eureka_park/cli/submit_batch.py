"""Sending the jobs of one file: all of them, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eureka_park.cli.output import park
from eureka_park.client.batch_file import BatchJob
from eureka_park.client.park import Park
from eureka_park.client.views import Sent
from eureka_park.foundation.errors import ParkError

Work = tuple[Any, tuple[str, ...], dict[str, Any], Path | None]


def send_batch(
    jobs: Sequence[BatchJob], work_of: Callable[[BatchJob], Work], told: Callable[[Sent], None]
) -> dict[str, str]:
    """The id of each job by its key. Where one is refused, those that were sent before it are cancelled."""
    here = park()
    ids: dict[str, str] = {}
    for job in jobs:
        what, args, fields, folder = work_of(job)
        if "after" in fields:
            fields = {**fields, "after": [ids.get(name, name) for name in fields["after"]]}
        try:
            ids[job.key] = here.submit(what, args=args, folder=folder, told=told, **fields).id
        except ParkError as error:
            error.message = f"'{job.key}': {error.message}{_taken_back(here, ids)}"
            raise
    return ids


def _taken_back(here: Park, ids: Mapping[str, str]) -> str:
    """Cancel what was sent; words about what could not be."""
    left = []
    for job_id in reversed(list(ids.values())):  # whoever runs after another goes first
        try:
            here.cancel(job_id)
        except ParkError:
            left.append(job_id)
    return f" Sent before it and not cancelled: {' '.join(left)}." if left else ""
