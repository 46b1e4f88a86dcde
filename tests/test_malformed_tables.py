"""Tables between the stages that were cut off or edited: a message with their name, or rows."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fleeting import tables
from fleeting.databases import reader
from fleeting.errors import UserError
from fleeting.faces.crop import Job, run
from fleeting.faces.settings import parse
from fleeting.frames import index, select
from fleeting.splits import folders
from fleeting.splits.pool import read_crops
from fleeting.splits.split import split
from malformed.pictures import PNG

Row = dict[str, str]
Edit = Callable[[str], str]

SETTINGS = {
    "detector": {"name": "blazeface", "confidence": 0.5},
    "box": "frame",
    "size": 16,
    "provider_crops": "keep",
}
SCRIPTS = Path(tables.__file__).parents[1]


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
    image = f"casme2/sub01/{clip}/1/onset"
    return {
        "image": image,
        "path": f"faces/paper/{image}.png",
        **corners,
        "confidence": "",
        "detector": "provider",
        "outcome": "provider's crop",
        "file": f"{clip}/img1.png",
        "sha256": "0" * 64,
        **cells,
    }


def written(path: Path, rows: list[Row], schema: tables.Schema, edit: Edit) -> Path:
    """A table, edited after it was written."""
    tables.write_rows(rows, path, schema)
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
    "no_utf8": lambda text: text.replace("casme2", "\udcff", 1),
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
        (annotation(), tables.ANNOTATIONS),
        (frame(), tables.FRAMES),
        (face(), {**tables.FACES, "sample": tables.NAME}),
    ],
    ids=["annotations", "frames", "faces"],
)
def test_a_table_that_is_not_whole(
    tmp_path: Path, name: str, row: Row, schema: tables.Schema
) -> None:
    row = {"sample": "x", **row}
    path = written(tmp_path / "it's a table.tsv", [row], schema, EDITS[name])
    with pytest.raises(UserError) as error:
        tables.read_rows(path, schema)
    assert str(path) in str(error.value)


ANNOTATIONS: dict[str, list[Row]] = {
    "clip_up": [annotation("../../x")],
    "clip_dots": [annotation("..")],
    "subject_up": [annotation(subject="../../x", sample="casme2/../../x/EP1/1")],
    "subject_another": [annotation(subject="sub02")],
    "subject_no_number": [annotation(subject="one", sample="casme2/one/EP1/1")],
    "database_up": [annotation(database="../x", sample="../x/sub01/EP1/1")],
    "sample_another": [annotation(sample="casme2/sub01/EP2/1")],
    "sample_twice": [annotation(), annotation(onset="1")],
    "onset_huge": [annotation(onset="9" * 5000)],
    "offset_huge": [annotation(offset="9" * 5000)],
}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_annotations_that_were_edited(tmp_path: Path, name: str) -> None:
    """No table of a subject is written outside its folder, and no number ends in an error."""
    (tmp_path / "frames/sub01/EP1").mkdir(parents=True)
    (tmp_path / "frames/sub01/EP1/img1.png").write_bytes(PNG)
    samples, built = pd.DataFrame(ANNOTATIONS[name]), index.build(tmp_path / "frames")
    with pytest.raises(UserError, match="the annotations of .*: '.*; give your command again"):
        select.select(samples, built, reader.load("casme2"), "raw", 0)


FRAMES: dict[str, Row] = {
    "image_up": frame(image="casme2/sub01/../../../../x/onset"),
    "image_of_another_subject": frame(image="casme2/sub02/EP1/1/onset"),
    "image_of_another_phase": frame(phase="apex"),
    "image_short": frame(image="x"),
    "phase_unknown": frame(phase="middle"),
    "frame_a_word": frame(frame="one"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_were_edited(tmp_path: Path, name: str) -> None:
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames/img1.png").write_bytes(PNG)
    path = tmp_path / "sub01.tsv"
    rows = [FRAMES[name]]
    path.write_text("\n".join("\t".join(line) for line in (rows[0], rows[0].values())) + "\n")
    folder = tmp_path / "results/faces/paper/casme2/sub01"
    settings = parse(json.dumps(SETTINGS), "paper")
    job = Job("paper", "casme2", "sub01", tmp_path / "frames", folder, "cropped", settings, None)
    with pytest.raises(UserError, match="sub01.tsv, line 2"):
        run(job, path, tmp_path / "f.tsv", tmp_path / "e.tsv")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["frames", "sub01.tsv"]


CLIPS = [f"EP{number}" for number in range(1, 7)]
#: The tables of a database as they were edited: annotations, crops.
POOLS: dict[str, tuple[list[Row], list[Row]]] = {
    "no_crop": ([annotation(clip) for clip in CLIPS], []),
    "no_annotation": ([], [face(clip) for clip in CLIPS]),
    "neither": ([], []),
    "sample_twice": ([annotation(), annotation()], [face()]),
    "crop_twice": ([annotation()], [face(), face()]),
    "crop_without_a_sample": ([annotation()], [face(), face("EP2")]),
    "image_of_one_part": ([annotation()], [face(image="x")]),
    "image_of_slashes": ([annotation()], [face(image="///")]),
    "one_class": ([annotation("EP1"), annotation("EP2")], [face("EP1"), face("EP2")]),
    "emotions_unknown": (
        [annotation(clip, emotion="?") for clip in CLIPS],
        [face(clip) for clip in CLIPS],
    ),
}


def pool(folder: Path, name: str) -> None:
    samples, faces = POOLS[name]
    tables.write_rows(samples, folder / "annotations/casme2.tsv", tables.ANNOTATIONS)
    tables.write_rows(faces, folder / "faces/paper/casme2.tsv", tables.FACES)


@pytest.mark.parametrize("name", POOLS)
def test_tables_that_do_not_belong_together(tmp_path: Path, name: str) -> None:
    pool(tmp_path, name)
    settings = {
        "images_per_class": 10,
        "test_fraction": 0.25,
        "validation": {"from": "train", "fraction": 0.2},
        "seed": 1,
        "unseen_subjects": [],
    }
    with pytest.raises(UserError, match="casme2|two classes"):
        split(
            tmp_path,
            "paper",
            ["casme2"],
            {"happiness": ["happiness"], "surprise": ["surprise"]},
            ["onset"],
            settings,
        )


def test_tables_that_belong_together(tmp_path: Path) -> None:
    tables.write_rows(
        [annotation(clip) for clip in CLIPS],
        tmp_path / "annotations/casme2.tsv",
        tables.ANNOTATIONS,
    )
    tables.write_rows(
        [face(clip) for clip in CLIPS], tmp_path / "faces/paper/casme2.tsv", tables.FACES
    )
    crops = read_crops(tmp_path, "paper", ["casme2"])
    assert crops["phase"].tolist() == ["onset"] * 6


LINKS = {
    "label_up": {"label": "../../../x"},
    "fold_up": {"fold": "/../../../x"},
    "image_up": {"image": "casme2/../../../../etc/passwd"},
    "image_absolute": {"image": "/etc/passwd"},
}


@pytest.mark.parametrize("name", LINKS)
def test_a_split_that_leads_out_of_the_results(tmp_path: Path, name: str) -> None:
    row = {
        "image": "casme2/sub01/EP1/1/onset",
        "sample": "casme2/sub01/EP1/1",
        "database": "casme2",
        "subject": "sub01",
        "phase": "onset",
        "label": "happiness",
        "fold": "1",
        "split": "train",
    }
    tables.write_rows([{**row, **LINKS[name]}], tmp_path / "split.tsv", tables.SPLITS)
    with pytest.raises(UserError, match="split.tsv: .* lead out of the results"):
        folders.link(tmp_path / "split.tsv", tmp_path / "faces", tmp_path / "a/b/images")
    assert [entry.name for entry in tmp_path.rglob("*")] == ["split.tsv"]


def test_the_scripts_print_no_traceback(tmp_path: Path) -> None:
    frame_of = pd.DataFrame([annotation("..")])
    tables.write(frame_of, tmp_path / "a.tsv", tables.ANNOTATIONS)
    (tmp_path / "frames/sub01").mkdir(parents=True)
    options = {
        "database": "casme2",
        "annotations": tmp_path / "a.tsv",
        "frames": tmp_path / "frames",
        "source": "raw",
        "nearest-within": 0,
        "frames-table": tmp_path / "f.tsv",
        "excluded": tmp_path / "e.tsv",
        "substituted": tmp_path / "s.tsv",
        "subjects": tmp_path / "subjects",
    }
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "select_frames.py"), *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the annotations of casme2: ")
    assert "Traceback" not in done.stderr + done.stdout
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.tsv", "frames"]
