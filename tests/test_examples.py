"""Examples: packed once from the crops, and read back checked."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.examples import pack, read
from fleeting.faces import images

JOB = Path(registry.__file__).parents[1] / "job.py"
IMAGE = {"kind": "image", "crop": "paper"}
PAIR = {"kind": "onset_apex", "crop": "paper"}


class Packing:
    """Crops of a database with their tables, and the job that packs them."""

    def __init__(self, results: Path, database: str = "mine") -> None:
        self.results = results
        self.database = database
        self.samples: list[dict[str, str]] = []
        self.faces: list[dict[str, object]] = []
        self.chance = np.random.default_rng(len(database))

    def sample(self, clip: str, *phases: str, size: int = 8, onset: int = 3) -> str:
        name = f"{self.database}/p1/{clip}/{onset}"
        row = {"sample": name, "database": self.database, "subject": "p1", "clip": clip}
        row |= {"onset": str(onset), "apex": "", "offset": "", "emotion": "disgust"}
        row |= {"action_units": "", "table": "t", "table_row": str(len(self.samples) + 2)}
        self.samples.append(row)
        for phase in phases:
            self.crop(name, phase, size)
        return name

    def crop(self, sample: str, phase: str, size: int) -> None:
        image = f"{sample}/{phase or 'picture'}"
        path = f"faces/paper/{image}.png"
        images.write(self.chance.integers(0, 256, (size, size, 3), np.uint8), self.results / path)
        box = dict.fromkeys(("x0", "y0", "x1", "y1"), 0.0)
        digest = hashlib.sha256((self.results / path).read_bytes()).hexdigest()
        row = {"image": image, "sample": sample, "phase": phase, "path": path, **box}
        row |= {"confidence": "", "detector": "none", "outcome": "whole picture"}
        self.faces.append({**row, "file": f"{image}.jpg", "sha256": digest})

    def options(self, settings: dict[str, object] = IMAGE, name: str = "paper") -> dict:
        annotations = self.results / f"annotations/{self.database}.tsv"
        faces = self.results / f"faces/paper/{self.database}.tsv"
        tsv.write_rows(self.samples, annotations, tsv.ANNOTATIONS)
        tsv.write_rows(self.faces, faces, tsv.FACES)
        table = self.table(name)
        return {
            "name": name,
            "database": self.database,
            "settings": settings,
            "annotations": annotations,
            "faces": faces,
            "results": self.results,
            "table": table,
            "arrays": table.with_suffix(".npy"),
            "excluded": table.with_suffix(".excluded.tsv"),
        }

    def table(self, name: str = "paper") -> Path:
        return self.results / f"inputs/{name}/{self.database}.tsv"

    def pack(
        self, settings: dict[str, object] = IMAGE, name: str = "paper"
    ) -> tuple[list[dict[str, str]], np.ndarray, list[dict[str, str]]]:
        options = self.options(settings, name)
        pack.run(**options)
        return (
            tsv.read_rows(options["table"], tsv.EXAMPLES),
            np.load(options["arrays"]),
            tsv.read_rows(options["excluded"], tsv.EXCLUDED),
        )


@pytest.fixture
def packing(tmp_path: Path) -> Packing:
    made = Packing(tmp_path)
    made.sample("c2", "onset", "apex", "offset")
    made.sample("c1", "onset", "apex")
    made.sample("c3", "onset")
    return made


def test_images_in_the_order_of_their_names(packing: Packing) -> None:
    rows, arrays, excluded = packing.pack()
    names = [row["example"] for row in rows]
    assert names == sorted(str(row["image"]) for row in packing.faces)
    assert names[0] == "mine/p1/c1/3/apex"
    assert (arrays.shape, arrays.dtype) == ((6, 8, 8, 3), np.uint8)
    assert excluded == []
    for row, array in zip(rows, arrays, strict=True):
        crop = cv2.imread(str(packing.results / f"faces/paper/{row['example']}.png"))
        assert (array == crop[..., ::-1]).all()
        assert row["sha256"] == hashlib.sha256(array.tobytes()).hexdigest()
        assert row["source"] == f"mine:{row['example']}.jpg"
        assert (row["database"], row["subject"]) == ("mine", "p1")
        assert row["example"] == f"{row['sample']}/{row['phase']}"


def test_pairs_and_what_lacks_a_phase(packing: Packing) -> None:
    packing.sample("c0")
    rows, arrays, excluded = packing.pack(PAIR)
    assert [row["example"] for row in rows] == ["mine/p1/c1/3", "mine/p1/c2/3"]
    assert arrays.shape == (2, 8, 8, 6)
    assert rows[0]["source"] == "mine:mine/p1/c1/3/onset.jpg + mine:mine/p1/c1/3/apex.jpg"
    assert [(row["sample"], row["table_row"], row["detail"]) for row in excluded] == [
        ("mine/p1/c0/3", "5", "no onset and no apex crop"),
        ("mine/p1/c3/3", "4", "no apex crop"),
    ]
    row = excluded[0]
    assert (row["stage"], row["code"], row["reason"], row["image"]) == (
        "inputs",
        "phase_missing",
        "phase missing",
        "",
    )


def test_ready_pictures_are_examples_without_a_phase(tmp_path: Path) -> None:
    packing = Packing(tmp_path)
    packing.sample("c1", "")
    rows, arrays, _ = packing.pack({**IMAGE, "phases": ["apex"]})
    assert [(row["example"], row["phase"]) for row in rows] == [("mine/p1/c1/3/picture", "")]
    assert len(arrays) == 1


def test_bytes_repeat_and_nothing_else_is_left(packing: Packing) -> None:
    packing.pack()
    folder = packing.table().parent
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(first) == ["mine.excluded.tsv", "mine.npy", "mine.tsv"]
    packing.samples.reverse()
    packing.faces.reverse()
    packing.pack()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


def test_a_crop_is_decoded_once(packing: Packing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of examples that it is in, and none is kept for longer than needed."""
    module = registry.load("input", "image")
    rows = [row for row in packing.faces if str(row["sample"]).endswith("c2/3")]
    pairs = [(0, 1), (0, 2), (1, 2)]
    examples = [
        pack.Example(f"{i}{j}", "", (rows[i], rows[j]))  # type: ignore[arg-type]
        for i, j in pairs
    ]
    decoded = []
    decode = pack.decode
    monkeypatch.setattr(
        pack, "decode", lambda results, crop: decoded.append(crop["path"]) or decode(results, crop)
    )
    monkeypatch.setattr(module, "array", lambda pictures, settings: np.concatenate(pictures))
    sample = packing.samples[0]
    made = [(sample, example) for example in examples]
    pack.write(packing.results / "a.npy", made, packing.results, module, None)
    assert sorted(decoded) == sorted(str(row["path"]) for row in rows)
    assert np.load(packing.results / "a.npy").shape == (3, 16, 8, 3)


def test_a_database_without_examples(tmp_path: Path) -> None:
    rows, arrays, excluded = Packing(tmp_path).pack()
    assert (rows, excluded, arrays.shape) == ([], [], (0,))


def test_crops_of_different_sizes(packing: Packing) -> None:
    packing.sample("c4", "apex", size=9)
    packing.sample("c5", "onset", "apex", size=10)
    for settings in (IMAGE, PAIR):
        with pytest.raises(UserError, match=r"c1/3/.*\.png gives 8 x 8 x 3 uint8, but .*c[45]/3/"):
            packing.pack(settings)
    assert not packing.table().with_suffix(".npy").exists()


def test_arrays_of_different_types(packing: Packing, monkeypatch: pytest.MonkeyPatch) -> None:
    module = registry.load("input", "image")
    kinds = iter([np.uint8, np.float32] * 3)
    monkeypatch.setattr(module, "array", lambda pictures, _: pictures[0].astype(next(kinds)))
    with pytest.raises(UserError, match=r"8 x 8 x 3 uint8, but .* 8 x 8 x 3 float32"):
        packing.pack()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "changed after it was made"),
        (lambda path: path.unlink(), "the crop is missing"),
    ],
)
def test_crops_that_are_not_those_of_the_table(packing: Packing, harm, message: str) -> None:
    harm(packing.results / str(packing.faces[0]["path"]))
    with pytest.raises(UserError, match=f"{message}.*-R crop"):
        packing.pack()


@pytest.mark.parametrize("path", ["../outside.png", "/etc/passwd", "faces/none.png"])
def test_paths_that_lead_out_of_the_results(packing: Packing, path: str) -> None:
    packing.faces[0]["path"] = path
    with pytest.raises(UserError, match="the crop is missing"):
        packing.pack()


def test_a_crop_that_is_no_image(packing: Packing) -> None:
    row = packing.faces[0]
    (packing.results / str(row["path"])).write_bytes(b"text")
    row["sha256"] = hashlib.sha256(b"text").hexdigest()
    with pytest.raises(UserError, match="not a readable image.*-R crop"):
        packing.pack()


def test_tables_that_do_not_belong_together(packing: Packing) -> None:
    packing.faces.append(packing.faces[0])
    with pytest.raises(UserError, match="is there twice; rerun with `-R gather_faces`"):
        packing.pack()
    packing.faces.pop()
    packing.samples.pop(0)
    with pytest.raises(UserError, match="of no sample in the annotations"):
        packing.pack()


def test_an_input_that_names_two_examples_alike(
    packing: Packing, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = registry.load("input", "image")
    monkeypatch.setattr(
        module,
        "examples",
        lambda crops, _: ([pack.Example("same", "", (crop,)) for crop in crops], []),
    )
    with pytest.raises(UserError, match="two examples named same"):
        packing.pack()


def test_the_job(packing: Packing) -> None:
    options = packing.options()
    options["settings"] = json.dumps(options["settings"])
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    command = [sys.executable, str(JOB), "examples.pack", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "paper, mine: 6 examples of 6 crops, 0 excluded" in done.stdout


# Reading


@pytest.fixture
def two(packing: Packing) -> list[Path]:
    """The tables of two databases, packed."""
    other = Packing(packing.results, "theirs")
    other.sample("c1", "onset", "apex")
    packing.pack()
    other.pack()
    return [packing.table(), other.table()]


def test_arrays_by_name(two: list[Path]) -> None:
    names = ["theirs/p1/c1/3/apex", "mine/p1/c2/3/onset", "theirs/p1/c1/3/apex"]
    arrays = read.load(two, names)
    assert arrays.shape == (3, 8, 8, 3)
    of = {row["example"]: row for row in read.rows(two)}
    assert len(of) == 8
    assert [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays] == [
        of[name]["sha256"] for name in names
    ]
    assert read.layout(two) == ((8, 8, 3), "uint8")


def test_an_example_that_is_in_no_table(two: list[Path]) -> None:
    with pytest.raises(UserError, match="the example x is in none of them.*-R pack_inputs"):
        read.load(two, ["mine/p1/c2/3/onset", "x"])
    with pytest.raises(UserError, match="twice"):
        read.rows([two[0], two[0]])


def test_arrays_that_are_missing_truncated_or_changed(two: list[Path]) -> None:
    name = "mine/p1/c2/3/onset"
    path = two[0].with_suffix(".npy")
    whole = path.read_bytes()
    place = [row["example"] for row in read.rows(two[:1])].index(name)
    for content, message in (
        (whole[:-1], "truncated"),
        (whole[:50], "truncated"),
        (b"", "truncated"),
        (b"text", "truncated or not an array"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=f"mine.npy: {message}.*-R pack_inputs"):
            read.load(two, [name])
    changed = bytearray(whole)
    changed[len(whole) - 6 * 192 + place * 192 + 5] ^= 1
    path.write_bytes(changed)
    with pytest.raises(UserError, match=f"the array of {name} is not the one that was packed"):
        read.load(two, [name])
    assert len(read.load(two, ["mine/p1/c1/3/apex"])) == 1, "others are not looked at"
    np.save(path, np.zeros((5, 8, 8, 3), np.uint8))
    with pytest.raises(UserError, match=r"5 arrays, but mine\.tsv has 6"):
        read.load(two, [name])
    path.unlink()
    with pytest.raises(UserError, match="the arrays are missing"):
        read.load(two, [name])


def test_arrays_are_no_programs(two: list[Path]) -> None:
    np.save(two[0].with_suffix(".npy"), np.array([print], object), allow_pickle=True)
    with pytest.raises(UserError, match="not an array"):
        read.load(two, ["mine/p1/c2/3/onset"])


def test_databases_of_different_sizes(two: list[Path]) -> None:
    third = Packing(two[0].parents[2], "large")
    third.sample("c1", "apex", size=9)
    third.pack()
    with pytest.raises(UserError, match=r"arrays of 8 x 8 x 3 uint8, but .*large.npy of 9 x 9 x 3"):
        read.layout([*two, third.table()])
    with pytest.raises(UserError, match="must have one size"):
        read.load([*two, third.table()], ["mine/p1/c1/3/apex", "large/p1/c1/3/apex"])


def test_an_empty_database_does_no_harm(two: list[Path]) -> None:
    empty = Packing(two[0].parents[2], "empty")
    empty.pack()
    assert read.layout([empty.table(), *two]) == ((8, 8, 3), "uint8")
    assert len(read.load([empty.table(), *two], ["mine/p1/c1/3/apex"])) == 1
    with pytest.raises(UserError, match="there is no example"):
        read.layout([empty.table()])


def test_reading_is_light() -> None:
    program = (
        "import sys; import fleeting.examples.read; "
        "print({'pandas', 'cv2', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=JOB.parent, capture_output=True, text=True
    )
    assert done.stdout == "set()\n", done.stderr
