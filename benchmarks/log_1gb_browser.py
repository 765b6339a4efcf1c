"""How long until a person sees the end of a log of a gigabyte? In Chromium, on loopback.

    .venv/bin/python -m benchmarks.log_1gb_browser [--rounds 7]

Makes a finished job with a sparse log of 1 GB whose last 64 MB are lines, opens its page with a cold cache, and prints
when the page answered, when it first painted, and when the last line of the log stood in it (milliseconds since the
address was entered; median and longest of the rounds).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tests.helpers.chromium import Chromium
from tests.helpers.served import Served

TITLES = ("answered", "painted", "last line seen at most")
LAST = "the very last line"
TIMES = """(() => { const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null;
  return [page.responseEnd, paint, document.body.innerText.includes("LAST"), performance.now()]; })()"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        served = Served(Path(name))
        job = served.live.submit(20, tier="firm", cpus=0.2, name="talks much")
        log = served.live.folder / "jobs" / job / "log.txt"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out:
            out.seek(936 * 1000**2)
            line = b"step %08d of a training, loss 0.512345, 812 samples a second, all is well\n"
            out.write(b"\n" + b"".join(line % index for index in range(64 * 1000**2 // 77)))
            out.write(LAST.encode() + b"\n")
        served.live.step(times=9)
        browser = Chromium(Path(name) / "profile")
        browser.size(1360, 900)
        seen: list[tuple[float, float, float]] = []
        for _ in range(rounds):
            browser.ask("Network.clearBrowserCache")
            browser.go(f"{served.url}/jobs/{job}")
            answered, painted, is_there, now = browser.run(TIMES.replace("LAST", LAST))
            while not is_there or painted is None:
                time.sleep(0.02)
                answered, painted, is_there, now = browser.run(TIMES.replace("LAST", LAST))
            seen.append((answered, painted, now))
        for title, column in zip(
            ("answered", "painted", "last line seen at most"), zip(*seen, strict=True), strict=True
        ):
            print(f"{title:24} {statistics.median(column):6.0f} ms, longest {max(column):6.0f} ms")
        browser.close()
        served.stop()


if __name__ == "__main__":
    main()
