"""docs/nomenclature.md tells the words for people as the pages do."""

from __future__ import annotations

from pathlib import Path

from eureka_park.web.pages.glossary import TERMS

ROOT = Path(__file__).resolve().parents[2]


def test_the_words_for_people_are_those_of_the_pages() -> None:
    section = (ROOT / "docs" / "nomenclature.md").read_text("utf-8").split("## Words for people\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("| ")]
    told = [tuple(cell.strip() for cell in row) for row in rows if row[0].strip() not in {"word", "---"}]
    assert told == list(TERMS.values())
