"""What cards of repositories look like in the API."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body


class CardFactsView(BaseModel):
    """What lists show of a card; of a repository without one all is empty."""

    pretty_name: str
    licence: str = Field(description="An SPDX expression; empty where the card says none")
    languages: list[str] = Field(description="BCP 47 tags")
    personal_data: str = Field(description="none, pseudonymous, personal, sensitive; empty where the card says nothing")


class FindingView(BaseModel):
    """What is wrong with a card, or missing."""

    field: str
    message: str
    fix: str
    is_wrong: bool = Field(description="Whether what is there cannot be used; else something is missing")


class CardView(BaseModel):
    """What the README.md of a version says."""

    commit_id: str
    is_there: bool
    pretty_name: str
    licence: str
    licence_url: str
    languages: list[str]
    tags: list[str]
    tasks: list[str]
    sizes: list[str]
    base_models: list[str]
    datasets: list[str]
    personal_data: str
    personal_data_why: str
    findings: list[FindingView]
    values: dict[str, Any] = Field(description="The whole head as it was read")
    body: str = Field(description="The text below the head, as Markdown")


class CardRequest(Body):
    """Fields of a card to set; a list with commas between its items, an empty text takes a field away."""

    branch: str = Field(default="main", max_length=200)
    title: str = Field(default="", max_length=500)
    fields: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=20_000)]] = Field(
        default_factory=dict, max_length=50
    )


class RepositoryChange(Body):
    """Who sees a repository, and what one has to do to read it; what is left out stays."""

    visibility: Literal["private", "organisation", "public"] | None = None
    gate: Literal["", "auto", "manual"] | None = None
    confirms_personal_data: bool = Field(
        default=False, description="That people whom it is about agreed to its being public"
    )
