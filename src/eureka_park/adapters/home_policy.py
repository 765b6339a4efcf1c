"""The policy of a home: the site's own, under the policy file that was put beside it."""

from __future__ import annotations

from typing import Final

from eureka_park.adapters.home import Home
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.policy_file import policy_changes, policy_text, read_policy
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import parse_site

POLICY: Final = "policy.toml"
_RUNNING: Final = "run/policy.toml"


def home_site(home: Home, machine: MachineFacts, *, is_default: bool = False) -> Site:
    """The site of a home with the sky it was made for, then under its policy file; `is_default` leaves that out.

    Raises NotFound where no park was made, BadInput for a site or policy file that cannot be used.
    """
    sky = home.facts().sky
    site = parse_site(home.read("site.toml") or "", str(home.folder / "site.toml"), machine)
    site = site.model_copy(update={"policy": site.policy.model_copy(update={"sky": sky})})
    text = None if is_default else home.read(POLICY)
    called = str(home.folder / POLICY)
    return site if text is None else read_policy(text, called).over(site, called)


def put_policy(home: Home, text: str) -> None:
    """Keep a policy file that was checked; it holds from the park's next start on. Raises Unavailable when the disk
    will not.
    """
    home.write(POLICY, text)


def drop_policy(home: Home) -> bool:
    """Take the policy file away: the site's own policy holds from the next start on. Whether there was one."""
    was_there = (home.folder / POLICY).exists()
    (home.folder / POLICY).unlink(missing_ok=True)
    return was_there


def note_running(home: Home, site: Site) -> None:
    """Leave the policy by which the park that starts decides where others find it."""
    home.write(_RUNNING, policy_text(site))


def is_behind(home: Home, site: Site) -> bool:
    """Whether the park that runs in a home, or ran there last, decides by another policy than this one."""
    text = home.read(_RUNNING)
    return text is not None and bool(policy_changes(read_policy(text, _RUNNING).over(site), site))
