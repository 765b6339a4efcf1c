"""A new person in a real browser, from the page of signing up to a receipt, timed by the browser's own clock.

    python -m tests.helpers.first_door [PEOPLE] [PARK_HOME_FOLDER]

starts a park with a server that catches letters, lets PEOPLE (5) newcomers go through one after another, by keys alone,
and prints what each step took, beside what the park measured and publishes itself.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.helpers.chromium import Chromium
from tests.helpers.entrance import SETTINGS
from tests.helpers.mail_catcher import MailCatcher
from tests.helpers.running_park import RunningPark

NOW_MS: Final = "performance.timeOrigin + performance.now()"
OPENED_MS: Final = "performance.timeOrigin"  # when the browser set out for the page that it shows
PRICES: Final = """label = "first prices"
[mad_per_cpu_h."*"]
firm = 0.6
flex = 0.4
green = 0.2
[mad_per_gpu_h."*"]
"*" = { firm = 30, flex = 20, green = 10 }
"""
IS_THERE: Final = "document.readyState === 'complete' && location.pathname.startsWith({!r})"


@dataclass(frozen=True)
class Journey:
    """What one newcomer did and when, in seconds since they opened the page of signing up, by the browser's clock."""

    steps: dict[str, float]
    job_id: str
    bill: dict[str, Any]

    @property
    def account_to_receipt_s(self) -> float:
        """What the park itself measures: from the account to the receipt."""
        return self.steps["receipt opened"] - self.steps["account made"]

    def table(self) -> str:
        """One line for each step."""
        return "\n".join(f"{at_s:8.2f} s  {step}" for step, at_s in self.steps.items())


def open_entrance(park: RunningPark, mail: MailCatcher, folder: Path) -> None:
    """Let newcomers into a running park whose work has a price."""
    (park.home / "accounts.toml").write_text(SETTINGS.format(port=mail.port), encoding="utf-8")
    (folder / "prices.toml").write_text(PRICES, encoding="utf-8")
    done = park.ask("price", "set", str(folder / "prices.toml"))
    assert done.exit_code == 0, done.output


def walk(browser: Chromium, url: str, mail: MailCatcher, name: str, lang: str = "en") -> Journey:
    """Go the whole way as a new person whom neither park nor browser knows, by keys alone."""
    at_ms: dict[str, float] = {}

    def note(step: str, script: str = NOW_MS) -> None:
        at_ms[step] = float(browser.run(script))

    def go_on(path: str) -> None:
        browser.press("Enter")
        browser.wait_for(IS_THERE.format(path))

    browser.ask("Network.clearBrowserCookies")
    browser.speak(lang)
    browser.go(f"{url}/try")
    browser.tab_to("main a[href^='/sign-up']")
    go_on("/sign-up")
    note("sign-up page opened", OPENED_MS)
    browser.tab_to("main [name=name]")
    browser.write(name)
    browser.tab_to("main [name=email]")
    browser.write(f"{name.lower()}@uni.example")
    browser.press("Enter")
    browser.wait_for("document.querySelector('main .sent') !== null")
    note("letter asked for")
    link = mail.link()
    browser.go(link)
    note("link of the letter opened", OPENED_MS)
    browser.tab_to("main button.main-button")
    go_on("/try")
    note("account made", OPENED_MS)
    browser.tab_to("main a[href='/submit']")
    go_on("/submit")
    note("page for a job opened", OPENED_MS)
    browser.tab_to("button[name=send]")
    go_on("/jobs/job-")
    note("job sent", OPENED_MS)
    browser.wait_for("document.querySelector('.state-finished') !== null")  # the open page comes along by itself
    note("job seen as finished")
    browser.wait_for("document.querySelector('#receipt summary') !== null")
    browser.tab_to("#receipt-table > summary")
    browser.press("Enter")
    browser.wait_for("document.querySelector('#receipt-table').open")
    note("receipt opened")
    job_id = browser.run("location.pathname").rsplit("/", 1)[1]
    who = browser.run("fetch('/api/v1/login').then((answer) => answer.json())")
    bill = f"fetch('/api/v1/projects/{who['projects'][0]}/bill').then((answer) => answer.json())"
    first_ms = at_ms["sign-up page opened"]
    return Journey({step: (ms - first_ms) / 1000.0 for step, ms in at_ms.items()}, job_id, browser.run(bill))


def measured(park: RunningPark) -> dict[str, Any]:
    """What the park noted of the last newcomer: seconds from the account to each step."""
    from eureka_park.ledger.first_jobs import store

    def waits(opened: Any) -> list[dict[str, Any]]:
        with opened.db.read() as conn:
            return store.waits_s(conn)

    rows: list[dict[str, Any]] = park.opened(waits)
    return rows[-1]


def main(words: list[str]) -> int:
    """The command line above."""
    n_people = int(words[0]) if words else 5
    folder = Path(words[1]) if len(words) > 1 else Path(tempfile.mkdtemp(prefix="first-door-"))
    mail = MailCatcher()
    with RunningPark(folder / "park") as park:
        open_entrance(park, mail, folder)
        browser = Chromium(folder / "profile")
        try:
            for n in range(n_people):
                journey = walk(browser, f"http://localhost:{park.port}", mail, f"Newcomer{n + 1}")
                print(f"newcomer {n + 1}\n{journey.table()}")
                print(f"{journey.account_to_receipt_s:8.2f} s  account to receipt, by the browser")
            published = browser.run("fetch('/api/v1/time-to-first-job').then((answer) => answer.json())")
        finally:
            browser.close()
            mail.stop()
    print("published by the park (from the account)")
    for step, told in published["steps"].items():
        print(f"  {step}: n {told['n']}, p50 {told['p50_s']} s, p90 {told['p90_s']} s, within {told['within']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
