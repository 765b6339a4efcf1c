"""A process that writes the report of runs and ends.

    python -m eureka_park.web.twin_report_child < request.json

The request: `{"folders": [DIR, ...], "out": FILE, "lang": "fr", "timezone": "UTC"}`; the form follows the ending of
`out`: .html or .pdf. The answer on standard output is one JSON value: the file, its size, and what came out in words.
What goes wrong is one line on stderr and exit 1.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from eureka_park.adapters.browser_print import browser, print_pdf
from eureka_park.energy.weather_file import write_whole
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.twin.run_files import read_run
from eureka_park.twin.run_record import RunRecord

INSTEAD: Final = "report.html"  # what can be written where nothing prints


def write_report(records: Sequence[RunRecord], out: Path, lang: str, zone: str) -> None:
    """Write one report. Raises BadInput for an unknown ending, Unavailable where no browser can print."""
    if out.suffix not in {".html", ".pdf"}:
        raise BadInput(f"A report does not end in '{out.suffix}'.", fix="Write --out FILE.html or .pdf.")
    if out.suffix == ".pdf":
        browser(INSTEAD)  # said before anything is drawn
    from eureka_park.web.twin_report.render import standalone

    text = standalone(records, lang, zone)
    if out.suffix == ".html":
        write_whole(out, text.encode())
        return
    with tempfile.TemporaryDirectory(prefix="park-report-") as folder:
        page = Path(folder) / "report.html"
        page.write_text(text, "utf-8")
        print_pdf(page, Path(folder) / "report.pdf", INSTEAD)
        write_whole(out, (Path(folder) / "report.pdf").read_bytes())


def told(records: Sequence[RunRecord], lang: str, zone: str) -> str:
    """What came out, in words, without the marks that keep figures in order on a page."""
    from eureka_park.web.pages.words import CLOSE, OPEN, Words
    from eureka_park.web.twin_report.compare import comparison_of
    from eureka_park.web.twin_report.sentences import headline, paragraph

    words = Words(lang, zone)
    if len(records) > 1:
        text = str(comparison_of(records, words)["headline"])
    else:
        text = " ".join([headline(records[0], words), *paragraph(records[0], words)])
    return text.replace(OPEN, "").replace(CLOSE, "")


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr) -> int:
    """Read one request, write one report; 0, or 1 with one line on stderr."""
    try:
        request: Any = json.load(stdin)
        records, out = [read_run(Path(folder)) for folder in request["folders"]], Path(request["out"])
        lang, zone = str(request["lang"]), str(request["timezone"])
        write_report(records, out, lang, zone)
    except ParkError as error:
        stderr.write(error.line() + "\n")
        return 1
    except OSError as error:
        stderr.write(f"The report cannot be written: {error.strerror}.\n")
        return 1
    json.dump({"out": str(out), "bytes": out.stat().st_size, "told": told(records, lang, zone)}, stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
