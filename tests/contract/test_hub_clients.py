"""The hub's own client against a served park, told nothing but the address and a token."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.served import Served

from eureka_park.accounts.core.roles import Role

SEND = """
import sys
from huggingface_hub import HfApi

HfApi().create_repo("lab/large", repo_type="dataset", exist_ok=True)
HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo=sys.argv[2], repo_id="lab/large", repo_type="dataset")
"""
STEPS = Path(__file__).with_name("hub_steps.py")


def test_the_hubs_client_passes_every_step(tmp_path: Path) -> None:
    served = Served(tmp_path, sky="observed")
    park = served.live.park
    served.live.clock.step(time.time() - served.live.clock.real_s())  # the client compares ends of tokens with its own
    accounts = park.accounts
    owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
    accounts.places.new_project(owner, "lab", "Lab")
    lead, stranger = (accounts.people.add(name, is_verified=True) for name in ("Lea", "Ben"))
    accounts.places.give_role(owner, lead, Role.LEAD, "project:lab")
    data = accounts.tokens.new(lead, "data", scopes=["data", "manage"])[0]
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
        "HF_ENDPOINT": f"{served.url}/hub",
        "HF_TOKEN": data,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "STRANGER_TOKEN": accounts.new_token(stranger, "test"),
    }
    done = subprocess.run(
        [sys.executable, str(STEPS), "lab"], env=env, capture_output=True, text=True, timeout=200, check=False
    )
    told = re.search(r"(\d+) steps passed", done.stdout)
    assert done.returncode == 0 and told, (done.stdout[-500:], done.stderr[-3000:])
    assert int(told[1]) >= 75
    content = os.urandom(3_000_000)
    for number in range(2):  # the second machine is told in which pack the chunks lie that the first one sent
        (tmp_path / "large.bin").write_bytes(content + b"%d" % number)
        other = {**env, "HF_HOME": str(tmp_path / f"machine-{number}")}
        sent = subprocess.run(
            [sys.executable, "-c", SEND, str(tmp_path / "large.bin"), f"large-{number}.bin"],
            env=other, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert sent.returncode == 0, sent.stderr[-3000:]
    assert park.data.collector.scrub().findings == []
    served.stop()
