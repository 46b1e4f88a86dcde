"""Examples: packed once from the crops, and their arrays read back checked."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.examples import arrays, pack
from fleeting.paths import crop_path
from small_splits import write_crop

FLOW = {"kind": "flow", "crop": "paper", "algorithm": {"kind": "farneback"}}
IMAGE = {"kind": "image", "crop": "paper"}
PAIR = {"kind": "onset_apex", "crop": "paper"}


class Packing:
    """Crops of a database with their tables, and the job that packs them."""

    def __init__(self, results: Path, database: str = "mine") -> None:
        self.results = results
        self.database = database
        self.samples: list[dict[str, str]] = []
        self.faces: list[dict[str, object]] = []
        self.table = results / f"inputs/paper/{database}.tsv"
        self.arrays = self.table.with_suffix(".npy")

    def sample(self, clip: str, *phases: str, size: int = 8) -> None:
        name = f"{self.database}/p1/{clip}/3"
        row = {"sample": name, "database": self.database, "subject": "p1", "clip": clip}
        row |= {"onset": "3", "apex": "", "offset": "", "emotion": "disgust"}
        row |= {"action_units": "", "table": "t", "table_row": str(len(self.samples) + 2)}
        self.samples.append(row)
        for phase in phases:
            random = np.random.default_rng(len(self.faces))
            picture = random.integers(0, 256, (size, size, 3), np.uint8)
            png = cv2.imencode(".png", picture)[1].tobytes()
            self.faces.append(write_crop(self.results, name, phase, png))

    def pack(self, settings: dict[str, Any] = IMAGE, threads: int = 2) -> list[dict[str, str]]:
        annotations = self.results / f"annotations/{self.database}.tsv"
        faces = self.results / f"faces/{self.database}.tsv"
        tsv.write_rows(self.samples, annotations, tsv.ANNOTATIONS)
        tsv.write_rows(self.faces, faces, tsv.FACES)
        pack.run(
            name="paper",
            database=self.database,
            settings=settings,
            annotations=annotations,
            faces=faces,
            apexes=[],
            results=self.results,
            threads=threads,
            accept_losses=True,
            table=self.table,
            arrays=self.arrays,
            hashes=self.table.with_suffix(".hashes.tsv"),
            excluded=self.table.with_suffix(".excluded.tsv"),
        )
        return tsv.read_rows(self.table, tsv.EXAMPLES)

    def excluded(self) -> list[dict[str, str]]:
        return tsv.read_rows(self.table.with_suffix(".excluded.tsv"), tsv.EXCLUDED)


@pytest.fixture
def packing(tmp_path: Path) -> Packing:
    made = Packing(tmp_path)
    made.sample("c2", "onset", "apex", "offset")
    made.sample("c1", "onset", "apex")
    made.sample("c3", "onset")
    return made


def test_images_in_the_order_of_their_names(packing: Packing) -> None:
    rows, packed = packing.pack(), np.load(packing.arrays)
    assert [row["example"] for row in rows] == sorted(str(row["image"]) for row in packing.faces)
    assert (packed.shape, packed.dtype) == ((6, 8, 8, 3), np.uint8)
    assert packing.excluded() == []
    for row, array in zip(rows, packed, strict=True):
        crop = cv2.imread(packing.results / crop_path("paper", row["example"]))
        assert (array == crop[..., ::-1]).all()
        assert row["sha256"] == hashlib.sha256(array.tobytes()).hexdigest()
        assert row["source"] == f"mine:{row['example']}.jpg"
        assert (row["database"], row["subject"]) == ("mine", "p1")
        assert row["example"] == f"{row['sample']}/{row['phase']}"


def test_pairs_and_what_lacks_a_phase(packing: Packing) -> None:
    packing.sample("c0")
    rows = packing.pack(PAIR)
    assert [row["example"] for row in rows] == ["mine/p1/c1/3", "mine/p1/c2/3"]
    assert np.load(packing.arrays).shape == (2, 8, 8, 6)
    assert rows[0]["source"] == "mine:mine/p1/c1/3/onset.jpg + mine:mine/p1/c1/3/apex.jpg"
    columns = ("sample", "table_row", "image", "stage", "code", "reason", "detail")
    common = ("", "inputs", "phase_missing", "phase missing")
    assert [tuple(row[column] for column in columns) for row in packing.excluded()] == [
        ("mine/p1/c0/3", "5", *common, "no onset and no apex crop"),
        ("mine/p1/c3/3", "4", *common, "no apex crop"),
    ]


def test_bytes_do_not_depend_on_the_order_of_rows_and_nothing_else_is_left(
    packing: Packing,
) -> None:
    packing.pack()
    folder = packing.table.parent
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(first) == [
        *("mine.excluded.tsv", "mine.hashes.tsv", "mine.npy", "mine.tsv"),
    ]
    packing.samples.reverse()
    packing.faces.reverse()
    packing.pack()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first


@pytest.mark.parametrize("settings", [IMAGE, FLOW])
def test_bytes_do_not_depend_on_threads(tmp_path: Path, settings: dict[str, Any]) -> None:
    packing = Packing(tmp_path)
    for number in range(9):
        packing.sample(f"c{number}", "onset", "apex", size=32)
    written = []
    for threads in (1, 2, 4):
        packing.pack(settings, threads)
        written.append({path.name: path.read_bytes() for path in packing.table.parent.iterdir()})
    assert len(written[0]["mine.npy"]) > 9 * 32 * 32 * 3
    assert written[1] == written[0]
    assert written[2] == written[0]
    assert cv2.getNumThreads() == 1


def test_few_arrays_are_held_at_a_time() -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        return number

    found = pack.in_order(make, range(100), threads=3)
    for taken in range(100):
        assert next(found) == taken
        assert len(begun) <= taken + 6
    assert len(begun) == 100


def test_an_error_in_a_thread_ends_the_job() -> None:
    begun: list[int] = []

    def make(number: int) -> int:
        begun.append(number)
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        list(pack.in_order(make, range(100), threads=2))
    assert len(begun) <= 4


@pytest.mark.parametrize("settings", [IMAGE, PAIR, FLOW])
def test_crops_of_different_sizes(packing: Packing, settings: dict[str, str]) -> None:
    packing.sample("c4", "onset", "apex", size=9)
    with pytest.raises(UserError, match=r"c1/3/.*\.png is 8 x 8 x 3 uint8, but .*c4/3/.* 9 x 9 x"):
        packing.pack(settings)
    assert not packing.arrays.exists()


@pytest.mark.parametrize("other", [np.zeros((8, 9), np.uint8), np.zeros((8, 8), np.float32)])
def test_arrays_that_differ_are_not_written(tmp_path: Path, other: np.ndarray) -> None:
    with pytest.raises(UserError, match="one shape and data type"):
        arrays.write(tmp_path / "a.npy", iter([np.zeros((8, 8), np.uint8), other]), 2)
    assert not list(tmp_path.iterdir())


def replace_by_text(packing: Packing) -> None:
    row = packing.faces[0]
    (packing.results / str(row["path"])).write_bytes(b"text")
    row["sha256"] = hashlib.sha256(b"text").hexdigest()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda packing: packing.faces[0].update(sha256="0" * 64), "changed after it was made"),
        (lambda packing: packing.faces[0].update(path="faces/none.png"), "the crop is missing"),
        (lambda packing: packing.faces[0].update(path="../outside.png"), "the crop is missing"),
        (lambda packing: packing.faces[0].update(path="/etc/passwd"), "the crop is missing"),
        (lambda packing: packing.faces.append(packing.faces[0]), "makes two examples named mine/"),
        (replace_by_text, "not a readable image.*-R crop"),
    ],
)
def test_crops_that_are_not_those_of_the_table(
    packing: Packing, edit: Callable[[Packing], None], message: str
) -> None:
    (packing.results.parent / "outside.png").write_bytes(b"")
    edit(packing)
    with pytest.raises(UserError, match=message):
        packing.pack()


@pytest.fixture
def two(packing: Packing) -> list[Path]:
    """The tables of two databases, packed, and of one without an example."""
    other, empty = (Packing(packing.results, name) for name in ("theirs", "empty"))
    other.sample("c1", "onset", "apex")
    for each in (packing, other, empty):
        each.pack()
    return [empty.table, packing.table, other.table]


def test_arrays_by_name(two: list[Path]) -> None:
    names = ["theirs/p1/c1/3/apex", "mine/p1/c2/3/onset", "theirs/p1/c1/3/apex"]
    loaded = arrays.load(two, names)
    assert loaded.shape == (3, 8, 8, 3)
    digests = {
        row["example"]: row["sha256"] for path in two for row in tsv.read_rows(path, tsv.EXAMPLES)
    }
    assert [hashlib.sha256(array.tobytes()).hexdigest() for array in loaded] == [
        digests[name] for name in names
    ]
    assert arrays.shape_and_dtype(two) == ((8, 8, 3), "uint8")


def other_dtype(path: Path) -> None:
    np.save(path, np.zeros((6, 8, 8, 3), np.float32))


def with_program(path: Path) -> None:
    np.save(path, np.array([print], object), allow_pickle=True)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "truncated.*-R pack_inputs"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "truncated"),
        (lambda path: path.write_bytes(b""), "truncated"),
        (lambda path: path.write_bytes(b"text"), "not an array"),
        (with_program, "not an array"),
        (lambda path: path.unlink(), "the arrays are missing"),
        (lambda path: np.save(path, np.zeros((5, 8, 8, 3), np.uint8)), "5 arrays, but .* has 6"),
        (other_dtype, r"arrays of 8 x 8 x 3 float32, but .*theirs.npy of 8 x 8 x 3 uint8"),
    ],
)
def test_arrays_that_are_missing_truncated_or_of_another_table(
    two: list[Path], edit: Callable[[Path], None], message: str
) -> None:
    edit(two[1].with_suffix(".npy"))
    with pytest.raises(UserError, match=f"mine.npy.*{message}"):
        arrays.load(two, ["mine/p1/c2/3/onset"])


def test_an_array_that_was_changed(two: list[Path]) -> None:
    path = two[1].with_suffix(".npy")
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    with pytest.raises(UserError, match=r"the array of mine/p1/c3/3/onset is not the one that was"):
        arrays.load(two, ["mine/p1/c3/3/onset"])
    assert len(arrays.load(two, ["mine/p1/c1/3/apex"])) == 1, "others are not looked at"
