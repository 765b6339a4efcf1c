"""What law 09-08 and the GDPR ask of whoever runs a park: the record, the rights, and what the operator must say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response

from eureka_park.accounts.service import Act
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import Anyone, park_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.people_words import show, sign_in_first, told
from eureka_park.web.pages.words import N_

OPERATE_PAGES: Final = (
    ("/operate", N_("What is to do")),
    ("/operate/people", N_("People")),
    ("/operate/grants", N_("Grants")),
    ("/operate/prices", N_("Prices")),
    ("/operate/money", N_("Invoices")),
    ("/operate/bank", N_("Bank")),
    ("/operate/payouts", N_("Payouts")),
    ("/operate/audit", N_("Audit log")),
    ("/operate/duties", N_("Personal data")),
)


def render(request: Request, template: str, here: str, error: ParkError | None = None, **more: Any) -> Response:
    """A page for operators."""
    wrong = told(words_of(request), error)
    return show(request, template, here, error, wrong=wrong, operate_pages=OPERATE_PAGES, **more)


# What the operator has to say; by the name in accounts.toml, table [texts].
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "controller": (
        N_("Who answers for the data"),
        N_("Name and address of the controller (law 09-08, article 1; GDPR, article 4)."),
    ),
    "contact": (
        N_("Whom people write to"),
        N_("For access, correction, opposition, erasure; a data protection officer where there is one."),
    ),
    "declaration": (
        N_("Declaration to the CNDP"),
        N_("Number and date of the declaration or authorisation (law 09-08, articles 12 to 21)."),
    ),
    "hosting": (
        N_("Where the machines stand"),
        N_("Place and country; outside Morocco also the ground of the transfer (articles 43 and 44)."),
    ),
    "retention": (N_("How long accounts are kept"), N_("And what happens to one that nobody used for long.")),
    "terms": (N_("Terms of use"), N_("The text or its address; people agree to its version.")),
    "complaints": (
        N_("Where people complain"),
        N_("The CNDP in Morocco; in the Union the authority of their country."),
    ),
}
# The record of processing (GDPR, article 30): what is kept, why, on which ground, until when, who sees it.
RECORDS: Final = (
    (
        N_("Account: name, e-mail, language"),
        N_("to know who asks"),
        N_("contract"),
        N_("until erased"),
        N_("themselves, operators, auditors"),
    ),
    (
        N_("Ways to sign in: hashes, public keys, ids at providers"),
        N_("to let them in"),
        N_("contract"),
        N_("until erased or replaced"),
        N_("nobody; hashes are not shown"),
    ),
    (
        N_("Browsers: name, address, times"),
        N_("so that they see who is signed in as them"),
        N_("security"),
        N_("until they end: 14 days after signing in, or as the operator says"),
        N_("themselves"),
    ),
    (
        N_("Invitations: e-mail, name, role"),
        N_("to let somebody answer"),
        N_("contract"),
        N_("30 days, or until answered or withdrawn"),
        N_("whoever decides who is in the place"),
    ),
    (
        N_("Notices: choices, webhooks, messages; where one signed in from, as keyed hashes"),
        N_("to tell them what they chose, and of sign-ins from new places"),
        N_("contract"),
        N_("messages 30 days, the rest until erased"),
        N_("themselves; hashes are not shown"),
    ),
    (
        N_("Roles and consents"),
        N_("to decide who may do what"),
        N_("contract"),
        N_("until erased"),
        N_("people of the same place, operators"),
    ),
    (
        N_("Bank account for pay: name, IBAN"),
        N_("to pay them"),
        N_("contract"),
        N_("until erased or taken away"),
        N_("the file for the bank; themselves its ends"),
    ),
    (
        N_("Jobs: commands, logs, files"),
        N_("to run them"),
        N_("contract"),
        N_("as the project keeps them"),
        N_("people of the project; everybody where it is public"),
    ),
    (
        N_("Books: charges and receipts"),
        N_("accounting"),
        N_("legal duty"),
        N_("ten years (accounting law)"),
        N_("people of the project, operators, auditors; a number instead of a name"),
    ),
    (
        N_("Audit log"),
        N_("to show who did what"),
        N_("security"),
        N_("as long as the park"),
        N_("operators and auditors; a number instead of a name, a keyed hash instead of an address"),
    ),
)
_RIGHTS: Final = (
    (N_("Access and portability"), N_("The page Account gives each person one JSON file of all that is kept.")),
    (N_("Correction"), N_("They change name and language themselves; operators change the rest.")),
    (
        N_("Erasure and opposition"),
        N_("The page Account, or the page People: what ties the number to a person is destroyed."),
    ),
    (N_("Consent"), N_("Kept with text, version and time; it is part of the file.")),
    (
        N_("A breach"),
        N_("The audit log says who did what, its chain whether it was altered. The GDPR gives 72 hours to notify."),
    ),
)


def duties_page(request: Request, who: Anyone) -> Response:
    """What law 09-08 and the GDPR ask of whoever runs this park, and how it stands. For operators and auditors."""
    if who is None:
        return sign_in_first(request)
    park = park_of(request)
    park.accounts.require_park(Act.SEE_PEOPLE, who)
    return render(
        request, "operate_duties.html", "/operate", texts=TEXTS, said=texts_said(park), records=RECORDS, rights=_RIGHTS,
        places=_where_data_lie(park), consents=park.accounts.people.consents(),
    )  # fmt: skip


def texts_said(park: Park) -> Mapping[str, str]:
    """The operator's own texts of accounts.toml; a file that cannot be read says nothing here."""
    sign_in = getattr(park, "sign_in", None)
    try:
        texts: Mapping[str, str] = sign_in.settings().texts if sign_in is not None else {}
    except ParkError:
        return {}
    return texts


def _database() -> str:
    url = os.environ.get("PARK_DATABASE_URL", "")
    if not url or url.startswith("sqlite"):
        return "SQLite"
    return f"PostgreSQL, {urlsplit(url).hostname or 'here'}"


def _where_data_lie(park: Park) -> list[tuple[str, str]]:
    return [(N_("Database"), _database()), (N_("Files of jobs, logs, keys"), str(park.home.folder))]
