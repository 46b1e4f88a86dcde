"""Figures that could show a face: who may be seen, and what stands in."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.drawing import style
from fleeting.drawing.draw import run
from fleeting.drawing.permission import Permission
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.figures import confused_pair
from fleeting.paths import crop_path, sha256

#: No colour of the figures' own: wherever it is found, a pixel of a frame or crop was shown.
SKIN = (200, 30, 220)
DATABASES = ("casme", "casme2")


@pytest.fixture
def results(tmp_path) -> Path:
    """Two databases with two subjects each; subject s1 is happy, s2 surprised."""
    make(tmp_path, {phase: phase for phase in ("apex", "onset")})
    return tmp_path


def make(folder: Path, examples: dict[str, str], detector: str = "blazeface") -> None:
    """Write the tables and pictures; `examples` has the example's phase for each crop's phase."""
    split = []
    for database in DATABASES:
        samples, faces = [], []
        for subject, label in (("s1", "happiness"), ("s2", "surprise")):
            sample = f"{database}/{subject}/clip/7"
            samples.append([sample, database, subject, "clip", 7, 8, 9, label, "", "x.xlsx", 2])
            for phase, own in examples.items():
                image = f"{sample}/{phase}".rstrip("/")
                relative = f"{subject}/{phase or 'whole'}.png"
                crop = crop_path("paper", image)
                paint(folder / database / relative, 60, 80)
                paint(folder / crop, 32, 32)
                box = ["10", "-5", "50", "35", "0.9" if detector == "blazeface" else ""]
                outcome = [detector, "face", relative, sha256(folder / crop)]
                faces.append([image, sample, phase, crop, *box, *outcome])
                example = f"{sample}/{own}".rstrip("/")
                split.append([example, sample, database, subject, own, label, 1, "test"])
        write(samples, folder / f"annotations/{database}.tsv", tsv.ANNOTATIONS)
        write(faces, folder / f"faces/paper/{database}.tsv", tsv.FACES)
    write(split, folder / "experiments/paper/split.tsv", tsv.SPLIT)
    pairs = pair_rows("paper", "1e-05", schemas.PAPERS_PAIR, "happiness", "surprise")
    table = pd.DataFrame([dict.fromkeys(schemas.PAIRS, "") | row for row in pairs])
    path = folder / "experiments/paper/tables/table3_confused_pairs.tsv"
    tsv.write(table, path, schemas.PAIRS)


def paint(path: Path, height: int, width: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, width, 3), SKIN[::-1], np.uint8))


def write(rows: list, path: Path, schema: tsv.Schema) -> None:
    tsv.write(pd.DataFrame(rows, columns=list(schema)), path, schema)


def declared(name: str, results: Path) -> dict[str, list[Path]]:
    """The files that a figure declares."""
    found = {}
    for key, path in registry.constants("figure", name)["READS"].items():
        expanded = [
            path.format(database=database, crop="paper", experiment="paper")
            for database in DATABASES
        ]
        found[key] = [results / each for each in dict.fromkeys(expanded)]
    return found


def values(name: str, results: Path, show_faces="none", synthetic=(), kind="image") -> dict:
    """The values of the config that a figure declares."""
    every = {
        "databases": list(DATABASES),
        "frames_roots": {database: str(results / database) for database in DATABASES},
        "show_faces": show_faces,
        "synthetic": list(synthetic),
        "input.kind": kind,
    }
    return {key: every[key] for key in registry.constants("figure", name)["SETTINGS"]}


def draw(name: str, results: Path, *faces, **more):
    module = registry.load("figure", name)
    return module.draw(declared(name, results), values(name, results, *faces, **more))


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
        ("casme/s1", False),
        (["casme/s1"], True),
        (["casme/s2", "casme2/s1"], False),
        ([], False),
    ],
)
def test_a_face_of_a_person_is_shown_only_by_name(show_faces, expected):
    assert Permission(show_faces, ()).allows("casme", "s1") is expected


def test_synthetic_shows_synthetic_databases_alone():
    assert Permission("synthetic", ["casme"]).allows("casme", "s1")
    assert not Permission("synthetic", ["casme"]).allows("casme2", "s1")
    assert not Permission("none", ["casme"]).allows("casme", "s1")


def test_cropping_shows_no_pixel_unless_allowed(results, tmp_path):
    assert not shows_skin(draw("cropping", results), tmp_path)
    assert not shows_skin(draw("cropping", results, "synthetic"), tmp_path)
    assert shows_skin(draw("cropping", results, "synthetic", ["casme"]), tmp_path)


def test_cropping_prefers_an_allowed_subject_and_hides_the_other_database(results):
    axes = draw("cropping", results, ["casme/s2"]).axes
    assert [axes[place].get_xlabel().splitlines()[0] for place in (0, 2)] == [
        "s2, clip, apex",
        "s1, clip, apex",
    ]
    assert [len(axes[place].images) for place in (0, 2)] == [1, 0]


def test_cropping_draws_box_and_measures_to_scale(results):
    axes = draw("cropping", results).axes[0]
    lines = axes.get_xlabel().splitlines()
    assert lines == ["s1, clip, apex", "frame 80 × 60 px", "cut 40 × 40 px, confidence 0.90"]
    assert axes.get_xlim()[1] == pytest.approx(80.8)
    assert axes.get_ylim()[1] == pytest.approx(-5.8), "the box leaves the frame at the top"


@pytest.mark.parametrize(
    ("detector", "text"),
    [("provider", "provider's crop, used whole"), ("none", "used whole")],
)
def test_a_picture_in_which_nothing_was_detected_says_so(tmp_path, detector, text):
    make(tmp_path, {"": ""}, detector)
    axes = draw("cropping", tmp_path).axes[0]
    assert axes.get_xlabel().splitlines() == ["s1, clip", "frame 80 × 60 px", text]


def test_a_database_without_crops_is_left_out(results):
    path = results / "faces/paper/casme.tsv"
    tsv.write(tsv.read(path, tsv.FACES).head(0), path, tsv.FACES)
    assert draw("cropping", results).axes[0].get_title("left") == "CASME II"


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd"])
def test_a_frame_outside_the_databases_folder_is_refused(results, path):
    table = results / "faces/paper/casme.tsv"
    tsv.write(tsv.read(table, tsv.FACES).assign(file=path), table, tsv.FACES)
    with pytest.raises(UserError, match="cannot be shown"):
        draw("cropping", results)


def test_a_frame_that_is_gone_is_named(results):
    (results / "casme/s1/apex.png").unlink()
    with pytest.raises(UserError, match=r"s1/apex\.png.*missing"):
        draw("cropping", results)


@pytest.mark.parametrize("name", ["cropping", "confused_pair"])
def test_a_crop_that_is_not_the_one_in_the_table_is_refused(results, name):
    paint(results / crop_path("paper", "casme/s1/clip/7/apex"), 20, 20)
    with pytest.raises(UserError, match="another sha256"):
        draw(name, results, "synthetic", DATABASES)


def test_the_confused_pair_is_from_casme_and_hidden_by_default(results, tmp_path):
    figure = draw("confused_pair", results)
    left, middle, right = figure.axes
    assert left.get_xlabel() == "CASME, s1\nclip, apex"
    assert right.get_xlabel() == "CASME, s2\nclip, apex"
    assert {"0.30", "taken for surprise"} <= {text.get_text() for text in middle.texts}
    assert not shows_skin(figure, tmp_path)


def test_the_confused_pair_is_shown_where_both_subjects_are_allowed(results, tmp_path):
    figure = draw("confused_pair", results, ["casme2/s1", "casme2/s2"])
    assert figure.axes[0].get_xlabel() == "CASME II, s1\nclip, apex"
    assert shows_skin(figure, tmp_path)
    one = draw("confused_pair", results, ["casme2/s1"])
    assert one.axes[0].get_xlabel().startswith("CASME,"), "a pair of which half is hidden"


def test_a_pair_without_an_example_or_a_rate_says_so(results, tmp_path):
    path = declared("confused_pair", results)["pairs"][0]
    table = tsv.read(path, schemas.PAIRS).replace({"happiness": "tense", "0.100000": ""})
    tsv.write(table, path, schemas.PAIRS)
    figure = draw("confused_pair", results)
    assert figure.axes[0].texts[0].get_text() == "no image in the split"
    assert "no test images" in {text.get_text() for text in figure.axes[1].texts}
    assert not shows_skin(figure, tmp_path)


def test_a_stack_of_two_crops_shows_the_first(tmp_path):
    make(tmp_path, {"apex": "", "onset": ""})
    figure = draw("confused_pair", tmp_path, "synthetic", DATABASES, kind="onset_apex")
    assert figure.axes[0].get_xlabel() == "CASME, s1\nclip, onset"


def test_a_ready_picture_without_a_face_obeys_show_faces(tmp_path):
    make(tmp_path, {"": ""}, "none")
    hidden = draw("confused_pair", tmp_path)
    assert hidden.axes[0].get_xlabel() == "CASME, s1\nclip"
    assert not shows_skin(hidden, tmp_path)
    assert shows_skin(draw("confused_pair", tmp_path, ["casme/s1", "casme/s2"]), tmp_path)


def pair_rows(choice: str, lr: str, pair: str, label: str, predicted: str) -> list[dict]:
    common = {"choice": choice, "model": "resnet18", "lr": lr, "pair": pair, "repeats": 2}
    return [
        {**common, "label": label, "predicted": predicted, "rate_mean": 0.3},
        {**common, "label": predicted, "predicted": label, "rate_mean": 0.1},
    ]


def test_pairs_are_the_papers_and_each_choices_worst():
    paper, worst = schemas.PAPERS_PAIR, schemas.MOST_CONFUSED
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


@pytest.mark.parametrize("name", ["cropping", "confused_pair"])
@pytest.mark.parametrize(
    ("show_faces", "synthetic", "shown"),
    [("none", ["casme"], False), ("synthetic", [], False), ("synthetic", DATABASES, True)],
)
def test_the_job_obeys_show_faces(results, name, show_faces, synthetic, shown):
    files = [f"{key}={path}" for key, paths in declared(name, results).items() for path in paths]
    settings = values(name, results, show_faces, synthetic)
    svg, png = results / "out" / "a.svg", results / "out" / "a.png"
    run(figure=name, files=files, settings=settings, svg=svg, png=png)
    assert (b"<image" in svg.read_bytes()) == shown
