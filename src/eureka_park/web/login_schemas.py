"""What ways into the park send and answer, for checking and for OpenAPI."""

from __future__ import annotations

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body


class LoginRequest(Body):
    """A one-time code to be turned into a token."""

    code: str = Field(max_length=200, description="The code; dashes, spaces and capitals do not matter")
    name: str = Field("park login", min_length=1, max_length=200, description="What the token is for, such as a laptop")


class DeviceRequest(Body):
    """A terminal that asks to be let in."""

    name: str = Field("park login", min_length=1, max_length=200, description="What the token is for, such as a laptop")
    scopes: list[str] | None = Field(None, max_length=10, description="What it is good for; all that one may without")


class DeviceTokenRequest(Body):
    """The secret of a terminal that waits."""

    device_code: str = Field(max_length=200)


class DeviceLogin(BaseModel):
    """A terminal that waits: what it keeps, what it shows, how often it may ask."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_at: str
    interval_s: float


class Person(BaseModel):
    """Somebody who is signed in."""

    person_id: str
    name: str
    is_operator: bool
    projects: list[str]


class Login(BaseModel):
    """A token, shown this once, and whose it is."""

    token: str
    person: Person
    expires: str | None = Field(description="When the token ends, if it is not given up before")


class LoginCode(BaseModel):
    """A code for `park login`, shown this once."""

    code: str
    expires_at: str
