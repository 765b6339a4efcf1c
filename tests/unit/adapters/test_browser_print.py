"""Printing: the line that says what is missing, and what a browser does wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.adapters import browser_print
from eureka_park.foundation.errors import Unavailable


def test_without_a_browser_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as error:
        browser_print.print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
    line = error.value.line()
    assert "Chromium" in line and "apt install chromium" in line and "\n" not in line


@pytest.mark.parametrize(("script", "says"), [("echo 'no display' >&2; exit 3", "no display"), ("exit 0", "exit 0")])
def test_what_the_browser_says_is_passed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, says: str
) -> None:
    program = tmp_path / "chromium"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(browser_print, "browser", lambda _instead: str(program))
    with pytest.raises(Unavailable, match=says):
        browser_print.print_pdf(tmp_path / "page.html", tmp_path / "page.pdf")
