"""Logins: one private file, several parks, one current; and the order in which parks are found."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from eureka_park.client.address import LOGIN, find_address
from eureka_park.client.logins import Login, Logins, logins_file, read_logins, write_logins
from eureka_park.client.signing_in import is_in_the_clear, park_url
from eureka_park.foundation.errors import BadInput, NotFound, Unavailable

ONE, TWO = Login("https://one.example", "park_1", "ada"), Login("https://two.example", "park_2")


def local_park(home: Path, url: str = "http://localhost:8386") -> None:
    (home / "run").mkdir(parents=True)
    (home / "run" / "client.json").write_text(json.dumps({"url": url, "token": "park_local"}))


def test_written_and_read_again() -> None:
    assert read_logins() == Logins({})
    kept = Logins({}).added(ONE).added(TWO)
    write_logins(kept)
    assert read_logins() == kept and kept.current == TWO.url
    assert [path.name for path in logins_file().parent.iterdir()] == ["logins.json"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permission bits")
def test_nobody_else_reads_it() -> None:
    mask = os.umask(0)
    try:
        write_logins(Logins({}).added(ONE))
        write_logins(Logins({}).added(TWO))
    finally:
        os.umask(mask)
    assert stat.S_IMODE(logins_file().stat().st_mode) == 0o600
    assert stat.S_IMODE(logins_file().parent.stat().st_mode) == 0o700


def test_one_is_current_until_it_goes() -> None:
    both = Logins({}).added(ONE).added(TWO)
    assert both.without(ONE.url).current == TWO.url
    assert both.without(TWO.url) == Logins({ONE.url: ONE}, None)
    assert both.using(ONE.url).current == ONE.url
    assert both.found("one") == ONE and both.found("https://two.example/") == TWO
    for word in ("example", "three", ""):
        with pytest.raises(NotFound, match="no login"):
            both.found(word)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"parks": {"x": {}}}', '{"parks": []}', "\ud800"])
def test_a_broken_file_is_one_line_with_its_fix(text: str) -> None:
    logins_file().parent.mkdir(parents=True)
    logins_file().write_text(text, "utf-8", "surrogatepass")
    with pytest.raises(Unavailable, match="cannot be read") as caught:
        read_logins()
    assert "park login URL" in caught.value.fix


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written() -> None:
    logins_file().parent.parent.mkdir(parents=True)
    logins_file().parent.parent.chmod(0o500)
    with pytest.raises(Unavailable, match="cannot be written"):
        write_logins(Logins({}).added(ONE))


def test_the_order_in_which_a_park_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No park runs"):
        find_address()
    write_logins(Logins({}).added(TWO).added(ONE))
    assert (find_address().url, find_address().token, find_address().named_by) == (ONE.url, ONE.token, LOGIN)
    monkeypatch.setenv("PARK_URL", TWO.url + "/")
    assert (find_address().url, find_address().token) == (TWO.url, TWO.token)
    monkeypatch.setenv("PARK_URL", "https://unknown.example")
    assert find_address().token is None
    monkeypatch.setenv("PARK_TOKEN", "park_mine")
    assert find_address().token == "park_mine"
    assert find_address(ONE.url, "park_other").token == "park_other"
    monkeypatch.delenv("PARK_URL")
    assert (find_address().url, find_address().token) == (ONE.url, "park_mine")
    monkeypatch.delenv("PARK_TOKEN")
    local_park(tmp_path / "named")
    monkeypatch.setenv("PARK_HOME", str(tmp_path / "named"))
    assert find_address().token == "park_local"


def test_a_login_stands_above_the_unnamed_park_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PARK_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    import platformdirs

    local_park(Path(platformdirs.user_data_dir("eureka-park")))
    assert find_address().token == "park_local"
    write_logins(Logins({}).added(ONE))
    assert find_address().url == ONE.url
    write_logins(read_logins().using(None))
    assert find_address().token == "park_local"


def test_the_token_of_this_machine_goes_nowhere_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    local_park(tmp_path / "named")
    monkeypatch.setenv("PARK_HOME", str(tmp_path / "named"))
    assert find_address("http://localhost:8386").token == "park_local"
    assert find_address("http://localhost:8387").token is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://park.example.org/", "https://park.example.org"),
        ("park.example.org", "https://park.example.org"),
        ("localhost:8386", "http://localhost:8386"),
        ("127.0.0.1:8386/connect", "http://127.0.0.1:8386"),
        ("https://x.example/park/connect?code=1#a", "https://x.example/park"),
        (" http://x.example/jobs ", "http://x.example"),
        ("127.example.org", "https://127.example.org"),
    ],
)
def test_addresses_as_they_are_pasted(text: str, url: str) -> None:
    assert park_url(text) == url


def test_bad_addresses_and_open_lines() -> None:
    for text in ("", "ftp://x", "https://", "http://x:0"):
        with pytest.raises(BadInput):
            park_url(text)
    assert is_in_the_clear("http://park.example.org")
    assert is_in_the_clear("http://127.example.org") and is_in_the_clear("http://127.0.0.1.example.org")
    assert not is_in_the_clear("http://127.0.0.2:1") and not is_in_the_clear("http://[::1]:1")
    assert not is_in_the_clear("http://localhost:1") and not is_in_the_clear("https://park.example.org")
