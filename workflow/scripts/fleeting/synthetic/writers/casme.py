"""CASME: an old `.xls` table with durations in milliseconds, and two sections of frames."""

import io
from collections.abc import Sequence
from pathlib import Path

import xlwt

from fleeting.files import write_bytes
from fleeting.synthetic.emotions import code
from fleeting.synthetic.format import Clip, Format
from fleeting.synthetic.frame import Camera
from fleeting.synthetic.sheets import number_or_text

HEADER = "Subject,Filename,,OnsetF,ApexF1,ApexF2,OffsetF,,Onset,Total,AU,Emotion".split(",")
FRAMES_A_SECOND = 60
DECK = (
    "tense repression tense surprise tense disgust "
    "tense repression tense happiness tense tense "
    "tense tense surprise repression tense sadness "
    "tense happiness repression tense tense tense "
    "repression tense tense disgust tense repression"
).split()


def _subject(index: int) -> str:
    return f"sub{index + 1:02d}"


def _clip_name(index: int, position: int, emotion: str) -> str:
    """Irregular, as in reality: `EP01_12` beside `EP01_5`, `EP03`, `EP05_2_10`."""
    episode = f"EP{position // 2 + 1:02d}"
    if position % 6 == 4:
        return episode
    if position % 6 == 5:
        return f"{episode}_2_10"
    return f"{episode}_{12 if position % 2 == 0 else 5}"


def _in_section_a(index: int) -> bool:
    return index % 2 == 1


def _frame_path(clip: Clip, number: int, cropped: bool) -> str:
    """Section A has 1280x720 frames and plain numbers, section B 640x480 and three digits."""
    section = "Section A" if _in_section_a(clip.subject_index) else "Section B"
    digits = str(number) if _in_section_a(clip.subject_index) else f"{number:03d}"
    if cropped:
        return f"{clip.subject}/{clip.name}/reg_{clip.name}-{digits}.jpg"
    return f"{section}/{clip.subject}/{clip.name}/{clip.name}-{digits}.jpg"


def _camera(index: int) -> Camera:
    if _in_section_a(index):
        return Camera(1280, 720, face=130, x=660, y=370)
    return Camera(640, 480, face=94, x=310, y=240, grey=index % 4 == 2)


def _milliseconds(first: int, last: int) -> float:
    return round((last - first + 1) * 1000 / FRAMES_A_SECOND, 2)


def _write_table(path: Path, clips: Sequence[Clip]) -> list[int]:
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("Sheet1")
    for column, title in enumerate(HEADER):
        if title:
            sheet.write(0, column, title)
    for row, clip in enumerate(clips, start=1):
        second_apex: int | str = clip.apex + 2 if clip.position % 3 == 1 else "\\"
        cells = (
            clip.subject_index + 1,
            clip.name,
            None,
            clip.stated_onset,
            clip.stated_apex,
            second_apex,
            clip.stated_offset,
            None,
            _milliseconds(clip.onset, clip.apex),
            _milliseconds(clip.onset, clip.offset),
            number_or_text(code(clip.expression)),
            clip.stated_emotion,
        )
        for column, cell in enumerate(cells):
            if cell is not None:
                sheet.write(row, column, cell)
    for name in ("Sheet2", "Sheet3"):
        workbook.add_sheet(name)
    saved = io.BytesIO()
    workbook.save(saved)
    write_bytes(saved.getvalue(), path)
    return [row + 1 for row in range(1, len(clips) + 1)]


FORMAT = Format(
    database="casme",
    table="CASME/CASME-coded-20190721.xls",
    frames="CASME/CASME_raw_selected",
    cropped="CASME/Cropped",
    deck=tuple(DECK),
    quirks=(
        ("repeated_clip", "clip_missing", "apex_backslash"),
        ("typing_error", "duplicated_key", "order_violation"),
    ),
    onsets=(40, 160),
    rises=(4, 10),
    falls=(5, 15),
    subject=_subject,
    clip_name=_clip_name,
    frame_path=_frame_path,
    camera=_camera,
    write_table=_write_table,
)
