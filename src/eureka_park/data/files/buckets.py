"""Use cases of buckets: made, set up, taken away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.service import Act, Principal
from eureka_park.data.core.bucket import (
    Bucket,
    LifecycleRule,
    Versioning,
    check_bucket_name,
    check_rules,
    check_tags,
)
from eureka_park.data.files import store
from eureka_park.data.files.contents import Contents
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.uploads import store as uploads
from eureka_park.data.repositories.access import is_inside
from eureka_park.foundation.errors import BadInput, Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

BUCKETS_MAX: Final = 1_000  # of a project
_TAGS_MAX: Final = 50
_UPLOADS_AT_ONCE: Final = 200


class Buckets:
    """Buckets of all projects."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def all(self, who: Principal | None, project_id: str) -> list[Bucket]:
        """The buckets that somebody may read."""
        projects = self._ground.accounts.projects(who)
        mine = [one.project_id for one in projects if is_inside(who, one) and project_id in ("", one.project_id)]
        with self._ground.db.read() as conn:
            return store.buckets_of(conn, mine)

    def make(self, who: Principal | None, project_id: str, name: str) -> Bucket:
        """Make a bucket."""
        check_bucket_name(name)
        ground = self._ground
        ground.accounts.require(Act.STORE, who, project_id)
        made = Bucket(ground.fresh_id("bucket"), name, project_id, Versioning.OFF, (), {}, ground.now_s())
        with ground.db.write() as conn:
            taken = store.bucket_named(conn, name)
            if taken is not None:
                code = "bucket_yours" if taken.project_id == project_id else "bucket_taken"
                raise Conflict(
                    f"There is a bucket {name} already.", fix=f"Choose another name, as {project_id}-{name}.", code=code
                )
            if len(store.buckets_of(conn, [project_id])) >= BUCKETS_MAX:
                raise Conflict(
                    f"A project has at most {BUCKETS_MAX:,} buckets.", fix="Use prefixes.", code="too_many_buckets"
                )
            store.add_bucket(conn, made, who.person_id if who is not None else "")
            self._note(conn, "bucket.made", who, made, {"project": project_id})
        return made

    def drop(self, who: Principal | None, name: str, contents: Contents) -> None:
        """Take an empty bucket away, with the uploads that wait in it."""
        with self._ground.db.write() as conn:
            found = self._ground.bucket(conn, who, name, Act.STORE)
            if store.has_versions(conn, found.bucket_id):
                raise Conflict(
                    f"The bucket {name} is not empty.", fix="Delete its files and versions first.",
                    code="bucket_not_empty",
                )  # fmt: skip
            while waiting := uploads.uploads(conn, found, b"", (b"", ""), _UPLOADS_AT_ONCE):
                for one in waiting:
                    contents.drop_upload(conn, found.project_id, one.upload_id)
            store.drop_bucket(conn, found.bucket_id)
            self._note(conn, "bucket.ended", who, found, {"project": found.project_id})

    def set_versioning(self, who: Principal | None, name: str, versioning: Versioning) -> Bucket:
        """Keep former versions from now on, or no more."""
        if versioning is Versioning.OFF:
            raise BadInput(
                "Versions that there are stay.", fix="Suspend versioning instead.", code="bad_versioning",
                field="versioning",
            )  # fmt: skip
        return self._change(who, name, "versioning", str(versioning), versioning=versioning)

    def set_lifecycle(self, who: Principal | None, name: str, rules: Sequence[LifecycleRule]) -> Bucket:
        """Set what goes by itself."""
        check_rules(rules)
        content = json.dumps([rule.to_json() for rule in rules])
        return self._change(who, name, "lifecycle", content, rules=tuple(rules))

    def set_tags(self, who: Principal | None, name: str, tags: Mapping[str, str]) -> Bucket:
        """Set the tags of a bucket."""
        check_tags(tags, _TAGS_MAX)
        return self._change(who, name, "tags", json.dumps(dict(tags)), tags=dict(tags))

    def _change(self, who: Principal | None, name: str, column: str, content: str, **values: Any) -> Bucket:
        with self._ground.db.write() as conn:
            found = self._ground.bucket(conn, who, name, Act.STORE)
            store.change_bucket(conn, found.bucket_id, **{column: content})
            self._note(conn, "bucket.changed", who, found, {"what": column, "now": content[:500]})
        return replace(found, **values)

    def _note(
        self, conn: Connection, act: str, who: Principal | None, bucket: Bucket, detail: Mapping[str, str]
    ) -> None:
        self._ground.accounts.audit.note(conn, act, who=who, thing=f"bucket:{bucket.name}", detail=dict(detail))
