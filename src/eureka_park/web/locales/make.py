"""Keeps the pages' catalogues: what the templates and pages say, extracted; translations set; gaps told.

python -m eureka_park.web.locales.make update            extract anew, keep what is translated, drop what is gone
python -m eureka_park.web.locales.make set fr FILE.toml  take translations ("English" = "it"; plurals as a list)
python -m eureka_park.web.locales.make missing fr        print what is not translated yet, as TOML to fill in
"""

from __future__ import annotations

import ast
import fcntl
import io
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from eureka_park.energy.verdict_assumptions import shipped

WEB: Final = Path(str(resources.files("eureka_park.web")))
SPEAKING: Final = ("pages", "charts", "verdict", "twin_report")  # folders whose Python speaks
LOCALES: Final = ("fr", "ar_MA", "zgh")
KEYWORDS: Final[dict[str, Any]] = {
    "_": None, "say": None, "html": None, "N_": None, "h1": None, "h2": None, "h3": None, "head": None, "count": (1, 2),
    "term": {2: (1,)},  # with one argument it says the name of the term itself
}  # fmt: skip
_SAYING: Final = frozenset(KEYWORDS) - {"count", "term", "_"}
_HEADERS_LEFT_OUT: Final = ("POT-Creation-Date", "PO-Revision-Date", "Report-", "Last-Translator", "Language-Team")


def extracted() -> Catalog:
    """Every text that a page may say, from the code and the templates."""
    catalog = Catalog(project="Eureka Park", version="1", charset="utf-8")
    methods: Any = [("templates/**.html", "jinja2")]
    found = extract_from_dir(
        str(WEB), methods, {"templates/**.html": {"trimmed": "true"}}, keywords=KEYWORDS, strip_comment_tags=True
    )
    for name, _line, message, _comments, _context in found:
        catalog.add(message, locations=[(name.replace("\\", "/"), 0)])
    for text in verdict_texts():
        catalog.add(text, locations=[("../energy/data/verdict.toml", 0)])
    for file in sorted(file for folder in SPEAKING for file in WEB.glob(f"{folder}/**/*.py")):
        for message in said_in(file.read_text("utf-8")):
            catalog.add(message, locations=[(file.relative_to(WEB).as_posix(), 0)])
    return catalog


def verdict_texts() -> Iterator[str]:
    """The names of the verdict's assumptions and figures: they stand beside their values."""
    found = shipped()
    texts = [item.text for item in found.values.values()] + [figure.text for figure in found.figures.values()]
    yield from dict.fromkeys(texts)


def said_in(source: str) -> Iterator[str | tuple[str, str]]:
    """The texts that a Python source says: first arguments that are literals, and both of a `count`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            texts = [getattr(arg, "value", None) for arg in node.args[:2]]
            if name == "count" and all(isinstance(text, str) for text in texts) and len(texts) == 2:
                yield str(texts[0]), str(texts[1])
            elif name in _SAYING and isinstance(texts[0], str):
                yield texts[0]


def file_of(locale: str) -> Path:
    """The catalogue of a locale."""
    return WEB / "locales" / locale / "LC_MESSAGES" / "pages.po"


def read(locale: str) -> Catalog:
    """The catalogue of a locale as it is kept."""
    file = file_of(locale)
    return read_po(io.BytesIO(file.read_bytes()), locale=locale) if file.exists() else Catalog(locale=locale)


def write(locale: str, catalog: Catalog) -> None:
    """Keep a catalogue: sorted, without dates, so that it changes only when its messages do."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, no_location=False, omit_header=False, sort_output=True, ignore_obsolete=True)
    file = file_of(locale)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    drop = re.compile(rf'^"(?:{"|".join(_HEADERS_LEFT_OUT)}).*\n', re.MULTILINE)
    part.write_text(drop.sub("", buffer.getvalue().decode("utf-8")), "utf-8", newline="\n")
    part.replace(file)


def merged(locale: str) -> Catalog:
    """What is said now, with the translations that are kept."""
    kept, fresh = read(locale), Catalog(locale=locale, project="Eureka Park", version="1", fuzzy=False)
    fresh.header_comment = f"# {locale}. The messages are the English texts of the pages; made by locales/make.py."
    for message in extracted():
        if message.id:
            known = kept.get(_key(message))
            is_same = known is not None and not known.fuzzy and known.pluralizable == message.pluralizable
            nothing: Any = ("",) * fresh.num_plurals if message.pluralizable else ""
            string = known.string if known is not None and is_same else nothing
            fresh.add(message.id, string, locations=message.locations)
    return fresh


def _key(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, tuple | list) else str(message.id)


def gaps(locale: str) -> Iterator[Message]:
    """Messages without a translation, or with a plural form missing."""
    for message in merged(locale):
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and not all(strings):
            yield message


def set_all(locale: str, given: dict[str, Any]) -> list[str]:
    """Take translations; the texts that nobody says come back."""
    catalog, unknown = merged(locale), []
    for text, spoken in given.items():
        message = catalog.get(text)
        if message is None or message.pluralizable != isinstance(spoken, list):
            unknown.append(text)
        else:
            message.string = tuple(spoken) if isinstance(spoken, list) else spoken
    write(locale, catalog)
    return unknown


def _locked() -> Any:
    lock = (WEB / "locales" / ".lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def main(words: list[str]) -> int:
    """The command line above."""
    with _locked():
        match words:
            case ["update"]:
                for locale in LOCALES:
                    write(locale, merged(locale))
                    print(f"{locale}: {len(list(gaps(locale)))} without a translation")
            case ["set", locale, name]:
                for text in set_all(locale, tomllib.loads(Path(name).read_text("utf-8"))):
                    print(f"nobody says: {text}")
            case ["missing", locale]:
                for message in gaps(locale):
                    form = message.id if isinstance(message.id, str) else f'{message.id[0]}" # plural: "{message.id[1]}'
                    print(f'{json.dumps(_key(message), ensure_ascii=False)} = ""  # {form!r}')
            case _:
                print(__doc__)
                return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
