"""How long versions stay: rules of repositories, legal holds, and what a project may keep."""
