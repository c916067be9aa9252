"""Questions to evaluate a search with, a JSON object a line."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from rag_service.errors import Invalid


class Question(Struct, frozen=True, kw_only=True):
    """`relevant` has the grade of each URL that answers it; without any it has no answer."""

    id: str
    text: str
    relevant: dict[str, float]


def read_questions(lines: Iterable[bytes]) -> list[Question]:
    """JSON objects, a line each: `question` and `source_urls`, which is one URL, a list of them, or
    an object of grades; `id` and `answerable` are optional. Raises Invalid with the line's number.
    """
    questions: dict[str, Question] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = _question(line.removeprefix(b"\xef\xbb\xbf"), number)
        except ValueError as error:
            raise Invalid(f"line {number}: {error}") from error
        if question.id in questions:
            raise Invalid(f"line {number}: the id {question.id!r} is there twice")
        questions[question.id] = question
    if not questions:
        raise Invalid("there are no questions: give a JSON object a line")
    return list(questions.values())


def _question(line: bytes, number: int) -> Question:
    """Raises ValueError."""
    try:
        given = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is not JSON in UTF-8: {error}") from error
    if not isinstance(given, dict):
        raise ValueError("it is not a JSON object")
    text = _first(given, "question", "query", "text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`question` has to be a text that is not blank")
    relevant = _grades(_first(given, "source_urls", "urls", "relevant", "source_url"))
    answerable = given.get("answerable")
    if not isinstance(answerable, bool | None):
        raise ValueError("`answerable` has to be true or false")
    if answerable is False:
        relevant = {}
    return Question(id=_id(given.get("id"), number), text=text, relevant=relevant)


def _id(value: Any, number: int) -> str:
    if value is None:
        return str(number)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError("`id` has to be a text or a whole number")
    return str(value)


def _first(given: dict[str, Any], *names: str) -> Any:
    return next((given[name] for name in names if given.get(name) is not None), None)


def _grades(value: Any) -> dict[str, float]:
    if value is None:
        return {}
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list) and all(isinstance(url, str) for url in value):
        value = dict.fromkeys(value, 1)
    if not isinstance(value, dict):
        raise ValueError("`source_urls` has to be a URL, a list of URLs, or an object of grades")
    for url, grade in value.items():
        if not url.strip():
            raise ValueError("a URL in `source_urls` is blank")
        if isinstance(grade, bool) or not isinstance(grade, int | float) or grade < 0:
            raise ValueError(f"the grade of {url} has to be a number that is not negative")
    return {url.strip(): float(grade) for url, grade in value.items() if grade > 0}
