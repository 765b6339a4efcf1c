"""The verdict as a page of the park, for everybody: the study that comes with the product, in the reader's language."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.web.pages.draw import page, words_of
from eureka_park.web.pages.words import Words
from eureka_park.web.verdict.view import view

_kept: dict[str, dict[str, Any]] = {}  # by language: the study does not change while the park runs


def verdict_page(request: Request) -> HTMLResponse:
    """The page; nobody has to sign in."""
    return page(request, "verdict.html", "/verdict", **_view_in(words_of(request).lang))


def _view_in(lang: str) -> dict[str, Any]:
    if lang not in _kept:
        study = shipped_study()
        _kept[lang] = view(study, shipped(), Words(lang, study["timezone"]))
    return _kept[lang]
