"""What a page weighs on the wire: style sheet, scripts and fonts, as the build leaves them, against the budget."""

from __future__ import annotations

import re

import pytest

from eureka_park.web.assets import BUILT

SHEET_AND_SCRIPTS_BYTES_MAX = 60_000  # packed; leaves 40 KB for the page itself
VERDICT_BYTES_MAX = 6_000  # its sheet and script, on its page alone
LATIN_FONTS_BYTES_MAX = 80_000
ARABIC_FONTS_BYTES_MAX = 60_000
TIFINAGH_FONTS_BYTES_MAX = 25_000
# The islands that each heavy page fetches beside what every page has.
ISLANDS = {
    "overview": ("figure", "tour"),
    "job": ("log", "figure"),
    "submit": ("form", "figure"),
    "energy": ("chart", "figure"),
    "energy/year": ("what_if", "figure"),
    "twin": ("playback", "run_follow", "figure"),
    "account/security": ("passkey",),
}
_IMPORT = re.compile(r"(?:from|import)\s*\(?\"\.{1,2}/([^\"]+\.js)\"")


def packed_bytes(name: str) -> int:
    return (BUILT / f"{name}.gz").stat().st_size


def chunk(island: str) -> str:
    """The built file of an island."""
    found = re.findall(rf"\./(chunks/{island}-[A-Z0-9]+\.js)", (BUILT / "live.js").read_text())
    assert len(set(found)) == 1, island
    return str(found[0])


def with_imports(name: str, seen: set[str]) -> set[str]:
    """A script and all that it imports at once or later, the islands of live.js left out."""
    if name in seen:
        return seen
    seen.add(name)
    for other in _IMPORT.findall((BUILT / name).read_text()):
        path = other if other.startswith("chunks/") else f"chunks/{other}"
        is_island_of_live = name == "live.js" and re.match(r"chunks/(?!chunk-)", path)
        if not is_island_of_live:
            with_imports(path, seen)
    return seen


@pytest.mark.parametrize("page", ISLANDS)
def test_sheet_and_scripts_of_a_page(page: str) -> None:
    scripts = with_imports("live.js", {"theme.js"})
    for island in ISLANDS[page]:
        with_imports(chunk(island), scripts)
    weights = {name: packed_bytes(name) for name in ("park.css", *sorted(scripts))}
    assert len(weights) >= 4
    assert sum(weights.values()) < SHEET_AND_SCRIPTS_BYTES_MAX, weights


def test_all_scripts_together_are_counted() -> None:
    """No chunk is left out of every page's count."""
    counted = with_imports("live.js", {"theme.js"})
    for island in {name for names in ISLANDS.values() for name in names}:
        with_imports(chunk(island), counted)
    there = {file.relative_to(BUILT).as_posix() for file in BUILT.rglob("*.js")} - {"sw.js"}
    assert counted | {"verdict.js"} == there
    assert with_imports("verdict.js", set()) == {"verdict.js"}, "it stands inside the verdict's file too"
    assert packed_bytes("verdict.js") + packed_bytes("verdict.css") < VERDICT_BYTES_MAX


@pytest.mark.parametrize(
    ("script", "most"),
    [("latin", LATIN_FONTS_BYTES_MAX), ("arabic", ARABIC_FONTS_BYTES_MAX), ("tifinagh-400", TIFINAGH_FONTS_BYTES_MAX)],
)
def test_fonts(script: str, most: int) -> None:
    files = [file for file in (BUILT / "fonts").glob("*.woff2") if script in file.name]
    assert files and sum(file.stat().st_size for file in files) < most
    sheet = (BUILT / "park.css").read_text()
    assert all(f"fonts/{file.name}" in sheet for file in files)


def test_every_font_is_for_some_letters_only() -> None:
    faces = re.findall(r"@font-face\{[^}]*\}", (BUILT / "park.css").read_text())
    assert len(faces) == len(list((BUILT / "fonts").iterdir()))
    assert all("unicode-range:U+" in face and "font-display:swap" in face for face in faces)


def test_licences_come_along() -> None:
    text = (BUILT / "licences.txt").read_text()
    for name in ("SIL Open Font License", "Readex Pro", "Noto", "htmx", "idiomorph", "uplot"):
        assert name.lower() in text.lower(), name
