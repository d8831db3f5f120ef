"""Schemas of models with what their fields mean."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from phases.meanings import meaning


class Described(GenerateJsonSchema):
    """Pydantic's generator, which takes the descriptions from the docstrings below the fields."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """Return a model's schema."""
        made = super().model_schema(schema)
        for name, field in schema["cls"].model_fields.items():
            said = meaning(schema["cls"], name, field)
            if said is not None:
                made["properties"][field.alias or name]["description"] = said
        return made
