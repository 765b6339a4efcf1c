"""Typed ids. They are opaque to callers; chance is an argument, so that the same entropy gives the same id."""

from __future__ import annotations

import base64
from typing import Final, NewType

JobId = NewType("JobId", str)
ProjectId = NewType("ProjectId", str)
PersonId = NewType("PersonId", str)
SnapshotId = NewType("SnapshotId", str)
PlanId = NewType("PlanId", str)

ENTROPY_BYTES: Final = 10


def new_id(prefix: str, entropy: bytes) -> str:
    """An id such as `job-4zr3q…`: prefix and 16 characters of base 32 made from 10 bytes of entropy."""
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"an id needs {ENTROPY_BYTES} bytes of entropy, got {len(entropy)}")
    return f"{prefix}-{base64.b32encode(entropy[:ENTROPY_BYTES]).decode().lower()}"


def task_id(array_id: JobId, index: int) -> JobId:
    """The id of one task of an array job, such as `job-…[3]`."""
    return JobId(f"{array_id}[{index}]")


def array_of(job_id: str) -> JobId | None:
    """The id of the array that a task belongs to, or None for a job of its own."""
    return JobId(job_id.split("[", 1)[0]) if job_id.endswith("]") and "[" in job_id else None


def folder_name(job_id: str) -> str:
    """A job id as a file name: `job-…[3]` becomes `job-….3`."""
    return job_id.replace("[", ".").replace("]", "")
