"""Figures that could show a face: who may be seen, and what stands in."""

import json
import runpy
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fleeting import tables
from fleeting.errors import UserError
from fleeting.evaluation.confused_pairs import PAIRS
from fleeting.figures import confused_pair, cropping, examples, permission, style
from fleeting.paths import crop_path

#: No colour of the figures' own: wherever it is found, a pixel of a frame or crop was shown.
SKIN = (200, 30, 220)
SCRIPTS = Path(__file__).parents[1] / "workflow" / "scripts"
DATABASES = ("casme", "casme2")


@pytest.fixture
def results(tmp_path) -> Path:
    """Two databases with two subjects each; subject s1 is happy, s2 surprised."""
    split = []
    for database in DATABASES:
        frames, faces = [], []
        for subject, label in (("s1", "happiness"), ("s2", "surprise")):
            for phase in ("apex", "onset"):
                sample = f"{database}/{subject}/clip/7"
                image = f"{sample}/{phase}"
                relative = f"{subject}/{phase}.png"
                paint(tmp_path / database / relative, 60, 80)
                paint(tmp_path / crop_path("paper", image), 32, 32)
                frames.append([image, sample, phase, 7, relative])
                box = ["10", "-5", "50", "35", "0.9"]
                faces.append(
                    [image, crop_path("paper", image), *box, "blazeface", "face", "x.jpg", "0" * 64]
                )
                split.append([image, sample, database, subject, phase, label, "1", "test"])
        write(frames, tmp_path / f"frames/{database}.tsv", tables.FRAMES)
        write(faces, tmp_path / f"faces/paper/{database}.tsv", tables.FACES)
    write(split, tmp_path / "experiments/paper/split.tsv", tables.SPLITS)
    return tmp_path


def paint(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), SKIN[::-1], np.uint8))


def write(rows: list, path: Path, schema: tables.Schema) -> None:
    tables.write(pd.DataFrame(rows, columns=list(schema)), path, schema)


def find(results: Path, show_faces="none", synthetic=()) -> list[examples.Example]:
    folders = {database: results / database for database in DATABASES}
    return examples.find(results, "paper", folders, show_faces, synthetic)


def shows_skin(figure, folder: Path) -> bool:
    """Whether the saved figure holds a pixel of a frame or crop."""
    style.save(figure, folder / "figure.svg", folder / "figure.png")
    pixels = cv2.imread(str(folder / "figure.png"))
    found = bool((np.abs(pixels.astype(int) - SKIN[::-1]).max(axis=2) < 12).any())
    assert ("<image" in (folder / "figure.svg").read_text()) == found
    return found


@pytest.mark.parametrize(
    ("show_faces", "expected"),
    [
        ("none", False),
        ("synthetic", False),
        (("casme/s1",), True),
        (("casme/s2", "casme2/s1"), False),
        ((), False),
    ],
)
def test_a_face_of_a_person_is_shown_only_by_name(show_faces, expected):
    assert permission.may_show("casme/s1/clip/7/apex", show_faces, ()) is expected


def test_synthetic_shows_synthetic_databases_alone():
    assert permission.may_show("casme/s1/clip/7/apex", "synthetic", ["casme"])
    assert not permission.may_show("casme2/s1/clip/7/apex", "synthetic", ["casme"])
    assert not permission.may_show("casme/s1/clip/7/apex", "none", ["casme"])


@pytest.mark.parametrize("text", ['"all"', "true", "none", '["casme"]', "[1]", '["a/b/c"]'])
def test_show_faces_that_is_not_understood_is_an_error(text):
    with pytest.raises(UserError, match="show_faces"):
        permission.parse(text)


def test_show_faces_is_read_from_json():
    assert permission.parse('"none"') == "none"
    assert permission.parse('["casme/s1"]') == ("casme/s1",)


def test_cropping_shows_no_pixel_unless_allowed(results, tmp_path):
    assert not shows_skin(cropping.draw(find(results), results), tmp_path)
    assert not shows_skin(cropping.draw(find(results, "synthetic"), results), tmp_path)
    assert shows_skin(cropping.draw(find(results, "synthetic", ["casme"]), results), tmp_path)


def test_cropping_prefers_an_allowed_subject_and_hides_the_other_database(results):
    found = find(results, ("casme/s2",))
    assert [(example.image, example.shown) for example in found] == [
        ("casme/s2/clip/7/apex", True),
        ("casme2/s1/clip/7/apex", False),
    ]


def test_cropping_draws_box_and_measures_to_scale(results):
    axes = cropping.draw(find(results), results).axes[0]
    lines = axes.get_xlabel().splitlines()
    assert lines == ["s1, clip, apex", "frame 80 × 60 px", "cut 40 × 40 px, confidence 0.90"]
    assert axes.get_xlim()[1] == pytest.approx(80.8)
    assert axes.get_ylim()[1] == pytest.approx(-5.8), "the box leaves the frame at the top"


def test_a_providers_crop_is_named(results):
    path = results / "faces/paper/casme.tsv"
    faces = tables.read(path, tables.FACES).assign(detector="provider", confidence="")
    tables.write(faces, path, tables.FACES)
    axes = cropping.draw(find(results), results).axes[0]
    assert axes.get_xlabel().splitlines()[2] == "provider's crop, used whole"


def test_a_database_without_crops_is_left_out(results):
    path = results / "faces/paper/casme.tsv"
    tables.write(tables.read(path, tables.FACES).head(0), path, tables.FACES)
    assert [example.image for example in find(results)] == ["casme2/s1/clip/7/apex"]


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd"])
def test_a_frame_outside_the_databases_folder_is_refused(results, path):
    table = results / "frames/casme.tsv"
    tables.write(tables.read(table, tables.FRAMES).assign(path=path), table, tables.FRAMES)
    with pytest.raises(UserError, match="cannot be shown"):
        cropping.draw(find(results), results)


def test_a_frame_that_is_gone_is_named(results):
    (results / "casme/s1/apex.png").unlink()
    with pytest.raises(UserError, match=r"s1/apex\.png.*missing"):
        cropping.draw(find(results), results)


def draw_pair(results: Path, show_faces="none", synthetic=(), first="happiness"):
    split = tables.read(results / "experiments/paper/split.tsv", tables.SPLITS)
    pair = confused_pair.Pair("the pair", first, "surprise", 0.25, float("nan"))
    return confused_pair.draw([pair], split, results, "paper", show_faces, synthetic)


def test_the_confused_pair_is_from_casme_and_hidden_by_default(results, tmp_path):
    figure = draw_pair(results)
    left, middle, right = figure.axes
    assert left.get_xlabel() == "CASME, s1\nclip, apex"
    assert right.get_xlabel() == "CASME, s2\nclip, apex"
    assert {"0.25", "taken for surprise", "no test images"} <= {
        text.get_text() for text in middle.texts
    }
    assert not shows_skin(figure, tmp_path)


def test_the_confused_pair_is_shown_where_both_subjects_are_allowed(results, tmp_path):
    figure = draw_pair(results, ("casme2/s1", "casme2/s2"))
    assert figure.axes[0].get_xlabel() == "CASME II, s1\nclip, apex"
    assert shows_skin(figure, tmp_path)
    one = draw_pair(results, ("casme2/s1",))
    assert one.axes[0].get_xlabel().startswith("CASME,"), "a pair of which half is hidden"


def test_a_pair_without_an_image_says_so(results, tmp_path):
    figure = draw_pair(results, first="tense")
    assert figure.axes[0].texts[0].get_text() == "no image in the split"
    assert not shows_skin(figure, tmp_path)


def pair_rows(choice: str, lr: str, pair: str, label: str, predicted: str) -> list[dict]:
    common = {"choice": choice, "model": "resnet18", "lr": lr, "pair": pair, "repeats": 2}
    return [
        {**common, "label": label, "predicted": predicted, "rate_mean": 0.3},
        {**common, "label": predicted, "predicted": label, "rate_mean": 0.1},
    ]


def test_pairs_are_the_papers_and_each_choices_worst():
    paper, worst = confused_pair.PAPERS_PAIR, confused_pair.MOST_CONFUSED
    table = pd.DataFrame(
        [
            *pair_rows("paper", "1e-05", paper, "happiness", "surprise"),
            *pair_rows("paper", "1e-05", worst, "happiness", "surprise"),
            *pair_rows("validation", "1e-03", paper, "happiness", "surprise"),
            *pair_rows("validation", "1e-03", worst, "tense", "others"),
        ]
    )
    found = confused_pair.pairs(table)
    assert [(pair.first, pair.second) for pair in found] == [
        ("happiness", "surprise"),
        ("tense", "others"),
    ]
    assert (
        found[0].title == "the paper's pair\npaper's choice:\nResNet18 at 1e-05,\nmean of 2 repeats"
    )
    assert (found[1].first_as_second, found[1].second_as_first) == (0.3, 0.1)


def run_script(name: str, results: Path, monkeypatch, *arguments: str) -> bytes:
    """Run a figure's script in this process; the figure as SVG."""
    svg, png = results / "out" / "figure.svg", results / "out" / "figure.png"
    command = [f"{name}.py", "--results", results, "--experiment", "paper", "--crop", "paper"]
    command += ["--svg", svg, "--png", png, *arguments]
    monkeypatch.setattr("sys.argv", [str(word) for word in command])
    runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")
    return svg.read_bytes()


@pytest.mark.parametrize(
    ("show_faces", "synthetic", "shown"),
    [("none", "casme", False), ("synthetic", "", False), ("synthetic", "casme,casme2", True)],
)
def test_scripts_obey_show_faces(results, monkeypatch, show_faces, synthetic, shown):
    rows = pair_rows("paper", "1e-05", confused_pair.PAPERS_PAIR, "happiness", "surprise")
    rest = dict.fromkeys(PAIRS, "")
    table = pd.DataFrame([{**rest, **row} for row in rows])
    path = results / "experiments" / "paper" / "tables" / "table3_confused_pairs.tsv"
    tables.write(table, path, PAIRS)
    faces = ["--show-faces", json.dumps(show_faces), "--synthetic", synthetic]
    frames = json.dumps({database: str(results / database) for database in DATABASES})
    for name, more in (("figure_cropping", ["--frames", frames]), ("figure_confused_pair", [])):
        assert (b"<image" in run_script(name, results, monkeypatch, *faces, *more)) == shown
