"""What one database's writer says about itself, and the clips that it is given to write.

A writer is a module in `fleeting.synthetic.writers` with one value, `FORMAT`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleeting.synthetic.frame import Camera

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
    table says. `expression` holds the action units at full intensity.
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
    stated_onset: int
    stated_apex: int | str
    stated_offset: int
    stated_emotion: str
    quirk: str = ""


@dataclass(frozen=True)
class Format:
    """A database as distributed.

    table, frames, cropped: the places below the database's usual root.
    deck: emotions, dealt to the subjects in turn.
    quirks: the rows with oddities, by subject; later subjects have none.
    onsets, rises, falls: ranges of the onset frame, apex - onset, and offset - apex.
    subject: the folder-independent name of the subject of an index from 0.
    clip_name: a clip's name from the subject's index, the clip's position and its emotion.
    frame_path: where a clip's frame lies below the frames folder (or the provider's crops).
    camera: the camera that a subject of an index sits before.
    write_table: writes the table; returns each clip's row in it as a spreadsheet counts them.
    video: the name of a video file beside a clip's folder, where there is one.
    """

    database: str
    table: str
    frames: str
    cropped: str | None
    deck: tuple[str, ...]
    quirks: tuple[tuple[str, ...], ...]
    onsets: tuple[int, int]
    rises: tuple[int, int]
    falls: tuple[int, int]
    subject: Callable[[int], str]
    clip_name: Callable[[int, int, str], str]
    frame_path: Callable[[Clip, int, bool], str]
    camera: Callable[[int], Camera]
    write_table: Callable[[Path, Sequence[Clip]], list[int]]
    video: Callable[[Clip], str | None] = lambda clip: None
