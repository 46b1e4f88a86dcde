"""The format of a database, and the clips that are written in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from fleeting import registry
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import Sheets

#: Errors and oddities of the real databases. Each is a row of its own, so that every other row
#: of a synthetic database is sound.
QUIRKS = (
    "apex_slash",  # the apex cell holds "/"
    "apex_backslash",  # the apex cell holds "\"
    "apex_is_onset",  # one file serves two phases
    "apex_is_offset",
    "apex_after_offset",  # a digit too many
    "frame_missing",  # the apex frame is not on disk, nor any near it
    "frame_near",  # the apex frame is not on disk, the next one is
    "clip_missing",  # the clip's folder is not on disk
    "typing_error",  # a letter of the emotion is missing
    "duplicated_key",  # the subject's first row once more
    "order_violation",  # onset and offset exchanged
    "repeated_clip",  # a second expression in the folder of the subject's first clip
    "long_video",  # the frames lie in the long video only
    "macro",  # a macro-expression
    "macro_without_offset",  # a macro-expression whose offset is 0
)


@dataclass(frozen=True)
class Clip:
    """One row of a table and the frames that belong to it.

    `onset`, `apex` and `offset` are what the face really does; the `stated` values are what the
    table says. `expression` holds the action units at full intensity; `frames_per_second` is the
    camera's.
    """

    database: str
    subject_index: int
    subject: str
    position: int
    name: str
    onset: int
    apex: int
    offset: int
    emotion: str
    expression: Mapping[int, float]
    frames_per_second: int
    stated_onset: int
    stated_apex: int | str
    stated_offset: int
    stated_emotion: str
    quirk: str = ""


class Format(Protocol):
    """A database as distributed: a module of `fleeting.synthetic.writers`."""

    #: Places below the database's usual root: the table, the frames, the provider's crops.
    TABLE: str
    FRAMES: str
    CROPPED: str | None
    #: The row of the first clip in the table, as a spreadsheet counts.
    FIRST_ROW: int
    #: Whether a video lies beside the folder of each subject's first clip.
    VIDEOS: bool
    #: Emotions, dealt to the subjects in turn.
    DECK: Sequence[str]
    #: The rows with oddities, by subject; later subjects have none.
    QUIRKS: Sequence[Sequence[str]]
    #: Of the camera.
    FRAMES_PER_SECOND: int
    #: Ranges of the onset frame, apex - onset, and offset - apex.
    ONSETS: tuple[int, int]
    RISES: tuple[int, int]
    FALLS: tuple[int, int]

    def subject(self, index: int) -> str:
        """The name of the subject of an index from 0, whatever its folders are called."""

    def clip_name(self, index: int, position: int, emotion: str) -> str:
        """A clip's name, from the subject's index, the clip's position and its emotion."""

    def frame_path(self, clip: Clip, number: int, cropped: bool) -> str:
        """Where a frame lies below the folder of the frames (or of the provider's crops)."""

    def camera(self, index: int) -> Camera:
        """The camera that the subject of an index sits before."""

    def sheets(self, clips: Sequence[Clip]) -> Sheets:
        """The sheets of the table."""


def load_format(database: str) -> Format:
    """The format of a database."""
    return cast(Format, registry.load("synthetic", database))
