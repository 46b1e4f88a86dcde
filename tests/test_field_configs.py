"""Configs as editors, input methods and other systems leave them: what is wrong is said."""

from pathlib import Path

import pytest

from fleeting.config.loading import load, read
from fleeting.errors import UserError

TEXT = "# 我的数据库\nresults: out\ndatabases:\n  casme2:\n    root: /data/CASME2\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_config_of_any_editor(tmp_path: Path, encoding: str, ending: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(TEXT.replace("\n", ending).encode(encoding))
    assert read(tmp_path / "mine.yaml")["databases"]["casme2"]["root"] == "/data/CASME2"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("gbk", r"in GBK \(GB 18030\)"), ("utf-16", "in UTF-16"), ("latin-1", "not in UTF-8")],
)
def test_another_encoding_is_named(tmp_path: Path, encoding: str, named: str) -> None:
    text = TEXT.replace("我的数据库", "données" if encoding == "latin-1" else "我的")
    (tmp_path / "mine.yaml").write_bytes(text.encode(encoding))
    with pytest.raises(UserError, match=f"mine.yaml: .*{named}; save it as UTF-8"):
        read(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("~/CASME2", "which seems to be /home/me/CASME2; only a shell"),
        ("$HOME/CASME2", "which seems to be /home/me/CASME2; only a shell"),
        ("${HOME}/CASME2", "which seems to be /home/me/CASME2; only a shell"),
        ("$NOT_SET/CASME2", "write the whole path; only a shell"),
        ("D:\\micro\\CASME2", "under WSL2 it is /mnt/d/micro/CASME2"),
        ("c:/micro/CASME2", "under WSL2 it is /mnt/c/micro/CASME2"),
    ],
)
def test_a_path_that_means_something_elsewhere(
    monkeypatch: pytest.MonkeyPatch, path: str, meant: str
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    for block in ({"root": path}, {"table": path, "frames": path}):
        with pytest.raises(UserError) as error:
            load({"results": "out", "databases": {"casme2": block}})
        assert meant in str(error.value)
    with pytest.raises(UserError) as error:
        load({"results": path, "databases": {"casme2": {"root": "a"}}})
    assert meant in str(error.value)


@pytest.mark.parametrize("path", ["a ~ b", "it's $(x)", "~~", "data$", "C", "$5/a"])
def test_other_paths_may_hold_such_signs(path: str) -> None:
    config = load({"results": "out", "databases": {"casme2": {"root": path}}})
    assert config["databases"]["casme2"]["root"] == path


def test_a_backslash_in_double_quotes(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text('results: out\ndatabases: {casme2: {root: "D:\\micro"}}\n')
    with pytest.raises(UserError, match=r'In double quotes a backslash starts a code: "D:\\micro"'):
        read(tmp_path / "mine.yaml")


@pytest.mark.parametrize("sign", ["\uff1a ", "\u00a0: ", "\u3000: "])
def test_signs_of_input_methods_and_web_pages(tmp_path: Path, sign: str) -> None:
    text = TEXT.replace("root: ", f"root{sign}")
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="type colons and spaces again"):
        read(tmp_path / "mine.yaml")
