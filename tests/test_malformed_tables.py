"""Tables between the stages that were truncated or edited: a message with their name, or rows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.examples.pack import read_crops
from fleeting.faces.crop import crop_frames
from fleeting.faces.crop_sample import CropJob
from fleeting.faces.settings import CropSettings
from fleeting.frames import select
from fleeting.splits import image_folders, pool, split
from malformed.pictures import PNG
from small_splits import resolved_map

Row = dict[str, str]

LABEL_MAP = {"happiness": ["happiness"], "surprise": ["surprise"]}
SAMPLE = "casme2/sub01/EP1/1"
CELLS = {
    **{"sample": SAMPLE, "image": f"{SAMPLE}/onset", "example": f"{SAMPLE}/onset"},
    **{"database": "casme2", "subject": "sub01", "clip": "EP1", "phase": "onset", "frame": "1"},
    **{"onset": "1", "apex": "2", "offset": "3", "emotion": "happiness", "action_units": "4"},
    **{"table": "t.xlsx", "table_row": "2", "path": "img1.png", "file": "EP1/img1.png"},
    **dict.fromkeys(("x0", "y0", "x1", "y1", "confidence"), "1.0"),
    **{"detector": "provider", "outcome": "provider's crop", "sha256": "0" * 64},
    **{"source": "casme2:EP1/img1.png", "label": "happiness", "fold": "1", "split": "train"},
    **{"person": "casme2/sub01", "recording": "casme2/sub01/EP1"},
}


def row(schema: tsv.Schema, clip: str = "EP1", **cells: str) -> Row:
    """A row of a clip whose tables belong together, with other cells."""
    return {column: CELLS.get(column, "").replace("EP1", clip) for column in schema} | cells


def annotation(clip: str = "EP1", **cells: str) -> Row:
    return row(tsv.ANNOTATIONS, clip, **cells)


def example(clip: str = "EP1") -> Row:
    return row(tsv.EXAMPLES, clip)


def write_unchecked(path: Path, rows: list[Row]) -> None:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    path.write_text("".join("\t".join(cells) + "\n" for cells in lines))


#: What may happen to any table on a disk or in an editor.
EDITS: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "cut_off": lambda text: text[:-1],
    "half": lambda text: text[: len(text) // 2],
    "no_header": lambda text: text.partition("\n")[2],
    "a_cell_more": lambda text: text[:-1] + "\tx\n",
    "a_cell_less": lambda text: text.rpartition("\t")[0] + "\n",
    "empty_line": lambda text: text + "\n",
    "not_utf8": lambda text: text.replace("casme2", "\udcff", 1),
    "nul": lambda text: "\0" * len(text),
    "column_renamed": lambda text: f"x{text}",
    "column_twice": lambda text: text.replace("\n", "\tsample\n"),
    "commas": lambda text: text.replace("\t", ","),
    "spreadsheet": lambda text: "PK\x03\x04" + text,
}


@pytest.mark.parametrize("name", EDITS)
def test_a_table_that_is_not_whole(tmp_path: Path, name: str) -> None:
    path = tmp_path / "it's a table.tsv"
    tsv.write_rows([annotation()], path, tsv.ANNOTATIONS)
    path.write_bytes(EDITS[name](path.read_text()).encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError) as error:
        tsv.read_rows(path, tsv.ANNOTATIONS)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    "rows",
    [
        [annotation("../../x")],
        [annotation("..")],
        [annotation(subject="../../x", sample="casme2/../../x/EP1/1")],
        [annotation(subject="sub02")],
        [annotation(subject="one", sample="casme2/one/EP1/1")],
        [annotation(database="../x", sample="../x/sub01/EP1/1")],
        [annotation(sample="casme2/sub01/EP2/1")],
        [annotation(), annotation()],
        [annotation(onset="9" * 5000)],
        [annotation(offset="9" * 5000)],
    ],
)
def test_annotations_that_were_edited(tmp_path: Path, rows: list[Row]) -> None:
    """Nothing is written for a name that leads elsewhere, and a huge number is named."""
    (tmp_path / "frames/sub01/EP1").mkdir(parents=True)
    (tmp_path / "frames/sub01/EP1/img1.png").write_bytes(PNG)
    write_unchecked(tmp_path / "a.tsv", rows)
    with pytest.raises(UserError, match=r"the annotations of .*; rerun with|a\.tsv, line 2, colum"):
        select.run(
            database="casme2",
            settings={"reader": "casme2", "table": "t.xlsx", "frames": str(tmp_path / "frames")},
            selection={"kind": "phases"},
            annotations=tmp_path / "a.tsv",
            nearest_within=0,
            accept_losses=False,
            frames=tmp_path / "frames.tsv",
            excluded=tmp_path / "excluded.tsv",
            substituted=tmp_path / "substituted.tsv",
        )
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tsv", "frames"]


@pytest.mark.parametrize(
    "cells",
    [
        {"image": "casme2/sub01/../../../../x/onset"},
        {"image": "casme2/sub02/EP1/1/onset"},
        {"image": "casme2/sub01/EP2/1/onset"},
        {"image": "x"},
        {"phase": "middle"},
        {"frame": "one"},
    ],
)
def test_frames_that_were_edited(tmp_path: Path, cells: Row) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/img1.png").write_bytes(PNG)
    path = tmp_path / "casme2.tsv"
    write_unchecked(path, [row(tsv.FRAMES, **cells)])
    job = CropJob(
        tmp_path / "results", "paper", "casme2", tmp_path / "frames", "cropped", CropSettings()
    )
    with pytest.raises(UserError, match=r"casme2\.tsv, line 2"):
        crop_frames(job, path, None, [], 1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["casme2.tsv", "frames"]


def test_crops_without_a_sample(tmp_path: Path) -> None:
    crops = [row(tsv.FACES), row(tsv.FACES, "EP2")]
    tsv.write_rows(crops, tmp_path / "casme2.tsv", tsv.FACES)
    with pytest.raises(UserError, match=r"casme2\.tsv: casme2/sub01/EP2/1.*; rerun with"):
        read_crops(tmp_path / "casme2.tsv", [annotation()])


def divide(annotations: Path, examples: Path) -> None:
    label_map = resolved_map(LABEL_MAP, "casme2")
    found = pool.make_pool(pool.annotate([annotations], [examples]), label_map, [])
    split.apply_protocol(found, label_map.classes, {"kind": "random_images", "seed": 1}, 1)


@pytest.mark.parametrize(
    ("samples", "examples"),
    [
        ([annotation()], []),
        ([], [example()]),
        ([], []),
        ([annotation(), annotation()], [example()]),
        ([annotation()], [example(), example()]),
        ([annotation()], [example(), example("EP2")]),
        ([annotation(), annotation("EP2")], [example(), example("EP2")]),
        ([annotation(emotion="?")], [example()]),
    ],
    ids=[
        *("no_example", "no_annotation", "neither", "sample_twice", "example_twice"),
        *("example_without_a_sample", "one_class", "emotion_unknown"),
    ],
)
def test_tables_that_do_not_belong_together(
    tmp_path: Path, samples: list[Row], examples: list[Row]
) -> None:
    tables = tmp_path / "annotations.tsv", tmp_path / "examples.tsv"
    tsv.write_rows(samples, tables[0], tsv.ANNOTATIONS)
    tsv.write_rows(examples, tables[1], tsv.EXAMPLES)
    with pytest.raises(UserError, match=r"casme2/sub01|no database has|two classes"):
        divide(*tables)


@pytest.mark.parametrize(
    "cells",
    [
        {"label": "../../../x"},
        {"example": "casme2/../../../../etc/passwd"},
        {"example": "/etc/passwd"},
        {"fold": "../x"},
    ],
)
def test_a_split_that_leads_out_of_the_results(tmp_path: Path, cells: Row) -> None:
    write_unchecked(tmp_path / "split.tsv", [row(tsv.SPLIT, **cells)])
    with pytest.raises(UserError, match=r"split\.tsv: .* lead out of the results|split\.tsv, line"):
        image_folders.run(
            split=tmp_path / "split.tsv",
            faces=[],
            apexes=[],
            input={"kind": "image", "crop": "paper"},
            results=tmp_path,
            output=tmp_path / "a/b/images",
        )
    assert [entry.name for entry in tmp_path.rglob("*")] == ["split.tsv"]
