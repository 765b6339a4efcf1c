"""Keeps the command's catalogues: what it says, extracted; translations set; gaps told. Needs Babel.

python -m eureka_park.cli.locales.make update            extract anew, keep what is translated
python -m eureka_park.cli.locales.make set fr FILE.toml  take translations ("English" = "translation")
python -m eureka_park.cli.locales.make missing fr        print what is not translated yet, as TOML to fill in
python -m eureka_park.cli.locales.make compile           write the .mo files, as the build does
"""

from __future__ import annotations

import io
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from eureka_park.cli.click_words import PLURALS
from eureka_park.cli.lazy import LazyGroup
from eureka_park.cli.main import cli
from eureka_park.cli.spoken import paragraphs
from eureka_park.cli.words import DOMAIN, LANGUAGES

CLI: Final = Path(__file__).resolve().parents[1]
LOCALES: Final = tuple(name for name in LANGUAGES if name != "en")
KEYWORDS: Final[dict[str, Any]] = {"_": None, "N_": None, "count": (1, 2)}


def extracted() -> Catalog:
    """Every text that the command may say: from the code, from the help of all commands, from click."""
    catalog = Catalog(project="Eureka Park", charset="utf-8")
    found = extract_from_dir(str(CLI), [("**.py", "python")], keywords=KEYWORDS)
    for name, _line, message, _comments, _context in found:
        if any(letter.isalpha() for letter in str(message)):
            catalog.add(message, locations=[(name.replace("\\", "/"), 0)])
    for text, place in helps():
        catalog.add(text, locations=[(place.replace(" ", "-"), 0)])
    for one, many in PLURALS:
        catalog.add((one, many), locations=[("click", 0)])
    return catalog


def helps() -> Iterator[tuple[str, str]]:
    """Texts of help pages with the command they belong to; examples without a comment need no translation."""
    yield from _helps(cli, "park")


def _helps(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    for part in paragraphs(command.help):
        text = part.removeprefix("\b\n")
        if text == part or not _is_plain_example(text):
            yield text, path
    for param in command.params:
        if isinstance(param, click.Option) and param.help:
            yield " ".join(param.help.split()), path
    if isinstance(command, LazyGroup):
        yield from ((entry.short_help, path) for entry in command.lazy.values() if not entry.hidden)
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            member = command.get_command(context, name)
            if member is not None and not member.hidden:
                yield from _helps(member, f"{path} {name}")


def _is_plain_example(text: str) -> bool:
    return all(line.startswith("park ") and "  " not in line for line in text.splitlines())


def file_of(locale: str) -> Path:
    """The catalogue of a locale."""
    return CLI / "locales" / locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(locale: str) -> Catalog:
    """The catalogue of a locale as it is kept."""
    file = file_of(locale)
    return read_po(io.BytesIO(file.read_bytes()), locale=locale) if file.exists() else Catalog(locale=locale)


def merged(locale: str) -> Catalog:
    """What is said now, with the translations that are kept."""
    kept, fresh = read(locale), Catalog(locale=locale, project="Eureka Park", charset="utf-8", fuzzy=False)
    fresh.header_comment = f"# {locale}. The messages are the English texts of the command; made by locales/make.py."
    fresh.revision_date = fresh.creation_date
    for message in extracted():
        if message.id:
            known = kept.get(_key(message))
            string = known.string if known is not None and not known.fuzzy else ""
            if message.pluralizable and isinstance(string, str):
                string = (string,) * fresh.num_plurals
            fresh.add(message.id, string, locations=message.locations)
    return fresh


def write(locale: str, catalog: Catalog) -> None:
    """Keep a catalogue: sorted, so that it changes only when its messages do."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=0, sort_output=True, ignore_obsolete=True)
    file = file_of(locale)
    file.parent.mkdir(parents=True, exist_ok=True)
    dated = (b'"POT-Creation-Date', b'"PO-Revision-Date', b'"Generated-By')
    file.write_bytes(b"".join(line for line in buffer.getvalue().splitlines(True) if not line.startswith(dated)))


def gaps(locale: str) -> Iterator[Message]:
    """Messages without a translation, or with a plural form missing."""
    for message in merged(locale):
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and not all(strings):
            yield message


def set_all(locale: str, given: dict[str, Any]) -> list[str]:
    """Take translations; the texts that nobody says come back."""
    catalog, unknown = merged(locale), []
    for text, said in given.items():
        message = catalog.get(text)
        if message is None:
            unknown.append(text)
        else:
            message.string = tuple(said) if isinstance(said, list) else said
    write(locale, catalog)
    return unknown


def compile_to(folder: Path, locale: str) -> Path:
    """Write the compiled catalogue of a locale below a folder, as gettext looks for it."""
    file = folder / locale / "LC_MESSAGES" / f"{DOMAIN}.mo"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        write_mo(stream, read(locale))
    return file


def _key(message: Message) -> str:
    return str(message.id[0]) if isinstance(message.id, tuple | list) else str(message.id)


def main(words: list[str]) -> int:
    """The command line above."""
    match words:
        case ["update"]:
            for locale in LOCALES:
                write(locale, merged(locale))
                click.echo(f"{locale}: {len(list(gaps(locale)))} without a translation")
        case ["set", locale, name]:
            for text in set_all(locale, tomllib.loads(Path(name).read_text("utf-8"))):
                click.echo(f"nobody says: {text}")
        case ["missing", locale]:
            for message in gaps(locale):
                click.echo(f'{json.dumps(_key(message), ensure_ascii=False)} = ""')
        case ["compile"]:
            for locale in LOCALES:
                click.echo(compile_to(CLI / "locales", locale))
        case _:
            click.echo(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
