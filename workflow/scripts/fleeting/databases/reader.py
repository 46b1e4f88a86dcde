"""What a database's reader offers to the stages.

A reader is one module in `fleeting/databases/readers`, named like its database; adding a file
there adds a database. It holds all that differs by database: which files can be its table, how the
table looks, how subjects are called, and under which folder names a clip's frames may lie. It is
found through `load`, never imported by name, so that an edit of it leaves its siblings alone.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, cast

from fleeting import registry
from fleeting.databases.sheets import Workbook

Options = Mapping[str, object]


@dataclass(frozen=True)
class Row:
    """One row of a table, as text; nothing in it is checked yet.

    `subject` is the canonical name, or empty where `subject_cell` names no subject. `extra` holds
    what the table offers besides: objective_class, self_reported, estimated, expression_type.
    """

    table_row: int
    subject_cell: str
    subject: str
    clip: str
    onset: str
    apex: str
    offset: str
    emotion: str
    action_units: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where a clip's frames may lie: one pattern for each level of folders, outermost first.

    The patterns must match a folder's whole name, after `fleeting.databases.reader.fold`.
    """

    levels: tuple[re.Pattern[str], ...]


class Reader(Protocol):
    """The names that a reader's module defines."""

    #: Matches the case-folded names of the files that can be the table.
    TABLE_NAME: re.Pattern[str]
    #: The names of the table as distributed, for messages.
    TABLE_EXAMPLES: tuple[str, ...]
    #: What may be set in the config, with its default; empty where nothing can.
    OPTIONS: Options
    #: How a subject looks in the table, for messages.
    SUBJECTS: str

    def rows(self, workbook: Workbook, options: Options) -> Iterable[Row]:
        """All rows of the table that hold anything, in its order.

        Raises a `UserError` where no sheet looks like the table or a column is missing.
        """
        ...

    def places(self, subject: str, clip: str, extra: Mapping[str, str]) -> tuple[Place, ...]:
        """Where the frames of a clip may lie, the preferred place first."""
        ...


def load(database: str) -> Reader:
    """The reader of a database; a `UserError` lists the known ones."""
    return cast(Reader, registry.load("database", database))


def row_of(
    table_row: int, cells: Mapping[str, str], subject: str, extra: Iterable[str] = ()
) -> Row:
    """A row from its cells by field, as `fleeting.databases.header.rows` gives them.

    `extra` names the fields that the database offers besides; those without a column are left out.
    """
    return Row(
        table_row=table_row,
        subject_cell=cells["subject"],
        subject=subject,
        clip=cells["clip"],
        onset=cells["onset"],
        apex=cells["apex"],
        offset=cells["offset"],
        emotion=cells["emotion"],
        action_units=cells.get("action_units", ""),
        extra={name: cells[name] for name in extra if name in cells},
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
