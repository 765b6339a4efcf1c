"""Eureka Park: the software of a renewable-powered AI campus."""

__version__ = "0.3.0"
