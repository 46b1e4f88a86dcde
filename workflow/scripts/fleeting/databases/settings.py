"""A database's block of the config: which reader, which table, which frames."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, cast

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from fleeting import registry
from fleeting.errors import UserError
from fleeting.settings import Location, Settings


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

    @property
    def frames_root(self) -> Path:
        """The folder below which frames are searched: `frames`, or else the whole `root`."""
        found = self.frames or self.root
        assert found is not None, "settings have either a root or a folder of frames"
        return found

    @model_validator(mode="after")
    def _root_or_both(self) -> Self:
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
