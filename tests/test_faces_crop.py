"""The crop job of a subject with a detector of red squares."""

import weakref
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.faces.crop import run
from fleeting.faces.settings import DetectorSettings, Margin

Row = dict[str, str]

BLOCK = {
    "frames": {"kind": "of no interest to the job"},
    "detector": DetectorSettings(kind="stub"),
    "margin": {"top": 0.2, "sides": 0.1, "bottom": 0.1},
    "size": 48,
}
SAMPLE = "casme2/sub01/EP (1)^2"
FACE = (40, 40, 20, 200)


class RedSquares:
    """Finds red rectangles; how red they are is the confidence."""

    calls = 0

    def detect(self, image: np.ndarray) -> np.ndarray:
        self.calls += 1
        red = (image[..., 2].astype(int) - image[..., 0] > 25).astype(np.uint8)
        count, _, found, _ = cv2.connectedComponentsWithStats(red)
        boxes = [
            [x, y, x + w, y + h, image[y + h // 2, x + w // 2, 2] / 255]
            for x, y, w, h, _ in found[1:count].tolist()
        ]
        return np.array(sorted(boxes, key=lambda box: -box[4]), float).reshape(-1, 5)


@pytest.fixture(autouse=True)
def detector(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    stub = RedSquares()
    margin = Margin(top=0, sides=0, bottom=0)
    module = SimpleNamespace(load=lambda weights, settings: stub, MARGIN=margin)
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: module if name == "stub" else load(kind, name)
    )
    return stub


class Subject:
    """A subject with a folder of frames, its table and its crop job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "frames"
        self.root.mkdir()
        self.results = folder / "results"
        self.table = folder / "sub01.tsv"
        self.rows: list[dict[str, object]] = []

    def frame(self, phase: str, *faces: tuple[int, ...], onset: int = 10, file: str = "") -> Path:
        """A frame with red faces (x, y, side, redness), its file and row."""
        image = np.full((100, 140, 3), 30, np.uint8)
        image[:, :, 1] += np.arange(140, dtype=np.uint8)
        for x, y, side, red in faces:
            image[y : y + side, x : x + side, 2] = red
        file = file or f"img{len(self.rows)}.png"
        if not (self.root / file).exists():
            cv2.imwrite(str(self.root / file), image)
        sample = f"{SAMPLE}/{onset}"
        row = {"image": f"{sample}/{phase or 'picture'}", "sample": sample, "phase": phase}
        self.rows.append({**row, "frame": onset if phase else "", "path": file})
        return self.root / file

    def run(self, source: str = "raw", **changes: object) -> tuple[list[Row], list[Row]]:
        """The rows of the crops and of the exclusions, which must account for all frames."""
        folder = self.results / "faces/paper/casme2/sub01"
        faces, excluded = (Path(f"{folder}{end}") for end in (".tsv", ".excluded.tsv"))
        tsv.write_rows(self.rows, self.table, tsv.FRAMES)
        run(
            results=self.results,
            crop="paper",
            database="casme2",
            subject="sub01",
            root=self.root,
            source=source,
            settings={**BLOCK, **changes},
            frames=self.table,
            faces=faces,
            excluded=excluded,
        )
        cropped = tsv.read_rows(faces, tsv.FACES)
        uncropped = tsv.read_rows(excluded, tsv.EXCLUDED_FRAMES)
        names = [row["image"] for row in [*cropped, *uncropped]]
        assert sorted(names) == sorted(str(row["image"]) for row in self.rows)
        assert set(self.crops()) == {self.results / row["path"] for row in cropped}
        return cropped, uncropped

    def crops(self) -> list[Path]:
        folder = self.results / "faces/paper/casme2/sub01"
        return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(tmp_path)


def column(rows: list[Row], name: str) -> list[str]:
    return [row[name] for row in rows]


def corners(row: Row) -> list[str]:
    return [row[name] for name in ("x0", "y0", "x1", "y1")]


@pytest.mark.parametrize("source", ["raw", "cropped"])
def test_box_margin_and_pixels(subject: Subject, source: str) -> None:
    subject.frame("onset", FACE)
    (row,), _ = subject.run(source, provider_crops="detect")
    assert (row["sample"], row["phase"]) == (f"{SAMPLE}/10", "onset")
    assert row["path"] == f"faces/paper/{SAMPLE}/10/onset.png"
    assert list(map(float, corners(row))) == [37, 36, 63, 62]
    assert float(row["confidence"]) == pytest.approx(200 / 255, abs=1e-6)
    assert (row["detector"], row["outcome"]) == ("stub", "face")
    image = cv2.imread(str(subject.crops()[0]))
    assert image.shape == (48, 48, 3)
    assert image[24, 24, 2] == 200


def test_largest_of_several_confident_faces(subject: Subject) -> None:
    subject.frame("onset", (20, 30, 20, 220), (60, 30, 30, 180), (100, 30, 38, 100))
    (row,), _ = subject.run()
    assert row["outcome"] == "largest of 2 faces"
    assert float(row["x0"]) == 56


def test_face_and_margin_at_the_border(subject: Subject) -> None:
    subject.frame("onset", (0, 40, 20, 200))
    subject.frame("apex", (1, 40, 20, 200))
    subject.frame("offset", (120, 40, 20, 200), (30, 30, 10, 200))
    cropped, _ = subject.run()
    assert {row["phase"]: row["outcome"] for row in cropped} == {
        "onset": "face cut by the border",
        "apex": "face, margin beyond the border",
        "offset": "largest of 2 faces, face cut by the border",
    }
    assert float(cropped[1]["x1"]) == 143
    assert {cv2.imread(str(path)).shape for path in subject.crops()} == {(48, 48, 3)}


@pytest.mark.parametrize("box", ["frame", "clip"])
def test_each_unusable_frame_is_a_row(subject: Subject, box: str) -> None:
    subject.frame("onset", FACE).write_bytes(b"")
    path = subject.frame("apex", FACE)
    path.write_bytes(path.read_bytes()[:-40])
    subject.frame("offset", (40, 40, 20, 100))
    subject.frame("onset", onset=20)
    _, uncropped = subject.run(box=box)
    assert {row["image"]: (row["code"], row["reason"]) for row in uncropped} == {
        f"{SAMPLE}/10/onset": ("unreadable_image", "unreadable image"),
        f"{SAMPLE}/10/apex": ("unreadable_image", "unreadable image"),
        f"{SAMPLE}/10/offset": ("no_face", "no face"),
        f"{SAMPLE}/20/onset": ("no_face", "no face"),
    }
    assert uncropped[1]["detail"] == "img2.png: best confidence 0.392, needed 0.5"
    assert set(column(uncropped, "stage")) == {"faces"}


def test_one_box_a_clip(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", FACE)
    subject.frame("apex", (45, 44, 24, 200))
    path = subject.frame("offset", FACE)
    cv2.imwrite(str(path), np.zeros((50, 50, 3), np.uint8))
    (apex, onset), (offset,) = subject.run(box="clip")
    assert corners(apex) == corners(onset)
    assert (apex["outcome"], onset["outcome"]) == ("box of the onset frame", "face")
    assert offset["code"] == "frame_size"
    assert "50 x 50 pixels, but the box is of the onset frame of 140 x 100" in offset["detail"]
    assert detector.calls == 1


def test_one_box_a_clip_is_the_first_that_is_found(subject: Subject) -> None:
    subject.frame("onset").write_bytes(b"broken")
    subject.frame("apex")
    subject.frame("offset", (45, 44, 24, 200))
    cropped, uncropped = subject.run(box="clip")
    assert column(cropped, "outcome") == ["no face, box of the offset frame", "face"]
    assert column(uncropped, "code") == ["unreadable_image"]


def test_a_file_is_searched_once(subject: Subject, detector: RedSquares) -> None:
    for onset in (10, 20):
        for phase in tsv.PHASES:
            subject.frame(phase, FACE, onset=onset, file="same.png")
    assert len(subject.run()[0]) == 6
    assert detector.calls == 1


@pytest.mark.parametrize(
    ("box", "source"), [("frame", "raw"), ("clip", "raw"), ("frame", "cropped")]
)
def test_a_job_holds_few_frames_however_many_clips(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, box: str, source: str
) -> None:
    read, seen, alive = images.read, [], []

    def watched(root: Path, relative: str) -> np.ndarray:
        image = read(root, relative)
        seen.append(weakref.ref(image))
        alive.append(sum(each() is not None for each in seen))
        return image

    monkeypatch.setattr(images, "read", watched)
    for onset in range(10):
        for phase in tsv.PHASES:
            # In some frames no face is found.
            subject.frame(phase, *([FACE] if onset % 2 else []), onset=onset)
    subject.run(source, box=box)
    assert len(seen) == 30, "every frame is decoded once"
    assert max(alive) <= 5, "two clips' frames at most, whatever their number"


def test_stale_crops_go_and_bytes_repeat(subject: Subject) -> None:
    subject.frame("onset", FACE)
    subject.frame("apex", FACE)
    subject.run()
    first = {path: path.read_bytes() for path in subject.crops()}
    subject.run()
    assert {path: path.read_bytes() for path in subject.crops()} == first
    subject.rows.pop()
    subject.run()
    assert len(subject.crops()) == 1


def test_an_unexpected_error_names_its_image(
    subject: Subject,
    detector: RedSquares,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(detector, "detect", lambda image: 1 / 0)
    subject.frame("onset")
    with pytest.raises(ZeroDivisionError):
        subject.run()
    assert f"{SAMPLE}/10/onset" in caplog.text


@pytest.mark.parametrize("sample", ["casme2/sub01/../../x", "casme2/sub02/EP/10", "x"])
def test_names_that_lead_elsewhere(subject: Subject, sample: str) -> None:
    subject.frame("onset", FACE)
    subject.rows[0].update(sample=sample, image=f"{sample}/onset")
    with pytest.raises(UserError, match="line 2"):
        subject.run()


def test_an_image_that_is_there_twice(subject: Subject) -> None:
    subject.frame("onset", FACE)
    subject.frame("onset", FACE)
    with pytest.raises(UserError, match="line 3.*twice"):
        subject.run()


@pytest.mark.parametrize(
    ("source", "block", "detector_name", "outcome"),
    [
        ("cropped", {}, "provider", "provider's crop"),
        ("cropped", {"detector": "none", "provider_crops": "detect"}, "none", "whole picture"),
        ("raw", {"detector": "none"}, "none", "whole picture"),
    ],
)
def test_whole_pictures(
    subject: Subject, source: str, block: dict[str, object], detector_name: str, outcome: str
) -> None:
    """Without a size they keep their pixels; a ready picture has neither phase nor frame."""
    path = subject.frame("", FACE)
    (row,), _ = subject.run(source, **{**block, "size": None})
    assert row["path"] == f"faces/paper/{SAMPLE}/10/picture.png"
    assert (row["sample"], row["phase"], row["confidence"]) == (f"{SAMPLE}/10", "", "")
    assert (row["detector"], row["outcome"]) == (detector_name, outcome)
    assert list(map(float, corners(row))) == [0, 0, 140, 100]
    assert (cv2.imread(str(subject.crops()[0])) == cv2.imread(str(path))).all()


@pytest.mark.parametrize(
    ("block", "side"), [({"detector": "none", "size": 32}, 32), ({"size": None}, 26)]
)
def test_the_size_of_crops(subject: Subject, block: dict[str, object], side: int) -> None:
    subject.frame("onset", FACE)
    subject.run(**block)
    assert cv2.imread(str(subject.crops()[0])).shape == (side, side, 3)
