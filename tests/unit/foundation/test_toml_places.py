"""Lines of keys and tables in TOML text."""

from __future__ import annotations

from eureka_park.foundation.toml_places import line_of, place_text, toml_lines

TEXT = '''a = 1
[one]
b = """
c = 5
[not-a-table]
"""
list = [
  "x]",
  { d = 1 },
]
e.f = 2  # dotted
[[many]]
g = 1
[[many]]
"h" = 2
[many.deep]
i = 3
[[many.sub]]
j = 4
'''


def test_every_key_has_its_line() -> None:
    assert toml_lines(TEXT) == {
        ("a",): 1, ("one",): 2, ("one", "b"): 3, ("one", "list"): 7, ("one", "e", "f"): 11,
        ("many",): 12, ("many", 0): 12, ("many", 0, "g"): 13, ("many", 1): 14, ("many", 1, "h"): 15,
        ("many", 1, "sub"): 18, ("many", 1, "deep"): 16, ("many", 1, "deep", "i"): 17, ("many", 1, "sub", 0): 18,
        ("many", 1, "sub", 0, "j"): 19,
    }  # fmt: skip


def test_the_nearest_line_and_the_words() -> None:
    lines = toml_lines(TEXT)
    assert line_of(("one", "list", 1, "d"), lines) == 7
    assert line_of(("many", 1, "missing"), lines) == 14
    assert line_of(("nowhere",), lines) is None
    assert place_text(("many", 1, "sub", 0, "j")) == "many[1].sub[0].j"
