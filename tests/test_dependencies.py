"""The finder of a job's modules, and the order of the stages that it makes visible."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fleeting import registry
from fleeting.dependencies import PACKAGE, RUNNER, SCRIPTS, UnresolvedImport, files, imported
from fleeting.training import network_names

ROOT = Path(__file__).parents[1]
#: A stage imports only from stages before it.
FLOW = [
    ("databases",),
    ("frames",),
    ("faces",),
    ("inputs", "examples"),
    ("protocols", "splits"),
    ("training",),
    ("evaluation",),
    ("drawing",),
    ("tables", "figures"),
    # The config's check puts the stages' settings together; the others are about all stages.
    ("config", "controls", "doctor", "progress", "rescore"),
]
#: The modules that the rules run, as `code("stage.module"` in workflow/rules.
JOBS = sorted(
    {
        name
        for path in (ROOT / "workflow" / "rules").rglob("*.smk")
        for name in re.findall(r'code(?:_of)?\(\s*"([\w.]+)"', path.read_text())
    }
)


def stage(path: Path) -> str | None:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else None


def level(name: str) -> int:
    return next(index for index, names in enumerate(FLOW) if name in names)


def below_package() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def names_of(*modules: str) -> set[str]:
    return {str(path.relative_to(SCRIPTS)) for path in files(*modules)}


@pytest.mark.parametrize("job", JOBS)
def test_every_job_resolves_and_has_a_run_function(job: str) -> None:
    module = SCRIPTS.joinpath("fleeting", *job.split(".")).with_suffix(".py")
    assert files(f"fleeting.{job}")[0] == RUNNER
    assert module in files(f"fleeting.{job}")
    functions = [
        node.name
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.FunctionDef)
    ]
    assert "run" in functions


def test_imports_are_followed_to_their_end() -> None:
    found = names_of("fleeting.training.run")
    assert {"job.py", "fleeting/jobs.py", "fleeting/tsv.py", "fleeting/errors.py"} <= found
    assert "fleeting/training/networks/small.py" not in found, "networks are found by name"
    assert "fleeting/training/networks/small.py" in names_of(
        "fleeting.training.run", network_names.module_name("small")
    )


def test_training_imports_nothing_of_evaluation() -> None:
    modules = ["fleeting.training.run", *map(network_names.module_name, ("small", "resnet18"))]
    assert not [name for name in names_of(*modules) if "evaluation" in name]


@pytest.mark.parametrize("kind", sorted(registry.FOLDERS))
def test_a_job_does_not_depend_on_the_siblings_of_its_module(kind: str) -> None:
    modules = {name: registry.module_name(kind, name) for name in registry.names(kind)}
    assert modules
    for name, module in modules.items():
        found = files("fleeting.training.run", module)
        for sibling, other in modules.items():
            if sibling != name:
                assert SCRIPTS.joinpath(*other.split(".")).with_suffix(".py") not in found


@pytest.mark.parametrize(
    "text",
    [
        "import fleeting.nothing",
        "from fleeting import nothing",
        "from fleeting.training import nothing",
        "from . import tables",
        "import importlib",
        "def later():\n    if 1:\n        import fleeting.nothing",
    ],
)
def test_an_import_that_cannot_be_resolved_is_an_error(tmp_path: Path, text: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(text)
    with pytest.raises(UnresolvedImport, match="script.py"):
        imported(script)


def test_only_the_registry_imports_by_name_and_nothing_imports_snakemake() -> None:
    pattern = re.compile(r"import_module|__import__|import snakemake|from snakemake")
    found = [path.name for path in SCRIPTS.rglob("*.py") if pattern.search(path.read_text())]
    assert found == ["registry.py"]


def test_stages_import_from_earlier_stages_only() -> None:
    for path in below_package():
        own = stage(path)
        for other in map(stage, imported(path)):
            if own == "synthetic" or other == "synthetic":
                # The synthetic databases know no stage; the config's check knows them, and the
                # controls know their truth.
                assert own in ("config", "controls") or other in (own, None), path
            elif other is not None:
                assert own is not None, f"{path}: a shared module imports a stage"
                assert level(other) <= level(own), path


def test_init_files_are_empty() -> None:
    assert [path for path in PACKAGE.rglob("__init__.py") if path.read_text()] == []


def test_folders_of_variants_hold_variants_only() -> None:
    for kind, folder in registry.FOLDERS.items():
        entries = {path.name for path in (PACKAGE / folder).iterdir()} - {"__pycache__"}
        assert entries == {"__init__.py", *(f"{name}.py" for name in registry.names(kind))}, kind


def run_python(program: str) -> str:
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=SCRIPTS, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize("module", ["training.run", "faces.crop", "examples.pack"])
def test_a_short_job_imports_only_what_it_needs(module: str) -> None:
    """On a fast device such a job is shorter than its start."""
    needless = ["pandas", "matplotlib", "seaborn", "sklearn", "python_calamine", "snakemake"]
    needless += ["cv2", "torchvision"] if module == "training.run" else ["torch"]
    program = f"import sys, fleeting.{module}; print(*sorted(set({needless}) & set(sys.modules)))"
    assert run_python(program) == ""


def test_nothing_heavy_is_imported_while_snakemake_parses() -> None:
    heavy = ["torch", "torchvision", "sklearn", "matplotlib", "cv2", "pandas", "python_calamine"]
    program = (
        "import sys, yaml\n"
        "from fleeting import registry\n"
        "from fleeting.config import loading\n"
        "from fleeting.databases import table_file\n"
        "from fleeting.training import network_names\n"
        f"loading.load(yaml.safe_load(open({str(ROOT / 'config.yaml')!r})))\n"
        "kinds = set(registry.FOLDERS) - {'network', 'table', 'figure', 'synthetic', 'metric'}\n"
        "for kind in kinds:\n"
        "    for name in registry.names(kind):\n"
        "        registry.load(kind, name)\n"
        f"print(*sorted(set({heavy}) & set(sys.modules)))"
    )
    assert run_python(program) == ""
