"""All tables of data: importing this makes them known."""

from eureka_park.data.objects.store import blobs
from eureka_park.data.repositories.store import repositories
from eureka_park.data.store import metadata

assert blobs.metadata is metadata and repositories.metadata is metadata
__all__ = ["metadata"]
