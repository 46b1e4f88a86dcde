"""CASME: an old `.xls` table with durations in milliseconds, and two sections of frames."""

from collections.abc import Sequence

from fleeting.synthetic.expressions import action_unit_cell
from fleeting.synthetic.format import Clip
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import Cell, Sheets

TABLE = "CASME/CASME-coded-20190721.xls"
FIRST_ROW = 2
FRAMES = "CASME/CASME_raw_selected"
CROPPED = "CASME/Cropped"
VIDEOS = False
HEADER = [
    title or None
    for title in "Subject,Filename,,OnsetF,ApexF1,ApexF2,OffsetF,,Onset,Total,AU,Emotion".split(",")
]
FRAMES_PER_SECOND = 60
ONSETS, RISES, FALLS = (40, 160), (4, 10), (5, 15)
DECK = (
    "tense repression tense surprise tense disgust "
    "tense repression tense happiness tense tense "
    "tense tense surprise repression tense sadness "
    "tense happiness repression tense tense tense "
    "repression tense tense disgust tense repression"
).split()
QUIRKS = (
    ("repeated_clip", "clip_missing", "apex_backslash"),
    ("typing_error", "duplicated_key", "order_violation"),
)


def subject(index: int) -> str:
    """The name of a subject, counted from 0."""
    return f"sub{index + 1:02d}"


def clip_name(index: int, position: int, emotion: str) -> str:
    """Irregular, as in reality: `EP01_12` beside `EP01_5`, `EP03`, `EP05_2_10`."""
    episode = f"EP{position // 2 + 1:02d}"
    if position % 6 == 4:
        return episode
    if position % 6 == 5:
        return f"{episode}_2_10"
    return f"{episode}_{12 if position % 2 == 0 else 5}"


def _in_section_a(index: int) -> bool:
    return index % 2 == 1


def frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Section A has 1280x720 frames and plain numbers, section B 640x480 and three digits."""
    section = "Section A" if _in_section_a(clip.subject_index) else "Section B"
    digits = str(number) if _in_section_a(clip.subject_index) else f"{number:03d}"
    if cropped:
        return f"{clip.subject}/{clip.name}/reg_{clip.name}-{digits}.jpg"
    return f"{section}/{clip.subject}/{clip.name}/{clip.name}-{digits}.jpg"


def camera(index: int) -> Camera:
    """The camera that a subject sits before."""
    if _in_section_a(index):
        return Camera(1280, 720, face=130, x=660, y=370)
    return Camera(640, 480, face=94, x=310, y=240, grey=index % 4 == 2)


def _milliseconds(clip: Clip, last: int) -> float:
    return round((last - clip.onset + 1) * 1000 / clip.frames_per_second, 2)


def sheets(clips: Sequence[Clip]) -> Sheets:
    """The table and the two empty sheets behind it."""
    return {"Sheet1": [HEADER, *map(_cells, clips)], "Sheet2": [], "Sheet3": []}


def _cells(clip: Clip) -> list[Cell]:
    return [
        clip.subject_index + 1,
        clip.name,
        None,
        clip.stated_onset,
        clip.stated_apex,
        clip.apex + 2 if clip.position % 3 == 1 else "\\",
        clip.stated_offset,
        None,
        _milliseconds(clip, clip.apex),
        _milliseconds(clip, clip.offset),
        action_unit_cell(clip.expression),
        clip.stated_emotion,
    ]
