import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.faces import images
from fleeting.faces.crop import Job, crop_frames, run
from fleeting.faces.gather import gather, hits, report
from fleeting.faces.settings import CropSettings, DetectorSettings, Margin

BLOCK = {
    "detector": DetectorSettings(kind="stub"),
    "margin": {"top": 0.2, "sides": 0.1, "bottom": 0.1},
    "size": 48,
}


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


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> RedSquares:
    stub = RedSquares()
    margin = Margin(top=0, sides=0, bottom=0)
    module = SimpleNamespace(SOURCE="published", load=lambda weights, settings: stub, MARGIN=margin)
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: module if name == "stub" else load(kind, name)
    )
    return stub


class Subject:
    """A subject with a folder of frames, its table and its crop job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: list[dict[str, object]] = []
        (folder / "frames").mkdir()

    def frame(self, phase: str, *faces: tuple[int, ...], onset: int = 10, **more: object) -> Path:
        """A frame with red faces (x, y, side, redness), its file and row."""
        image = np.full((100, 140, 3), 30, np.uint8)
        image[:, :, 1] += np.arange(140, dtype=np.uint8)
        for x, y, side, red in faces:
            image[y : y + side, x : x + side, 2] = red
        file = str(more.get("path", f"img{len(self.rows)}.png"))
        path = self.folder / "frames" / file
        if not path.exists():
            cv2.imwrite(str(path), image)
        sample = f"casme2/sub01/EP (1)^2/{onset}"
        name = str(more.get("name", phase))
        row = {"image": f"{sample}/{name}", "sample": sample, "phase": phase, "frame": onset}
        self.rows.append({**row, "path": file})
        return path

    def frames_tables(self) -> tuple[Path, Path]:
        """The folder of the subjects' tables, and the database's table with its row numbers."""
        whole = pd.DataFrame(self.rows).assign(table_row=range(2, len(self.rows) + 2))
        tsv.write(whole, self.folder / "frames.tsv", tsv.FRAMES)
        return self.folder / "tables", self.folder / "frames.tsv"

    def job(self, block: dict[str, object] = BLOCK, source: str = "raw") -> Job:
        return Job(
            results=self.folder / "results",
            crop="paper",
            database="casme2",
            subject="sub01",
            root=self.folder / "frames",
            source=source,
            settings=CropSettings.model_validate(block),
            weights=self.folder,
        )

    def run(self, job: Job | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        table = self.folder / "tables/sub01.tsv"
        tsv.write(pd.DataFrame(self.rows), table, tsv.FRAMES)
        faces, excluded = (
            self.folder / f"results/faces/paper/casme2/sub01{end}"
            for end in (".tsv", ".excluded.tsv")
        )
        crop_frames(job or self.job(), table, faces, excluded)
        kept, left_out = (
            tsv.read(faces, tsv.FACES),
            tsv.read(excluded, tsv.EXCLUDED_FRAMES),
        )
        assert sorted([*kept["image"], *left_out["image"]]) == sorted(
            str(row["image"]) for row in self.rows
        )
        files = {path.relative_to(self.folder / "results") for path in self.crops()}
        assert files == set(map(Path, kept["path"]))
        return kept, left_out

    def crops(self) -> list[Path]:
        folder = self.folder / "results/faces/paper/casme2/sub01"
        return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(tmp_path)


def test_box_margin_and_pixels(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    kept, _ = subject.run()
    row = kept.iloc[0]
    assert row["path"] == "faces/paper/casme2/sub01/EP (1)^2/10/onset.png"
    corners = [float(row[key]) for key in ("x0", "y0", "x1", "y1")]
    assert corners == [37, 36, 63, 62]
    assert float(row["confidence"]) == pytest.approx(200 / 255, abs=1e-6)
    assert (row["detector"], row["outcome"]) == ("stub", "face")
    image = cv2.imread(str(subject.crops()[0]))
    assert image.shape == (48, 48, 3)
    assert image[24, 24, 2] == 200


def test_largest_of_several_confident_faces(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (20, 30, 20, 220), (60, 30, 30, 180), (100, 30, 38, 100))
    kept, _ = subject.run()
    assert kept["outcome"].tolist() == ["largest of 2 faces"]
    assert float(kept["x0"].iloc[0]) == 56


def test_face_and_margin_at_the_border(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (0, 40, 20, 200))
    subject.frame("apex", (1, 40, 20, 200))
    subject.frame("offset", (120, 40, 20, 200), (30, 30, 10, 200))
    kept, _ = subject.run()
    outcomes = dict(zip(kept["image"].str.rpartition("/")[2], kept["outcome"], strict=True))
    assert outcomes == {
        "onset": "face cut by the border",
        "apex": "face, margin beyond the border",
        "offset": "largest of 2 faces, face cut by the border",
    }
    assert float(kept["x1"].iloc[1]) == 143
    assert {cv2.imread(str(path)).shape for path in subject.crops()} == {(48, 48, 3)}


def test_each_broken_frame_is_a_row(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200)).write_bytes(b"")
    path = subject.frame("apex", (40, 40, 20, 200))
    path.write_bytes(path.read_bytes()[:-40])
    subject.frame("offset", (40, 40, 20, 100))
    subject.frame("onset", onset=20)
    kept, left_out = subject.run()
    assert kept.empty
    assert left_out["stage"].unique().tolist() == ["faces"]
    found = dict(
        zip(
            left_out["image"].str.removeprefix("casme2/sub01/EP (1)^2/"),
            zip(left_out["code"], left_out["detail"], strict=True),
            strict=True,
        )
    )
    assert found["10/onset"] == ("unreadable_image", "img0.png: the file is empty (0 bytes)")
    assert found["10/apex"][0] == "unreadable_image"
    assert found["10/offset"] == ("no_face", "img2.png: best confidence 0.392, needed 0.5")
    assert found["20/onset"] == ("no_face", "img3.png: best confidence 0.000, needed 0.5")


def test_one_box_a_clip(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.frame("apex", (45, 44, 24, 200))
    subject.frame("offset")
    kept, _ = subject.run(subject.job({**BLOCK, "box": "clip"}))
    assert kept[["x0", "y0", "x1", "y1"]].drop_duplicates().shape[0] == 1
    assert kept["outcome"].tolist() == ["box of the onset frame", "box of the onset frame", "face"]
    assert detector.calls == 1


def test_one_box_a_clip_falls_back(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset").write_bytes(b"broken")
    subject.frame("apex")
    subject.frame("offset", (45, 44, 24, 200))
    kept, left_out = subject.run(subject.job({**BLOCK, "box": "clip"}))
    # Two were searched: the broken file shows nothing to anybody.
    assert hits(kept, left_out) == (2, 1)
    assert kept["outcome"].tolist() == ["no face, box of the offset frame", "face"]
    assert left_out["code"].tolist() == ["unreadable_image"]


def test_one_box_a_clip_without_any_face(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset")
    subject.frame("offset")
    _, left_out = subject.run(subject.job({**BLOCK, "box": "clip"}))
    assert left_out["code"].tolist() == ["no_face", "no_face"]


def test_a_clip_whose_frames_differ_in_size(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    path = subject.frame("apex", (40, 40, 20, 200))
    cv2.imwrite(str(path), np.zeros((50, 50, 3), np.uint8))
    kept, left_out = subject.run(subject.job({**BLOCK, "box": "clip"}))
    assert len(kept) == 1
    assert left_out["code"].tolist() == ["frame_size"]
    assert "50 x 50" in left_out["detail"].iloc[0]


def test_a_file_is_searched_once(subject: Subject, detector: RedSquares) -> None:
    for onset in (10, 20):
        for phase in tsv.PHASES:
            subject.frame(phase, (40, 40, 20, 200), onset=onset, path="same.png")
    kept, _ = subject.run()
    assert len(kept) == 6
    assert detector.calls == 1


@pytest.mark.parametrize(
    ("box", "source"), [("frame", "raw"), ("clip", "raw"), ("frame", "cropped")]
)
def test_a_job_holds_few_frames_however_many_clips(
    subject: Subject, detector: RedSquares, monkeypatch: pytest.MonkeyPatch, box: str, source: str
) -> None:
    read, seen, alive = images.read, [], []

    def watched(root: Path, relative: str) -> np.ndarray:
        image = read(root, relative)
        seen.append(weakref.ref(image))
        alive.append(sum(each() is not None for each in seen))
        return image

    monkeypatch.setattr(images, "read", watched)
    for onset in range(30):
        for phase in tsv.PHASES:
            subject.frame(phase, (40, 40, 20, 200), onset=onset)
    subject.run(subject.job({**BLOCK, "box": box}, source))
    assert len(seen) == 90, "every frame is decoded once"
    assert max(alive) <= 5, "two clips' frames at most, whatever their number"


def test_provider_crop_is_used_whole(subject: Subject) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    job = replace(subject.job(source="cropped"), weights=None)
    kept, _ = subject.run(job)
    row = kept.iloc[0].to_dict()
    assert (row["detector"], row["confidence"]) == ("provider", "")
    assert (row["x0"], row["y0"], row["x1"], row["y1"]) == (
        "0.000000",
        "0.000000",
        "140.000000",
        "100.000000",
    )
    assert row["outcome"] == "provider's crop"


def test_provider_crop_can_be_searched(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    kept, _ = subject.run(subject.job({**BLOCK, "provider_crops": "detect"}, source="cropped"))
    assert kept["detector"].tolist() == ["stub"]


def test_stale_crops_go_and_bytes_repeat(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.frame("apex", (40, 40, 20, 200))
    subject.run()
    first = {path: path.read_bytes() for path in subject.crops()}
    subject.run()
    assert {path: path.read_bytes() for path in subject.crops()} == first
    subject.rows.pop()
    subject.run()
    assert len(subject.crops()) == 1


def test_what_nobody_foresaw_names_its_image(
    subject: Subject,
    detector: RedSquares,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(image: np.ndarray) -> np.ndarray:
        raise RuntimeError("the detector broke")

    monkeypatch.setattr(detector, "detect", fail)
    subject.frame("onset")
    with pytest.raises(RuntimeError):
        subject.run()
    assert "casme2/sub01/EP (1)^2/10/onset" in caplog.text


def test_subject_without_frames(subject: Subject) -> None:
    tsv.write(pd.DataFrame(columns=list(tsv.FRAMES)), subject.folder / "t.tsv", tsv.FRAMES)
    out = subject.folder / "faces.tsv"
    crop_frames(subject.job(), subject.folder / "t.tsv", out, subject.folder / "excluded.tsv")
    assert tsv.read(out, tsv.FACES).empty
    assert subject.job().folder.is_dir()


@pytest.mark.parametrize(
    "image",
    ["casme2/sub01/../../x/onset", "casme2/sub02/EP/10/onset", "casme2/sub01/../10/onset", "x"],
)
def test_names_that_lead_elsewhere(subject: Subject, detector: RedSquares, image: str) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.rows[0]["image"] = image
    with pytest.raises(UserError, match="line 2"):
        subject.run()


def test_duplicated_image(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.frame("onset", (40, 40, 20, 200))
    with pytest.raises(UserError, match="line 3.*twice"):
        subject.run()


@pytest.mark.parametrize("source", ["raw", "cropped"])
def test_whole_pictures_without_a_size(subject: Subject, source: str) -> None:
    """Ready pictures keep their pixels; their samples have neither phase nor frame."""
    path = subject.frame("", (40, 40, 20, 200), name="picture")
    subject.rows[0]["frame"] = ""
    block = {"frames": "pictures", "detector": "none", "size": None, "provider_crops": "detect"}
    kept, _ = subject.run(replace(subject.job(block, source), weights=None))
    row = kept.iloc[0].to_dict()
    assert row["path"] == "faces/paper/casme2/sub01/EP (1)^2/10/picture.png"
    assert (row["sample"], row["phase"]) == ("casme2/sub01/EP (1)^2/10", "")
    assert (row["detector"], row["outcome"], row["confidence"]) == ("none", "whole picture", "")
    assert (row["x1"], row["y1"]) == ("140.000000", "100.000000")
    assert (cv2.imread(str(subject.crops()[0])) == cv2.imread(str(path))).all()
    assert hits(kept, {"code": []}) == (0, 0)


def test_whole_pictures_are_resized_where_a_size_is_given(subject: Subject) -> None:
    subject.frame("onset")
    kept, _ = subject.run(subject.job({"detector": {"kind": "none"}, "size": 32}))
    assert kept["detector"].tolist() == ["none"]
    assert cv2.imread(str(subject.crops()[0])).shape == (32, 32, 3)


def test_faces_without_a_size_keep_their_pixels(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.run(subject.job({**BLOCK, "size": None}))
    assert cv2.imread(str(subject.crops()[0])).shape == (26, 26, 3)


def test_names_are_joined_by_columns(subject: Subject, detector: RedSquares) -> None:
    subject.frame("apex", (40, 40, 20, 200))
    kept, _ = subject.run()
    row = kept.iloc[0]
    assert (row["sample"], row["phase"]) == ("casme2/sub01/EP (1)^2/10", "apex")


def test_crops_of_a_subject_depend_on_its_table_only(
    subject: Subject, detector: RedSquares
) -> None:
    """The job takes its options as the runner hands them over, and imports no pandas."""
    subject.frame("onset", (40, 40, 20, 200))
    table = subject.folder / "sub01.tsv"
    tsv.write_rows(subject.rows, table, tsv.FRAMES)
    results = subject.folder / "results"
    options = {
        "results": results,
        "crop": "paper",
        "database": "casme2",
        "subject": "sub01",
        "root": subject.folder / "frames",
        "source": "raw",
        "settings": {"frames": {"kind": "any"}, "detector": "none", "size": 16},
        "frames": table,
        "faces": results / "sub01.tsv",
        "excluded": results / "sub01.excluded.tsv",
        "crops": results / "faces/paper/casme2/sub01",
    }
    run(**options)
    assert len(tsv.read_rows(results / "sub01.tsv", tsv.FACES)) == 1
    with pytest.raises(UserError, match="the folder of this job is"):
        run(**{**options, "crops": results / "elsewhere"})
    program = (
        "import sys; from fleeting import registry; import fleeting.faces.crop; "
        "import fleeting.faces.gather; assert 'pandas' not in sys.modules"
    )
    scripts = Path(registry.__file__).parents[1]
    subprocess.run([sys.executable, "-c", program], cwd=scripts, check=True)


def test_a_detector_needs_its_weights(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset")
    with pytest.raises(UserError, match="stub needs its weights"):
        subject.run(replace(subject.job(), weights=None))


def test_gathered_tables_and_hit_rate(
    subject: Subject, detector: RedSquares, caplog: pytest.LogCaptureFixture
) -> None:
    subject.frame("onset", (40, 40, 20, 200))
    subject.frame("apex")
    subject.run()
    folder = subject.folder / "results/faces/paper/casme2"
    faces, excluded = gather(folder, *subject.frames_tables())
    assert [row["table_row"] for row in excluded] == ["3"]
    assert [row["image"] for row in faces] == ["casme2/sub01/EP (1)^2/10/onset"]
    with caplog.at_level("INFO"):
        report(faces, excluded, "casme2", "paper")
    assert "a face in 1 of 2 images (50.0%)" in caplog.text
    (folder / "sub01.excluded.tsv").write_text("\t".join(tsv.EXCLUDED_FRAMES) + "\n")
    with pytest.raises(UserError, match="does not account"):
        gather(folder, *subject.frames_tables())
    (folder / "sub01.tsv").unlink()
    with pytest.raises(UserError, match="missing"):
        gather(folder, *subject.frames_tables())


def test_database_without_a_face(subject: Subject, detector: RedSquares) -> None:
    subject.frame("onset")
    subject.run()
    gathered = gather(subject.folder / "results/faces/paper/casme2", *subject.frames_tables())
    with pytest.raises(UserError, match=r"not one of 1 images.*no_face 1.*confidence"):
        report(*gathered, "casme2", "paper")


def test_database_without_frames(tmp_path: Path) -> None:
    tsv.write(pd.DataFrame(columns=["table_row"]), tmp_path / "frames", tsv.FRAMES)
    faces, excluded = gather(tmp_path, tmp_path, tmp_path / "frames")
    report(faces, excluded, "casme2", "paper")
    assert (faces, excluded) == ([], [])
