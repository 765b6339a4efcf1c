"""Variables of jobs that only the park can read, and only while it starts the job that they were given to."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Final

from eureka_park.accounts.sealing import Cipher
from eureka_park.adapters.home import Home
from eureka_park.adapters.home_key import key_of
from eureka_park.compute.core.job import JobSpec
from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.ids import JobId, array_of

_PURPOSE: Final = b"secrets of jobs"


class JobSecrets:
    """Seals under the key in a park's home; what was sealed for one job and variable opens for no other."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def sealed(self, job_id: JobId, spec: JobSpec) -> JobSpec:
        """A declaration as it is kept; `job_id` of the job, or of the whole array. Raises BadInput without a key."""
        if not spec.secrets:
            return spec
        cipher = self._cipher()
        pairs = ((name, cipher.seal(value.encode(), f"{job_id} {name}")) for name, value in spec.secrets)
        return replace(spec, secrets=tuple(pairs))

    def unseal(self, job_id: JobId, name: str, sealed: str) -> str:
        """A value as it was given. Raises Unavailable for what was sealed with another key, BadInput without one."""
        try:
            return self._cipher().unseal(sealed, f"{array_of(job_id) or job_id} {name}").decode()
        except ValueError:
            fix = "Send the job again, or bring back the key with which it was sent."
            raise Unavailable(f"The secret {name} is sealed with another key.", fix=fix, code="key_missing") from None

    def _cipher(self) -> Cipher:
        return Cipher(key_of(self._home), _PURPOSE, os.urandom)
