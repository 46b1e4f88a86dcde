"""The environments of the stages: one pin for a library, and every import of a rule's job."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from fleeting import dependencies, registry
from fleeting.training import network_names

ROOT = Path(__file__).parents[1]
PINS = dict(
    line.split("==")
    for line in (ROOT / "envs" / "requirements.txt").read_text().splitlines()
    if "==" in line
)
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
#: Libraries whose import has another name; pydantic brings its core.
PACKAGES = {
    "cv2": "opencv-contrib-python-headless",
    "python_calamine": "python-calamine",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "pydantic_core": "pydantic",
}
#: The variants that a job finds by name.
VARIANTS = {
    "databases.extract": ["reader"],
    "frames.select": ["reader", "selection"],
    "faces.fetch": ["detector"],
    "faces.crop": ["detector"],
    "examples.find_apex": ["apex", "flow"],
    "examples.pack": ["input", "flow", "apex"],
    "examples.measure_motion": ["input", "flow", "apex"],
    "splits.split": ["protocol", "input", "flow", "apex"],
    "training.weights": ["network"],
    "progress.estimate": ["network", "balance"],
    "training.run": ["network", "optimiser", "schedule", "augmentation", "balance"],
    "evaluation.run_baselines": ["baseline", "metric"],
    "evaluation.summarise_runs": ["metric"],
    "evaluation.write_table": ["table"],
    "drawing.draw": ["figure"],
    "synthetic.database": ["synthetic"],
}


def pip_pins(path: Path) -> dict[str, str]:
    listed = yaml.safe_load(path.read_text())["dependencies"]
    return dict(pin.split("==") for pin in next(e for e in listed if isinstance(e, dict))["pip"])


def rules() -> dict[str, str]:
    """The environment of every job that a rule runs."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for block in re.split(r"\n(?= *(?:rule|checkpoint)\b)", path.read_text()):
            job = re.search(r'code(?:_of)?\(\s*"([\w.]+)"', block)
            conda = re.search(r"envs/(\w+)\.yaml", block)
            if job and conda:
                found[job[1]] = conda[1]
    return found


def libraries(job: str) -> set[str]:
    """The packages behind every import of a job, its modules and those that it finds by name."""
    kinds = VARIANTS.get(job, [])
    named = [registry.module_name(kind, name) for kind in kinds for name in registry.names(kind)]
    if "network" in kinds:
        named.append(network_names.module_name("resnet18"))
    found = set()
    for path in dependencies.files(f"fleeting.{job}", *named):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.split(".")[0])
    others = found - set(sys.stdlib_module_names) - {"fleeting"}
    return {PACKAGES.get(name, name) for name in others}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_takes_its_pins_from_the_one_file(path: Path) -> None:
    assert pip_pins(path).items() <= PINS.items()


def test_every_rule_was_found() -> None:
    assert set(VARIANTS) <= set(rules())
    assert set(rules().values()) == {path.stem for path in ENVIRONMENTS}


@pytest.mark.parametrize(("job", "environment"), list(rules().items()))
def test_an_environment_has_what_its_jobs_import(job: str, environment: str) -> None:
    assert libraries(job) <= set(pip_pins(ROOT / "envs" / f"{environment}.yaml")), job
