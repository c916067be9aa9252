"""Short replies to what a front end asks for itself, out of the text alone. Pure."""

import re

import msgspec

from rag_service.conversations.task_prompts import Task
from rag_service.texts.stems import informative, stems

_TITLE_WORDS = 6
_TITLE_CHARACTERS = 60
_SUMMARY_WORDS = 60
_TAGS = 3
_NOBODY = "New conversation"
_EMOJI = "\N{SPEECH BALLOON}"
_EDGES = " \t\r\n\"'`*#.,;:!?\u3002\uff0c\uff01\uff1f\u201c\u201d\u300c\u300d"


def short_reply(task: Task) -> str:
    """In the form that was asked for."""
    values = _values(task)
    if task.key is None:
        return "\n".join(values)
    value: str | list[str] = values if task.form == "list" else " ".join(values)
    return msgspec.json.encode({task.key: value}).decode()


def _values(task: Task) -> list[str]:
    asked = [one.text for one in task.said if one.role == "user" and one.text.strip()]
    first = asked[0] if asked else ""
    match task.kind:
        case "title":
            return [_title(first)]
        case "tags":
            return _tags(" ".join(asked)) or ["General"]
        case "queries":
            return [" ".join(asked[-1].split())] if asked else []
        case "emoji":
            return [_EMOJI]
        case "summary":
            return [" ".join(" ".join(asked).split()[:_SUMMARY_WORDS]) or _NOBODY]
        case _:  # what would have to be invented
            return []


def _title(text: str) -> str:
    line = next((line for line in text.splitlines() if line.strip(_EDGES)), _NOBODY)
    title = " ".join(line.strip(_EDGES).split()[:_TITLE_WORDS])[:_TITLE_CHARACTERS].strip(_EDGES)
    return title[:1].upper() + title[1:]


def _tags(text: str) -> list[str]:
    """The first of its words that tell something."""
    words = dict.fromkeys(word.lower() for word in re.findall(r"[^\W\d_]{3,}", text))
    telling = [word for word in words if list(informative(stems(word)))]
    return [word.capitalize() for word in telling[:_TAGS]]
