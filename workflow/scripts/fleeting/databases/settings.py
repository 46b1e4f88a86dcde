"""A database's block of the config: which reader, which table, which frames."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.settings import Settings

#: Snakemake replaces `{name}` and `<name>` in any path.
_MARKS = re.compile(r"[{}<>\x00-\x1f\x7f]")


def _usable(path: Path) -> Path:
    if _MARKS.search(str(path)):
        raise PydanticCustomError(
            "location", "a path must not hold braces, < and >, or control characters"
        )
    return path


Location = Annotated[Path, AfterValidator(_usable)]


class DatabaseSettings(Settings):
    """The keys that all readers share; a reader's module adds its own in `class Settings`."""

    reader: str = Field(
        description="A module of fleeting/databases/readers; by default the database's name."
    )
    root: Location | None = Field(
        None, description="The folder that holds the table and the frames, at any depth."
    )
    table: Location | None = Field(None, description="The table, where `root` is not given.")
    frames: Location | None = Field(
        None, description="The folder of the frames, where `root` is not given."
    )
    source: Literal["raw", "cropped"] = Field(
        "raw", description="Which frames are used: the camera's, or the provider's face crops."
    )

    @model_validator(mode="after")
    def _places(self) -> Self:
        apart = (self.table is not None, self.frames is not None)
        if (self.root is None and not all(apart)) or (self.root is not None and any(apart)):
            raise PydanticCustomError("places", "give either `root`, or both `table` and `frames`")
        return self


def load(database: str, block: Mapping[str, Any]) -> DatabaseSettings:
    """The settings of a database from its block of the config, checked by the named reader.

    Raises:
        UserError: a key is unknown or its value is wrong.
    """
    model = registry.load("reader", block["reader"]).Settings
    try:
        return cast(DatabaseSettings, model.model_validate(block))
    except ValidationError as error:
        raise UserError(f"databases.{database}: {error}") from None
