"""Which file of a folder is the frame that a table names: its number is drawn into the pixels."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.frames import numbering, select
from frame_files import sample, select_frames, warning

#: Of a clip from 46 to 86: the frames as they were distributed.
FIRST, APEX, LAST = 46, 59, 86
WRONG = 999
FOLDER = "sub01/EP02_01f"


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("EP01_12-73.jpg", 73),
        ("reg_EP01_12-073.jpg", 73),
        ("006_05562.jpg", 5562),
        ("img2977.JPG.jpg", 2977),
        ("000.bmp", 0),
        ("img46b.bmp", 46),
        ("a\n46.png", 46),
        ("img46b.tiff", None),
        ("img.jpg", None),
        ("img46.avi", None),
        ("img46", None),
        ("img46.jpg.txt", None),
        ("img٤٦.jpg", None),
        (".jpg", None),
    ],
)
def test_frame_numbers(name, number):
    parsed = numbering.parse(name)
    assert (parsed and parsed.number) == number


@given(
    st.integers(0, 10**6),
    st.integers(0, 6),
    st.sampled_from(["", "img", "img_", "reg_img", "EP12_2_10-", "006_", "2014 "]),
    st.sampled_from([".jpg", ".jpeg", ".png", ".bmp"]),
    st.booleans(),
    st.booleans(),
)
def test_any_prefix_padding_and_ending(number, zeros, prefix, ending, upper, doubled):
    ending = (ending.upper() if upper else ending) * (2 if doubled else 1)
    parsed = numbering.parse(f"{prefix}{'0' * zeros}{number}{ending}")
    assert parsed is not None
    assert parsed.number == number


def draw(path: Path, number: int) -> None:
    """A picture whose number stands in its pixels, 16 bits of black and white."""
    bits = [255 * (number >> bit & 1) for bit in range(16)]
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.kron(np.array([bits], np.uint8), np.ones((8, 8), np.uint8))
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


def number_of(root: Path, path: object) -> int:
    pixels = images.read(root, str(path))
    return sum(int(pixels[4, 8 * bit + 4, 0] > 127) << bit for bit in range(16))


def found(root: Path, within: int = 2) -> select.Result:
    clip = sample("casme2", "sub01", "EP02_01f", FIRST, APEX, LAST)
    result, _ = select_frames([clip], within, reader="casme2", root=root)
    assert len(result.frames) + len(result.excluded) == 3
    for row in result.frames:
        assert number_of(root, row["path"]) == row["frame"], "the frame that the table names"
    return result


def frames(root: Path, *, without: int | None = None, name: str = "img{}.jpg") -> None:
    for number in range(FIRST, LAST + 1):
        if number != without:
            draw(root / FOLDER / name.format(number), number)


COPIES = [
    "img{} (2).jpg",
    "img{}(1).jpg",
    "img{} - Copy.jpg",
    "img{} - Copy (2).jpg",
    "Copy of img{}.jpg",
    "Copy (2) of img{}.jpg",
    "Kopie von img{}.jpg",
    "img{} copy 2.jpg",
    "img{}_copy.jpg",
    "img{} - Kopie.jpg",
    "img{} - 副本.jpg",
    "img {}.jpg",
    "img{} 2.jpg",
    "image{}.jpg",
    "{}_old.jpg",
    "img{}.bak.jpg",
]


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("copied", [APEX, 59 - 57, WRONG])
def test_a_copy_is_no_frame(tmp_path: Path, name: str, copied: int) -> None:
    """Whatever its number: the frame's own, another frame's, or one that no frame has."""
    frames(tmp_path, without=APEX)
    draw(tmp_path / FOLDER / name.format(copied), WRONG)
    draw(tmp_path / FOLDER / name.format(f"{copied}"[:-1] + "9"), WRONG)
    result = found(tmp_path, within=0)
    (row,) = result.excluded
    assert (row["code"], row["image"]) == ("frame_missing", "casme2/sub01/EP02_01f/46/apex")


@pytest.mark.parametrize("name", COPIES[:11])
def test_a_folder_of_copies_alone_has_no_frames(tmp_path: Path, name: str) -> None:
    draw(tmp_path / FOLDER / name.format(APEX), WRONG)
    assert not found(tmp_path).frames


def test_every_frame_was_copied(tmp_path: Path) -> None:
    frames(tmp_path)
    for number in range(FIRST, LAST + 1):
        for name in COPIES[:11]:
            draw(tmp_path / FOLDER / name.format(number), WRONG)
    assert len(found(tmp_path).frames) == 3


@pytest.mark.parametrize(
    ("name", "other"),
    [("img{:03}.png", "img{:02}.png"), ("img{:02}.jpg", "img{:03}.jpg"), ("f{}.jpg", "f{}.png")],
)
def test_of_two_files_for_one_frame_the_one_named_like_its_neighbours(
    tmp_path: Path, name: str, other: str
) -> None:
    frames(tmp_path, name=name)
    draw(tmp_path / FOLDER / other.format(APEX), WRONG)
    result = found(tmp_path)
    assert len(result.frames) == 3
    (folder,) = result.clips[0].folders
    assert folder.beside == [f"{FOLDER}/{other.format(APEX)}"]


@pytest.mark.parametrize(
    ("names", "number", "taken"),
    [
        ("img8 img9 img09 img10", 9, "img9"),
        ("img7 img07 img8 img9 img10", 7, "img7"),
        ("img08 img9 img09 img10 img11", 9, "img09"),
        ("img8 img10 img010 img11", 10, "img10"),
        ("img9 img009 img10 img011", 9, "img9"),
        # Nothing beside them says which one it is.
        ("img9 img09 img10 img11", 9, None),
        ("img9 img09", 9, None),
    ],
)
def test_the_padding_of_the_neighbours_decides(names: str, number: int, taken: str | None) -> None:
    parsed = [numbering.parse(f"{name}.jpg") for name in names.split()]
    found = numbering.numbering(name for name in parsed if name)
    assert found.files.get(number) == (taken and f"{taken}.jpg")


@pytest.mark.parametrize("last", [10, 50, 60, 70, 85])
@pytest.mark.parametrize("first", [0, 1])
def test_of_a_folder_that_was_renumbered_nothing_is_taken(
    tmp_path: Path, first: int, last: int
) -> None:
    """However many numbers fit by chance: the clip was resampled to a fixed count."""
    for number in range(first, last + 1):
        draw(tmp_path / FOLDER / f"img{number}.jpg", WRONG)
    result = found(tmp_path)
    assert [row["code"] for row in result.excluded] == ["clip_renumbered"] * 3
    with pytest.raises(UserError, match=r"renumbered.*were distributed"):
        warning(result, select_frames([], reader="casme2", root=tmp_path)[1], "casme2")


@pytest.mark.parametrize("numbers", [range(50, 83), range(23, 60), range(60, 200)])
def test_numbers_that_do_not_reach_from_onset_to_offset(tmp_path: Path, numbers: range) -> None:
    for number in numbers:
        draw(tmp_path / FOLDER / f"img{number}.jpg", WRONG)
    assert {row["code"] for row in found(tmp_path).excluded} == {"clip_renumbered"}


@pytest.mark.parametrize(
    ("numbers", "phases"),
    [
        (range(1, 120), 3),
        (range(46, 87), 3),
        (range(46, 86), 2),
        ((46, 59, 86), 3),
        ((46, 59), 2),
        (range(46, 87, 20), 2),
    ],
    ids=["whole", "selected", "last one missing", "annotated", "two of them", "every twentieth"],
)
def test_the_folders_that_people_have(tmp_path: Path, numbers: range, phases: int) -> None:
    for number in numbers:
        draw(tmp_path / FOLDER / f"img{number}.jpg", number)
    assert len(found(tmp_path, within=0 if len(numbers) < 5 else 1).frames) >= phases


def test_many_neighbours_are_said(tmp_path: Path) -> None:
    """As where all files are numbered one less than in the table: no single clip shows it."""
    for number in range(FIRST - 1, LAST):
        draw(tmp_path / FOLDER / f"img{number}.jpg", number)
    clip = sample("casme2", "sub01", "EP02_01f", FIRST, APEX, LAST)
    result, index = select_frames([clip], 2, reader="casme2", root=tmp_path)
    assert [row["used"] for row in result.substituted] == [LAST - 1]
    assert (
        "the frames of 1 of 3 images are missing, and their neighbours are taken; for example "
        f"casme2/sub01/EP02_01f/46/offset: frame {LAST - 1} in place of {LAST}. If"
    ) in warning(result, index, "casme2")


def form_of(name: str) -> tuple[str, str] | None:
    parsed = numbering.parse(name)
    return parsed and parsed.form


@pytest.mark.parametrize("without", [None, APEX])
@pytest.mark.parametrize("other", ["flow-{}.jpg", "EP02_01f-{:05}.jpg", "EP02_01f-{}.png"])
def test_a_folder_of_two_series_has_no_frames(
    tmp_path: Path, other: str, without: int | None
) -> None:
    """Such as optical flow beside the frames: neither is used, and it is said."""
    frames(tmp_path, without=without, name="EP02_01f-{}.jpg")
    for number in range(FIRST, LAST + 1):
        draw(tmp_path / FOLDER / other.format(number), WRONG)
    result = found(tmp_path)
    assert not result.frames
    assert "or these are of two series" in str(result.excluded[0]["detail"])


def test_every_copy_is_listed(tmp_path: Path) -> None:
    frames(tmp_path, without=APEX)
    names = [f"img{number} (2).jpg" for number in (57, 58, APEX)]
    for name in names:
        draw(tmp_path / FOLDER / name, WRONG)
    result = found(tmp_path, within=0)
    (folder,) = result.clips[0].folders
    assert folder.beside == [f"{FOLDER}/{name}" for name in names]
    assert "img59 (2).jpg is not taken for it" in str(result.excluded[0]["detail"])


def test_a_path_in_the_config_may_look_like_that_of_copies(tmp_path: Path) -> None:
    for number in (FIRST, APEX, LAST):
        draw(tmp_path / f"c1 ({number}).jpg", number)
    path = "c1 ({frame}).jpg"
    clip = sample("mine", "p1", "c1", FIRST, APEX, LAST, path=path)
    result, _ = select_frames([clip], reader="table", table="t.csv", frames=tmp_path, path=path)
    assert len(result.frames) == 3


NAMES = st.sampled_from(["img{}.jpg", "img{:05}.jpg", "EP02_01f-{}.png", "reg_img{}.jpg", *COPIES])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.integers(0, 60),
    # More than there are strays, and too few to reach the clip's end if numbered from 0.
    st.integers(8, LAST - 1),
    st.sampled_from([None, 0, 1]),
    st.sampled_from(["img{}.jpg", "img{:05}.jpg", "EP02_01f-{}.png"]),
    st.lists(st.tuples(NAMES, st.integers(0, 120)), max_size=6),
    st.integers(0, 3),
)
def test_no_wrong_picture_whatever_the_folder(  # noqa: PLR0913
    tmp_path_factory: pytest.TempPathFactory,
    first: int,
    count: int,
    start: int | None,
    name: str,
    strays: list[tuple[str, int]],
    within: int,
) -> None:
    """Frames as they were, or renumbered from 0 or 1, beside strays of any name."""
    root = tmp_path_factory.mktemp("folder")
    for place in range(count):
        number = first + place if start is None else start + place
        draw(root / FOLDER / name.format(number), number if start is None else WRONG)
    for stray, number in strays:
        path = root / FOLDER / stray.format(number)
        # A second file for a frame, with other padding alone, could be it.
        if form_of(path.name) != form_of(name.format(1)):
            draw(path, WRONG)
    result = found(root, within)
    assert start is None or not result.frames
