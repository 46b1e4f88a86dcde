"""Any table with a header: TSV, CSV or Excel; the config says where frames or pictures are.

For databases without a reader of their own, such as SMIC, MMEW, 4DME, CAS(ME)^3 or your own
recordings. Subjects and clips keep the names that the table gives them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting import paths
from fleeting.databases import cells, header, path_template
from fleeting.databases.reader import ClipLocation, Row, normalised_name
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError
from fleeting.settings import Location
from fleeting.settings import Settings as Block

#: Matches no file: the config always names the table.
TABLE_NAME = re.compile("(?!)")
TABLE_EXAMPLES = ("clips.tsv", "clips.csv", "clips.xlsx")
SUBJECTS = "a name"

REQUIRED: header.Headings = {
    "subject": (
        *("subject", "subjects", "subjectid", "subjectno", "subjectname", "sub", "subid", "subno"),
        *("participant", "participants", "participantid", "person", "personid"),
    ),
    "clip": (
        *("filename", "clip", "clips", "clipname", "clipid", "video", "videoname", "videoid"),
        *("sequence", "sequencename", "file", "sample", "samplename"),
    ),
    "emotion": (
        *("emotion", "emotions", "estimatedemotion", "emotionlabel", "emotionclass"),
        *("label", "labels", "expression"),
    ),
}
OPTIONAL: header.Headings = {
    "onset": ("onsetframe", "onsetf", "onset", "startframe", "firstframe", "start"),
    "apex": ("apexframe", "apexf", "apexf1", "apex", "peakframe", "peak"),
    "offset": ("offsetframe", "offsetf", "offset", "endframe", "lastframe", "end"),
    "action_units": ("actionunits", "actionunit", "aus", "au"),
    "objective_class": ("objectiveclasses", "objectiveclass"),
}

Heading = Annotated[str, Field(min_length=1)]


class Columns(Block):
    """The headings of the columns; those not given are found by their usual names."""

    subject: Heading | None = None
    clip: Heading | None = None
    onset: Heading | None = None
    apex: Heading | None = None
    offset: Heading | None = None
    emotion: Heading | None = None
    action_units: Heading | None = None
    objective_class: Heading | None = None


class Settings(DatabaseSettings):
    """The keys of a database that is described by a table."""

    table: Location = Field(description="The table: TSV, CSV or Excel.")
    frames: Location = Field(description="The folder that `path` and `picture` start from.")
    columns: Columns = Field(
        Columns(), description="The headings of columns that do not have one of the usual names."
    )
    path: path_template.Frames | None = Field(
        None,
        description="Where a frame is, for example {subject}/{clip}/img{frame}.jpg; any heading "
        "of the table can be in braces. {subject:03} fills up with zeros to three digits.",
    )
    picture: path_template.Picture | None = Field(
        None,
        description="Where the one ready picture of a clip is, for example "
        "{subject}/{clip}.png. Without `path`, no column of onsets is needed.",
    )

    @model_validator(mode="after")
    def _has_a_template(self) -> Self:
        if self.path is None and self.picture is None:
            raise PydanticCustomError(
                "templates", "give `path`, `picture` or both: where the images lie below `frames`"
            )
        return self

    def placeholders(self) -> list[str]:
        """The placeholders of all templates but `frame`, each once."""
        names = path_template.placeholders("".join(self.templates().values()))
        return [name for name in dict.fromkeys(names) if name != path_template.FRAME]

    def templates(self) -> dict[str, str]:
        """The templates that are given, by the column of the annotations that they fill."""
        given = {"path": self.path, "picture": self.picture}
        return {name: text for name, text in given.items() if text is not None}


def rows(workbook: Workbook, settings: Settings) -> Iterable[Row]:
    """All rows of the table below its header."""
    required, optional = dict(REQUIRED), dict(OPTIONAL)
    given = settings.columns.model_dump(exclude_none=True)
    if settings.path is not None:
        required["onset"] = optional.pop("onset")
    for name in settings.placeholders():
        if name in optional:
            required[name] = optional.pop(name)
        elif name not in required:
            # Not a field, so it is the heading of any other column.
            required[name], given[name] = (), name
    for table_row, cell in header.rows(workbook, required, optional, given):
        yield _row(table_row, cell, settings)


def clip_locations(
    subject: str, clip: str, extra: Mapping[str, str], settings: Settings
) -> tuple[ClipLocation, ...]:
    """The one that the template names, taken from the annotations' column `path`."""
    if settings.path is None:
        raise UserError(
            f"{settings.frames}: this database has ready pictures and no frames; give the database "
            "a `path` in the config, or use crops with `frames: pictures`"
        )
    *folders, file = extra["path"].split("/")
    before, after = normalised_name(file).split(f"{{{path_template.FRAME}}}")
    pattern = f"{re.escape(before)}(?P<frame>[0-9]+){re.escape(after)}"
    levels = tuple(re.compile(re.escape(normalised_name(folder))) for folder in folders)
    return (ClipLocation(levels, re.compile(pattern)),)


def _row(table_row: int, cell: dict[str, str], settings: Settings) -> Row:
    subject = "" if _is_blank(cell["subject"]) else cell["subject"]
    filled: dict[str, str] = {}
    excluded = None
    if all(map(paths.is_safe_name, (subject, cell["clip"]))):
        empty = [name for name in settings.placeholders() if _is_blank(cell[name])]
        if empty:
            excluded = ("path_incomplete", f"the cell of {empty[0]} is empty")
        filled = {
            column: path_template.fill(text, cell) for column, text in settings.templates().items()
        }
        unsafe = [path for path in filled.values() if not path_template.is_safe(path)]
        if unsafe and not empty:
            excluded = ("unsafe_name", f"{unsafe[-1]!r} cannot be a path below the frames")
    if settings.path is None and _is_blank(cell.get("onset", "")):
        cell.pop("onset", None)
    extra = ("objective_class", *filled)
    return Row(table_row, {**cell, **filled}, subject, extra, excluded, zero_is_value=True)


def _is_blank(cell: str) -> bool:
    """Whether the cell holds no value; unlike in the published databases, 0 is a value."""
    return cells.is_missing(cell) and cells.integer(cell) is None
