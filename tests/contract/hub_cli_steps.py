"""Steps of the command `hf`, each a process of its own, against a served park; see hub_steps.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from client_walk import OTHER, PROJECT, STRANGER, step, walk, work

HF = Path(sys.executable).with_name("hf")
REPO = f"{PROJECT}/cli-{os.getpid()}"
DATA = ("--type", "dataset")


def hf(*words: Any, code: int = 0, **env: str) -> str:
    """What a command printed. Raises AssertionError for another exit code."""
    done = subprocess.run(
        [str(HF), *map(str, words)], capture_output=True, text=True, timeout=60, env={**os.environ, **env}, check=False
    )
    assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout if code == 0 else done.stderr


def keep() -> None:
    folder = work / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("1\n")
    (folder / "deep" / "large.bin").write_bytes(os.urandom(2_000_000))
    who = json.loads(step("hf auth whoami", lambda: hf("auth", "whoami", "--format", "json")))
    step("projects", lambda: PROJECT in who["orgs"] and OTHER in who["orgs"], True)
    step("hf upload, a folder into a new repository", lambda: hf("upload", REPO, folder, ".", *DATA, "--private"))
    step("hf upload, a file", lambda: hf("upload", REPO, folder / "a.txt", "b.txt", *DATA))
    step("hf download", lambda: hf("download", REPO, *DATA, "--local-dir", work / "got"))
    large = [(place / "deep/large.bin").read_bytes() for place in (folder, work / "got")]
    step("the same", lambda: large[0] == large[1], True)
    step("hf cp, within", lambda: hf("cp", f"hf://datasets/{REPO}/deep/large.bin", f"hf://datasets/{REPO}/copy.bin"))
    step("hf datasets ls", lambda: "copy.bin" in hf("datasets", "ls", REPO, "-R"), True)
    step("hf repos ls", lambda: REPO in hf("repos", "ls", "--namespace", PROJECT, "--format", "json"), True)
    step("hf repos delete-files", lambda: hf("repos", "delete-files", REPO, "copy.bin", *DATA))
    step("hf repos tag create", lambda: hf("repos", "tag", "create", REPO, "v1", *DATA))
    step("hf repos branch create", lambda: hf("repos", "branch", "create", REPO, "try", *DATA))
    cache = {"HF_HOME": str(work / "cache")}  # of its own: a download to a folder leaves a ref without a snapshot
    step("hf download into the cache", lambda: hf("download", REPO, "a.txt", *DATA, "--revision", "v1", **cache))
    step("hf cache ls", lambda: REPO in hf("cache", "ls", "--format", "json", **cache), True)
    step("hf cache verify", lambda: hf("cache", "verify", REPO, *DATA, "--revision", "v1", **cache))
    step("hf repos settings", lambda: hf("repos", "settings", REPO, *DATA, "--gated", "auto"))
    told = step("a stranger", lambda: hf("download", REPO, *DATA, code=1, HF_TOKEN=STRANGER, HF_HOME=str(work / "x")))
    step("is told no more", lambda: "not found" in told.lower(), True)
    step("hf repos delete", lambda: hf("repos", "delete", REPO, *DATA, "-y"))


if __name__ == "__main__":
    walk(keep)
