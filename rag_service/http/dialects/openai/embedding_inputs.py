"""What is to be embedded: a string, token ids, or a list of either."""

from typing import Any

from rag_service.fields import read_string, takes
from rag_service.http.dialects.openai.vocabulary import text_of

MOST = 2048
_TOKENS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}


@takes(
    anyOf=[
        {"type": "string", "minLength": 1},
        {
            "type": "array",
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "maxItems": MOST,
        },
        _TOKENS,
        {"type": "array", "items": _TOKENS, "minItems": 1, "maxItems": MOST},
    ]
)
def read_inputs(value: Any) -> list[str]:
    """A list of whole numbers is one input."""
    if isinstance(value, list) and value and all(_is_token(one) for one in value):
        return [_text(value, "")]
    inputs = value if isinstance(value, list) else [value]
    if not inputs:
        raise ValueError("must not be empty")
    if len(inputs) > MOST:
        raise ValueError(f"must have at most {MOST} inputs")
    return [_text(one, f"[{place}] ") for place, one in enumerate(inputs)]


def _text(value: Any, place: str) -> str:
    if isinstance(value, str):
        if not value:
            raise ValueError(f"{place}must not be an empty string")
        return read_string(value)
    if not isinstance(value, list) or not value or not all(_is_token(one) for one in value):
        raise ValueError(f"{place}must be a string or a list of token ids")
    try:
        return text_of(value)
    except ValueError as error:
        raise ValueError(f"{place}{error}") from error


def _is_token(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
