"""The hub's own clients against a served park, told nothing but the address and a token; each script a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.served import Served

from eureka_park.accounts.core.roles import Role

SEND = """
import sys
from huggingface_hub import HfApi

HfApi().create_repo("lab/large", repo_type="dataset", exist_ok=True)
HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo=sys.argv[2], repo_id="lab/large", repo_type="dataset")
"""
SCRIPTS = {
    "hub_steps": 80,
    "hub_datasets_steps": 25,
    "hub_models_steps": 18,
    "hub_files_steps": 40,
    "hub_cli_steps": 15,
}


CONFIDENTIAL = """
import os, sys
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError

api, large = HfApi(), os.urandom(2_000_000)
what = dict(repo_id="vault/records", repo_type="dataset")
if sys.argv[1] == "send":
    api.create_repo(**what)
    for path, content in (("large.bin", large), ("small.txt", b"small")):
        api.upload_file(path_or_fileobj=content, path_in_repo=path, **what)
        assert open(hf_hub_download(filename=path, **what), "rb").read() == content
else:
    try:
        hf_hub_download(filename="large.bin", force_download=True, **what)
    except ValueError as error:  # the client says what it wanted; the cause says what it was told
        told = error.__cause__
        assert isinstance(told, HfHubHTTPError) and told.response.status_code == 403 and "locked" in str(told), told
        print("locked")
"""


class Door:
    """A served park with two projects, a lead of both and a stranger, and what a client of theirs is told."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.served = folder, Served(folder, sky="observed")
        clock, accounts = self.served.live.clock, self.served.live.park.accounts
        clock.step(time.time() - clock.real_s())  # clients compare ends of tokens with their own clock
        owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
        lead, stranger = (accounts.people.add(name, is_verified=True) for name in ("Lea", "Ben"))
        for project in ("lab", "desk"):
            accounts.places.new_project(owner, project, project)
            accounts.places.give_role(owner, lead, Role.LEAD, f"project:{project}")
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": f"{self.served.url}/hub",
            "HF_TOKEN": accounts.tokens.new(lead, "data", scopes=["data", "manage", "jobs"])[0],
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",  # a test tells nobody else what it loads
            "STRANGER_TOKEN": accounts.new_token(stranger, "test"),
        }

    def start(self, *words: str, home: str) -> subprocess.Popen[str]:
        """A client with a home of its own."""
        env = {**self.env, "HF_HOME": str(self.folder / home)}
        return subprocess.Popen(
            [sys.executable, *words], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("clients"))
    yield door
    assert door.served.live.park.data.collector.scrub().findings == []
    door.served.stop()


def test_the_hubs_clients_pass_every_step(door: Door) -> None:
    started = {
        name: door.start(str(Path(__file__).with_name(f"{name}.py")), "lab", "desk", home=name) for name in SCRIPTS
    }
    for name, process in started.items():
        said, complaints = process.communicate(timeout=250)
        told = re.search(r"(\d+) steps passed", said)
        assert process.returncode == 0 and told, (name, said[-500:], complaints[-3000:])
        assert int(told[1]) >= SCRIPTS[name]


def test_a_second_machine_is_told_in_which_pack_the_chunks_lie(door: Door) -> None:
    content = os.urandom(3_000_000)
    file = door.folder / "large.bin"
    for number in range(2):
        file.write_bytes(content + b"%d" % number)
        sent = door.start("-c", SEND, str(file), f"large-{number}.bin", home=f"machine-{number}")
        _, complaints = sent.communicate(timeout=100)
        assert sent.returncode == 0, complaints[-3000:]


def test_a_confidential_project_is_a_project_to_its_clients_and_is_shut_while_its_key_is_away(door: Door) -> None:
    accounts, keys = door.served.live.park.accounts, door.served.live.park.data.keys
    lead = accounts.principal_of_token(door.env["HF_TOKEN"])
    owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
    accounts.places.new_project(owner, "vault", "Vault")
    accounts.places.give_role(owner, lead.person_id, Role.LEAD, "project:vault")
    lead = accounts.principal_of_token(door.env["HF_TOKEN"])
    keys.begin(lead, "vault", "customer", b"c" * 32)
    keys.unlock(lead, "vault", b"c" * 32, 3600.0)
    for act in ("send", "read"):
        client = door.start("-c", CONFIDENTIAL, act, home="vault")
        said, complaints = client.communicate(timeout=100)
        assert client.returncode == 0 and said.strip() == ("locked" if act == "read" else ""), complaints[-3000:]
        keys.lock(lead, "vault")
