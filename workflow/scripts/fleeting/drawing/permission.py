"""Whose face may appear in a figure: the config's `show_faces`, which is `none` by default."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Permission:
    """Decides by subject, whatever the picture shows: a crop, a whole frame or a motion picture.

    `show_faces` is `none`, `synthetic` or a list of database/subject. `synthetic` lists the
    databases whose faces this project drew: the value of the same name allows these alone, so that
    it never shows a person, whatever the config points at.
    """

    show_faces: str | Collection[str]
    synthetic: Collection[str]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Permission":
        """Take the two values from the settings of a figure."""
        return cls(settings["show_faces"], settings["synthetic"])

    def allows(self, database: str, subject: str) -> bool:
        """Whether pixels of a subject may be shown."""
        if isinstance(self.show_faces, str):
            return self.show_faces == "synthetic" and database in self.synthetic
        return f"{database}/{subject}" in self.show_faces
