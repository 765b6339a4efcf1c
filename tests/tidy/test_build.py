"""The build of the pages: what starts it, what it leaves, what a wheel holds, what it says when it cannot."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import hatch_build
import pytest

from eureka_park.foundation import kernels

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_built_fits_its_sources() -> None:
    hatch_build.build(ROOT)
    assert hatch_build.build(ROOT) is False


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the build reads and has made, without the npm packages."""
    for folder in (hatch_build.ISLANDS, hatch_build.WEB / "styles", hatch_build.BUILT, hatch_build.LOCALES):
        if (ROOT / folder).is_dir():
            shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copyfile(ROOT / "hatch_build.py", tmp_path / "hatch_build.py")
    return tmp_path


def refuse(monkeypatch: pytest.MonkeyPatch, text: str, code: int = 1) -> None:
    program = f"import sys; sys.stderr.write({text!r}); sys.exit({code})"
    monkeypatch.setattr(hatch_build, "npm_command", lambda: [sys.executable, "-c", program])


def test_nothing_is_built_while_no_source_changed(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "npm was called")
    assert hatch_build.build(tree) is False


@pytest.mark.parametrize(
    "source",
    ["islands/src/live.ts", "islands/src/lib/ansi.ts", "styles/park.css", "islands/package-lock.json", "a new file"],
)
def test_every_source_starts_a_build(tree: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "npm error code ECONNREFUSED\nnpm error more\nnpm error A complete log of this run\n")
    file = tree / hatch_build.WEB / ("islands/src/lib/new.ts" if source == "a new file" else source)
    with file.open("a") as out:
        out.write("\n")
    with pytest.raises(hatch_build.BuildFailed) as caught:
        hatch_build.build(tree)
    said = str(caught.value)
    assert "\n" not in said and "(code ECONNREFUSED)" in said and "npm_config_registry" in said
    assert (tree / hatch_build.BUILT / "park.css").is_file(), "what was built before stays"


def test_what_is_no_longer_made_goes_and_the_rest_is_never_missing(tmp_path: Path) -> None:
    made, built = tmp_path / "made", tmp_path / "built"
    (made / "chunks").mkdir(parents=True)
    (built / "chunks").mkdir(parents=True)
    (made / "chunks" / "log-NEW.js").write_text("new")
    (made / "park.css").write_text("new")
    (built / "chunks" / "log-OLD.js").write_text("old")
    (built / "park.css").write_text("old")
    hatch_build._put(made, built)
    files = {file.relative_to(built).as_posix(): file.read_text() for file in built.rglob("*") if file.is_file()}
    assert files == {"chunks/log-NEW.js": "new", "park.css": "new"}


def test_texts_of_the_command_line_are_compiled_when_they_change(tmp_path: Path) -> None:
    folder = tmp_path / hatch_build.LOCALES / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (folder / "cli.po").write_text(f'{head}msgid "job"\nmsgstr "tâche"\n', encoding="utf-8")
    assert hatch_build._compile_texts(tmp_path) is True
    assert "tâche".encode() in (folder / "cli.mo").read_bytes()
    assert hatch_build._compile_texts(tmp_path) is False


@pytest.fixture
def compiled() -> Iterator[Path]:
    """A file such as compiled kernels leave beside the package's byte code."""
    file = ROOT / hatch_build.PACKAGE / "__pycache__" / "kernels" / f"none{kernels.SUFFIX}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"")
    yield file
    file.unlink()


def test_git_and_packages_leave_compiled_kernels_alone(compiled: Path) -> None:
    found = subprocess.run(
        ["git", "check-ignore", str(compiled)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode == 128:
        pytest.skip("not a clone, or git is not there")
    assert found.returncode == 0, "git would take a compiled kernel"


def test_a_wheel_holds_what_is_built_and_not_its_sources(tmp_path: Path, compiled: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel, source = next(tmp_path.glob("*.whl")), next(tmp_path.glob("*.tar.gz"))
    names = zipfile.ZipFile(wheel).namelist()
    built = {
        file.relative_to(ROOT / "src").as_posix() for file in (ROOT / hatch_build.BUILT).rglob("*") if file.is_file()
    }
    assert built and built <= set(names)
    assert not [name for name in names if "/islands/" in name or "/styles/" in name or "node_modules" in name]
    assert {file.relative_to(ROOT / "src").as_posix() for file in (ROOT / hatch_build.LOCALES).rglob("*.mo")} <= set(
        names
    )
    with tarfile.open(source) as packed:
        packed_names = {name.split("/", 1)[1] for name in packed.getnames() if "/" in name}
    wanted = {file.relative_to(ROOT).as_posix() for file in hatch_build.sources(ROOT)}
    assert wanted <= packed_names, "a wheel can be built from it without npm, and the pages can be built anew"
    assert {f"src/{name}" for name in built} <= packed_names
    assert not [name for name in packed_names if "node_modules" in name]
    assert compiled.is_file()
    assert not [name for name in [*names, *packed_names] if name.endswith(kernels.SUFFIX) or "__pycache__" in name]
