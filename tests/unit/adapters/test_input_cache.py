"""A node's cache of contents: each comes once, is what it was, and makes room by age, never of what is in use."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eureka_park.adapters.inputs.cache import KEPT_MTIME_S, InputCache
from eureka_park.adapters.inputs.laying import InputFile, Progress, lay_inputs
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.foundation.wire.engine import InputFolder

CONTENT = bytes(range(256)) * 40


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Origin:
    """Contents that can break off, lie, or be slow; `asked` tells where reading began."""

    is_private = False

    def __init__(self, *contents: bytes) -> None:
        self.contents = {sha(one): one for one in contents}
        self.asked: list[int] = []
        self.breaks_at: int | None = None
        self.gate: threading.Event | None = None

    def read(self, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        self.asked.append(start)
        content = self.contents[sha256]
        if self.gate is not None:
            assert self.gate.wait(20)
        for at in range(start, len(content), 1000):
            if self.breaks_at is not None and at >= self.breaks_at:
                raise Unavailable("The line broke.", fix="Try again.")
            yield content[at : at + 1000]


class Lying(Origin):
    """The first content that is read is not what it should be."""

    def read(self, sha256: str, start: int, size_bytes: int) -> Iterator[bytes]:
        is_first = not self.asked
        yield from ((piece[::-1] if is_first else piece) for piece in super().read(sha256, start, size_bytes))


def lay(cache: InputCache, origin: Origin, target: Path, content: bytes = CONTENT, *, is_linked: bool = True) -> None:
    cache.lay(sha(content), len(content), target, origin, is_linked=is_linked)


def kept(folder: Path, content: bytes = CONTENT) -> Path:
    return folder / "cache" / sha(content)[:2] / sha(content)


def test_a_content_comes_once_and_damage_is_found(tmp_path: Path) -> None:
    origin, cache = Origin(CONTENT), InputCache(tmp_path / "cache", 10**9)
    lay(cache, origin, tmp_path / "a")
    lay(cache, origin, tmp_path / "b", is_linked=False)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == CONTENT and origin.asked == [0]
    assert (tmp_path / "a").stat().st_ino == kept(tmp_path).stat().st_ino != (tmp_path / "b").stat().st_ino
    assert {oct((tmp_path / name).stat().st_mode & 0o777) for name in "ab"} == {"0o444"}
    place = kept(tmp_path)
    place.chmod(0o644)
    place.write_bytes(CONTENT[:-1] + b"?")  # somebody wrote to it: another instant of change
    lay(cache, origin, tmp_path / "c")
    assert (tmp_path / "c").read_bytes() == CONTENT and cache.fetched.n_damaged == 1 and origin.asked == [0, 0]
    kept(tmp_path).chmod(0o644)
    with kept(tmp_path).open("r+b") as file:  # a bit flips where nothing is written
        file.seek(5)
        file.write(bytes([CONTENT[5] ^ 4]))
    os.utime(kept(tmp_path), (KEPT_MTIME_S, KEPT_MTIME_S))
    lay(InputCache(tmp_path / "cache", 10**9, is_careful=True), origin, tmp_path / "d")
    assert (tmp_path / "d").read_bytes() == CONTENT and len(origin.asked) == 3


def test_what_broke_off_is_gone_on_with_and_what_lies_is_refused(tmp_path: Path) -> None:
    origin, cache = Origin(CONTENT), InputCache(tmp_path / "cache", 10**9)
    origin.breaks_at = 4000
    with pytest.raises(Unavailable, match="broke"):
        lay(cache, origin, tmp_path / "a")
    origin.breaks_at = None
    lay(cache, origin, tmp_path / "a")
    assert origin.asked == [0, 4000] and (tmp_path / "a").read_bytes() == CONTENT
    other = b"other" * 1000
    part = tmp_path / "cache" / "parts" / sha(other)
    part.write_bytes(b"what a process left that was killed while the disk was full")
    lay(cache, Origin(other), tmp_path / "b", other)
    assert (tmp_path / "b").read_bytes() == other, "begun anew where what was there is not its beginning"
    third = bytes(range(200)) * 30
    lying = Lying(third)
    with pytest.raises(Unavailable, match="did not arrive"):
        lay(cache, lying, tmp_path / "c", third)
    assert not kept(tmp_path, third).exists() and not (tmp_path / "c").exists()
    lay(cache, lying, tmp_path / "c", third)
    assert not list((tmp_path / "cache" / "parts").iterdir())


def test_two_at_once_fetch_it_once(tmp_path: Path) -> None:
    origin = Origin(CONTENT)
    origin.gate = threading.Event()
    names = [tmp_path / f"job-{index}" for index in range(6)]
    caches = [InputCache(tmp_path / "cache", 10**9) for _ in names]
    threads = [threading.Thread(target=lay, args=(cache, origin, name)) for cache, name in zip(caches, names)]  # noqa: B905
    for one in threads:
        one.start()
    origin.gate.set()
    for one in threads:
        one.join(20)
    assert origin.asked == [0] and all(name.read_bytes() == CONTENT for name in names)
    assert sum(cache.fetched.n_fetched for cache in caches) == 1


def test_room_is_made_by_age_and_never_of_what_is_in_use(tmp_path: Path) -> None:
    contents = [bytes([index]) * 10_000 for index in range(5)]
    origin, cache = Origin(*contents), InputCache(tmp_path / "cache", 30_000)
    for index, content in enumerate(contents[:3]):
        lay(cache, origin, tmp_path / f"{index}", content)
        os.utime(kept(tmp_path, content), (1000.0 + index, KEPT_MTIME_S))
    (tmp_path / "1").unlink()
    (tmp_path / "2").unlink()
    cache.make_room(10_000)
    assert [kept(tmp_path, one).exists() for one in contents[:3]] == [True, False, True], "0 is in use, 1 is older"
    lay(cache, origin, tmp_path / "3", contents[3])
    cache.make_room(30_000)
    assert [kept(tmp_path, one).exists() for one in contents[:4]] == [True, False, False, True]
    with pytest.raises(Unavailable, match="no room"):
        cache.make_room(10**17)


def test_inputs_are_laid_out_below_their_names(tmp_path: Path) -> None:
    files = {"a.txt": b"a", "d/e.txt": b"e" * 100}
    origin = Origin(*files.values())

    class Catalogue:
        def files(self, wanted: InputFolder) -> tuple[Origin, Iterator[InputFile]]:
            named = {"../x": b"a"} if wanted.path == "bad" else files
            return origin, (InputFile(path, sha(one), len(one)) for path, one in named.items())

    def laid(*inputs: InputFolder, is_linked: bool) -> None:
        progress, cache = Progress(tmp_path / "fetching.json"), InputCache(tmp_path / "cache", 10**6)
        lay_inputs(tmp_path / "job", inputs, Catalogue(), cache, progress, is_linked=is_linked)

    (tmp_path / "job").mkdir()
    both = (InputFolder("rows", "r", "c"), InputFolder("more", "r", "c"))
    laid(*both, is_linked=True)
    laid(*both, is_linked=False)  # an attempt after one that was killed
    root = tmp_path / "job" / "inputs"
    assert {str(one.relative_to(root)) for one in root.rglob("*.txt")} == {
        f"{mount}/{path}" for mount in ("rows", "more") for path in files
    }
    assert (root / "rows" / "d").stat().st_mode & 0o777 == 0o555
    laid(both[0], is_linked=True)
    assert not (root / "more").exists() and len(origin.asked) == 2
    with pytest.raises(BadInput, match="unsafe"):
        laid(InputFolder("rows", "r", "c", "bad"), is_linked=True)


def test_what_is_private_is_laid_out_and_never_kept(tmp_path: Path) -> None:
    cache, origin, target = InputCache(tmp_path / "cache", 10**9), Origin(CONTENT), tmp_path / "file"
    origin.is_private = True
    lay(cache, origin, target)
    assert target.read_bytes() == CONTENT and target.stat().st_mode & 0o777 == 0o444
    assert not cache.has(sha(CONTENT)) and not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    lying = Lying(CONTENT)
    lying.is_private = True
    with pytest.raises(Unavailable):
        lay(cache, lying, tmp_path / "wrong")
