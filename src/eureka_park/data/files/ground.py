"""What the parts of project files stand on, and who may do what with a bucket.

Files of a project are for those who hold a role in it, also where the project itself is open to everybody: who sees it
reads them, who may `store` writes them. To all others there is no such bucket.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eureka_park.accounts.service import AccountsService, Act, Principal, Project, may
from eureka_park.data.core.bucket import Bucket
from eureka_park.data.files import store
from eureka_park.data.objects.service import ObjectsService
from eureka_park.data.repositories.access import is_inside
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Forbidden, NotFound
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NAME_CHARS_MAX = 63


@dataclass(frozen=True, slots=True)
class Ground:
    """Database, clock, people, contents; `entropy(n)` gives n unguessable bytes."""

    db: Database
    clock: Clock
    accounts: AccountsService
    objects: ObjectsService
    entropy: Callable[[int], bytes]

    def now_s(self) -> float:
        """Real time: a paced sky takes nobody's files away sooner."""
        return self.clock.real_s()

    def fresh_id(self, kind: str) -> str:
        """An id that nobody has yet."""
        return new_id(kind, self.entropy(ENTROPY_BYTES))

    def bucket(self, conn: Connection, who: Principal | None, name: str, act: Act = Act.SEE) -> Bucket:
        """A bucket for something that `who` wants: `Act.SEE` or `Act.STORE`.

        Raises NotFound (`no_such_bucket`) for what they may not know of, Forbidden for what they may not do.
        """
        is_sound = len(name) <= _NAME_CHARS_MAX and "\0" not in name and name.isascii()
        found = store.bucket_named(conn, name) if is_sound else None
        project = self.accounts.places.thing_in(conn, f"project:{found.project_id}") if found else None
        if found is None or not isinstance(project, Project) or not is_inside(who, project):
            raise no_bucket(name)
        if act is not Act.SEE:
            answer = may(act, who, project)
            if not answer.is_allowed:
                raise Forbidden(answer.why, fix=answer.fix, code=answer.code)
        return found


def no_bucket(name: str) -> NotFound:
    """There is no such bucket, or one may not know of it."""
    return NotFound(f"There is no bucket {name[:80]!a}.", fix="See: park files ls", code="no_such_bucket")
