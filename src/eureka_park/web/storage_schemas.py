"""What the API tells of storage: what projects keep, how long versions stay, holds, how the store is."""

from __future__ import annotations

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body


class RepositoryUseView(BaseModel):
    """A repository's newest version."""

    kind: str
    name: str
    n_files: int
    size_bytes: int = Field(description="As one reads its files; what lies twice in the project costs once")
    is_on_hold: bool


class ProjectUseView(BaseModel):
    """What a project keeps and may keep."""

    project: str
    used_bytes: int = Field(description="Each content once, with all versions; packs as they lie on the disk")
    limit_bytes: int
    is_default_limit: bool
    going_bytes: int = Field(description="Part of it that nothing needs any more: it goes when its grace is over")
    repositories: list[RepositoryUseView]


class LimitRequest(Body):
    """How much a project may keep."""

    limit_bytes: int | None = Field(ge=0, le=2**60, description="None: the park's default")


class RuleRequest(Body):
    """How long versions stay. What is left out lets all stay."""

    n_versions: int | None = Field(default=None, ge=1, le=1_000_000, description="Newest versions of each branch")
    history_days: float | None = Field(default=None, ge=1, le=36_600, description="Versions younger than that stay")
    branch_days: float | None = Field(default=None, ge=1, le=36_600, description="When unused temporary branches go")
    branch_prefix: str = Field(default="tmp/", max_length=200, description="How temporary branches begin")
    is_preview: bool = Field(default=False, description="Only say what the rule would take")


class LostView(BaseModel):
    """What rules have taken so far."""

    n_versions: int
    n_branches: int
    newest_at: str | None = Field(description="When the newest version was made that is gone")
    lost_at: str | None


class GoingView(BaseModel):
    """What a rule takes at its next turn."""

    n_versions: int
    branches: list[str]
    newest_at: str | None


class RuleView(BaseModel):
    """A repository's rule."""

    n_versions: int | None
    history_days: float | None
    branch_days: float | None
    branch_prefix: str
    lost: LostView
    going: GoingView | None = Field(description="Where a rule was set or tried")


class HoldRequest(Body):
    """A legal hold."""

    reason: str = Field(max_length=1000, description="Why, with a file number")


class HoldView(BaseModel):
    """Whether a repository is on legal hold."""

    is_on_hold: bool
    reason: str
    set_by: str = Field(description="A person's id")
    since: str | None


class PlaceView(BaseModel):
    """A file in which a content lies."""

    project: str
    kind: str
    name: str
    revision: str
    path: str


class DamageView(BaseModel):
    """A content that is not what it was."""

    kind: str
    content_hash: str
    reason: str
    found_at: str
    places: list[PlaceView]


class RoundView(BaseModel):
    """A round that goes on over days."""

    n_contents: int
    n_bytes: int
    begun_at: str | None
    ended_at: str | None = Field(description="When the last whole round ended")


class StoreView(BaseModel):
    """How the store is."""

    n_damaged: int
    damage: list[DamageView]
    scrub: RoundView
