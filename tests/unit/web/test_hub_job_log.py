"""Where the last lines of a log begin, for clients that ask for those alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.web import logs
from eureka_park.web.doors.hub.jobs import offset_of


@pytest.mark.parametrize("text", ["", "a", "\n", "a\nb", "a\nb\n", "\n\n\n", "a\n\nb\n", "long line\n" * 40])
@pytest.mark.parametrize("chunk_bytes", [1, 3, 7, 64 * 1024])
def test_the_tail_of_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, chunk_bytes: int) -> None:
    monkeypatch.setattr(logs, "CHUNK_BYTES", chunk_bytes)
    path = tmp_path / "log"
    path.write_text(text)
    lines = text.splitlines(keepends=True)
    assert offset_of(path, "") == 0
    for n_lines in range(len(lines) + 2):
        expected = "".join(lines[len(lines) - n_lines :] if n_lines < len(lines) else lines) if n_lines else ""
        assert text[offset_of(path, str(n_lines)) :] == expected, (text, n_lines)


@pytest.mark.parametrize("tail", ["-1", "many", "1" * 30, "٣"])
def test_what_is_no_number_of_lines_is_refused(tmp_path: Path, tail: str) -> None:
    with pytest.raises(BadInput):
        offset_of(tmp_path / "log", tail)


def test_a_log_that_is_not_there_yet_has_no_tail(tmp_path: Path) -> None:
    assert offset_of(tmp_path / "log", "3") == 0
