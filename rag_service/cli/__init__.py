"""The command line: the same service without HTTP. Results go to standard output."""

from rag_service.cli import (
    access,
    answers,
    contacts,
    documents,
    gaps,
    knowledge,
    serving,
    upkeep,
    webhooks,
    widget,
)
from rag_service.cli.group import cli

__all__ = [
    "access",
    "answers",
    "cli",
    "contacts",
    "documents",
    "gaps",
    "knowledge",
    "serving",
    "upkeep",
    "webhooks",
    "widget",
]
