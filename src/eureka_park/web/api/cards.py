"""Cards of data sets and models: what they say, what is wrong with them, fields set by a commit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request

from eureka_park.data.core.card import Card
from eureka_park.data.core.repository import Commit
from eureka_park.data.repositories.access import Want
from eureka_park.web import card_schemas as forms
from eureka_park.web import repository_schemas, schemas
from eureka_park.web.api import repositories
from eureka_park.web.api.repositories import Kind, Name, ProjectId, Revision
from eureka_park.web.auth import Anyone, Someone, ThePark
from eureka_park.web.croissant import CroissantResponse, described

router = APIRouter(tags=["repositories"], responses=schemas.ERRORS)
_AT = "/projects/{project_id}/repositories/{kind}/{name}"


@router.get(f"{_AT}/card", response_model=forms.CardView, operation_id="card_of_repository")
def card_of_repository(
    park: ThePark, who: Anyone, project_id: ProjectId, kind: Kind, name: Name, revision: Revision = "main"
) -> dict[str, Any]:
    """What the card (README.md) of a version says, and what is wrong with it or missing."""
    found = park.data.repositories.find(Want.READ, who, kind, project_id, name)
    version = park.data.repositories.versions.at(found, revision)
    return card_view(park.data.cards.card(found, version), version)


@router.get(f"{_AT}/croissant", response_class=CroissantResponse, operation_id="croissant_of_repository")
def croissant_of_repository(
    request: Request,
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    kind: Kind,
    name: Name,
    revision: Revision = "main",
) -> CroissantResponse:
    """A version of a data set as Croissant: JSON-LD that tools load it by."""
    return CroissantResponse(described(request, park, who, kind, project_id, name, revision))


@router.patch(
    f"{_AT}/card", status_code=201, response_model=repository_schemas.VersionView, operation_id="set_card_of_repository"
)
def set_card_of_repository(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.CardRequest
) -> dict[str, Any]:
    """Set fields of the card by a commit; where there is no README.md, begin one from the template."""
    found = park.data.repositories.find(Want.WRITE, who, kind, project_id, name)
    made = park.data.cards.set_fields(who, found, body.fields, branch=body.branch, title=body.title)
    return repositories.version_view(made, park.data.repositories.names_of(who, found, [made]))


@router.patch(_AT, response_model=repository_schemas.RepositoryView, operation_id="change_repository")
def change_repository(
    park: ThePark, who: Someone, project_id: ProjectId, kind: Kind, name: Name, body: forms.RepositoryChange
) -> dict[str, Any]:
    """Open a data set or a model to others or close it. For leads of its project. One about people becomes public only
    with `confirms_personal_data` (409, `personal_data`).
    """
    found = park.data.repositories.find(Want.MANAGE, who, kind, project_id, name)
    changed = park.data.repositories.change(
        who, found, visibility=body.visibility, gate=body.gate, confirms_personal_data=body.confirms_personal_data
    )
    return repositories.views(park, [changed])[0]


def card_view(card: Card, version: Commit) -> dict[str, Any]:
    """A card as the API shows it."""
    return {
        "commit_id": version.commit_id, "is_there": card.is_there, "pretty_name": card.pretty_name,
        "licence": card.licence.expression, "licence_url": card.licence.url, "languages": card.languages,
        "tags": card.tags, "tasks": card.tasks, "sizes": card.sizes, "base_models": card.base_models,
        "datasets": card.datasets, "personal_data": str(card.personal_data),
        "personal_data_why": card.personal_data_why, "findings": [asdict(finding) for finding in card.findings],
        "values": card.values, "body": card.body,
    }  # fmt: skip
