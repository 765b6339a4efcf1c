"""Writes the verdict as it comes with the product: `.venv/bin/python docs/verdict/make.py`.

The same study gives the same bytes; tests/unit/web/test_verdict_render.py compares. The study itself is made by
`park energy report --study src/eureka_park/energy/data/verdict.json.gz`, once that file is out of the way.
"""

from __future__ import annotations

import sys
from pathlib import Path

from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import shipped_study
from eureka_park.web.verdict.render import FILE_LANGUAGES, standalone

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def pages() -> dict[str, str]:
    """The files by name."""
    study = shipped_study()
    return {f"verdict.{lang}.html": standalone(study, shipped(), lang, is_one_of_three=True) for lang in FILE_LANGUAGES}


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import hatch_build

    hatch_build.build()
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {len(text) // 1024} KiB", file=sys.stderr)
