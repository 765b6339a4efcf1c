"""accounts.toml: what it may say, and that every mistake is told with its place."""

import pytest

from eureka_park.accounts.settings_file import Settings, read_settings
from eureka_park.foundation.errors import BadInput

WHOLE = """
[sign_in]
passkeys = false
sign_up = "open"
url = "https://park.example.org/"
[mail]
host = "mail.example.org"
from = "Eureka Park <park@example.org>"
user = "park"
[[oidc]]
id = "uni"
title = "University"
issuer = "https://id.uni.example/realms/all"
client_id = "park"
scopes = ["email", "groups"]
links_by_email = true
[oidc.roles]
"lab" = "member@project:lab"
"it staff" = "operator@park"
[[oidc]]
id = "near"
issuer = "http://localhost:9400"
client_id = "park"
[try]
credits = 5
[texts]
controller = "University of the North"
[screening]
command = ["/usr/local/bin/screen", "--quick"]
"""
ONE = '[[oidc]]\nid = "a"\nissuer = "https://a.example"\nclient_id = "park"\n'


def test_a_whole_file() -> None:
    found = read_settings(WHOLE)
    assert (found.has_passwords, found.has_passkeys, found.sign_up) == (True, False, "open")
    assert found.url == "https://park.example.org" and found.mail is not None and found.mail.port == 587
    uni, near = found.providers
    assert uni.scopes == ("openid", "email", "groups") and uni.roles["it staff"] == "operator@park"
    assert uni.links_by_email and not near.links_by_email and near.title == "near" and found.provider("near") is near
    assert (found.try_credits, found.texts["controller"]) == (5.0, "University of the North")
    assert found.screening == ("/usr/local/bin/screen", "--quick")


def test_an_empty_file_is_a_park_of_ones_own() -> None:
    assert read_settings("") == Settings() and Settings().sign_up == "closed" and Settings().mail is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("sign_in = 1", "sign_in"), ("[sign_in]\nsign_up = 'all'", "sign_in.sign_up"), ("[signin]", "signin"),
        ("[sign_in]\npasswords = 1", "sign_in.passwords"), ("[sign_in]\nurl = 'http://park.example'", "sign_in.url"),
        ("[sign_in]\npaswords = true", "sign_in.paswords"), ("[mail]\nhost = 'a'", "mail.from"),
        ("[mail]\nhost = 'a'\nfrom = 'nobody'", "mail.from"),
        ("[mail]\nhost='a'\nfrom='a@b.org'\nport=-1", "mail.port"),
        ("[mail]\nhost='a'\nfrom='a@b.org'\ntls='none'", "mail.tls"), ("[oidc]\nid = 'a'", "oidc"),
        (ONE + ONE, "oidc.id"), (ONE.replace("https", "http"), "oidc.issuer"), (ONE.replace('"a"', '"A B"'), "oidc.id"),
        (ONE + "[oidc.roles]\nlab = 'boss@park'", "oidc.roles"), (ONE + "[oidc.roles]\nlab = 'member'", "oidc.roles"),
        ("[try]\ncredits = true", "try.credits"), ("[try]\ncredits = nan", "try.credits"), ("a = ", None),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(text: str, place: str | None) -> None:
    with pytest.raises(BadInput) as error:
        read_settings(text)
    assert (error.value.code, error.value.field) == ("bad_accounts_file", place)
