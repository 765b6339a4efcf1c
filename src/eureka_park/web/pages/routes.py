"""The pages' routes, and errors as pages."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from eureka_park.bootstrap import Park
from eureka_park.web.assets import STATIC, Static
from eureka_park.web.pages import (
    connect,
    device,
    energy,
    energy_ahead,
    energy_year,
    glossary_page,
    invitations,
    job,
    job_data,
    jobs,
    messages,
    overview,
    security,
    sign_in,
    sign_in_with,
    sign_up,
    site,
    style,
    submit,
    twin,
    verdict,
    wall,
    welcome,
)  # fmt: skip


def add_pages(app: FastAPI, _park: Park) -> None:
    """Put the pages and their files into the application."""
    for path, endpoint in (
        ("/", overview.overview),
        ("/jobs", jobs.job_list),
        ("/jobs/{job_id}", job.job_page),
        ("/jobs/{job_id}/outputs/{path:path}", job.output_page),
        ("/site", site.site_page),
        ("/energy", energy.energy_page),
        ("/energy/power", energy.power_series),
        ("/energy/year", energy_year.year_page),
        ("/energy/ahead", energy_ahead.ahead_page),
        ("/twin", twin.twin_page),
        ("/style", style.style_page),
        ("/wall", wall.wall),
        ("/submit", submit.submit_page),
        ("/connect", connect.connect_page),
        ("/verdict", verdict.verdict_page),
        ("/welcome", welcome.welcome_page),
        ("/glossary", glossary_page.glossary_page),
        ("/offline", messages.offline),
        ("/sw.js", messages.service_worker),
    ):
        _add(app, path, endpoint)
    _add(app, "/submit", submit.submit_job, ("POST",))
    _add(app, "/submit/quote", submit.submit_quote, ("POST",))
    _add(app, "/connect", connect.connect_code, ("POST",))
    _add(app, "/energy/year", energy_year.ask_for_year, ("POST",))
    _add(app, "/twin", twin.ask_for_run, ("POST",))
    _add(app, "/twin/example", twin.ask_for_example, ("POST",))
    _add(app, "/twin/cancel", twin.cancel_run, ("POST",))
    _add(app, "/jobs/cancel", jobs.cancel_many, ("POST",))
    app.add_api_route("/jobs/{job_id}/cancel", job.cancel_job, methods=["POST"], include_in_schema=False)
    app.add_api_route("/jobs/{job_id}/commit", job_data.commit_outputs, methods=["POST"], include_in_schema=False)
    _add_entrance(app)
    app.mount("/static", Static(directory=STATIC), name="static")


def _add(app: FastAPI, path: str, endpoint: Any, methods: tuple[str, ...] = ("GET",)) -> None:
    app.add_api_route(path, endpoint, methods=list(methods), include_in_schema=False, response_class=HTMLResponse)


def _add_entrance(app: FastAPI) -> None:
    """The pages through which one comes in."""
    for path, endpoint in (
        ("/sign-in", sign_in.sign_in_page),
        ("/sign-in/code", sign_in.code_page),
        ("/sign-in/letter", sign_in.letter_page),
        ("/sign-in/invitation", invitations.invitation_page),
        ("/sign-in/address", invitations.address_page),
        ("/sign-in/with/{provider}", sign_in_with.go_there),
        ("/sign-in/with/{provider}/back", sign_in_with.come_back),
        ("/sign-up", sign_up.sign_up_page),
        ("/recover", sign_up.recover_page),
        ("/account/security", security.security_page),
        ("/device", device.device_page),
    ):
        _add(app, path, endpoint)
    for path, action in (
        ("/sign-in", sign_in.sign_in_password),
        ("/sign-in/code", sign_in.sign_in_code),
        ("/sign-in/link", sign_in.send_link),
        ("/sign-in/letter", sign_in.open_letter),
        ("/sign-in/invitation", invitations.accept_invitation),
        ("/sign-in/address", invitations.confirm_address),
        ("/sign-out", sign_in.sign_out),
        ("/sign-up", sign_up.sign_up),
        ("/recover", sign_up.recover),
        ("/account/security/password", security.change_password),
        ("/device", device.decide_device),
        ("/account/security/join", sign_in_with.join),
        ("/account/security/part", security.part),
        ("/account/security/passkey", security.drop_passkey),
        ("/account/security/second", security.second_step),
    ):
        _add(app, path, action, ("POST",))
