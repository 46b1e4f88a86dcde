"""The environments of the stages: one pin for a library, and every import of a rule's script."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from fleeting import dependencies, registry

ROOT = Path(__file__).parents[1]
PINS = dict(
    line.split("==")
    for line in (ROOT / "envs" / "requirements.txt").read_text().splitlines()
    if "==" in line
)
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
#: Libraries whose import has another name.
PACKAGES = {"cv2": "opencv-python-headless", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def pip_pins(path: Path) -> dict[str, str]:
    listed = yaml.safe_load(path.read_text())["dependencies"]
    return dict(pin.split("==") for pin in next(e for e in listed if isinstance(e, dict))["pip"])


def rules() -> dict[str, tuple[str, str]]:
    """By rule its script and its environment, which `use rule` hands on."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for block in re.split(r"\n(?=\S)", path.read_text()):
            script = re.search(r'code\(\s*"([\w.]+)"', block)
            head = re.search(r"(?:use rule (\w+) as|rule|checkpoint) ?(\w*)", block)
            if script and head:
                conda = re.search(r"envs/(\w+)\.yaml", block)
                environment = conda[1] if conda else found[head[1]][1]
                found[head[2] or path.stem] = (script[1], environment)
    return found


def libraries(script: str) -> set[str]:
    """The packages behind every import of a script, its modules and those it finds by name."""
    kinds = {"extract_annotations": "database", "select_frames": "database", "crop": "detector"}
    kinds |= {"train": "model", "predict": "model", "table_structure": "model"}
    kind = kinds.get(script.removesuffix(".py"))
    named = [registry.module_name(kind, name) for name in registry.names(kind)] if kind else []
    tops = set()
    for path in dependencies.files(script, *named):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                tops |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                tops.add(node.module.split(".")[0])
    return {PACKAGES.get(top, top) for top in tops & dependencies.LIBRARIES}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_an_environment_takes_its_pins_from_the_one_file(path: Path) -> None:
    assert pip_pins(path).items() <= PINS.items()


def test_every_rule_was_found() -> None:
    assert len(rules()) > 25
    assert {environment for _, environment in rules().values()} == {
        path.stem for path in ENVIRONMENTS
    }


@pytest.mark.parametrize(("rule", "script", "environment"), [(k, *v) for k, v in rules().items()])
def test_an_environment_has_what_its_rules_import(rule: str, script: str, environment: str) -> None:
    assert libraries(script) <= set(pip_pins(ROOT / "envs" / f"{environment}.yaml")), rule


def test_the_pins_of_the_issue() -> None:
    assert PINS["torch"] == "2.14.1"
    assert PINS["torchvision"] == "0.29.1"
