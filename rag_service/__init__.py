"""A local-first knowledge service: push documents, find them, lose nothing."""

__version__ = "0.1.0"
