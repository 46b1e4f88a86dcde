"""Blocks of the config as typed models, each beside the code that it configures."""

import difflib
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fleeting import registry


def nearest(word: object, known: Iterable[str]) -> str:
    """The end of an error message: which known name a wrong one resembles, or nothing."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (do you mean {near[0]!r}?)" if near else ""


class Settings(BaseModel):
    """A block of the config: its keys, their types and their defaults. Unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _explain_unknown_keys(cls, block: Any) -> Any:
        """Add a remedy to each unknown key: pydantic then names it in its error."""
        if not isinstance(block, dict):
            return block
        known = [field.alias or name for name, field in cls.model_fields.items()]
        return {
            key
            if key in known
            else f"unknown key {key!r}{nearest(key, known)}; known: {', '.join(known)}": value
            for key, value in block.items()
        }


class Variant(Settings):
    """The block of a variant: `kind` names its module, the other keys are the module's own."""

    kind: str


class OneOf:
    """Marks a field whose block is checked by the variant that it names.

    Write `protocol: Annotated[SerializeAsAny[Variant], OneOf("protocol")]`. A name alone stands for
    a block of defaults: `sgd` is `{kind: sgd}`. Only the named variant's module is imported.
    """

    def __init__(self, kind: str, key: str = "kind") -> None:
        """Take the kind (a key of `registry.FOLDERS`) and the key that holds a variant's name."""
        self.kind, self.key = kind, key

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate with the settings of the named variant."""
        return core_schema.no_info_before_validator_function(self._validate, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the settings of every variant, for editors."""
        variants = []
        for name in registry.names(self.kind):
            model = registry.load(self.kind, name).Settings
            own = handler.resolve_ref_schema(handler(model.__pydantic_core_schema__))
            own["properties"] = {**own["properties"], self.key: {"const": name}}
            # What a block leaves out may be inherited, or be the name that the block has.
            own["required"] = [key for key in own.get("required", []) if key != self.key]
            variants.append({**own, "title": f"{self.kind} {name}"})
        return {"anyOf": [{"enum": registry.names(self.kind)}, *variants]}

    def _validate(self, value: Any) -> Any:
        if isinstance(value, Settings):
            return value
        block = {self.key: value} if isinstance(value, str) else value
        known = registry.names(self.kind)
        if not isinstance(block, dict) or self.key not in block:
            raise PydanticCustomError(
                "variant",
                "name the {kind} under `{key}`; known: {known}",
                {"kind": self.kind, "key": self.key, "known": ", ".join(known)},
            )
        name = block[self.key]
        if name not in known:
            raise PydanticCustomError(
                "variant",
                "no {kind} is called {name}{hint}; known: {known}",
                {
                    "kind": self.kind,
                    "name": repr(name),
                    "hint": nearest(name, known),
                    "known": ", ".join(known),
                },
            )
        return registry.load(self.kind, name).Settings.model_validate(block)


def variant(kind: str, block: dict[str, Any]) -> tuple[ModuleType, Any]:
    """The module that a block of the config names under `kind`, and the block as its settings."""
    module = registry.load(kind, block["kind"])
    return module, module.Settings.model_validate(block)
