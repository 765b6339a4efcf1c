"""Bodies of the API of machines and windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from eureka_park.web.request_schemas import Body

_Name = Annotated[str, Field(min_length=1, max_length=128)]


class WindowView(BaseModel):
    """A time in which machines are closed to all, or reserved: closed to all but one project. `why` is told to
    operators, `project` to them and to its members.
    """

    window_id: str
    nodes: list[str]
    from_at: str
    to_at: str
    is_reserved: bool
    project: str | None
    why: str


class WindowPage(BaseModel):
    """Windows that are not over, the next first."""

    items: list[WindowView]
    next: str | None


class NodeJob(BaseModel):
    """A job on a machine; without names for those who may not see it."""

    job_id: str | None
    name: str | None
    state: str
    tier: str


class NodeView(BaseModel):
    """A machine, what is free on it, and the window that it meets next. `why` it takes no job is told to operators."""

    model_config = ConfigDict(populate_by_name=True)

    node_id: str
    class_: str = Field(alias="class")
    state: Literal["up", "drained", "down"]
    why: str
    gpus: int
    free_gpus: int
    cpus: float
    free_cpus: float
    jobs: list[NodeJob]
    window: WindowView | None


class NodePage(BaseModel):
    """All machines."""

    items: list[NodeView]
    next: str | None


class DrainRequest(Body):
    """Why a machine is to take no new job."""

    why: str = Field(default="", max_length=200)


class WindowRequest(Body):
    """Machines to be closed for a time: named, or so many of one class. With a project they are kept for it."""

    nodes: list[_Name] = Field(default=[], max_length=10_000)
    n_nodes: int = Field(default=0, ge=0, le=100_000, description="So many of one class instead of names")
    from_: str = Field(default="", alias="from", max_length=64, description="Duration from now, or instant; empty: now")
    to: str = Field(max_length=64, description="Duration from now, or instant")
    project: str = Field(default="", max_length=128, description="Empty: for nobody (maintenance)")
    why: str = Field(default="", max_length=200)
