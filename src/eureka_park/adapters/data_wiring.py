"""The room of data over this home's folder, or over the bucket that PARK_BLOBS names."""

from __future__ import annotations

import os
from pathlib import Path

from eureka_park.accounts.service import AccountsService
from eureka_park.adapters.blobs import VARIABLE, Blobs
from eureka_park.adapters.key_service import VARIABLE as KMS_VARIABLE
from eureka_park.adapters.key_service import key_service
from eureka_park.data.service import DataService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database


def make_data(db: Database, home: Path, clock: Clock, accounts: AccountsService) -> DataService:
    """Inputs of jobs as files of the home; data sets and models in the store. Raises BadInput for a wrong bucket."""
    data = DataService(db, home / "blobs", clock)
    kept = Blobs(home / "blobs", os.environ.get(VARIABLE, "").strip())
    data.connect(accounts, kept, os.urandom, key_service(os.environ.get(KMS_VARIABLE, "")))
    return data
