"""Which versions and branches of a repository a rule lets go. Pure: rows in, names out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from eureka_park.data.core.repository import MAIN
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S

BRANCH_PREFIX: Final = "tmp/"
VERSIONS_MAX: Final = 1_000_000
DAYS_MAX: Final = 36_600.0
LOOSE_S: Final = DAY_S  # how long a version stays at least that no branch or tag leads to
REASON_CHARS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class LastingRule:
    """What of a repository's history stays. None: all of it.

    Of each branch stay its newest `n_versions` and what is younger than `history_s` seconds, whichever reaches further
    back; what a branch or a tag names stays anyhow. Branches that begin with `branch_prefix` go once nobody has
    committed to them for `branches_s` seconds.
    """

    n_versions: int | None = None
    history_s: float | None = None
    branches_s: float | None = None
    branch_prefix: str = BRANCH_PREFIX

    @property
    def is_empty(self) -> bool:
        """Whether everything stays."""
        return self.n_versions is None and self.history_s is None and self.branches_s is None


class Line(NamedTuple):
    """A version as rules see it."""

    commit_id: str
    parent_id: str
    made_at_s: float


class Ref(NamedTuple):
    """A branch or a tag: which version it names, and since when."""

    is_branch: bool
    name: str
    commit_id: str
    set_at_s: float


def check_rule(rule: LastingRule) -> None:
    """Raise BadInput for what is no rule."""
    if rule.n_versions is not None and not 1 <= rule.n_versions <= VERSIONS_MAX:
        raise BadInput(
            f"{rule.n_versions} versions cannot be kept.", fix=f"Keep 1 to {VERSIONS_MAX:,}.", field="n_versions"
        )
    for field, value_s in (("history_days", rule.history_s), ("branch_days", rule.branches_s)):
        if value_s is not None and not DAY_S <= value_s <= DAYS_MAX * DAY_S:
            raise BadInput(
                f"{value_s / DAY_S:g} days is no time to keep something for.",
                fix=f"Say 1 to {DAYS_MAX:.0f} days.",
                field=field,
            )
    if rule.branches_s is not None and not rule.branch_prefix:
        raise BadInput("A rule for branches names how they begin.", fix="Say tmp/, for example.", field="branch_prefix")


def ended_branches(rule: LastingRule, refs: Sequence[Ref], now_s: float) -> list[Ref]:
    """Branches that a rule lets go."""
    if rule.branches_s is None:
        return []
    before_s = now_s - rule.branches_s
    return [
        ref
        for ref in refs
        if ref.is_branch and ref.name != MAIN and ref.name.startswith(rule.branch_prefix) and ref.set_at_s < before_s
    ]


def ended_versions(rule: LastingRule, lines: Mapping[str, Line], refs: Sequence[Ref], now_s: float) -> list[Line]:
    """Versions that a rule lets go, the oldest first. `refs`: those that stay."""
    if rule.n_versions is None and rule.history_s is None:
        return []
    stay = {ref.commit_id for ref in refs}
    reached = set(stay)
    for ref in refs:
        for index, line in enumerate(_back_from(lines, ref.commit_id)):
            reached.add(line.commit_id)
            if ref.is_branch and _stays(rule, index, line, now_s):
                stay.add(line.commit_id)
    loose_s = max(LOOSE_S, rule.history_s or 0.0)
    gone = [line for line in lines.values() if _goes(line, stay, reached, now_s - loose_s)]
    return sorted(gone, key=lambda line: (line.made_at_s, line.commit_id))


def _stays(rule: LastingRule, index: int, line: Line, now_s: float) -> bool:
    is_among = rule.n_versions is not None and index < rule.n_versions
    return is_among or (rule.history_s is not None and line.made_at_s >= now_s - rule.history_s)


def _goes(line: Line, stay: Collection[str], reached: Collection[str], before_s: float) -> bool:
    if line.commit_id in stay:
        return False
    return line.commit_id in reached or line.made_at_s < before_s


def _back_from(lines: Mapping[str, Line], commit_id: str) -> Iterator[Line]:
    here = lines.get(commit_id)
    while here is not None:
        yield here
        here = lines.get(here.parent_id) if here.parent_id else None
