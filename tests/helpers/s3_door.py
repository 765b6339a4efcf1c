"""A served park with its S3 door, two projects and an access key to each: what tests of the door share."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from eureka_park.accounts.core.roles import Role
from tests.helpers.served import Served

REGION = "eu-west-3"
PROJECTS = ("lab", "desk", "clinic")


class S3Scene:
    """The park (`served`), Lea who leads `PROJECTS`, and a key of hers to each (`keys`)."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.served = folder, Served(folder, sky="observed")
        clock, accounts = self.served.live.clock, self.served.live.park.accounts
        clock.step(time.time() - clock.real_s())  # signatures name the client's own time
        owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "test"))
        lead = accounts.people.add("Lea", is_verified=True)
        for project in PROJECTS:
            accounts.places.new_project(owner, project, project)
            accounts.places.give_role(owner, lead, Role.LEAD, f"project:{project}")
        self.lea = accounts.principal_of_token(accounts.new_token(lead, "test"))
        self.files = self.served.live.park.data.files
        made = {project: self.files.keys.new(self.lea, project) for project in PROJECTS}
        self.keys = {project: (key.access_key_id, secret) for project, (key, secret) in made.items()}
        self.files.make_bucket(self.lea, "desk", "desk-theirs")
        self.files.make_bucket(self.lea, "lab", "lab-desk")

    def env(self, project: str = "lab") -> dict[str, str]:
        """What a client is told, and nothing of what this machine's own clients know."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith(("AWS_", "PARK_"))}
        key_id, secret = self.keys[project]
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.served.s3_url,
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def start(self, words: list[str], name: str) -> subprocess.Popen[str]:
        """A client with a folder of its own."""
        work = self.folder / "work" / name
        work.mkdir(parents=True)
        env = {**self.env(), "WORK": str(work), "HOME": str(work)}
        return subprocess.Popen(words, env=env, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def client(self, project: str = "lab", **config: Any) -> Any:
        """boto3, in this process."""
        key_id, secret = self.keys[project]
        return boto3.client(
            "s3",
            endpoint_url=self.served.s3_url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            region_name=REGION,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def stop(self) -> None:
        """Stop the park."""
        self.served.stop()
