"""Years of what-if: answers worked out in advance for everybody, exact ones for who is signed in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from eureka_park.energy.lattice_file import lattice_for
from eureka_park.energy.verdict_schema import SCENARIOS
from eureka_park.energy.year_desk import Question, Status, YearDesk
from eureka_park.foundation.errors import NotFound
from eureka_park.web import schemas
from eureka_park.web.auth import Someone, ThePark

router = APIRouter(tags=["energy"], responses=schemas.ERRORS)


class YearQuestion(BaseModel):
    """A year to be computed: powers in MW at the scale of the full site."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    scenario: str = Field("all-plants", max_length=64, description=f"One of {', '.join(SCENARIOS)}")
    load_mw: float = Field(gt=0, le=100_000, description="Constant load at the site meter")
    flex_frac: float = Field(0.0, ge=0, le=1, description="Share of it that may move within its day; at most 0.5")
    wind_mw: float = Field(0.0, ge=0, le=100_000, description="New wind; at most 2,000")
    pv_mw: float = Field(0.0, ge=0, le=100_000, description="New PV; at most 2,000")
    battery_mw: float = Field(0.0, ge=0, le=100_000, description="New battery of four hours; at most 2,000")


def desk_of(request: Request) -> YearDesk:
    """The desk that computes years for this application."""
    desk: YearDesk = request.app.state.desk
    return desk


@router.get("/energy/lattice", operation_id="get_lattice")
def lattice(park: ThePark) -> JSONResponse:
    """Answers worked out in advance, to be read between their points; `error` says how far off that is.

    Quantities stand by scenario in the order of `axes`, the last axis running fastest.
    """
    found = lattice_for(park.site)
    if found is None:
        raise NotFound(
            "There is no lattice for this site.", fix="Ask for exact years: POST /api/v1/energy/years",
            code="no_lattice",
        )  # fmt: skip
    return JSONResponse(found.value, headers={"Cache-Control": "public, max-age=600"})


@router.post("/energy/years", status_code=202, operation_id="ask_for_year")
def ask(request: Request, _who: Someone, body: YearQuestion) -> dict[str, Any]:
    """Have a year computed: perfect foresight, hour by hour, under the weather of three synthetic years.

    One is computed at a time; of those that wait the newest stays. The answer says where it stands: ask again for
    `year_id`.
    """
    desk = desk_of(request)
    return told(desk.ask(desk.checked(Question(**body.model_dump()), SCENARIOS)))


@router.get("/energy/years/{year_id}", operation_id="get_year")
def year(request: Request, year_id: Annotated[str, Path(max_length=64)]) -> dict[str, Any]:
    """Where a year stands, and its figures once it is done: of the first year, lowest and highest over all."""
    status = desk_of(request).status(year_id)
    if status is None:
        raise NotFound(
            f"There is no year '{year_id}'.", fix="Ask for it: POST /api/v1/energy/years", code="no_such_year"
        )
    return told(status)


def told(status: Status) -> dict[str, Any]:
    """A status as JSON."""
    answer = status.answer
    return {
        "year_id": status.question.question_id,
        "scenario": status.question.scenario,
        **status.question.wish,
        "state": status.state,
        "done": status.done,
        "of": status.of,
        "left_s": round(status.left_s, 1),
        "error": status.error or None,
        "figures": None if answer is None else dict(answer.figures),
        "low": None if answer is None else dict(answer.low),
        "high": None if answer is None else dict(answer.high),
        "additions": None if answer is None else list(answer.additions),
    }
