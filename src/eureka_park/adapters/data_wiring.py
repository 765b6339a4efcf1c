"""The room of data over this home's folder, or over the bucket that PARK_BLOBS names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.notices.service import Notices
from eureka_park.accounts.service import AccountsService
from eureka_park.accounts.settings_file import Settings
from eureka_park.adapters.blobs import VARIABLE
from eureka_park.adapters.bucket_blobs import make_blobs
from eureka_park.adapters.key_service import VARIABLE as KMS_VARIABLE
from eureka_park.adapters.key_service import key_service
from eureka_park.data.service import DataService
from eureka_park.data.upkeep.service import Damage, UpkeepRules
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHOWN: Final = 3  # files of a damaged content that a notice names


def make_data(db: Database, home: Path, clock: Clock, accounts: AccountsService) -> DataService:
    """Inputs of jobs as files of the home; data sets and models in the store. Raises BadInput for a wrong bucket."""
    data = DataService(db, home / "blobs", clock)
    kept = make_blobs(home / "blobs", os.environ.get(VARIABLE, "").strip())
    data.connect(accounts, kept, os.urandom, key_service(os.environ.get(KMS_VARIABLE, "")))
    return data


def tend_store(data: DataService, settings: Callable[[], Settings], notices: Notices) -> None:
    """Have the store kept as the operator's settings say, and operators told of what is found damaged."""

    def rules() -> UpkeepRules:
        storing = settings().storing
        return UpkeepRules(storing.grace_s, storing.scrub_s, storing.scrub_bytes_s)

    def tell(conn: Connection, damage: Damage) -> None:
        named = [f"{place.project_id}/{place.name} {place.path} ({place.revision})" for place in damage.places or ()]
        more = f" +{len(named) - SHOWN}" if len(named) > SHOWN else ""
        text = "; ".join(named[:SHOWN])[:900] + more
        notices.tell_operators(conn, "store.damaged", damage.content_hash, places=text or "-")

    data.upkeep.rules, data.upkeep.tell = rules, tell
