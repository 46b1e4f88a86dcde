"""The interface of a reader.

A reader is one module in `fleeting/databases/readers`; adding a file there adds a format. It holds
everything that differs between formats: which files can be the table, how the table looks, how
subjects are named, and where a clip's frames may be. The config names the reader of each database;
by default it is the database's own name. Readers are loaded by name through `load`, never imported,
so that editing one leaves the others alone.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from fleeting import registry
from fleeting.databases.settings import DatabaseSettings
from fleeting.databases.sheets import Workbook

#: The endings, as a pattern, of the files that can be read as a table.
ENDINGS = r"\.(xlsx?|csv|tsv)"


@dataclass(frozen=True)
class Row:
    """One row of a table, as text; nothing in it is checked yet.

    `cells` has the fields subject, clip and emotion, and those of onset, apex, offset and
    action_units that the table has a column for. `subject` is the canonical name, or empty where
    the cell names no subject. `extra` names the fields of `cells` that become further columns of
    the annotations; those that the table lacks are left out. A reader whose table has several clips
    of one recording names it in the extra field `recording`. `excluded` holds a code and a detail
    where the reader itself excludes the row. `zero_is_value` says that 0 is a valid clip, onset or
    emotion; otherwise it means "missing", as in the four published databases.
    """

    table_row: int
    cells: Mapping[str, str]
    subject: str
    extra: tuple[str, ...] = ()
    excluded: tuple[str, str] | None = None
    zero_is_value: bool = False


@dataclass(frozen=True)
class ClipLocation:
    """Where a clip's frames may be: one pattern for each level of folders, outermost first.

    The patterns must match a folder's whole name, after `normalised_name`. Folders above the first
    level, and folders without digits in their names below it, do not matter.

    A location with `file` is exact instead: `levels` are all folders from the root of the frames
    down to the files (none if the files are in the root itself), and only files whose whole name
    matches `file` after `normalised_name` are frames; its group `frame` is the frame number. The
    folders' and files' names then do not decide between raw and cropped frames: the user has said
    which they are. Without `file`, the last run of digits in a name is the frame number, if the
    name has the form of the others in its folder (`fleeting.frames.numbering`).
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

    def clip_locations(
        self, subject: str, clip: str, extra: Mapping[str, str], settings: DatabaseSettings
    ) -> tuple[ClipLocation, ...]:
        """Where the frames of a sample may be, the preferred location first.

        Args:
            subject: the sample's subject, as the annotations name it.
            clip: the sample's clip.
            extra: the sample's row of ANNOTATIONS, for the columns that follow the schema. Samples
                of one clip can differ there, and thus in their locations.
            settings: the database's block of the config.

        Raises a `UserError` where the database has no frames (only ready pictures).
        """
        ...


def load(name: str) -> Reader:
    """The reader of this name (`settings.reader`); a `UserError` lists the known ones."""
    return cast(Reader, registry.load("reader", name))


def normalised_name(name: str) -> str:
    """A folder's or clip's name as it is compared: case and runs of white space do not count.

    Nor does it whether an accent is a character of its own, as a Mac writes names to disk.
    """
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def clip_folder(clip: str) -> re.Pattern[str]:
    """Matches a clip's folder; numbers in its name may be padded with zeros or not."""
    parts = re.split(r"([0-9]+)", normalised_name(clip))
    return re.compile(
        "".join(
            f"0*{part.lstrip('0') or '0'}" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
    )
