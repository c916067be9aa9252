"""What the OpenAPI document says of answers: every field of a struct is there, as it is served."""

from typing import Any

import msgspec
from litestar.openapi.spec import OpenAPIType, Schema
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition
from msgspec import NODEFAULT, UNSET, Struct


class AnswerSchemas(OpenAPISchemaPlugin):
    """A default of a field does not make it optional: it is left out only where its struct omits
    defaults. A generic struct stands in its place, since its name would be that of its module."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of(Struct)

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: Any) -> Schema:
        hints = field_definition.get_type_hints(include_extras=True, resolve_generics=True)
        kind: Any = field_definition.origin or field_definition.annotation
        may_omit = kind.__struct_config__.omit_defaults
        properties: dict[str, FieldDefinition] = {}
        required = []
        for field in msgspec.structs.fields(kind):
            name = field.encode_name
            properties[name] = FieldDefinition.from_annotation(
                annotation=hints[field.name], name=name
            )
            is_optional = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
            if field.default is not UNSET and not (may_omit and is_optional):
                required.append(name)
        if not field_definition.origin:
            schema: Schema = schema_creator.create_component_schema(
                field_definition, required=required, property_fields=properties
            )
            return schema
        return Schema(
            type=OpenAPIType.OBJECT,
            required=required,
            properties={
                name: schema_creator.for_field_definition(one) for name, one in properties.items()
            },
        )
