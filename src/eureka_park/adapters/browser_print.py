"""A browser of this machine prints an HTML file as PDF."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from eureka_park.foundation.errors import Unavailable

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_LIMIT_S: Final = 120
_OPTIONS: Final = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-dev-shm-usage", "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip


def browser(instead: str = "verdict.html") -> str:
    """The program that prints. Raises Unavailable, in one line, where there is none: `instead` can be written."""
    for name in PROGRAMS:
        found = shutil.which(name)
        if found:
            return found
    raise Unavailable(
        "A PDF is printed by Chromium or Chrome, and none is on this machine.",
        fix=f"Install one (apt install chromium), or write --out {instead} and print it from your browser.",
        code="no_browser",
    )


def print_pdf(page: Path, into: Path, instead: str = "verdict.html") -> None:
    """Print a page. Nothing is fetched: the page brings all it needs. Raises Unavailable where the browser fails."""
    with tempfile.TemporaryDirectory(prefix="park-print-") as folder:
        made = Path(folder) / "printed.pdf"
        command = [
            browser(instead),
            *_OPTIONS,
            *_sandbox(),
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={made}",
        ]
        try:
            done = subprocess.run(
                [*command, page.resolve().as_uri()], capture_output=True, text=True, timeout=_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unavailable(
                f"The browser did not print within {_LIMIT_S} s.", fix="Try again when the machine is less busy."
            ) from None
        if done.returncode or not made.is_file():
            said = next(
                (line for line in reversed(done.stderr.splitlines()) if line.strip()), f"exit {done.returncode}"
            )
            raise Unavailable(
                f"The browser could not print: {said[:200]}", fix=f"Write --out {instead} and print it yourself."
            )
        shutil.copyfile(made, into)


def _sandbox() -> tuple[str, ...]:
    """Chromium refuses to run as root inside its own sandbox; the page is the park's own and holds no foreign part."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ("--no-sandbox",) if is_root else ()
