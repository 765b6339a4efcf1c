"""Folders: what travels follows git's own rules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from eureka_park.client import folder as folder_module
from eureka_park.client.folder import list_folder
from eureka_park.foundation.errors import BadInput, NotFound, TooLarge


def fill(top: Path, *paths: str) -> None:
    for path in paths:
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(path)


def listed(top: Path) -> list[str]:
    return [file.path for file in list_folder(top).files]


TREE = (
    "a.py",
    "a.log",
    "keep.log",
    "build/x",
    "sub/build/y",
    "sub/a.log",
    "sub/important.log",
    "sub/deep/z.tmp",
    "sub/deep/b.py",
    "data/big",
    "data/small.txt",
    "only-top",
    "sub/only-top",
    "sub/#odd",
    "sub/sp ace",
)


def write_ignores(top: Path) -> None:
    (top / ".gitignore").write_text("*.log\n!keep.log\nbuild/\n/only-top\ndata/*\n!data/small.txt\n")
    (top / "sub" / ".gitignore").write_text("!important.log\n*.tmp\n")
    (top / "sub" / "deep" / ".gitignore").write_text("!z.tmp\n")


def test_gitignore_at_every_level(tmp_path: Path) -> None:
    fill(tmp_path, *TREE)
    write_ignores(tmp_path)
    fill(tmp_path, ".git/config", ".venv/bin/python", "sub/__pycache__/a.pyc")
    assert listed(tmp_path) == sorted(
        [
            ".gitignore",
            "a.py",
            "data/small.txt",
            "keep.log",
            "sub/#odd",
            "sub/.gitignore",
            "sub/deep/.gitignore",
            "sub/deep/b.py",
            "sub/deep/z.tmp",
            "sub/important.log",
            "sub/only-top",
            "sub/sp ace",
        ]
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_same_files_as_git(tmp_path: Path) -> None:
    fill(tmp_path, *TREE)
    write_ignores(tmp_path)
    subprocess.run(["git", "init", "-q", tmp_path], check=True, capture_output=True)
    command = ["git", "-C", str(tmp_path), "ls-files", "-z", "--others", "--exclude-standard"]
    found = subprocess.run(
        command, check=True, capture_output=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull}
    ).stdout
    assert listed(tmp_path) == sorted(found.decode().rstrip("\0").split("\0"))


def test_links_stay_inside(tmp_path: Path) -> None:
    top = tmp_path / "top"
    fill(top, "real", "folder/x")
    fill(tmp_path, "secret")
    (top / "inside").symlink_to("real")
    (top / "outside").symlink_to(tmp_path / "secret")
    (top / "nowhere").symlink_to("gone")
    (top / "folder-link").symlink_to("folder")
    (top / "loop").symlink_to("loop")
    if hasattr(os, "mkfifo"):
        os.mkfifo(top / "fifo")
    listing = list_folder(top)
    assert [file.path for file in listing.files] == ["folder/x", "inside", "real"]
    assert set(listing.not_sent) >= {"folder-link", "loop", "nowhere", "outside"}


def test_limits_are_said_with_the_largest_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mib = 1024 * 1024
    for path, size in (("data/a", 3 * mib), ("data/b", 2 * mib), ("models/c", 2 * mib), ("d", mib)):
        fill(tmp_path, path)
        with (tmp_path / path).open("wb") as stream:
            stream.truncate(size)
    monkeypatch.setattr(folder_module, "LIMIT_BYTES", 4 * mib)
    with pytest.raises(TooLarge) as caught:
        list_folder(tmp_path)
    assert "holds 8 MiB; at most 4 MiB" in caught.value.message
    assert "data/ (5 MiB), models/ (2 MiB), d (1 MiB)" in caught.value.message
    monkeypatch.setattr(folder_module, "LIMIT_FILES", 3)
    with pytest.raises(TooLarge, match=r"holds 4 files; at most 3 files.*data/ \(2 files\)"):
        list_folder(tmp_path)


def test_default_limits() -> None:
    assert (folder_module.LIMIT_BYTES, folder_module.LIMIT_FILES) == (512 * 1024**2, 20_000)


def test_folders_that_cannot_be_sent(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no folder"):
        list_folder(tmp_path / "gone")
    with pytest.raises(BadInput, match="nothing to send"):
        list_folder(tmp_path)
    fill(tmp_path, "a")
    (tmp_path / ".gitignore").write_text("*\n")
    with pytest.raises(BadInput, match="nothing to send"):
        list_folder(tmp_path)


def test_a_bad_pattern_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    (tmp_path / ".gitignore").write_text("!\n")
    try:
        assert "a" in listed(tmp_path)
    except BadInput as error:
        assert ".gitignore" in error.message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    (tmp_path / "a").chmod(0)
    with pytest.raises(BadInput, match="cannot be read"):
        list_folder(tmp_path).files[0].described()
