"""All tables of data: importing this makes them known."""

from eureka_park.data.cards.store import cards
from eureka_park.data.files.keys.store import access_keys
from eureka_park.data.files.store import file_versions
from eureka_park.data.files.uploads.store import file_uploads
from eureka_park.data.keeping.store import lasting_rules
from eureka_park.data.keys.store import project_keys
from eureka_park.data.lineage.store import lineage_makings
from eureka_park.data.objects.store import blobs
from eureka_park.data.repositories.store import repositories
from eureka_park.data.store import metadata
from eureka_park.data.upkeep.store import damaged_contents

_KNOWN = (
    access_keys, blobs, cards, damaged_contents, file_uploads, file_versions, lasting_rules, lineage_makings,
    project_keys, repositories,
)  # fmt: skip
assert all(table.metadata is metadata for table in _KNOWN)
__all__ = ["metadata"]
