"""CASME II: the 2019 `.xlsx` table, subjects as text, videos beside the folders of frames."""

from collections.abc import Sequence

from fleeting.synthetic.expressions import action_unit_cell
from fleeting.synthetic.format import Clip
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import Cell, Sheets

TABLE = "CASME2/CASME2-coding-20190701.xlsx"
FIRST_ROW = 2
FRAMES = "CASME2/CASME2_RAW_selected"
CROPPED = "CASME2/Cropped"
VIDEOS = True
HEADER = (
    *("Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None),
    *("Action Units", "Estimated Emotion", "Objective Classes"),
)
FRAMES_PER_SECOND = 200
ONSETS, RISES, FALLS = (40, 160), (12, 40), (16, 50)
DECK = (
    "others disgust repression happiness others surprise "
    "repression others disgust repression others fear "
    "happiness others repression surprise disgust repression "
    "others repression repression disgust others surprise "
    "disgust repression others happiness repression others "
    "others surprise disgust repression happiness repression"
).split()
QUIRKS = (
    ("apex_slash", "apex_is_onset", "frame_missing", "typing_error", "apex_after_offset"),
    ("apex_backslash", "apex_is_offset", "frame_near", "clip_missing", "duplicated_key"),
    ("order_violation",),
)
#: From 1: the objective classes of the action units that the emotions of the deck show.
OBJECTIVE_CLASSES = ("happiness", "surprise", "others", "disgust", "repression", "fear")


def subject(index: int) -> str:
    """The name of a subject, counted from 0."""
    return f"sub{index + 1:02d}"


def clip_name(index: int, position: int, emotion: str) -> str:
    """The same names recur across subjects."""
    return f"EP{position // 3 + 2:02d}_{position % 3 + 1:02d}{'f' if position % 3 == 0 else ''}"


def frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Where a frame lies below the frames or the provider's crops."""
    return f"{clip.subject}/{clip.name}/{'reg_' if cropped else ''}img{number}.jpg"


def camera(index: int) -> Camera:
    """The camera that a subject sits before."""
    return Camera(640, 480, face=98, x=325, y=250)


def sheets(clips: Sequence[Clip]) -> Sheets:
    """The table and the two empty sheets behind it."""
    return {"Sheet1": [HEADER, *map(_cells, clips)], "Sheet2": [], "Sheet3": []}


def _cells(clip: Clip) -> list[Cell]:
    return [
        f"{clip.subject_index + 1:02d}",
        clip.name,
        None,
        clip.stated_onset,
        clip.stated_apex,
        clip.stated_offset,
        None,
        action_unit_cell(clip.expression),
        clip.stated_emotion,
        OBJECTIVE_CLASSES.index(clip.emotion) + 1,
    ]
