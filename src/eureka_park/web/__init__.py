"""Web: routes, pages and streams. No rules live here; every answer comes from a service."""
