"""Tables between the stages that were cut off or edited: a message with their name, or rows."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.examples.pack import read_crops
from fleeting.faces.crop import Job, crop_frames
from fleeting.faces.settings import CropSettings
from fleeting.frames import select
from fleeting.splits import folders, pool, split
from malformed.pictures import PNG

Row = dict[str, str]
Edit = Callable[[str], str]

SCRIPTS = Path(tsv.__file__).parents[1]
LABEL_MAP = {"happiness": ["happiness"], "surprise": ["surprise"]}


def annotation(clip: str = "EP1", **cells: str) -> Row:
    return {
        "sample": f"casme2/sub01/{clip}/1",
        "database": "casme2",
        "subject": "sub01",
        "clip": clip,
        "onset": "1",
        "apex": "2",
        "offset": "3",
        "emotion": "happiness" if clip < "EP4" else "surprise",
        "action_units": "4",
        "table": "t.xlsx",
        "table_row": "2",
        **cells,
    }


def frame(clip: str = "EP1", **cells: str) -> Row:
    sample = f"casme2/sub01/{clip}/1"
    row = {"image": f"{sample}/onset", "sample": sample, "phase": "onset", "frame": "1"}
    return {**row, "path": "img1.png", **cells}


def face(clip: str = "EP1", **cells: str) -> Row:
    corners = dict.fromkeys(("x0", "y0", "x1", "y1"), "1.0")
    sample = f"casme2/sub01/{clip}/1"
    return {
        "image": f"{sample}/onset",
        "sample": sample,
        "phase": "onset",
        "path": f"faces/paper/{sample}/onset.png",
        **corners,
        "confidence": "",
        "detector": "provider",
        "outcome": "provider's crop",
        "file": f"{clip}/img1.png",
        "sha256": "0" * 64,
        **cells,
    }


def example(clip: str = "EP1", **cells: str) -> Row:
    sample = f"casme2/sub01/{clip}/1"
    return {
        "example": f"{sample}/onset",
        "sample": sample,
        "database": "casme2",
        "subject": "sub01",
        "phase": "onset",
        "sha256": "0" * 64,
        "source": f"casme2:{clip}/img1.png",
        **cells,
    }


def as_text(rows: list[Row]) -> str:
    """A table as it is on disk, unchecked."""
    return "".join("\t".join(line) + "\n" for line in (rows[0], *(row.values() for row in rows)))


def written(path: Path, rows: list[Row], schema: tsv.Schema, edit: Edit) -> Path:
    """A table, edited after it was written."""
    tsv.write_rows(rows, path, schema)
    path.write_bytes(edit(path.read_text()).encode("utf-8", "surrogateescape"))
    return path


#: What may happen to any table on a disk or in an editor.
EDITS: dict[str, Edit] = {
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
    "column_twice": lambda text: (
        text.replace("\n", "\tsample\n", 1)
        .replace("\n", "\tx\n")
        .replace("\tsample\tx\n", "\tsample\n")
    ),
    "commas": lambda text: text.replace("\t", ","),
    "spreadsheet": lambda text: "PK\x03\x04" + text,
}


@pytest.mark.parametrize("name", EDITS)
@pytest.mark.parametrize(
    ("row", "schema"),
    [
        (annotation(), tsv.ANNOTATIONS),
        (frame(), tsv.FRAMES),
        (face(), tsv.FACES),
        (example(), tsv.EXAMPLES),
    ],
    ids=["annotations", "frames", "faces", "examples"],
)
def test_a_table_that_is_not_whole(tmp_path: Path, name: str, row: Row, schema: tsv.Schema) -> None:
    path = written(tmp_path / "it's a table.tsv", [row], schema, EDITS[name])
    with pytest.raises(UserError) as error:
        tsv.read_rows(path, schema)
    assert str(path) in str(error.value)


ANNOTATIONS: dict[str, list[Row]] = {
    "clip_up": [annotation("../../x")],
    "clip_dots": [annotation("..")],
    "subject_up": [annotation(subject="../../x", sample="casme2/../../x/EP1/1")],
    "subject_another": [annotation(subject="sub02")],
    "subject_not_a_number": [annotation(subject="one", sample="casme2/one/EP1/1")],
    "database_up": [annotation(database="../x", sample="../x/sub01/EP1/1")],
    "sample_another": [annotation(sample="casme2/sub01/EP2/1")],
    "sample_twice": [annotation(), annotation(onset="1")],
    "onset_huge": [annotation(onset="9" * 5000)],
    "offset_huge": [annotation(offset="9" * 5000)],
}


def select_arguments(folder: Path) -> dict[str, object]:
    names = ("frames", "excluded", "substituted")
    return {
        "database": "casme2",
        "settings": {
            "reader": "casme2",
            "table": str(folder / "t.xlsx"),
            "frames": str(folder / "frames"),
        },
        "selection": {"kind": "phases"},
        "annotations": folder / "a.tsv",
        "nearest_within": 0,
        "subjects": folder / "subjects",
        **{name: folder / f"{name}.tsv" for name in names},
    }


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotations_that_were_edited(tmp_path: Path, name: str) -> None:
    """No table of a subject is written outside its folder, and no number ends in an error."""
    (tmp_path / "frames/sub01/EP1").mkdir(parents=True)
    (tmp_path / "frames/sub01/EP1/img1.png").write_bytes(PNG)
    (tmp_path / "a.tsv").write_text(as_text(ANNOTATIONS[name]))
    with pytest.raises(UserError, match=r"the annotations of .*; rerun with|a\.tsv, line 2, colum"):
        select.run(**select_arguments(tmp_path))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tsv", "frames"]


FRAMES: dict[str, Row] = {
    "image_up": frame(image="casme2/sub01/../../../../x/onset"),
    "image_of_another_subject": frame(image="casme2/sub02/EP1/1/onset"),
    "image_of_another_sample": frame(image="casme2/sub01/EP2/1/onset"),
    "image_short": frame(image="x"),
    "phase_unknown": frame(phase="middle"),
    "frame_a_word": frame(frame="one"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_were_edited(tmp_path: Path, name: str) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/img1.png").write_bytes(PNG)
    path = tmp_path / "sub01.tsv"
    path.write_text(as_text([FRAMES[name]]))
    results, root = tmp_path / "results", tmp_path / "frames"
    job = Job(results, "paper", "casme2", "sub01", root, "cropped", CropSettings(), None)
    with pytest.raises(UserError, match=r"sub01\.tsv, line 2"):
        crop_frames(job, path, tmp_path / "f.tsv", tmp_path / "e.tsv")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["frames", "sub01.tsv"]


CROPS = {
    "no_annotation": ([], [face()]),
    "crop_twice": ([annotation()], [face(), face()]),
    "crop_without_a_sample": ([annotation()], [face(), face("EP2")]),
}


@pytest.mark.parametrize("name", CROPS)
def test_crops_that_do_not_belong_to_the_annotations(tmp_path: Path, name: str) -> None:
    samples, faces = CROPS[name]
    tsv.write_rows(faces, tmp_path / "casme2.tsv", tsv.FACES)
    with pytest.raises(UserError, match=r"casme2\.tsv: casme2/.*; rerun with"):
        read_crops(tmp_path / "casme2.tsv", samples)


CLIPS = [f"EP{number}" for number in range(1, 7)]
#: The tables of a database as they were edited: annotations, examples.
POOLS: dict[str, tuple[list[Row], list[Row]]] = {
    "no_example": ([annotation(clip) for clip in CLIPS], []),
    "no_annotation": ([], [example(clip) for clip in CLIPS]),
    "neither": ([], []),
    "sample_twice": ([annotation(), annotation()], [example()]),
    "example_twice": ([annotation()], [example(), example()]),
    "example_without_a_sample": ([annotation()], [example(), example("EP2")]),
    "one_class": ([annotation("EP1"), annotation("EP2")], [example("EP1"), example("EP2")]),
    "emotions_unknown": (
        [annotation(clip, emotion="?") for clip in CLIPS],
        [example(clip) for clip in CLIPS],
    ),
}


def pooled(folder: Path, samples: list[Row], examples: list[Row]) -> pool.Pool:
    tsv.write_rows(samples, folder / "annotations.tsv", tsv.ANNOTATIONS)
    tsv.write_rows(examples, folder / "examples.tsv", tsv.EXAMPLES)
    everything = pool.annotate([folder / "annotations.tsv"], [folder / "examples.tsv"])
    return pool.make_pool(everything, LABEL_MAP, [])


@pytest.mark.parametrize("name", POOLS)
def test_tables_that_do_not_belong_together(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"casme2/sub01|no database has|two classes"):
        split.divide(
            pooled(tmp_path, *POOLS[name]), list(LABEL_MAP), {"kind": "random_images", "seed": 1}
        )


def test_tables_that_belong_together(tmp_path: Path) -> None:
    found = pooled(
        tmp_path, [annotation(clip) for clip in CLIPS], [example(clip) for clip in CLIPS]
    )
    assert found.examples["phase"].tolist() == ["onset"] * 6
    assert found.unused.empty


LINKS = {
    "label_up": {"label": "../../../x"},
    "example_up": {"example": "casme2/../../../../etc/passwd"},
    "example_absolute": {"example": "/etc/passwd"},
}


@pytest.mark.parametrize("name", LINKS)
def test_a_split_that_leads_out_of_the_results(tmp_path: Path, name: str) -> None:
    row = {
        "example": "casme2/sub01/EP1/1/onset",
        "sample": "casme2/sub01/EP1/1",
        "database": "casme2",
        "subject": "sub01",
        "phase": "onset",
        "label": "happiness",
        "fold": "1",
        "split": "train",
    }
    tsv.write_rows([{**row, **LINKS[name]}], tmp_path / "split.tsv", tsv.SPLIT)
    with pytest.raises(UserError, match=r"split\.tsv: .* lead out of the results"):
        folders.run(
            split=tmp_path / "split.tsv",
            faces=[],
            input={"kind": "image", "crop": "paper"},
            results=tmp_path,
            output=tmp_path / "a/b/images",
        )
    assert [entry.name for entry in tmp_path.rglob("*")] == ["split.tsv"]


def test_a_fold_that_leads_out_of_the_results(tmp_path: Path) -> None:
    (tmp_path / "split.tsv").write_text(as_text([{**example(), "label": "x", "fold": "../x"}]))
    with pytest.raises(UserError, match=r"split\.tsv"):
        tsv.read_rows(tmp_path / "split.tsv", {"fold": tsv.SPLIT["fold"]})


def test_the_jobs_print_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text(as_text([annotation("..")]))
    (tmp_path / "frames/sub01").mkdir(parents=True)
    arguments = [
        part
        for key, value in select_arguments(tmp_path).items()
        for part in (
            f"--{key.replace('_', '-')}",
            json.dumps(value) if isinstance(value, dict) else str(value),
        )
    ]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "job.py"), "frames.select", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the annotations of casme2: ")
    assert "Traceback" not in done.stderr + done.stdout
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tsv", "frames"]
