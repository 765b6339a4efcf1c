"""What repositories of data look like in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from eureka_park.web.card_schemas import CardFactsView
from eureka_park.web.request_schemas import Body

Kind = Literal["dataset", "model"]
Sha256Text = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the bytes, in hex")]
Path = Annotated[str, Field(max_length=1024)]


class RepositoryRequest(Body):
    """A repository to begin."""

    kind: Kind = "dataset"
    name: str = Field(max_length=96, description="Letters, digits and . _ - between them")
    visibility: Literal["private", "organisation", "public"] = "private"


class RepositoryView(BaseModel):
    """A data set or a model."""

    kind: str
    project: str
    name: str
    visibility: str
    gate: str = Field(description="What one has to do to read it: nothing (empty), ask (auto, manual)")
    made_at: str
    changed_at: str
    card: CardFactsView


class RepositoryPage(BaseModel):
    """Repositories, the last changed first."""

    items: list[RepositoryView]
    next: str | None


class MadeBy(BaseModel):
    """How a version came about."""

    way: Literal["job", "import", "declared"]
    job_id: str | None = Field(description="None where no job did it, or one that the asker may not see")
    made_at: str


class VersionView(BaseModel):
    """A commit."""

    commit_id: str
    parent_id: str
    title: str
    message: str
    by: str = Field(description="Who made it, for those who see the project by a role; else empty")
    made_at: str
    n_files: int
    size_bytes: int
    made_by: MadeBy | None = Field(
        None, description="What is known of how it came about; of one that was just sent: nothing"
    )


class VersionPage(BaseModel):
    """Commits, the newest first."""

    items: list[VersionView]
    next: str | None


class LineageNode(BaseModel):
    """A version, something outside the park (`text`), or something that the asker may not see."""

    node_id: str
    kind: Literal["dataset", "model", "outside", "hidden"]
    project: str
    name: str
    commit_id: str
    text: str
    is_start: bool


class LineageEdge(BaseModel):
    """`to` was made from `source`; with the way `history` it is a later version of the same repository."""

    source: str
    to: str
    way: Literal["job", "import", "declared", "history"]
    relation: str = Field(description="input, base_model, dataset, copy; empty for a history")
    job_id: str | None = Field(description="None where no job did it, or one that the asker may not see")
    made_at: str | None


class LineageView(BaseModel):
    """What a version was made from, and what was made from it."""

    kind: str
    project: str
    name: str
    revision: str = Field(description="Empty: all versions of which there is something to say")
    commit_id: str
    nodes: list[LineageNode]
    edges: list[LineageEdge]
    is_cut: bool = Field(description="Whether there is more than is shown")


class EntryView(BaseModel):
    """A file, or a folder (`sha256` and `size_bytes` are null)."""

    path: str
    sha256: str | None
    size_bytes: int | None


class EntryPage(BaseModel):
    """What lies in a folder of a version, by path."""

    commit_id: str
    items: list[EntryView]
    next: str | None


class DifferenceView(BaseModel):
    """A file that differs between two versions."""

    path: str
    change: Literal["added", "changed", "removed"]
    old_bytes: int | None
    new_bytes: int | None


class DifferencePage(BaseModel):
    """Files that differ, by path; `next` says after which path there are more."""

    items: list[DifferenceView]
    next: str | None


class ChangeRequest(Body):
    """A file to be put, by the hash of a content that was sent before, or a file or folder to be removed."""

    path: Path
    sha256: Sha256Text | None = None
    remove: Literal["file", "folder"] | None = None


class HeldRequest(Body):
    """Contents that one would send."""

    sha256: list[Sha256Text] = Field(max_length=1000)


class HeldView(BaseModel):
    """Those that the project holds."""

    held: list[str]


class CommitRequest(Body):
    """A commit: all of it or nothing."""

    branch: str = Field("main", max_length=200)
    title: str = Field(min_length=1, max_length=500)
    message: str = Field("", max_length=20_000)
    parent: str = Field("", max_length=40, description="The commit that the branch must be at; empty: whatever it is")
    changes: list[ChangeRequest] = Field(max_length=20_000)
    sources: list[Annotated[str, Field(max_length=1000)]] = Field(
        default_factory=list, max_length=20, description="Places outside the park from which the files came"
    )
