"""The light client on Windows, as far as that can be seen from elsewhere: names, paths, calls that are not there."""

from __future__ import annotations

import ast
from pathlib import Path, PureWindowsPath

import pytest
from tests.unit.client.small_park import SmallPark
from tests.unit.client.test_imports import LIGHT, ONE_SYSTEM, imports

from eureka_park.client import Park, fetch, scripts
from eureka_park.client.signing_in import park_url
from eureka_park.foundation.errors import BadInput

# What a POSIX system has and Windows lacks, or has with another meaning.
NOT_THERE = {
    "os": {
        "getuid", "geteuid", "getgid", "fork", "killpg", "setsid", "getpgid", "chown", "mkfifo", "nice", "wait",
        "fchmod", "openpty", "uname", "getloadavg",
    },
    "signal": {"SIGKILL", "SIGHUP", "SIGALRM", "SIGPIPE", "SIGCHLD", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGSTOP",
               "alarm"},
    "time": {"tzset"},
    "socket": {"AF_UNIX"},
}  # fmt: skip


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_call_that_windows_lacks(path: Path) -> None:
    used = {
        (node.value.id, node.attr)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    assert not {pair for pair in used if pair[1] in NOT_THERE.get(pair[0], set())}
    assert not imports(path, top_only=True) & ONE_SYSTEM


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_text_files_name_their_encoding(path: Path) -> None:
    """On Windows the default is not UTF-8."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = [node for node in calls if isinstance(node.func, ast.Attribute)]
    for node in named:
        if node.func.attr in {"read_text", "write_text"}:  # type: ignore[attr-defined]
            assert {word.arg for word in node.keywords} & {"encoding"} or len(node.args) > 1 or "utf" in ast.dump(node)


@pytest.mark.parametrize(
    "name", ["con", "NUL.txt", "com1", "LPT9.log", "a.", "a ", "a:b", "what?", 'say"', "a|b", "a*", "a\x01", "COM²"]
)
def test_names_that_windows_cannot_keep(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fetch.is_bad_on_windows(name)
    monkeypatch.setattr(fetch, "IS_WINDOWS", True)
    with pytest.raises(BadInput, match="Windows cannot keep"):
        fetch.safe_target(tmp_path, f"raw/{name}")


@pytest.mark.parametrize("name", ["console", "nullable.txt", "a.b", ".hidden", "com10", "été", "a b"])
def test_names_that_it_keeps(name: str) -> None:
    assert not fetch.is_bad_on_windows(name)


def test_a_file_needs_an_ending_where_nothing_is_executable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = tmp_path / "run"
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr(scripts.sys, "platform", "win32")
    with pytest.raises(BadInput, match=r"neither a \.py nor a \.sh"):
        scripts.kind_of(script)
    (tmp_path / "RUN.PY").write_text("")
    assert scripts.kind_of(tmp_path / "RUN.PY") == "python"


def test_snapshots_name_files_the_posix_way(small: SmallPark, park: Park, tmp_path: Path) -> None:
    (tmp_path / "code" / "sub").mkdir(parents=True)
    (tmp_path / "code" / "sub" / "train.py").write_text("")
    park.submit(tmp_path / "code" / "sub" / "train.py", folder=tmp_path / "code")
    assert small.bodies[0]["script"] == "sub/train.py"
    assert [item["path"] for item in small.snapshots[0]] == ["sub/train.py"]
    assert "\\" not in PureWindowsPath(r"sub\train.py").as_posix()


def test_a_drive_is_no_address() -> None:
    for text in (r"C:\parks", r"\\server\share"):
        with pytest.raises(BadInput):
            park_url(text)
