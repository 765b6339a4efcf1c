"""Places by how they are written: a folder, a list of addresses, another hub, a bucket."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from eureka_park.client.carrying.items import Source
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.client.carrying.exporting import Goal
    from eureka_park.client.carrying.journal import Journal
    from eureka_park.client.data import RepositoryName


def source_of(text: str, kind: str, endpoint: str = "") -> Source:
    """Where files are to come from. Raises ParkError for what is no such place, or cannot be reached."""
    if text.startswith("hub://"):
        from eureka_park.client.carrying.hubs import HubPlace, HubSource

        return HubSource(HubPlace.of(text, kind))
    if text.startswith("s3://"):
        from eureka_park.client.carrying.buckets import Bucket

        return Bucket(text, endpoint)
    if text.startswith(("http://", "https://")):
        from eureka_park.client.carrying.lists import UrlList

        return UrlList.one(text)
    place = Path(text)
    if place.is_dir():
        from eureka_park.client.carrying.folders import FolderSource

        return FolderSource(place)
    if place.is_file():
        from eureka_park.client.carrying.lists import UrlList

        return UrlList.read(place)
    raise BadInput(
        f"{text[:200]!a} is no place that files come from.",
        fix="Name a folder, a list of addresses, hub://HOST/ORG/NAME@REV, s3://BUCKET/PREFIX or https://...",
        code="no_source",
    )


def goal_of(text: str, of: RepositoryName, journal: Journal, *, endpoint: str = "", title: str = "") -> Goal:
    """Where files are to go. Raises ParkError for what is no such place, or cannot be used."""
    from eureka_park.client.carrying.exporting import Bag, BucketGoal, HubGoal

    if text.startswith("hub://"):
        from eureka_park.client.carrying.hubs import HubPlace

        place = HubPlace.of(text, of.kind)
        return HubGoal(place.base, place.name, of.kind, place.revision, title)
    if text.startswith("s3://"):
        from eureka_park.client.carrying.buckets import Bucket

        return BucketGoal(Bucket(text, endpoint), journal)
    if "://" in text:
        raise BadInput(
            f"{text[:200]!a} is no place to which files go.",
            fix="Name a folder, hub://HOST/ORG/NAME or s3://BUCKET/PREFIX.",
            code="no_goal",
        )
    return Bag(Path(text), journal, f"{of.project}/{of.name}")
