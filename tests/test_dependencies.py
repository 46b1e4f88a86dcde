"""The finder of a script's modules, and the order of the stages that it makes visible."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from fleeting import dependencies, registry
from fleeting.dependencies import PACKAGE, SCRIPTS, UnresolvedImport, files, imported

#: A stage imports only from stages before it; `evaluation` may look at everything before. The
#: doctor is no stage: it looks at all of them, and none of them at it.
FLOW = ["databases", "frames", "faces", "splits", "training", "evaluation", "figures", "doctor"]
ALL_SCRIPTS = sorted(path.name for path in SCRIPTS.glob("*.py"))


def stage(path: Path) -> str | None:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


@pytest.mark.parametrize("script", ALL_SCRIPTS)
def test_every_script_resolves(script: str) -> None:
    assert SCRIPTS / script in files(script)


def test_imports_are_followed_to_their_end() -> None:
    found = {path.name for path in files("train.py")}
    assert {"train.py", "run.py", "trainer.py", "images.py", "tables.py", "errors.py"} <= found
    assert "predict.py" not in found, "training must not import the test step"
    assert "resnet18.py" not in found, "models come by name"
    assert "resnet18.py" in {
        path.name for path in files("train.py", registry.module_name("model", "resnet18"))
    }


def test_a_job_does_not_depend_on_the_siblings_of_its_module() -> None:
    for kind in registry.FOLDERS:
        for name in registry.names(kind):
            siblings = {registry.module_name(kind, other) for other in registry.names(kind)}
            siblings -= {registry.module_name(kind, name)}
            found = files("train.py", registry.module_name(kind, name))
            for sibling in siblings:
                assert SCRIPTS.joinpath(*sibling.split(".")).with_suffix(".py") not in found


@pytest.mark.parametrize(
    "text",
    [
        "import fleeting.nothing",
        "from fleeting import nothing",
        "from fleeting.training import nothing",
        "import fleting.tables",
        "from . import tables",
        "import importlib\nimportlib.import_module('fleeting.' + 'tables')",
        "__import__('fleeting.tables')",
        "def later():\n    import not_installed",
        "class A:\n    if 1:\n        pass\n    else:\n        import not_installed",
        "try:\n    pass\nexcept OSError:\n    import not_installed",
        "try:\n    pass\nfinally:\n    import not_installed",
        "match 1:\n    case 1:\n        import not_installed",
        "for _ in ():\n    with open(0):\n        import not_installed",
    ],
)
def test_an_import_that_cannot_be_resolved_is_an_error(tmp_path: Path, text: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    with pytest.raises(UnresolvedImport, match="script.py"):
        imported(script)


def test_libraries_are_the_pinned_ones() -> None:
    for path in SCRIPTS.rglob("*.py"):
        imported(path)
    assert "snakemake" not in dependencies.LIBRARIES, "the library works without Snakemake"


def test_stages_import_from_earlier_stages_only() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        own = stage(path)
        for other in map(stage, imported(path)):
            if own == "synthetic" or other == "synthetic":
                assert other in (own, None), path
            elif other is not None:
                assert own is not None, f"{path}: a shared module imports a stage"
                assert FLOW.index(other) <= FLOW.index(own), path


def test_init_files_are_empty() -> None:
    assert [path for path in PACKAGE.rglob("__init__.py") if path.read_text()] == []


def test_scripts_are_thin() -> None:
    for script in ALL_SCRIPTS:
        tree = ast.parse((SCRIPTS / script).read_text())
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        assert functions == ["main"], script


@pytest.mark.parametrize("script", ["train", "predict"])
def test_a_job_on_a_device_imports_only_what_it_needs(script: str) -> None:
    """On a fast device such a job is shorter than its start."""
    needless = ("pandas", "cv2", "matplotlib", "seaborn", "sklearn", "openpyxl", "snakemake")
    program = f"import sys, {script}; print(*sorted(set({needless}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SCRIPTS, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""
