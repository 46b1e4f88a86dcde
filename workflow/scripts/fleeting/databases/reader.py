"""What a reader offers to the stages.

A reader is one module in `fleeting/databases/readers`; adding a file there adds a format. It holds
all that differs between formats: which files can be the table, how the table looks, how subjects
are named, and where a clip's frames may lie. The config names the reader of each database; by
default it is the database's own name. Readers are loaded by name through `load`, never imported, so
that editing one leaves the others alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from fleeting import registry
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

#: The endings, as a pattern, of the files that can be read as a table.
ENDINGS = r"\.(xlsx?|csv|tsv)"


@dataclass(frozen=True)
class Row:
    """One row of a table, as text; nothing in it is checked yet.

    `subject` is the canonical name, or empty where `subject_cell` names no subject. `onset`, `apex`
    and `offset` are None where the table has no such column. `extra` becomes further columns of the
    annotations: objective_class, self_reported, estimated, expression_type, or, from the reader
    `table`, `path` and `picture`. `excluded` holds a code and a detail where the reader itself
    excludes the row. `zero_is_value` says that 0 is a valid clip, onset or emotion; otherwise it
    means "missing", as in the four published databases.
    """

    table_row: int
    subject_cell: str
    subject: str
    clip: str
    onset: str | None
    apex: str | None
    offset: str | None
    emotion: str
    action_units: str
    extra: Mapping[str, str] = field(default_factory=dict)
    excluded: tuple[str, str] | None = None
    zero_is_value: bool = False


@dataclass(frozen=True)
class Place:
    """Where a clip's frames may lie: one pattern for each level of folders, outermost first.

    The patterns must match a folder's whole name, after `fold`. Folders above the first level, and
    folders without digits in their names below it, do not matter.

    A place with `file` is exact instead: `levels` are all folders from the root of the frames down
    to the files (none if the files lie in the root itself), and only files whose whole name matches
    `file` after `fold` are frames; its group `frame` is the frame number. The folders' and files'
    names then do not decide between raw and cropped frames: the user has said which they are.
    Without `file`, the last run of digits in a file's name is the frame number.
    """

    levels: tuple[re.Pattern[str], ...]
    file: re.Pattern[str] | None = None


class Reader(Protocol):
    """The names that a reader's module defines."""

    #: Matches the case-folded names of the files that can be the table.
    TABLE_NAME: re.Pattern[str]
    #: The names of the table as distributed, for messages.
    TABLE_EXAMPLES: tuple[str, ...]
    #: How a subject looks in the table, for messages.
    SUBJECTS: str
    #: The model of the database's block in the config.
    Settings: type[DatabaseSettings]

    def rows(self, workbook: Workbook, settings: DatabaseSettings) -> Iterable[Row]:
        """All rows of the table that hold anything, in its order.

        Raises a `UserError` where no sheet looks like the table or a column is missing.
        """
        ...

    def places(
        self, subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
    ) -> tuple[Place, ...]:
        """Where the frames of a sample may lie, the preferred place first.

        Args:
            subject: the sample's subject, as the annotations name it.
            clip: the sample's clip.
            extra: the sample's row of ANNOTATIONS, for the columns that follow the schema. Samples
                of one clip can differ there, and thus in their places.
            settings: the database's block of the config.

        Raises a `UserError` where the database has no frames (only ready pictures).
        """
        ...


def load(name: str) -> Reader:
    """The reader of this name (`settings.reader`); a `UserError` lists the known ones."""
    return cast(Reader, registry.load("reader", name))


def row_of(
    table_row: int,
    cells: Mapping[str, str],
    subject: str,
    extra: Iterable[str] = (),
    excluded: tuple[str, str] | None = None,
) -> Row:
    """A row from its cells by field, as `fleeting.databases.header.rows` gives them.

    `extra` names the fields that the database offers besides; those without a column are left out.
    """
    return Row(
        table_row=table_row,
        subject_cell=cells["subject"],
        subject=subject,
        clip=cells["clip"],
        onset=cells.get("onset"),
        apex=cells.get("apex"),
        offset=cells.get("offset"),
        emotion=cells["emotion"],
        action_units=cells.get("action_units", ""),
        extra={name: cells[name] for name in extra if name in cells},
        excluded=excluded,
    )


def fold(name: str) -> str:
    """A folder's or clip's name as it is compared: case and runs of white space do not count."""
    return " ".join(name.split()).casefold()


def subject_folder(prefixes: str, number: int) -> re.Pattern[str]:
    """Matches a subject's folder: an optional prefix (`sub|s`), then the number, zeros or none."""
    return re.compile(rf"(?:(?:{prefixes})[ _-]?)?0*{number}")


def clip_folder(clip: str) -> re.Pattern[str]:
    """Matches a clip's folder; numbers in its name may be padded with zeros or not."""
    parts = re.split(r"([0-9]+)", fold(clip))
    return re.compile(
        "".join(
            f"0*{part.lstrip('0') or '0'}" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )
