"""Secrets of jobs: sealed when the job is sent, opened for that job alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.adapters.engines.local.sealed import opened
from eureka_park.adapters.home import Home
from eureka_park.adapters.job_secrets import JobSecrets
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.foundation.ids import JobId

SECRET = "correct horse battery"


def test_a_secret_reaches_its_own_job_and_is_shown_to_nobody(tmp_path: Path) -> None:
    live = LivePark(tmp_path, sky="observed")
    job_id = live.submit(env={"PLAIN": "1"}, secrets={"KEY": SECRET}, labels={"team": "dunes"})
    live.step(times=3)
    order = next(order for order in live.engine.orders if order.job_id == job_id)
    assert SECRET not in str(order.to_json()) and dict(order.env) == {"PLAIN": "1"}
    assert opened(order, str(live.folder)).env == {"PLAIN": "1", "KEY": SECRET}
    shown = live.view(job_id)
    assert (shown["secrets"], shown["labels"]) == (["KEY"], {"team": "dunes"})
    assert SECRET not in str([shown, *live.park.compute.jobs_of_person(live.owner.person_id)])
    array_id = live.submit(secrets={"KEY": SECRET}, array=2)
    live.step(times=3)
    task = next(order for order in live.engine.orders if order.job_id.startswith(f"{array_id}["))
    assert opened(task, str(live.folder)).env["KEY"] == SECRET
    secrets, sealed = JobSecrets(Home(live.folder)), dict(order.secrets)["KEY"]
    for job, name in (("job-aaaaaaaaaaaaaaaa", "KEY"), (job_id, "OTHER")):
        with pytest.raises(Unavailable, match="another key"):
            secrets.unseal(JobId(job), name, sealed)
    (live.folder / "keys" / "secret.key").unlink()
    with pytest.raises(BadInput, match="key"):
        opened(order, str(live.folder))
    with pytest.raises(BadInput, match="key"):
        live.submit(secrets={"KEY": SECRET})
    live.park.close()


@pytest.mark.parametrize(
    "request_",
    [{"secrets": {"PARK_X": "a"}}, {"secrets": ["a"]}, {"labels": {"a": "b" * 101}}, {"labels": {"a\n": "b"}}],
)
def test_odd_secrets_and_labels_are_refused(tmp_path: Path, request_: dict[str, object]) -> None:
    live = LivePark(tmp_path, sky="observed")
    with pytest.raises(BadInput) as caught:
        live.submit(**request_)  # type: ignore[arg-type]
    assert caught.value.field in request_
    live.park.close()
