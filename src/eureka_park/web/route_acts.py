"""What every route asks of whoever calls it: one act of the table of roles, on one kind of object.

A test calls every route as everybody and compares; `docs/reference/routes.md` is written from here. A route that is
missing here fails that test, so nobody adds one without saying who it is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from eureka_park.accounts.core.permissions import AT_PARK, Held, Organisation, Principal, Project, Thing, may
from eureka_park.accounts.core.roles import READING, Act, Kind, Role


@dataclass(frozen=True, slots=True)
class Asks:
    """`act` None: everybody (`is_open`), or everybody who is signed in. `own`: what one may do to oneself anyhow."""

    act: Act | None = None
    of: Kind = Kind.PARK
    is_open: bool = False
    own: Act | None = None

    @property
    def has_other(self) -> bool:
        """Whether it matters whose object it is."""
        return self.own is not None or (self.act is not None and self.of in (Kind.PROJECT, Kind.ORGANISATION))


OPEN: Final = Asks(is_open=True)
SIGNED_IN: Final = Asks()
ACCOUNT: Final = Asks(Act.ACCOUNT, Kind.SELF)
_SEE: Final = Asks(Act.SEE, Kind.PROJECT)
_SUBMIT: Final = Asks(Act.SUBMIT, Kind.PROJECT)
_MANAGE: Final = Asks(Act.MANAGE, Kind.PROJECT)
_ORGANISATION: Final = Asks(Act.SEE, Kind.ORGANISATION)
_LEADS: Final = Asks(Act.MANAGE, Kind.ORGANISATION)
_SEE_BILL: Final = Asks(Act.SEE_BILL, Kind.PROJECT)
_SPEND: Final = Asks(Act.SPEND, Kind.PROJECT)
_GRANT: Final = Asks(Act.GRANT)
_OPERATE: Final = Asks(Act.OPERATE)
_AUDIT: Final = Asks(Act.AUDIT)
_JOB: Final = "/api/v1/jobs/{job_id}"
_PROJECT: Final = "/api/v1/projects/{project_id}"
_PLACE: Final = "/api/v1/organisations/{organisation_id}"
_PERSON: Final = "/api/v1/people/{person_id}"
_BUCKET: Final = "/api/v1/projects/{project_id}/buckets/{bucket}"
_REPOSITORY: Final = "/api/v1/projects/{project_id}/repositories/{kind}/{name}"
_GROUP: Final = "/api/v1/groups/{group_id}"  # of an organisation
_INVITING: Final = (("GET", ""), ("POST", ""), ("DELETE", "/{invitation_id}"))

API: Final[Mapping[str, Asks]] = {
    "GET /api/v1/jobs": OPEN,
    "POST /api/v1/jobs": _SUBMIT,
    "POST /api/v1/jobs/cancel": _SUBMIT,
    f"GET {_JOB}": _SEE,
    f"POST {_JOB}/cancel": _SUBMIT,
    f"POST {_JOB}/commit": _SUBMIT,
    f"GET {_JOB}/why": _SEE,
    f"GET {_JOB}/receipt": _SEE,
    f"GET {_JOB}/timeline": _SEE,
    f"GET {_JOB}/history": _SEE,
    f"GET {_JOB}/logs": _SEE,
    f"GET {_JOB}/logs/lines": _SEE,
    f"GET {_JOB}/logs/search": _SEE,
    f"GET {_JOB}/logs/stream": _SEE,
    f"GET {_JOB}/outputs": _SEE,
    f"GET {_JOB}/outputs/{{path}}": _SEE,
    f"HEAD {_JOB}/outputs/{{path}}": _SEE,
    "POST /api/v1/snapshots": SIGNED_IN,
    "PUT /api/v1/blobs/{sha256}": SIGNED_IN,
    "POST /api/v1/quotes": OPEN,
    "GET /api/v1/plan": OPEN,
    "GET /api/v1/meter": OPEN,
    "GET /api/v1/power": OPEN,
    "GET /api/v1/today": OPEN,
    "GET /api/v1/flows": OPEN,
    "GET /api/v1/gantt": OPEN,
    "GET /api/v1/site": OPEN,
    "GET /api/v1/status": OPEN,
    "GET /api/v1/events": OPEN,
    "GET /api/v1/nodes": OPEN,
    "POST /api/v1/nodes/{node_id}/drain": _OPERATE,
    "POST /api/v1/nodes/{node_id}/resume": _OPERATE,
    "GET /api/v1/windows": OPEN,
    "POST /api/v1/windows": _OPERATE,
    "DELETE /api/v1/windows/{window_id}": _OPERATE,
    "GET /api/v1/energy/lattice": OPEN,
    "POST /api/v1/energy/years": SIGNED_IN,
    "GET /api/v1/energy/years/{year_id}": OPEN,
    "GET /api/v1/twin/runs": OPEN,
    "POST /api/v1/twin/runs": SIGNED_IN,
    "POST /api/v1/twin/example": OPEN,
    "GET /api/v1/twin/runs/{run_id}": OPEN,
    "GET /api/v1/twin/runs/{run_id}/hours": OPEN,
    "POST /api/v1/twin/runs/{run_id}/cancel": SIGNED_IN,
    "GET /api/v1/twin/runs/{run_id}/events": OPEN,
    "POST /api/v1/login": OPEN,
    "POST /api/v1/sign-in/passkey": OPEN,
    "POST /api/v1/sign-in/passkey/options": OPEN,
    "POST /api/v1/account/passkeys": ACCOUNT,
    "POST /api/v1/account/passkeys/options": ACCOUNT,
    "POST /api/v1/login/device": OPEN,
    "POST /api/v1/login/device/token": OPEN,
    "GET /api/v1/login": SIGNED_IN,
    "DELETE /api/v1/login": SIGNED_IN,
    "POST /api/v1/login/codes": ACCOUNT,
    "GET /api/v1/tokens": SIGNED_IN,
    "POST /api/v1/tokens": ACCOUNT,
    "DELETE /api/v1/tokens/{token_id}": Asks(Act.OPERATE, own=Act.ACCOUNT),
    "GET /api/v1/sessions": SIGNED_IN,
    "DELETE /api/v1/sessions": ACCOUNT,
    "DELETE /api/v1/sessions/{session_id}": ACCOUNT,
    "GET /api/v1/permissions": OPEN,
    "GET /api/v1/permissions/table": OPEN,
    "GET /api/v1/people": Asks(Act.SEE_PEOPLE),
    "POST /api/v1/people": _OPERATE,
    f"GET {_PERSON}": Asks(Act.SEE_PEOPLE, own=Act.SEE),
    f"PATCH {_PERSON}": Asks(Act.OPERATE, own=Act.ACCOUNT),
    f"DELETE {_PERSON}": Asks(Act.OPERATE, own=Act.ACCOUNT),
    f"PUT {_PERSON}/roles/{{role}}": _OPERATE,
    f"DELETE {_PERSON}/roles/{{role}}": Asks(Act.OPERATE, own=Act.ACCOUNT),
    "GET /api/v1/account": SIGNED_IN,
    "GET /api/v1/account/export": ACCOUNT,
    "GET /api/v1/account/notices": ACCOUNT,
    "PUT /api/v1/account/notices": ACCOUNT,
    "POST /api/v1/account/notices/test": ACCOUNT,
    "POST /api/v1/account/webhooks": ACCOUNT,
    "PATCH /api/v1/account/webhooks/{webhook_id}": ACCOUNT,
    "DELETE /api/v1/account/webhooks/{webhook_id}": ACCOUNT,
    "POST /api/v1/account/webhooks/{webhook_id}/secret": ACCOUNT,
    "GET /api/v1/account/deliveries": ACCOUNT,
    "POST /api/v1/account/deliveries/{delivery_id}/again": ACCOUNT,
    "GET /api/v1/projects": OPEN,
    "POST /api/v1/projects": Asks(Act.FOUND),
    f"GET {_PROJECT}": _SEE,
    f"PATCH {_PROJECT}": _MANAGE,
    f"GET {_PROJECT}/people": _SEE,
    f"PUT {_PROJECT}/people/{{person_id}}/{{role}}": _MANAGE,
    f"DELETE {_PROJECT}/people/{{person_id}}/{{role}}": _MANAGE,
    f"POST {_PROJECT}/machines": _MANAGE,
    "GET /api/v1/organisations": SIGNED_IN,
    "POST /api/v1/organisations": Asks(Act.FOUND),
    f"GET {_PLACE}": _ORGANISATION,
    f"PATCH {_PLACE}": _LEADS,
    f"GET {_PLACE}/people": _ORGANISATION,
    f"PUT {_PLACE}/people/{{person_id}}/{{role}}": _LEADS,
    f"DELETE {_PLACE}/people/{{person_id}}/{{role}}": _LEADS,
    **{f"{way} {_PROJECT}/invitations{rest}": _MANAGE for way, rest in _INVITING},
    **{f"{way} {_PLACE}/invitations{rest}": _LEADS for way, rest in _INVITING},
    **{f"{way} /api/v1/invitations{rest}": _OPERATE for way, rest in _INVITING},
    "GET /api/v1/groups": SIGNED_IN,
    "POST /api/v1/groups": _LEADS,
    f"GET {_GROUP}": _ORGANISATION,
    f"PATCH {_GROUP}": _LEADS,
    f"DELETE {_GROUP}": _LEADS,
    f"PUT {_GROUP}/people/{{person_id}}": _LEADS,
    f"DELETE {_GROUP}/people/{{person_id}}": _LEADS,
    "GET /api/v1/audit": _AUDIT,
    "GET /api/v1/audit/check": _AUDIT,
    "GET /healthz": OPEN,
    "GET /api/v1/prices": OPEN,
    "POST /api/v1/prices": Asks(Act.PRICE),
    "GET /api/v1/grants": Asks(Act.SEE_PEOPLE),
    "POST /api/v1/grants": _GRANT,
    "POST /api/v1/grants/{grant_id}/end": _GRANT,
    "POST /api/v1/grants/{grant_id}/second-half": _GRANT,
    "GET /api/v1/buckets": OPEN,
    f"GET {_PROJECT}/buckets": _SEE,
    f"POST {_PROJECT}/buckets": Asks(Act.STORE, Kind.PROJECT),
    **{f"GET {_BUCKET}{rest}": _SEE for rest in ("", "/files", "/versions", "/file")},
    **{
        f"{way} {_BUCKET}{rest}": Asks(Act.STORE, Kind.PROJECT)
        for way, rest in (("PATCH", ""), ("DELETE", ""), ("PUT", "/file"), ("DELETE", "/file"), ("POST", "/copies"))
    },
    "GET /api/v1/access-keys": SIGNED_IN,
    f"GET {_PROJECT}/access-keys": _SEE,
    f"POST {_PROJECT}/access-keys": Asks(Act.STORE, Kind.PROJECT),
    f"DELETE {_PROJECT}/access-keys/{{access_key_id}}": _SEE,
    "GET /api/v1/repositories": OPEN,
    f"POST {_PROJECT}/repositories": Asks(Act.STORE, Kind.PROJECT),
    f"GET {_REPOSITORY}": _SEE,
    f"DELETE {_REPOSITORY}": _MANAGE,
    **{f"GET {_REPOSITORY}/{what}": _SEE for what in ("tree", "history", "diff", "lineage", "files/{path}")},
    **{f"GET {_REPOSITORY}/{what}": _SEE for what in ("card", "croissant")},
    f"PATCH {_REPOSITORY}": _MANAGE,
    f"PATCH {_REPOSITORY}/card": Asks(Act.STORE, Kind.PROJECT),
    **{f"GET {_REPOSITORY}/{what}": _SEE for what in ("rule", "hold")},
    f"PUT {_REPOSITORY}/rule": _MANAGE,
    **{f"{method} {_REPOSITORY}/hold": Asks(Act.MANAGE, Kind.ORGANISATION) for method in ("PUT", "DELETE")},
    f"GET {_PROJECT}/storage": _SEE_BILL,
    f"PUT {_PROJECT}/storage": _OPERATE,
    "GET /api/v1/storage": _OPERATE,
    f"PUT {_REPOSITORY}/blobs/{{sha256}}": Asks(Act.STORE, Kind.PROJECT),
    f"POST {_REPOSITORY}/blobs/held": Asks(Act.STORE, Kind.PROJECT),
    f"POST {_REPOSITORY}/blobs/small": Asks(Act.STORE, Kind.PROJECT),
    f"POST {_REPOSITORY}/commits": Asks(Act.STORE, Kind.PROJECT),
    f"GET {_PROJECT}/key": _SEE,
    **{f"{method} {_PROJECT}/key": _MANAGE for method in ("POST", "PUT", "DELETE")},
    f"POST {_PROJECT}/key/unlock": Asks(Act.STORE, Kind.PROJECT),
    f"POST {_PROJECT}/key/lock": Asks(Act.STORE, Kind.PROJECT),
    "GET /api/v1/grants/{grant_id}/report": SIGNED_IN,
    f"GET {_PROJECT}/bill": _SEE_BILL,
    f"POST {_PROJECT}/transfers": _SPEND,
    f"PUT {_PROJECT}/budgets/{{name}}": _SPEND,
    f"DELETE {_PROJECT}/budgets/{{name}}": _SPEND,
    f"GET {_PROJECT}/statements/{{month}}": _SEE_BILL,
    f"GET {_PROJECT}/statements/{{month}}/csv": _SEE_BILL,
    f"GET {_PROJECT}/statements/{{month}}/pdf": _SEE_BILL,
    f"GET {_PROJECT}/carbon/{{month}}": _SEE_BILL,
    f"GET {_PROJECT}/storage/{{month}}": _SEE_BILL,
    f"GET {_PLACE}/statements/{{month}}": Asks(Act.SEE_BILL, Kind.ORGANISATION),
    f"GET {_PROJECT}/top-ups": _SEE_BILL,
    f"POST {_PROJECT}/top-ups": _SPEND,
    f"GET {_PROJECT}/invoices": _SEE_BILL,
    "GET /api/v1/top-ups": _GRANT,
    "POST /api/v1/top-ups/{top_up_id}/invoices": _GRANT,
    "GET /api/v1/invoices": _GRANT,
    "GET /api/v1/invoices/{name}": SIGNED_IN,
    "GET /api/v1/invoices/{name}/pdf": SIGNED_IN,
    "POST /api/v1/bank": _GRANT,
    "GET /api/v1/money/rules": SIGNED_IN,
    f"POST {_PROJECT}/top-ups/{{top_up_id}}/cancel": _SPEND,
    f"GET {_PROJECT}/carbon/{{month}}/hours": _SEE_BILL,
    f"GET {_PLACE}/statements/{{month}}/csv": Asks(Act.SEE_BILL, Kind.ORGANISATION),
    f"GET {_PLACE}/statements/{{month}}/pdf": Asks(Act.SEE_BILL, Kind.ORGANISATION),
    "GET /api/v1/bank/lines": _GRANT,
    "GET /api/v1/bank/lines/{line_id}/fitting": _GRANT,
    "POST /api/v1/bank/lines/{line_id}/aside": _GRANT,
    "POST /api/v1/bank/lines/{line_id}/back": _GRANT,
    "POST /api/v1/bank/again": _GRANT,
    "POST /api/v1/bank/match": _GRANT,
    "GET /api/v1/payouts": _GRANT,
    "POST /api/v1/payouts": _GRANT,
    "GET /api/v1/payouts/owed": _GRANT,
    "GET /api/v1/payouts/{batch_id}": _GRANT,
    "GET /api/v1/payouts/{batch_id}/file": _GRANT,
    "GET /api/v1/account/bank-account": ACCOUNT,
    "PUT /api/v1/account/bank-account": ACCOUNT,
    "DELETE /api/v1/account/bank-account": ACCOUNT,
    "GET /api/v1/time-to-first-job": OPEN,
}

_DATA: Final = "/data/{kinds}/{project}/{name}"
_LOOKS: Final = (
    "", "/tree/{rest:path}", "/file/{rest:path}", "/raw/{rest:path}", "/history/{rest:path}", "/commit/{commit_id}",
    "/compare", "/versions", "/lineage",
)  # fmt: skip
PAGES: Final[Mapping[str, Asks]] = {
    **{
        f"GET {path}": OPEN
        for path in (
            "/", "/jobs", "/site", "/energy", "/energy/power", "/energy/year", "/energy/ahead", "/twin", "/style",
            "/wall", "/submit", "/connect", "/verdict", "/welcome", "/glossary", "/offline", "/sw.js", "/sign-in",
            "/sign-in/code", "/sign-in/letter", "/sign-in/invitation", "/sign-in/address", "/sign-in/with/{provider}",
            "/sign-in/with/{provider}/back", "/sign-up",
            "/recover", "/projects", "/permissions", "/try", "/data",
        )
    },
    **{
        f"POST {path}": OPEN
        for path in (
            "/submit/quote", "/twin/example", "/sign-out", "/sign-in", "/sign-in/code", "/sign-in/link",
            "/sign-in/letter", "/sign-in/invitation", "/sign-in/address", "/sign-up", "/recover",
        )
    },
    **{f"GET {_DATA}{rest}": _SEE for rest in _LOOKS},
    "POST /data": Asks(Act.STORE, Kind.PROJECT),
    "GET /data/buckets/{bucket}": _SEE,
    "GET /data/buckets/{bucket}/raw": _SEE,
    f"GET {_DATA}/settings": _MANAGE,
    f"POST {_DATA}/settings": _MANAGE,
    f"POST {_DATA}/versions": Asks(Act.STORE, Kind.PROJECT),
    f"POST {_DATA}/ask": _SEE,
    **{f"POST {_DATA}/{what}/{{rest:path}}": Asks(Act.STORE, Kind.PROJECT) for what in ("upload", "change")},
    "GET /device": SIGNED_IN,
    "POST /device": ACCOUNT,
    "GET /jobs/{job_id}": _SEE,
    "GET /jobs/{job_id}/outputs/{path:path}": _SEE,
    "POST /jobs/{job_id}/cancel": _SUBMIT,
    "POST /jobs/{job_id}/commit": _SUBMIT,
    "POST /jobs/cancel": SIGNED_IN,
    "POST /submit": _SUBMIT,
    "POST /connect": ACCOUNT,
    "POST /energy/year": SIGNED_IN,
    "POST /twin": SIGNED_IN,
    "POST /twin/cancel": SIGNED_IN,
    **{f"{way} /account{rest}": ACCOUNT for way in ("GET", "POST") for rest in ("", "/tokens", "/sessions")},
    "GET /account/notices": ACCOUNT,
    "POST /account/notices": ACCOUNT,
    "GET /account/security": SIGNED_IN,
    **{f"POST /account/security/{what}": ACCOUNT for what in ("password", "join", "part", "second", "passkey")},
    "POST /account/security/join": ACCOUNT,
    "POST /account/security/part": ACCOUNT,
    "POST /account/erase": ACCOUNT,
    "POST /account/email": ACCOUNT,
    "GET /groups": SIGNED_IN,
    "POST /groups": _LEADS,
    "GET /groups/{group_id}": _ORGANISATION,
    "POST /groups/{group_id}": _LEADS,
    "POST /account/tokens/end": ACCOUNT,
    "POST /projects": Asks(Act.FOUND),
    "GET /projects/{project_id}": _SEE,
    "POST /projects/{project_id}": _MANAGE,
    "GET /organisations/{organisation_id}": _ORGANISATION,
    "POST /organisations/{organisation_id}": _LEADS,
    "GET /projects/{project_id}/bill": _SEE_BILL,
    "POST /projects/{project_id}/bill": Asks(Act.SPEND, Kind.PROJECT),
    "GET /operate/grants": Asks(Act.SEE_PEOPLE),
    "POST /operate/grants": Asks(Act.GRANT),
    **{f"GET /projects/{{project_id}}/{what}": _SEE_BILL for what in ("transfers", "top-ups", "months", "carbon")},
    **{f"POST /projects/{{project_id}}/{what}": _SPEND for what in ("transfers", "top-ups")},
    "GET /organisations/{organisation_id}/months": Asks(Act.SEE_BILL, Kind.ORGANISATION),
    **{f"{way} /operate/{what}": _GRANT for way in ("GET", "POST") for what in ("money", "bank", "payouts")},
    "GET /account/pay": ACCOUNT,
    "POST /account/pay": ACCOUNT,
    "GET /operate/prices": Asks(Act.SEE_PEOPLE),
    "POST /operate/prices": Asks(Act.PRICE),
    "GET /operate": _OPERATE,
    "GET /set-up": _OPERATE,
    "POST /set-up": _OPERATE,
    "GET /operate/people": Asks(Act.SEE_PEOPLE),
    "POST /operate/people": _OPERATE,
    "GET /operate/audit": _AUDIT,
    "GET /operate/duties": Asks(Act.SEE_PEOPLE),
}  # fmt: skip
ROUTES: Final[Mapping[str, Asks]] = {**API, **PAGES}

_STORE: Final = Asks(Act.STORE, Kind.PROJECT)
_HUB: Final = "/hub/api/{kinds}/{project}/{name}"
_HUB_JOBS: Final = "/hub/api/jobs/{project}"
_HUB_BUCKET: Final = "/hub/api/buckets/{project}/{name}"
_HUB_PAGES: Final = ("", "/commit/{commit_id}", "/tree/{rest:path}")
# The hub door, at private repositories; those that are opened to others are seen by others too.
HUB: Final[Mapping[str, Asks]] = {
    "GET /hub/api/whoami-v2": SIGNED_IN,
    "POST /hub/api/validate-yaml": OPEN,
    "POST /hub/api/repos/create": _STORE,
    "DELETE /hub/api/repos/delete": _MANAGE,
    "POST /hub/api/repos/move": _MANAGE,
    "GET /hub/api/{kinds}": OPEN,
    "GET /hub/api/settings/repositories": SIGNED_IN,
    "GET /hub/api/organizations/{project}/settings/repositories": _SEE,
    "GET /hub/api/jobs/hardware": OPEN,
    **{  # these lead to pages, which ask
        f"GET /hub{path}": OPEN
        for path in (
            "/jobs/{project}/{job_id}",
            "/buckets/{project}/{name}",
            *(f"{kind}/{{project}}/{{name}}{rest}" for kind in ("/datasets", "") for rest in _HUB_PAGES),
        )
    },
    f"GET {_HUB_JOBS}": _SEE,
    f"POST {_HUB_JOBS}": _SUBMIT,
    f"GET {_HUB_JOBS}/{{job_id}}": _SEE,
    f"GET {_HUB_JOBS}/{{job_id}}/logs": _SEE,
    f"POST {_HUB_JOBS}/{{job_id}}/cancel": _SUBMIT,
    f"GET {_HUB_BUCKET}": _SEE,
    **{f"POST {_HUB_BUCKET}{rest}": _STORE for rest in ("", "/batch")},
    f"GET {_HUB_BUCKET}/xet-write-token": _STORE,
    **{
        f"GET {_HUB}{rest}": _SEE
        for rest in ("", "/revision/{rest:path}", "/refs", "/commits/{rest:path}", "/tree/{rest:path}", "/auth-check")
    },
    "GET /hub/api/datasets/{project}/{name}/croissant": _SEE,
    f"POST {_HUB}/paths-info/{{rest:path}}": _SEE,
    f"GET {_HUB}/auth-check/write": _STORE,
    f"GET {_HUB}/xet-write-token/{{rest:path}}": _STORE,
    f"GET {_HUB}/xet-read-token/{{rest:path}}": _SEE,
    **{f"{way} {_HUB}/{what}/{{rest:path}}": _STORE for way in ("POST", "DELETE") for what in ("branch", "tag")},
    **{f"POST {_HUB}/{what}/{{rest:path}}": _STORE for what in ("preupload", "commit")},
    f"PUT {_HUB}/settings": _MANAGE,
    f"POST {_HUB}/super-squash/{{rest:path}}": _MANAGE,
    f"POST {_HUB}/user-access-request/handle": _MANAGE,
    f"POST {_HUB}/user-access-request/grant": _MANAGE,
    f"GET {_HUB}/user-access-request/{{state}}": _MANAGE,
    **{
        f"{way} /hub{prefix}/{{project}}/{{name}}/resolve/{{rest:path}}": _SEE
        for prefix in ("/datasets", "")
        for way in ("GET", "HEAD")
    },
    **{f"POST /hub{prefix}/{{project}}/{{name}}/ask-access": _SEE for prefix in ("/datasets", "")},
    **{f"POST /hub{prefix}/{{project}}/{{name}}.git/info/lfs/objects/batch": _STORE for prefix in ("/datasets", "")},
}
# Their addresses or tokens were signed by the park for one project and a while: with them everybody, else nobody.
HUB_SIGNED: Final = (
    "PUT /hub/lfs/{token}", "POST /hub/lfs/{token}", "GET /hub/xet/v1/chunks/{prefix}/{digest}",
    "POST /hub/xet/v1/xorbs/{prefix}/{digest}", "POST /hub/xet/v1/shards", "GET /hub/xet/v1/reconstructions/{digest}",
    "GET /hub/xet/v2/reconstructions/{digest}", "GET /hub/xet/packs/{token}",
)  # fmt: skip

OWN, OTHER = "own", "other"
_PROJECTS: Final = {name: Project(name, name, False, 0.0, organisation_id=f"of-{name}") for name in (OWN, OTHER)}
_PLACES: Final = {name: Organisation(f"of-{name}", name, "university", 0.0) for name in (OWN, OTHER)}
# Columns: who they are, and the role that they hold, `own` being the project or the organisation.
ROLES: Final[Mapping[str, tuple[Held, ...]]] = {
    "signed in": (),
    **{
        str(role): (Held(role, f"project:{OWN}"),)
        for role in (Role.LEARNER, Role.ANNOTATOR, Role.TEACHER, Role.REVIEWER, Role.MEMBER, Role.LEAD)
    },
    "organisation's member": (Held(Role.MEMBER, f"organisation:of-{OWN}"),),
    "organisation's lead": (Held(Role.LEAD, f"organisation:of-{OWN}"),),
    "operator": (Held(Role.OPERATOR, AT_PARK),),
    "auditor": (Held(Role.AUDITOR, AT_PARK),),
    "operator's token to read": (Held(Role.OPERATOR, AT_PARK),),
}
VISITOR: Final = "visitor"
COLUMNS: Final = (VISITOR, *ROLES)
_READER: Final = "operator's token to read"


def is_expected(asks: Asks, column: str, whose: str) -> bool:
    """Whether the table of roles lets a column through a route, at its own object or at another's."""
    who = _principal(column)
    if asks.is_open:
        return True
    if who is None:
        return False
    if asks.own is not None and whose == OWN:
        return asks.own is Act.SEE or may(asks.own, who, None).is_allowed
    return asks.act is None or may(asks.act, who, _thing(asks.of, whose)).is_allowed


def _principal(column: str) -> Principal | None:
    if column == VISITOR:
        return None
    held = ROLES[column]
    is_reader = column == _READER
    is_operator = any(item.role is Role.OPERATOR for item in held) and not is_reader
    kept = () if is_reader else held  # a token that is not for operating makes no operator
    return Principal(column, column, is_operator, frozenset(), kept, acts=READING if is_reader else None)


def _thing(kind: Kind, whose: str) -> Thing:
    if kind is Kind.PROJECT:
        return _PROJECTS[whose]
    return _PLACES[whose] if kind is Kind.ORGANISATION else None


def told(asks: Asks) -> str:
    """What a route asks, in words."""
    if asks.is_open:
        return "everybody"
    if asks.act is None:
        return "signed in"
    text = f"`{asks.act}` of the {asks.of}" if asks.act is not Act.ACCOUNT else "`account`"
    return f"{text}, or oneself" if asks.own is not None else text


_INTRODUCTION: Final = """# Who gets through which route

This page is made from the park itself by `python docs/reference/make.py`: from the table of roles and acts, and from
what each route asks. The test `tests/contract/test_route_matrix.py` calls every route of a running park as everybody
named here, at what is theirs and at what is another's, and fails where an answer differs, where a route answers 5xx,
and where a route is missing.

`yes`: at their own and at others' (where a route has no owner: simply yes); `own`: at what is theirs alone; `-`: never.
Projects here are private; what is in a public one is seen by everybody. Roles stand in the project named `own`, those
of an organisation in the one that has it. What is not to be seen is answered as what is not there.
"""


_HUB_INTRODUCTION: Final = """## The hub door

At private repositories, tried by `tests/contract/test_hub_roles.py`. Those that are opened to an organisation or to
everybody are seen by these too.
"""
_HUB_SIGNED_TOLD: Final = """These take no token of a person: their addresses, or a token of an hour, were signed by the
park for one project after it had asked for `store` there, and it asks again whenever they are used.
"""


def route_matrix_markdown() -> str:
    """The matrix as a page."""
    head = f"| route | asks for | {' | '.join(COLUMNS)} |"
    line = "| --- " * (len(COLUMNS) + 2) + "|"
    door = [_HUB_INTRODUCTION, head, line, *_rows(HUB), "", _HUB_SIGNED_TOLD, *(f"- `{one}`" for one in HUB_SIGNED)]
    return "\n".join([_INTRODUCTION, head, line, *_rows(ROUTES), "", *door, ""])


def _rows(routes: Mapping[str, Asks]) -> Iterator[str]:
    for route, asks in routes.items():
        cells = [_cell(asks, column) for column in COLUMNS]
        yield f"| `{route}` | {told(asks)} | {' | '.join(cells)} |"


def _cell(asks: Asks, column: str) -> str:
    own, other = is_expected(asks, column, OWN), is_expected(asks, column, OTHER)
    return "yes" if own and other else "own" if own else "-"
