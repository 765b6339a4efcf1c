"""axe-core on the page that a browser shows: what keeps people out, in lines that say where."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.helpers.chromium import Chromium
from tests.helpers.npm import packages

# The axe rules of WCAG 2.2 at levels A and AA, and the good practices that axe knows.
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOURS = ("color-contrast", "link-in-text-block")  # the rules of these that look at colours


@cache
def _source() -> str:
    return (packages() / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def violations(browser: Chromium, inside: str = "html", *, only_colours: bool = False) -> list[str]:
    """What axe finds wrong in the page as it is now. Details are opened before: what they hide counts too.

    `only_colours`: for a page that was looked at wholly before and has changed its theme since.
    """
    browser.run("for (const item of document.querySelectorAll('details')) item.open = true")
    browser.run(f"window.axe === undefined && (() => {{ {_source()} }})()")
    rules = {"type": "rule", "values": OF_COLOURS} if only_colours else {"type": "tag", "values": TAGS}
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = browser.run(
        f"axe.run({json.dumps(inside)}, {json.dumps(options)}).then((found) => found.violations)"
    )
    return [
        f"{item['id']} ({item['impact']}): {' '.join(node['target'][0].split())}: {_why(node)}"
        for item in found
        for node in item["nodes"][:5]
    ]


def _why(node: dict[str, Any]) -> str:
    return " ".join(str(node.get("failureSummary", "")).split())[:220]
