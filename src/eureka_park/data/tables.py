"""All tables of data: importing this makes them known."""

from eureka_park.data.cards.store import cards
from eureka_park.data.keeping.store import lasting_rules
from eureka_park.data.keys.store import project_keys
from eureka_park.data.lineage.store import lineage_makings
from eureka_park.data.objects.store import blobs
from eureka_park.data.repositories.store import repositories
from eureka_park.data.store import metadata
from eureka_park.data.upkeep.store import damaged_contents

for table in (blobs, cards, damaged_contents, lasting_rules, lineage_makings, project_keys, repositories):
    assert table.metadata is metadata
__all__ = ["metadata"]
