"""Figures that could show a face: who may be seen, and what stands in."""

from pathlib import Path

import pandas as pd
import pytest

from fabricated_runs import DATABASES, declared
from fleeting import registry, tsv
from fleeting.drawing import draw as draw_job
from fleeting.drawing import show_faces
from fleeting.errors import UserError
from fleeting.evaluation import schemas
from fleeting.evaluation.schemas import MOST_CONFUSED, PAPERS_PAIR
from fleeting.figures import confused_pair
from fleeting.paths import crop_path, sha256
from painted_faces import paint, shows_skin

FIGURES = ["cropping", "confused_pair"]


@pytest.fixture
def results(tmp_path) -> Path:
    """Two databases with two subjects each; subject s1 is happy, s2 surprised."""
    make(tmp_path, {phase: phase for phase in ("apex", "onset")})
    return tmp_path


def make(folder: Path, examples: dict[str, str], detector: str = "blazeface") -> None:
    """Write the tables and images; `examples` has the example's phase for each crop's phase."""
    split = []
    for database in DATABASES:
        samples, faces = [], []
        for subject, label in (("s1", "happiness"), ("s2", "surprise")):
            sample = f"{database}/{subject}/clip/7"
            samples.append([sample, database, subject, "clip", 7, 8, 9, label, "", "x.xlsx", 2])
            for phase, own in examples.items():
                image = f"{sample}/{phase}".rstrip("/")
                frame, crop = f"{subject}/{phase or 'whole'}.png", crop_path("paper", image)
                paint(folder / database / frame, 60, 80)
                paint(folder / crop, 32, 32)
                box = ["10", "-5", "50", "35", "0.9" if detector == "blazeface" else ""]
                outcome = [detector, "face", frame, sha256(folder / crop), "", "", "", "", ""]
                faces.append([image, sample, phase, crop, *box, *outcome])
                example = f"{sample}/{own}".rstrip("/")
                names = [f"{database}/{subject}", sample]
                split.append([example, sample, database, subject, own, label, 1, "test", *names])
        write(samples, folder / f"annotations/{database}.tsv", tsv.ANNOTATIONS)
        write(faces, folder / f"faces/paper/{database}.tsv", tsv.FACES)
    write(split, folder / "experiments/paper/split.tsv", tsv.SPLIT)
    pairs = pd.DataFrame(pair_rows("paper", "1e-05", PAPERS_PAIR, "happiness", "surprise"))
    path = folder / "experiments/paper/tables/table3_confused_pairs.tsv"
    tsv.write(pairs.reindex(columns=list(schemas.PAIRS)), path, schemas.PAIRS)


def write(rows: list, path: Path, schema: tsv.Schema) -> None:
    tsv.write(pd.DataFrame(rows, columns=list(schema)), path, schema)


def pair_rows(choice: str, lr: str, pair: str, label: str, predicted: str) -> list[dict]:
    common = {"choice": choice, "model": "resnet18", "lr": lr, "pair": pair, "repeats": "2"}
    return [
        {**common, "label": label, "predicted": predicted, "rate_mean": "0.3"},
        {**common, "label": predicted, "predicted": label, "rate_mean": "0.1"},
    ]


def values(name: str, results: Path, faces="none", synthetic=(), kind="image") -> dict:
    """The values of the config that a figure declares."""
    every = {
        "frames_roots": {database: str(results / database) for database in DATABASES},
        "show_faces": faces,
        "synthetic": list(synthetic),
        "input.kind": kind,
    }
    return {key: every[key] for key in registry.constants("figure", name)["SETTINGS"]}


def draw(name: str, results: Path, *faces, **more):
    files = declared("figure", name, results)
    return registry.load("figure", name).draw(files, values(name, results, *faces, **more))


@pytest.mark.parametrize(
    ("faces", "synthetic", "expected"),
    [
        ("none", [], False),
        ("none", ["casme"], False),
        ("synthetic", [], False),
        ("synthetic", ["samm"], False),
        ("synthetic", ["casme"], True),
        ("casme/s1", [], False),
        (["casme/s1"], [], True),
        (["casme/s2", "samm/s1"], [], False),
        ([], [], False),
    ],
)
def test_a_face_is_shown_only_by_name_or_of_a_synthetic_database(faces, synthetic, expected):
    settings = {"show_faces": faces, "synthetic": synthetic}
    assert show_faces.allowed(settings, "casme", "s1") is expected


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    ("faces", "synthetic", "shown"),
    [
        ("none", ["casme"], False),
        ("synthetic", [], False),
        ("synthetic", DATABASES, True),
        (["samm/s1", "samm/s2"], [], True),
    ],
)
def test_a_figure_holds_no_pixel_that_may_not_be_shown(results, name, faces, synthetic, shown):
    assert shows_skin(draw(name, results, faces, synthetic), results) == shown


def test_cropping_prefers_an_allowed_subject_and_hides_the_other_database(results):
    axes = draw("cropping", results, ["casme/s2"]).axes
    captions = [axes[place].get_xlabel().splitlines()[0] for place in (0, 2)]
    assert captions == ["s2, clip, apex", "s1, clip, apex"]
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
def test_an_image_in_which_nothing_was_detected_says_so(tmp_path, detector, text):
    make(tmp_path, {"": ""}, detector)
    axes = draw("cropping", tmp_path).axes[0]
    assert axes.get_xlabel().splitlines() == ["s1, clip", "frame 80 × 60 px", text]


def test_a_database_without_crops_is_left_out(results):
    write([], results / "faces/paper/casme.tsv", tsv.FACES)
    assert draw("cropping", results).axes[0].get_title("left") == "SAMM"


@pytest.mark.parametrize("path", ["../../secret.png", "/etc/passwd", "s1/gone.png"])
def test_a_frame_that_is_missing_or_outside_the_databases_folder_is_named(results, path):
    table = results / "faces/paper/casme.tsv"
    tsv.write(tsv.read(table, tsv.FACES).assign(file=path), table, tsv.FACES)
    with pytest.raises(UserError, match=f"{path}.*cannot be shown"):
        draw("cropping", results)


@pytest.mark.parametrize("name", FIGURES)
def test_a_crop_that_is_not_the_one_in_the_table_is_refused(results, name):
    paint(results / crop_path("paper", "casme/s1/clip/7/apex"), 20, 20)
    with pytest.raises(UserError, match="another sha256"):
        draw(name, results, "synthetic", DATABASES)


@pytest.mark.parametrize(
    ("faces", "database"),
    [("none", "CASME"), (["samm/s1", "samm/s2"], "SAMM"), (["samm/s1"], "CASME")],
)
def test_the_confused_pair_is_from_casme_unless_another_may_be_shown(results, faces, database):
    left, middle, right = draw("confused_pair", results, faces).axes
    assert left.get_xlabel() == f"{database}, s1\nclip, apex"
    assert right.get_xlabel() == f"{database}, s2\nclip, apex"
    assert {"0.30", "taken for surprise"} <= {text.get_text() for text in middle.texts}


def test_a_pair_without_an_example_or_a_rate_says_so(results):
    path = results / "experiments/paper/tables/table3_confused_pairs.tsv"
    table = tsv.read(path, schemas.PAIRS).replace({"happiness": "tense", "0.1": ""})
    tsv.write(table, path, schemas.PAIRS)
    left, middle, _ = draw("confused_pair", results).axes
    assert left.texts[0].get_text() == "no image in the split"
    assert "no test images" in {text.get_text() for text in middle.texts}


@pytest.mark.parametrize(
    ("examples", "kind", "caption"),
    [
        ({"apex": "", "onset": ""}, "onset_apex", "CASME, s1\nclip, onset"),
        ({"": ""}, "image", "CASME, s1\nclip"),
    ],
)
def test_of_a_stack_of_crops_the_first_is_shown(tmp_path, examples, kind, caption):
    make(tmp_path, examples)
    figure = draw("confused_pair", tmp_path, "synthetic", DATABASES, kind=kind)
    assert figure.axes[0].get_xlabel() == caption
    assert figure.axes[0].images


def test_a_frame_without_a_phase_is_the_last_to_be_shown(tmp_path):
    """As the neutral frame, though the example of a clip has no phase either."""
    make(tmp_path, {"offset": "", "onset": ""})
    for database in DATABASES:
        table = tmp_path / f"faces/paper/{database}.tsv"
        faces = tsv.read(table, tsv.FACES)
        onsets = faces[faces["phase"] == "onset"]
        images = onsets["image"].str.replace("/onset", "/neutral")
        neutral = onsets.assign(phase="", frame="8", image=images)
        tsv.write(pd.concat([neutral, faces]), table, tsv.FACES)
    pair, cropping = (
        draw(name, tmp_path, "synthetic", DATABASES).axes[0] for name in FIGURES[::-1]
    )
    assert pair.get_xlabel() == "CASME, s1\nclip, onset"
    assert cropping.get_xlabel().startswith("s1, clip, offset")


def test_pairs_are_the_papers_and_each_choices_worst():
    table = [
        *pair_rows("paper", "1e-05", PAPERS_PAIR, "happiness", "surprise"),
        *pair_rows("paper", "1e-05", MOST_CONFUSED, "happiness", "surprise"),
        *pair_rows("validation", "1e-03", PAPERS_PAIR, "happiness", "surprise"),
        *pair_rows("validation", "1e-03", MOST_CONFUSED, "tense", "others"),
    ]
    found = confused_pair.find_pairs(table)
    assert [(there["label"], back["label"]) for there, back in found] == [
        ("happiness", "surprise"),
        ("tense", "others"),
    ]


def test_the_job_obeys_show_faces(results):
    files = declared("figure", "cropping", results)
    items = [f"{key}={path}" for key, paths in files.items() for path in paths]
    settings = values("cropping", results, ["casme/s1"])
    svg, png = results / "out" / "a.svg", results / "out" / "a.png"
    draw_job.run(figure="cropping", files=items, settings=settings, svg=svg, png=png)
    assert svg.read_bytes().count(b"<image") == 2
