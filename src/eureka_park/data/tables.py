"""All tables of data: importing this makes them known."""

from eureka_park.data.keeping.store import lasting_rules
from eureka_park.data.objects.store import blobs
from eureka_park.data.repositories.store import repositories
from eureka_park.data.store import metadata
from eureka_park.data.upkeep.store import damaged_contents

for table in (blobs, damaged_contents, lasting_rules, repositories):
    assert table.metadata is metadata
__all__ = ["metadata"]
