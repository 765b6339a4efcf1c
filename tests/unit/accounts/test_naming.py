"""Names: two people cannot share an address that looks the same, and no name hides anything."""

from __future__ import annotations

import pytest

from eureka_park.accounts.core.naming import check_id, clean_name, email_key
from eureka_park.foundation.errors import BadInput


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Mina@Example.ORG", "mina@example.org"),
        (" mina@example.org ", "mina@example.org"),
        ("ｍina@example.org", "mina@example.org"),  # full width
        ("straße@example.org", "strasse@example.org"),
        ("m.b+x@münchen.example", "m.b+x@xn--mnchen-3ya.example"),
        ("مينا@example.org", "مينا@example.org"),
        ("дмитрий@example.org", "дмитрий@example.org"),
    ],
)
def test_addresses_that_are_one_have_one_key(text: str, key: str) -> None:
    assert email_key(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "", "mina", "@example.org", "mina@", "a b@example.org", "mina@example", "mina@exa mple.org", "m@x@example.org",
        "mіna@example.org",  # a Cyrillic i among Latin letters
        "аsh@example.org", "mina@ехаmple.org", "mina@аррӏе.example", "хосе@example.org",  # all of them pass for Latin
        "a@xn--80ak6aa92e.example",
        "a\u202emoc@example.org", "a\x00@example.org", ".a@example.org", "a.@example.org", "a..b@example.org",
        "x" * 65 + "@example.org", "a@" + "b" * 250 + ".org", "a@-x.org", "a@127.0.0.1", "\ud800@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_or_a_disguise_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        email_key(text)
    assert caught.value.field == "email" and caught.value.code == "bad_email" and caught.value.line().isprintable()


def test_names_are_composed_and_hide_nothing() -> None:
    assert clean_name("  Mina\u0301   El  Fassi ") == "Miná El Fassi"
    assert clean_name("محمد") == "محمد"
    for text in ("", "  ", "a\u202eb", "a\u200bb", "a\x07b", "x" * 201, "\ud800"):
        with pytest.raises(BadInput):
            clean_name(text)


def test_ids_of_places() -> None:
    check_id("um6p", "an organisation")
    for text in ("", "admin", "api", "A", "-a", "a/b", "x" * 64):
        with pytest.raises(BadInput) as caught:
            check_id(text, "an organisation")
        assert caught.value.field == "organisation"
