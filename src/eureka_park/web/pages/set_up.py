"""Setting a park up for others, step by step: each is kept at once, may be left and come back to, and is checked as at
the start of the park. For operators; what they say goes into accounts.toml, where all else stays as it stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from eureka_park.accounts.core.naming import email_key
from eureka_park.accounts.core.oidc import endpoints_of, is_fit
from eureka_park.accounts.service import Act, Principal
from eureka_park.accounts.settings_file import LANGUAGES as OFFERED
from eureka_park.accounts.settings_file import SIGN_UP, Settings
from eureka_park.accounts.sign_in.letter_texts import Written
from eureka_park.adapters.accounts_file import AccountsFile
from eureka_park.adapters.mail import deliver
from eureka_park.adapters.oidc_http import OidcLine
from eureka_park.bootstrap import Park
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable
from eureka_park.web.auth import Anyone, Someone, check_recent, park_of, url_of
from eureka_park.web.pages.draw import words_of
from eureka_park.web.pages.duties import TEXTS, render
from eureka_park.web.pages.forms import Form, TheForm
from eureka_park.web.pages.people_words import sign_in_first
from eureka_park.web.pages.words import LANGUAGES, N_

PATH: Final = "/set-up"
KEPT: Final = "set-up.json"  # in the home: which steps were kept
MAIL_TEST_S: Final = 8.0
SUMMARY: Final = "summary"
STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "park": (N_("Name and languages"), N_("What this park is called, and in which languages it speaks.")),
    "you": (N_("How you sign in"), N_("The link that park up prints is good once. Have a way of your own.")),
    "people": (
        N_("Who may come in"),
        N_("Whether people sign up by themselves, and under which address they find you."),
    ),
    "mail": (N_("Mail server"), N_("Letters that let people in, and notices, go through a server of yours.")),
    "provider": (N_("Sign-in elsewhere"), N_("People may come with the account they have at their university.")),
    "prices": (N_("Prices"), N_("What an hour of a machine costs. Without a list nothing is held before a job runs.")),
    "try": (N_("The first credits"), N_("Whoever is new and known to be a person may try the park at once.")),
    "duties": (N_("Personal data"), N_("What only you can say under law 09-08 and the GDPR.")),
}
DELICATE: Final = frozenset({"people", "mail", "provider"})
MAIL_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
SIGN_UP_WORDS: Final = {
    "closed": N_("Nobody: operators add people"),
    "invited": N_("Those invited by letter: by operators, or by who leads a project or an organisation"),
    "open": N_("Everybody with an e-mail address"),
}
TEMPLATES: Final[Mapping[str, tuple[str, Mapping[str, float], Mapping[str, float]]]] = {
    "free": (N_("Nothing costs anything: energy is counted, and billed at zero."), {}, {}),
    "campus": (
        N_("A campus: what machines cost to run, interruptible work at half of it."),
        {"firm": 12.0, "flex": 8.0, "green": 6.0}, {"firm": 0.30, "flex": 0.20, "green": 0.15},
    ),
    "market": (
        N_("Companies too: near what clouds ask, interruptible work at a third of it."),
        {"firm": 30.0, "flex": 18.0, "green": 10.0}, {"firm": 0.60, "flex": 0.40, "green": 0.20},
    ),
}  # fmt: skip
_SENTENCES: Final = {
    "mail_server_away": N_("The mail server does not answer. What you wrote is kept; check host, port and password."),
    "letter_refused": N_("The mail server answers and refuses the letter. Check the sender’s address."),
    "provider_away": N_("The provider does not answer. What you wrote is kept; check its address."),
    "provider_odd": N_("The provider answers otherwise than OpenID Connect asks. Check the issuer’s address."),
    "not_recent": N_("Sign in once more before you change this: it has been a while."),
    "password_outside": N_("The environment says the password of the mail server. Change the server in accounts.toml."),
    "bad_email": N_("This is not an e-mail address. Write it as name@example.org."),
}
_FIELD_SENTENCES: Final = {
    "sign_in.url": N_("The park’s address is written as https://park.example.org."),
    "mail.from": N_("The sender is an e-mail address, or a name with the address in angle brackets."),
    "mail.tls": N_("A line without TLS is for a server on this machine alone, and without a user."),
    "mail.host": N_("Name the mail server."),
    "oidc.id": N_("The short name has 1 to 31 small letters, digits and dashes."),
    "oidc.issuer": N_("The issuer is an https address."),
    "oidc.client_id": N_("Name the client’s id at the provider."),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a step says afterwards; `url`: the park's address as the browser knows it."""

    park: Park
    who: Principal
    form: Form
    url: str


def set_up_page(request: Request, who: Anyone, step: Annotated[str, Query(max_length=20)] = "") -> Response:
    """One step. For operators."""
    if who is None:
        return sign_in_first(request)
    park_of(request).accounts.require_park(Act.OPERATE, who)
    return _draw(request, who, step)


def keep_step(request: Request, who: Someone, form: TheForm) -> Response:
    """Keep one step and go on to the next. For operators; who changes how people come in, or where letters and secrets
    go, has signed in within half an hour.
    """
    park, step = park_of(request), form.one("step")
    park.accounts.require_park(Act.OPERATE, who)
    try:
        if step not in STEPS:
            raise BadInput("There is no such step.", fix="Use the buttons.", code="bad_form")
        if step in DELICATE and not form.has("skip"):
            check_recent(request, who)
        done = "" if form.has("skip") else _KEEPERS[step](Said(park, who, form, url_of(request)))
    except ParkError as error:
        return _draw(request, who, step, error, form)
    _note(park, step)
    if done:
        return _draw(request, who, step, done=done)
    names = [*STEPS, SUMMARY]
    return RedirectResponse(f"{PATH}?step={names[names.index(step) + 1]}", 303)


# -- the steps ---------------------------------------------------------------------------------------------------------
def _park(said: Said) -> str:
    chosen = [code for code in OFFERED if code in said.form.all("language")]
    wanted = chosen if 0 < len(chosen) < len(OFFERED) else None
    said.park.telling.file.change({"park": {"name": said.form.one("name").strip()[:80] or None, "languages": wanted}})
    _audit(said, "park")
    return ""


def _you(_said: Said) -> str:
    return ""


def _people(said: Said) -> str:
    url = said.form.one("url").strip().rstrip("/")
    said.park.telling.file.change({"sign_in": {"sign_up": said.form.one("sign_up"), "url": url or None}})
    _audit(said, "people")
    return ""


def _mail(said: Said) -> str:
    form, file = said.form, said.park.telling.file
    if form.one("do") == "drop":
        _check_outside(file, None)
        file.change({"mail": None})
        _audit(said, "mail")
        return N_("There is no mail server any more.")
    tls, port = form.one("tls", "starttls"), form.one("port").strip()
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise BadInput("A port is a number from 1 to 65535.", fix="Leave it empty.", code="bad_port", field="port")
    values = {
        "host": form.one("host").strip(), "port": int(port) if port else MAIL_PORTS.get(tls, 587), "tls": tls,
        "user": form.one("user").strip() or None, "from": form.one("from").strip(),
    }  # fmt: skip
    _check_outside(file, values)
    settings = file.change({"mail": values})
    if form.one("secret"):
        file.set_mail_password(form.one("secret"))
    _audit(said, "mail")
    if form.one("do") != "test":
        return ""
    _send_test(said, settings, form.one("to").strip())
    return N_("The letter is on its way. When it has come, go on.")


def _check_outside(file: AccountsFile, values: Mapping[str, Any] | None) -> None:
    """A password of the environment goes with a server from the file on; the page leads it to no other."""
    mail = file.settings().mail
    if not file.has_password_outside or mail is None:
        return
    known = {"host": mail.host, "port": mail.port, "tls": mail.tls, "user": mail.user or None}
    if values is None or any(values[key] != value for key, value in known.items()):
        raise BadInput(
            "The environment says the password of the mail server.", fix="Change the server in accounts.toml.",
            code="password_outside", field="host",
        )  # fmt: skip


def _send_test(said: Said, settings: Settings, to: str) -> None:
    email_key(to)
    assert settings.mail is not None
    name = settings.name or "Eureka Park"
    letter = Written(to, f"{name}: test", f"A test of the mail server of {name}, {settings.url or said.url}.\n", "en")
    deliver(
        settings.mail, said.park.telling.file.mail_password(), letter, said.park.accounts.ground.fresh_id("test"),
        timeout_s=MAIL_TEST_S,
    )  # fmt: skip


def _provider(said: Said) -> str:
    form, file = said.form, said.park.telling.file
    provider_id, issuer = form.one("id").strip(), form.one("issuer").strip()
    if form.one("do") == "drop":
        file.change({}, {provider_id: None})
        _audit(said, "provider")
        return N_("The provider is taken away. Whoever came through it has to have another way.")
    values = {
        "title": form.one("title").strip() or None, "issuer": issuer, "client_id": form.one("client_id").strip(),
        "links_by_email": True if form.has("links_by_email") else None,
    }  # fmt: skip
    file.change({}, {provider_id: values})
    if form.one("secret"):
        file.set_provider_secret(provider_id, form.one("secret"))
    _audit(said, "provider")
    if not is_fit(issuer, issuer):
        raise BadInput("The issuer is an https address.", fix="Write it so.", code="bad_issuer", field="oidc.issuer")
    endpoints_of(issuer, OidcLine().get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    return N_("The provider answers as it should. Register the address below there, and sign in once to try it.")


def _prices(said: Said) -> str:
    chosen = said.form.one("template")
    if chosen == "free":
        return ""
    if chosen not in TEMPLATES:
        raise BadInput("There is no such list.", fix="Choose one.", code="bad_template", field="template")
    _, gpu, cpu = TEMPLATES[chosen]
    body = {"mad_per_gpu_h": {"*": {"*": dict(gpu)}}, "mad_per_cpu_h": {"*": dict(cpu)}, "label": "assumption"}
    said.park.ledger.billing.set_price_list(said.who, body)
    return ""


def _try(said: Said) -> str:
    form = said.form
    credits = _number(form.one("credits") or "20", "credits") if form.has("on") else 0.0
    said.park.telling.file.change({"try": {"credits": credits, "days": _number(form.one("days") or "30", "days")}})
    _audit(said, "try")
    return ""


def _duties(said: Said) -> str:
    values = {name: said.form.one(name).strip()[:2000] or None for name in TEXTS}
    said.park.telling.file.change({"texts": values})
    _audit(said, "duties")
    return ""


_KEEPERS: Final[Mapping[str, Callable[[Said], str]]] = {
    "park": _park, "you": _you, "people": _people, "mail": _mail, "provider": _provider, "prices": _prices,
    "try": _try, "duties": _duties,
}  # fmt: skip


def _number(text: str, field: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1e6:
        raise BadInput("This is no number from 0 on.", fix="Write digits.", code="bad_number", field=field)
    return value


def _audit(said: Said, step: str) -> None:
    with said.park.db.write() as conn:
        said.park.accounts.audit.note(conn, "settings.changed", who=said.who, thing="park", detail={"step": step})


# -- what was kept -----------------------------------------------------------------------------------------------------
def kept_steps(park: Park) -> tuple[str, ...]:
    """The steps that somebody kept or passed over, in their order."""
    try:
        found = json.loads(park.home.read(KEPT) or "[]")
    except ValueError:
        found = []
    return tuple(name for name in STEPS if isinstance(found, list) and name in found)


def _note(park: Park, step: str) -> None:
    known = kept_steps(park)
    if step not in known:
        park.home.write(KEPT, json.dumps([name for name in STEPS if name in {*known, step}]))


def _draw(
    request: Request,
    who: Principal,
    step: str,
    error: ParkError | None = None,
    form: Form | None = None,
    done: str = "",
) -> Response:
    park, words = park_of(request), words_of(request)
    kept = kept_steps(park)
    if step not in STEPS and step != SUMMARY:
        step = next((name for name in STEPS if name not in kept), SUMMARY)
    names = [*STEPS, SUMMARY]
    settings = park.telling.file.settings()
    wrong = None
    if error is not None:
        text = _FIELD_SENTENCES.get(error.field or "") or _SENTENCES.get(error.code)
        wrong = {"text": words.say(text), "lang": words.tag_of(text)} if text else {"text": error.line(), "lang": "en"}
    answer = render(
        request, "set_up.html", "/operate", error, step=step, steps=STEPS, kept=kept, settings=settings,
        form=form or Form(), done=done, said_wrong=wrong, n=names.index(step) + 1,
        before=names[names.index(step) - 1] if step != names[0] else "", url=url_of(request),
        ways=park.sign_in.ways(who), person=park.accounts.people.person(who.person_id),
        languages_known={code: LANGUAGES[code] for code in OFFERED}, sign_up_words={key: SIGN_UP_WORDS[key] for key in
        reversed(SIGN_UP)}, templates=TEMPLATES, texts=TEXTS, has_prices=bool(park.ledger.billing.price_lists()),
        has_mail_secret=bool(park.telling.file.mail_password()),
    )  # fmt: skip
    if isinstance(error, Unavailable):
        answer.status_code = 422  # the park itself is well
    return answer
