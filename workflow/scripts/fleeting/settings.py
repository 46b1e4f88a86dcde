"""Blocks of the config as typed models, each beside the code that it configures."""

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fleeting import registry

#: The most bytes that Linux and macOS accept in a path of the config, and in each name in it.
LONGEST_PATH, LONGEST_NAME = 900, 255
_Path = TypeVar("_Path", str, Path)


def usable_path(path: _Path) -> _Path:
    """Refuse a path that no file can have, or that a job or the report would read differently.

    Snakemake replaces `{name}` and `<name>` in any path; the report reads < and > as markup.
    """
    text = str(path)
    # What cannot be printed is refused below.
    shell = re.match(r"~[A-Za-z0-9_.-]*(/|$)|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?(/|$)", text)
    if shell and text.isprintable():
        raise PydanticCustomError(
            "path",
            "{path}: write the whole path{meant}; only a shell replaces ~ and variables",
            {"path": repr(text), "meant": _meant(text)},
        )
    if (drive := re.match(r"([A-Za-z]):[\\/]", text)) and text.isprintable():
        rest = text[3:].replace("\\", "/").lstrip("/")
        raise PydanticCustomError(
            "path",
            "{path} is a path of Windows; under WSL2 it is {meant}",
            {"path": repr(text), "meant": f"/mnt/{drive[1].lower()}/{rest}"},
        )
    # Surrogates are not text: such a name can be neither passed on nor written into a table.
    if not text or re.search("[{}<>\x00-\x1f\x7f\ud800-\udfff]", text):
        raise PydanticCustomError(
            "path",
            "{path} is not a path without braces, < and >, line breaks and other control "
            "characters; rename the file or folder",
            {"path": repr(text)},
        )
    names = text.encode().split(b"/")
    if len(text.encode()) > LONGEST_PATH or max(map(len, names)) > LONGEST_NAME:
        raise PydanticCustomError("path", "the path is too long for a file system; shorten it")
    return path


def _meant(text: str) -> str:
    """What a shell would make of a path, for a message; empty where it makes nothing of it."""
    # Unlike that of pathlib it raises no error where a user has no home.
    meant = os.path.expandvars(os.path.expanduser(text))  # noqa: PTH111
    return "" if meant == text else f", which seems to be {meant}"


PathText = Annotated[str, AfterValidator(usable_path)]
Location = Annotated[Path, AfterValidator(usable_path)]


def suggestion(word: object, known: Iterable[str]) -> str:
    """The end of an error message that suggests the nearest known name; empty if none is near."""
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
            else f"unknown key {key!r}{suggestion(key, known)}; known: {', '.join(known)}": value
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
            raise _unknown(self.kind, name, known)
        return registry.load(self.kind, name).Settings.model_validate(block)


class OrName:
    """Marks a field that may hold a variant's name in place of a value of the field's type.

    Write `label_map: Annotated[dict[str, list[str]], OrName("label_map")]`.
    """

    def __init__(self, kind: str) -> None:
        """Take the kind (a key of `registry.FOLDERS`)."""
        self.kind = kind

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Validate a text as a name, and anything else as the field's type."""
        return core_schema.no_info_wrap_validator_function(
            self._validate, handler(source), serialization=core_schema.simple_ser_schema("any")
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the names and the type, for editors."""
        return {"anyOf": [{"enum": registry.names(self.kind)}, handler(schema)]}

    def _validate(self, value: Any, check: core_schema.ValidatorFunctionWrapHandler) -> Any:
        if not isinstance(value, str):
            return check(value)
        if value not in (known := registry.names(self.kind)):
            raise _unknown(self.kind, value, known)
        return value


def _unknown(kind: str, name: object, known: list[str]) -> PydanticCustomError:
    return PydanticCustomError(
        "variant",
        "no {kind} is called {name}{hint}; known: {known}",
        {
            "kind": kind.replace("_", " "),
            "name": repr(name),
            "hint": suggestion(name, known),
            "known": ", ".join(known),
        },
    )


def named_variants(kind: str, block: dict[str, Any]) -> list[tuple[str, str]]:
    """The (kind, name) pairs of the modules that a variant's complete block names, its own first.

    A job that checks the block imports all of them.
    """
    module = registry.load(kind, block["kind"])
    named = [(kind, block["kind"])]
    for name, field in module.Settings.model_fields.items():
        for mark in _marks(field):
            if isinstance(mark, OneOf) and (inner := block[field.alias or name]) is not None:
                named += named_variants(mark.kind, inner)
    return named


def _marks(field: FieldInfo) -> Iterator[object]:
    """What a field is marked with, and its type in one that may be null."""
    yield from field.metadata
    if get_origin(field.annotation) in (Union, UnionType):
        for kind in get_args(field.annotation):
            yield from getattr(kind, "__metadata__", ())


def variant(kind: str, block: dict[str, Any]) -> tuple[ModuleType, Any]:
    """The module that a block of the config names under `kind`, and the block as its settings."""
    module = registry.load(kind, block["kind"])
    return module, module.Settings.model_validate(block)
