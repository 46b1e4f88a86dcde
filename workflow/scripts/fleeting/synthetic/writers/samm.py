"""SAMM: a header below a preamble, grey 2040x1088 frames, padding that varies."""

from collections.abc import Sequence

from fleeting.synthetic.expressions import action_unit_cell
from fleeting.synthetic.format import Clip
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import Cell, Sheets

TABLE = "SAMM/SAMM_Micro_FACS_Codes_v2.xlsx"
FRAMES = "SAMM/SAMM"
CROPPED = None
VIDEOS = False
FRAMES_PER_SECOND = 200
ONSETS, RISES, FALLS = (60, 7000), (16, 36), (20, 48)
#: The third row says how many frames a second there are.
PREAMBLE = (
    ("Synthetic faces in the format of the SAMM micro-movement dataset",),
    (),
    ("Frames were taken at {} per second",),
    ("Onset, apex and offset are frame numbers of the source video",),
    ("Inducement code: the number of the video that was shown",),
    ("Micro - 1/2: lasting less than half a second",),
    (),
    ("Action units follow the Facial Action Coding System",),
    ("Objective classes:",),
    ("1: happiness, 2: surprise, 3: anger",),
    ("4: disgust, 5: sadness, 6: fear, 7: others",),
    (),
    (),
)
HEADER = (
    *("Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame"),
    *("Duration", "Micro", "Action Units", "Estimated Emotion", "Objective Classes", "Notes"),
)
FIRST_ROW = len(PREAMBLE) + 2
DECK = (
    "others happiness surprise disgust others surprise "
    "others surprise disgust happiness others anger "
    "others happiness surprise others disgust surprise "
    "happiness others contempt surprise happiness disgust"
).split()
QUIRKS = (
    ("apex_after_offset", "typing_error", "order_violation"),
    ("duplicated_key", "clip_missing", "frame_near"),
)
OBJECTIVE_CLASSES = {"happiness": 1, "surprise": 2, "anger": 3, "disgust": 4}
#: The objective class of every other emotion of the deck.
OTHERS = 7
#: The numbers of the first subjects; from here on every number is taken.
FIRST_SUBJECTS = (6, 7, 9, 10, 11, 12, 13, 14)


def subject(index: int) -> str:
    """The name of a subject, counted from 0."""
    beyond = index - len(FIRST_SUBJECTS) + 1
    return f"{FIRST_SUBJECTS[index] if beyond <= 0 else FIRST_SUBJECTS[-1] + beyond:03d}"


def _inducement(index: int, position: int) -> int:
    return (index + position // 2) % 7 + 1


def clip_name(index: int, position: int, emotion: str) -> str:
    """The name of a subject's clip."""
    return f"{subject(index)}_{_inducement(index, position)}_{position + 1}"


def frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Four digits, or five where the source video was the second: `006_2_3/006_00562.jpg`."""
    digits = 5 if _inducement(clip.subject_index, clip.position) == 2 else 4
    return f"{clip.subject}/{clip.name}/{clip.subject}_{number:0{digits}d}.jpg"


def camera(index: int) -> Camera:
    """The camera that a subject sits before."""
    return Camera(2040, 1088, face=175, x=1015, y=555, grey=True)


def sheets(clips: Sequence[Clip]) -> Sheets:
    """One sheet, with what a reader has to know above the table."""
    rows = [_cells(clip, row) for row, clip in enumerate(clips, start=FIRST_ROW)]
    speed = clips[0].frames_per_second
    preamble = [[cell.format(speed) for cell in row] for row in PREAMBLE]
    return {"MICRO ONLY": [*preamble, HEADER, *rows]}


def _cells(clip: Clip, row: int) -> list[Cell]:
    emotion = clip.stated_emotion.capitalize()
    return [
        clip.subject,
        clip.name,
        _inducement(clip.subject_index, clip.position),
        clip.stated_onset,
        clip.stated_apex,
        clip.stated_offset,
        f"=F{row}-D{row}+1",
        "Micro - 1/2",
        action_unit_cell(clip.expression),
        "Other" if emotion == "Others" else emotion,
        OBJECTIVE_CLASSES.get(clip.emotion, OTHERS),
        None,
    ]
