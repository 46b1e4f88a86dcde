"""CAS(ME)^2: three sheets without a header, four spellings of a subject, micro and macro rows."""

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from fleeting.errors import UserError
from fleeting.synthetic.emotions import code
from fleeting.synthetic.format import Clip, Format
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import number_or_text, save

#: The numbers in the names of the folders, by the index that the table uses (from 1).
SUBJECTS = (15, 16, *range(19, 28), *range(29, 39), 40)
#: The stimulus videos: the code and the end of the folder's name, typing errors included.
VIDEOS = {
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


def _subject(index: int) -> str:
    if index >= len(SUBJECTS):
        raise UserError(f"synthetic: subjects: cas_me2 has at most {len(SUBJECTS)}")
    return f"s{SUBJECTS[index]}"


def _clip_name(index: int, position: int, emotion: str) -> str:
    """The name of the stimulus video and a running number, which reaches two digits."""
    videos = WATCHED[emotion]
    return f"{videos[(index + position) % len(videos)]}_{position + 1 + 6 * (index % 2)}"


def _frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Frame numbers are those of the long video, wherever the frames lie."""
    file = f"img{number:03d}.jpg"
    if cropped:
        return f"{clip.subject[1:]}/{clip.name}/{file}"
    if clip.quirk == "long_video":
        video, ending = VIDEOS[clip.name.split("_")[0]]
        folder = f"{clip.subject[1:]}_{video}{ending}"
        return f"rawpic/rawpic/{clip.subject}/{folder}/{file}"
    return f"selectedpic/{clip.subject}/{clip.name}/{file}"


def _camera(index: int) -> Camera:
    return Camera(640, 480, face=96, x=315, y=245)


def _write_table(path: Path, clips: Sequence[Clip]) -> list[int]:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "CASFEcode_final"
    for clip in clips:
        # Now and then the coders saw something else than the subject reported.
        agreed = (clip.subject_index + clip.position) % 6 != 5
        estimated = ESTIMATED.get(clip.emotion, "negative") if agreed else "others"
        sheet.append(
            (
                clip.subject_index + 1,
                clip.name,
                clip.stated_onset,
                clip.stated_apex,
                clip.stated_offset,
                number_or_text(code(clip.expression)),
                estimated,
                "macro-expression" if "macro" in clip.quirk else "micro-expression",
                clip.stated_emotion,
            )
        )
    subjects = workbook.create_sheet("naming rule1")
    for index, subject in enumerate(SUBJECTS, start=1):
        subjects.append((subject, f"s{subject}", index))
    videos = workbook.create_sheet("naming rule2")
    for video, (number, _) in VIDEOS.items():
        # As typed into a cell: the leading zero is gone.
        videos.append((int(number), video))
    save(workbook, path)
    return [row + 1 for row in range(len(clips))]


FORMAT = Format(
    database="cas_me2",
    table="CAS(ME)^2/CAS(ME)^2code_final.xlsx",
    frames="CAS(ME)^2/CAS(ME)^2",
    cropped="CAS(ME)^2/cropped",
    deck=tuple(DECK),
    quirks=(
        ("macro", "long_video", "order_violation", "apex_slash"),
        ("macro_without_offset", "typing_error", "duplicated_key", "clip_missing"),
    ),
    onsets=(60, 2400),
    rises=(3, 7),
    falls=(4, 9),
    subject=_subject,
    clip_name=_clip_name,
    frame_path=_frame_path,
    camera=_camera,
    write_table=_write_table,
)
