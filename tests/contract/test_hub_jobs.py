"""`hf jobs` against a park as `park up` starts it: real jobs, their logs, their secrets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.helpers.running_park import RunningPark

from eureka_park import bootstrap
from eureka_park.accounts.core.roles import Role

STEPS = Path(__file__).with_name("hub_jobs_steps.py")
SECRET = b"correct horse battery"


def test_the_hubs_client_sends_jobs(tmp_path: Path) -> None:
    with RunningPark(tmp_path / "park") as park:
        opened = bootstrap.open_park(park.home)
        accounts = opened.accounts
        owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
        lead, stranger = (accounts.people.add(name, is_verified=True) for name in ("Lea", "Ben"))
        accounts.places.new_project(owner, "lab", "Lab")
        accounts.places.give_role(owner, lead, Role.LEAD, "project:lab")
        env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("HF_", "PARK_"))},
            "HF_ENDPOINT": f"http://localhost:{park.port}/hub",
            "HF_TOKEN": accounts.tokens.new(lead, "test", scopes=["jobs", "data"])[0],
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "STRANGER_TOKEN": accounts.new_token(stranger, "test"),
        }
        opened.close()
        done = subprocess.run(
            [sys.executable, str(STEPS), "lab"], env=env, capture_output=True, text=True, timeout=150, check=False
        )
        told = re.search(r"(\d+) steps passed", done.stdout)
        assert done.returncode == 0 and told, (done.stdout[-500:], done.stderr[-3000:])
        assert int(told[1]) >= 25
    holds = [path for path in park.home.rglob("*") if path.is_file() and SECRET in path.read_bytes()]
    assert holds == []
