"""CASME II: the 2019 `.xlsx` table, subjects as text, videos beside the folders of frames."""

from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

from fleeting.synthetic.emotions import code
from fleeting.synthetic.format import Clip, Format
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import number_or_text, save

HEADER = (
    "Subject",
    "Filename",
    None,
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    None,
    "Action Units",
    "Estimated Emotion",
    "Objective Classes",
)
DECK = (
    "others disgust repression happiness others surprise "
    "repression others disgust repression others fear "
    "happiness others repression surprise disgust repression "
    "others repression repression disgust others surprise "
    "disgust repression others happiness repression others "
    "others surprise disgust repression happiness repression"
).split()
#: The objective class of the action units that each emotion of the deck shows.
OBJECTIVE_CLASSES = {
    "happiness": 1,
    "surprise": 2,
    "fear": 6,
    "disgust": 4,
    "repression": 5,
    "others": 3,
}


def _subject(index: int) -> str:
    return f"sub{index + 1:02d}"


def _clip_name(index: int, position: int, emotion: str) -> str:
    """The same names recur across subjects."""
    return f"EP{position // 3 + 2:02d}_{position % 3 + 1:02d}{'f' if position % 3 == 0 else ''}"


def _frame_path(clip: Clip, number: int, cropped: bool) -> str:
    return f"{clip.subject}/{clip.name}/{'reg_' if cropped else ''}img{number}.jpg"


def _camera(index: int) -> Camera:
    return Camera(640, 480, face=98, x=325, y=250)


def _video(clip: Clip) -> str | None:
    return f"{clip.subject}/{clip.name}.avi" if clip.position == 0 else None


def _write_table(path: Path, clips: Sequence[Clip]) -> list[int]:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Sheet1"
    sheet.append(HEADER)
    for clip in clips:
        sheet.append(
            (
                f"{clip.subject_index + 1:02d}",
                clip.name,
                None,
                clip.stated_onset,
                clip.stated_apex,
                clip.stated_offset,
                None,
                number_or_text(code(clip.expression)),
                clip.stated_emotion,
                OBJECTIVE_CLASSES[clip.emotion],
            )
        )
    for name in ("Sheet2", "Sheet3"):
        workbook.create_sheet(name)
    save(workbook, path)
    return [row + 2 for row in range(len(clips))]


FORMAT = Format(
    database="casme2",
    table="CASME2/CASME2-coding-20190701.xlsx",
    frames="CASME2/CASME2_RAW_selected",
    cropped="CASME2/Cropped",
    deck=tuple(DECK),
    quirks=(
        ("apex_slash", "apex_is_onset", "frame_missing", "typing_error", "apex_after_offset"),
        ("apex_backslash", "apex_is_offset", "frame_near", "clip_missing", "duplicated_key"),
        ("order_violation",),
    ),
    onsets=(40, 160),
    rises=(12, 40),
    falls=(16, 50),
    subject=_subject,
    clip_name=_clip_name,
    frame_path=_frame_path,
    camera=_camera,
    write_table=_write_table,
    video=_video,
)
