"""Croissant of a served park, read by its own library: valid, its files by their hashes, its records by URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
from tests.helpers.served import Served

from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import Put, RepositoryKind
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.versions import Draft

HEAD = b"---\nlicense: cc-by-4.0\nlanguage: [ary]\nrai: {dataBiases: South}\n---\n# Dunes\n\nSand.\n"
TABLE = "when,height m,is dry,note\n1,2.5,true,a\n2,,false,é\n".encode()
LINES = b'{"id": 1, "name": "Erg", "parts": [1]}\n{"id": 2, "name": "Reg"}\n'


def test_the_library_loads_a_version_from_the_park(tmp_path: Path) -> None:
    served = Served(tmp_path / "park", sky="observed")
    data, accounts = served.live.park.data, served.live.park.accounts
    owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
    made = data.repositories.create(owner, RepositoryKind.DATASET, "welcome", "dunes", "public")
    batch, puts = Batch(), list[Any]()
    table = pyarrow.table({"id": [1, 2], "kw": [0.5, None], "name": ["a", "b"], "parts": [[1], [2]]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    files = {
        "t.parquet": (tmp_path / "t.parquet").read_bytes(),
        "README.md": HEAD,
        "raw data/dunes.csv": TABLE,
        "other.csv": b"a;b\n1;2\n",
        "rows.jsonl": LINES,
        "0.csv": b"",
    }
    for path, content in files.items():
        row = data.objects.put_small("welcome", batch, content)
        puts.append(Put(path, row.sha256, row.size_bytes, git_oid(content)))
    version = data.repositories.versions.commit(made, owner, Draft("main", "Add", puts), batch)
    script = str(Path(__file__).with_name("croissant_steps.py"))
    env = {**os.environ, "CROISSANT_CACHE": str(tmp_path / "cache")}
    url = f"{served.url}/hub/api/datasets/welcome/dunes/croissant"
    done = subprocess.run([sys.executable, script, url], env=env, capture_output=True, text=True, timeout=120)
    served.stop()
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["issues"] == []
    assert found["records"].pop("t.parquet")[0] == [1, 0.5, "a"]
    assert found["records"]["rows.jsonl"] == [[1, "Erg"], [2, "Reg"]]
    assert found["records"]["raw data/dunes.csv"][0] == [1, 2.5, True, "a"] and set(found["records"]) == {
        "raw data/dunes.csv", "rows.jsonl",
    }  # fmt: skip
    told = found["told"]
    assert told["version"] == f"0.0.0+{version.commit_id[:12]}" and told["rai:dataBiases"] == "South"
    assert told["license"] == "https://spdx.org/licenses/CC-BY-4.0.html" and told["inLanguage"] == "ary"
