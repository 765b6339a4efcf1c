"""The house's rules for what browsers get: strict types, logical directions, nothing inline, no addresses in locks."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers import npm

WEB = npm.ROOT / "src" / "eureka_park" / "web"
ISLANDS = WEB / "islands"
FILE_LINES_MAX = 350
_SIDE = r"(?:left|right)"
PHYSICAL_CSS = re.compile(
    rf"(?<![\w-])(?:(?:margin|padding|border|scroll-margin|scroll-padding)-{_SIDE}(?:-\w+)?|border-\w+-{_SIDE}-radius|{_SIDE})\s*:"
    rf"|(?:text-align|float|clear|justify-content|caption-side)\s*:\s*{_SIDE}\b",
)
PHYSICAL_TS = re.compile(
    r"\.style\.(?:left|right|(?:margin|padding|border)(?:Left|Right)\w*)|style\.setProperty\(\"(?:left|right)"
)
FORBIDDEN_TS = re.compile(
    r"\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\(\"style\""
    r"|\.cssText|hx-on|: any\b|\bas any\b|@ts-"
)
PARAGRAPH = re.compile(r"/\*.*?\*/", re.DOTALL)


def scripts() -> Iterator[Path]:
    yield from sorted((ISLANDS / "src").rglob("*.ts"))


def sheets() -> Iterator[Path]:
    yield from sorted((WEB / "styles").glob("*.css"))


def templates() -> Iterator[Path]:
    yield from sorted((WEB / "templates").rglob("*.html"))


@pytest.mark.parametrize("project", ["tsconfig.json", "tsconfig.worker.json"])
def test_strict_types(project: str) -> None:
    checker = npm.packages() / "typescript" / "bin" / "tsc"
    npm.island_packages()
    command = [npm.node(), str(checker), "--project", str(ISLANDS / project)]
    done = subprocess.run(command, cwd=ISLANDS, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-4000:]


def test_directions_are_logical() -> None:
    wrong = [
        f"{path.name}:{text[: found.start()].count(chr(10)) + 1} {found.group()}"
        for path in sheets()
        for text in [PARAGRAPH.sub(lambda comment: "\n" * comment.group().count("\n"), path.read_text())]
        for found in PHYSICAL_CSS.finditer(text)
    ]
    wrong += [f"{path.name} {found}" for path in scripts() for found in PHYSICAL_TS.findall(path.read_text())]
    assert not wrong, f"write margin-inline-start, inset-inline, text-align: start and the like: {wrong}"


@pytest.mark.parametrize(
    ("rule", "is_physical"),
    [
        ("a { margin-left: 1px }", True),
        ("a { left: 0 }", True),
        ("a{right:0}", True),
        ("a { text-align: right; }", True),
        ("a { border-top-left-radius: 3px }", True),
        ("a { border-left-color: red }", True),
        ("a { float:left }", True),
        ("a { margin-inline-start: 1px; inset-inline: 0; text-align: start }", False),
        ("a { background: linear-gradient(to left, red, blue) }", False),
        ("a { --left: 0; --wing-right: 1 }", False),
    ],
)
def test_the_lint_sees_physical_directions(rule: str, is_physical: bool) -> None:
    assert bool(PHYSICAL_CSS.search(rule)) is is_physical


def test_nothing_inline_in_templates() -> None:
    inline = re.compile(r"\sstyle\s*=|<style\b|\son\w+\s*=\s*[\"']|javascript:", re.IGNORECASE)
    program = re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>", re.IGNORECASE)
    wrong = [
        (path.name, found.group())
        for path in templates()
        for pattern in (inline, program)
        for found in pattern.finditer(re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL))
    ]
    assert not wrong, "the policy of content forbids it"


def test_scripts_are_small_and_careful() -> None:
    for path in scripts():
        text = path.read_text()
        assert text.startswith("//"), f"{path.name}: say in a line what it is for"
        assert text.count("\n") <= FILE_LINES_MAX, path.name
        assert not FORBIDDEN_TS.findall(text), (path.name, FORBIDDEN_TS.findall(text))
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), f"{path.name}: pages fetch from the park alone"


def test_what_islands_look_for_is_written_down() -> None:
    written = (ISLANDS / "README.md").read_text()
    used: set[str] = set()
    for path in scripts():
        text = path.read_text()
        used.update(re.findall(r"\[(data-[a-z-]*[a-z])(?=[\]=])", text))
        used.update(f"data-log-{name}" for name in re.findall(r"this\.part(?:<\w+>)?\(\"([a-z-]+)\"\)", text))
    assert len(used) > 25
    made_here = {"data-main"}
    missing = sorted(name for name in used - made_here if not re.search(rf"{name}(?![a-z-])", written))
    assert not missing, missing


@pytest.mark.parametrize("folder", [ISLANDS, npm.NAMED], ids=["islands", "tests"])
def test_npm_locks_carry_sums_and_no_addresses(folder: Path) -> None:
    lock = json.loads((folder / "package-lock.json").read_text())
    assert "omit-lockfile-registry-resolved=true" in (folder / ".npmrc").read_text()
    wanted = json.loads((folder / "package.json").read_text())
    names = {**wanted.get("dependencies", {}), **wanted.get("devDependencies", {})}
    assert names and all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in names.values()), names
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert {f"node_modules/{name}" for name in names} <= set(packages)
    for name, entry in packages.items():
        assert "resolved" not in entry and entry["integrity"].startswith("sha512-"), name
        assert entry.get("hasInstallScript") is not True or name == "node_modules/esbuild", "nothing runs on install"
