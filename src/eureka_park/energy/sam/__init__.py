"""NREL's SAM as an optional reference: the same plants and weather in PySAM. Needs the extra `sam`."""
