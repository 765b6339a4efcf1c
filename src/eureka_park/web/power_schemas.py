"""What the API tells of the power of jobs."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PredictedPower(BaseModel):
    """IT power of a job without a cap, its share of idle power included; what that rests on, of `n_jobs` if learned."""

    predicted_kw: float
    basis: Literal["table", "declared", "learned", "meter"] = Field(alias="from")
    n_jobs: int | None
