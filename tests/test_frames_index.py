"""Frame numbers in file names, and the walk over a folder of frames."""

import os
from pathlib import Path

import pytest

from fleeting.errors import UserError
from fleeting.frames import index
from frame_files import touch
from malformed.pictures import NO_FILES


def found(root: Path) -> list[tuple[str, bool, dict[int, str]]]:
    return [(f.path, f.cropped, dict(f.files)) for f in index.build(root).folders]


def test_folders_with_images_sorted(tmp_path):
    touch(tmp_path, "b/2/img2.jpg", "b/2/img10.jpg", "a/img1.jpg", "c/film.avi", "c/Thumbs.db")
    assert found(tmp_path) == [
        ("a", False, {1: "img1.jpg"}),
        ("b/2", False, {2: "img2.jpg", 10: "img10.jpg"}),
    ]
    assert index.build(tmp_path).other_files == {".avi": 1, ".db": 1}


def test_what_systems_leave_behind_is_no_frame(tmp_path):
    touch(tmp_path, "a/img1.jpg", "a/._img2.jpg", "__MACOSX/a/img3.jpg", ".cache/img4.jpg")
    assert found(tmp_path) == [("a", False, {1: "img1.jpg"})]


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_file_is_no_frame(tmp_path, name):
    touch(tmp_path, "a/img1.jpg")
    NO_FILES[name](tmp_path / "a/img2.jpg")
    assert found(tmp_path) == [("a", False, {1: "img1.jpg"})]


def test_provider_crops_by_folder_and_by_file(tmp_path):
    touch(tmp_path, "Cropped/Cropped/s/c/img1.jpg", "raw/s/c/img1.jpg", "raw/s/c/reg_img1.jpg")
    touch(tmp_path, "uncropped/s/c/img1.jpg")
    built = index.build(tmp_path)
    assert [(f.path, f.cropped) for f in built.folders] == [
        ("Cropped/Cropped/s/c", True),
        ("raw/s/c", False),
        ("raw/s/c", True),
        ("uncropped/s/c", False),
    ]
    assert built.folders[0].parts == ("cropped", "s", "c")


@pytest.mark.parametrize(
    ("root", "cropped"),
    [
        ("CASME2 Cropped", {"s/c": True}),
        ("cropped/raw", {"s/c": False}),
        # What lies below says more than the root's name.
        ("raw and cropped", {"Cropped/s": True, "selected/s": False}),
    ],
)
def test_the_name_of_the_root_counts_where_nothing_below_is_cropped(tmp_path, root, cropped):
    touch(tmp_path / root, *(f"{folder}/img1.jpg" for folder in cropped))
    assert {path: is_cropped for path, is_cropped, _ in found(tmp_path / root)} == cropped


def test_two_files_of_one_number(tmp_path):
    touch(tmp_path, "a/img01.jpg", "a/img1.jpg", "a/img2.jpg", "a/img3.jpg", "b/img1.jpg")
    touch(tmp_path, "b/IMG1.jpg", content=b"")
    built = index.build(tmp_path)
    assert [folder.files for folder in built.folders] == [
        {1: "img1.jpg", 2: "img2.jpg", 3: "img3.jpg"},
        {1: "img1.jpg"},
    ]
    assert [folder.beside for folder in built.folders] == [["a/img01.jpg"], ["b/IMG1.jpg"]]


def test_no_link_leaves_the_root(tmp_path):
    touch(tmp_path, "outside/img1.jpg", "root/a/img2.jpg")
    (tmp_path / "root/b").symlink_to(tmp_path / "outside")
    (tmp_path / "root/a/img1.jpg").symlink_to(tmp_path / "outside/img1.jpg")
    assert found(tmp_path / "root") == [("a", False, {2: "img2.jpg"})]
    built = index.build(tmp_path / "root")
    assert len(built.outside_links) == 2
    assert "2 links lead out of" in built.notes()[0]


def test_links_inside_the_root_are_followed_once(tmp_path):
    touch(tmp_path, "root/real/img1.jpg", "root/files/img5.jpg")
    (tmp_path / "root/real/up").symlink_to(tmp_path / "root")
    (tmp_path / "root/real/same").symlink_to("same")
    (tmp_path / "root/real/img2.jpg").symlink_to(tmp_path / "root/files/img5.jpg")
    link = tmp_path / "linked"
    link.symlink_to(tmp_path / "root")
    assert found(link) == [
        ("files", False, {5: "img5.jpg"}),
        ("real", False, {1: "img1.jpg", 2: "img2.jpg"}),
    ]
    assert index.build(link).unreadable == ["real/same"]


def test_a_folder_that_cannot_be_read_is_noted(tmp_path, monkeypatch):
    touch(tmp_path, "a/img1.jpg", "b/img1.jpg")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("/a"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(index.os, "scandir", refuse)
    built = index.build(tmp_path)
    assert built.unreadable == ["a"]
    assert [folder.path for folder in built.folders] == ["b"]
    assert "1 folders or files cannot be read: a" in built.notes()
    with pytest.raises(UserError, match="a: cannot be read"):
        index.build(tmp_path / "a")


def test_a_missing_root_is_named(tmp_path):
    with pytest.raises(UserError, match="none: no such folder"):
        index.build(tmp_path / "none")
