"""PEP 723 headers: what is read, and what is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.client.scripts import ScriptHeader, is_requirement, kind_of, parse_header, read_header
from eureka_park.foundation.errors import BadInput, NotFound

GOOD = """#!/usr/bin/env python
# /// script
# requires-python = ">=3.11,<4"
# dependencies = [
#   "numpy>=2.0,<3",
#   "scikit-learn[extra]~=1.6 ; python_version>'3.10'",
#   "mine @ https://example.org/mine-1.0-py3-none-any.whl",
# ]
#
# [tool.other]
# key = 1
# ///
print("# /// script")
"""


def test_good_header() -> None:
    header = parse_header(GOOD)
    assert header.requires_python == ">=3.11,<4"
    assert len(header.dependencies) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "print(1)\n",
        "# /// other\n# x = 1\n# ///\n",
        "# /// other\nnot closed\n",
        'x = """\n /// script\n"""',
        "#/// script\n# ///\n",
    ],
)
def test_no_header_is_an_empty_one(text: str) -> None:
    assert parse_header(text) == ScriptHeader()


def test_block_ends_at_the_last_closing_line_of_its_comments() -> None:
    text = "# /// script\n# dependencies = [\n#   'a',\n# ]\n# ///\n# more\n\n# ///\n"
    assert parse_header(text).dependencies == ("a",)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n# /// script\n# dependencies = []\nprint()\n", 2, "never closed"),
        ("# /// script\n#dependencies = []\n# ///\n", 1, "never closed"),
        (
            '# /// script\n# requires-python = ">=3.11"\n# dependencies = [\n#  "numpy"\n# broken\n# ]\n# ///\n',
            5,
            "not TOML",
        ),
        ("# /// script\n# dependencies = 'numpy'\n# ///\n", 2, "not a list"),
        ("# /// script\n# x = 1\n# dependencies = [1]\n# ///\n", 3, "not a list"),
        ("# /// script\n# dependencies = [\n#   'numpy',\n#   '>=2',\n# ]\n# ///\n", 4, "not a requirement"),
        ("# /// script\n# requires-python = 3.11\n# ///\n", 2, "range of versions"),
        ("# /// script\n# requires-python = '3.11'\n# ///\n", 2, "range of versions"),
        ("# /// script\n# ///\n\n# /// script\n# ///\n", 4, "second"),
        ("# /// script\n# a = 1\n# a = 2\n# ///\n", 3, "not TOML"),
    ],
)
def test_malformed_header_is_told_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_header(text, "train.py")
    assert f"train.py, line {line}:" in caught.value.message
    assert words in caught.value.message
    assert caught.value.fix


def test_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("\ufeff" + GOOD, encoding="utf-8")
    assert len(read_header(tmp_path / "a.py").dependencies) == 3
    (tmp_path / "b.py").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="UTF-8"):
        read_header(tmp_path / "b.py")
    with pytest.raises(NotFound):
        read_header(tmp_path / "c.py")


def test_kinds(tmp_path: Path) -> None:
    for name in ("a.py", "b.sh", "c"):
        (tmp_path / name).write_text("")
    (tmp_path / "c").chmod(0o755)
    assert [kind_of(tmp_path / name) for name in ("a.py", "b.sh", "c")] == ["python", "sh", "executable"]
    with pytest.raises(BadInput, match="not a file"):
        kind_of(tmp_path)
    with pytest.raises(NotFound) as caught:
        kind_of(Path("python-of-nobody"))
    assert "park submit -- python-of-nobody" in caught.value.fix


@pytest.mark.parametrize(
    "text", ["numpy", "a.b-c_d", "x[y,z]>=1", "p @ file:///x", "q (>=1)", "z ; sys_platform == 'linux'", "A==1.*"]
)
def test_requirements(text: str) -> None:
    assert is_requirement(text)


@pytest.mark.parametrize("text", ["", ">=1", "-r x", "a b", "./local", "a\nb", "https://x/y.whl"])
def test_not_requirements(text: str) -> None:
    assert not is_requirement(text)
