"""How much moves in a clip, and its noise floor: measured, and shown beside each other."""

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from fleeting import registry, tsv
from fleeting.errors import UserError
from fleeting.evaluation.motion import compare
from fleeting.examples import arrays, measure_motion, pack
from fleeting.examples.apex import APEXES
from fleeting.examples.input import Example
from fleeting.examples.motion import MOTION, measured, size
from fleeting.examples.phases import after_onset
from fleeting.tables import motion as motion_table
from small_splits import write_crop

SIDE = 96
FLOW = {"kind": "flow", "crop": "paper", "algorithm": "farneback"}


@cache
def textured() -> np.ndarray:
    """Soft spots of some pixels, (SIDE, SIDE) from 0 to 255."""
    random = np.random.default_rng(3).random((SIDE, SIDE), np.float32)
    blurred = cv2.GaussianBlur(random, (0, 0), 2.5)
    return cv2.normalize(blurred, None, 20, 235, cv2.NORM_MINMAX)


def picture(patch: float = 0, head: float = 0, noise: int = 0) -> bytes:
    """The texture as a PNG: a quarter of it moved to the right, and all of it downwards."""
    x, y = np.meshgrid(np.arange(SIDE, dtype=np.float32), np.arange(SIDE, dtype=np.float32))
    inside = cv2.GaussianBlur(np.pad(np.ones((48, 48), np.float32), 24), (0, 0), 3)
    moved = cv2.remap(
        *(textured(), x - patch * inside, y - head, cv2.INTER_CUBIC),
        borderMode=cv2.BORDER_REFLECT_101,
    )
    if noise:
        moved = moved + np.random.default_rng(noise).normal(0, noise, moved.shape)
    grey = np.clip(np.rint(moved), 0, 255).astype(np.uint8)
    return cv2.imencode(".png", np.dstack([grey] * 3))[1].tobytes()


class Clips:
    """Crops of a database, with the jobs that pack them and measure their motion."""

    def __init__(self, results: Path) -> None:
        self.results = results
        self.samples: list[dict[str, str]] = []
        self.faces: list[dict[str, object]] = []
        self.table = results / "inputs/flow/mine.tsv"
        self.apexes: list[Path] = []

    def add(self, clip: str, eyes: str = "", **pictures: tuple[int, bytes]) -> None:
        """Add a clip, of a frame number and a picture by phase or other name."""
        name = f"mine/p1/{clip}/3"
        row = {"sample": name, "database": "mine", "subject": "p1", "clip": clip, "onset": "3"}
        row |= {"emotion": "disgust", "action_units": "", "table": "t", "apex": "", "offset": ""}
        self.samples.append({**row, "table_row": str(len(self.samples) + 2)})
        for phase, (frame, content) in pictures.items():
            crop = write_crop(self.results, name, phase, content)
            crop |= {"phase": phase if phase in tsv.PHASES else "", "eye_distance": eyes}
            self.faces.append({**crop, "frame": str(frame)})

    def measure(self, **settings: Any) -> dict[tuple[str, str], dict[str, Any]]:
        """Pack and measure; the rows by clip and pair, their numbers as floats."""
        module = registry.load("input", settings.get("kind", "flow"))
        block = module.Settings.model_validate({**FLOW, **settings}).model_dump(by_alias=True)
        annotations, faces = self.results / "annotations.tsv", self.results / "faces.tsv"
        tsv.write_rows(self.samples, annotations, tsv.ANNOTATIONS)
        tsv.write_rows(self.faces, faces, tsv.FACES)
        common = {"name": "flow", "database": "mine", "settings": block, "threads": 2}
        common |= {"faces": faces, "apexes": self.apexes, "results": self.results}
        pack.run(
            **common,
            annotations=annotations,
            accept_losses=True,
            table=self.table,
            arrays=self.table.with_suffix(".npy"),
            hashes=self.table.with_suffix(".hashes.tsv"),
            excluded=self.table.with_suffix(".excluded.tsv"),
        )
        written = self.table.with_suffix(".motion.tsv")
        measure_motion.run(**common, examples=self.table, motion=written)
        return {
            (row["sample"].split("/")[2], row["pair"]): {
                key: float(value) if key in list(MOTION)[3:] and value else value
                for key, value in row.items()
            }
            for row in tsv.read_rows(written, MOTION)
        }


@pytest.fixture
def clips(tmp_path: Path) -> Clips:
    """Two clips, of which a part of the face moves by two pixels; one has a neutral frame."""
    made = Clips(tmp_path)
    onset, apex = picture(), picture(2, head=1.5)
    made.add("b", onset=(3, onset), apex=(9, apex), neutral=(4, picture(noise=2)))
    made.add("a", onset=(3, onset), apex=(8, apex), offset=(12, picture(noise=3)))
    return made


def test_known_motion_and_known_noise(clips: Clips) -> None:
    """The head's own motion is taken off, and what is neutral moves little."""
    rows = clips.measure()
    assert list(rows) == [("a", "onset_apex"), ("b", "onset_apex"), ("b", "neutral")]
    moved, floor = rows["b", "onset_apex"], rows["b", "neutral"]
    assert (moved["frames"], floor["frames"], rows["a", "onset_apex"]["frames"]) == (6, 1, 5)
    assert moved["motion_p95"] == pytest.approx(2, abs=0.15)
    # A quarter of the picture moves.
    assert moved["motion_mean"] == pytest.approx(2 / 4, abs=0.15)
    assert 0.01 < floor["motion_p95"] < 0.3
    assert floor["strain_p95"] < 0.3 * moved["strain_p95"]
    assert (moved["eye_motion_mean"], floor["eye_motion_p95"]) == ("", "")
    assert moved["database"] == "mine"


def test_an_apex_that_was_found_is_the_one_that_is_measured(clips: Clips) -> None:
    """In place of the stated one; a frame that is the apex is not neutral."""
    still, moved = picture(), picture(2)
    ends = {"onset": (3, still), "apex": (9, still), "offset": (12, still)}
    clips.add("c", **ends, frame4=(4, still), frame6=(6, moved))
    clips.add("d", **ends, frame4=(4, moved))
    used = {"mine/p1/c/3": "6", "mine/p1/d/3": "4"}
    empty = {**dict.fromkeys(APEXES, ""), "method": "middle", "onset": "3"}
    names = [sample["sample"] for sample in clips.samples]
    rows = [{**empty, "sample": name, "used": used.get(name, "")} for name in names]
    clips.apexes = [clips.table.with_suffix(".apexes.tsv")]
    tsv.write_rows(rows, *clips.apexes, APEXES)
    found = clips.measure()
    assert [found[name, "onset_apex"]["frames"] for name in "abcd"] == [5, 6, 3, 1]
    assert found["c", "onset_apex"]["motion_p95"] > 1.5
    assert [clip for clip, pair in found if pair == "neutral"] == ["b", "c"]


def test_the_neutral_pair_goes_through_the_same_settings(clips: Clips) -> None:
    module = registry.load("input", "flow")
    onset, neutral = (
        cv2.imdecode(np.frombuffer(one, np.uint8), 1) for one in (picture(), picture(noise=2))
    )
    for changed in ({"size": 8}, {"algorithm": "dis"}):
        settings = module.Settings.model_validate({**FLOW, **changed})
        array = module.array(Example("", "", ()), [onset, neutral], settings)
        expected = np.percentile(size(array[..., :2]), 95)
        found = clips.measure(**changed)["b", "neutral"]["motion_p95"]
        assert found == pytest.approx(expected, abs=1e-6)
    rows = clips.measure(kind="flow_onset_offset")
    assert list(rows) == [("a", "onset_offset")], "a clip without an example has no row"
    assert rows["a", "onset_offset"]["motion_p95"] < 0.3


def test_eye_distances_change_numbers_and_not_what_is_measured(clips: Clips) -> None:
    for crop in clips.faces:
        crop["eye_distance"] = "40.0"
    in_pixels = clips.measure()
    packed = np.load(clips.table.with_suffix(".npy"))
    in_eyes = clips.measure(measured_in="eye_distances")
    divided = np.load(clips.table.with_suffix(".npy"))
    assert divided[..., :2] == pytest.approx(packed[..., :2] / 40)
    assert (divided[..., 2] == packed[..., 2]).all(), "strain is a ratio"
    for place, row in in_pixels.items():
        for key in list(MOTION)[4:]:
            assert in_eyes[place][key] == pytest.approx(row[key], abs=2e-6), key
        assert row["eye_motion_p95"] == pytest.approx(row["motion_p95"] / 40, abs=1e-6)


def test_the_unit_of_eye_distances() -> None:
    module = registry.load("input", "flow")
    for block, unit in (({}, 0.01), ({"unit": 0.02}, 0.02)):
        settings = module.Settings(crop="c", measured_in="eye_distances", **block)
        assert module.values(settings).unit == unit


def test_eyes_that_are_not_known_are_refused(clips: Clips) -> None:
    message = (
        r"measured_in is eye_distances, but mine/p1/a/3/onset has none.*set `detector: blazeface`.*"
        r"in crops.paper .*or `measured_in: pixels`"
    )
    with pytest.raises(UserError, match=message):
        clips.measure(measured_in="eye_distances")


def test_motion_beyond_the_head() -> None:
    flow = np.full((20, 10, 2), (-3, 7), np.float32)
    assert (size(flow) == 0).all()
    flow[:2] += (3, -4)
    assert (size(flow)[:2] == 5).all()
    assert (size(flow)[2:] == 0).all()
    found = measured(np.dstack([flow, np.full((20, 10), 0.25, np.float32)]), "pixels", None)
    assert (found["motion_mean"], found["motion_p95"]) == (0.5, 5)
    assert (found["strain_mean"], found["strain_p95"]) == (0.25, 0.25)
    assert found["eye_motion_p95"] is None


def crop(phase: str, frame: int) -> dict[str, str]:
    return {"phase": phase, "frame": str(frame)}


@pytest.mark.parametrize(
    ("crops", "frame"),
    [
        ([crop("onset", 3), crop("apex", 9), crop("", 4)], 4),
        # All frames of a clip, and some from before and after.
        ([crop("onset", 3), crop("apex", 9), *(crop("", n) for n in (12, 7, 5, 4, 6, 1))], 4),
        # Those around an apex, in which much of the movement has happened.
        ([crop("onset", 3), crop("apex", 9), *(crop("", n) for n in (7, 8, 10, 11))], None),
        # What stands in for a missing frame is the onset, or stands in for it.
        ([crop("onset", 3), crop("apex", 9), crop("", 3)], None),
        ([crop("onset", 4), crop("apex", 9), crop("", 4)], None),
        ([crop("onset", 3), crop("apex", 4), crop("offset", 9), crop("", 4)], None),
        ([crop("onset", 3), crop("offset", 9), crop("", 4)], 4),
        ([crop("onset", 3), crop("", 4)], None),
        ([crop("apex", 9), crop("offset", 12), crop("", 10)], None),
        ([crop("onset", 3), crop("apex", 9), crop("offset", 12)], None),
        ([{"phase": "", "frame": ""}], None),
    ],
)
def test_the_neutral_frame_among_crops(crops: list[dict[str, str]], frame: int | None) -> None:
    found = after_onset(crops)
    assert (found and int(found["frame"])) == frame


def test_arrays_of_another_table_are_refused(clips: Clips) -> None:
    clips.measure()
    path = clips.table.with_suffix(".npy")
    assert [row["example"] for row, _ in arrays.each(clips.table)] == ["mine/p1/a/3", "mine/p1/b/3"]
    packed = np.load(path)
    packed[1] = 0
    np.save(path, packed)
    with pytest.raises(UserError, match="the array of mine/p1/b/3 is not the one that was packed"):
        list(arrays.each(clips.table))


def rows(database: str, eyes: float | None, **sizes: tuple[float, float | None]) -> list[dict]:
    """Rows of MOTION, of the motion and the noise floor of each clip."""
    return [
        dict.fromkeys(MOTION, 0)
        | {"sample": f"{database}/p/{clip}/1", "database": database, "pair": pair, "frames": 1}
        | {"motion_p95": value, "eye_motion_p95": eyes and value / eyes, "eye_motion_mean": None}
        for clip, found in sizes.items()
        for pair, value in zip(("onset_apex", "neutral"), found, strict=True)
        if value is not None
    ]


def write(results: Path, name: str, *of_clips: dict) -> Path:
    path = results / f"inputs/{name}/{of_clips[0]['database'] if of_clips else 'none'}.motion.tsv"
    tsv.write_rows(of_clips, path, MOTION)
    return path


def test_the_table_by_input_and_database(tmp_path: Path) -> None:
    casme = rows("casme", 50, a=(2, 0.4), b=(1, 0.2), c=(0.3, 0.2), d=(0.5, None))
    files = [
        write(tmp_path, "flow", *casme),
        write(tmp_path, "flow", *rows("samm", None, a=(1, None))),
    ]
    files.append(write(tmp_path, "left"))
    frame, page = motion_table.make({"motion": files}, {})
    first, second = frame.to_dict("records")
    assert (first["input"], first["database"]) == ("flow", "casme")
    assert (first["clips"], first["floor_clips"]) == (4, 3)
    assert (first["motion"], first["floor"]) == pytest.approx((0.75, 0.2))
    assert first["ratio"] == pytest.approx(3.75)
    # The 95th percentile of the noise floor is 0.38.
    assert first["above"] == 0.75
    assert (first["eye_motion"], first["eye_floor"]) == pytest.approx((0.015, 0.004))
    assert (second["clips"], second["floor_clips"]) == (1, 0)
    assert all(np.isnan(second[key]) for key in ("floor", "ratio", "above", "eye_motion"))
    shown = page.parts[0][1]
    assert shown.iloc[0].tolist() == [
        *("flow", "casme", 4, 3, "0.750", "0.200", "3.8", "75.0%", "0.0150", "0.0040")
    ]
    assert shown.iloc[1].tolist()[3:] == [0, "1.000", "", "", "", "", ""]
    assert motion_table.NO_FLOOR not in page.note


def test_the_table_says_what_is_missing(tmp_path: Path) -> None:
    frame, page = motion_table.make({}, {})
    assert frame.empty
    assert page.note == motion_table.NO_MOTION
    only = write(tmp_path, "flow", *rows("casme", None, a=(2, None)))
    _, page = motion_table.make({"motion": [only]}, {})
    assert page.note.endswith(motion_table.NO_FLOOR)
    assert "`frames: {kind: phases, neutral: true}`" in motion_table.NO_FLOOR
    assert "motion (eye distances)" not in page.parts[0][1]


def test_nothing_moves_between_equal_neutral_frames(tmp_path: Path) -> None:
    found = compare(write(tmp_path, "flow", *rows("casme", None, a=(2, 0), b=(0, 0))))
    assert found is not None
    assert np.isnan(found["ratio"])
    assert found["above"] == 0.5
