"""Any table with a header: TSV, CSV or Excel; the config says where frames or pictures lie.

For databases without a reader of their own, such as SMIC, MMEW, 4DME, CAS(ME)^3 or your own
recordings. Subjects and clips keep the names that the table gives them.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from fleeting import paths
from fleeting.databases import cells, header, template
from fleeting.databases.reader import Place, Row, fold
from fleeting.databases.settings import DatabaseSettings, Location
from fleeting.databases.sheets import Workbook
from fleeting.errors import UserError
from fleeting.settings import Settings as Block

#: No file is taken for the table unless the config names it.
TABLE_NAME = re.compile("(?!)")
TABLE_EXAMPLES = ("clips.tsv", "clips.csv", "clips.xlsx")
SUBJECTS = "a name"

REQUIRED: header.Columns = {
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
OPTIONAL: header.Columns = {
    "onset": ("onsetframe", "onsetf", "onset", "startframe", "firstframe", "start"),
    "apex": ("apexframe", "apexf", "apexf1", "apex", "peakframe", "peak"),
    "offset": ("offsetframe", "offsetf", "offset", "endframe", "lastframe", "end"),
    "action_units": ("actionunits", "actionunit", "aus", "au"),
    "objective_class": ("objectiveclasses", "objectiveclass"),
}

Heading = Annotated[str, Field(min_length=1)]

REMEDY = "name your headings in the database's block, for example `columns: {subject: Person}`"


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
    path: template.Frames | None = Field(
        None,
        description="Where a frame lies, for example {subject}/{clip}/img{frame}.jpg; any heading "
        "of the table can stand in braces. {subject:03} fills up with zeros to three digits.",
    )
    picture: template.Picture | None = Field(
        None,
        description="Where the one ready picture of a clip lies, for example "
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
        names = [name for text in self.templates().values() for name in template.placeholders(text)]
        return [name for name in dict.fromkeys(names) if name != template.FRAME]

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
    for table_row, cell in header.rows(workbook, required, optional, given, REMEDY):
        yield _row(table_row, cell, settings)


def places(
    subject: str, clip: str, extra: Mapping[str, str], settings: Settings
) -> tuple[Place, ...]:
    """The one that the template names, taken from the annotations' column `path`."""
    if settings.path is None:
        raise UserError(
            f"{settings.frames}: this database has ready pictures and no frames; give the database "
            "a `path` in the config, or use crops with `frames: pictures`"
        )
    *folders, file = extra["path"].split("/")
    before, after = fold(file).split(f"{{{template.FRAME}}}")
    pattern = f"{re.escape(before)}(?P<frame>[0-9]+){re.escape(after)}"
    levels = tuple(re.compile(re.escape(fold(folder))) for folder in folders)
    return (Place(levels, re.compile(pattern)),)


def _row(table_row: int, cell: Mapping[str, str], settings: Settings) -> Row:
    subject = "" if _is_blank(cell["subject"]) else cell["subject"]
    onset = cell.get("onset")
    if settings.path is None and onset is not None and _is_blank(onset):
        onset = None
    extra = {name: cell[name] for name in ("objective_class",) if name in cell}
    excluded = None
    if all(map(paths.is_safe_name, (subject, cell["clip"]))):
        empty = [name for name in settings.placeholders() if _is_blank(cell[name])]
        if empty:
            excluded = ("path_incomplete", f"the cell of {empty[0]} is empty")
        for column, text in settings.templates().items():
            extra[column] = template.fill(text, cell)
            if not (empty or template.is_safe(extra[column])):
                excluded = ("unsafe_name", f"{extra[column]!r} cannot be a path below the frames")
    return Row(
        table_row=table_row,
        subject_cell=cell["subject"],
        subject=subject,
        clip=cell["clip"],
        onset=onset,
        apex=cell.get("apex"),
        offset=cell.get("offset"),
        emotion=cell["emotion"],
        action_units=cell.get("action_units", ""),
        extra=extra,
        excluded=excluded,
        zero_is_value=True,
    )


def _is_blank(cell: str) -> bool:
    """Whether the cell says that it has no value; 0 is one here."""
    return cells.is_missing(cell) and cells.integer(cell) is None
