"""`park files` from beginning to end against a served park, and the API behind it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.helpers.served import Served

from eureka_park.cli.main import cli


def test_files_go_in_are_replaced_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(tmp_path / "park", sky="observed")
    accounts = served.live.park.accounts
    monkeypatch.setenv("PARK_URL", served.url)
    monkeypatch.setenv("PARK_TOKEN", accounts.new_token(accounts.ensure_owner()[0], "test"))
    folder = tmp_path / "plots"
    (folder / "raw").mkdir(parents=True)
    (folder / "a b.csv").write_text("x\n1\n")
    (folder / "raw" / "été.bin").write_bytes(os.urandom(2_000_000))

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, ["files", *words], catch_exceptions=False)
        assert done.exit_code == code, (words, done.output)
        return done.output

    def told(*words: str):
        answer = json.loads(run(*words, "--json"))
        return answer.get("items", answer)

    run("bucket", "new", "welcome-plots", "--project", "welcome", "--versions")
    run("put", "welcome-plots/2026/", str(folder))
    assert [one.get("key") or one["prefix"] for one in told("ls", "welcome-plots/2026/")] == [
        "2026/a b.csv",
        "2026/raw/",
    ]
    (folder / "a b.csv").write_text("x\n2\n")
    assert run("put", "welcome-plots/2026/a b.csv", str(folder / "a b.csv")) == "2026/a b.csv\n"
    run("get", "welcome-plots/2026", "--to", str(tmp_path / "home"))
    assert (tmp_path / "home" / "2026" / "raw" / "été.bin").read_bytes() == (folder / "raw" / "été.bin").read_bytes()
    run("rm", "welcome-plots/2026/a b.csv")
    assert "no file" in run("get", "welcome-plots/2026/a b.csv", code=1)
    newest, second, first = told("versions", "welcome-plots/2026/a b.csv")
    assert (newest["is_delete_marker"], second["content_type"]) == (True, "text/csv")
    run("restore", "welcome-plots/2026/a b.csv")
    run("get", "welcome-plots/2026/a b.csv", "--to", str(tmp_path))
    assert (tmp_path / "a b.csv").read_text() == "x\n2\n"
    run("get", "welcome-plots/2026/a b.csv", "--to", str(tmp_path), "--version", first["version_id"])
    assert (tmp_path / "a b.csv").read_text() == "x\n1\n"
    run("lifecycle", "welcome-plots/2026/raw/", "--after", "30")
    run("lifecycle", "welcome-plots", "--former-after", "90", "--keep", "3", "--name", "old")
    assert [(one["rule_id"], one["prefix"]) for one in told("lifecycle", "welcome-plots")] == [
        ("2026/raw/", "2026/raw/"),
        ("old", ""),
    ]
    assert run("expire", "--home", str(served.live.folder), "--dry-run").startswith("0 ")
    assert told("lifecycle", "welcome-plots", "--off") == [] and told("expire", "--home", str(served.live.folder)) == {
        "n_gone": 0
    }
    key = told("key", "new", "--project", "welcome", "--name", "laptop", "--read-only")
    assert len(key["secret"]) == 40 and [one["name"] for one in told("key", "ls")] == ["laptop"]
    assert key["secret"] not in run("key", "ls", "--project", "welcome")
    run("key", "revoke", key["access_key_id"])
    assert told("key", "ls") == [] and "no access key" in run("key", "revoke", key["access_key_id"], code=1)
    assert "not empty" in run("bucket", "rm", "welcome-plots", code=1)
    run("rm", "-r", "welcome-plots/")
    assert told("ls", "welcome-plots") == []
    for one in told("versions", "welcome-plots"):
        run("rm", f"welcome-plots/{one['key']}", "--version", one["version_id"])
    run("bucket", "rm", "welcome-plots")
    assert told("ls") == [] and "no bucket" in run("ls", "welcome-plots", code=1)
    assert "3 to 63" in run("bucket", "new", "Plots", "--project", "welcome", code=1)
