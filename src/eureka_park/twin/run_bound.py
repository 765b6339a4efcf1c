"""The clairvoyant bound of a run that was played. Where it cannot be worked out, the run's own figures stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from eureka_park.foundation.errors import ParkError
from eureka_park.twin.core.bound_work import FIGURES
from eureka_park.twin.core.opening import class_rows, site_gpu_types

if TYPE_CHECKING:
    from eureka_park.control.policy import Policy
    from eureka_park.twin.core.played import Played
    from eureka_park.twin.run import World
    from eureka_park.twin.run_streamed import Streamed

BOUND_STOPPED: Final = "It was stopped."  # what `bound_failed` says where somebody would not wait for it
WHY_CHARS: Final = 200


def no_bound(failed: str | None = None) -> dict[str, Any]:
    """The figures of a bound that was not asked for, or that failed for a reason."""
    return {**dict.fromkeys(FIGURES), "bound_failed": failed}


def bound_or_why(
    world: World, played: Played, policy: Policy, cfe_frac: float | None, streamed: Streamed | None
) -> dict[str, Any]:
    """What a clairvoyant could have done with the same work (see `core.bound`), or why that is not known.

    An hour of play is not lost for a solver that fails, or for somebody who will not wait for it.
    """
    try:
        return {**no_bound(), **_bound(world, played, policy, cfe_frac, streamed)}
    except KeyboardInterrupt:
        return no_bound(BOUND_STOPPED)
    except MemoryError:
        return no_bound("There was not enough memory.")
    except Exception as error:
        return no_bound(why_of(error))


def why_of(error: Exception) -> str:
    """What went wrong, in a line that ends with a full stop."""
    if isinstance(error, ParkError):
        return error.message
    words = " ".join(("", *str(error).split()))[:WHY_CHARS]
    return f"{type(error).__name__}{words and ':'}{words}".rstrip(".") + "."


def _bound(
    world: World, played: Played, policy: Policy, cfe_frac: float | None, streamed: Streamed | None
) -> dict[str, float | None]:
    from eureka_park.twin.core.bound import bound_figures
    from eureka_park.twin.core.bound_work import served_of

    classes, types = class_rows(world.site), site_gpu_types(world.site)
    if streamed is not None:
        served = streamed.served(classes, world.failures)
    else:
        served = served_of(world.work, played, classes, types, world.failures, tick_s=policy.tick_s)
    return bound_figures(served, world.sky, policy.cap_curve if policy.can_cap else (), cfe_frac)
