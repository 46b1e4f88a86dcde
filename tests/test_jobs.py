"""The runner: a command line becomes a call, an error one paragraph; settings and variants."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import SerializeAsAny, ValidationError

from fleeting import registry
from fleeting.dependencies import RUNNER
from fleeting.errors import UserError
from fleeting.jobs import call
from fleeting.settings import OneOf, Settings, Variant


class Block(Settings):
    size: int = 3


class Recipe(Settings):
    optimiser: Annotated[SerializeAsAny[Variant], OneOf("optimiser")]


def called(*arguments: str) -> dict[str, Any]:
    given: dict[str, Any] = {}

    def run(
        *,
        name: str,
        tables: list[Path],
        count: int = 1,
        keep: bool = False,
        settings: Block = Block(),  # noqa: B008
        raw: dict[str, Any] | None = None,
        groups: list[list[str]] | None = None,
        file: Path | None = None,
    ) -> None:
        given.update(locals())

    call(run, arguments)
    given.pop("given", None)
    return given


def test_options_are_read_as_the_function_annotates_them() -> None:
    found = called(
        *("--name", "a b", "--tables", "x.tsv", "it's (a) table.tsv", "--count", "7"),
        *("--keep", "True", "--settings", '{"size": 5}', "--raw", '{"a": [1]}', "--file", "f"),
        *("--groups", '[["a", "b c"], []]'),
    )
    assert found == {
        "name": "a b",
        "tables": [Path("x.tsv"), Path("it's (a) table.tsv")],
        "count": 7,
        "keep": True,
        "settings": Block(size=5),
        "raw": {"a": [1]},
        "groups": [["a", "b c"], []],
        "file": Path("f"),
    }


def test_lists_may_be_empty_and_defaults_left_out() -> None:
    found = called("--name", "n")
    assert found["tables"] == []
    assert (found["count"], found["keep"], found["settings"], found["file"]) == (
        1,
        False,
        Block(),
        None,
    )


def test_what_a_function_does_not_take_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError, match="sise"):
        called("--name", "n", "--settings", '{"sise": 5}')
    with pytest.raises(SystemExit):
        called("--count", "2")
    assert "--name" in capsys.readouterr().err


def test_a_job_through_the_runner_reports_one_paragraph(tmp_path: Path) -> None:
    missing = tmp_path / "no.tsv"
    command = [sys.executable, str(RUNNER), "faces.crop", "--crop", "c", "--database", "d"]
    command += ["--results", str(tmp_path), "--root", str(tmp_path), "--source", "raw"]
    command += ["--settings", "{}", "--frames", str(missing), "--threads", "1"]
    command += ["--faces", str(tmp_path / "f.tsv"), "--excluded", str(tmp_path / "e.tsv")]
    command += ["--accept-losses", "False"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {missing}")
    assert "Traceback" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = [
        sys.executable,
        str(RUNNER),
        "doctor.examine",
        "--config",
        str(RUNNER.parents[2] / "config/demo.yaml"),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as doctor:
        assert doctor.stdout is not None
        assert doctor.stderr is not None
        doctor.stdout.readline()
        doctor.stdout.close()
        assert doctor.stderr.read() == ""
    assert doctor.returncode == 1


@pytest.mark.parametrize(
    ("module", "words"),
    [("nope", "there is no job 'nope'"), ("../x", "there is no job"), ("tsv", "tsv is not a job")],
)
def test_what_is_not_a_job_is_named(module: str, words: str) -> None:
    done = subprocess.run([sys.executable, str(RUNNER), module], capture_output=True, text=True)
    assert done.returncode == 1
    assert words in done.stderr
    assert "bug" not in done.stderr


def test_a_name_stands_for_a_block_of_defaults() -> None:
    block = Recipe.model_validate({"optimiser": "sgd"})
    assert block == Recipe.model_validate({"optimiser": {"kind": "sgd"}})
    assert block.model_dump(mode="json")["optimiser"]["kind"] == "sgd"
    assert "momentum" in block.model_dump(mode="json")["optimiser"]
    assert Recipe.model_validate(block.model_dump(mode="json")) == block


@pytest.mark.parametrize("block", [{"momentum": 1}, 3])
def test_a_variant_has_to_be_named(block: object) -> None:
    with pytest.raises(ValidationError, match="`kind`"):
        Recipe.model_validate({"optimiser": block})


def test_constants_are_read_without_importing_the_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PACKAGE", tmp_path)
    monkeypatch.setitem(registry.FOLDERS, "table", ".")
    text = "import not_installed\nREADS = {'split': 'split.tsv'}\nCAPTION = 'Splits.'\n"
    (tmp_path / "old.py").write_text(text)
    assert registry.constants("table", "old")["READS"] == {"split": "split.tsv"}
    (tmp_path / "new.py").write_text("READS = {}\nCAPTION = 'a' + 'b'\n")
    with pytest.raises(UserError, match="new.py: declare CAPTION as a literal"):
        registry.constants("table", "new")


def test_an_unknown_module_lists_the_known_ones() -> None:
    with pytest.raises(UserError, match="known: .*sgd"):
        registry.module_name("optimiser", "sdg")
