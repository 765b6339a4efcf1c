"""When does a page first paint, on loopback, with a CPU four times slower than this one?

    .venv/bin/python -m benchmarks.first_paint [--rounds 5] [--slower 4]

Prints for each page and language the first contentful paint that Chromium reports (milliseconds, cold cache, median and
longest of the rounds) and the bytes over the wire. The machine's own noise is in it: a figure, not a test.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.browser.test_chromium import Shown
from tests.helpers.chromium import Chromium

PAINT = 'performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null'
BYTES = "performance.getEntries().reduce((sum, entry) => sum + (entry.transferSize || 0), 0)"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--slower", type=float, default=4.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        shown = Shown(Path(name))
        browser = Chromium(Path(name) / "profile")
        browser.ask("Emulation.setCPUThrottlingRate", rate=options.slower)
        browser.size(1360, 900)
        print("page            lang  first paint ms (median, longest)   KB over the wire")
        for path in ("/", "/jobs", f"/jobs/{shown.done}", "/submit", "/site", "/energy", "/welcome"):
            for lang in ("fr", "ar"):
                browser.speak(lang)
                paints, sizes = [], []
                for _ in range(options.rounds):
                    browser.ask("Network.clearBrowserCache")
                    browser.go(shown.url + path)
                    time.sleep(0.4)
                    paint = browser.run(PAINT)
                    assert paint is not None, path
                    paints.append(paint)
                    sizes.append(browser.run(BYTES))
                kb = statistics.median(sizes) / 1000
                short = path if not path.startswith("/jobs/") else "/jobs/JOB"
                print(f"{short:15} {lang:5} {statistics.median(paints):8.0f} {max(paints):8.0f} {kb:22.1f}", flush=True)
        browser.close()
        shown.stop()


if __name__ == "__main__":
    main()
