"""Docs match the code: generated pages are fresh, commands and options exist, variables are told, links resolve."""

from __future__ import annotations

import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md"), *ROOT.glob("examples/**/*.md")]
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^()\s]+)\)")
VARIABLE = re.compile(r"\bPARK_[A-Z][A-Z_]*[A-Z]\b")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
# Names of Python in the sources that look like variables of the environment.
NOT_VARIABLES = {"PARK_ERROR"}
# Pictures are taken from the running park before a version is made; take a name out once its file is there.
PENDING: set[str] = set()
# What may stand where a command's options would: the words of other programs are not ours to check.
FOREIGN = {"--"}


@cache
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference_maker", ROOT / "docs" / "reference" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def options_of() -> dict[str, frozenset[str]]:
    """Every command (`park site new`) and the options it knows; groups too."""
    from eureka_park.cli.main import cli

    found = {"park": frozenset({"--version", "--help", "-h"})}
    for path, command in maker().commands(cli, "park"):
        names = {name for param in command.params if isinstance(param, click.Option) for name in param.opts}
        names |= {name for param in command.params for name in param.secondary_opts}
        found[path] = frozenset({*names, "--help", "-h"})
    return found


@pytest.mark.parametrize("name", ["api.md", "cli.md", "costs.md", "plants.md", "routes.md", "site-file.md"])
def test_generated_pages_are_fresh(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text()
    assert written == maker().pages()[name], "run: python docs/reference/make.py"


def test_every_command_has_its_section() -> None:
    headings = set(HEADING.findall((ROOT / "docs" / "reference" / "cli.md").read_text()))
    missing = [path for path in options_of() if path != "park" and path not in headings]
    assert not missing


def test_every_variable_is_told() -> None:
    told = set(VARIABLE.findall((ROOT / "docs" / "reference" / "environment.md").read_text()))
    sources = [*(ROOT / "src").rglob("*.py"), ROOT / "park"]
    used = {name for path in sources for name in VARIABLE.findall(path.read_text())} - NOT_VARIABLES
    assert used <= told, used - told
    assert told <= used, told - used


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings as GitHub makes them."""
    titles = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    wrong = []
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        name, _, anchor = target.partition("#")
        if "://" in target or target in PENDING:
            continue
        there = (page.parent / name).resolve() if name else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            wrong.append(target)
    assert not wrong, wrong


def commands_in(text: str) -> Iterator[str]:
    """What follows the word `park` wherever a page shows a command."""
    for block in FENCE.findall(text):
        for line in block.splitlines():
            yield from _command(line.removeprefix("$ "))
    for span in SPAN.findall(FENCE.sub("", text)):
        yield from _command(span)


def _command(line: str) -> Iterator[str]:
    line = re.sub(r"^(?:[A-Z_]+=\S+ )+", "", line.strip()).removeprefix("./")
    if line == "park" or line.startswith("park "):
        yield line


def problem_of(line: str) -> str:
    """What is wrong with a shown command; empty when it exists with its options."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        words = line.split()
    path, at = "park", 1
    while at < len(words) and f"{path} {words[at]}" in options_of():
        path, at = f"{path} {words[at]}", at + 1
    is_group = any(name.startswith(f"{path} ") for name in options_of())
    if is_group and at < len(words) and words[1] != "test" and re.fullmatch(r"[a-z][a-z-]*", words[at]):
        return f"there is no command: {line}"
    for word in words[at:]:
        if word in FOREIGN:
            break
        option = word.split("=")[0]
        if re.fullmatch(r"--?[a-z][a-z-]*", option) and words[1] != "test" and option not in options_of()[path]:
            return f"{path} has no {option}: {line}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_shown_commands_exist(page: Path) -> None:
    wrong = [problem for line in commands_in(page.read_text()) if (problem := problem_of(line))]
    assert not wrong, wrong


def test_the_check_sees_a_wrong_command() -> None:
    assert problem_of("park jbos") and problem_of("park jobs --old") and problem_of("park site make x")
    assert not problem_of("park submit --cpus 2 -- make --all") and not problem_of("park test -k docs")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_lines_are_readable(page: Path) -> None:
    if page.parent.name == "reference":
        return
    long = [line for line in page.read_text().splitlines() if len(line) > 200 and not line.startswith("|")]
    assert not long, long
