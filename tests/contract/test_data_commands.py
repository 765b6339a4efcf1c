"""`park data` from beginning to end against a served park, and the API behind it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.helpers.served import Served

from eureka_park.cli.main import cli


def test_data_goes_in_is_compared_and_comes_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = Served(tmp_path / "park", sky="observed")
    accounts = served.live.park.accounts
    monkeypatch.setenv("PARK_URL", served.url)
    monkeypatch.setenv("PARK_TOKEN", accounts.new_token(accounts.ensure_owner()[0], "test"))
    folder = tmp_path / "dunes"
    (folder / "raw").mkdir(parents=True)
    (folder / "raw" / "a.csv").write_text("x\n1\n")
    (folder / "large.bin").write_bytes(os.urandom(2_000_000))

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, ["data", *words], catch_exceptions=False)
        assert done.exit_code == code, (words, done.output)
        return done.output

    run("put", "welcome/dunes", str(folder), "--create", "-m", "First")
    run("put", "welcome/dunes", str(folder))
    (folder / "raw" / "a.csv").write_text("x\n2\n")
    made = json.loads(run("put", "welcome/dunes", str(folder / "raw"), "--into", "raw", "--json"))
    assert made["title"] == "Put raw/a.csv" and made["n_files"] == 2
    titles = [one["title"] for one in json.loads(run("log", "welcome/dunes", "--json"))["items"]]
    assert titles == ["Put raw/a.csv", "First", "Begin"], "nothing new, no commit"
    first = json.loads(run("log", "welcome/dunes", "--json"))["items"][1]["commit_id"]
    assert run("diff", "welcome/dunes", first) == "~ raw/a.csv\n"
    assert "raw/" in run("ls", "welcome/dunes") and "welcome/dunes" in run("ls")
    run("get", "welcome/dunes", "--to", str(tmp_path / "home"))
    assert (tmp_path / "home" / "large.bin").read_bytes() == (folder / "large.bin").read_bytes()
    run("get", "welcome/dunes", "raw/a.csv", "--to", str(tmp_path / "old"), "--rev", first)
    assert (tmp_path / "old" / "raw" / "a.csv").read_text() == "x\n1\n"
    assert "no repository" in run("ls", "welcome/none", code=1) and "PROJECT/NAME" in run("ls", "none", code=1)
    run("card", "welcome/dunes", "--set", "license=cc-by-4.0", "--set", "language=fr, ary", "--set", "tags=Sand")
    assert "CC-BY-4.0" in run("card", "welcome/dunes") and "personal_data" in run("card", "welcome/dunes", "--check")
    assert "license" in run("card", "welcome/dunes", "--set", "license=nope", code=1)
    run("card", "welcome/dunes", "--set", "personal_data=personal")
    assert "--confirm-personal-data" in run("open", "welcome/dunes", "--to", "public", code=1)
    run("open", "welcome/dunes", "--to", "public", "--confirm-personal-data")
    assert "dunes" in run("ls", "--language", "ary", "--licence", "cc-by-4.0", "--tag", "sand")
    assert run("ls", "--licence", "mit").count("\n") == 1
    _what_is_kept(served, run)
    home = str(served.live.folder)
    assert json.loads(run("scrub", "--home", home, "--json"))["is_sound"] is True
    assert json.loads(run("collect", "--home", home, "--json"))["n_blobs"] == 0
    file = next((served.live.folder / "blobs" / "store").rglob("*.*"))
    file.chmod(0o644)
    right = file.read_bytes()
    file.write_bytes(b"other")
    assert "welcome/dunes" in run("scrub", "--home", home, code=1)
    told = json.loads(run("scrub", "--last", "--json", code=1))
    assert told["n_damaged"] == 1 and told["damage"][0]["places"][0]["name"] == "dunes"
    (tmp_path / "again").write_bytes(right)
    run("put", "welcome/dunes", str(tmp_path / "again"), "--again")
    assert json.loads(run("scrub", "--home", home, "--json"))["is_sound"] is True
    assert "Read in this round" in run("scrub", "--last")
    served.stop()


def _what_is_kept(served: Served, run: Callable[..., str]) -> None:
    use = json.loads(run("quota", "welcome", "--json"))
    assert use["used_bytes"] > 2_000_000 and use["repositories"][0]["name"] == "dunes"
    assert "500.0 GiB" in run("quota", "welcome", "--set", "500GiB") and "dunes" in run("quota", "welcome")
    assert json.loads(run("quota", "welcome", "--set", "default", "--json"))["is_default_limit"]
    assert "Would go: " in run("keep", "welcome/dunes", "--versions", "2", "--history", "90d", "--try")
    assert run("keep", "welcome/dunes") == "Everything stays.\n"
    assert "2 versions stay" in run("keep", "welcome/dunes", "--versions", "2")
    assert run("keep", "welcome/dunes", "--all") == "Everything stays.\n"
    assert "Audit 17" in run("hold", "welcome/dunes", "--set", "Audit 17") == run("hold", "welcome/dunes")
    assert "legal hold" in run("keep", "welcome/dunes", "--versions", "2", code=1)
    run("hold", "welcome/dunes", "--lift")
    assert json.loads(run("hold", "welcome/dunes", "--json"))["is_on_hold"] is False
