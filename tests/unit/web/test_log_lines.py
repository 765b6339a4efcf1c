"""Lines by number and search against a plain reading of the same bytes: small blocks, odd lines, files that grow."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eureka_park.web import log_lines, log_search
from eureka_park.web.log_lines import LineIndexes, line_numbers, read_lines
from eureka_park.web.log_search import Needle, search_backwards, search_forwards

logs = st.lists(st.sampled_from([b"\n", b"a", b"bb\n", b"\n\n", "é\n".encode(), b"x" * 40, b"ab\r\n", b"Ab"])).map(
    b"".join
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "BLOCK_BYTES", 16)
    monkeypatch.setattr(log_search, "BLOCK_BYTES", 16)


def plain(data: bytes) -> list[str]:
    parts = data.split(b"\n")
    parts = parts[:-1] if parts[-1] == b"" else parts
    return [part.removesuffix(b"\r").decode("utf-8", "replace") for part in parts]


@given(logs, st.integers(0, 40), st.integers(1, 20), st.integers(1, 40))
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=200)
def test_lines_are_those_of_a_plain_reading(tmp_path: Path, data: bytes, line: int, n: int, back: int) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(data)
    wanted, indexes = plain(data), LineIndexes()
    found = read_lines(path, line, n, indexes)
    assert found.lines == wanted[line : line + n] and found.n_lines == len(wanted)
    assert found.first == (line if found.lines else None)
    end = read_lines(path, -back, n, indexes)
    assert end.lines == wanted[-back:][:n] and (end.first == max(0, len(wanted) - back) or not wanted)
    assert found.begin_offset <= found.end_offset <= found.size == len(data)
    if found.lines:
        assert line_numbers(path, [found.begin_offset], indexes) == [line]
        assert plain(data[found.begin_offset : found.end_offset]) == found.lines


@given(logs, logs, st.integers(0, 20))
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
def test_an_index_grows_with_its_file_and_begins_anew_with_another(
    tmp_path: Path, first: bytes, more: bytes, line: int
) -> None:
    path, indexes = tmp_path / "log.txt", LineIndexes()
    path.write_bytes(first)
    read_lines(path, line, 5, indexes)
    with path.open("ab") as file:
        file.write(more)
    assert read_lines(path, line, 5, indexes).lines == plain(first + more)[line : line + 5]
    path.unlink()
    path.write_bytes(more[:10])
    assert read_lines(path, line, 5, indexes).lines == plain(more[:10])[line : line + 5]


def test_the_end_of_a_large_log_waits_for_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, indexes = tmp_path / "log.txt", LineIndexes()
    path.write_bytes(b"".join(b"line %d\n" % number for number in range(1000)))
    held = []
    monkeypatch.setattr(indexes, "complete", held.append)
    end = read_lines(path, -3, 3, indexes)
    assert end.lines == ["line 997", "line 998", "line 999"] and end.n_lines is None and end.first is None
    assert 500 < end.n_lines_estimate < 2000 and held == [indexes.of(path)]
    monkeypatch.undo()
    indexes.complete(indexes.of(path))
    for _ in range(500):
        if (found := read_lines(path, -3, 3, indexes)).n_lines is not None:
            break
        time.sleep(0.01)
    assert (found.n_lines, found.first) == (1000, 997)


def test_long_lines_are_cut_and_work_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_lines, "LINE_BYTES_MAX", 10)
    path = tmp_path / "log.txt"
    path.write_bytes(b"a" * 100 + b"\n" + b"b\n")
    assert read_lines(path, 0, 5, LineIndexes()).lines == ["a" * 10, "b"]
    assert read_lines(path, -2, 5, LineIndexes()).lines == ["a" * 10, "b"]
    monkeypatch.setattr(log_lines, "WORK_BYTES", 64)
    path.write_bytes(b"c" * 10_000)
    assert read_lines(path, 0, 5, LineIndexes()).end_offset < 200
    assert read_lines(path, -5, 5, LineIndexes()).begin_offset > 9_000


def test_indexes_are_bounded(tmp_path: Path) -> None:
    indexes = LineIndexes(3)
    for number in range(10):
        path = tmp_path / f"{number}.txt"
        path.write_bytes(b"x\n")
        read_lines(path, 0, 1, indexes)
    assert len(indexes._known) == 3
    missing = read_lines(tmp_path / "none.txt", 0, 5, indexes)
    assert missing.lines == [] and missing.n_lines == 0


short = st.lists(st.sampled_from([b"\n", b"a\n", b"a b ab\n", "éÉ b\n".encode(), b"xxAbyb\r\n"])).map(b"".join)


@given(short, st.sampled_from(["a", "b", "é", "É", "AB", "xx", "zz"]), st.booleans(), st.integers(1, 4))
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=200)
def test_search_finds_each_line_once_both_ways(
    tmp_path: Path, data: bytes, text: str, ignores_case: bool, limit: int
) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(data)

    def holds(line: str) -> bool:
        return text.casefold() in line.casefold() if ignores_case else text in line

    wanted, at = [], 0
    for part in data.split(b"\n"):
        if holds(part.decode()):
            wanted.append(at)
        at += len(part) + 1
    needle = Needle(text, ignores_case)
    forwards, place = [], 0
    while place is not None:
        found = search_forwards(path, needle, place, limit)
        forwards += found.matches
        place = found.next
    backwards, place = [], len(data)
    while place is not None:
        found = search_backwards(path, needle, place, limit)
        backwards += found.matches
        place = found.next
    assert [match.offset for match in forwards] == wanted
    assert [match.offset for match in reversed(backwards)] == wanted


@pytest.mark.parametrize("text", ["\n", "\nb", "a\n", "a\nb"])
def test_no_line_holds_the_end_of_a_line(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "log.txt").write_bytes(b"a\nb\na\nb\n")
    for needle in (Needle(text), Needle(text, ignores_case=True)):
        assert next(needle.lines(b"a\nb\n"), None) is None, "the search would never end"
        assert search_forwards(path, needle, 0, 5) == search_backwards(path, needle, 8, 5)


def test_a_match_far_in_a_long_line_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes("é".encode() * 1000 + b"needle" + b"y" * 1000 + b"\n")
    monkey = search_forwards(path, Needle("needle"), 0, 5).matches
    assert len(monkey) >= 1 and all(len(match.text) <= 400 for match in monkey)
    assert "needle" in monkey[0].text and "\ufffd" not in monkey[0].text
    assert search_forwards(tmp_path / "none", Needle("x"), 0, 5).matches == []


def test_one_question_reads_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_search, "WORK_BYTES", 64)
    path = tmp_path / "log.txt"
    path.write_bytes(b"hay hay\n" * 100 + b"needle\n")
    first = search_forwards(path, Needle("needle"), 0, 5)
    assert first.matches == [] and first.next is not None and first.next < 200
    place: int | None = 0
    for _ in range(40):
        found = search_forwards(path, Needle("needle"), place or 0, 5)
        place = found.next
        if found.matches or place is None:
            break
    assert [match.offset for match in found.matches] == [800]
