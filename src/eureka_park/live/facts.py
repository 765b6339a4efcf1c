"""What the loop tells of its board for people to see."""

from __future__ import annotations

from eureka_park.compute.board_facts import BoardFacts, Window
from eureka_park.compute.core.share_facts import project_facts
from eureka_park.compute.core.state import ParkState


def facts_of(state: ParkState, now_s: float) -> BoardFacts:
    """Shares with figures, nodes that are not up, windows that are not over, gangs and their nodes."""
    windows = (window for window in state.windows.values() if window.to_s > now_s)
    return BoardFacts(
        shares={} if state.board is None else project_facts(state.board, state.project_rows()),
        nodes={name: {"state": closed.state, "why": closed.why} for name, closed in state.closed.items()},
        windows=tuple(
            Window(item.window_id, item.node_ids, item.from_s, item.to_s, item.project, item.why) for item in windows
        ),
        gangs={job.job_id: job.nodes for job in state.on_node.values() if job.nodes},
    )
