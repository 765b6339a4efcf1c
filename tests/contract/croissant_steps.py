"""Croissant's own library loads a version from a served park; prints what it found. Usage: URL"""

from __future__ import annotations

import json
import sys

import mlcroissant

loaded = mlcroissant.Dataset(sys.argv[1])
issues = loaded.metadata.ctx.issues
found = {}
for one in loaded.metadata.record_sets:
    rows = [list(row.values()) for row in loaded.records(one.uuid)]
    found[one.name] = [[cell.decode() if isinstance(cell, bytes) else cell for cell in row] for row in rows]
told = loaded.metadata.to_json()
kept = {
    name: told.get(name) for name in ("version", "license", "inLanguage", "rai:dataBiases", "description", "citeAs")
}
print(json.dumps({"told": kept, "issues": [*issues.errors, *issues.warnings], "records": found}, default=str))
