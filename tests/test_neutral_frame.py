"""The frame after the onset: when it is wanted, found, and drawn."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import frame_files
from fleeting import registry
from fleeting.frames import select
from fleeting.frames.wanted import Wanted
from fleeting.synthetic.plan import frames_on_disk, plan
from fleeting.synthetic.settings import Settings
from frame_files import touch

PHASES = registry.load("selection", "phases")
NEUTRAL = {"kind": "phases", "neutral": True}


def sample(onset: int, apex: object, offset: object) -> dict[str, str]:
    path = "c1/{frame}.png"
    return frame_files.sample("mine", "p1", "c1", onset, apex, offset, path=path)


def selected(root: Path, within: int, row: dict[str, str]) -> select.Result:
    given = {"reader": "table", "table": "clips.tsv", "frames": root, "path": "{clip}/{frame}.png"}
    return frame_files.select_frames([row], within, selection={"neutral": True}, **given)[0]


@pytest.mark.parametrize(
    ("row", "frame"),
    [
        (sample(3, 9, 12), 4),
        (sample(3, 5, ""), 4),
        (sample(3, "", 12), 4),
        # It is the apex or the offset, or the movement ends there.
        (sample(3, 4, 12), None),
        (sample(3, 3, 12), None),
        (sample(3, "", 4), None),
        # Nobody knows how long it lasts.
        (sample(3, "", ""), None),
    ],
)
def test_it_lies_before_all_that_is_annotated_later(row: dict[str, str], frame: int | None) -> None:
    plain = select.wanted_by({"kind": "phases"})(row)
    images = select.wanted_by(NEUTRAL)(row)
    assert images[: len(plain)] == plain
    added = [] if frame is None else [Wanted("neutral", frame=frame, exact=True)]
    assert images[len(plain) :] == added


def test_the_selections_have_folders_of_their_own() -> None:
    labels = [PHASES.label(PHASES.Settings(neutral=neutral)) for neutral in (False, True)]
    assert labels == ["phases", "phases_neutral"]
    with pytest.raises(ValidationError, match="neutral"):
        PHASES.Settings.model_validate({"neutral": "soon"})


def test_it_has_no_phase_and_its_number(tmp_path: Path) -> None:
    touch(tmp_path, *(f"c1/{number}.png" for number in (3, 4, 9, 12)))
    result = selected(tmp_path, 0, sample(3, 9, 12))
    assert [(row["phase"], row["frame"]) for row in result.frames] == [
        *(("onset", 3), ("apex", 9), ("offset", 12), ("", 4))
    ]
    assert result.frames[3]["image"] == "mine/p1/c1/3/neutral"
    assert result.excluded == []


@pytest.mark.parametrize("apex", [9, 4])
def test_no_neighbour_stands_in_for_it(tmp_path: Path, apex: int) -> None:
    """The nearest one is the onset itself; where there is no neutral frame, nothing is missing."""
    touch(tmp_path, *(f"c1/{number}.png" for number in (3, 5, 10, 12)))
    result = selected(tmp_path, 2, sample(3, apex, 12))
    assert [row["phase"] for row in result.frames] == ["onset", "apex", "offset"]
    assert [row["image"] for row in result.substituted] == ["mine/p1/c1/3/apex"]
    assert [(row["image"], row["code"]) for row in result.excluded] == (
        [("mine/p1/c1/3/neutral", "frame_missing")] if apex == 9 else []
    )


def test_synthetic_clips_have_it_if_asked() -> None:
    clips = [clip for clip in plan("casme2", Settings()) if not clip.quirk]
    assert Settings().frames_per_clip == 7
    for clip in clips:
        seven, eight = (set(frames_on_disk(clip, count)) for count in (7, 8))
        assert eight == seven | {clip.onset + 1}
    assert any(len(frames_on_disk(clip, 8)) == 8 for clip in clips)
