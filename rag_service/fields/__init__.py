"""A field from outside is declared once, and HTTP, batches, files, the command line and the OpenAPI
document read that one declaration.

`values` has a reader for each kind of value, `bodies` takes JSON apart, and `requests` makes a
struct of what was sent: each of its fields says in its annotation how it is read and what it is.
"""

from rag_service.fields.bodies import read_body, read_object
from rag_service.fields.requests import (
    Declared,
    Field,
    declared_fields,
    field_of,
    raise_faults,
    read_fields,
    request_schema,
    take_fields,
)
from rag_service.fields.values import (
    LONGEST_LABEL,
    UNPRINTABLE,
    Reader,
    flag,
    integer,
    is_left_out,
    label,
    list_of,
    one_of,
    read_bot_id,
    read_content_type,
    read_label,
    read_metadata,
    read_moment,
    read_source_url,
    read_string,
    takes,
    text,
)

__all__ = [
    "LONGEST_LABEL",
    "UNPRINTABLE",
    "Declared",
    "Field",
    "Reader",
    "declared_fields",
    "field_of",
    "flag",
    "integer",
    "is_left_out",
    "label",
    "list_of",
    "one_of",
    "raise_faults",
    "read_body",
    "read_bot_id",
    "read_content_type",
    "read_fields",
    "read_label",
    "read_metadata",
    "read_moment",
    "read_object",
    "read_source_url",
    "read_string",
    "request_schema",
    "take_fields",
    "takes",
    "text",
]
