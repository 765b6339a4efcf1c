"""The one exception tree of the park.

ParkError
├── BadInput         422  what was sent cannot be used; `field` names the place
│   └── TooLarge     413
├── Unauthorised     401  nobody is signed in, or the token is wrong
├── Forbidden        403  signed in, but not allowed
├── NotFound         404
├── Conflict         409  it clashes with what is already there
├── CannotShow       415  what is there cannot be shown in this form
├── RateLimited      429
├── Unavailable      503  it may work later
└── Internal         500  a defect of the park

Every error has a stable `code`, one `message` for a person and one `fix` that says what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class ParkError(Exception):
    """Base of all errors of the park: a code for programs, a message and a fix for people."""

    http_status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, fix: str = "", code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.code = code or self.default_code
        self.field = field

    def to_json(self, request_id: str = "") -> dict[str, dict[str, str]]:
        """The one JSON form of an error, as every route of the park's own API answers it."""
        body = {"code": self.code, "message": self.message, "fix": self.fix, "request_id": request_id}
        if self.field:
            body["field"] = self.field
        return {"error": body}

    def line(self) -> str:
        """One line for a terminal: what is wrong, then what to do."""
        return f"{self.message} {self.fix}".strip()


class BadInput(ParkError):
    """What was sent cannot be used."""

    http_status = 422
    default_code = "bad_input"


class TooLarge(BadInput):
    """What was sent is larger than the limit, which the message names."""

    http_status = 413
    default_code = "too_large"


class Unauthorised(ParkError):
    """Nobody is signed in, or the token is wrong."""

    http_status = 401
    default_code = "unauthorised"


class Forbidden(ParkError):
    """Signed in, but not allowed."""

    http_status = 403
    default_code = "forbidden"


class NotFound(ParkError):
    """There is no such thing, or the asker may not know of it."""

    http_status = 404
    default_code = "not_found"


class Conflict(ParkError):
    """The request clashes with what is already there."""

    http_status = 409
    default_code = "conflict"


class CannotShow(ParkError):
    """What is there cannot be shown in the form that was asked for."""

    http_status = 415
    default_code = "cannot_show"


class RateLimited(ParkError):
    """Too many requests from one place; after `retry_after_s` seconds there is room for one more."""

    http_status = 429
    default_code = "rate_limited"
    retry_after_s: float = 1.0


class Unavailable(ParkError):
    """It cannot be done now; it may work later: after `retry_after_s` seconds, where that is known."""

    http_status = 503
    default_code = "unavailable"
    retry_after_s: float | None = None


class Internal(ParkError):
    """A defect of the park itself."""


__all__ = [
    "BadInput",
    "CannotShow",
    "Conflict",
    "Forbidden",
    "Internal",
    "NotFound",
    "ParkError",
    "RateLimited",
    "TooLarge",
    "Unauthorised",
    "Unavailable",
]
