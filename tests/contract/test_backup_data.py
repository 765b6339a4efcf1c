"""A backup of a running park holds its data sets, and a park that is made from it has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers import live_park

from eureka_park import bootstrap
from eureka_park.data.core.repository import Put, RepositoryKind
from eureka_park.data.repositories.versions import Draft
from eureka_park.migrations.backup import back_up, restore


def test_a_restored_park_has_its_data(tmp_path: Path) -> None:
    if live_park.ARE_ROWS_ELSEWHERE:
        pytest.skip("moves between databases are tried by tests/contract/test_backup.py")
    live = live_park.LivePark(tmp_path, sky="observed")
    accounts, data = live.park.accounts, live.park.data
    owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
    made = data.repositories.create(owner, RepositoryKind.DATASET, "welcome", "dunes")
    row = data.objects.put("welcome", iter([b"sand" * 1000]))
    data.repositories.versions.commit(made, owner, Draft("main", "Add", [Put("a", row.sha256, row.size_bytes)]))
    manifest = back_up(live.folder, tmp_path / "park.zip", 1.0)
    live.park.close()
    assert any(name.startswith("blobs/store/") for name in manifest.files)
    restore(tmp_path / "park.zip", tmp_path / "again")
    park = bootstrap.open_park(tmp_path / "again")
    versions = park.data.repositories.versions
    entry = versions.entry(versions.at(made, "main"), "a")
    assert park.data.objects.open("welcome", entry.sha256).content() == b"sand" * 1000
    assert park.data.collector.scrub().findings == []
    park.close()
