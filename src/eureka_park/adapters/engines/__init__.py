"""Engines: what runs admitted jobs. Each is one folder; all speak the types of `foundation.wire.engine`."""
