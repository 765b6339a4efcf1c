"""A process that writes one report and ends.

    python -m eureka_park.web.verdict_child < request.json

The request: `{"study": FILE, "out": FILE, "lang": "fr", "assumptions": {NAME: VALUE}}`; the form of the report follows
the ending of `out`: .html, .pdf or .xlsx. The answer on standard output is one JSON value; what goes wrong is one line
on stderr and exit 1.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from eureka_park.energy.verdict_assumptions import Assumptions, shipped
from eureka_park.energy.verdict_file import read_study
from eureka_park.energy.verdict_schema import Study
from eureka_park.energy.weather_file import write_whole
from eureka_park.foundation.errors import BadInput, ParkError


def write_report(study: Study, assumptions: Assumptions, out: Path, lang: str) -> None:
    """Write one report. Raises BadInput for an unknown ending, Unavailable where no browser can print."""
    if out.suffix == ".xlsx":
        from eureka_park.web.verdict.sheets import write_workbook

        write_workbook(study, assumptions, out, lang)
    elif out.suffix in {".html", ".pdf"}:
        _write_page(study, assumptions, out, lang)
    else:
        raise BadInput(f"A report does not end in '{out.suffix}'.", fix="Write --out FILE.html, .pdf or .xlsx.")


def _write_page(study: Study, assumptions: Assumptions, out: Path, lang: str) -> None:
    from eureka_park.web.verdict.render import standalone

    text = standalone(study, assumptions, lang)
    if out.suffix == ".html":
        write_whole(out, text.encode())
        return
    from eureka_park.adapters.browser_print import print_pdf

    with tempfile.TemporaryDirectory(prefix="park-verdict-") as folder:
        page = Path(folder) / "verdict.html"
        page.write_text(text, "utf-8")
        print_pdf(page, Path(folder) / "verdict.pdf")
        write_whole(out, (Path(folder) / "verdict.pdf").read_bytes())


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr) -> int:
    """Read one request, write one report; 0, or 1 with one line on stderr."""
    try:
        request: Any = json.load(stdin)
        study, out = read_study(request.get("study")), Path(request["out"])
        write_report(study, shipped().with_values(request.get("assumptions", {})), out, str(request["lang"]))
    except ParkError as error:
        stderr.write(error.line() + "\n")
        return 1
    except OSError as error:
        stderr.write(f"The report cannot be written: {error.strerror}.\n")
        return 1
    json.dump({"out": str(out), "bytes": out.stat().st_size}, stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
