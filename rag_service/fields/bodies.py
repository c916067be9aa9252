"""A JSON object from outside, as clients write it: with a byte order mark, with half an emoji."""

import codecs
import re
from typing import Any

import msgspec

from rag_service.errors import Invalid
from rag_service.fields.values import is_left_out

_HALF_ESCAPED = re.compile(
    rb"(?<!\\)((?:\\\\)*)"
    rb"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
"""An escaped surrogate of JSON; the second group is a pair, which is whole."""


def read_body(body: bytes | str) -> dict[str, Any]:
    """The fields of a JSON object, without those that are blank. Raises Invalid."""
    values = read_object(body)
    return {
        name: field for name, field in values.items() if field is None or not is_left_out(field)
    }


def read_object(body: bytes | str) -> dict[str, Any]:
    """A JSON object. A byte order mark before it is passed over. Raises Invalid."""
    data = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error
    if not isinstance(value, dict):
        raise Invalid("the body is not a JSON object")
    return value


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except msgspec.DecodeError:
        mended = _HALF_ESCAPED.sub(lambda found: found[1] + (found[2] or b"\\ufffd"), data)
        if mended == data:
            raise
        return msgspec.json.decode(mended)
