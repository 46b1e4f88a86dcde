"""The view of a split as folders of links."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from fleeting import tsv
from fleeting.errors import UserError
from fleeting.splits import image_folders
from small_splits import LABELS, Data, write_crop


@pytest.fixture
def data(tmp_path: Path) -> Data:
    """A split of three examples each of 20 samples, and their crops: text that names the image."""
    made = Data(tmp_path / "results")
    made.add()
    faces = [
        write_crop(made.folder, row["sample"], row["phase"], row["example"].encode())
        for row in tsv.read_rows(made.examples(), tsv.EXAMPLES)
    ]
    tsv.write_rows(faces, made.folder / "faces/paper/samm.tsv", tsv.FACES)
    made.split()
    return made


def link(data: Data, kind: str = "image") -> list[Path]:
    block: dict[str, Any] = {"kind": kind, "crop": "paper"}
    image_folders.run(
        split=data.folder / "split.tsv",
        faces=[data.folder / "faces/paper/samm.tsv"],
        apexes=[],
        input=block,
        results=data.folder,
        output=data.folder / "view",
    )
    return sorted((data.folder / "view").rglob("*.png"))


def test_folders_of_links_that_can_be_moved(data: Data) -> None:
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
    links = link(data, "onset_apex")
    assert {path.name for path in links} == {
        f"{sample.replace('/', '__')}__{phase}.png"
        for sample in pairs["example"]
        for phase in ("onset", "apex")
    }
    for path in links:
        assert path.read_text() == path.stem.replace("__", "/")


def test_crops_without_a_phase_are_linked_by_their_frames(data: Data) -> None:
    (sample, *_) = sorted({row["sample"] for row in tsv.read_rows(data.examples(), tsv.EXAMPLES)})
    frames = {"onset": "3", "apex": "7", "frame6": "6", "frame8": "8"}
    rows = [
        write_crop(data.folder, sample, name, name.encode())
        | {"phase": "" if name.startswith("frame") else name, "frame": frame}
        for name, frame in frames.items()
    ]
    faces = data.folder / "faces/paper/samm.tsv"
    tsv.write_rows(rows, faces, tsv.FACES)
    block = {"kind": "flow_around_apex", "crop": "paper"}
    (links,) = image_folders.links_of_examples([faces], [], block).values()
    name = sample.replace("/", "__")
    assert {link: (data.folder / path).read_text() for link, path in links.items()} == {
        f"{name}__onset.png": "onset",
        f"{name}__6.png": "frame6",
        f"{name}__apex.png": "apex",
        f"{name}__8.png": "frame8",
    }


def test_what_cannot_be_linked_is_named(data: Data) -> None:
    for path in (data.folder / "faces").rglob("*.png"):
        path.unlink()
    with pytest.raises(UserError, match="png: the crop is missing"):
        link(data)
    tsv.write(pd.DataFrame(), data.folder / "faces/paper/samm.tsv", tsv.FACES)
    with pytest.raises(UserError, match="no crops make samm/"):
        link(data)


def test_a_file_system_without_links_stops_nothing(
    data: Data, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    assert link(data) == []
    assert "Warning: " in caplog.text
    assert "cannot be made there (Operation not supported)" in caplog.text
