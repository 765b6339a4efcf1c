"""Use cases of machines: which there are and what is on them; drain one, resume it; close some, or keep them, for a
time.

Commands go to the inbox, as those of jobs do; the deciding process takes them within a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import may
from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.compute import store
from eureka_park.compute.board_facts import BoardFacts, Window
from eureka_park.compute.core.event import DRAINED
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id
from eureka_park.foundation.units import iso_from_s, parse_when_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

WHY_MAX: Final = 200
JOBS_MAX: Final = 50_000
_OF_NODES: Final = ("node_down", "node_up")
_OF_WINDOWS: Final = ("window_set", "window_cleared")
_KEYED: Final = "window_"  # what idempotency keys of commands about windows begin with
OnNodes = Callable[[Principal | None, int], Sequence[Mapping[str, Any]]]
_NOTED: Final[Mapping[str, str]] = {
    "node_down": "node.drained",
    "node_up": "node.resumed",
    "window_set": "window.set",
    "window_cleared": "window.cleared",
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A node as the site lays it out; `class_id` is its class."""

    node_id: str
    class_id: str
    n_gpus: int
    n_cpus: float
    memory_bytes: int


class NodesService:
    """Machines as operators use them. `on_nodes`: what takes up machines, as a person may see it."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        machines: Sequence[Machine],
        *,
        on_nodes: OnNodes,
        board_facts: Callable[[], BoardFacts],
        entropy: Callable[[int], bytes],
        wake: Callable[[], None],
    ) -> None:
        self._db, self._clock, self._accounts = db, clock, accounts
        self._machines = {machine.node_id: machine for machine in machines}
        self._on_nodes, self._board_facts, self._entropy, self._wake = on_nodes, board_facts, entropy, wake

    # -- looking ---------------------------------------------------------------------------------------------------
    def nodes(self, who: Principal | None) -> list[dict[str, Any]]:
        """Every machine: its class, what is free on it, its state, the jobs on it, the window it meets next.

        Names of jobs that somebody may not see are None; why a machine is closed is for operators, for whom it is kept
        for them and for the members of that project.
        """
        facts = self._facts()
        by_node: dict[str, list[Mapping[str, Any]]] = {}
        for job in self._on_nodes(who, JOBS_MAX):
            for name in job["nodes"]:
                by_node.setdefault(name, []).append(job)
        windows = self._next_windows(facts)
        return [
            self._view(machine, facts, by_node.get(name, []), windows.get(name), who)
            for name, machine in self._machines.items()
        ]

    def _view(
        self,
        machine: Machine,
        facts: BoardFacts,
        jobs: Sequence[Mapping[str, Any]],
        window: Window | None,
        who: Principal | None,
    ) -> dict[str, Any]:
        closed = facts.nodes.get(machine.node_id, {})
        return {
            "node_id": machine.node_id,
            "class": machine.class_id,
            "state": closed.get("state", "up"),
            "why": closed.get("why", "") if who is not None and who.is_operator else "",
            "gpus": machine.n_gpus,
            "free_gpus": max(0, machine.n_gpus - sum(job["gpus"] for job in jobs)),
            "cpus": machine.n_cpus,
            "free_cpus": max(0.0, machine.n_cpus - sum(job["cpus"] for job in jobs)),
            "jobs": [{name: job[name] for name in ("job_id", "name", "state", "tier")} for job in jobs],
            "window": None if window is None else self._window_view(window, who),
        }

    def windows(self, who: Principal | None) -> list[dict[str, Any]]:
        """The windows that are not over, the next first. Whose one is: for operators and that project's members."""
        return [self._window_view(window, who) for window in self._open_windows(self._facts())]

    @staticmethod
    def _window_view(window: Window, who: Principal | None) -> dict[str, Any]:
        is_told = who is not None and (who.is_operator or window.project in who.projects)
        return {
            "window_id": window.window_id,
            "nodes": list(window.node_ids),
            "from_at": iso_from_s(window.from_s),
            "to_at": iso_from_s(window.to_s),
            "is_reserved": bool(window.project),
            "project": (window.project or None) if is_told else None,
            "why": window.why if who is not None and who.is_operator else "",
        }

    def _open_windows(self, facts: BoardFacts) -> list[Window]:
        now_s = self._clock.park_s()
        return sorted(
            (window for window in facts.windows if window.to_s > now_s), key=lambda item: (item.from_s, item.window_id)
        )

    def _next_windows(self, facts: BoardFacts) -> dict[str, Window]:
        found: dict[str, Window] = {}
        for window in self._open_windows(facts):
            for name in window.node_ids:
                found.setdefault(name, window)
        return found

    def _facts(self) -> BoardFacts:
        """What the deciding process has told, with the commands that it has not taken or not told of yet."""
        with self._db.read() as conn:
            return self._facts_in(conn)

    def _facts_in(self, conn: Connection) -> BoardFacts:
        """The same within a transaction: in one that writes nobody else sets a window meanwhile."""
        open_commands = store.open_commands_of(conn, _OF_NODES)
        of_windows = store.commands_keyed(conn, _KEYED, _OF_WINDOWS)
        facts = self._board_facts()
        nodes, windows = dict(facts.nodes), {window.window_id: window for window in facts.windows}
        for command in open_commands:
            name, payload = command["job_id"], command["payload"]
            if command["kind"] == "node_down":
                nodes[name] = {"state": DRAINED, "why": payload["why"]}
            else:
                nodes.pop(name, None)
        for command in of_windows:  # those taken just now too: it is told a moment after it was taken
            if command["kind"] == "window_set":
                windows[command["job_id"]] = Window.from_json(command["payload"]["window"])
            else:
                windows.pop(command["job_id"], None)
        return BoardFacts(facts.shares, nodes, tuple(windows.values()), facts.gangs)

    # -- commands --------------------------------------------------------------------------------------------------
    def drain(self, who: Principal, node_id: str, why: str) -> dict[str, Any]:
        """Let a machine take no new job; what runs there goes on. Raises NotFound, Forbidden, BadInput."""
        self._check_operator(who)
        self._known([node_id])
        self._post(who, "node_down", node_id, {"why": _line(why)})
        return self._one(who, node_id)

    def resume(self, who: Principal, node_id: str) -> dict[str, Any]:
        """Let a machine take jobs again. Raises Conflict for one that does already."""
        self._check_operator(who)
        self._known([node_id])
        if node_id not in self._facts().nodes:
            raise Conflict(f"{node_id} takes jobs already.", fix="See: park nodes", code="node_is_up")
        self._post(who, "node_up", node_id, {})
        return self._one(who, node_id)

    def _one(self, who: Principal, node_id: str) -> dict[str, Any]:
        return next(item for item in self.nodes(who) if item["node_id"] == node_id)

    def close(
        self,
        who: Principal,
        *,
        nodes: Sequence[str] = (),
        n_nodes: int = 0,
        from_: str = "",
        to: str,
        project: str = "",
        why: str = "",
    ) -> dict[str, Any]:
        """Close machines for a time: for everybody (maintenance), or for all but one project (reservation).

        `nodes` by name, or `n_nodes` of one class that are free for it; `from_` (empty: now) and `to` are durations
        from now or instants of park time. Raises BadInput and, where a machine has a window then, Conflict naming it:
        of two that overlap and are asked for at once, one is refused.
        """
        self._check_operator(who)
        from_s, to_s = self._span(from_, to)
        if project and project not in {item.project_id for item in self._accounts.projects(who)}:
            fix = "Write its id as jobs name it with --project."
            raise BadInput(f"There is no project '{project}'.", fix=fix, field="project", code="no_such_project")
        if bool(nodes) == bool(n_nodes):
            raise BadInput("Name machines, or say how many.", fix="Give names, or --nodes N.", field="nodes")
        self._known(nodes)
        why, n_jobs = _line(why), self._n_jobs() if n_nodes else {}
        window_id = new_id("window", self._entropy(ENTROPY_BYTES))
        with self._db.write() as conn:  # looked and written at once: nobody else sets a window between
            facts = self._facts_in(conn)
            names = tuple(dict.fromkeys(nodes)) or self._choose(facts, n_nodes, n_jobs, from_s, to_s)
            window = Window(window_id, names, from_s, to_s, project, why)
            _check_free(window, self._open_windows(facts))
            self._post_in(conn, who, "window_set", window_id, {"window": window.to_json()})
        self._wake()
        return self._window_view(window, who)

    def _n_jobs(self) -> dict[str, int]:
        """How many jobs are on each machine."""
        n_jobs = dict.fromkeys(self._machines, 0)
        for job in self._on_nodes(None, JOBS_MAX):
            for name in job["nodes"]:
                n_jobs[name] = n_jobs.get(name, 0) + 1
        return n_jobs

    def open_again(self, who: Principal, window_id: str) -> dict[str, Any]:
        """Take a window back. Raises NotFound for one that is not there or over."""
        self._check_operator(who)
        window = next((item for item in self._open_windows(self._facts()) if item.window_id == window_id), None)
        if window is None:
            raise NotFound(f"There is no window {window_id}.", fix="See: park nodes windows", code="no_such_window")
        self._post(who, "window_cleared", window_id, {})
        return self._window_view(window, who)

    def _post(self, who: Principal, kind: str, name: str, payload: Mapping[str, Any]) -> None:
        with self._db.write() as conn:
            self._post_in(conn, who, kind, name, payload)
        self._wake()

    def _post_in(self, conn: Connection, who: Principal, kind: str, name: str, payload: Mapping[str, Any]) -> None:
        self._accounts.audit.note(conn, _NOTED[kind], who=who, thing=name)
        key = f"{kind}:{name}:{self._entropy(ENTROPY_BYTES).hex()}"
        store.post_command(conn, key, kind, name, payload, self._clock.real_s())

    # -- checks ----------------------------------------------------------------------------------------------------
    @staticmethod
    def _check_operator(who: Principal) -> None:
        answer = may(Act.OPERATE, who, None)
        if not answer.is_allowed:
            raise Forbidden(answer.why, fix="Ask an operator of the park.")

    def _known(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self._machines:
                raise NotFound(f"There is no machine '{name[:80]}'.", fix="List them: park nodes", code="no_such_node")

    def _span(self, from_: str, to: str) -> tuple[float, float]:
        now_s = self._clock.park_s()
        from_s = now_s if not from_ else parse_when_s(from_, now_s)
        to_s = parse_when_s(to, now_s)
        if from_s < now_s - 1.0:
            raise BadInput(f"{from_} lies in the past.", fix="Leave it out to begin now.", field="from")
        if to_s <= from_s:
            raise BadInput(f"{to} is not after the beginning.", fix="Name a later end.", field="to")
        return from_s, to_s

    def _choose(
        self, facts: BoardFacts, n_nodes: int, n_jobs: Mapping[str, int], from_s: float, to_s: float
    ) -> tuple[str, ...]:
        """So many machines of one class that are up and have no window then, those with the fewest jobs first."""
        if n_nodes < 0:
            raise BadInput(f"{n_nodes} machines cannot be kept.", fix="Name one or more.", field="n_nodes")
        asked = Window("", tuple(self._machines), from_s, to_s)
        taken = {name for window in facts.windows if window.overlaps(asked) for name in window.node_ids}
        by_class: dict[str, list[str]] = {}
        for name, machine in self._machines.items():
            if name not in taken and name not in facts.nodes:
                by_class.setdefault(machine.class_id, []).append(name)
        for names in by_class.values():
            if len(names) >= n_nodes:
                chosen = set(sorted(names, key=lambda name: n_jobs[name])[:n_nodes])
                return tuple(name for name in names if name in chosen)
        most = max(map(len, by_class.values()), default=0)
        raise BadInput(
            f"{n_nodes} machines of one class are not free for that time; the most that are: {most}.",
            fix="Keep fewer, or choose another time.",
            field="n_nodes",
            code="not_so_many",
        )


def _check_free(window: Window, others: Iterable[Window]) -> None:
    for other in others:
        if window.overlaps(other):
            name = next(name for name in window.node_ids if name in other.node_ids)
            what = f"kept for {other.project}" if other.project else "closed for maintenance"
            raise Conflict(
                f"{name} is {what} from {_instant(other.from_s)} to {_instant(other.to_s)} ({other.window_id}).",
                fix=f"Begin at {_instant(other.to_s)}, or take that one back: park nodes open {other.window_id}",
                code="window_overlaps",
            )


def _line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > WHY_MAX:
        raise BadInput(f"The reason has {len(line)} characters.", fix=f"Write at most {WHY_MAX}.", field="why")
    return line


def _instant(instant_s: float) -> str:
    return f"{(iso_from_s(instant_s) or '')[:16]}Z"
