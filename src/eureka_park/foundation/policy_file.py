"""A policy file: `[policy]` and `[[shares]]` as in a site file, laid over the site's own. What it leaves out stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.policy_tables import Policy, PolicyTables, Share
from eureka_park.foundation.site_file import (
    Site,
    SiteProblem,
    allowed_text,
    checked_policy,
    checked_site,
    sections,
    site_to_json,
)
from eureka_park.foundation.site_reading import near_name, parsed_toml, told_problem
from eureka_park.foundation.toml_places import place_text

_FIX: Final = (
    "Correct the line, then check the file with: park policy check FILE. Every field is in "
    "docs/reference/site-file.md#policy."
)
_CODE: Final = "bad_policy_file"
_BYTES_MAX: Final = 4 * 1024 * 1024
_PARTS: Final = tuple(PolicyTables.model_fields)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """What a file says: the policy's fields by name, and all shares, or None where it names none."""

    policy: Mapping[str, Any]
    shares: tuple[Share, ...] | None

    def over(self, site: Site, called: str = "The policy") -> Site:
        """The site under this policy. Raises BadInput where the two do not go together."""
        data = site_to_json(site)
        data["policy"] |= self.policy
        if self.shares is not None:
            data["shares"] = [share.model_dump(mode="json") for share in self.shares]
        found = checked_site(data)
        if isinstance(found, Site):
            return found
        first = found[0]
        raise BadInput(
            f"{called} does not go with site '{site.name}': {place_text(first.place)} {first.message}.",
            fix=_FIX, code=_CODE, field=place_text(first.place),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """One thing that is wrong in a policy file: the field, and a line for people."""

    field: str
    message: str


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A field that differs between two policies; None where a share is not listed."""

    field: str
    now: Any
    then: Any


def policy_file_text(path: Path) -> str:
    """The text of a policy file. Raises NotFound, or BadInput for what is no such text."""
    try:
        if path.stat().st_size > _BYTES_MAX:
            told = f"{path.name} is no policy file: it has more than {_BYTES_MAX // 2**20} MiB."
            raise BadInput(told, fix=_FIX, code=_CODE)
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{path.name} is not UTF-8 text.", fix="Save it as UTF-8.", code=_CODE) from None
    except OSError:
        raise NotFound(
            f"There is no policy file '{path}'.", fix="Write one to start from: park policy show > mine.toml",
            code="no_such_policy",
        ) from None  # fmt: skip


def read_policy(text: str, called: str) -> PolicyFile:
    """The policy that a text describes; `called` names it in messages. Raises BadInput with line, field and range of
    the first problem, and how many more there are.
    """
    found = _read(text, called)
    if isinstance(found, PolicyFile):
        return found
    more = f" ({len(found) - 1} more: park policy check)" if len(found) > 1 else ""
    raise BadInput(found[0].message + more, fix=_FIX, code=_CODE, field=found[0].field)


def policy_problems(text: str, called: str) -> tuple[PolicyProblem, ...]:
    """All that is wrong with a text, one line each. Raises BadInput for what is no TOML at all."""
    found = _read(text, called)
    return () if isinstance(found, PolicyFile) else found


def policy_text(site: Site) -> str:
    """The policy and shares of a site as a policy file, each field with its meaning; `read_policy` reads it back."""
    shares = [] if site.shares else ["shares = []  # none: every project has weight 1 and no floor", ""]
    lines = [f"# Policy of {site.name}. What is taken out of this file stays as it is at the site.", "", *shares]
    lines.append("[policy]")
    for name, field in Policy.model_fields.items():
        allowed = allowed_text(field)
        lines += [f"# {field.description}{f' ({allowed})' if allowed else ''}"]
        lines += [f"{name} = {_toml(getattr(site.policy, name))}"]
    for share in site.shares:
        lines += ["", "[[shares]]", *(f"{name} = {_toml(value)}" for name, value in share)]
    return "\n".join(lines) + "\n"


def policy_changes(now: Site, then: Site) -> tuple[PolicyChange, ...]:
    """The fields in which two sites' policies and shares differ, in the order of the file."""
    before, after = ({f"policy.{name}": value for name, value in site.policy} for site in (now, then))
    was, will = (dict(_share_fields(site.shares)) for site in (now, then))
    pairs = [(name, before[name], after[name]) for name in before]
    pairs += [(name, was.get(name), will.get(name)) for name in {**was, **will}]
    return tuple(PolicyChange(name, old, new) for name, old, new in pairs if old != new)


def _share_fields(shares: tuple[Share, ...]) -> Iterator[tuple[str, float]]:
    for share in shares:
        yield f"shares[{share.path}].weight", share.weight
        yield f"shares[{share.path}].floor_frac", share.floor_frac


def _read(text: str, called: str) -> PolicyFile | tuple[PolicyProblem, ...]:
    data = parsed_toml(text, called, _FIX, _CODE)
    found = checked_policy(data)
    if isinstance(found, PolicyTables):
        given = found.policy.model_dump(mode="json", include=found.policy.model_fields_set)
        return PolicyFile(given, found.shares if "shares" in found.model_fields_set else None)
    return tuple(_told(problem, text, called, data) for problem in found)


def _told(problem: SiteProblem, text: str, called: str, data: Mapping[str, Any]) -> PolicyProblem:
    """A problem in the words of a policy file: a field that is none comes with where it belongs or the nearest one."""
    message, name = problem.message, str(problem.place[-1])
    hint = ""
    if message.startswith("is not a field"):
        is_top = len(problem.place) == 1
        known = {header.strip("[]"): list(model.model_fields) for header, _, model in sections()}
        if is_top and name in known["policy"]:
            message = "belongs under [policy]"
        elif is_top and (name in known or name in known[""]):
            message = "is no part of a policy file, which has [policy] and [[shares]]"
        else:
            message = "is not a field of the policy file"
            names = [*_PARTS, *known["policy"]] if is_top else known[str(problem.place[0])]
            hint = near_name(problem, names)
    told = told_problem(SiteProblem(problem.place, message, problem.allowed), text, called, data) + hint
    return PolicyProblem(place_text(problem.place), told if told.endswith("?") else f"{told}.")


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(int(value) if value == int(value) else value)
