"""Machines and their windows: anyone sees them, operators drain, resume, close and keep them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from eureka_park.web import node_schemas, schemas
from eureka_park.web.auth import Anyone, Someone, ThePark

router = APIRouter(tags=["nodes"], responses=schemas.ERRORS)
NodeId = Annotated[str, Path(max_length=128, description="The machine's name")]
WindowId = Annotated[str, Path(max_length=80, description="The window's id")]


@router.get("/nodes", response_model=node_schemas.NodePage, operation_id="list_nodes")
def list_nodes(park: ThePark, who: Anyone) -> dict[str, Any]:
    """Every machine: class, what is free, state, jobs, the window that it meets next."""
    return {"items": park.nodes.nodes(who), "next": None}


@router.post("/nodes/{node_id}/drain", response_model=node_schemas.NodeView, operation_id="drain_node")
def drain(park: ThePark, who: Someone, node_id: NodeId, body: node_schemas.DrainRequest) -> dict[str, Any]:
    """Let a machine take no new job; what runs there goes on. For operators."""
    return park.nodes.drain(who, node_id, body.why)


@router.post("/nodes/{node_id}/resume", response_model=node_schemas.NodeView, operation_id="resume_node")
def resume(park: ThePark, who: Someone, node_id: NodeId) -> dict[str, Any]:
    """Let a machine take jobs again. For operators."""
    return park.nodes.resume(who, node_id)


@router.get("/windows", response_model=node_schemas.WindowPage, operation_id="list_windows")
def list_windows(park: ThePark, who: Anyone) -> dict[str, Any]:
    """Times in which machines are closed, or kept for a project, the next first."""
    return {"items": park.nodes.windows(who), "next": None}


@router.post("/windows", status_code=201, response_model=node_schemas.WindowView, operation_id="set_window")
def set_window(park: ThePark, who: Someone, body: node_schemas.WindowRequest) -> dict[str, Any]:
    """Close machines for a time, or keep them for a project. For operators."""
    return park.nodes.close(
        who,
        nodes=body.nodes,
        n_nodes=body.n_nodes,
        from_=body.from_,
        to=body.to,
        project=body.project,
        why=body.why,
    )


@router.delete("/windows/{window_id}", response_model=node_schemas.WindowView, operation_id="clear_window")
def clear_window(park: ThePark, who: Someone, window_id: WindowId) -> dict[str, Any]:
    """Take a window back. For operators."""
    return park.nodes.open_again(who, window_id)
