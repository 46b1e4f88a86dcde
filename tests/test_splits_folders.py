"""The view of a split as folders of links."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.paths import crop_path, sha256
from fleeting.splits import folders
from small_splits import LABELS, RANDOM, Data, twenty_samples


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """A split of three examples each of 20 samples, and their crops."""
    made = Data(tmp_path, ["samm"])
    made.add("samm", twenty_samples())
    write_crops(made)
    made.split({**RANDOM, "images_per_class": 20})
    return made


def write_crops(data: Data) -> None:
    """Crops for the database's examples: text that names the image."""
    faces = []
    for row in tsv.read_rows(data.examples("samm"), tsv.EXAMPLES):
        image = f"{row['sample']}/{row['phase']}"
        path = data.folder / crop_path("paper", image)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(image)
        box = dict.fromkeys(("x0", "y0", "x1", "y1", "confidence"), 0.5)
        faces.append(
            {"image": image, "sample": row["sample"], "phase": row["phase"]}
            | {"path": crop_path("paper", image), "sha256": sha256(path), "file": f"{image}.jpg"}
            | {"detector": "blazeface", "outcome": "face", **box}
        )
    tsv.write_rows(faces, data.folder / "faces/paper/samm.tsv", tsv.FACES)


def link(data: Data, input: dict[str, Any] | None = None) -> list[Path]:
    folders.run(
        split=data.folder / "split.tsv",
        faces=[data.folder / "faces/paper/samm.tsv"],
        input=input or {"kind": "image", "crop": "paper"},
        results=data.folder,
        output=data.folder / "view",
    )
    return sorted((data.folder / "view").rglob("*.png"))


def test_folders_of_links(data: Data) -> None:
    links = link(data)
    assert len(links) == len(data.rows())
    assert {path.parts[-2] for path in links} == set(LABELS)
    assert {path.parts[-4:-2] for path in links} == {
        ("fold1", role) for role in ("train", "validation", "test")
    }
    moved = data.folder.rename(data.folder.with_name("moved"))
    for path in (moved / "view").rglob("*.png"):
        assert path.read_text() == path.stem.replace("__", "/")


def test_every_crop_of_an_example_is_linked(data: Data) -> None:
    pairs = data.rows().query("phase == 'apex'")
    pairs = pairs.assign(example=pairs["sample"], phase="")
    tsv.write(pairs, data.folder / "split.tsv", tsv.SPLIT)
    links = link(data, {"kind": "onset_apex", "crop": "paper"})
    assert {path.name for path in links} == {
        f"{sample.replace('/', '__')}__{phase}.png"
        for sample in pairs["example"]
        for phase in ("onset", "apex")
    }
    for path in links:
        assert path.read_text() == path.stem.replace("__", "/")


def test_what_cannot_be_linked_is_named(data: Data) -> None:
    rows = data.rows()
    tsv.write(rows.assign(label=".."), data.folder / "split.tsv", tsv.SPLIT)
    with pytest.raises(UserError, match="lead out of the results"):
        link(data)
    tsv.write(rows, data.folder / "split.tsv", tsv.SPLIT)
    for path in (data.folder / "faces").rglob("*.png"):
        path.unlink()
    with pytest.raises(UserError, match="png: the crop is missing"):
        link(data)
    tsv.write(pd.DataFrame(), data.folder / "faces/paper/samm.tsv", tsv.FACES)
    with pytest.raises(UserError, match="no crops make samm/"):
        link(data)
