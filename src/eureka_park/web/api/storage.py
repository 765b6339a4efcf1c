"""Storage: what projects keep and may keep, how long versions stay, legal holds, and how the store is."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.repository import Repository
from eureka_park.data.keeping.service import Going, Hold, LastingRule, Lost
from eureka_park.data.repositories.access import Want
from eureka_park.data.upkeep.service import Damage
from eureka_park.foundation.units import DAY_S, iso_from_s
from eureka_park.web import schemas
from eureka_park.web import storage_schemas as forms
from eureka_park.web.api.repositories import Kind, Name, ProjectId
from eureka_park.web.auth import Anyone, Someone, ThePark

router = APIRouter(tags=["storage"], responses=schemas.ERRORS)
_AT: Final = "/projects/{project_id}/repositories/{kind}/{name}"


@router.get("/projects/{project_id}/storage", response_model=forms.ProjectUseView, operation_id="storage_of_project")
def storage_of_project(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """What a project keeps and may keep; its repositories, the largest first."""
    return _use(park, who, project_id)


@router.put("/projects/{project_id}/storage", response_model=forms.ProjectUseView, operation_id="limit_storage")
def limit_storage(park: ThePark, who: Someone, project_id: ProjectId, body: forms.LimitRequest) -> dict[str, Any]:
    """Say how much a project may keep. For operators; what is there stays, also where it is more."""
    park.data.keeping.set_limit(who, project_id, body.limit_bytes)
    return _use(park, who, project_id)


def _use(park: Park, who: Principal, project_id: str) -> dict[str, Any]:
    found = park.data.keeping.use(who, project_id)
    rows = [
        {"kind": one.kind, "name": one.name, "n_files": one.n_files, "size_bytes": one.size_bytes,
         "is_on_hold": one.is_on_hold}
        for one in found.repositories
    ]  # fmt: skip
    return {
        "project": found.project_id, "used_bytes": found.used_bytes, "limit_bytes": found.limit_bytes,
        "is_default_limit": found.is_default_limit, "going_bytes": found.going_bytes, "repositories": rows,
    }  # fmt: skip


# -- how long versions stay --------------------------------------------------------------------------------------------
@router.get(f"{_AT}/rule", response_model=forms.RuleView, operation_id="rule_of_repository")
def rule_of_repository(park: ThePark, who: Anyone, project_id: ProjectId, kind: Kind, name: Name) -> dict[str, Any]:
    """How long versions of a data set or a model stay, and what that has taken so far."""
    found = park.data.repositories.find(Want.KNOW, who, kind, project_id, name)
    return _rule(park.data.keeping.rule(who, found), park.data.keeping.lost(who, found), None)


@router.put(f"{_AT}/rule", response_model=forms.RuleView, operation_id="set_rule")
def set_rule(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.RuleRequest
) -> dict[str, Any]:
    """Say how long versions stay; `going` is what goes within the hour. For leads of the project."""
    found = park.data.repositories.find(Want.MANAGE, who, kind, project_id, name)
    rule = LastingRule(body.n_versions, _seconds(body.history_days), _seconds(body.branch_days), body.branch_prefix)
    keeping = park.data.keeping
    going = keeping.preview(who, found, rule) if body.is_preview else keeping.set_rule(who, found, rule)
    return _rule(rule, keeping.lost(who, found), going)


def _seconds(days: float | None) -> float | None:
    return None if days is None else days * DAY_S


def _rule(rule: LastingRule, lost: Lost, going: Going | None) -> dict[str, Any]:
    return {
        "n_versions": rule.n_versions,
        "history_days": None if rule.history_s is None else rule.history_s / DAY_S,
        "branch_days": None if rule.branches_s is None else rule.branches_s / DAY_S,
        "branch_prefix": rule.branch_prefix,
        "lost": {
            "n_versions": lost.n_versions, "n_branches": lost.n_branches, "newest_at": iso_from_s(lost.newest_at_s),
            "lost_at": iso_from_s(lost.lost_at_s),
        },
        "going": None if going is None else _going(going),
    }  # fmt: skip


def _going(going: Going) -> dict[str, Any]:
    newest = iso_from_s(going.newest_at_s)
    return {"n_versions": going.n_versions, "branches": list(going.branches), "newest_at": newest}


# -- legal holds -------------------------------------------------------------------------------------------------------
@router.get(f"{_AT}/hold", response_model=forms.HoldView, operation_id="hold_of_repository")
def hold_of_repository(park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name) -> dict[str, Any]:
    """Whether a data set or a model is on legal hold, and why. For those who are in its project."""
    return _hold(park.data.keeping.hold(who, _known(park, who, kind, project_id, name)))


@router.put(f"{_AT}/hold", response_model=forms.HoldView, operation_id="set_hold")
def set_hold(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.HoldRequest
) -> dict[str, Any]:
    """Put a data set or a model on legal hold: nothing of it can be taken away until it is lifted. For operators and
    leads of the project's organisation.
    """
    return _hold(park.data.keeping.set_hold(who, _known(park, who, kind, project_id, name), body.reason))


@router.delete(f"{_AT}/hold", status_code=204, response_class=Response, operation_id="lift_hold")
def lift_hold(park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name) -> Response:
    """Lift a legal hold. For those who may set one."""
    park.data.keeping.lift_hold(who, _known(park, who, kind, project_id, name))
    return Response(status_code=204)


def _known(park: Park, who: Principal, kind: str, project_id: str, name: str) -> Repository:
    return park.data.repositories.find(Want.KNOW, who, kind, project_id, name)


def _hold(on: Hold | None) -> dict[str, Any]:
    if on is None:
        return {"is_on_hold": False, "reason": "", "set_by": "", "since": None}
    return {"is_on_hold": True, "reason": on.reason, "set_by": on.set_by, "since": iso_from_s(on.set_at_s)}


# -- how the store is --------------------------------------------------------------------------------------------------
@router.get("/storage", response_model=forms.StoreView, operation_id="state_of_store")
def state_of_store(park: ThePark, who: Someone) -> dict[str, Any]:
    """What the park has found damaged (the newest hundred), with the files concerned, and how far it has read. For
    operators.
    """
    found = park.data.upkeep.status(who)
    return {
        "n_damaged": found.n_damaged,
        "damage": [_damage(one) for one in found.damage],
        "scrub": {
            "n_contents": found.scrub.n_contents, "n_bytes": found.scrub.n_bytes,
            "begun_at": iso_from_s(found.scrub.begun_at_s or None), "ended_at": iso_from_s(found.scrub.ended_at_s),
        },
    }  # fmt: skip


def _damage(one: Damage) -> dict[str, Any]:
    places = [
        {"project": at.project_id, "kind": at.kind, "name": at.name, "revision": at.revision, "path": at.path}
        for at in one.places or ()
    ]
    return {
        "kind": one.kind, "content_hash": one.content_hash, "reason": one.reason,
        "found_at": iso_from_s(one.found_at_s), "places": places,
    }  # fmt: skip
