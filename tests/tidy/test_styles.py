"""Style sheets and templates: logical directions only, colours by token, nothing inline, headings that are spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "src" / "eureka_park" / "web"
SHEETS = sorted((WEB / "styles").glob("*.css"))
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
SCRIPTS = sorted((WEB / "islands" / "src").rglob("*.ts"))

# What knows left and right instead of start and end; a word of these in a property or a value.
PHYSICAL = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-)?(?:left|right)(?:-(?:width|color|style|radius))?"
    r"\s*:|(?:text-align|float|clear|caption-side)\s*:\s*(?:left|right)\b"
    r"|border-(?:top|bottom)-(?:left|right)-radius|(?<![-\w])(?:to|at) (?:left|right)\b"
)
SIZES = re.compile(r"(?<![-\w])(?:(?:min|max)-)?(?:width|height)\s*:")
COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|oklab|lab|lch|hwb)\(")
TOKEN = re.compile(r"^\s*--[a-z0-9-]+\s*:")


def rules(sheet: Path) -> Iterator[tuple[int, str]]:
    """Lines of a sheet without comments, numbered."""
    text = re.sub(r"/\*.*?\*/", lambda found: "\n" * found[0].count("\n"), sheet.read_text("utf-8"), flags=re.DOTALL)
    yield from enumerate(text.splitlines(), 1)


def test_there_is_something_to_check() -> None:
    assert {"park.css", "fonts.css", "islands.css"} <= {sheet.name for sheet in SHEETS}
    assert len(TEMPLATES) >= 8 and len(SCRIPTS) >= 2


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_know_no_left_and_right(sheet: Path) -> None:
    wrong = [f"{sheet.name}:{n}: {line.strip()}" for n, line in rules(sheet) if PHYSICAL.search(line)]
    assert not wrong, wrong


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_sheets_measure_along_the_text(sheet: Path) -> None:
    """Sizes are inline-size and block-size; media and container queries may ask for a width."""
    wrong = [
        f"{sheet.name}:{n}: {line.strip()}"
        for n, line in rules(sheet)
        if SIZES.search(re.sub(r"@(?:media|container)[^{]*", "", line))
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_colours_stand_in_tokens(sheet: Path) -> None:
    """A colour is written once, as a token; rules use its name. Washes and shadows mix tokens."""
    wrong = [
        f"{sheet.name}:{n}: {line.strip()[:100]}"
        for n, line in rules(sheet)
        if COLOUR.search(line) and not TOKEN.match(line) and not is_of_a_terminal(line)
    ]
    assert not wrong, wrong


def is_of_a_terminal(line: str) -> bool:
    """The sixteen colours of logs and what lies behind a dialog have no token: they are used nowhere else."""
    return ".ansi-" in line or "::backdrop" in line or "box-shadow" in line or "url(#" in COLOUR.sub("", line)


def test_arabic_is_never_spaced_out() -> None:
    text = (WEB / "styles" / "park.css").read_text("utf-8")
    assert re.search(r'\[dir="rtl"\] \*\s*{[^}]*letter-spacing:\s*0', text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_templates_hold_nothing_inline(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"<style\b", text)
    assert not re.search(r"<[^>]*\sstyle\s*=", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    scripts = re.findall(r"<script\b[^>]*>", text)
    assert all("src=" in tag or 'type="application/json"' in tag for tag in scripts), scripts
    assert not re.search(r'\balign="|<(?:center|font|b?ig)\b', text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_titles_and_headings_are_spoken(template: Path) -> None:
    """No words stand bare in a title or a heading: they come from the catalogues, or from people."""
    text = template.read_text("utf-8")
    for tag in ("title", "h1", "h2", "h3", "button", "summary", "th", "label", "option"):
        for inner in re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", text, re.DOTALL):
            people_s = r"<bdi\b.*?</bdi>|<b class=\"job-name\">.*?</b>"
            bare = re.sub(rf"{people_s}|{{[{{%#].*?[}}%#]}}|<[^>]*>|&\w+;", "", inner, flags=re.DOTALL)
            words = set(re.findall(r"[A-Za-z]{2,}", bare)) - {
                "Eureka",
                "Park",
                "SVG",
                "PNG",
                "CSV",
                "CO",
                "CPU",
                "GPU",
                "Esc",
            }
            assert not words, (template.name, tag, inner.strip())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_attributes_that_are_read_aloud_are_spoken(template: Path) -> None:
    text = template.read_text("utf-8")
    for name, value in re.findall(r'\s(aria-label|title|alt|placeholder)="((?:{[{%].*?[}%]}|[^"])*)"', text):
        bare = re.sub(r"{[{%].*?[}%]}", "", value)
        assert not re.search(r"[A-Za-z]{3,}", bare), (template.name, name, value)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_ids_and_names_are_isolated(template: Path) -> None:
    """What people and the park name stands in a bdi (or pre, code, an attribute) wherever a page shows it."""
    text = template.read_text("utf-8")
    for found in re.finditer(r"{{ *(\w+\.(?:job_id|project|path)|request_id) *}}", text):
        before = text[: found.start()]
        inside = before.rfind("<") > before.rfind(">")  # an attribute
        holder = re.search(r"<(bdi|pre|code|option|title|textarea)\b[^>]*>[^<]*$", before)
        assert inside or holder, (template.name, found[0])


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_islands_say_nothing_of_their_own(script: Path) -> None:
    """Texts come from the page, in the reader's language: islands set no style attribute and speak no English."""
    text = script.read_text("utf-8")
    assert 'setAttribute("style"' not in text and ".cssText" not in text and ".innerHTML" not in text
    spoken = re.findall(r"(?:textContent|ariaLabel|title|placeholder)\s*=\s*\"([^\"]*[A-Za-z]{3,}[^\"]*)\"", text)
    assert not spoken, spoken


def test_words_in_pictures_read_in_their_own_direction() -> None:
    """Pictures run left to right; an Arabic label with a figure in it must not."""
    assert re.search(r"svg text\s*{[^}]*unicode-bidi:\s*plaintext", (WEB / "styles" / "park.css").read_text("utf-8"))
