"""Quotes: what a job would cost before anybody submits it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from eureka_park.web import schemas
from eureka_park.web.auth import Anyone, ThePark

router = APIRouter(tags=["jobs"], responses=schemas.ERRORS)


@router.post("/quotes", response_model=schemas.Quote, operation_id="quote_job")
def quote(park: ThePark, who: Anyone, body: schemas.JobRequest) -> dict[str, Any]:
    """What such a job would draw, cost and emit in each tier, whether it would start now, and its best hours.

    Nothing is submitted, so visitors may ask too, for projects that everybody sees. What cannot be submitted cannot
    be quoted: the error is the same.
    """
    return park.compute.quote(who, body.model_dump(by_alias=True, exclude_unset=True))
