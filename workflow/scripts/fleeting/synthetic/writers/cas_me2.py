"""CAS(ME)^2: three sheets without a header, four spellings of a subject, micro and macro rows."""

from collections.abc import Sequence

from fleeting.errors import UserError
from fleeting.synthetic.expressions import action_unit_cell
from fleeting.synthetic.format import Clip
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import Cell, Sheets

TABLE = "CAS(ME)^2/CAS(ME)^2code_final.xlsx"
FIRST_ROW = 1
FRAMES = "CAS(ME)^2/CAS(ME)^2"
CROPPED = "CAS(ME)^2/cropped"
VIDEOS = False
FRAMES_PER_SECOND = 30
ONSETS, RISES, FALLS = (60, 2400), (3, 7), (4, 9)
#: The numbers in the names of the folders, by the index that the table uses (from 1).
SUBJECTS = (15, 16, *range(19, 28), *range(29, 39), 40)
#: The stimulus videos: the code and the end of the folder's name, typing errors included.
STIMULI = {
    "disgust1": ("0101", "disgustingteeth"),
    "disgust2": ("0102", "eatingworms"),
    "anger1": ("0401", "brokencar"),
    "anger2": ("0402", "longqueue"),
    "happy1": ("0502", "laughingbaby"),
    "happy2": ("0503", "unnyfarting"),
    "happy3": ("0505", "catjumps"),
    "happy4": ("0507", "dancingdog"),
    "happy5": ("0508", "pandasneeze"),
}
#: Which video is watched when an emotion is felt: often, but not always, one meant for it.
WATCHED = {
    "disgust": ("disgust1", "disgust2", "anger1"),
    "happiness": ("happy1", "happy2", "happy3", "disgust1"),
    "surprise": ("happy4", "disgust2", "anger2"),
    "anger": ("anger1", "anger2"),
    "fear": ("disgust2", "anger1"),
    "sadness": ("anger2",),
    "helpless": ("anger1",),
}
ESTIMATED = {"happiness": "positive", "surprise": "surprise"}
DECK = (
    "disgust happiness surprise happiness anger surprise "
    "happiness surprise disgust disgust fear happiness "
    "surprise disgust happiness sadness surprise disgust "
    "happiness anger disgust surprise happiness disgust "
    "surprise helpless happiness disgust surprise happiness"
).split()
QUIRKS = (
    ("macro", "long_video", "order_violation", "apex_slash"),
    ("macro_without_offset", "typing_error", "duplicated_key", "clip_missing"),
)


def subject(index: int) -> str:
    """The name of a subject, counted from 0."""
    if index >= len(SUBJECTS):
        raise UserError(f"synthetic: subjects: cas_me2 has at most {len(SUBJECTS)}")
    return f"s{SUBJECTS[index]}"


def clip_name(index: int, position: int, emotion: str) -> str:
    """The name of the stimulus video and a running number, which reaches two digits."""
    videos = WATCHED[emotion]
    return f"{videos[(index + position) % len(videos)]}_{position + 1 + 6 * (index % 2)}"


def frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Frame numbers are those of the long video, wherever the frames lie."""
    file = f"img{number:03d}.jpg"
    if cropped:
        return f"{clip.subject[1:]}/{clip.name}/{file}"
    if clip.quirk == "long_video":
        video, ending = STIMULI[clip.name.split("_")[0]]
        folder = f"{clip.subject[1:]}_{video}{ending}"
        return f"rawpic/rawpic/{clip.subject}/{folder}/{file}"
    return f"selectedpic/{clip.subject}/{clip.name}/{file}"


def camera(index: int) -> Camera:
    """The camera that a subject sits before."""
    return Camera(640, 480, face=96, x=315, y=245)


def sheets(clips: Sequence[Clip]) -> Sheets:
    """The table, and the sheets that explain its names of subjects and videos."""
    return {
        "CASFEcode_final": list(map(_cells, clips)),
        "naming rule1": [
            [number, f"s{number}", index] for index, number in enumerate(SUBJECTS, start=1)
        ],
        # As typed into a cell: the leading zero is gone.
        "naming rule2": [[int(number), video] for video, (number, _) in STIMULI.items()],
    }


def _cells(clip: Clip) -> list[Cell]:
    # Now and then the coders saw something else than the subject reported.
    agreed = (clip.subject_index + clip.position) % 6 != 5
    return [
        clip.subject_index + 1,
        clip.name,
        clip.stated_onset,
        clip.stated_apex,
        clip.stated_offset,
        action_unit_cell(clip.expression),
        ESTIMATED.get(clip.emotion, "negative") if agreed else "others",
        "macro-expression" if "macro" in clip.quirk else "micro-expression",
        clip.stated_emotion,
    ]
