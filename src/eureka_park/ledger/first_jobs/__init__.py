"""How long people wait for their first job."""
