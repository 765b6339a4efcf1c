"""What cards say that a version was made from: `base_model` and `datasets` of a README.md become lineage."""

from __future__ import annotations

import logging

from eureka_park.accounts.service import Principal
from eureka_park.data.cards.service import CardsService
from eureka_park.data.core.repository import Commit, Repository
from eureka_park.data.lineage.service import Declared, LineageService, Relation
from eureka_park.foundation.errors import ParkError

_log = logging.getLogger("eureka_park.data")


def declare_card(
    lineage: LineageService, cards: CardsService, who: Principal, repository: Repository, version: Commit
) -> None:
    """Keep what the card of a new version declares, as its committer may know of it. Raises nothing: a version stands
    whatever its card says.
    """
    try:
        card = cards.card(repository, version)
        declared = [
            *(Declared(Relation.BASE_MODEL, name, "model") for name in card.base_models),
            *(Declared(Relation.DATASET, name) for name in card.datasets),
        ]
        if declared:
            lineage.declare(who, repository, version, declared)
    except (ParkError, OSError) as error:
        _log.warning("what the card of %s declares is not kept: %s", repository.repository_id, error)
