"""The job that searches for apexes, and the examples that are made of what it found."""

from pathlib import Path

import pytest

from apex_clips import ALL, PAIR, Clips, five_clips
from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.examples.apex import APEXES, with_found
from fleeting.examples.input import crops_by_sample
from fleeting.splits.image_folders import links_of_examples


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    return five_clips(tmp_path)


def of_clip(rows: list[dict[str, str]], column: str) -> dict[str, str]:
    return {row["sample"].split("/")[2]: row[column] for row in rows}


def test_every_sample_has_a_row(clips: Clips) -> None:
    rows = clips.search()
    assert [row["sample"] for row in rows] == sorted(row["sample"] for row in clips.samples)
    assert {row["method"] for row in rows} == {"middle"}
    empty = {"short": "", "endless": "", "without crops": ""}
    assert of_clip(rows, "found") == {"stated": "15", "none": "35", **empty}
    assert of_clip(rows, "middle") == of_clip(rows, "found")
    assert of_clip(rows, "stated") == {"stated": "12", "none": "", **empty, "without crops": "75"}
    used = {"stated": "12", "none": "35", "short": "", "endless": "", "without crops": "75"}
    assert of_clip(rows, "used") == used
    replaced = clips.search(ALL)
    assert of_clip(replaced, "used") == {**used, "stated": "15"}


def test_a_table_without_apexes_gives_examples(clips: Clips) -> None:
    clips.search()
    stated, none = "mine/p1/stated/10", "mine/p1/none/30"
    assert clips.pack({**PAIR, "apex": None}) == {stated: "10 12"}
    assert clips.pack() == {stated: "10 12", none: "30 35"}
    absent = [(name, "phase_missing") for name in ("endless", "short", "without crops")]
    assert clips.missing() == absent
    clips.search(ALL)
    assert clips.pack() == {stated: "10 15", none: "30 35"}
    rows = tsv.read_rows(clips.folder / "mine.tsv", tsv.EXAMPLES)
    source = next(row["source"] for row in rows if row["sample"] == none)
    assert source == f"mine:{none}/onset.jpg + mine:{none}/35.jpg"


@pytest.mark.parametrize("name", registry.names("apex"))
def test_bytes_do_not_depend_on_threads_or_the_order_of_rows(tmp_path: Path, name: str) -> None:
    clips, written = Clips(tmp_path), []
    phases = {10: "onset", 16: "offset"}
    for number in range(4):
        sample = clips.add(f"c{number}", 10, "", 16)
        for frame in range(10, 17):
            clips.crop(sample, phases.get(frame, ""), frame, side=32, noisy=True)
    block = registry.load("apex", name).Settings().model_dump(by_alias=True)
    for threads in (1, 3):
        clips.faces.reverse()
        clips.search(block, threads)
        written.append(clips.table.read_bytes())
    assert written[0] == written[1]
    assert all(row["found"] for row in tsv.read_rows(clips.table, APEXES))


def crops_with_found(clips: Clips, sample: str) -> list[tuple[str, str, str]]:
    """The crops of a sample after the search: phase, frame and picture."""
    crops = with_found(crops_by_sample([clips.results / "faces.tsv"]), [clips.table])
    return [(crop["phase"], crop["frame"], crop["image"].split("/")[-1]) for crop in crops[sample]]


def test_a_frame_has_one_phase_unless_it_is_annotated_as_another(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    # The stated apex is the onset's frame, and a neighbour stands in for a frame between.
    sample = clips.add("c1", 10, 10, 14, 10, 11, 12, 14)
    clips.crop(sample, "", 12)
    (row,) = clips.search(ALL)
    assert (row["stated"], row["found"], row["used"]) == ("10", "12", "12")
    assert crops_with_found(clips, sample)[:3] == [
        ("onset", "10", "onset"),
        ("apex", "12", "12"),
        ("offset", "14", "offset"),
    ]
    assert ("", "10", "apex") in crops_with_found(clips, sample)


def test_the_found_frame_may_be_the_stated_one(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    sample = clips.add("c1", 10, 12, 14, *range(10, 15))
    clips.search(ALL)
    assert crops_with_found(clips, sample) == [
        ("onset", "10", "onset"),
        ("apex", "12", "apex"),
        ("offset", "14", "offset"),
        ("", "11", "11"),
        ("", "13", "13"),
    ]


def test_links_show_the_crop_that_was_packed(clips: Clips) -> None:
    clips.search()
    links = links_of_examples([clips.results / "faces.tsv"], [clips.table], PAIR)
    assert set(links) == {"mine/p1/stated/10", "mine/p1/none/30"}
    assert links["mine/p1/none/30"] == {
        "mine__p1__none__30__onset.png": "faces/paper/mine/p1/none/30/onset.png",
        "mine__p1__none__30__apex.png": "faces/paper/mine/p1/none/30/35.png",
    }


def test_tables_that_do_not_go_together_are_named(clips: Clips) -> None:
    rows = clips.search()
    changed = [{**row, "used": "999"} if row["found"] == "35" else row for row in rows]
    tsv.write_rows(changed, clips.table, APEXES)
    crops = crops_by_sample([clips.results / "faces.tsv"])
    with pytest.raises(UserError, match=r"none/30: its apex is frame 999.*-R find_apex"):
        with_found(crops, [clips.table])
    tsv.write_rows([], clips.table, APEXES)
    with pytest.raises(UserError, match=r"no apex was searched for in .*-R find_apex"):
        with_found(crops, [clips.table])


def test_crops_of_several_sizes_are_refused(tmp_path: Path) -> None:
    clips = Clips(tmp_path)
    sample = clips.add("c1", 10, "", 12, 10, 12)
    clips.crop(sample, "", 11, side=9)
    with pytest.raises(UserError, match=r"is 8 x 8 x 3 uint8, but .* is 9 x 9.*Set `size`"):
        clips.search()
