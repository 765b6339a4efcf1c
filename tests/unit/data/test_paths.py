"""Paths of a snapshot: what is safe passes, what is not is named."""

from __future__ import annotations

import unicodedata

import pytest

from eureka_park.data.core.paths import check_path, check_paths
from eureka_park.foundation.errors import BadInput


@pytest.mark.parametrize(
    "path",
    [
        "train.py",
        "a/b/c.txt",
        ".gitignore",
        "...",
        "a b/é ب.txt",
        "x" * 255,
        "/".join(["d" * 200] * 5),
        "~",
        "-rf",
        "a..b",
        "$(x)",
    ],
)
def test_safe_paths(path):
    check_path(path)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("../up", "'..'"),
        ("a/../../b", "'..'"),
        ("a/..", "'..'"),
        ("./a", "'.'"),
        ("a//b", "empty name"),
        ("a/", "empty name"),
        ("a\\b", "backslash"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("a\x7fb", "control"),
        ("a\x9bb", "control"),
        ("\udcff", "Unicode"),
        ("x" * 256, "255"),
        ("/".join(["d" * 200] * 6), "1024"),
    ],
)
def test_unsafe_paths_are_named_and_safe_to_print(path, word):
    with pytest.raises(BadInput) as caught:
        check_path(path, "files[0].path")
    assert word in caught.value.message and caught.value.message.isprintable() and caught.value.message.isascii()
    assert caught.value.field == "files[0].path"


@pytest.mark.parametrize(
    "paths",
    [
        ["a", "a"],
        ["Makefile", "makefile"],
        ["A/x", "a/y"],
        ["a", "a/b"],
        ["a/b", "a"],
        ["a/b/c", "x", "a/b"],
        ["a/b", "a/b/c"],
        [unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")],
        ["straße", "STRASSE"],
    ],
)
def test_clashes_name_the_second_path(paths):
    with pytest.raises(BadInput) as caught:
        check_paths(paths)
    assert caught.value.code == "path_clash" and caught.value.field == f"files[{len(paths) - 1}].path"


def test_a_folder_may_hold_many_files():
    check_paths([f"a/b{i // 100}/c{i}.txt" for i in range(5000)])
