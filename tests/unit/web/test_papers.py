"""Papers are printed one at a time, and nobody's wait holds up the park."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from eureka_park.foundation.errors import Unavailable
from eureka_park.web.alone import templates
from eureka_park.web.errors import headers_of
from eureka_park.web.pages import papers


def test_one_paper_a_person_and_a_short_wait_for_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on, made = threading.Event(), threading.Event(), []

    def printed(_page: Path, into: Path, *_more: Any) -> None:
        begun.set()
        assert go_on.wait(20)
        into.write_bytes(b"%PDF-")

    monkeypatch.setattr(papers, "print_pdf", printed)
    monkeypatch.setattr(papers, "WAIT_S", 0.05)
    first = threading.Thread(target=lambda: made.append(papers.pdf_of("<p>", "person-a")))
    first.start()
    try:
        assert begun.wait(20)
        for person_id in ("person-a", "person-b", "person-b"):
            with pytest.raises(Unavailable) as busy:
                papers.pdf_of("<p>", person_id)
            assert busy.value.code == "printer_busy" and headers_of(busy.value) == {"Retry-After": "1"}
        monkeypatch.setattr(papers, "N_WAITING_MAX", 1)
        monkeypatch.setattr(papers, "WAIT_S", 60.0)
        with pytest.raises(Unavailable):  # at once: enough people wait
            papers.pdf_of("<p>", "person-c")
    finally:
        go_on.set()
        first.join()
    assert made == [b"%PDF-"] and papers.pdf_of("<p>", "person-a") == b"%PDF-"


def test_a_paper_may_load_nothing() -> None:
    text = (
        templates()
        .get_template("bill_print.html")
        .render(
            words=type("W", (), {"tag": "fr", "direction": "ltr"}),
            title="",
            style="",
            star="",
            issuer="",
            head="",
            number="",
        )
    )
    assert "default-src 'none'" in text.partition("</head>")[0] and "script-src" not in text
