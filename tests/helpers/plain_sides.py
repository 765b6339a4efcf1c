"""The two sides of the comparison: the plain policy, and the kernels on a board."""

from __future__ import annotations

from collections.abc import Sequence

from eureka_park.compute.core import board as b
from eureka_park.compute.core import moves
from eureka_park.compute.core.board_setup import ClassRow, claim_slot, new_board
from eureka_park.compute.core.rooms import set_up
from eureka_park.control import codes
from eureka_park.control.turn import turn
from tests.helpers.plain_ladder import Action
from tests.helpers.plain_park import PlainInterval, PlainJob, PlainPark, PlainRules, PlainShare, plain_park, q
from tests.helpers.plain_policy import plain_turn
from tests.helpers.plain_world import JobRow, NodeChange, Scene

NAMES = {
    codes.START: "start", codes.CAP: "cap", codes.PAUSE: "pause", codes.FREEZE: "freeze", codes.THAW: "thaw",
    codes.END: "end", codes.DEFER: "defer", codes.RESIZE: "resize",
}  # fmt: skip
SKIES = {"green": b.SKY_GREEN, "binding": b.SKY_BINDING, "observed": b.SKY_OBSERVED}


class PlainSide:
    """The plain policy."""

    def __init__(self, scene: Scene) -> None:
        shares = [PlainShare(*row) for row in scene.shares]
        self.park: PlainPark = plain_park(scene.rules, scene.classes, shares, scene.nodes_per_rack, scene.racks_per_pod)
        self.jobs: dict[int, PlainJob] = {}

    def submit(self, order: int, row: JobRow) -> None:
        """A job comes."""
        job = PlainJob(
            order=order, leaf=row.leaf, tier=row.tier, job_class=row.job_class, n_nodes=row.n_nodes,
            n_nodes_min=row.n_nodes_min, gpus=row.gpus, gpu_milli=row.gpu_milli, mcpu=row.mcpu,
            mem_mib=row.mem_mib, classes=list(row.classes),
            time_s=row.time_s, deadline_s=row.deadline_s, priority=row.priority, checkpoint=row.checkpoint,
            is_first=row.is_first, declared_kw=row.declared_kw, power_frac=row.power_frac, submitted_s=row.submit_s,
        )  # fmt: skip
        self.jobs[order] = job
        self.park.submit(job)

    def happens(self, what: str, order: int, now_s: float) -> None:
        """A job has started, paused, ended, or is requeued."""
        getattr(self.park, what)(self.jobs[order], now_s)

    def change(self, change: NodeChange) -> None:
        """A node changes."""
        node = self.park.nodes[change.node]
        node.up = node.up if change.up is None else change.up
        node.window = node.window if change.window is None else change.window

    def turn(self, plan: Sequence[PlainInterval], now_s: float) -> list[Action]:
        """Decide."""
        self.park.plan = list(plan)
        return plain_turn(self.park, now_s)


class KernelSide:
    """The kernels, on a board of their own."""

    def __init__(self, scene: Scene, n_slots: int = 256, explain: bool = False) -> None:
        rows = [
            ClassRow(
                row.n_nodes, row.mcpu, row.mem_mib, row.n_gpus, row.gpu_type, row.rated_kw, row.idle_kw, row.gpu_kw_max,
                row.sleep_kw, scene.nodes_per_rack, scene.racks_per_pod,
            )
            for row in scene.classes
        ]  # fmt: skip
        self.board = new_board(rows, scene.shares, n_slots, scene.rules.half_life_s)
        write_rules(self.board, scene.rules, explain)
        self.slots: dict[int, int] = {}

    def submit(self, order: int, row: JobRow) -> None:
        """A job comes."""
        slot = claim_slot(self.board)
        if slot == b.NONE:
            self.board = b.grown(self.board, 2 * self.board.jobs.shape[0])
            slot = claim_slot(self.board)
        jobs = self.board.jobs
        assert jobs.order[slot] == order
        self.slots[order] = slot
        for name in (
            "leaf", "tier", "job_class", "n_nodes", "n_nodes_min", "gpus", "gpu_milli", "mcpu", "mem_mib", "time_s",
            "deadline_s", "priority", "checkpoint", "is_first", "declared_kw", "power_frac", "submit_s",
        ):  # fmt: skip
            jobs[slot]["submitted_s" if name == "submit_s" else name] = getattr(row, name)
        jobs.classes[slot] = sum(1 << klass for klass in row.classes)
        jobs.gang[slot] = row.n_nodes > 1
        moves.submitted(self.board, slot, False)

    def happens(self, what: str, order: int, now_s: float) -> None:
        """A job has started, paused, ended, or is requeued."""
        slot = self.slots[order]
        getattr(moves, what)(self.board, slot, now_s)
        if what == "ended":
            del self.slots[order]

    def change(self, change: NodeChange) -> None:
        """A node changes."""
        if change.up is not None:
            set_up(self.board, change.node, change.up)
        if change.window is not None:
            nodes = self.board.nodes
            from_s, to_s, owner = change.window
            nodes.window_from_s[change.node], nodes.window_to_s[change.node] = from_s, to_s
            nodes.window_owner[change.node] = owner

    def turn(self, plan: Sequence[PlainInterval], now_s: float) -> list[Action]:
        """Decide."""
        write_plan(self.board, plan)
        turn(self.board, now_s)
        return [self.action(row) for row in self.board.actions[: self.board.g.n_actions[0]]]

    def nodes_of(self, slot: int) -> tuple[int, ...]:
        """The nodes that a job holds, in order."""
        node, found = int(self.board.jobs.node[slot]), []
        while node != b.NONE:
            found.append(node)
            node = int(self.board.nodes.gang_next[node]) if self.board.jobs.gang[slot] else b.NONE
        return tuple(found)

    def action(self, row: b.Array) -> Action:
        """A row of actions, in words."""
        what, order = NAMES[int(row.code)], int(row.order)
        slot = self.slots[order]
        assert slot == row.slot
        if what == "start":
            nodes = self.nodes_of(slot)
            assert row.node == nodes[0]
            assert row.n_nodes == len(nodes)
            mask = 0 if self.board.jobs.gang[slot] else int(row.gpu_mask)
            return Action(what, order, nodes=nodes, gpu_mask=mask, cap_frac=float(row.b))
        if what == "resize":
            return Action(what, order, nodes=self.nodes_of(slot))
        if what == "defer":
            return Action(what, order, until_s=float(row.a), target_s=float(row.b))
        return Action(what, order, cap_frac=float(row.a) if what == "cap" else 0.0)


def write_rules(board: b.Board, rules: PlainRules, explain: bool) -> None:
    """The policy's numbers, as the board holds them."""
    g = board.g
    for name in (
        "min_run_s", "lead_s", "pause_gap_s", "wait_gain_frac", "margin_frac", "can_cap", "can_freeze", "can_resize",
        "n_considered_max", "lookahead", "scan", "reserve_depth", "patient_s", "reclaim_after_s",
        "reclaim_gap_s",
    ):  # fmt: skip
        g[name][0] = getattr(rules, name)
    g.sky[0], g.service_reserve_kw[0] = SKIES[rules.sky], q(rules.service_reserve_kw)
    g.explain[0], g.refresh_s[0], g.n_caps[0] = explain, 60.0, len(rules.caps)
    for at, row in enumerate(rules.caps):
        board.caps.cap_frac[at], board.caps.power_frac[at], board.caps.speed_frac[at] = row


def write_plan(board: b.Board, plan: Sequence[PlainInterval]) -> None:
    """The plan, as the board holds it."""
    for at, item in enumerate(plan):
        record = board.sky[at]
        record.start_s, record.end_s, record.clean_kw = item.start_s, item.end_s, item.clean_kw
        record.p10_kw, record.grid_kw, record.n_steps = item.p10_kw, item.grid_kw, len(item.steps)
        for step, (up_to_kw, price) in enumerate(item.steps):
            board.step_kw[at, step], board.step_price[at, step] = up_to_kw, price
    board.g.n_sky[0] = len(plan)
