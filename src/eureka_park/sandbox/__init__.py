"""Sandbox: levels of isolation, what this machine can do of them, and the launch of one command
inside. Imports foundation only."""
