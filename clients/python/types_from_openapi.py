"""Writes rag_service_client/types.py from the service's OpenAPI document:

    rag-service openapi | python types_from_openapi.py > rag_service_client/types.py

Answers are msgspec structs, arguments are TypedDicts. A word that an answer may have in future is a
`str`, so that a client outlives its service.
"""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

OTHER_MOUNTS = ("/wp-json/", "/api/", "/v1/")
LINES = {"pushBatch": "BatchResult", "goldenQuestions": "GoldenQuestion"}
"""What is made of a line of these streams."""
EVENTS = ("Sources", "Piece", "Done")
"""Of the stream of an answer, by their titles."""
FILTERED = ("Search", "Chat", "AskBot", "ChatStream", "ListPages", "DeletePages")
SIMPLE = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
}
HEAD = '''"""What is answered, and what methods take. types_from_openapi.py makes this file."""

from typing import Any, Literal, Required, TypedDict

from msgspec import Struct

Filter = dict[str, Any]
"""Conditions on the metadata of pages: `{"year": {"gte": 2024}}`."""


class Answer(Struct, frozen=True, kw_only=True):
    """Fields of a later service are left out."""


class CamelAnswer(Answer, frozen=True, kw_only=True, rename="camel"):
    """One of the chat dialect."""
'''


def written(document: Schema) -> str:
    """The text of the module."""
    operations = [
        operation
        for path, methods in document["paths"].items()
        if not path.startswith(OTHER_MOUNTS)
        for operation in methods.values()
    ]
    answers = _Answers(document["components"]["schemas"])
    for operation in operations:
        answers.add_operation(operation)
    arguments = filter(None, map(_arguments, operations))
    return "\n\n".join([HEAD, *answers.written.values(), *arguments])


class _Answers:
    """Structs, each after those that it names."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self.written: dict[str, str] = {}

    def add_operation(self, operation: Schema) -> None:
        for status, response in operation["responses"].items():
            if status < "300":
                for kind, media in response["content"].items():
                    self._add_body(operation["operationId"], kind, media["schema"])

    def _add_body(self, name: str, kind: str, schema: Schema) -> None:
        if kind == "application/json":
            self._type(_without_envelope(self._resolved(schema)) or schema)
        elif kind == "application/x-ndjson" and name in LINES:
            self._add(LINES[name], _merged(schema))
        elif kind == "text/event-stream":
            for one in schema.get("anyOf", []):
                if one["title"] in EVENTS:
                    self._add(one["title"], one)

    def _resolved(self, schema: Schema) -> Schema:
        return self._schemas[_name(schema)] if "$ref" in schema else schema

    def _add(self, name: str, schema: Schema) -> None:
        if name in self.written:
            return
        required = schema.get("required", [])
        fields = [
            self._field(key, one, key in required) for key, one in schema["properties"].items()
        ]
        is_camel = any(key != _snake(key) for key in schema["properties"])
        base = "CamelAnswer" if is_camel else "Answer"
        self.written[name] = "\n".join(
            [f"class {name}({base}, frozen=True, kw_only=True):", *_doc(schema), *fields, ""]
        )

    def _field(self, key: str, schema: Schema, is_required: bool) -> str:
        kind = self._type(schema)
        if is_required:
            return f"    {_snake(key)}: {kind}"
        return f"    {_snake(key)}: {kind if 'None' in kind else f'{kind} | None'} = None"

    def _type(self, schema: Schema) -> str:
        if "$ref" in schema:
            name = _name(schema)
            self._add(name, self._schemas[name])
            return name
        if either := schema.get("oneOf") or schema.get("anyOf"):
            kinds = " | ".join(self._type(one) for one in either).split(" | ")
            return " | ".join(sorted(dict.fromkeys(kinds), key="None".__eq__))
        if "properties" in schema:
            name = schema["title"]
            self._add(name, schema)
            return str(name)
        if "enum" in schema:
            words = {SIMPLE[_kind_of(one)] for one in schema["enum"]}
            return " | ".join(sorted(words, key=lambda word: (word == "None", word)))
        return self._plain(schema)

    def _plain(self, schema: Schema) -> str:
        match schema.get("type"):
            case "array":
                return f"list[{self._type(schema['items'])}]"
            case "object":
                of = schema.get("additionalProperties") or {}
                return f"dict[str, {self._type(of) if of else 'Any'}]"
            case str(kind):
                return SIMPLE[kind]
        return "Any"


def _without_envelope(schema: Schema) -> Schema | None:
    properties = schema.get("properties", {})
    data: Schema | None = properties.get("data")
    return data if properties.keys() & {"success", "status"} else None


def _merged(schema: Schema) -> Schema:
    """One struct of several: a field is optional where one of them has it not."""
    kinds = schema.get("anyOf", [schema])
    properties: Schema = {}
    for kind in kinds:
        for key, one in kind["properties"].items():
            known = properties.get(key)
            properties[key] = one if known in (None, one) else {"anyOf": [known, one]}
    required = [key for key in properties if all(key in kind["required"] for kind in kinds)]
    return {"properties": properties, "required": required, "description": _told(kinds)}


def _told(kinds: list[Schema]) -> str:
    return kinds[0].get("description", "") if len(kinds) == 1 else "What came of a line."


# -- arguments ----------------------------------------------------------------------------------


def _arguments(operation: Schema) -> str:
    """Those of the query and of the JSON body; nothing where there are none."""
    given = {key: (one, is_required) for key, one, is_required in _declared(operation)}
    name = operation["operationId"][0].upper() + operation["operationId"][1:]
    lines = [
        f"    {_snake(key)}: {f'Required[{kind}]' if is_required else kind}"
        for key, (schema, is_required) in given.items()
        for kind in [_input(schema)]
    ]
    if name in FILTERED and "filter" not in given:
        lines.append("    filter: Filter")
    if name == "DeletePages" and "confirm" not in given:
        lines.append("    confirm: int")
    if not lines:
        return ""
    return "\n".join([f"class {name}Arguments(TypedDict, total=False):", *lines, ""])


def _declared(operation: Schema) -> Iterator[tuple[str, Schema, bool]]:
    for one in operation.get("parameters", []):
        if one["in"] == "query":
            yield one["name"], one["schema"], one["required"]
    body = operation.get("requestBody", {})
    media = body.get("content", {}).get("application/json")
    if media is not None:
        schema = media["schema"]
        required = schema.get("required", []) if body.get("required") else []
        for key, one in schema["properties"].items():
            yield key, one, key in required


def _input(schema: Schema) -> str:
    if either := schema.get("oneOf") or schema.get("anyOf"):
        return " | ".join(dict.fromkeys(_input(one) for one in either))
    if "enum" in schema:
        values = [repr(one) for one in schema["enum"] if one is not None]
        none = " | None" if None in schema["enum"] else ""
        return f"Literal[{', '.join(values)}]{none}".replace("'", '"')
    kinds = schema.get("type", [])
    names = [
        _container(kind, schema) or SIMPLE[kind]
        for kind in ([kinds] if isinstance(kinds, str) else kinds)
    ]
    return " | ".join(names) or "Any"


def _container(kind: str, schema: Schema) -> str | None:
    if kind == "array":
        return f"list[{_input(schema.get('items', {}))}]"
    return "dict[str, Any]" if kind == "object" else None


def _kind_of(value: Any) -> str:
    return {str: "string", bool: "boolean", int: "integer", type(None): "null"}[type(value)]


def _name(schema: Schema) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _doc(schema: Schema) -> list[str]:
    text = " ".join(str(schema.get("description", "")).split())
    return [f'    """{text}"""', ""] if text else []


if __name__ == "__main__":
    sys.stdout.write(written(json.load(sys.stdin)))
