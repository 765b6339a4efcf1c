"""What pages of people, projects and the park's operators share: roles and acts in words, errors, who must sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from eureka_park.accounts.core.permissions import Answer, Principal, Thing, kind_of, scope_in, scope_text
from eureka_park.accounts.core.roles import TABLE, Act, Kind, Role
from eureka_park.foundation.errors import ParkError
from eureka_park.web.auth import park_of
from eureka_park.web.pages.draw import page
from eureka_park.web.pages.words import LANGUAGES, N_, Words

ROLE_NAMES: Final[Mapping[str, str]] = {
    "visitor": N_("visitor"),
    "learner": N_("learner"),
    "annotator": N_("annotator"),
    "teacher": N_("teacher"),
    "reviewer": N_("reviewer"),
    "member": N_("member"),
    "lead": N_("lead"),
    "operator": N_("operator"),
    "auditor": N_("auditor"),
}
ACT_NAMES: Final[Mapping[str, str]] = {
    "see": N_("see its jobs, logs, receipts and files"),
    "submit": N_("run jobs and cancel them"),
    "store": N_("keep data sets and models in it"),
    "label": N_("answer labelling tasks"),
    "teach": N_("teach and grade"),
    "review": N_("judge applications"),
    "see_bill": N_("see its budgets, grants and statements"),
    "spend": N_("ask for credits, move them, set budgets"),
    "manage": N_("decide who is in it, and its settings"),
    "found": N_("begin a project"),
    "grant": N_("give credits and take them back"),
    "price": N_("set prices"),
    "see_people": N_("see everybody who has an account"),
    "audit": N_("read the audit log and check it"),
    "operate": N_("run the park: machines, policy, people"),
    "account": N_("look after their own account"),
}
KIND_NAMES: Final[Mapping[str, str]] = {
    "university": N_("university"),
    "startup": N_("startup"),
    "company": N_("company"),
    "public_body": N_("public body"),
    "individual": N_("individual"),
}
LANGUAGE_NAMES: Final[Mapping[str, str]] = {item.locale: item.name for item in LANGUAGES.values()}
LANGUAGE_TAGS: Final[Mapping[str, str]] = {item.locale: item.tag for item in LANGUAGES.values()}
_SENTENCES: Final[Mapping[str, str]] = {
    "last_lead": N_("Nobody else leads it. Give that role to somebody else first."),
    "last_operator": N_("Nobody else operates this park. Give that role to somebody else first."),
    "project_taken": N_("There is a project of this id already. Choose another."),
    "organisation_taken": N_("There is an organisation of this id already. Choose another."),
    "bad_project": N_("An id has 1 to 63 small letters, digits and dashes, and no dash at its ends."),
    "bad_id": N_("An id has 1 to 63 small letters, digits and dashes, and no dash at its ends."),
    "no_such_person": N_("Nobody here has this id or e-mail address."),
    "bad_role": N_("This role is not held there."),
    "no_such_role": N_("They do not hold this role any more."),
    "email_taken": N_("Somebody has this e-mail address already."),
    "bad_email": N_("This is not an e-mail address. Write it as name@example.org."),
    "bad_name": N_("This cannot be a name. Use letters, digits and signs, none of them invisible."),
    "bad_ice": N_("An ICE has 15 digits."),
    "bad_webhook_url": N_("A webhook cannot lead there: its address begins with https:// and is of the open internet."),
    "too_many_webhooks": N_("You have as many webhooks as there may be. End one first."),
    "webhook_off": N_("This webhook is off. Turn it on first."),
    "no_mail_server": N_("This park sends no e-mail."),
    "no_address": N_("No e-mail address of yours is known here."),
    "wider_token": N_("A token cannot make one that is good for more than itself."),
    "bad_expiry": N_("A token of this park may not last so long."),
    "bad_amount": N_("This is no amount. Write 250, for example."),
    "not_recent": N_("Sign in once more before you change this: it has been a while."),
    "invitations_closed": N_("This park takes nobody by invitation. Its operator can allow it."),
    "many_invited": N_("You have invited as many as one may within a day. Go on tomorrow, or ask an operator."),
    "own_project": N_("This project is there to try the park: nobody is invited into it. Ask an operator for another."),
    "many_invitations": N_("Too many invitations are open. Withdraw some."),
    "no_such_invitation": N_("There is no such invitation any more."),
    "no_such_group": N_("There is no such group that you can see."),
    "same_email": N_("This is your address already."),
    "not_confirmed": N_("Tick the box first: this cannot be taken back."),
    "rate_limited": N_("That were many tries in a short time. Wait a little, then go on."),
}
_PLACE: Final[Mapping[Kind, str]] = {
    Kind.PARK: N_("You are {role} of this park."),
    Kind.PROJECT: N_("You are {role} of the project {name}."),
    Kind.ORGANISATION: N_("You are {role} of the organisation {name}."),
}
_THROUGH: Final = N_("You hold that role as one of the group {group}.")


def sign_in_first(request: Request) -> Response:
    """A visitor is sent to sign in, and comes back."""
    return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303)


def show(request: Request, template: str, here: str, error: ParkError | None = None, **more: Any) -> HTMLResponse:
    """A page with what went wrong on top."""
    status = 200 if error is None else error.http_status
    context = {"wrong": None, "done": "", "roles": ROLE_NAMES, **more}
    return page(request, template, here, status, **context, error=error)


def told(words: Words, error: ParkError | None) -> dict[str, str] | None:
    """What went wrong, and the language it is said in."""
    if error is None:
        return None
    form = _SENTENCES.get(error.code)
    return {"text": words.say(form), "lang": words.tag_of(form)} if form else {"text": error.line(), "lang": "en"}


def welcomed(request: Request, words: Words) -> str:
    """What somebody is who has just taken an invitation, in words; '' for everybody else."""
    role = request.query_params.get("welcome", "")
    return words.say(ROLE_NAMES[role]) if role in ROLE_NAMES else ""


def roles_shown(words: Words, held: Any) -> list[dict[str, str]]:
    """Roles that somebody holds, for people."""
    rows = []
    for item in held:
        kind, _, name = item.scope.partition(":")
        link = f"/{kind}s/{name}" if name else ""
        rows.append({"role": words.say(ROLE_NAMES[item.role]), "name": name, "link": link, "via": item.via})
    return rows


def why(words: Words, act: Act, who: Principal | None, thing: Thing, answer: Answer) -> str:
    """The sentence of an answer in the reader's language, as `may` says it in English."""
    name = _name(thing)
    if answer.code == "role" and who is not None:
        return _by_role(words, act, who, thing)
    forms = {
        "public": N_("The project {name} is public."),
        "self": N_("It is your own account."),
        "not_signed_in": N_("You are not signed in."),
        "scope": N_("The token you use is not for that."),
        "other_project": N_("The token you use is for one project alone."),
        "closed": N_("The project {name} is closed."),
        "wrong_role": N_("The role you hold in {name} is not enough for that."),
    }
    nothing = N_("You hold no role in {name}.") if name else N_("You hold no role in this park that allows it.")
    return words.say(forms.get(answer.code, nothing), name=words.name(name) if name else "")


def what_helps(words: Words, answer: Answer, thing: Thing) -> str:
    """What would change an answer that is no."""
    forms = {
        "not_signed_in": N_("Sign in."),
        "scope": N_("Make a token that is, or use the pages."),
        "other_project": N_("Make a token for all your projects, or use the pages."),
        "closed": N_("One of its leads can open it again."),
    }
    ask = N_("A lead of {name} or an operator of this park can give you a role there.")
    form = forms.get(answer.code, ask if thing is not None else N_("An operator of this park can give you a role."))
    said = words.say(form, name=words.name(_name(thing)))
    if answer.code not in ("no_role", "wrong_role") or not answer.roles:
        return said
    roles = ", ".join(words.say(ROLE_NAMES[role]) for role in answer.roles)
    return f"{said} {words.say(N_('One of these would do: {roles}.'), roles=roles)}"


def _by_role(words: Words, act: Act, who: Principal, thing: Thing) -> str:
    for where, role in TABLE[act].sources(kind_of(thing)):
        scope = scope_in(where, thing)
        via = who.held_at(scope).get(role) if scope else None
        if via is not None:
            said = words.say(_PLACE[where], role=words.say(ROLE_NAMES[role]), name=words.name(scope.partition(":")[2]))
            return f"{said} {words.say(_THROUGH, group=via)}" if via else said
    return words.say(_PLACE[Kind.PARK], role=words.say(ROLE_NAMES[Role.OPERATOR]))


def _name(thing: Thing) -> str:
    return scope_text(thing).partition(":")[2]


def person_named(request: Request, text: str) -> str:
    """The id of a person or group, by id or by e-mail address; what is unknown stays as it is, and is refused later."""
    text, park = text.strip(), park_of(request)
    if "@" not in text:
        return text
    with park.db.read() as conn:
        found = park.accounts.people.by_email(conn, text)
    return found.person_id if found is not None else text
