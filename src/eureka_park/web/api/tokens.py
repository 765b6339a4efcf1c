"""One's own tokens and sessions: listed, made, ended."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from eureka_park.accounts.core.roles import DEFAULT_SCOPES
from eureka_park.accounts.secrets.store import Session, Token
from eureka_park.accounts.service import Act, Wanted
from eureka_park.foundation.units import iso_from_s, parse_duration_s
from eureka_park.web import account_schemas, schemas
from eureka_park.web.auth import COOKIE, Someone, ThePark

router = APIRouter(tags=["account"], responses=schemas.ERRORS)
TokenId = Annotated[str, Path(max_length=80, description="The token's id")]
SessionId = Annotated[str, Path(max_length=80, description="The session's id")]


@router.get("/tokens", response_model=account_schemas.TokenPage, operation_id="list_tokens")
def list_tokens(park: ThePark, who: Someone, of: str = "") -> dict[str, Any]:
    """One's own tokens, or (`of`) those of a machine that one answers for; without their secrets."""
    return {"items": [token_view(token) for token in park.accounts.tokens_of(who, of)], "next": None}


@router.post("/tokens", status_code=201, response_model=account_schemas.TokenMade, operation_id="make_token")
def make_token(park: ThePark, who: Someone, body: account_schemas.TokenRequest, response: Response) -> dict[str, Any]:
    """Make a token. It is shown this once; the park keeps its hash."""
    scopes = None if body.scopes and "all" in body.scopes else tuple(body.scopes or DEFAULT_SCOPES)
    ttl_s = parse_duration_s(body.expires) if body.expires else None
    wanted = Wanted(scopes, body.project or "", body.of or "", ttl_s)
    secret, token = park.accounts.make_token(who, body.name, wanted)
    response.headers["Cache-Control"] = "no-store"
    return {**token_view(token), "token": secret}


@router.delete("/tokens/{token_id}", status_code=204, operation_id="end_token")
def end_token(park: ThePark, who: Someone, token_id: TokenId) -> None:
    """End a token of one's own, of a machine that one answers for, or, for operators, anybody's."""
    park.accounts.require_park(Act.ACCOUNT, who)
    park.accounts.end_token_id(who, token_id)


@router.get("/sessions", response_model=account_schemas.SessionPage, operation_id="list_sessions")
def list_sessions(request: Request, park: ThePark, who: Someone) -> dict[str, Any]:
    """The browsers in which one is signed in."""
    park.accounts.require_park(Act.ACCOUNT, who)
    here = park.accounts.sessions.id_of(request.cookies.get(COOKIE, ""))
    items = park.accounts.sessions.of(who.person_id)
    return {"items": [session_view(item, here) for item in items], "next": None}


@router.delete("/sessions/{session_id}", status_code=204, operation_id="end_session")
def end_session(park: ThePark, who: Someone, session_id: SessionId) -> None:
    """Sign a browser out."""
    park.accounts.require_park(Act.ACCOUNT, who)
    park.accounts.sessions.end(who, session_id)


@router.delete("/sessions", response_model=account_schemas.Ended, operation_id="end_sessions")
def end_sessions(request: Request, park: ThePark, who: Someone) -> dict[str, int]:
    """Sign all browsers out but the one that asks."""
    park.accounts.require_park(Act.ACCOUNT, who)
    here = park.accounts.sessions.id_of(request.cookies.get(COOKIE, ""))
    with park.db.write() as conn:
        return {"n_ended": park.accounts.sessions.end_all(conn, who.person_id, but=here)}


def token_view(token: Token) -> dict[str, Any]:
    """A token as the API shows one."""
    return {
        "token_id": token.token_id,
        "name": token.label,
        "scopes": ["all"] if token.scopes is None else list(token.scopes),
        "project": token.project_id or None,
        "created_at": iso_from_s(token.created_at_s),
        "expires_at": None if token.expires_at_s is None else iso_from_s(token.expires_at_s),
        "last_used_at": None if token.last_used_at_s is None else iso_from_s(token.last_used_at_s),
    }


def session_view(session: Session, here: str) -> dict[str, Any]:
    """A session as the API shows one."""
    return {
        "session_id": session.session_id,
        "method": session.method,
        "client": session.client,
        "address": session.address,
        "created_at": iso_from_s(session.created_at_s),
        "seen_at": iso_from_s(session.seen_at_s),
        "expires_at": iso_from_s(session.expires_at_s),
        "is_this": session.session_id == here,
    }
