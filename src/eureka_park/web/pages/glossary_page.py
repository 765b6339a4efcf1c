"""All words of the glossary on one page, with an anchor for each and a search that needs no script."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse

from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.glossary import TERMS
from eureka_park.web.pages.words import Words


def glossary_page(request: Request, q: Annotated[str, Query(max_length=100)] = "") -> HTMLResponse:
    """The words in the order of the reader's language; with `q` those that name it or are explained by it."""
    words = words_of(request)
    return page(request, "glossary.html", "/glossary", terms=found_terms(words, q), asked=q.strip(), n_all=len(TERMS))


def found_terms(words: Words, asked: str = "") -> list[dict[str, Any]]:
    """Key, name and meaning of each word that holds what is asked, in any case, in this language or in English."""
    wanted = asked.strip().casefold()
    found = []
    for key, (name, meaning) in TERMS.items():
        shown = {"key": key, "name": words.say(name), "meaning": words.say(meaning)}
        texts = (key, name, shown["name"], shown["meaning"])
        if not wanted or any(wanted in text.casefold() for text in texts):
            found.append({**shown, "lang": words.tag_of(name), "meaning_lang": words.tag_of(meaning)})
    return sorted(found, key=lambda item: item["name"].casefold())
